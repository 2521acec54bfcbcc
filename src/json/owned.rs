//! A checked object together with its text, for values that outlive the buffer they were read from.

use core::fmt;
use core::ops::Range;
use std::borrow::Cow;

use super::{Fault, Raw, check_object};

/// A checked JSON object that owns its text and remembers where its members stand. Its `Debug` shows no content.
#[derive(Clone)]
pub struct OwnedObject {
    text: String,
    members: Vec<(Name, Range<usize>)>,
}

/// A member's name: a place in the text, or its own copy where an escape had to be undone.
#[derive(Clone)]
enum Name {
    At(Range<usize>),
    Unescaped(String),
}

impl OwnedObject {
    /// Checks a whole text as [`parse_object`](super::parse_object) does and keeps it.
    ///
    /// # Errors
    /// The first [`Fault`] met.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        let text = String::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
        let object = check_object(&text)?;
        let members = object
            .members
            .into_iter()
            .map(|(name, value)| {
                let name = match name {
                    Cow::Borrowed(name) => Name::At(place(&text, name)),
                    Cow::Owned(name) => Name::Unescaped(name),
                };
                (name, place(&text, value.0))
            })
            .collect();
        Ok(Self { text, members })
    }

    /// The object as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Raw<'_>> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The members in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Raw<'_>)> {
        self.members.iter().map(|(name, value)| {
            let name = match name {
                Name::At(range) => self.slice(range),
                Name::Unescaped(name) => name,
            };
            (name, Raw(self.slice(value)))
        })
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// Where `part`, a slice of `text`, stands in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

impl fmt::Debug for OwnedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedObject").field("members", &self.members.len()).finish_non_exhaustive()
    }
}
