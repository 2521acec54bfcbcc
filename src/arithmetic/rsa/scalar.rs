//! Montgomery multiplication with one product at a time, for machines and builds without SIMD.
//!
//! A number is `length` limbs of 28 bits, the least significant first, and R is 2^(28·length), chosen so that
//! R > 4·modulus. Products are formed column by column ("product scanning"; Koç, Acar, Kaliski: "Analyzing and Comparing
//! Montgomery Multiplication Algorithms", 1996) in a sum of 64 bits, which is the widest that WebAssembly adds.
//!
//! | value | bound | why |
//! |---|---|---|
//! | residue | below 2·modulus | a·b/R + modulus < 4·modulus²/R + modulus (Walter, "Montgomery exponentiation needs no final subtractions", 1999) |
//! | limb | below 2^28 | masked |
//! | length | at most 147 | 28·147 = 4116 ≥ 4096 + 2 |
//! | column | at most 147·(2^28 - 1)² + 2^28 + carry < 2^64 | 147/256 of 2^64, and a carry is below 2^36 |
//!
//! In a square the products off the diagonal are summed once and doubled: the column is the same number.

#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "what is cut off is masked away or carried"
)]

use super::modular::Montgomery;
use super::number::{Digits, bit_length, write_octets};

/// The bits of a limb.
const LIMB_BITS: u32 = 28;
const MASK: u64 = (1 << LIMB_BITS) - 1;

/// The limbs of a modulus of 4096 bits and of the two bits above it.
const MAX_LIMBS: usize = 147;

/// A number below twice the modulus; limbs from the modulus's length on are zero.
#[derive(Clone, Debug)]
pub(super) struct Residue([u32; MAX_LIMBS]);

/// An odd modulus.
#[derive(Debug)]
pub(super) struct Modulus {
    limbs: Box<[u32]>,
    /// The most significant first, so that a column's factors are both read upwards.
    reversed: Box<[u32]>,
    /// -1/modulus modulo 2^28.
    negated_inverse: u32,
}

impl Modulus {
    /// That of an odd number of at most 4096 bits, big-endian without leading zeros.
    pub(super) fn new(octets: &[u8]) -> Self {
        let length = (bit_length(octets) + 2).div_ceil(LIMB_BITS as usize).min(MAX_LIMBS);
        let limbs: Box<[u32]> = Digits::new(octets, LIMB_BITS).take(length).collect();
        let reversed = limbs.iter().rev().copied().collect();
        let lowest = limbs.first().copied().unwrap_or_default();
        // Newton's iteration doubles the number of correct bits; an odd number is its own inverse modulo 8.
        let inverse =
            (0..4).fold(lowest, |inverse, _| inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse))));
        Self { limbs, reversed, negated_inverse: inverse.wrapping_neg() }
    }

    /// What it holds outside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val::<[u32]>(&self.limbs) + size_of_val::<[u32]>(&self.reversed)
    }

    /// Half of the columns of a product, each once: that of a and of `reversed`, which is b from the top down.
    fn column(a: &[u32], reversed: &[u32], column: usize) -> u64 {
        let length = a.len();
        if column < length {
            sum_of_products(part(a, 0, column + 1), part(reversed, length - 1 - column, length))
        } else {
            sum_of_products(part(a, column + 1 - length, length), part(reversed, 0, length))
        }
    }

    /// The number that is `columns`, divided by R, modulo the modulus.
    fn reduce(&self, columns: &[u32; 2 * MAX_LIMBS]) -> Residue {
        let length = self.limbs.len();
        let (low, high) = columns.split_at_checked(length).unwrap_or_default();
        let lowest = self.limbs.first().copied().unwrap_or_default();
        let mut quotient = [0; MAX_LIMBS];
        let mut carry = 0;
        for (k, limb) in low.iter().enumerate() {
            // The limb of the quotient for this column is still zero.
            let sum = u64::from(*limb)
                + carry
                + sum_of_products(part(&quotient, 0, k), part(&self.reversed, length - 1 - k, length));
            let factor = (sum as u32).wrapping_mul(self.negated_inverse) & MASK as u32;
            if let Some(limb) = quotient.get_mut(k) {
                *limb = factor;
            }
            carry = (sum + u64::from(factor) * u64::from(lowest)) >> LIMB_BITS;
        }
        let mut residue = Residue([0; MAX_LIMBS]);
        for ((k, limb), result) in high.iter().enumerate().zip(&mut residue.0).take(length) {
            let sum = u64::from(*limb) + carry + sum_of_products(part(&quotient, k + 1, length), &self.reversed);
            *result = (sum & MASK) as u32;
            carry = sum >> LIMB_BITS;
        }
        residue
    }
}

