//! Verification of ES256 and RS256 signatures: the arithmetic alone, without formats of keys and tokens.
//!
//! A signature, a digest and a public key are public, so everything here is free to take a time that depends on its
//! input. Nothing here may ever see a private key or a nonce. It is a crate of its own so that it can be audited and
//! fuzzed by itself, and is optimised for speed where the rest of Waxseal is optimised for size.

mod lanes;
pub mod p256;
pub mod prepared;
pub mod rsa;
