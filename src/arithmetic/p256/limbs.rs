//! Integers of 256 bits and a little more: the representation that the field and the scalars share.
//!
//! A number is nine limbs of 29 bits, the least significant first: Σ `limb[i]`·2^(29·i). WebAssembly multiplies 64 bits
//! at most, and limbs of 29 bits leave room for the sum of 31 products in a signed 64-bit accumulator.
//!
//! Limbs are signed, so a difference is nine subtractions without a borrow. A number is *tight* when limbs 0 to 7 are in
//! \[0, 2^29) and the last one, which has the sign, is in \[-2^29, 2^29). Every number in \[-2^261, 2^261) has exactly one
//! tight form.
#![allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_wrap,
    reason = "indices are below the constant lengths of arrays, and a cast is followed by a mask"
)]

use core::array::from_fn;

/// The limbs of a number.
pub(super) const LIMBS: usize = 9;
/// The bits of a limb.
pub(super) const LIMB_BITS: usize = 29;
/// The bits of an accumulator that become a limb.
pub(super) const MASK: i64 = (1 << LIMB_BITS) - 1;
/// The octets of a number below 2^256.
pub(super) const OCTETS: usize = 32;

/// A number. What its limbs and its value may be is said where it is used.
pub(super) type Limbs = [i64; LIMBS];

/// The number of big-endian octets: tight.
#[inline(never)]
pub(super) fn from_octets(octets: &[u8; OCTETS]) -> Limbs {
    let (words, _) = octets.as_chunks();
    // The least significant first, and nothing above.
    let words = [3, 2, 1, 0].map(|i| u64::from_be_bytes(words[i]));
    from_fn(|i| {
        let (word, shift) = (LIMB_BITS * i / 64, LIMB_BITS * i % 64);
        let above = words.get(word + 1).map_or(0, |above| above << 1 << (63 - shift));
        (words[word] >> shift | above) as i64 & MASK
    })
}

/// The tight form of Σ `sums[i]`·2^(29·i), whose value is in \[-2^261, 2^261), for sums below 2^62 in absolute value.
#[inline]
pub(super) fn carried(sums: &Limbs) -> Limbs {
    let mut limbs = [0; LIMBS];
    let mut carry = 0;
    for i in 0..LIMBS - 1 {
        let sum = sums[i] + carry;
        limbs[i] = sum & MASK;
        carry = sum >> LIMB_BITS;
    }
    // Not masked: the sign stays here.
    limbs[LIMBS - 1] = sums[LIMBS - 1] + carry;
    limbs
}
