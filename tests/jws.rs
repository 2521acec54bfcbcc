//! Verification and signing of compact tokens: each way to be wrong has its own test and its own code.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use jwt_compact::{Algorithm as _, AlgorithmExt as _, AlgorithmSignature as _, Claims, Header, UntrustedToken};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{committed, list, text, unhex};
use waxseal::ErrorCode;
use waxseal::encoding::base64url;
use waxseal::jwk::PublicJwk;
use waxseal::jws::es256::{Es256, Es256Signature};
use waxseal::jws::rs256::{HostKey, Rs256, Rs256Signature};
use waxseal::jws::{CompactJws, SigningKey, VerifyingKey, compact::DEFAULT_MAX_LENGTH};

/// n, the order of the group of P-256 (SEC 2 section 2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn signing_key() -> SigningKey {
    SigningKey::generate(&[0x5a; 32]).unwrap()
}

fn rfc_7515(alg: &str) -> (VerifyingKey, String) {
    let rfc = committed("rfc.json");
    let kty = if alg == "RS256" { "RSA" } else { "EC" };
    let example = list(&rfc, "jws").iter().find(|example| example["key"]["kty"] == kty).unwrap();
    let key = VerifyingKey::from_jwk(&PublicJwk::from_value(&example["key"]).unwrap());
    (key, text(example, "token").to_owned())
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

/// The verdict on an ES256 token with a signature that is made from the right one.
fn es256_with(change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Vec<u8>, ErrorCode> {
    let key = signing_key();
    let token = token_with(r#"{"alg":"ES256"}"#, b"{}", |input| change(key.sign(input).to_vec()));
    verify(&token, &key.verifying_key())
}

const INVALID: Result<Vec<u8>, ErrorCode> = Err(ErrorCode::SignatureInvalid);

#[test]
fn what_was_signed_verifies() {
    assert_eq!(es256_with(|signature| signature), Ok(b"{}".to_vec()));
}

// CVE-2022-21449
#[test]
fn a_signature_of_zeros_is_refused() {
    assert_eq!(es256_with(|_| vec![0; 64]), INVALID);
}

#[test]
fn a_signature_with_r_zero_is_refused() {
    assert_eq!(es256_with(|signature| [&[0; 32], &signature[32..]].concat()), INVALID);
}

#[test]
fn a_signature_with_s_zero_is_refused() {
    assert_eq!(es256_with(|signature| [&signature[..32], &[0; 32]].concat()), INVALID);
}

#[test]
fn a_signature_with_r_or_s_not_below_the_order_is_refused() {
    for number in [unhex(ORDER), vec![0xff; 32]] {
        assert_eq!(es256_with(|signature| [&number, &signature[32..]].concat()), INVALID);
        assert_eq!(es256_with(|signature| [&signature[..32], &number].concat()), INVALID);
    }
}

// RFC 7518 section 3.4
#[test]
fn a_signature_in_der_is_refused() {
    let der = |signature: Vec<u8>| {
        let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
        [vec![0x30, 70], integer(&signature[..32]), integer(&signature[32..])].concat()
    };
    assert_eq!(es256_with(der), INVALID);
}

#[test]
fn a_signature_of_another_length_is_refused() {
    assert_eq!(es256_with(|_| Vec::new()), INVALID);
    assert_eq!(es256_with(|signature| signature[..63].to_vec()), INVALID);
    assert_eq!(es256_with(|signature| [&signature[..], &[0]].concat()), INVALID);
    assert_eq!(es256_with(|signature| [&[0], &signature[..]].concat()), INVALID);
    assert_eq!(es256_with(|signature| signature.repeat(2)), INVALID);
}

/// n - s, big-endian: the other s that verifies.
fn negated(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut out: Vec<u8> = unhex(ORDER)
        .iter()
        .zip(s)
        .rev()
        .map(|(n, s)| {
            let difference = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    out.reverse();
    out
}

// RFC 7518 section 3.4 has no low-s rule.
#[test]
fn a_signature_verifies_with_a_high_s_and_with_a_low_one() {
    let mut halves = std::collections::BTreeSet::new();
    let is_high = |signature: &[u8]| signature[32..] > unhex(ORDER).iter().map(|b| b / 2).collect::<Vec<_>>()[..];
    assert_eq!(
        es256_with(|signature| {
            halves.insert(is_high(&signature));
            let other = [&signature[..32], &negated(&signature[32..])].concat();
            halves.insert(is_high(&other));
            other
        }),
        Ok(b"{}".to_vec())
    );
    assert_eq!(halves.len(), 2, "one of the two is high");
}

#[test]
fn the_algorithm_comes_from_the_key() {
    let key = signing_key();
    for alg in ["RS256", "none", "HS256", "es256", "ES256K", ""] {
        let token = token_with(&json!({ "alg": alg }).to_string(), b"{}", |input| key.sign(input).to_vec());
        assert_eq!(verify(&token, &key.verifying_key()), Err(ErrorCode::AlgorithmNotAllowed), "{alg}");
    }
    let (rsa, token) = rfc_7515("RS256");
    assert_eq!(verify(&token, &key.verifying_key()), Err(ErrorCode::AlgorithmNotAllowed));
    let (_, token) = rfc_7515("ES256");
    assert_eq!(verify(&token, &rsa), Err(ErrorCode::AlgorithmNotAllowed));
}

// RFC 7515 section 4.1.3: a key in the header is the attacker's.
#[test]
fn a_key_in_the_header_is_not_used() {
    let (attacker, victim) = (signing_key(), SigningKey::generate(&[0x33; 32]).unwrap());
    let header = json!({ "alg": "ES256", "jwk": attacker.public_jwk().to_value(), "kid": victim.kid() }).to_string();
    let token = token_with(&header, b"{}", |input| attacker.sign(input).to_vec());
    assert_eq!(verify(&token, &victim.verifying_key()), INVALID);
}

// RFC 8017 section 8.2.2 step 1 and section 5.2.2 step 1
#[test]
fn an_rsa_signature_is_as_long_as_the_modulus_and_below_it() {
    let (key, token) = rfc_7515("RS256");
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = waxseal::encoding::from_base64url(signature.as_bytes()).unwrap();
    let verdict = |signature: &[u8]| verify(&format!("{input}.{}", base64url(signature)), &key);
    assert!(verdict(&signature).is_ok());
    let modulus = text(&list(&committed("rfc.json"), "jws")[0]["key"], "n").to_owned();
    let modulus = waxseal::encoding::from_base64url(modulus.as_bytes()).unwrap();
    for wrong in [
        vec![],
        vec![0; 256],
        [&vec![0; 255][..], &[1]].concat(),
        vec![0xff; 256],
        modulus.clone(),
        signature[1..].to_vec(),
        signature[..255].to_vec(),
        [&[0], &signature[..]].concat(),
        [&signature[..], &[0]].concat(),
    ] {
        assert_eq!(verdict(&wrong), INVALID, "{} octets", wrong.len());
    }
}

/// The sum of two numbers of one length, big-endian, in as many octets.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let sum = u16::from(*a) + u16::from(*b) + carry;
            carry = sum >> 8;
            u8::try_from(sum & 0xff).unwrap()
        })
        .collect();
    assert_eq!(carry, 0);
    sum.reverse();
    sum
}

// RFC 8017 section 5.2.2 step 1: the same number modulo the modulus, and of the same length, but not below it.
#[test]
fn an_rsa_signature_plus_the_modulus_is_refused() {
    let made = &committed("openssl.json")["signatures"];
    let case = &list(made, "cases")[0];
    assert_eq!(case["bits"], 2049, "the octets of this modulus have room for twice its value");
    let jwk = PublicJwk::from_pem(text(case, "pem")).unwrap();
    let (key, message) = (VerifyingKey::from_jwk(&jwk), text(made, "message").as_bytes());
    let modulus = waxseal::encoding::from_base64url(text(&jwk.to_value(), "n").as_bytes()).unwrap();
    let signature = unhex(text(case, "signature"));
    assert!(key.verify(message, &signature));
    assert!(!key.verify(message, &sum(&signature, &modulus)));
}

#[test]
fn tokens_of_jwt_compact_and_ours_are_the_same() {
    let key = signing_key();
    let claims = Claims::new(json!({ "sub": "alice" }));
    let token = Es256.token(&Header::empty().with_key_id(key.kid()), &claims, &key).unwrap();
    let verified = CompactJws::parse(&token, DEFAULT_MAX_LENGTH, &[]).unwrap();
    assert_eq!(verified.header().kid(), Some(key.kid()));
    let verified = verified.verify_signature(&key.verifying_key()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(verified.payload()).unwrap(), json!({ "sub": "alice" }));

    assert_eq!(Rs256.name(), "RS256");
    assert!(Rs256.token(&Header::empty(), &claims, &HostKey).unwrap().ends_with('.'), "the host signs");
}

#[test]
fn jwt_compact_verifies_by_our_algorithms_what_we_verify_and_nothing_else() {
    let [(ec, es256), (rsa, rs256)] = ["ES256", "RS256"].map(rfc_7515);
    let of_curve =
        |token: &str, key| Es256.validator::<Value>(key).validate(&UntrustedToken::new(token).unwrap()).is_ok();
    let of_rsa =
        |token: &str, key| Rs256.validator::<Value>(key).validate(&UntrustedToken::new(token).unwrap()).is_ok();
    let forged = |token: &str| {
        let at = token.len() - 9;
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    assert!(of_curve(&es256, &ec) && of_rsa(&rs256, &rsa));
    assert!(!of_curve(&forged(&es256), &ec) && !of_rsa(&forged(&rs256), &rsa));
    assert!(!of_curve(&es256, &rsa) && !of_rsa(&rs256, &ec), "the algorithm comes from the key");
}

#[test]
fn signatures_of_jwt_compact_are_the_bytes_that_they_were_made_of() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(Rs256Signature::try_from_slice(&bytes).unwrap().as_bytes().as_ref(), bytes);
    assert_eq!(Es256Signature::try_from_slice(&bytes[..64]).unwrap().as_bytes().as_ref(), &bytes[..64]);
    assert!(Es256Signature::try_from_slice(&bytes[..63]).is_err());
}

#[test]
fn the_private_jwk_of_a_key_makes_the_same_key() {
    let key = signing_key();
    let again = waxseal::jwk::PrivateJwk::from_json(key.to_private_json().as_bytes()).unwrap();
    let again = SigningKey::from_private_jwk(&again).unwrap();
    assert_eq!((again.kid(), again.sign(b"m")), (key.kid(), key.sign(b"m")));
    assert_eq!(key.kid(), key.public_jwk().thumbprint());
}

#[test]
fn bytes_that_are_no_scalar_make_no_key() {
    assert!(SigningKey::generate(&[0; 32]).is_none());
    assert!(SigningKey::generate(&[0xff; 32]).is_none());
    assert!(SigningKey::generate(unhex(ORDER).as_slice().try_into().unwrap()).is_none());
}

#[test]
fn debug_shows_no_key_and_no_token() {
    let key = signing_key();
    let (_, token) = rfc_7515("ES256");
    let jws = CompactJws::parse(&token, DEFAULT_MAX_LENGTH, &[]).unwrap();
    let jwk = key.public_jwk().to_value();
    let shown = format!("{key:?} {:?} {:?} {jws:?} {:?}", key.verifying_key(), key.public_jwk(), jws.header());
    for secret in [text(&jwk, "x"), text(&jwk, "y"), "5a5a", "90, 90", &token[30..50], "joe"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn any_header() -> impl Strategy<Value = String> {
    "[a-z0-9]{0,12}".prop_map(|kid| json!({ "alg": "ES256", "kid": kid, "typ": "JWT" }).to_string())
}

proptest! {
    #![proptest_config(support::slow_cases(48))]

    #[test]
    fn what_a_key_signs_verifies_with_that_key_alone(
        seed in any::<[u8; 32]>(), other in any::<[u8; 32]>(), header in any_header(), payload in any::<Vec<u8>>(),
    ) {
        let (Some(key), Some(other)) = (SigningKey::generate(&seed), SigningKey::generate(&other)) else { return Ok(()) };
        let token = token_with(&header, &payload, |input| key.sign(input).to_vec());
        prop_assert_eq!(verify(&token, &key.verifying_key()), Ok(payload));
        prop_assert_eq!(verify(&token, &other.verifying_key()), INVALID);
    }

    #[test]
    fn a_token_with_any_character_changed_never_verifies(position in any::<prop::sample::Index>(), by in 1..255u8) {
        for alg in ["ES256", "RS256"] {
            let (key, token) = rfc_7515(alg);
            let mut bytes = token.clone().into_bytes();
            let i = position.index(bytes.len());
            bytes[i] = bytes[i].wrapping_add(by) & 0x7f;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(changed == token || verify(&changed, &key).is_err());
        }
    }

    #[test]
    fn no_text_panics(token in "[A-Za-z0-9_.{}\"=-]{0,80}") {
        prop_assert!(verify(&token, &signing_key().verifying_key()).is_err());
    }

    #[test]
    fn no_bytes_are_a_signature(signature in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(es256_with(|_| signature.clone()), INVALID);
        let (key, token) = rfc_7515("RS256");
        let (input, _) = token.rsplit_once('.').unwrap();
        prop_assert_eq!(verify(&format!("{input}.{}", base64url(&signature)), &key), INVALID);
    }
}
