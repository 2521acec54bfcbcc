//! Strict JSON for text that others wrote: protected headers, claims sets and keys.
//!
//! Stricter than RFC 8259 where laxness has been an attack: no duplicate member at any depth (RFC 7515 section 4 and
//! RFC 7519 section 4 allow the refusal), bounded nesting, no byte order mark, no invalid UTF-8, no lone surrogate.
//! The whole text is checked in one pass before a single member is looked at; values are decoded when asked for.

mod number;
mod owned;
mod weight;

use core::ops::Range;
use std::borrow::Cow;

use serde_json::{Map, Number, Value};

pub(crate) use owned::Buffers;
pub use owned::OwnedObject;
pub(crate) use waxseal_scan::json::Child;
pub use waxseal_scan::json::{Fault, MAX_DEPTH};
use waxseal_scan::json::{Scanner, Unescaped};

/// A checked JSON object whose values are still text. Its `Debug` shows no content.
#[derive(Clone)]
pub struct Object<'a> {
    text: &'a str,
    members: Vec<Child>,
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
    let text = core::str::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
    let mut members = Vec::new();
    check_object(text, &mut Scanner::default(), &mut members)?;
    Ok(Object { text, members })
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
    let text = core::str::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
    let value = Scanner::default().check(text, &mut Vec::new())?;
    Ok(Raw::at(text, value))
}

/// Checks a whole text, which must be an object, and tells its members.
fn check_object(text: &str, scanner: &mut Scanner, members: &mut Vec<Child>) -> Result<(), Fault> {
    let value = scanner.check(text, members)?;
    if Raw::at(text, value).kind() == Kind::Object { Ok(()) } else { Err(Fault::NotObject) }
}

/// Whether a member of the object that is `text` has a name.
fn is_named(text: &str, member: &Child, name: &str) -> bool {
    let inner = text.get(member.name.clone()).unwrap_or_default();
    if member.escaped { Unescaped::new(inner).map_while(Result::ok).eq(name.chars()) } else { inner == name }
}

/// The members of the object that is `text`.
fn named<'a>(text: &'a str, members: &'a [Child]) -> impl Iterator<Item = (Cow<'a, str>, Raw<'a>)> {
    members.iter().map(move |member| {
        let inner = text.get(member.name.clone()).unwrap_or_default();
        let name = if member.escaped { unescaped(inner) } else { Cow::Borrowed(inner) };
        (name, Raw::at(text, member.value.clone()))
    })
}

/// What stands between the quotes of a string that has been checked.
fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    Cow::Owned(Unescaped::new(inner).map_while(Result::ok).collect())
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
        let member = self.members.iter().find(|member| is_named(self.text, member, name))?;
        Some(Raw::at(self.text, member.value.clone()))
    }

    /// The members in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Raw<'_>)> {
        named(self.text, &self.members)
    }
}

impl<'a> Raw<'a> {
    /// The value at a place of a text that has been checked.
    fn at(text: &'a str, place: Range<usize>) -> Self {
        Self(text.get(place).unwrap_or_default())
    }

    /// An element or member of the value, whose place is known.
    pub(crate) fn part(self, child: &Child) -> Self {
        Self::at(self.0, child.value.clone())
    }

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
        Some(unescaped(inner))
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
        let mut elements = Vec::new();
        Scanner::default().check(self.0, &mut elements).ok()?;
        Some(elements.into_iter().map(|element| Self::at(self.0, element.value)).collect())
    }

    /// The members of an object; `None` for any other kind.
    #[must_use]
    pub fn object(self) -> Option<Object<'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        let mut members = Vec::new();
        Scanner::default().check(self.0, &mut members).ok()?;
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
                    map.insert(name.into_owned(), raw.value()?);
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
                    && object.iter().all(|(name, raw)| map.get(name.as_ref()).is_some_and(|item| raw.equals(item)))
            }),
        }
    }
}

/// Integers that a double holds exactly stay integers, so that writing them again gives the same text.
fn number(text: &str, double: f64) -> Option<Number> {
    text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(double))
}

impl core::fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Object").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.kind())
    }
}

#[cfg(test)]
mod tests;
