//! Montgomery multiplication by dot products of 16-bit lanes.
//!
//! With R = B^n and N the modulus, a product T = a·b is divided by R in three steps (Montgomery 1985, on whole numbers
//! instead of digit by digit): q = T·N' modulo R with N' = -1/N, then T + q·N, which R divides, then its upper half. Of the
//! first product only the lower half is computed, of the second only the upper half and the two columns below it.
//!
//! n is such that N < R/4. With D and B of [`columns`](super::columns), whose digits bound every number of n digits by
//! D·(R - 1)/(B - 1) < 0.511·R:
//!
//! | value | bound | why |
//! |---|---|---|
//! | residue a, b | \|a\| < N | what is read is below N; below |
//! | T | \|T\| < N² < R²/16 | |
//! | q | \|q\| < 0.511·R | n digits, whichever they are |
//! | (T + q·N)/R | below N·(N/R + 0.511) < 0.761·N | |
//!
//! - **No digit is lost above.** A number of n (or 2n) digits and a carry c beyond them is c·R (or c·R²) and at most 0.511
//!   of that. It is below R/4 (or R²/16), so c = 0.
//! - **The carry out of the lower half is exact.** T and q·N have lower halves whose sum is c·R. Without the columns below
//!   n - 2, which are below 5.6·10^9 each, the sum is off by less than 5.6·10^9·B^(n - 2)/(B - 1) < 0.011·R, so c is the
//!   nearest integer.
//! - **q need not be the least one.** Any number that is T·N' modulo R does, and so does the one that its digits stand for
//!   when the carry beyond them is dropped.

#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "widths of digits as numbers of digits, and a carry that is below 2^20"
)]

use super::super::lanes::Lanes;
use super::columns::{
    Block, Carry, DIGIT_BITS, MAX_STRIPS, NO_PAIRS, Pairs, Rows, STRIP, blocks, highest_of_lower_half, product, square,
};
use super::modular::Montgomery;
use super::number::{Digits, bit_length, write_octets};

/// A number above -modulus and below modulus, in both forms of a factor.
#[derive(Clone, Debug)]
pub(super) struct Residue {
    pairs: Pairs,
    words: [Block; blocks(MAX_STRIPS)],
}

/// The halves of a product, and the quotient that makes its lower half vanish.
#[derive(Debug)]
pub(super) struct Workspace {
    lower: Pairs,
    upper: [[Lanes; 4]; MAX_STRIPS],
    quotient: Pairs,
}

impl Default for Workspace {
    fn default() -> Self {
        Self { lower: NO_PAIRS, upper: [[Lanes::ZERO; 4]; MAX_STRIPS], quotient: NO_PAIRS }
    }
}

/// An odd modulus.
#[derive(Debug)]
pub(super) struct Modulus {
    strips: usize,
    words: Box<[Block]>,
    /// Words of -1/modulus modulo R.
    negated_inverse: Box<[Block]>,
}

impl Modulus {
    /// That of an odd number of at most 4096 bits, big-endian without leading zeros.
    pub(super) fn new(octets: &[u8]) -> Self {
        let strips = (bit_length(octets) + 2).div_ceil(DIGIT_BITS as usize * STRIP).min(MAX_STRIPS);
        let words = words(&pairs(Digits::new(octets, DIGIT_BITS), strips), strips);
        // Newton's iteration doubles the number of correct bits; an odd number is its own inverse modulo 8.
        let lowest = Digits::new(octets, 32).next().unwrap_or_default();
        let inverse =
            (0..4).fold(lowest, |inverse, _| inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse))));
        let mut inverse = pairs(Digits::new(&inverse.wrapping_neg().to_be_bytes(), DIGIT_BITS), strips);
        // Of the 32 bits, all are correct. Negated, the step is x·(2 + modulus·x).
        let mut bits = 32;
        let mut negated_inverse = self::words(&inverse, strips);
        while bits < strips * STRIP * DIGIT_BITS as usize {
            let mut factor = NO_PAIRS;
            lower_half(&inverse, &words, strips, 2, &mut factor);
            lower_half(&factor, &negated_inverse, strips, 0, &mut inverse);
            negated_inverse = self::words(&inverse, strips);
            bits *= 2;
        }
        Self { strips, words, negated_inverse }
    }

    /// What it holds outside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val::<[Block]>(&self.words) + size_of_val::<[Block]>(&self.negated_inverse)
    }

    /// Makes `residue` into the product in the workspace, divided by R, modulo the modulus.
    #[inline]
    fn reduce(&self, residue: &mut Residue, work: &mut Workspace) {
        let (strips, Workspace { lower, upper, quotient }) = (self.strips, work);
        lower_half(lower, &self.negated_inverse, strips, 0, quotient);
        let mut carry = Carry::new(self.carry_of_lower_half(quotient, lower));
        let mut writer = Writer::new(residue, strips);
        for (strip, upper) in upper.iter().enumerate().take(strips) {
            writer.push(carry.digits(product(quotient, &self.words, strips, strips + strip, *upper)));
        }
        writer.finish();
    }

    /// What the lower halves of the product and of the quotient times the modulus carry into the upper halves. Together
    /// they are a multiple of R, and their two highest columns say which.
    fn carry_of_lower_half(&self, quotient: &Pairs, lower: &Pairs) -> i32 {
        let [second, first] = highest_of_lower_half(quotient, &self.words, self.strips);
        let digits = (2 * self.strips).checked_sub(1).and_then(|last| lower.get(last)).map_or(0, |half| half[3]);
        let (second, first) = (second + i64::from(digits << 16 >> 16), first + i64::from(digits >> 16));
        let sum = (first << DIGIT_BITS) + second;
        ((sum + (1 << (2 * DIGIT_BITS - 1))) >> (2 * DIGIT_BITS)) as i32
    }
}

