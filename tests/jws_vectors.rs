//! Signatures against published vectors, and the refusals that each have their own code.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{committed, hex, list, text};
use waxseal::ErrorCode;
use waxseal::encoding::base64url;
use waxseal::jwk::{PrivateJwk, PublicJwk};
use waxseal::jws::{CompactJws, SigningKey, VerifyingKey, compact::DEFAULT_MAX_LENGTH};

fn verifying_key(jwk: &Value) -> VerifyingKey {
    VerifyingKey::from_jwk(&PublicJwk::from_value(jwk).unwrap())
}

fn signing_key() -> SigningKey {
    SigningKey::generate(&[0x5a; 32]).unwrap()
}

fn verify(token: &str, key: &VerifyingKey) -> Result<Vec<u8>, ErrorCode> {
    CompactJws::parse(token, DEFAULT_MAX_LENGTH, &[])
        .and_then(|jws| jws.verify_signature(key))
        .map(|verified| verified.into_parts().1)
        .map_err(|error| error.code())
}

fn token_with(header: &str, payload: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload));
    let signature = base64url(&sign(input.as_bytes()));
    format!("{input}.{signature}")
}

// RFC 7515 appendices A.2 and A.3
#[test]
fn the_examples_of_rfc_7515_verify() {
    for example in list(&committed("rfc.json"), "jws") {
        let payload = verify(text(example, "token"), &verifying_key(&example["key"]));
        assert_eq!(payload.as_deref(), Ok(text(example, "payload").as_bytes()), "{}", example["source"]);
    }
}

// RFC 6979 appendix A.2.5
#[test]
fn signatures_are_the_deterministic_ones_of_rfc_6979() {
    let example = &committed("rfc.json")["deterministic"];
    let key = SigningKey::from_private_jwk(&PrivateJwk::from_value(&example["jwk"]).unwrap()).unwrap();
    for known in list(example, "signatures") {
        assert_eq!(key.sign(text(known, "message").as_bytes()).as_slice(), hex(known, "hex"));
    }
}

#[test]
fn a_signature_of_zeros_is_refused() {
    let key = signing_key().verifying_key();
    let token = token_with(r#"{"alg":"ES256"}"#, b"{}", |_| vec![0; 64]);
    assert_eq!(verify(&token, &key), Err(ErrorCode::SignatureInvalid));
}

#[test]
fn the_algorithm_comes_from_the_key() {
    let key = signing_key();
    for alg in ["RS256", "none", "HS256", "es256", "ES256K", ""] {
        let header = json!({ "alg": alg }).to_string();
        let token = token_with(&header, b"{}", |input| key.sign(input).to_vec());
        assert_eq!(verify(&token, &key.verifying_key()), Err(ErrorCode::AlgorithmNotAllowed), "{alg}");
    }
}
