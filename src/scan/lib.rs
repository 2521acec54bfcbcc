//! What is read of every token, byte by byte: base64url and JSON, both strictly, and the hash by which a token is known
//! again.
//!
//! It is a crate of its own for the same reason as `waxseal-arithmetic`: it is optimised for speed where the rest of
//! Waxseal is optimised for size. Tokens are public, so a time that depends on their content gives nothing away; private
//! keys are decoded elsewhere.

pub mod base64url;
pub mod hash;
pub mod json;
mod lanes;
