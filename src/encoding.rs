//! base64url as RFC 7515 section 2 wants it, and SHA-256.
//!
//! What is here takes constant time for texts of one length, as private keys need it. Tokens are public, and are decoded
//! by `waxseal_scan`, which is quicker and takes the same texts.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Encodes bytes as base64url without padding (RFC 7515 section 2, RFC 4648 section 5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes base64url strictly: no padding, no white space, no character outside the alphabet, and no bits set beyond
/// the last whole byte (RFC 4648 section 3.5), so that every byte string has exactly one accepted spelling.
#[must_use]
pub fn from_base64url(text: &[u8]) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(core::str::from_utf8(text).ok()?).ok()
}

/// As [`from_base64url`] for a secret: what was decoded is overwritten when it is dropped, also when the text turns out to be
/// wrong at its end.
pub(crate) fn secret_from_base64url(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // The octets of unpadded text are never more than three for each four characters, begun ones included.
    let mut bytes = Zeroizing::new(vec![0; text.len()]);
    let length = Base64UrlUnpadded::decode(text, &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// The SHA-256 digest (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_takes_one_spelling_alone() {
        assert_eq!(from_base64url(b"_-8").as_deref(), Some(&[0xff, 0xef][..]));
        for wrong in ["_-8=", "_-9", "/+8", " _-8", "_-8\n", "_", "_-8A_", "_\u{e9}"] {
            assert_eq!(from_base64url(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same_bytes() {
        for length in 0..70u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(37)).collect();
            assert_eq!(from_base64url(base64url(&bytes).as_bytes()), Some(bytes));
        }
    }
}