impl Montgomery for Modulus {
    type Residue = Residue;
    type Workspace = Workspace;

    fn radix_bits(&self) -> usize {
        self.strips * STRIP * DIGIT_BITS as usize
    }

    fn read(&self, octets: &[u8]) -> Residue {
        let pairs = pairs(Digits::new(octets, DIGIT_BITS), self.strips);
        let mut residue = Residue { pairs, words: [Block::ZERO; blocks(MAX_STRIPS)] };
        write_words(&pairs, residue.words.get_mut(..blocks(self.strips)).unwrap_or_default());
        residue
    }

    fn multiply(&self, a: &mut Residue, b: &Residue, work: &mut Workspace) {
        let strips = self.strips;
        let words = b.words.get(..blocks(strips)).unwrap_or_default();
        let mut carry = Carry::new(0);
        for (strip, pairs) in work.lower.as_chunks_mut::<2>().0.iter_mut().enumerate().take(strips) {
            *pairs = narrow(carry.digits(product(&a.pairs, words, strips, strip, [Lanes::ZERO; 4])));
        }
        for (strip, digits) in work.upper.iter_mut().enumerate().take(strips) {
            *digits = carry.digits(product(&a.pairs, words, strips, strips + strip, [Lanes::ZERO; 4]));
        }
        self.reduce(a, work);
    }

    fn square(&self, a: &mut Residue, work: &mut Workspace) {
        let strips = self.strips;
        let words = a.words.get(..blocks(strips)).unwrap_or_default();
        let mut carry = Carry::new(0);
        for (strip, pairs) in work.lower.as_chunks_mut::<2>().0.iter_mut().enumerate().take(strips) {
            *pairs = narrow(carry.digits(square(&a.pairs, words, strips, strip)));
        }
        for (strip, digits) in work.upper.iter_mut().enumerate().take(strips) {
            *digits = carry.digits(square(&a.pairs, words, strips, strips + strip));
        }
        self.reduce(a, work);
    }

    fn write(&self, residue: &Residue, octets: &mut [u8]) {
        let digits = residue.pairs.iter().flatten().flat_map(|pair| [pair << 16 >> 16, pair >> 16]);
        let modulus = self.words.iter().rev().skip(1).flat_map(|block| block.even).flat_map(Lanes::lanes);
        let negative = digits.clone().fold(0, |carry, digit| (carry + digit) >> DIGIT_BITS) < 0;
        let mut carry = 0;
        let digits = digits.zip(modulus).map(|(digit, word)| {
            let sum = carry + digit + if negative { word << 16 >> 16 } else { 0 };
            carry = sum >> DIGIT_BITS;
            (sum & ((1 << DIGIT_BITS) - 1)).unsigned_abs()
        });
        write_octets(digits, DIGIT_BITS, octets);
    }
}

/// A product's lower half plus a small number, modulo R.
#[inline]
fn lower_half(a: &Pairs, b: &[Block], strips: usize, addend: i32, half: &mut Pairs) {
    let mut carry = Carry::new(addend);
    for (strip, pairs) in half.as_chunks_mut::<2>().0.iter_mut().enumerate().take(strips) {
        *pairs = narrow(carry.digits(product(a, b, strips, strip, [Lanes::ZERO; 4])));
    }
}

