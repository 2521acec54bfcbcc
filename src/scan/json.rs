//! Strict JSON, checked in one pass over the text: one recursive descent (RFC 8259), with the depth bounded so that no
//! input can exhaust the stack.
//!
//! It checks everything below the value that the text is, and says where the children of that one value stand. Nothing is
//! decoded. A text that is checked often with the same [`Scanner`] costs no allocation: the names of objects that are
//! still open stand in a list that is kept. Only a name with an escape in it is copied.

use core::cmp::Ordering;
use core::ops::Range;
use core::str::Chars;

use crate::lanes::{Lanes, WIDTH};

/// Arrays and objects may stand within one another this deep.
pub const MAX_DEPTH: usize = 32;

/// Up to this many members, comparing each pair is quicker than sorting.
const PAIRWISE: usize = 16;

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

/// A member of an object or an element of an array, by its place in the text.
#[derive(Clone, Debug)]
pub struct Child {
    /// What stands between the quotes of a member's name; empty for an element.
    pub name: Range<usize>,
    /// Whether an escape stands in the name.
    pub escaped: bool,
    /// The value.
    pub value: Range<usize>,
}

/// Checks texts.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// The names of the objects that are open, those of the innermost last.
    names: Vec<Name>,
}

/// The name of a member, and what tells most names apart at a glance.
#[derive(Clone, Debug)]
struct Name {
    place: Range<usize>,
    escaped: bool,
    /// The same for the same name, however it is spelt.
    print: u32,
}

impl Scanner {
    /// Checks a whole text, which is one value and white space around it. `children` is filled with the children of the
    /// value, in the order in which they stand.
    ///
    /// # Errors
    /// The first [`Fault`] met, but never [`Fault::Utf8`], [`Fault::NumberRange`] or [`Fault::NotObject`].
    pub fn check(&mut self, text: &str, children: &mut Vec<Child>) -> Result<Range<usize>, Fault> {
        children.clear();
        self.names.clear();
        if text.starts_with('\u{feff}') {
            return Err(Fault::ByteOrderMark);
        }
        let mut pass = Pass { text, bytes: text.as_bytes(), at: 0, names: &mut self.names };
        let value = pass.value(0, Some(children))?;
        pass.skip_space();
        if pass.peek().is_none() { Ok(value) } else { Err(Fault::Syntax) }
    }
}

/// One pass over a text.
struct Pass<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    names: &'t mut Vec<Name>,
}

impl Pass<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Checks one value, white space before it allowed, and gives its place. Its children are told, if somebody asks.
    fn value(&mut self, depth: usize, children: Option<&mut Vec<Child>>) -> Result<Range<usize>, Fault> {
        self.skip_space();
        let from = self.at;
        match self.peek() {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{') => self.members(depth, children)?,
            Some(b'[') => self.elements(depth, children)?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => self.number()?,
        }
        Ok(from..self.at)
    }

    #[inline]
    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
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

    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Checks a string (RFC 8259 section 7). Gives the place of what stands between the quotes, and whether an escape is
    /// in it.
    #[inline]
    fn string(&mut self) -> Result<(Range<usize>, bool), Fault> {
        self.expect(b'"')?;
        let from = self.at;
        let mut escaped = false;
        loop {
            if let Some(block) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<WIDTH>) {
                let block = Lanes::load(block);
                // A quote, a backslash or a control character.
                let stops = block.equal(34).or(block.equal(92)).or(block.below(0x20)).bits();
                if stops == 0 {
                    self.at += WIDTH;
                    continue;
                }
                self.at += usize::try_from(stops.trailing_zeros()).unwrap_or_default();
            }
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
        let inner = from..self.at;
        self.at += 1;
        if escaped {
            Unescaped::new(self.text.get(inner.clone()).ok_or(Fault::Syntax)?).try_for_each(|c| c.map(drop))?;
        }
        Ok((inner, escaped))
    }

    fn elements(&mut self, depth: usize, mut children: Option<&mut Vec<Child>>) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.expect(b'[')?;
        self.skip_space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            let value = self.value(depth + 1, None)?;
            if let Some(children) = &mut children {
                children.push(Child { name: 0..0, escaped: false, value });
            }
            self.skip_space();
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Checks an object, and that no name stands twice in it.
    fn members(&mut self, depth: usize, mut children: Option<&mut Vec<Child>>) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.expect(b'{')?;
        self.skip_space();
        if self.take(b'}') {
            return Ok(());
        }
        let outer = self.names.len();
        loop {
            self.skip_space();
            let (name, escaped) = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            let print = self.print(&name, escaped);
            self.names.push(Name { place: name.clone(), escaped, print });
            let value = self.value(depth + 1, None)?;
            if let Some(children) = &mut children {
                children.push(Child { name, escaped, value });
            }
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
        }
        let duplicate = has_duplicate(self.text, self.names.get_mut(outer..).unwrap_or_default());
        self.names.truncate(outer);
        if duplicate { Err(Fault::Duplicate) } else { Ok(()) }
    }

    #[inline]
    fn print(&self, name: &Range<usize>, escaped: bool) -> u32 {
        if escaped {
            return print(unescaped(self.text, name).collect::<String>().as_bytes());
        }
        print(self.bytes.get(name.clone()).unwrap_or_default())
    }
}

