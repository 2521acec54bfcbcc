//! Scalars: integers modulo n, the prime order of the group (SP 800-186 section 3.2.1.3), and their digits.
#![allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "indices are bounded by constants below the length of an array, and casts are of numbers below 2^9"
)]

use super::inverse::{Modulus, inverse};
use super::limbs::{LIMB_BITS, LIMBS, Limbs, MASK, OCTETS, carried, from_octets};

/// n, big-endian.
const ORDER: [u8; OCTETS] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// n.
pub(super) const N: Modulus = Modulus {
    limbs: [
        0x1c63_2551,
        0x1dce_5617,
        0x05e7_a13c,
        0x0df5_5b4e,
        0x1fff_fbce,
        0x1fff_ffff,
        0x0003_ffff,
        0x1fe0_0000,
        0x00ff_ffff,
    ],
    negated_inverse: 0x0e00_bc4f,
};

/// The digits of a number in non-adjacent form: one for each bit, and one more for the carry.
pub(super) const NAF_DIGITS: usize = 257;

/// An integer in \[0, n), tight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scalar(pub(super) Limbs);

impl Scalar {
    /// The number of big-endian octets, if it is in \[1, n).
    pub(super) fn nonzero(octets: &[u8; OCTETS]) -> Option<Self> {
        (octets < &ORDER && *octets != [0; OCTETS]).then(|| Self(from_octets(octets)))
    }

    /// (a/self, b/self) modulo n, for any a and b below 2^256 and self other than 0.
    pub(super) fn quotients(&self, a: &Limbs, b: &Limbs) -> (Self, Self) {
        let inverse = inverse(&self.0, &N);
        (Self::product(a, &inverse), Self::product(b, &inverse))
    }

    /// a·b/2^261 modulo n, for a tight and below 2^256, and b within 33·n, its last limb below 2^30 in absolute value: a
    /// Montgomery multiplication, which takes up a limb of a and divides by 2^29 nine times.
    #[inline(never)]
    fn product(a: &Limbs, b: &Limbs) -> Self {
        let mut sums: Limbs = [0; LIMBS];
        for limb in a {
            let lowest = sums[0] + limb * b[0];
            let digit = ((lowest & MASK) * N.negated_inverse) & MASK;
            let mut carry = (lowest + digit * N.limbs[0]) >> LIMB_BITS;
            // A sum moves down nine places and takes up to 2^59 + 2^58 at each, and a carry below 2^34.
            for j in 1..LIMBS {
                sums[j - 1] = sums[j] + limb * b[j] + digit * N.limbs[j] + carry;
                carry = 0;
            }
            sums[LIMBS - 1] = 0;
        }
        // Within (-1.04·n, 2.04·n), for a·b is within 33·n·2^256, and 2^256 is below 1.001·n.
        let mut number = carried(&sums);
        while number[LIMBS - 1] < 0 {
            number = combined(&number, 1, &N.limbs);
        }
        loop {
            let less = combined(&number, -1, &N.limbs);
            if less[LIMBS - 1] < 0 {
                return Self(number);
            }
            number = less;
        }
    }

    /// The number's absolute value when the residues are taken from -n/2 to n/2, and whether it stands for a negative
    /// one. The absolute value is below 2^255.
    #[inline(never)]
    pub(super) fn halved_range(&self) -> (Self, bool) {
        let negated = combined(&N.limbs, -1, &self.0);
        // Whether self > n - self, from the sign of the difference.
        if combined(&negated, -1, &self.0)[LIMBS - 1] < 0 { (Self(negated), true) } else { (*self, false) }
    }

    /// The `width` bits from `position` up, for a width below 29; bits above the number are zeros.
    fn bits(&self, position: usize, width: usize) -> i32 {
        let (index, offset) = (position / LIMB_BITS, position % LIMB_BITS);
        let limb = |index: usize| self.0.get(index).copied().unwrap_or(0);
        let both = limb(index) | limb(index + 1) << LIMB_BITS;
        (both >> offset) as i32 & ((1 << width) - 1)
    }

    /// Calls `with` for each digit other than 0 of Σ digit·2^(width·index), digits from -2^(width-1) + 1 to 2^(width-1).
    ///
    /// The number is below 2^255, so ⌈256/width⌉ digits are enough: what the digit of the highest bits takes as a carry
    /// leaves it at most 2^(width-1).
    pub(super) fn for_each_window(&self, width: usize, mut with: impl FnMut(usize, i32)) {
        let mut carry = 0;
        for index in 0..256_usize.div_ceil(width) {
            let mut digit = self.bits(index * width, width) + carry;
            carry = i32::from(digit > 1 << (width - 1));
            digit -= carry << width;
            if digit != 0 {
                with(index, digit);
            }
        }
    }

