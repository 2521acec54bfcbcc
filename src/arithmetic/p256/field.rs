//! The field of P-256: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 section 3.2.1.3).
//!
//! An element x is held in Montgomery form, as some number congruent to x·R with R = 2^261 (Montgomery, "Modular
//! Multiplication Without Trial Division", 1985). The number need not be the least one, and need not be tight; how far
//! it may be from that is the business of the caller, by two bounds:
//!
//! - A is the least number with every limb in \[-A·2^29, A·2^29\];
//! - V is the least number with the value in \[-V·p, V·p\].
//!
//! Every multiplication wants A·B ≤ 3.5 and V·W ≤ 64 of its factors, and gives a tight number (A = 1). `mod.rs` has the
//! table of what occurs.
//!
//! **No accumulator overflows.** A column is the sum of at most 9 products of limbs: at most 9·3.5·2^58 = 31.5·2^58 in
//! absolute value. What is added to it stays below 2^57: the carry of the column before, below 2^34, at most four
//! multiples of quotient digits, below 2^54 together, and the addend, below 2^36. The sum is below 2^63 in absolute
//! value. A last limb is the value divided by 2^232, below 2^29 while V ≤ 16.
//!
//! **The reduction.** p = -1 modulo 2^96, so -1/p = 1 modulo 2^29, and the quotient digit of a column is its low 29 bits
//! as they are. Adding digit·p·2^(29·i) clears column i (that is the -1 of p: the digit is not carried on) and reaches
//! four later columns by shifts: 96 = 3·29 + 9, 192 = 6·29 + 18, 224 = 7·29 + 21 and 256 = 8·29 + 24. Nine digits
//! clear nine columns: the result is (a·b + Q·p)/R + addend with Q in \[0, R), so it lies in
//! a·b/R + \[0, p) + addend, where a·b/R is within ±V·W·p/32, as p/R < 1/32.
#![allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "indices are constants below the length of an array, and casts take the low limb"
)]

use core::array::from_fn;

use super::inverse::{Modulus, inverse};
use super::limbs::{LIMB_BITS, LIMBS, Limbs, MASK, OCTETS, carried, from_octets};

/// p.
pub(super) const P: Modulus = Modulus {
    limbs: [
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x0000_01ff,
        0x0000_0000,
        0x0000_0000,
        0x0004_0000,
        0x1fe0_0000,
        0x00ff_ffff,
    ],
    negated_inverse: 1,
};

/// R² modulo p: its product with a number is the number in Montgomery form.
const R_SQUARED: Field = Field([
    0x0000_0c00,
    0x0000_0000,
    0x1fff_0000,
    0x1fdf_ffff,
    0x1fbf_ffff,
    0x1fff_ffff,
    0x1fff_ffff,
    0x1fff_fffe,
    0x0000_0013,
]);

/// An element in Montgomery form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(pub(super) Limbs);

