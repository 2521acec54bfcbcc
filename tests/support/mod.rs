//! Where the test vectors are, and how verdicts on them are counted.
//!
//! `tests/vectors/` holds what is committed. Larger collections are read from `$WAXSEAL_VECTORS`, or from
//! `../shared/vectors` beside the repository; a test that misses its file prints the name of what it skips.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub mod der;
mod ledger;

pub use ledger::Ledger;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::test_runner::Config as ProptestConfig;
use serde_json::Value;

/// How often to try a property whose every case is slow: fewer times than usual, unless `PROPTEST_CASES` says how often.
pub fn slow_cases(cases: u32) -> ProptestConfig {
    let told = std::env::var_os("PROPTEST_CASES").is_some();
    if told { ProptestConfig::default() } else { ProptestConfig::with_cases(cases) }
}

/// A file of `tests/vectors/`.
pub fn committed(name: &str) -> Value {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name))
}

/// A file of the larger collections, if they are here.
pub fn shared(name: &str) -> Option<Value> {
    let root = std::env::var_os("WAXSEAL_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let path = root.join(name);
    if !path.exists() {
        println!("skipped, not present: {name}");
        return None;
    }
    Some(read(&path))
}

fn read(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A member that must be a string.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is not a string"))
}

/// A member that must be an array.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is not an array"))
}

/// A member that must be hexadecimal text.
pub fn hex(value: &Value, name: &str) -> Vec<u8> {
    unhex(text(value, name))
}

/// The octets of hexadecimal text; a missing leading zero is supplied.
pub fn unhex(text: &str) -> Vec<u8> {
    let even = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
    (0..even.len()).step_by(2).map(|i| u8::from_str_radix(&even[i..i + 2], 16).unwrap()).collect()
}
