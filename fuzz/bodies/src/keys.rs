//! Any bytes as a key: JWK, JWK Set, PEM, DER.

use serde_json::Value;
use waxseal::jwk::{KeySet, PrivateJwk, PublicJwk, set};
use waxseal::jws::{SigningKey, VerifyingKey};

use crate::der;

/// Takes the input for the text of a key, and for the DER inside of a PEM text.
pub fn run(input: &[u8]) {
    if let Ok(jwk) = PublicJwk::from_json(input) {
        check_public(&jwk);
    }
    if let Ok(jwk) = PrivateJwk::from_json(input) {
        check_private(&jwk);
        assert!(PublicJwk::from_json(input).is_err(), "a private key was taken for a public one");
    }
    if let Ok(keys) = KeySet::from_json(input) {
        assert!(!keys.keys().is_empty());
    }
    if let Ok(value) = serde_json::from_slice::<Value>(input) {
        check_value(&value);
    }
    check_pem(&String::from_utf8_lossy(input));
    if input.len() < 4096 {
        for label in ["PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE"] {
            check_pem(&der::pem(label, input));
        }
    }
}

fn check_value(value: &Value) {
    if let Ok(half) = PublicJwk::half_of(value) {
        check_public(&half);
    }
    // What is published can be read, and none of it is private.
    if let Ok(published) = set::publish(value) {
        for jwk in &published {
            check_public(&PublicJwk::from_value(jwk).expect("what is published is public"));
        }
    }
}

fn check_pem(text: &str) {
    if let Ok(jwk) = PublicJwk::from_pem(text) {
        check_public(&jwk);
    }
    if let Ok(jwk) = PrivateJwk::from_pem(text) {
        check_private(&jwk);
        assert!(PublicJwk::from_pem(text).is_err(), "a private key was taken for a public one");
    }
}

/// A key that is written is the same when it is read again, and refuses what nobody signed.
fn check_public(jwk: &PublicJwk) {
    let written = jwk.to_value();
    let again = PublicJwk::from_value(&written).expect("a key that was written");
    assert_eq!(again.to_value(), written);
    assert_eq!((again.thumbprint(), again.algorithm()), (jwk.thumbprint(), jwk.algorithm()));
    assert!(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|name| written.get(name).is_none()));
    let key = VerifyingKey::from_jwk(jwk);
    let length = *key.algorithm().signature_lengths().start();
    assert!(!key.verify(b"message", &vec![1; length]), "a signature of ones");
    assert!(!key.verify(b"message", &vec![0; length]), "a signature of zeros");
}

fn check_private(jwk: &PrivateJwk) {
    check_public(jwk.public());
    let Ok(key) = SigningKey::from_private_jwk(jwk) else { return };
    let signature = key.sign(b"message");
    assert!(key.verifying_key().verify(b"message", &signature));
    assert!(!key.verifying_key().verify(b"massage", &signature));
    let again = PrivateJwk::from_json(key.to_private_json().as_bytes()).expect("a key that was written");
    let again = SigningKey::from_private_jwk(&again).unwrap();
    // RFC 6979: the same key signs the same.
    assert_eq!((again.sign(b"message"), again.kid()), (signature, key.kid()));
}
