//! Montgomery multiplication by dot products of 16-bit lanes.
//!
//! With R = B^n and N the modulus, a product T = a·b is divided by R in three steps (Montgomery 1985, on whole numbers
//! instead of digit by digit): q = T·N' modulo R with N' = -1/N, then T + q·N, which R divides, then its upper half. So of
//! T·N' only the lower half is computed. Of T and of q·N the upper halves are computed at once, as sums of both, after the
//! lower half of T, and the two highest columns of that of q·N.
//!
//! n is such that N < R/4. With D and B of [`columns`](super::columns), whose digits bound every number of n digits by
//! D·(R - 1)/(B - 1) < 0.522·R:
//!
//! | value | bound | why |
//! |---|---|---|
//! | residue a, b | \|a\| < N | what is read is below N; below |
//! | T | \|T\| < N² < R²/16 | |
//! | q | \|q\| < 0.522·R | n digits, whichever they are |
//! | (T + q·N)/R | below N·(N/R + 0.522) < 0.772·N | |
//!
//! - **No digit is lost above.** A number of n digits and a carry c beyond them is c·R and at most 0.522·R of that. The
//!   result is below 0.2·R, so c = 0.
//! - **The carry out of the lower half is exact.** It has two parts. What T's columns carry goes on with the sums as it is.
//!   The digits that remain of T, and q·N, have lower halves whose sum is c·R. Without the columns below n - 2, which are
//!   below 320·D² + D < 5.9·10^9 each, the sum is off by less than 5.9·10^9·B^(n - 2)/(B - 1) < 0.011·R, so c is the
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
    Carry, DIGIT_BITS, MAX_STRIPS, NO_PAIRS, Pairs, Part, Rows, STRIP, Triangle, Words, highest_of_lower_half, narrow,
    words_of,
};
use super::modular::Montgomery;
use super::number::{Digits, bit_length, write_octets};

/// A number above -modulus and below modulus, in both forms of a factor.
#[derive(Clone, Debug)]
pub(super) struct Residue {
    pairs: Pairs,
    /// Pairs of twice the digits.
    doubled: Pairs,
    words: [Words; words_of(MAX_STRIPS)],
}

impl Residue {
    const ZERO: Self = Self { pairs: NO_PAIRS, doubled: NO_PAIRS, words: [Words::ZERO; words_of(MAX_STRIPS)] };

    /// The number with these digits.
    fn new(pairs: &Pairs, strips: usize) -> Self {
        let mut residue = Self { pairs: *pairs, ..Self::ZERO };
        for (doubled, pair) in residue.doubled.iter_mut().flatten().zip(pairs.as_flattened()) {
            *doubled = (pair << 1) & 0xffff | pair >> 16 << 17;
        }
        write_words(pairs, residue.words.get_mut(..words_of(strips)).unwrap_or_default());
        residue
    }

    fn words(&self, strips: usize) -> &[Words] {
        self.words.get(..words_of(strips)).unwrap_or_default()
    }
}

/// What is multiplied.
#[derive(Clone, Copy)]
enum Factors<'a> {
    Two { pairs: &'a Pairs, words: &'a [Words] },
    Twice { pairs: &'a Pairs, doubled: &'a Pairs, words: &'a [Words] },
}

impl<'a> Factors<'a> {
    /// What the product has in the columns of a strip.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a few slices")]
    fn part(self, strips: usize, strip: usize) -> (Part<'a>, Option<Triangle<'a>>) {
        match self {
            Self::Two { pairs, words } => (Part::product(pairs, words, strips, strip), None),
            Self::Twice { pairs, doubled, words } => {
                (Part::square(doubled, words, strips, strip), Triangle::square(pairs, words, strips, strip))
            }
        }
    }
}

/// The lower half of a product, and the quotient that makes it vanish.
#[derive(Debug)]
pub(super) struct Workspace {
    lower: Pairs,
    quotient: Pairs,
}

impl Default for Workspace {
    fn default() -> Self {
        Self { lower: NO_PAIRS, quotient: NO_PAIRS }
    }
}

