//! Both decoders of base64url against the crate `base64` at its strictest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use waxseal::encoding::{base64url, from_base64url};

/// Takes the input for a text, and for bytes to encode.
pub fn run(input: &[u8]) {
    let expected = URL_SAFE_NO_PAD.decode(input).ok();
    assert_eq!(from_base64url(input), expected, "the decoder in constant time");
    let mut fast = vec![0xa5; input.len() % 5];
    assert_eq!(waxseal_scan::base64url::decode(input, &mut fast).then_some(fast), expected, "the fast decoder");
    // One spelling for each byte string: what is accepted is what is written.
    if let Some(bytes) = expected {
        assert_eq!(base64url(&bytes).as_bytes(), input);
    }
    assert_eq!(base64url(input), URL_SAFE_NO_PAD.encode(input));
}
