//! Reads a JavaScript value into a tree, carefully: it may come from anywhere.
//!
//! `serde_wasm_bindgen` would read inherited members, turn `undefined` and `NaN` into `null` (which in these options
//! means "not checked") and overflow the stack on a cycle. Here only own enumerable
//! members are read, each once; `undefined` is absence; whatever JSON cannot say is an error that names the place.

use js_sys::{JsString, Reflect};
use serde_json::{Map, Number, Value};
use wasm_bindgen::prelude::*;

use crate::error::{Error, ErrorCode};
use crate::secret::forget;

/// More values than this are not options: a JWK Set of a thousand keys has about ten thousand.
const MAX_NODES: u32 = 20_000;
/// All strings together, in UTF-16 code units.
const MAX_TEXT: u32 = 1 << 20;

#[wasm_bindgen]
extern "C" {
    /// `Object.keys`, which can throw when the object is a proxy.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn own_keys(value: &JsValue) -> Result<js_sys::Array, JsValue>;

    /// `Object.prototype.toString.call(value)`: tells plain objects and arrays from everything else, for values of other
    /// realms (`node:vm`, Jest) as well.
    #[wasm_bindgen(catch, js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    fn tag(value: &JsValue) -> Result<JsString, JsValue>;
}

/// Options may be nested this deep.
pub(super) const OPTIONS_DEPTH: u32 = 8;
/// Claims that are to be issued may be nested as deep as claims that are read.
pub(super) const CLAIMS_DEPTH: u32 = 32;

/// Reads a value of any shape. `root` names it in messages; `code` is the code of the error.
pub(super) fn read(value: &JsValue, root: &str, max_depth: u32, code: ErrorCode) -> Result<Option<Value>, Error> {
    let mut walker = Walker { nodes: 0, text: 0, max_depth };
    walker.value(value, 0).map_err(|fault| {
        let message = match &fault.problem {
            Problem::Type(found) => format!("{} must be JSON data, not {found}.", fault.place(root)),
            Problem::NotFinite => format!("{} must be a finite number.", fault.place(root)),
            Problem::LoneSurrogate => format!("{} contains half of a surrogate pair.", fault.place(root)),
            Problem::Threw => format!("Reading {} threw an exception.", fault.place(root)),
            Problem::Depth => format!("{root} is nested too deeply, or contains itself."),
            Problem::Size => format!("{root} is too large."),
        };
        Error::new(code, message)
    })
}

/// Reads an object; anything else is an error.
pub(super) fn read_object(
    value: &JsValue,
    root: &str,
    max_depth: u32,
    code: ErrorCode,
) -> Result<Map<String, Value>, Error> {
    match read(value, root, max_depth, code)? {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(Error::new(code, format!("{root} must be an object."))),
    }
}

struct Walker {
    nodes: u32,
    text: u32,
    max_depth: u32,
}

struct Fault {
    problem: Problem,
    /// From the innermost place outwards.
    path: Vec<Segment>,
}

enum Segment {
    Member(String),
    Index(u32),
}

enum Problem {
    Type(&'static str),
    NotFinite,
    LoneSurrogate,
    Threw,
    Depth,
    Size,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { problem, path: Vec::new() }
    }
}

impl Fault {
    fn inside(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }

    /// `claims.roles[2]`; at the root, the root's own name.
    fn place(&self, root: &str) -> String {
        let mut place = String::new();
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Member(name) if place.is_empty() => place.push_str(name),
                Segment::Member(name) => {
                    place.push('.');
                    place.push_str(name);
                }
                Segment::Index(index) => place = format!("{place}[{index}]"),
            }
        }
        if place.is_empty() { root.to_owned() } else { place }
    }
}

