//! SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012).

use core::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// The hash of two texts, one after the other, under a secret key. Where one ends and the other begins does not show.
#[must_use]
pub fn siphash(key: &[u8; 16], first: &[u8], second: &[u8]) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(first);
    hasher.write(second);
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::siphash;

    /// The vectors of the reference implementation: key 00 01 … 0f, input of 0 and 1 bytes, output in the order of bytes.
    #[test]
    fn the_hash_is_the_published_one() {
        let key = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let empty = [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93];
        let zero = [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45];
        assert_eq!(siphash(&key, &[], &[]), u128::from_le_bytes(empty));
        assert_eq!(siphash(&key, &[0], &[]), u128::from_le_bytes(zero));
        assert_eq!(siphash(&key, &[], &[0]), u128::from_le_bytes(zero));
        assert_eq!(siphash(&key, b"abcdefghij", b"klm"), siphash(&key, b"abc", b"defghijklm"));
    }
}