impl Montgomery for Modulus {
    type Residue = Residue;
    type Workspace = ();

    fn radix_bits(&self) -> usize {
        self.limbs.len() * LIMB_BITS as usize
    }

    fn zero(&self) -> Residue {
        Residue([0; MAX_LIMBS])
    }

    fn read(&self, octets: &[u8]) -> Residue {
        let mut residue = self.zero();
        for (limb, digit) in residue.0.iter_mut().zip(Digits::new(octets, LIMB_BITS)) {
            *limb = digit;
        }
        residue
    }

    fn multiply(&self, a: &Residue, b: &Residue, product: &mut Residue, (): &mut ()) {
        let length = self.limbs.len();
        let reversed = reversed(b, length);
        let mut columns = [0; 2 * MAX_LIMBS];
        let mut carry = 0;
        for (k, limb) in columns.iter_mut().enumerate().take(2 * length) {
            let sum = Self::column(part(&a.0, 0, length), part(&reversed, 0, length), k) + carry;
            *limb = (sum & MASK) as u32;
            carry = sum >> LIMB_BITS;
        }
        *product = self.reduce(&columns);
    }

    fn square(&self, a: &Residue, product: &mut Residue, (): &mut ()) {
        let length = self.limbs.len();
        let reversed = reversed(a, length);
        let mut columns = [0; 2 * MAX_LIMBS];
        let mut carry = 0;
        for (k, limb) in columns.iter_mut().enumerate().take(2 * length) {
            // Of the pairs of limbs i and k - i, those with i < k - i.
            let (from, to) = ((k + 1).saturating_sub(length), k.div_ceil(2));
            let first = (length - 1 + from).saturating_sub(k);
            let once = sum_of_products(part(&a.0, from, to), part(&reversed, first, length));
            let middle = if k % 2 == 0 { a.0.get(k / 2).copied().unwrap_or_default() } else { 0 };
            let sum = 2 * once + u64::from(middle) * u64::from(middle) + carry;
            *limb = (sum & MASK) as u32;
            carry = sum >> LIMB_BITS;
        }
        *product = self.reduce(&columns);
    }

    fn write(&self, residue: &Residue, octets: &mut [u8]) {
        let mut limbs = residue.0;
        let number = limbs.get_mut(..self.limbs.len()).unwrap_or_default();
        if number.iter().rev().ge(self.limbs.iter().rev()) {
            let mut borrow = 0;
            for (limb, subtrahend) in number.iter_mut().zip(&self.limbs) {
                let difference = limb.wrapping_sub(*subtrahend).wrapping_sub(borrow);
                *limb = difference & MASK as u32;
                borrow = difference >> 31;
            }
        }
        write_octets(limbs, LIMB_BITS, octets);
    }
}

/// The limbs of a number from the top down.
fn reversed(number: &Residue, length: usize) -> [u32; MAX_LIMBS] {
    let mut reversed = [0; MAX_LIMBS];
    for (limb, of_number) in reversed.iter_mut().zip(part(&number.0, 0, length).iter().rev()) {
        *limb = *of_number;
    }
    reversed
}

fn part(limbs: &[u32], from: usize, to: usize) -> &[u32] {
    limbs.get(from..to).unwrap_or_default()
}

/// The sum of the products of limbs at the same places, as far as both slices reach.
#[inline]
fn sum_of_products(a: &[u32], b: &[u32]) -> u64 {
    let length = a.len().min(b.len());
    let ((a, rest_of_a), (b, rest_of_b)) = (part(a, 0, length).as_chunks::<4>(), part(b, 0, length).as_chunks::<4>());
    let mut sum = 0;
    for ([a0, a1, a2, a3], [b0, b1, b2, b3]) in a.iter().zip(b) {
        sum += product(*a0, *b0) + product(*a1, *b1) + product(*a2, *b2) + product(*a3, *b3);
    }
    for (a, b) in rest_of_a.iter().zip(rest_of_b) {
        sum += product(*a, *b);
    }
    sum
}

#[inline]
fn product(a: u32, b: u32) -> u64 {
    u64::from(a) * u64::from(b)
}
