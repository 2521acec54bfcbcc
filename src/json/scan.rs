//! The scanner: one recursive descent over the text (RFC 8259), with the depth bounded so that no input can exhaust
//! the stack. It checks; it decodes member names only where an escape makes that necessary.

use std::borrow::Cow;

use crate::names::repeated;

use super::{Fault, MAX_DEPTH, Object, Raw};

/// Up to this many members, comparing each pair is quicker than sorting.
const PAIRWISE: usize = 12;

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// A scanner for a whole text, which must not begin with a byte order mark (RFC 8259 section 8.1).
    pub(super) fn at_start(text: &'a str) -> Result<Self, Fault> {
        if text.starts_with('\u{feff}') { Err(Fault::ByteOrderMark) } else { Ok(Self::new(text)) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn slice(&self, from: usize) -> Result<&'a str, Fault> {
        self.text.get(from..self.at).ok_or(Fault::Syntax)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Nothing but white space may follow the value.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.peek().is_none() { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Checks one value, white space before it allowed, and gives its text.
    pub(super) fn value(&mut self, depth: usize) -> Result<&'a str, Fault> {
        self.skip_space();
        let from = self.at;
        match self.peek() {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{') => {
                self.members(depth)?;
            }
            Some(b'[') => self.each_element(depth, |_| ())?,
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            _ => self.number()?,
        }
        self.slice(from)
    }

    /// Checks one value and gives it with its members when it is an object, in one pass over the text.
    pub(super) fn object(&mut self) -> Result<Option<Object<'a>>, Fault> {
        self.skip_space();
        let from = self.at;
        if self.peek() != Some(b'{') {
            return self.value(0).map(|_| None);
        }
        let members = self.members(0)?;
        Ok(Some(Object { text: self.slice(from)?, members }))
    }

    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Fault::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    // RFC 8259 section 6
    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Checks a string (RFC 8259 section 7) and gives what stands between the quotes, unescaped.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let from = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                None | Some(0..0x20) => return Err(Fault::Syntax),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        let inner = self.slice(from)?;
        self.at += 1;
        if escaped { unescape(inner) } else { Ok(Cow::Borrowed(inner)) }
    }

    /// Checks an array and gives the text of its elements.
    pub(super) fn elements(&mut self, depth: usize) -> Result<Vec<Raw<'a>>, Fault> {
        let mut elements = Vec::new();
        self.each_element(depth, |text| elements.push(Raw(text)))?;
        Ok(elements)
    }

    fn each_element(&mut self, depth: usize, mut found: impl FnMut(&'a str)) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.expect(b'[')?;
        self.skip_space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            found(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Checks an object, gives its members and refuses a name that stands twice.
    pub(super) fn members(&mut self, depth: usize) -> Result<Vec<(Cow<'a, str>, Raw<'a>)>, Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        let mut members = Vec::new();
        self.expect(b'{')?;
        self.skip_space();
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            members.push((name, Raw(self.value(depth + 1)?)));
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
        }
        if has_duplicate(&members) { Err(Fault::Duplicate) } else { Ok(members) }
    }
}

/// Names are compared unescaped, so `"exp"` and `"\u0065xp"` are the same (RFC 8259 section 8.3).
fn has_duplicate(members: &[(Cow<'_, str>, Raw<'_>)]) -> bool {
    if members.len() <= PAIRWISE {
        return members.iter().enumerate().any(|(i, (name, _))| members.iter().take(i).any(|(other, _)| other == name));
    }
    // A hostile object of thousands of members must not cost their square.
    !repeated(members.iter().map(|(name, _)| name.as_ref()).collect()).is_empty()
}

/// Undoes the escapes of RFC 8259 section 7 in what stands between the quotes of a string.
pub(super) fn unescape(inner: &str) -> Result<Cow<'_, str>, Fault> {
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => unicode_escape(&mut chars)?,
            _ => return Err(Fault::Syntax),
        });
    }
    Ok(Cow::Owned(out))
}

fn unicode_escape(chars: &mut core::str::Chars<'_>) -> Result<char, Fault> {
    let unit = hex4(chars)?;
    if !(0xd800..0xe000).contains(&unit) {
        return char::from_u32(unit).ok_or(Fault::LoneSurrogate);
    }
    let paired = unit < 0xdc00 && chars.next() == Some('\\') && chars.next() == Some('u');
    if !paired {
        return Err(Fault::LoneSurrogate);
    }
    let low = hex4(chars)?;
    if !(0xdc00..0xe000).contains(&low) {
        return Err(Fault::LoneSurrogate);
    }
    char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or(Fault::LoneSurrogate)
}

fn hex4(chars: &mut core::str::Chars<'_>) -> Result<u32, Fault> {
    let mut value = 0;
    for _ in 0..4 {
        let digit = chars.next().and_then(|c| c.to_digit(16)).ok_or(Fault::Syntax)?;
        value = value * 16 + digit;
    }
    Ok(value)
}
