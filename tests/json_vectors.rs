//! The parsers of headers and payloads against nst/JSONTestSuite. Where the suite leaves the verdict to the
//! implementation ours is to refuse; what we accept of those is a row of `tests/vectors/divergences.json`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::{Ledger, list, shared, text};
use waxseal::UnixTime;
use waxseal::encoding::base64url;
use waxseal::json::parse_value;
use waxseal::jwk::KeySet;
use waxseal::jws::{ProtectedHeader, SigningKey};
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig};

const FILE: &str = "json_test_suite.json";

/// The text of a case; the two longest are given as a piece to repeat up to a length.
fn bytes(test: &Value) -> Vec<u8> {
    match &test["repeat"] {
        Value::Null => STANDARD.decode(text(test, "b64")).unwrap(),
        piece => {
            let length = test["len"].as_u64().unwrap().try_into().unwrap();
            piece[0].as_str().unwrap().bytes().cycle().take(length).collect()
        }
    }
}

#[test]
fn values_are_read_strictly() {
    let Some(set) = shared(FILE) else { return };
    let mut ledger = Ledger::new(FILE);
    for test in list(&set, "tests") {
        ledger.case(&test["file"], test["expect"] == "accept", parse_value(&bytes(test)).is_ok());
    }
    ledger.finish();
}

/// The same texts as the last member of a header, so that nothing may follow them.
#[test]
fn headers_are_read_strictly() {
    let Some(set) = shared(FILE) else { return };
    let mut ledger = Ledger::new("json_test_suite.json in a header");
    for test in list(&set, "tests") {
        let header = [&br#"{"alg":"ES256","x":"#[..], &bytes(test), b"}"].concat();
        ledger.case(&test["file"], test["expect"] == "accept", ProtectedHeader::parse(&header, &[]).is_ok());
    }
    ledger.finish();
}

/// And as the last member of the claims of a signed token. Two are longer than any token.
#[test]
fn claims_are_read_strictly() {
    let Some(set) = shared(FILE) else { return };
    let key = SigningKey::generate(&[7; 32]).unwrap();
    let keys = KeySet::from_value(&key.public_jwk().to_value()).unwrap();
    let verifier =
        Verifier::new(VerifierConfig::new(vec![TrustedIssuer { issuer: None, audience: None, keys }])).unwrap();
    let now = UnixTime::from_seconds(0.0).unwrap();
    let mut ledger = Ledger::new("json_test_suite.json in claims");
    for test in list(&set, "tests") {
        let claims = [&br#"{"exp":60,"x":"#[..], &bytes(test), b"}"].concat();
        let input = format!("{}.{}", base64url(br#"{"alg":"ES256"}"#), base64url(&claims));
        let token = format!("{input}.{}", base64url(&key.sign(input.as_bytes())));
        ledger.case(&test["file"], test["expect"] == "accept", verifier.verify(&token, now).is_ok());
    }
    ledger.finish();
}
