//! Strict JSON for text that others wrote: protected headers, claims sets and keys.
//!
//! Stricter than RFC 8259 where laxness has been an attack: no duplicate member at any depth (RFC 7515 section 4 and
//! RFC 7519 section 4 allow the refusal), bounded nesting, no byte order mark, no invalid UTF-8, no lone surrogate.
//! The whole text is checked in one pass before a single member is looked at; values are decoded when asked for.

mod number;
mod owned;
mod scan;
mod weight;

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

pub use owned::OwnedObject;
use scan::Scanner;

/// Arrays and objects may stand within one another this deep.
pub const MAX_DEPTH: usize = 32;

/// Why a text is not the JSON we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not UTF-8 (RFC 8259 section 8.1).
    Utf8,
    /// A byte order mark at the start (RFC 8259 section 8.1).
    ByteOrderMark,
    /// Not JSON.
    Syntax,
    /// A surrogate escape without its other half: it has no UTF-8 form.
    LoneSurrogate,
    /// Nested deeper than [`MAX_DEPTH`].
    Depth,
    /// Two members of one object have the same name.
    Duplicate,
    /// A number beyond the range of an IEEE 754 double.
    NumberRange,
    /// JSON, but not an object where one is needed.
    NotObject,
}

impl Fault {
    /// The fault in words that finish the sentence "it …".
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Utf8 => "is not valid UTF-8",
            Self::ByteOrderMark => "begins with a byte order mark",
            Self::Syntax => "is not valid JSON",
            Self::LoneSurrogate => "contains half of a surrogate pair",
            Self::Depth => "is nested too deeply",
            Self::Duplicate => "contains two members of the same name",
            Self::NumberRange => "contains a number out of range",
            Self::NotObject => "is not a JSON object",
        }
    }
}

/// A checked JSON object whose values are still text.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    text: &'a str,
    members: Vec<(Cow<'a, str>, Raw<'a>)>,
}

/// A checked JSON value that is still text. Its `Debug` shows the kind alone, for the text may be secret.
#[derive(Clone, Copy)]
pub struct Raw<'a>(&'a str);

/// The six kinds of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// a number
    Number,
    /// a string
    String,
    /// an array
    Array,
    /// an object
    Object,
}

/// Checks a whole text and gives its members when it is one object.
///
/// # Errors
/// The first [`Fault`] met.
pub fn parse_object(bytes: &[u8]) -> Result<Object<'_>, Fault> {
    check_object(core::str::from_utf8(bytes).map_err(|_| Fault::Utf8)?)
}

/// Checks a whole text and decodes it into a tree, for configuration such as keys; tokens are read with
/// [`parse_object`].
///
/// # Errors
/// The first [`Fault`] met.
pub fn parse_value(bytes: &[u8]) -> Result<Value, Fault> {
    check(bytes)?.value().ok_or(Fault::NumberRange)
}

/// Writes a tree as JSON. Unlike the tree's `Display`, this is the serializer that writes claims as well.
pub(crate) fn write(value: &Value) -> String {
    // No tree fails to serialize: its names are strings, and its numbers finite.
    serde_json::to_string(value).unwrap_or_default()
}

fn check(bytes: &[u8]) -> Result<Raw<'_>, Fault> {
    let mut scanner = Scanner::at_start(core::str::from_utf8(bytes).map_err(|_| Fault::Utf8)?)?;
    let value = scanner.value(0)?;
    scanner.end()?;
    Ok(Raw(value))
}

fn check_object(text: &str) -> Result<Object<'_>, Fault> {
    let mut scanner = Scanner::at_start(text)?;
    let object = scanner.object()?;
    scanner.end()?;
    object.ok_or(Fault::NotObject)
}

impl<'a> Object<'a> {
    /// The object as it was written.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The value of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Raw<'a>> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The members in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

impl<'a> Raw<'a> {
    /// The value as it was written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The kind of the value, known from its first character.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The string, unescaped; `None` for any other kind.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        scan::unescape(inner).ok()
    }

    /// The boolean; `None` for any other kind.
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The number as the nearest double; `None` for any other kind and for one beyond the range of a double.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        Some(number::value(self.0)).filter(|number| number.is_finite())
    }

    /// The elements of an array; `None` for any other kind.
    #[must_use]
    pub fn array(self) -> Option<Vec<Raw<'a>>> {
        if self.kind() != Kind::Array {
            return None;
        }
        Scanner::new(self.0).elements(0).ok()
    }

    /// The members of an object; `None` for any other kind.
    #[must_use]
    pub fn object(self) -> Option<Object<'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        let members = Scanner::new(self.0).members(0).ok()?;
        Some(Object { text: self.0, members })
    }

    /// The value as a tree; `None` when a number in it is beyond the range of a double.
    #[must_use]
    pub fn value(self) -> Option<Value> {
        Some(match self.kind() {
            Kind::Null => Value::Null,
            Kind::Bool => Value::Bool(self.bool()?),
            Kind::Number => Value::Number(number(self.0, self.number()?)?),
            Kind::String => Value::String(self.string()?.into_owned()),
            Kind::Array => Value::Array(self.array()?.into_iter().map(Raw::value).collect::<Option<_>>()?),
            Kind::Object => {
                let mut map = Map::new();
                for (name, raw) in self.object()?.iter() {
                    map.insert(name.to_owned(), raw.value()?);
                }
                Value::Object(map)
            }
        })
    }

    /// Whether the value equals a tree: numbers by value, members in any order.
    #[must_use]
    pub fn equals(self, other: &Value) -> bool {
        match other {
            Value::Null => self.kind() == Kind::Null,
            Value::Bool(flag) => self.bool() == Some(*flag),
            Value::Number(number) => self.number().is_some_and(|value| number.as_f64() == Some(value)),
            Value::String(text) => self.string().is_some_and(|value| value == text.as_str()),
            Value::Array(items) => self.array().is_some_and(|elements| {
                elements.len() == items.len() && elements.iter().zip(items).all(|(raw, item)| raw.equals(item))
            }),
            Value::Object(map) => self.object().is_some_and(|object| {
                object.members.len() == map.len()
                    && object.iter().all(|(name, raw)| map.get(name).is_some_and(|item| raw.equals(item)))
            }),
        }
    }
}

/// Integers that a double holds exactly stay integers, so that writing them again gives the same text.
fn number(text: &str, double: f64) -> Option<Number> {
    text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(double))
}

impl core::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.kind())
    }
}

#[cfg(test)]
mod tests;