/// The Montgomery reduction of 17 columns, which are evaluated one by one as they are needed.
macro_rules! reduced {
    ([$c0:expr, $c1:expr, $c2:expr, $c3:expr, $c4:expr, $c5:expr, $c6:expr, $c7:expr, $c8:expr,
      $c9:expr, $c10:expr, $c11:expr, $c12:expr, $c13:expr, $c14:expr, $c15:expr, $c16:expr $(,)?], $addend:expr) => {{
        let [e0, e1, e2, e3, e4, e5, e6, e7, e8] = $addend.0;
        let t = $c0;
        let q0 = t & MASK;
        let t = $c1 + (t >> LIMB_BITS);
        let q1 = t & MASK;
        let t = $c2 + (t >> LIMB_BITS);
        let q2 = t & MASK;
        let t = $c3 + (q0 << 9) + (t >> LIMB_BITS);
        let q3 = t & MASK;
        let t = $c4 + (q1 << 9) + (t >> LIMB_BITS);
        let q4 = t & MASK;
        let t = $c5 + (q2 << 9) + (t >> LIMB_BITS);
        let q5 = t & MASK;
        let t = $c6 + (q3 << 9) + (q0 << 18) + (t >> LIMB_BITS);
        let q6 = t & MASK;
        let t = $c7 + (q4 << 9) + (q1 << 18) - (q0 << 21) + (t >> LIMB_BITS);
        let q7 = t & MASK;
        let t = $c8 + (q5 << 9) + (q2 << 18) - (q1 << 21) + (q0 << 24) + (t >> LIMB_BITS);
        let q8 = t & MASK;
        let t = $c9 + e0 + (q6 << 9) + (q3 << 18) - (q2 << 21) + (q1 << 24) + (t >> LIMB_BITS);
        let r0 = t & MASK;
        let t = $c10 + e1 + (q7 << 9) + (q4 << 18) - (q3 << 21) + (q2 << 24) + (t >> LIMB_BITS);
        let r1 = t & MASK;
        let t = $c11 + e2 + (q8 << 9) + (q5 << 18) - (q4 << 21) + (q3 << 24) + (t >> LIMB_BITS);
        let r2 = t & MASK;
        let t = $c12 + e3 + (q6 << 18) - (q5 << 21) + (q4 << 24) + (t >> LIMB_BITS);
        let r3 = t & MASK;
        let t = $c13 + e4 + (q7 << 18) - (q6 << 21) + (q5 << 24) + (t >> LIMB_BITS);
        let r4 = t & MASK;
        let t = $c14 + e5 + (q8 << 18) - (q7 << 21) + (q6 << 24) + (t >> LIMB_BITS);
        let r5 = t & MASK;
        let t = $c15 + e6 - (q8 << 21) + (q7 << 24) + (t >> LIMB_BITS);
        let r6 = t & MASK;
        let t = $c16 + e7 + (q8 << 24) + (t >> LIMB_BITS);
        let r7 = t & MASK;
        // Not masked: the sign stays here.
        let r8 = e8 + (t >> LIMB_BITS);
        Field([r0, r1, r2, r3, r4, r5, r6, r7, r8])
    }};
}

impl Field {
    /// 0.
    pub(super) const ZERO: Self = Self([0; LIMBS]);
    /// 1, which is R modulo p.
    pub(super) const ONE: Self = Self([
        0x0000_0020,
        0x0000_0000,
        0x0000_0000,
        0x1fff_c000,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1f7f_ffff,
        0x03ff_ffff,
        0x0000_0000,
    ]);

    /// The element of big-endian octets, which stand for a number below 2^256. Tight, in \[0, 2·p).
    pub(super) fn from_octets(octets: &[u8; OCTETS]) -> Self {
        // V is 1.01 and 1: the product is in [0, 1.04·p).
        Self(from_octets(octets)).times(&R_SQUARED)
    }

    /// a·b.
    #[inline]
    pub(super) fn times(&self, other: &Self) -> Self {
        self.times_plus(other, &Self::ZERO)
    }

    /// a².
    #[inline]
    pub(super) fn squared(&self) -> Self {
        self.squared_plus(&Self::ZERO)
    }

    /// a·b + addend. One copy serves all multiplications: to add nothing costs next to nothing, and to add something
    /// here saves a pass for its carries.
    #[inline(never)]
    #[rustfmt::skip]
    pub(super) fn times_plus(&self, other: &Self, addend: &Self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = other.0;
        reduced!([
            a0 * b0,
            a0 * b1 + a1 * b0,
            a0 * b2 + a1 * b1 + a2 * b0,
            a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0,
            a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
            a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0,
            a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0,
            a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0,
            a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0,
            a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1,
            a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2,
            a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3,
            a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4,
            a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5,
            a6 * b8 + a7 * b7 + a8 * b6,
            a7 * b8 + a8 * b7,
            a8 * b8,
        ], addend)
    }