impl Walker {
    fn value(&mut self, value: &JsValue, depth: u32) -> Result<Option<Value>, Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Problem::Size.into());
        }
        if value.is_undefined() {
            return Ok(None);
        }
        if value.is_null() {
            return Ok(Some(Value::Null));
        }
        if let Some(flag) = value.as_bool() {
            return Ok(Some(Value::Bool(flag)));
        }
        if let Some(double) = value.as_f64() {
            return Ok(Some(Value::Number(number(double).ok_or(Problem::NotFinite)?)));
        }
        if let Some(text) = value.dyn_ref::<JsString>() {
            return Ok(Some(Value::String(self.string(text)?)));
        }
        if !value.is_object() {
            return Err(Problem::Type(kind_of(value)).into());
        }
        if depth >= self.max_depth {
            return Err(Problem::Depth.into());
        }
        let tag = tag(value).map_err(|_| Problem::Threw)?;
        if tag == "[object Array]" {
            self.array(value, depth).map(Some)
        } else if tag == "[object Object]" {
            self.object(value, depth).map(Some)
        } else {
            Err(Problem::Type("an object of a class").into())
        }
    }

    fn string(&mut self, text: &JsString) -> Result<String, Fault> {
        // The length is asked for before the text is copied.
        self.text = self.text.saturating_add(text.length());
        if self.text > MAX_TEXT {
            return Err(Problem::Size.into());
        }
        if !text.is_valid_utf16() {
            return Err(Problem::LoneSurrogate.into());
        }
        Ok(String::from(text))
    }

    fn array(&mut self, array: &JsValue, depth: u32) -> Result<Value, Fault> {
        let length = Reflect::get(array, &JsValue::from_str("length")).map_err(|_| Problem::Threw)?;
        let length = length.as_f64().unwrap_or(f64::INFINITY);
        if length > f64::from(MAX_NODES) {
            return Err(Problem::Size.into());
        }
        let mut items = Vec::new();
        let read = self.items(array, length, depth, &mut items);
        or_forget(read, Value::Array(items))
    }

    fn items(&mut self, array: &JsValue, length: f64, depth: u32, items: &mut Vec<Value>) -> Result<(), Fault> {
        let mut index = 0;
        while f64::from(index) < length {
            let place = || Segment::Index(index);
            let item = Reflect::get_u32(array, index).map_err(|_| Fault::from(Problem::Threw).inside(place()))?;
            match self.value(&item, depth + 1).map_err(|fault| fault.inside(place()))? {
                Some(item) => items.push(item),
                None => return Err(Fault::from(Problem::Type("undefined")).inside(place())),
            }
            index += 1;
        }
        Ok(())
    }

    fn object(&mut self, object: &JsValue, depth: u32) -> Result<Value, Fault> {
        let mut map = Map::new();
        let read = self.members(object, depth, &mut map);
        or_forget(read, Value::Object(map))
    }

    fn members(&mut self, object: &JsValue, depth: u32, map: &mut Map<String, Value>) -> Result<(), Fault> {
        for key in own_keys(object).map_err(|_| Problem::Threw)?.iter() {
            let name = self.string(key.unchecked_ref::<JsString>())?;
            let place = || Segment::Member(name.clone());
            let member = Reflect::get(object, &key).map_err(|_| Fault::from(Problem::Threw).inside(place()))?;
            if let Some(member) = self.value(&member, depth + 1).map_err(|fault| fault.inside(place()))? {
                map.insert(name, member);
            }
        }
        Ok(())
    }
}

/// What has been read, which is overwritten if reading ended in an error: a secret may be among it.
fn or_forget(read: Result<(), Fault>, mut value: Value) -> Result<Value, Fault> {
    if read.is_err() {
        forget(&mut value);
    }
    read.map(|()| value)
}

/// Integers stay integers, so that a claim `1700000000` is issued as it was given and not as `1700000000.0`.
fn number(double: f64) -> Option<Number> {
    /// 2^53: above it a double no longer names one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if double.fract() == 0.0 && double.abs() <= EXACT {
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "whole and within 2^53: exact")]
        return Some(Number::from(double as i64));
    }
    Number::from_f64(double)
}

fn kind_of(value: &JsValue) -> &'static str {
    if value.is_function() {
        "a function"
    } else if value.is_symbol() {
        "a symbol"
    } else if value.is_bigint() {
        "a bigint"
    } else {
        "a value of this type"
    }
}
