//! What each fuzz target does with its input. The fuzzer of `fuzz/` calls these functions under nightly; `cargo test` calls
//! them on stable with the seeds, mutations of them, and every input that ever found something.
//!
//! A target fails by panicking: the crates under test never panic, so any panic is a finding, theirs or the target's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a target fails by panicking"
)]

pub mod base64url;
pub mod compact;
pub mod cookies;
pub mod json;
pub mod keys;
#[path = "../../../tests/minting/mod.rs"]
mod minting;
pub mod p256;
pub mod policy;
mod reference;
pub mod remote;
pub mod rsa;
pub mod seeds;
pub mod session;
pub mod verifier;

#[path = "../../../tests/support/der.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of it is used")]
mod der;

/// A target: its name, what it does with an input, and the inputs that it begins with.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program in `fuzz_targets/` and of its directories.
    pub name: &'static str,
    /// Panics if anything is wrong with the input's treatment.
    pub run: fn(&[u8]),
    /// Inputs that reach what random bytes would not.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many mutations `cargo test` tries in the time that others try one of theirs: cheap ones have more.
    pub weight: usize,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>, weight: usize) -> Target {
    Target { name, run, seeds, weight }
}

/// Every target.
pub const TARGETS: [Target; 11] = [
    target("base64url", base64url::run, seeds::base64url, 40),
    target("compact", compact::run, seeds::compact, 4),
    target("cookies", cookies::run, seeds::cookies, 20),
    target("json", json::run, seeds::json, 40),
    target("keys", keys::run, seeds::keys, 4),
    target("p256", p256::run, seeds::numbers, 1),
    target("policy", policy::run, seeds::numbers, 20),
    target("remote", remote::run, seeds::remote, 4),
    target("rsa", rsa::run, seeds::numbers, 1),
    target("session", session::run, seeds::numbers, 2),
    target("verifier", verifier::run, seeds::verifier, 4),
];
