//! Powers modulo an odd number by Montgomery multiplication (Montgomery, "Modular Multiplication Without Trial
//! Division", 1985). Variable-time: for public numbers alone.
//!
//! Numbers are words of 32 bits, the least significant first: the product of two words and two carries fit 64 bits,
//! which is the widest that WebAssembly multiplies. R is 2 to the power of the modulus's width in bits, whole words
//! counted; the Montgomery form of x is x·R.

use core::cmp::Ordering;

/// The bits of a word.
const WORD_BITS: usize = 32;

/// An odd modulus, with what each multiplication and each conversion needs.
#[derive(Clone, Debug)]
pub(crate) struct Modulus {
    words: Vec<u32>,
    /// -1/modulus modulo 2^32.
    negated_inverse: u32,
    /// R² modulo the modulus: the Montgomery form of R.
    radix_squared: Vec<u32>,
}

impl Modulus {
    /// The modulus with these octets, big-endian without leading zeros; `None` unless it is odd and above 1.
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        let words = words(octets);
        let lowest = *words.first()?;
        let highest = *words.last()?;
        if lowest & 1 == 0 || highest == 0 || words == [1] {
            return None;
        }
        // Newton's iteration doubles the number of correct bits; an odd number is its own inverse modulo 8.
        let inverse = (0..4)
            .fold(lowest, |inverse: u32, _| inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse))));
        let mut modulus = Self { words, negated_inverse: inverse.wrapping_neg(), radix_squared: Vec::new() };
        modulus.radix_squared = modulus.square_of_radix(highest)?;
        Some(modulus)
    }

    /// 2 in Montgomery form to the power of the bits of R is R in Montgomery form.
    fn square_of_radix(&self, highest: u32) -> Option<Vec<u32>> {
        // The top bit of the modulus is a power of two below it; doubling leads from there to 2·R.
        let mut two = vec![0; self.words.len()];
        *two.last_mut()? = 1 << highest.ilog2();
        for _ in 0..=highest.leading_zeros() + 1 {
            self.double(&mut two);
        }
        u32::try_from(self.words.len() * WORD_BITS).ok().map(|bits| self.raise(&two, bits))
    }

    /// The base, which is below the modulus, to the power of an exponent above 0. Big-endian, in as many octets as the
    /// words of the modulus have.
    pub(crate) fn power(&self, base: &[u8], exponent: u32) -> Vec<u8> {
        let base = self.multiply(&words(base), &self.radix_squared);
        let power = self.multiply(&[1], &self.raise(&base, exponent));
        let mut octets = Vec::with_capacity(4 * power.len());
        for word in power.iter().rev() {
            octets.extend_from_slice(&word.to_be_bytes());
        }
        octets
    }

    /// Raises a number in Montgomery form, by squaring and multiplying from the top bit of the exponent down.
    fn raise(&self, base: &[u32], exponent: u32) -> Vec<u32> {
        let below_top = exponent.checked_ilog2().unwrap_or_default();
        (0..below_top).rev().fold(base.to_vec(), |power, bit| {
            let square = self.multiply(&power, &power);
            if exponent >> bit & 1 == 1 { self.multiply(&square, base) } else { square }
        })
    }

    /// a·b/R modulo the modulus, for a·b below R times the modulus.
    fn multiply(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let length = self.words.len();
        let mut sum = vec![0; 2 * length + 1];
        for (i, factor) in a.iter().enumerate() {
            add_product(sum.get_mut(i..).unwrap_or_default(), *factor, b);
        }
        // A multiple of the modulus that makes the lowest word zero, for each of the words that R divides away.
        for i in 0..length {
            let rest = sum.get_mut(i..).unwrap_or_default();
            let factor = rest.first().map_or(0, |lowest| lowest.wrapping_mul(self.negated_inverse));
            add_product(rest, factor, &self.words);
        }
        let mut quotient = sum.split_off(length);
        let overflow = quotient.pop().is_some_and(|word| word != 0);
        self.reduce(&mut quotient, overflow);
        quotient
    }

    /// Twice a number below the modulus, modulo the modulus.
    fn double(&self, number: &mut [u32]) {
        let mut carry = 0;
        for word in number.iter_mut() {
            let high = *word >> (WORD_BITS - 1);
            *word = *word << 1 | carry;
            carry = high;
        }
        self.reduce(number, carry != 0);
    }

    /// Subtracts the modulus from a number below twice the modulus, if it is not below the modulus. `overflow` stands
    /// for the bit above the number's words.
    fn reduce(&self, number: &mut [u32], overflow: bool) {
        if !overflow && number.iter().rev().cmp(self.words.iter().rev()) == Ordering::Less {
            return;
        }
        let mut borrow = false;
        for (word, subtrahend) in number.iter_mut().zip(&self.words) {
            let (difference, first) = word.overflowing_sub(*subtrahend);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *word = difference;
            borrow = first || second;
        }
    }
}