/// Digits as pairs.
#[inline]
fn narrow([a, b, c, d]: [Lanes; 4]) -> [Rows; 2] {
    [a.narrow(b).lanes(), c.narrow(d).lanes()]
}

/// A number as signed digits.
fn pairs(mut digits: Digits<'_>, strips: usize) -> Pairs {
    let mut pairs = NO_PAIRS;
    let mut carry = 0;
    let mut digit = || {
        let sum = carry + digits.next().map_or(0, u32::cast_signed);
        carry = (sum + (1 << (DIGIT_BITS - 1))) >> DIGIT_BITS;
        sum - (carry << DIGIT_BITS)
    };
    for pair in pairs.iter_mut().take(2 * strips).flatten() {
        *pair = digit() & 0xffff | digit() << 16;
    }
    pairs
}

/// Words from pairs, with the zeros below and above.
fn words(pairs: &Pairs, strips: usize) -> Box<[Block]> {
    let mut words = vec![Block::ZERO; blocks(strips)];
    write_words(pairs, &mut words);
    words.into_boxed_slice()
}

fn write_words(pairs: &Pairs, words: &mut [Block]) {
    let mut expansion = Expansion { digits: Lanes::ZERO, words: Lanes::ZERO };
    for (block, rows) in words.iter_mut().rev().skip(1).zip(pairs) {
        let [a, b, c, d] = rows.map(|pair| [pair << 16 >> 16, pair >> 16]);
        *block = expansion.block([Lanes::new([a[0], a[1], b[0], b[1]]), Lanes::new([c[0], c[1], d[0], d[1]])]);
    }
}

/// Makes words of digits, from the least significant up.
struct Expansion {
    digits: Lanes,
    words: Lanes,
}

#[allow(clippy::inline_always, reason = "the digits are to stay in registers")]
impl Expansion {
    #[inline(always)]
    fn block(&mut self, digits: [Lanes; 2]) -> Block {
        let mut block = Block::ZERO;
        for ((even, odd), digits) in block.even.iter_mut().zip(&mut block.odd).zip(digits) {
            let words = digits.and(Lanes::splat(0xffff)).or(digits.after(self.digits).shl(16));
            (*even, *odd) = (words, words.after_two(self.words));
            (self.digits, self.words) = (digits, words);
        }
        block
    }
}

/// Writes a residue from its least significant digits up.
struct Writer<'a> {
    expansion: Expansion,
    pairs: core::slice::IterMut<'a, [Rows; 2]>,
    words: core::iter::Rev<core::slice::IterMut<'a, [Block; 2]>>,
}

#[allow(clippy::inline_always, reason = "the digits are to stay in registers")]
impl<'a> Writer<'a> {
    #[inline(always)]
    fn new(residue: &'a mut Residue, strips: usize) -> Self {
        let words = residue.words.as_chunks_mut::<2>().0.get_mut(..=strips).unwrap_or_default().iter_mut().rev();
        let pairs = residue.pairs.as_chunks_mut::<2>().0.iter_mut();
        Self { expansion: Expansion { digits: Lanes::ZERO, words: Lanes::ZERO }, pairs, words }
    }

    #[inline(always)]
    fn push(&mut self, digits: [Lanes; 4]) {
        if let (Some(pairs), Some(words)) = (self.pairs.next(), self.words.next()) {
            *pairs = narrow(digits);
            let [a, b, c, d] = digits;
            let lower = self.expansion.block([a, b]);
            *words = [self.expansion.block([c, d]), lower];
        }
    }

    #[inline(always)]
    fn finish(mut self) {
        if let Some(words) = self.words.next() {
            *words = [Block::ZERO, self.expansion.block([Lanes::ZERO; 2])];
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Both forms of a factor with these digits, as wide as there are digits.
    pub(in super::super) fn factor(digits: &[i32]) -> (Pairs, Box<[Block]>) {
        let mut pairs = NO_PAIRS;
        for (pair, digits) in pairs.as_flattened_mut().iter_mut().zip(digits.as_chunks::<2>().0) {
            *pair = digits[0] & 0xffff | digits[1] << 16;
        }
        let words = words(&pairs, digits.len() / STRIP);
        (pairs, words)
    }

    pub(in super::super) fn digits_of(digits: [Lanes; 4]) -> Vec<i32> {
        digits.into_iter().flat_map(Lanes::lanes).collect()
    }
}
