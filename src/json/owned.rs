//! A checked object together with its text, for values that outlive the buffer they were read from.

use core::fmt;
use std::borrow::Cow;

use waxseal_scan::json::Scanner;

use super::{Child, Fault, Raw, check_object, is_named, named};

/// A checked JSON object that owns its text and remembers where its members stand. Its `Debug` shows no content.
#[derive(Clone)]
pub struct OwnedObject {
    text: String,
    members: Vec<Child>,
}

/// What reading an object needs, to be used again for the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    scanner: Scanner,
    members: Vec<Child>,
}

impl Buffers {
    /// A member of the object that some bytes are, if they are one.
    pub(crate) fn member<'t>(&mut self, bytes: &'t [u8], name: &str) -> Option<Raw<'t>> {
        let text = core::str::from_utf8(bytes).ok()?;
        check_object(text, &mut self.scanner, &mut self.members).ok()?;
        let member = self.members.iter().find(|member| is_named(text, member, name))?;
        Some(Raw::at(text, member.value.clone()))
    }

    /// Fills `elements` with the elements of an array.
    pub(crate) fn elements(&mut self, array: Raw<'_>, elements: &mut Vec<Child>) {
        // It has been checked before.
        if self.scanner.check(array.text(), elements).is_err() {
            elements.clear();
        }
    }
}

impl OwnedObject {
    /// Checks a whole text as [`parse_object`](super::parse_object) does and keeps it.
    ///
    /// # Errors
    /// The first [`Fault`] met.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        Self::parse_in(bytes, &mut Buffers::default())
    }

    /// As [`parse`](Self::parse), with buffers that were used before.
    pub(crate) fn parse_in(bytes: Vec<u8>, buffers: &mut Buffers) -> Result<Self, Fault> {
        let text = String::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
        check_object(&text, &mut buffers.scanner, &mut buffers.members)?;
        Ok(Self { text, members: core::mem::take(&mut buffers.members) })
    }

    /// Gives the buffers back, and the bytes that were read.
    pub(crate) fn into_bytes(self, buffers: &mut Buffers) -> Vec<u8> {
        buffers.members = self.members;
        self.text.into_bytes()
    }

    /// The object as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Raw<'_>> {
        let member = self.members.iter().find(|member| is_named(&self.text, member, name))?;
        Some(Raw::at(&self.text, member.value.clone()))
    }

    /// The members in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Raw<'_>)> {
        named(&self.text, &self.members)
    }
}

impl fmt::Debug for OwnedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedObject").field("members", &self.members.len()).finish_non_exhaustive()
    }
}