    /// The non-adjacent form of a width up to 7: Σ digit·2^index with digits that are 0 or odd and below 2^(width-1) in
    /// absolute value, and at least width - 1 zeros after each that is not 0.
    #[inline(never)]
    pub(super) fn non_adjacent_form(&self, width: usize) -> [i8; NAF_DIGITS] {
        let mut digits = [0; NAF_DIGITS];
        let (mut index, mut carry) = (0, 0);
        while index < NAF_DIGITS {
            if self.bits(index, 1) == carry {
                index += 1;
                continue;
            }
            let window = self.bits(index, width) + carry;
            carry = window >> (width - 1);
            digits[index] = (window - (carry << width)) as i8;
            index += width;
        }
        digits
    }
}

/// a + sign·b as a tight number.
#[inline(never)]
fn combined(a: &Limbs, sign: i64, b: &Limbs) -> Limbs {
    let mut sums = *a;
    for (sum, limb) in sums.iter_mut().zip(b) {
        *sum += sign * limb;
    }
    carried(&sums)
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;
    use proptest::prelude::*;

    use super::super::reference::{self, numbers, octets, residue};
    use super::*;

    fn scalar(number: &U256) -> Scalar {
        Scalar(from_octets(&octets(&number.rem_vartime(&reference::N))))
    }

    fn value(Scalar(limbs): &Scalar) -> U256 {
        residue(limbs, &reference::N)
    }

    /// Σ digit·2^position modulo n, for digits in order of their positions.
    fn sum(digits: impl Iterator<Item = (usize, i64)>) -> U256 {
        let (mut sum, mut power, mut exponent) = (U256::ZERO, U256::ONE, 0);
        for (position, digit) in digits {
            for _ in exponent..position {
                power = power.double_mod(&reference::N);
            }
            exponent = position;
            let term = power.mul_mod(&U256::from(digit.unsigned_abs()), &reference::N);
            sum = if digit < 0 { sum.sub_mod(&term, &reference::N) } else { sum.add_mod(&term, &reference::N) };
        }
        sum
    }

    #[test]
    fn the_order_is_the_order() {
        assert_eq!(ORDER, octets(&reference::N));
        assert_eq!(from_octets(&ORDER), N.limbs);
        assert_eq!((N.limbs[0] * N.negated_inverse) & ((1 << LIMB_BITS) - 1), (1 << LIMB_BITS) - 1);
    }

    #[test]
    fn a_scalar_of_a_signature_is_from_1_to_the_order_less_1() {
        let less = reference::N.wrapping_sub(&U256::ONE);
        let more = reference::N.wrapping_add(&U256::ONE);
        for (number, is) in
            [(U256::ZERO, false), (U256::ONE, true), (less, true), (reference::N.get(), false), (more, false)]
        {
            assert_eq!(Scalar::nonzero(&octets(&number)).is_some(), is, "{number}");
        }
        assert!(Scalar::nonzero(&[0xff; OCTETS]).is_none());
    }

    proptest! {
        #[test]
        fn quotients_are_right_and_least(a in numbers(), b in numbers(), divisor in numbers()) {
            let divisor = divisor.rem_vartime(&reference::N);
            prop_assume!(divisor != U256::ZERO);
            let (first, second) = scalar(&divisor).quotients(&from_octets(&octets(&a)), &from_octets(&octets(&b)));
            let inverse = divisor.invert_mod(&reference::N).unwrap();
            for (dividend, quotient) in [(a, first), (b, second)] {
                let expected = dividend.rem_vartime(&reference::N).mul_mod(&inverse, &reference::N);
                prop_assert_eq!(quotient, scalar(&expected));
            }
        }

        #[test]
        fn windows_add_up(number in numbers(), width in 5..=8_usize) {
            let (magnitude, negative) = scalar(&number).halved_range();
            let expected = if negative { value(&magnitude).neg_mod(&reference::N) } else { value(&magnitude) };
            prop_assert_eq!(expected, number.rem_vartime(&reference::N));
            prop_assert!(value(&magnitude) <= reference::N.shr_vartime(1));
            let mut digits = Vec::new();
            magnitude.for_each_window(width, |index, digit| digits.push((index * width, i64::from(digit))));
            let half = 1 << (width - 1);
            prop_assert!(digits.iter().all(|(position, digit)| *position < 256 && *digit > -half && *digit <= half && *digit != 0));
            prop_assert_eq!(sum(digits.into_iter()), value(&magnitude));
        }

        #[test]
        fn non_adjacent_forms_add_up(number in numbers(), width in 4..=7_usize) {
            let scalar = scalar(&number);
            let digits = scalar.non_adjacent_form(width);
            let nonzero: Vec<(usize, i64)> =
                digits.iter().enumerate().filter(|(_, digit)| **digit != 0).map(|(i, digit)| (i, i64::from(*digit))).collect();
            prop_assert!(nonzero.iter().all(|(_, digit)| digit % 2 != 0 && digit.abs() < 1 << (width - 1)));
            prop_assert!(nonzero.windows(2).all(|pair| pair[1].0 - pair[0].0 >= width));
            prop_assert_eq!(sum(nonzero.into_iter()), value(&scalar));
        }
    }
}