/// A number that differs for most names: of their length and their ends.
#[inline]
fn print(name: &[u8]) -> u32 {
    let ends = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => u32::from_le_bytes(*first) ^ u32::from_le_bytes(*last).rotate_left(12),
        _ => name.iter().fold(0, |ends, byte| ends << 8 | u32::from(*byte)),
    };
    ends ^ u32::try_from(name.len()).unwrap_or_default().rotate_left(24)
}

/// Names are compared unescaped, so `"exp"` and `"\u0065xp"` are the same (RFC 8259 section 8.3).
fn has_duplicate(text: &str, names: &mut [Name]) -> bool {
    if names.len() <= PAIRWISE {
        let mut rest = &*names;
        while let [name, others @ ..] = rest {
            if others.iter().any(|other| other.print == name.print && order(text, other, name).is_eq()) {
                return true;
            }
            rest = others;
        }
        return false;
    }
    // A hostile object of thousands of members must not cost their square.
    sort(text, names);
    names.windows(2).any(|pair| matches!(pair, [one, next] if order(text, one, next).is_eq()))
}

/// Heapsort (Williams 1964): it needs no memory, and no order of the names makes it slow.
fn sort(text: &str, names: &mut [Name]) {
    for root in (0..names.len() / 2).rev() {
        sift(text, names, root);
    }
    for end in (1..names.len()).rev() {
        names.swap(0, end);
        sift(text, names.get_mut(..end).unwrap_or_default(), 0);
    }
}

/// Lets the name at `root` sink until none of its two children is greater.
fn sift(text: &str, heap: &mut [Name], mut root: usize) {
    loop {
        let mut greatest = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if let (Some(name), Some(other)) = (heap.get(child), heap.get(greatest))
                && order(text, name, other).is_gt()
            {
                greatest = child;
            }
        }
        if greatest == root {
            return;
        }
        heap.swap(root, greatest);
        root = greatest;
    }
}

/// The order of two names by their characters, which is that of their bytes.
fn order(text: &str, one: &Name, other: &Name) -> Ordering {
    if one.escaped || other.escaped {
        return unescaped(text, &one.place).cmp(unescaped(text, &other.place));
    }
    text.get(one.place.clone()).cmp(&text.get(other.place.clone()))
}

fn unescaped<'t>(text: &'t str, place: &Range<usize>) -> impl Iterator<Item = char> + use<'t> {
    Unescaped::new(text.get(place.clone()).unwrap_or_default()).map_while(Result::ok)
}

/// The characters that stand between the quotes of a string, with the escapes of RFC 8259 section 7 undone.
#[derive(Clone, Debug)]
pub struct Unescaped<'t>(Chars<'t>);

impl<'t> Unescaped<'t> {
    /// The characters of what stands between the quotes.
    #[must_use]
    pub fn new(inner: &'t str) -> Self {
        Self(inner.chars())
    }

    // Four digits.
    fn unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.0.next().and_then(|c| c.to_digit(16)).ok_or(Fault::Syntax)?;
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }

    fn character(&mut self) -> Result<char, Fault> {
        let unit = self.unit()?;
        if !(0xd800..0xe000).contains(&unit) {
            return char::from_u32(unit).ok_or(Fault::LoneSurrogate);
        }
        let paired = unit < 0xdc00 && self.0.next() == Some('\\') && self.0.next() == Some('u');
        if !paired {
            return Err(Fault::LoneSurrogate);
        }
        let low = self.unit()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(Fault::LoneSurrogate);
        }
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or(Fault::LoneSurrogate)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = Result<char, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.0.next()?;
        if first != '\\' {
            return Some(Ok(first));
        }
        Some(match self.0.next() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.character(),
            _ => Err(Fault::Syntax),
        })
    }
}

#[cfg(test)]
mod tests;