/// Adds factor·number to a sum that has room for it.
fn add_product(sum: &mut [u32], factor: u32, number: &[u32]) {
    let Some((low, high)) = sum.split_at_mut_checked(number.len()) else { return };
    let mut carry = 0;
    for (word, of_number) in low.iter_mut().zip(number) {
        let total = u64::from(*word) + u64::from(factor) * u64::from(*of_number) + carry;
        *word = low_half(total);
        carry = total >> WORD_BITS;
    }
    for word in high {
        if carry == 0 {
            break;
        }
        let total = u64::from(*word) + carry;
        *word = low_half(total);
        carry = total >> WORD_BITS;
    }
}

#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "the high half is what the carry takes")]
fn low_half(total: u64) -> u32 {
    total as u32
}

/// The words of big-endian octets.
fn words(octets: &[u8]) -> Vec<u32> {
    octets.rchunks(4).map(|chunk| chunk.iter().fold(0, |word, octet| word << 8 | u32::from(*octet))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
    use crypto_bigint::{BoxedUint, Odd};
    use proptest::prelude::*;

    fn small(modulus: u64, base: u64, exponent: u32) -> Option<u64> {
        let octets: Vec<u8> = modulus.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        let modulus = Modulus::new(&octets)?;
        let base = &base.to_be_bytes()[8 - octets.len()..];
        Some(modulus.power(base, exponent).iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    #[test]
    fn powers_modulo_small_numbers_are_right() {
        assert_eq!(small(7, 3, 5), Some(5));
        assert_eq!(small(3, 2, 1), Some(2));
        assert_eq!(small(0xffff_ffff, 0xffff_fffe, 3), Some(0xffff_fffe));
        assert_eq!(small(0x1_0000_0001, 0x1_0000_0000, 2), Some(1));
        assert_eq!(small(u64::MAX, 2, 64), Some(1));
        assert_eq!(small(u64::MAX, 0, 65537), Some(0));
    }

    #[test]
    fn a_modulus_is_odd_and_above_1() {
        for octets in [&[][..], &[1], &[2], &[0, 0, 0, 0, 3], &[1, 0]] {
            assert!(Modulus::new(octets).is_none(), "{octets:?}");
        }
    }

    /// The same power by an independent implementation.
    fn expected(modulus: &[u8], base: &[u8], exponent: u32) -> Vec<u8> {
        let odd = Odd::new(BoxedUint::from_be_slice_vartime(modulus)).unwrap();
        let precision = odd.bits_precision();
        let params = BoxedMontyParams::new_vartime(odd);
        let base = BoxedUint::from_be_slice(base, precision).unwrap();
        BoxedMontyForm::new(base, &params).pow(&BoxedUint::from(exponent)).retrieve().to_be_bytes().to_vec()
    }

    fn without_zeros(octets: &[u8]) -> &[u8] {
        &octets[octets.iter().take_while(|octet| **octet == 0).count()..]
    }

    /// Octets of which many are at the ends of their range, where carries are.
    fn octets(length: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![3 => any::<u8>(), 2 => Just(0_u8), 2 => Just(0xff_u8)];
        length.prop_flat_map(move |length| prop::collection::vec(octet.clone(), length))
    }

    /// A case takes milliseconds, so there are few, unless `PROPTEST_CASES` says how many.
    fn cases() -> ProptestConfig {
        let told = std::env::var_os("PROPTEST_CASES").is_some();
        if told { ProptestConfig::default() } else { ProptestConfig::with_cases(64) }
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn powers_are_those_of_crypto_bigint(
            mut modulus in octets(1..530_usize), mut base in octets(Just(530_usize)), exponent in 1..=u32::MAX,
        ) {
            modulus[0] |= 1;
            *modulus.last_mut().unwrap() |= 1;
            prop_assume!(modulus != [1]);
            base.truncate(modulus.len());
            if base >= modulus {
                base[0] = 0;
            }
            let power = Modulus::new(&modulus).unwrap().power(&base, exponent);
            let expected = expected(&modulus, &base, exponent);
            prop_assert_eq!(without_zeros(&power), without_zeros(&expected));
        }
    }
}
