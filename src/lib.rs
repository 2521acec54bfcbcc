//! Waxseal verifies and issues ES256 and RS256 JSON Web Tokens, builds and reads secure cookies, and decides
//! revocation. The core is plain Rust: it performs no I/O, reads no clock and draws no randomness; the time and random
//! bytes are arguments, and a decision that needs storage is a plan (which keys to read) and a verdict (from their
//! values).
//!
//! | layer | modules |
//! |---|---|
//! | leaves | [`error`], [`time`], [`encoding`], [`json`], [`origin`] |
//! | crypto | [`jwa`], [`jwk`], [`jws`] |
//! | entries | [`revocation`], [`remote`] |
//! | tokens | [`jwt`], [`cookie`] |
//! | requests | [`request`] |
//! | sessions | [`session`] |
//!
//! The arithmetic of signatures is a crate of its own; of it, [`prepared`] bounds the memory that keys in use take.
//!
//! A module uses only those above its own row. The JavaScript bindings exist on `wasm32` with the feature `js` alone.

#[cfg(all(target_arch = "wasm32", feature = "js"))]
mod bindings;
pub mod cookie;
pub mod encoding;
pub mod error;
pub mod json;
pub mod jwa;
pub mod jwk;
pub mod jws;
pub mod jwt;
mod names;
pub mod origin;
pub mod remote;
pub mod request;
pub mod revocation;
mod secret;
pub mod session;
pub mod time;

pub use error::{Error, ErrorCode};
pub use time::UnixTime;
pub use waxseal_arithmetic::prepared;

/// The README's Rust program, compiled as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
