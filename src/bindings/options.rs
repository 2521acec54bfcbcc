//! Option objects: every field is taken by name and type, and what is left over is refused by name.

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;

use super::value::{OPTIONS_DEPTH, read_object};
use crate::error::{Error, ErrorCode};
use crate::names::join;
use crate::secret::forget;

/// The fields of one options object.
pub(super) struct Fields {
    /// Empty at the top, `revocation.` and the like inside.
    prefix: String,
    map: Map<String, Value>,
    /// The names that were taken, to find those that nobody asked for and to suggest what they may be meant for.
    known: Vec<&'static str>,
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::OptionInvalid, message.into())
}

impl Fields {
    /// Reads an options object. `undefined` stands for no options at all.
    pub(super) fn read(value: &JsValue) -> Result<Self, Error> {
        let map = if value.is_undefined() {
            Map::new()
        } else {
            read_object(value, "options", OPTIONS_DEPTH, ErrorCode::OptionInvalid)?
        };
        Ok(Self::of(map, String::new()))
    }

    /// Reads an options object that is a part of others.
    pub(super) fn read_under(prefix: &str, value: &JsValue) -> Result<Self, Error> {
        let mut fields = Self::read(value)?;
        prefix.clone_into(&mut fields.prefix);
        Ok(fields)
    }

    pub(super) fn of(map: Map<String, Value>, prefix: String) -> Self {
        Self { prefix, map, known: Vec::new() }
    }

    fn wrong(&self, name: &str, expected: &str) -> Error {
        invalid(format!("{}{name} must be {expected}.", self.prefix))
    }

    /// Takes a field as it is.
    pub(super) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.map.get_mut(name).map(Value::take)
    }

    /// Takes a field that must be given.
    pub(super) fn required(&mut self, name: &'static str, hint: &str) -> Result<Value, Error> {
        self.value(name).ok_or_else(|| {
            // A misspelt name is the likelier mistake, and the better message.
            let misspelt = self.left().find(|given| looks_like(name, given));
            misspelt.map_or_else(
                || invalid(format!("{}{name} is required: {hint}.", self.prefix)),
                |given| self.unknown(given),
            )
        })
    }

    /// Takes a string into its place, which stays as it is when the field is not given.
    pub(super) fn string(&mut self, name: &'static str, place: &mut impl From<String>) -> Result<(), Error> {
        match self.value(name) {
            None => {}
            Some(Value::String(text)) => *place = text.into(),
            Some(_) => return Err(self.wrong(name, "a string")),
        }
        Ok(())
    }

    /// Takes `true` or `false` into its place.
    pub(super) fn bool(&mut self, name: &'static str, place: &mut bool) -> Result<(), Error> {
        match self.value(name) {
            None => {}
            Some(Value::Bool(flag)) => *place = flag,
            Some(_) => return Err(self.wrong(name, "true or false")),
        }
        Ok(())
    }

    /// Takes a number into its place.
    pub(super) fn number(&mut self, name: &'static str, place: &mut impl From<f64>) -> Result<(), Error> {
        match self.value(name).map(|value| value.as_f64()) {
            None => {}
            Some(Some(number)) => *place = number.into(),
            Some(None) => return Err(self.wrong(name, "a number")),
        }
        Ok(())
    }

    /// Takes a whole number of seconds, bytes or the like into its place; the core checks its range.
    pub(super) fn whole(&mut self, name: &'static str, place: &mut impl From<u32>) -> Result<(), Error> {
        match self.value(name) {
            None => {}
            Some(Value::Number(number)) => match number.as_u64().and_then(|number| u32::try_from(number).ok()) {
                Some(number) => *place = number.into(),
                None => return Err(self.wrong(name, "a whole number, zero or more")),
            },
            Some(_) => return Err(self.wrong(name, "a number")),
        }
        Ok(())
    }

    /// Takes a list of strings into its place; with `or_one`, a single string stands for a list of one.
    pub(super) fn strings(
        &mut self,
        name: &'static str,
        or_one: bool,
        place: &mut impl From<Vec<String>>,
    ) -> Result<(), Error> {
        let expected = if or_one { "a string or an array of strings" } else { "an array of strings" };
        if let Some(value) = self.value(name) {
            *place = strings(value, or_one).ok_or_else(|| self.wrong(name, expected))?.into();
        }
        Ok(())
    }

    /// Takes a check that may be switched off, but not by leaving it out: a string, a list of strings, or `null`.
    pub(super) fn check(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Error> {
        let hint = "give the expected value or values, or null to say that it is not checked";
        match self.required(name, hint)? {
            Value::Null => Ok(None),
            value => strings(value, true).map(Some).ok_or_else(|| {
                self.wrong(name, "a string, an array of strings, or null to say that it is not checked")
            }),
        }
    }

    /// Takes a nested options object.
    pub(super) fn nested(&mut self, name: &'static str) -> Result<Option<Self>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self::of(map, format!("{}{name}.", self.prefix)))),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// Takes a list of nested options objects.
    pub(super) fn list(&mut self, name: &'static str) -> Result<Option<Vec<Self>>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(self.wrong(name, "an array of objects")) };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let Value::Object(map) = item else { return Err(self.wrong(name, "an array of objects")) };
            list.push(Self::of(map, format!("{}{name}[{index}].", self.prefix)));
        }
        Ok(Some(list))
    }

    /// Takes one of a few words into its place.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        place: &mut impl From<T>,
    ) -> Result<(), Error> {
        if let Some(value) = self.value(name) {
            *place = Self::one_of(&format!("{}{name}", self.prefix), &value, words)?.into();
        }
        Ok(())
    }

    /// Finds a value among a few words; `name` is the whole name of the option.
    pub(super) fn one_of<T: Copy>(name: &str, value: &Value, words: &[(&str, T)]) -> Result<T, Error> {
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            invalid(format!("{name} must be {}.", join(&names, " or ")))
        })
    }

    /// Refuses whatever was not taken.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.left().next().map_or(Ok(()), |name| Err(self.unknown(name)))
    }

    /// The names that nobody asked for.
    fn left(&self) -> impl Iterator<Item = &String> {
        self.map.keys().filter(|name| !self.known.contains(&name.as_str()))
    }

    fn unknown(&self, name: &str) -> Error {
        // The name is the developer's own text; it is shortened and cleaned because it stands in a log line.
        let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        let prefix = &self.prefix;
        invalid(match self.known.iter().find(|known| looks_like(known, name)) {
            Some(known) => format!("{prefix}{shown} is not an option; did you mean {prefix}{known}?"),
            None => format!("{prefix}{shown} is not an option here; the options are {}.", join(&self.known, ", ")),
        })
    }
}

/// A private key may have been given where a public one is meant.
impl Drop for Fields {
    fn drop(&mut self) {
        self.map.values_mut().for_each(forget);
    }
}

fn strings(value: Value, or_one: bool) -> Option<Vec<String>> {
    match value {
        Value::String(text) if or_one => Some(vec![text]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// Whether two names differ by letter case, or by one letter added or lost, or by one or two neighbours changed.
fn looks_like(known: &str, given: &str) -> bool {
    let (a, b) = (known.to_ascii_lowercase().into_bytes(), given.to_ascii_lowercase().into_bytes());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.len().saturating_sub(end), b.len().saturating_sub(end));
    a <= 1 && b <= 1 || a == 2 && b == 2
}