/// An odd modulus.
#[derive(Debug)]
pub(super) struct Modulus {
    strips: usize,
    words: Box<[Words]>,
    /// Words of -1/modulus modulo R.
    negated_inverse: Box<[Words]>,
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
        size_of_val::<[Words]>(&self.words) + size_of_val::<[Words]>(&self.negated_inverse)
    }

    /// The product of the factors divided by R, modulo the modulus.
    fn product(&self, factors: Factors<'_>, product: &mut Residue, work: &mut Workspace) {
        let (strips, Workspace { lower, quotient }) = (self.strips, work);
        let mut carry = Carry::new(0);
        for (strip, pairs) in lower.as_chunks_mut::<2>().0.iter_mut().enumerate().take(strips) {
            let (part, triangle) = factors.part(strips, strip);
            carry.digits(&[part], triangle, pairs);
        }
        lower_half(lower, &self.negated_inverse, strips, 0, quotient);
        carry.add(self.carry_of_lower_half(quotient, lower));
        let mut writer = Writer::new(product, strips);
        for strip in strips..2 * strips {
            let (part, triangle) = factors.part(strips, strip);
            writer.push(&mut carry, &[part, Part::product(quotient, &self.words, strips, strip)], triangle);
        }
        writer.finish();
    }

    /// What the digits of the product and the columns of the quotient times the modulus carry from their lower halves into
    /// the upper ones. Together they are a multiple of R, and their two highest places say which.
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

    fn zero(&self) -> Residue {
        Residue::ZERO
    }

    fn read(&self, octets: &[u8]) -> Residue {
        Residue::new(&pairs(Digits::new(octets, DIGIT_BITS), self.strips), self.strips)
    }

    fn multiply(&self, a: &Residue, b: &Residue, product: &mut Residue, work: &mut Workspace) {
        self.product(Factors::Two { pairs: &a.pairs, words: b.words(self.strips) }, product, work);
    }

    fn square(&self, a: &Residue, product: &mut Residue, work: &mut Workspace) {
        let Residue { pairs, doubled, .. } = a;
        self.product(Factors::Twice { pairs, doubled, words: a.words(self.strips) }, product, work);
    }

    fn write(&self, residue: &Residue, octets: &mut [u8]) {
        let digits = residue.pairs.iter().flatten().flat_map(|pair| [pair << 16 >> 16, pair >> 16]);
        // Three are below the digits.
        let modulus = self.words.iter().rev().skip(3).flat_map(|words| words.even.lanes());
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
fn lower_half(a: &Pairs, b: &[Words], strips: usize, addend: i32, half: &mut Pairs) {
    let mut carry = Carry::new(addend);
    for (strip, pairs) in half.as_chunks_mut::<2>().0.iter_mut().enumerate().take(strips) {
        carry.digits(&[Part::product(a, b, strips, strip)], None, pairs);
    }
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
fn words(pairs: &Pairs, strips: usize) -> Box<[Words]> {
    let mut words = vec![Words::ZERO; words_of(strips)];
    write_words(pairs, &mut words);
    words.into_boxed_slice()
}

fn write_words(pairs: &Pairs, words: &mut [Words]) {
    let mut expansion = Expansion { digits: Lanes::ZERO, words: Lanes::ZERO };
    // Three are below the digits, and the pairs after the last ones are zero.
    let mut words = words.iter_mut().rev().skip(3);
    for rows in pairs {
        let [a, b, c, d] = rows.map(|pair| [pair << 16 >> 16, pair >> 16]);
        for digits in [Lanes::new([a[0], a[1], b[0], b[1]]), Lanes::new([c[0], c[1], d[0], d[1]])] {
            let Some(words) = words.next() else { return };
            *words = expansion.words(digits);
        }
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
    fn words(&mut self, digits: Lanes) -> Words {
        let even = digits.and(Lanes::splat(0xffff)).or(digits.after(self.digits).shl(16));
        let odd = even.after_two(self.words);
        (self.digits, self.words) = (digits, even);
        Words { even, odd }
    }
}

/// Writes a residue from its least significant digits up.
struct Writer<'a> {
    expansion: Expansion,
    pairs: core::slice::IterMut<'a, [Rows; 2]>,
    doubled: core::slice::IterMut<'a, [Rows; 2]>,
    words: core::iter::Rev<core::slice::IterMut<'a, [Words; 4]>>,
}

#[allow(clippy::inline_always, reason = "the digits are to stay in registers")]
impl<'a> Writer<'a> {
    #[inline(always)]
    fn new(residue: &'a mut Residue, strips: usize) -> Self {
        let words = residue.words.as_chunks_mut::<4>().0.get_mut(..=strips).unwrap_or_default().iter_mut().rev();
        let pairs = residue.pairs.as_chunks_mut::<2>().0.iter_mut();
        let doubled = residue.doubled.as_chunks_mut::<2>().0.iter_mut();
        Self { expansion: Expansion { digits: Lanes::ZERO, words: Lanes::ZERO }, pairs, doubled, words }
    }

    #[inline(always)]
    fn push(&mut self, carry: &mut Carry, parts: &[Part<'_>], triangle: Option<Triangle<'_>>) {
        if let (Some(pairs), Some(doubled), Some(words)) = (self.pairs.next(), self.doubled.next(), self.words.next()) {
            let digits = carry.digits(parts, triangle, pairs);
            *doubled = narrow(digits.map(|digits| digits.add(digits)));
            let [a, b, c, d] = digits.map(|digits| self.expansion.words(digits));
            *words = [d, c, b, a];
        }
    }

    /// The highest digit is in a word of its own too.
    #[inline(always)]
    fn finish(mut self) {
        if let Some([.., words]) = self.words.next() {
            *words = self.expansion.words(Lanes::ZERO);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All forms of a factor with these digits, as wide as there are digits.
    pub(in super::super) fn factor(digits: &[i32]) -> (Pairs, Pairs, Box<[Words]>) {
        let mut pairs = NO_PAIRS;
        for (pair, digits) in pairs.as_flattened_mut().iter_mut().zip(digits.as_chunks::<2>().0) {
            *pair = digits[0] & 0xffff | digits[1] << 16;
        }
        let strips = digits.len() / STRIP;
        let residue = Residue::new(&pairs, strips);
        (residue.pairs, residue.doubled, residue.words(strips).into())
    }

    pub(in super::super) fn digits_of(digits: [Lanes; 4]) -> Vec<i32> {
        digits.into_iter().flat_map(Lanes::lanes).collect()
    }
}
