//! Tokens for tests: any header and any payload, signed with real keys, and a verifier that accepts the plain ones.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use serde_json::{Value, json};
use waxseal::encoding::{base64url, from_base64url, sha256};
use waxseal::error::Reason;
use waxseal::jwk::KeySet;
use waxseal::jws::{SigningKey, VerifyingKey};
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig};
use waxseal::{Error, ErrorCode, UnixTime};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "api";
pub const HEADER: &str = r#"{"alg":"ES256","typ":"JWT"}"#;

/// The second at which tests happen.
pub const NOW: u32 = 1_700_000_000;

/// A time some seconds from now.
pub fn at(offset: f64) -> UnixTime {
    UnixTime::from_seconds(f64::from(NOW) + offset).unwrap()
}

pub fn now() -> UnixTime {
    at(0.0)
}

/// One key for each number.
pub fn key(number: u8) -> SigningKey {
    SigningKey::generate(&[number; 32]).unwrap()
}

/// The public halves of keys as a JWK Set.
pub fn key_set(keys: &[&SigningKey]) -> KeySet {
    let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk().to_value()).collect();
    KeySet::from_value(&json!({ "keys": keys })).unwrap()
}

pub fn trusted(issuer: &str, keys: KeySet) -> TrustedIssuer {
    TrustedIssuer { issuer: Some(vec![issuer.to_owned()]), audience: Some(vec![AUDIENCE.to_owned()]), keys }
}

/// The options that accept [`token`], to be changed.
pub fn config() -> VerifierConfig {
    VerifierConfig::new(vec![trusted(ISSUER, key_set(&[&key(1)]))])
}

pub fn verifier(change: impl FnOnce(&mut VerifierConfig)) -> Verifier {
    let mut config = config();
    change(&mut config);
    Verifier::new(config).unwrap()
}

/// A token of any content, signed with ES256.
pub fn sign(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let input = [base64url(header.as_bytes()), base64url(payload)].join(".");
    let signature = key.sign(input.as_bytes());
    [input, base64url(&signature)].join(".")
}

/// The claims that everybody accepts, changed: a member that is null is taken out.
pub fn claims(changes: &Value) -> Value {
    let mut claims =
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW, "exp": NOW + 900, "jti": "token-1"});
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A token with these claims.
pub fn token(changes: &Value) -> String {
    sign(&key(1), HEADER, claims(changes).to_string().as_bytes())
}

/// A token with the plain claims and one more, whose value is this text.
pub fn token_with(claim: &str, text: &str) -> String {
    let rest = claims(&json!({ claim: null })).to_string();
    sign(&key(1), HEADER, format!("{{\"{claim}\":{text},{}", rest.strip_prefix('{').unwrap()).as_bytes())
}

pub fn refusal(verifier: &Verifier, token: &str, now: UnixTime) -> Error {
    verifier.verify(token, now).unwrap_err()
}

pub fn code(verifier: &Verifier, token: &str) -> Result<(), ErrorCode> {
    verifier.verify(token, now()).map(|_| ()).map_err(|error| error.code())
}

/// The code, claim and reason for a token at a time.
pub fn fault(verifier: &Verifier, token: &str, now: UnixTime) -> (ErrorCode, Option<String>, Option<Reason>) {
    let error = refusal(verifier, token, now);
    (error.code(), error.claim().map(str::to_owned), error.reason())
}

pub fn check_failed(code: ErrorCode, claim: &str) -> (ErrorCode, Option<String>, Option<Reason>) {
    (code, Some(claim.to_owned()), Some(Reason::CheckFailed))
}

pub fn missing(claim: &str) -> (ErrorCode, Option<String>, Option<Reason>) {
    (ErrorCode::ClaimMissing, Some(claim.to_owned()), Some(Reason::Missing))
}

// RFC 7515 appendix A.2
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";

pub fn rsa_jwk() -> Value {
    json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "kid": "rsa"})
}

pub fn rsa_key() -> VerifyingKey {
    KeySet::from_value(&rsa_jwk()).unwrap().keys()[0].clone()
}

/// Stands for the host's RS256 (RFC 8017 section 8.2.1).
pub fn rsa_sign(message: &[u8]) -> Vec<u8> {
    let number = |text: &str| BoxedUint::from_be_slice_vartime(&from_base64url(text.as_bytes()).unwrap());
    let mut encoded = vec![0xff; 256];
    encoded[0] = 0;
    encoded[1] = 1;
    let digest_info = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    encoded[204] = 0;
    encoded[205..224].copy_from_slice(&digest_info);
    encoded[224..].copy_from_slice(&sha256(message));
    let modulus = BoxedMontyParams::new_vartime(Odd::new(number(RSA_N)).unwrap());
    let message = BoxedMontyForm::new(BoxedUint::from_be_slice_vartime(&encoded), &modulus);
    message.pow(&number(RSA_D)).retrieve().to_be_bytes().to_vec()
}