    /// a² + addend.
    #[inline(never)]
    #[rustfmt::skip]
    pub(super) fn squared_plus(&self, addend: &Self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        // Twice each limb, for the products that occur twice.
        let [d0, d1, d2, d3, d4, d5, d6, d7] = [a0, a1, a2, a3, a4, a5, a6, a7].map(|limb| 2 * limb);
        reduced!([
            a0 * a0,
            d0 * a1,
            d0 * a2 + a1 * a1,
            d0 * a3 + d1 * a2,
            d0 * a4 + d1 * a3 + a2 * a2,
            d0 * a5 + d1 * a4 + d2 * a3,
            d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3,
            d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4,
            d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4,
            d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5,
            d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5,
            d3 * a8 + d4 * a7 + d5 * a6,
            d4 * a8 + d5 * a7 + a6 * a6,
            d5 * a8 + d6 * a7,
            d6 * a8 + a7 * a7,
            d7 * a8,
            a8 * a8,
        ], addend)
    }

    /// a + b: bounds add up.
    #[inline]
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self(from_fn(|i| self.0[i] + other.0[i]))
    }

    /// a - b. Of tight numbers A is 1, for limbs 0 to 7 of both have the same sign; otherwise bounds add up.
    #[inline]
    pub(super) fn minus(&self, other: &Self) -> Self {
        Self(from_fn(|i| self.0[i] - other.0[i]))
    }

    /// -a, with the bounds of a.
    #[inline]
    pub(super) fn negated(&self) -> Self {
        Self(self.0.map(|limb| -limb))
    }

    /// factor·a: bounds are multiplied.
    #[inline]
    pub(super) fn scaled(&self, factor: i64) -> Self {
        Self(self.0.map(|limb| factor * limb))
    }

    /// The same number, tight. V ≤ 16.
    #[inline]
    pub(super) fn carried(&self) -> Self {
        Self(carried(&self.0))
    }

    /// The same element, tight and in \[-2^228, 2^256 + 2^228\]. V ≤ 16.
    ///
    /// What stands at and above 2^256, m·2^256 with |m| ≤ 16, becomes m·(2^224 - 2^192 - 2^96 + 1).
    #[inline(never)]
    pub(super) fn folded(&self) -> Self {
        let mut sums = carried(&self.0);
        let excess = sums[8] >> 24;
        sums[8] &= (1 << 24) - 1;
        sums[7] += excess << 21;
        sums[6] -= excess << 18;
        sums[3] -= excess << 9;
        sums[0] += excess;
        Self(carried(&sums))
    }

    /// Whether this is 0. V ≤ 16.
    pub(super) fn is_zero(&self) -> bool {
        // The range of a folded number has two multiples of p in it, and a tight form is unique.
        let Self(limbs) = self.folded();
        limbs == [0; LIMBS] || limbs == P.limbs
    }

    /// 1/a for a other than 0, tight and with V ≤ 2.1. V ≤ 16.
    pub(super) fn inverse(&self) -> Self {
        // (a·R)^-1·R, within 33·p, and its last limb within 2^30 (A = 2); the product with R² brings R back.
        Self(inverse(&self.folded().0, &P)).times(&R_SQUARED)
    }
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;
    use proptest::prelude::*;

    use super::super::reference::{self, numbers, octets, radix, residue, value};
    use super::*;

    fn is_tight(Field(limbs): &Field) -> bool {
        let (last, low) = limbs.split_last().unwrap();
        low.iter().all(|limb| (0..=MASK).contains(limb)) && last.unsigned_abs() <= 1 << LIMB_BITS
    }

    /// a·b + c, all as numbers.
    fn expected(a: &Field, b: &Field, c: &Field) -> U256 {
        value(a).mul_mod(&value(b), &reference::P).add_mod(&value(c), &reference::P)
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        let p = U256::from_be_slice(&reference::octets(&reference::P));
        assert_eq!(residue(&P.limbs, &reference::N), p.rem_vartime(&reference::N));
        assert_eq!(residue(&Field::ONE.0, &reference::P), radix(&reference::P));
        assert_eq!(value(&R_SQUARED), radix(&reference::P));
        assert_eq!((P.limbs[0] * P.negated_inverse) & MASK, MASK);
    }

    #[test]
    fn the_largest_limbs_do_not_overflow() {
        // 3.5 times 1, and the root of 3.5 as a square, in all signs; the last limb is the value of 16·p.
        let ends = |most: i64| {
            [[1, 1], [1, -1], [-1, 1], [-1, -1]].map(|[even, odd]| {
                let mut limbs: Limbs = from_fn(|i| most * if i % 2 == 0 { even } else { odd });
                limbs[LIMBS - 1] = (1 << 28) * limbs[LIMBS - 1].signum();
                Field(limbs)
            })
        };
        let large = 7 << (LIMB_BITS - 1);
        let addend = Field([(1 << 36) - 1; LIMBS]);
        for addend in [addend, addend.negated()] {
            for a in ends(large) {
                for b in ends(1 << LIMB_BITS) {
                    assert_eq!(value(&a.times_plus(&b, &addend)), expected(&a, &b, &addend));
                    assert_eq!(value(&b.times_plus(&a, &addend)), expected(&a, &b, &addend));
                }
            }
            for a in ends(1_004_000_000) {
                assert_eq!(value(&a.squared_plus(&addend)), expected(&a, &a, &addend));
            }
        }
    }

    #[test]
    fn every_multiple_of_the_prime_in_range_is_zero() {
        for multiple in -16..=16 {
            let zero = Field(P.limbs).scaled(multiple);
            assert!(zero.is_zero() && zero.carried().is_zero(), "{multiple}");
            for off in [-1, 1] {
                let mut other = zero;
                other.0[0] += off;
                assert!(!other.is_zero(), "{multiple} {off}");
            }
        }
    }

    proptest! {
        #[test]
        fn products_and_squares_are_right_and_tight(
            a in reference::limbs(3.5), b in reference::limbs(1.0), c in reference::limbs(64.0),
        ) {
            let (a, b, c) = (Field(a), Field(b), Field(c));
            let product = a.times_plus(&b, &c);
            prop_assert_eq!(value(&product), expected(&a, &b, &c));
            prop_assert!(is_tight(&a.times(&b)));
            let square = b.squared_plus(&c);
            prop_assert_eq!(value(&square), expected(&b, &b, &c));
            prop_assert!(is_tight(&b.squared()));
        }

        #[test]
        fn linear_combinations_are_right(a in reference::limbs(1.0), b in reference::limbs(1.0), factor in -8..=8_i64) {
            let (a, b) = (Field(a), Field(b));
            let (x, y) = (value(&a), value(&b));
            prop_assert_eq!(value(&a.plus(&b)), x.add_mod(&y, &reference::P));
            prop_assert_eq!(value(&a.minus(&b)), x.sub_mod(&y, &reference::P));
            prop_assert_eq!(value(&a.negated()), x.neg_mod(&reference::P));
            let times = x.mul_mod(&U256::from(factor.unsigned_abs()), &reference::P);
            let times = if factor < 0 { times.neg_mod(&reference::P) } else { times };
            prop_assert_eq!(value(&a.scaled(factor)), times);
        }

        #[test]
        fn folded_numbers_are_the_same_and_nearly_least(a in reference::limbs(3.5)) {
            let folded = Field(a).folded();
            prop_assert_eq!(value(&folded), value(&Field(a)));
            prop_assert!(is_tight(&folded));
            // From -2^228 to 2^256 + 2^228, by the last limb, which counts 2^232.
            prop_assert!((-1..=1 << 24).contains(&folded.0[LIMBS - 1]), "{folded:?}");
            prop_assert!(is_tight(&Field(a).carried()));
            prop_assert_eq!(value(&Field(a).carried()), value(&Field(a)));
        }

        #[test]
        fn inverses_are_right(a in reference::limbs(1.0)) {
            let Some(expected) = Option::<U256>::from(value(&Field(a)).invert_mod(&reference::P)) else { return Ok(()) };
            let inverse = Field(a).inverse();
            prop_assert!(is_tight(&inverse));
            prop_assert_eq!(value(&inverse), expected);
        }

        #[test]
        fn octets_are_read(number in numbers()) {
            prop_assert_eq!(value(&Field::from_octets(&octets(&number))), number.rem_vartime(&reference::P));
        }
    }
}
