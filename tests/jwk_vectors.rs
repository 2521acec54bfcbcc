//! Keys against published vectors, and signatures made by OpenSSL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use support::der::{P256, pem, spki};
use support::{Ledger, committed, hex, list, shared, text};
use waxseal::ErrorCode;
use waxseal::encoding::{base64url, from_base64url};
use waxseal::jwk::{KeySet, PrivateJwk, PublicJwk};
use waxseal::jws::VerifyingKey;

#[test]
fn points_are_read_from_pem_uncompressed_and_on_the_curve() {
    let file = "wycheproof/ecdh_secp256r1_ecpoint_test.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for test in list(&set, "testGroups").iter().flat_map(|group| list(group, "tests")) {
        let key = PublicJwk::from_pem(&pem("PUBLIC KEY", &spki(P256, &hex(test, "public"))));
        ledger.case(&test["tcId"], test["result"] == "valid", key.is_ok());
    }
    ledger.finish();
}

#[test]
fn points_are_read_from_jwks_on_the_curve() {
    let file = "wycheproof/ecdh_secp256r1_webcrypto_test.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for test in list(&set, "testGroups").iter().flat_map(|group| list(group, "tests")) {
        let accepted = PublicJwk::from_value(&test["public"]).is_ok();
        if accepted {
            assert!(PrivateJwk::from_value(&test["private"]).is_ok(), "case {}", test["tcId"]);
        }
        ledger.case(&test["tcId"], test["result"] == "valid", accepted);
    }
    ledger.finish();
}

#[test]
fn nist_public_keys() {
    let file = "nist_ecdsa_p256_pkv.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for (i, test) in list(&set, "tests").iter().enumerate() {
        let (x, y) = (base64url(&hex(test, "qx")), base64url(&hex(test, "qy")));
        let key = PublicJwk::from_value(&json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
        ledger.case(&json!(i), text(test, "result").starts_with('P'), key.is_ok());
    }
    ledger.finish();
}

#[test]
fn the_examples_of_the_rfcs_say_the_same_as_the_committed_ones() {
    let Some(set) = shared("rfc_jose_examples.json") else { return };
    let ours = committed("rfc.json");
    for (theirs, ours) in list(&set, "jws").iter().zip(list(&ours, "jws")) {
        assert_eq!((&theirs["public"], &theirs["token"]), (&ours["key"], &ours["token"]));
    }
    assert_eq!(set["thumbprint_rfc7638"]["jwk"], ours["thumbprint"]["jwk"]);
    assert_eq!(set["jwk_public_rfc7517_A1"]["keys"], ours["jwk_set"]["jwks"]["keys"]);
}

// RFC 7638 section 3.1
#[test]
fn the_thumbprint_of_rfc_7638() {
    let example = &committed("rfc.json")["thumbprint"];
    let jwk = PublicJwk::from_value(&example["jwk"]).unwrap();
    assert_eq!(jwk.thumbprint(), text(example, "sha256"));
    assert_eq!(VerifyingKey::from_jwk(&jwk).thumbprint(), text(example, "sha256"));
}

// RFC 7517 appendix A.1: the first key of the set is for encryption.
#[test]
fn the_key_set_of_rfc_7517_has_one_key_for_signatures() {
    let example = &committed("rfc.json")["jwk_set"];
    let set = KeySet::from_value(&example["jwks"]).unwrap();
    let kids: Vec<_> = set.keys().iter().map(|key| key.kid().unwrap()).collect();
    assert_eq!(json!(kids), example["usable_kids"]);
    let alone = PublicJwk::from_value(&example["jwks"]["keys"][0]).unwrap_err();
    assert_eq!(alone.code(), ErrorCode::KeyUnsupported);
}

// RFC 7517 appendix B
#[test]
fn the_certificate_of_rfc_7517_holds_the_key_beside_it() {
    let example = &committed("rfc.json")["certificate"];
    let certificate = pem("CERTIFICATE", &STANDARD.decode(text(example, "x5c")).unwrap());
    let jwk = PublicJwk::from_value(&example["jwk"]).unwrap();
    assert_eq!(PublicJwk::from_pem(&certificate).unwrap().thumbprint(), jwk.thumbprint());
}

#[test]
fn rsa_keys_of_every_length_and_exponent_in_range_verify() {
    let made = &committed("openssl.json")["signatures"];
    for case in list(made, "cases") {
        let jwk = PublicJwk::from_pem(text(case, "pem")).unwrap();
        let modulus = from_base64url(text(&jwk.to_value(), "n").as_bytes()).unwrap();
        let bits = u32::try_from(modulus.len()).unwrap() * 8 - modulus[0].leading_zeros();
        assert_eq!(json!(bits), case["bits"], "the modulus is as long as it is said to be");
        let key = VerifyingKey::from_jwk(&jwk);
        let signature = hex(case, "signature");
        assert!(key.verify(text(made, "message").as_bytes(), &signature), "{} bits, e {}", case["bits"], case["e"]);
        assert!(!key.verify(b"another message", &signature));
        assert!(!key.verify(text(made, "message").as_bytes(), &signature[1..]), "one octet short");
        let longer = [&[0][..], &signature].concat();
        assert!(!key.verify(text(made, "message").as_bytes(), &longer), "one octet long");
    }
}
