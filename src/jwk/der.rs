//! A reader of DER (X.690), as much of it as keys and certificates need: single-byte tags, definite and minimal
//! lengths, nothing left over. It borrows its input, allocates nothing and recurses nowhere.

/// Why a structure could not be read. Where it happened does not matter to anybody who is given the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag of a context-specific element (X.690 section 8.1.2.2).
pub(super) const fn context(number: u8, constructed: bool) -> u8 {
    0x80 | number | if constructed { 0x20 } else { 0 }
}

/// What is left of a sequence of elements.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// The whole input must be one sequence; its elements.
    pub(super) fn only_sequence(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Self(der);
        let inner = outer.sequence()?;
        outer.end()?;
        Ok(inner)
    }

    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// Whether an element of that tag comes next.
    pub(super) fn is_next(self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The content of the next element, which must have that tag.
    pub(super) fn element(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        let (&found, rest) = self.0.split_first().ok_or(Malformed)?;
        if found != tag {
            return Err(Malformed);
        }
        let (length, rest) = read_length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(content)
    }

    /// The content of the next element if it has that tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Malformed> {
        if self.is_next(tag) { self.element(tag).map(Some) } else { Ok(None) }
    }

    pub(super) fn sequence(&mut self) -> Result<Self, Malformed> {
        self.element(SEQUENCE).map(Self)
    }

    /// A positive integer, big-endian without leading zeros (X.690 section 8.3: two's complement in the fewest octets).
    pub(super) fn positive_integer(&mut self) -> Result<&'a [u8], Malformed> {
        match self.element(INTEGER)? {
            [0, rest @ ..] if matches!(rest, [0x80..=0xff, ..]) => Ok(rest),
            content @ [1..=0x7f, ..] => Ok(content),
            _ => Err(Malformed),
        }
    }

    /// The version of a structure: an integer of one octet.
    pub(super) fn version(&mut self) -> Result<u8, Malformed> {
        match self.element(INTEGER)? {
            [version @ 0..=0x7f] => Ok(*version),
            _ => Err(Malformed),
        }
    }

    /// A string of whole octets in a BIT STRING.
    pub(super) fn bit_string(&mut self) -> Result<&'a [u8], Malformed> {
        whole_octets(self.element(BIT_STRING)?)
    }
}

/// The octets of a BIT STRING's content, of which no bit may be unused (X.690 section 8.6.2).
pub(super) fn whole_octets(content: &[u8]) -> Result<&[u8], Malformed> {
    content.strip_prefix(&[0]).ok_or(Malformed)
}

/// A length in the fewest octets (X.690 section 10.1). Two octets suffice for the longest text that is read.
fn read_length(input: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    match input {
        [length @ 0..=0x7f, rest @ ..] | [0x81, length @ 0x80..=0xff, rest @ ..] => Ok((usize::from(*length), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, der: &[u8]) -> Result<&[u8], Malformed> {
        let mut reader = Reader::new(der);
        let content = reader.element(tag)?;
        reader.end()?;
        Ok(content)
    }

    // X.690 section 10.1
    #[test]
    fn a_length_has_one_encoding() {
        let long: Vec<u8> = [&[0x04, 0x81, 0x80][..], &[7; 0x80]].concat();
        assert_eq!(element(OCTET_STRING, &long), Ok(&[7; 0x80][..]));
        let longer: Vec<u8> = [&[0x04, 0x82, 0x01, 0x00][..], &[7; 0x100]].concat();
        assert_eq!(element(OCTET_STRING, &longer), Ok(&[7; 0x100][..]));
        for wrong in [
            &[0x04][..],
            &[0x04, 0x01],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x81, 0x01, 0x07],
            &[0x04, 0x82, 0x00, 0x01, 0x07],
            &[0x04, 0x83, 0x00, 0x00, 0x01, 0x07],
            &[0x04, 0xff, 0x07],
            &[0x04, 0x01, 0x07, 0x00],
            &[0x05, 0x01, 0x07],
        ] {
            assert_eq!(element(OCTET_STRING, wrong), Err(Malformed), "{wrong:02x?}");
        }
    }

    // X.690 section 8.3.2
    #[test]
    fn an_integer_is_positive_and_minimal() {
        let integer = |der: &'static [u8]| Reader::new(der).positive_integer();
        assert_eq!(integer(&[2, 1, 1]), Ok(&[1][..]));
        assert_eq!(integer(&[2, 2, 0, 0x80]), Ok(&[0x80][..]));
        for wrong in [&[2, 0][..], &[2, 1, 0], &[2, 1, 0x80], &[2, 2, 0, 0x7f], &[2, 2, 0xff, 0x80]] {
            assert_eq!(integer(wrong), Err(Malformed), "{wrong:02x?}");
        }
    }

    // X.690 section 8.6.2
    #[test]
    fn a_bit_string_with_unused_bits_is_no_key() {
        assert_eq!(Reader::new(&[3, 2, 0, 9]).bit_string(), Ok(&[9][..]));
        for wrong in [&[3, 0][..], &[3, 2, 1, 8]] {
            assert_eq!(Reader::new(wrong).bit_string(), Err(Malformed), "{wrong:02x?}");
        }
    }
}
