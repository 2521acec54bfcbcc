//! base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 wants it), decoded strictly: no padding, no white
//! space, no character outside the alphabet, and no bits set beyond the last whole byte (RFC 4648 section 3.5), so that
//! every byte string has exactly one accepted spelling.
//!
//! How fast it is depends on the text. It is for tokens, which are public, and not for private keys.

use crate::lanes::{Lanes, WIDTH};

/// How many bytes sixteen characters stand for.
const PACKED: usize = 12;

/// Puts what the text stands for in the place of what `bytes` held. It allocates only where `bytes` has too little room.
///
/// Returns whether the text is base64url; if it is not, `bytes` is of no use.
#[must_use]
pub fn decode(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    // Three bytes for each four characters, and no more than two for what is left.
    bytes.resize(text.len() / 4 * 3 + 2, 0);
    let (blocks, rest) = text.as_chunks::<WIDTH>();
    let mut length = 0;
    for block in blocks {
        let (Some(numbers), Some(place)) = (numbers(block), bytes.get_mut(length..length + PACKED)) else {
            return false;
        };
        place.copy_from_slice(&numbers.packed());
        length += PACKED;
    }
    let (groups, last) = rest.as_chunks::<4>();
    for group in groups {
        let (Some([_, group @ ..]), Some(place)) = (group_of(*group), bytes.get_mut(length..length + 3)) else {
            return false;
        };
        place.copy_from_slice(&group);
        length += 3;
    }
    let last = match last {
        [] => Some((0, [0; 2])),
        [a, b] => group_of([*a, *b, b'A', b'A']).and_then(|group| match group {
            [_, first, 0, 0] => Some((1, [first, 0])),
            _ => None,
        }),
        [a, b, c] => group_of([*a, *b, *c, b'A']).and_then(|group| match group {
            [_, first, second, 0] => Some((2, [first, second])),
            _ => None,
        }),
        _ => None,
    };
    let (Some((count, last)), Some(place)) = (last, bytes.get_mut(length..length + 2)) else {
        return false;
    };
    place.copy_from_slice(&last);
    bytes.truncate(length + count);
    true
}

/// The numbers that sixteen characters stand for.
#[inline]
fn numbers(block: &[u8; WIDTH]) -> Option<Lanes> {
    let text = Lanes::load(block);
    let (upper, lower, digit) = (text.within(65, 90), text.within(97, 122), text.within(48, 57));
    let (minus, underscore) = (text.equal(45), text.equal(95));
    let known = upper.or(lower).or(digit).or(minus.or(underscore));
    // RFC 4648 table 2: A to Z, a to z, 0 to 9, -, _.
    let shift =
        upper.chosen(-65).or(lower.chosen(-71)).or(digit.chosen(4)).or(minus.chosen(17).or(underscore.chosen(-32)));
    (known.bits() == u16::MAX).then(|| text.add(shift))
}

/// The 24 bits that four characters stand for, after a byte of zero.
#[inline]
fn group_of(group: [u8; 4]) -> Option<[u8; 4]> {
    let mut bits = 0;
    for character in group {
        bits = bits << 6 | u32::from(number(character)?);
    }
    Some(bits.to_be_bytes())
}

fn number(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - 65),
        b'a'..=b'z' => Some(character - 71),
        b'0'..=b'9' => Some(character + 4),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    use proptest::prelude::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        // What was there before has no effect.
        let mut bytes = vec![7; 3];
        decode(text.as_bytes(), &mut bytes).then_some(bytes)
    }

    #[test]
    fn every_character_at_every_place_is_judged_as_base64ct_judges_it() {
        for length in 0..40 {
            for at in 0..length {
                for character in 0..=255_u8 {
                    let mut text = vec![b'A'; length];
                    text[at] = character;
                    let Ok(text) = core::str::from_utf8(&text) else {
                        assert!(!decode(&text, &mut Vec::new()));
                        continue;
                    };
                    assert_eq!(decoded(text), Base64UrlUnpadded::decode_vec(text).ok(), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn bits_beyond_the_last_byte_are_refused() {
        for blocks in 0..3 {
            let block = "ABCDEFGHIJKLMNOP".repeat(blocks);
            for (last, valid) in [("_w", true), ("_x", false), ("_-8", true), ("_-9", false), ("_", false)] {
                assert_eq!(decoded(&format!("{block}{last}")).is_some(), valid, "{block}{last}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decoded(&Base64UrlUnpadded::encode_string(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_judged_as_base64ct_judges_it(text in "[A-Za-z0-9_-]{0,80}[A-Za-z0-9_=+/ .\n\u{e9}-]{0,2}[A-Za-z0-9_-]{0,40}") {
            prop_assert_eq!(decoded(&text), Base64UrlUnpadded::decode_vec(&text).ok());
        }
    }
}
