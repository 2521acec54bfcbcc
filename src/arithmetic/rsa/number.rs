//! Numbers as big-endian octets, and as digits of a few bits with the least significant first.

/// The bits of a word here.
const WORD_BITS: usize = 32;

/// The digits of a number, least significant first, and zeros after them without end.
pub(super) struct Digits<'a> {
    octets: &'a [u8],
    /// Bits that were read and not given yet, and how many they are.
    buffer: u64,
    bits: u32,
    width: u32,
}

impl<'a> Digits<'a> {
    /// Those of a big-endian number, each of `width` bits, at most 32.
    pub(super) const fn new(octets: &'a [u8], width: u32) -> Self {
        Self { octets, buffer: 0, bits: 0, width }
    }
}

impl Iterator for Digits<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.bits < self.width {
            let (rest, word) = match self.octets.split_last_chunk::<4>() {
                Some((rest, word)) => (rest, u32::from_be_bytes(*word)),
                None => (&[][..], self.octets.iter().fold(0, |word, octet| word << 8 | u32::from(*octet))),
            };
            self.octets = rest;
            self.buffer |= u64::from(word) << self.bits;
            self.bits += 32;
        }
        let digit = self.buffer & ((1 << self.width) - 1);
        self.buffer >>= self.width;
        self.bits -= self.width;
        u32::try_from(digit).ok()
    }
}

/// Writes a number as big-endian octets, as many as there is room for. The digits have `width` bits each.
pub(super) fn write_octets(digits: impl IntoIterator<Item = u32>, width: u32, octets: &mut [u8]) {
    let (mut buffer, mut bits) = (0_u64, 0);
    let mut words = octets.rchunks_mut(4);
    for digit in digits {
        buffer |= u64::from(digit) << bits;
        bits += width;
        if bits >= 32 {
            let Some(word) = words.next() else { return };
            write_word(buffer, word);
            buffer >>= 32;
            bits -= 32;
        }
    }
    for word in words {
        write_word(buffer, word);
        buffer >>= 32;
    }
}

/// Writes the lowest octets of a number, four or fewer.
fn write_word(number: u64, octets: &mut [u8]) {
    for (octet, byte) in octets.iter_mut().rev().zip(number.to_le_bytes()) {
        *octet = byte;
    }
}

/// The bits of a number without leading zero octets.
pub(super) fn bit_length(octets: &[u8]) -> usize {
    let unused = octets.first().map_or(0, |first| first.leading_zeros());
    (8 * octets.len()).saturating_sub(usize::try_from(unused).unwrap_or_default())
}

/// 2^exponent modulo a modulus without leading zero octets, in as many octets. It takes one doubling for each bit by
/// which the exponent reaches beyond the modulus.
pub(super) fn power_of_two(modulus: &[u8], exponent: usize) -> Vec<u8> {
    let words: Vec<u32> = Digits::new(modulus, 32).take(modulus.len().div_ceil(4)).collect();
    // The top bit of the modulus alone is below the modulus, unless that is a power of two, which no odd one is.
    let top = bit_length(modulus).saturating_sub(1).min(exponent);
    let mut power = vec![0_u32; words.len()];
    if let Some(word) = power.get_mut(top / WORD_BITS) {
        *word = 1 << (top % WORD_BITS);
    }
    for _ in top..exponent {
        double(&mut power, &words);
    }
    let mut octets = vec![0; modulus.len()];
    write_octets(power, 32, &mut octets);
    octets
}

/// Twice a number below the modulus, modulo the modulus.
fn double(number: &mut [u32], modulus: &[u32]) {
    let mut carry = 0;
    for word in number.iter_mut() {
        let doubled = *word << 1 | carry;
        carry = *word >> (WORD_BITS - 1);
        *word = doubled;
    }
    if carry != 0 || number.iter().rev().ge(modulus.iter().rev()) {
        let mut borrow = false;
        for (word, subtrahend) in number.iter_mut().zip(modulus) {
            (*word, borrow) = borrowing_sub(*word, *subtrahend, borrow);
        }
    }
}

fn borrowing_sub(minuend: u32, subtrahend: u32, borrow: bool) -> (u32, bool) {
    let (difference, first) = minuend.overflowing_sub(subtrahend);
    let (difference, second) = difference.overflowing_sub(u32::from(borrow));
    (difference, first || second)
}
