//! Keys against published vectors, and PEM made by OpenSSL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use support::{Ledger, committed, hex, list, shared, text};
use waxseal::ErrorCode;
use waxseal::encoding::base64url;
use waxseal::jwk::{KeySet, PrivateJwk, PublicJwk};
use waxseal::jws::{SigningKey, VerifyingKey};

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// `SubjectPublicKeyInfo` of a P-256 key around any octets for the point.
fn spki(point: &[u8]) -> Vec<u8> {
    let length = u8::try_from(point.len()).unwrap();
    let algorithm = [
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x03, 0x01, 0x07,
    ];
    let bits = [&[0x03, length + 1, 0x00], point].concat();
    let body = [&algorithm[..], &bits].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

#[test]
fn points_are_read_from_pem_uncompressed_and_on_the_curve() {
    let file = "wycheproof/ecdh_secp256r1_ecpoint_test.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for test in list(&set, "testGroups").iter().flat_map(|group| list(group, "tests")) {
        let key = PublicJwk::from_pem(&pem("PUBLIC KEY", &spki(&hex(test, "public"))));
        ledger.case(&test["tcId"], test["result"] == "valid", key.is_ok());
    }
    ledger.finish(355);
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
    ledger.finish(353);
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
    ledger.finish(12);
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
    println!("rfc_jose_examples.json: 2 tokens, 1 thumbprint, 1 key set, as committed");
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
fn pem_and_jwk_of_one_key_are_the_same_key() {
    let rfc = committed("rfc.json");
    let made = &committed("openssl.json")["same_as_rfc_7515"];
    for (kind, jwk) in [("ec", &rfc["ec_private"]["jwk"]), ("rsa", &rfc["rsa_private"]["jwk"])] {
        let expected = PrivateJwk::from_value(jwk).unwrap().public().thumbprint();
        for public in list(&made[kind], "public") {
            assert_eq!(PublicJwk::from_pem(public.as_str().unwrap()).unwrap().thumbprint(), expected, "{kind}");
        }
        let private = PrivateJwk::from_pem(text(&made[kind], "private")).unwrap();
        assert_eq!(private.public().thumbprint(), expected, "{kind}");
        assert_eq!(private.kid(), None);
    }
    let from_pem = SigningKey::from_pkcs8_pem(text(&made["ec"], "private")).unwrap();
    let from_jwk = SigningKey::from_private_jwk(&PrivateJwk::from_value(&rfc["ec_private"]["jwk"]).unwrap()).unwrap();
    assert_eq!(from_pem.sign(b"message"), from_jwk.sign(b"message"));
    let rsa = SigningKey::from_pkcs8_pem(text(&made["rsa"], "private")).unwrap_err();
    assert_eq!(rsa.code(), ErrorCode::KeyUnsupported);
}

#[test]
fn pem_of_other_kinds_is_refused_by_its_own_code() {
    for case in list(&committed("openssl.json"), "refused") {
        let error = PublicJwk::from_pem(text(case, "pem")).unwrap_err();
        assert_eq!(error.code().as_str(), text(case, "code"), "{}", case["what"]);
    }
}

#[test]
fn rsa_keys_of_every_length_and_exponent_in_range_verify() {
    let made = &committed("openssl.json")["signatures"];
    for case in list(made, "cases") {
        let key = VerifyingKey::from_jwk(&PublicJwk::from_pem(text(case, "pem")).unwrap());
        let signature = hex(case, "signature");
        assert!(key.verify(text(made, "message").as_bytes(), &signature), "{} bits, e {}", case["bits"], case["e"]);
        assert!(!key.verify(b"another message", &signature));
        assert!(!key.verify(text(made, "message").as_bytes(), &signature[1..]), "one octet short");
        let longer = [&[0][..], &signature].concat();
        assert!(!key.verify(text(made, "message").as_bytes(), &longer), "one octet long");
    }
}

/// Cuts, flips and lengthens a PEM in every place: whatever comes of it, it must not be a panic.
#[test]
fn no_damage_to_pem_panics_or_yields_another_ec_key() {
    let made = &committed("openssl.json")["same_as_rfc_7515"];
    for kind in ["ec", "rsa"] {
        let whole = text(&made[kind], "private");
        let body: String = whole.lines().filter(|line| !line.starts_with("--")).collect();
        let der = STANDARD.decode(body).unwrap();
        let read = |der: &[u8]| PrivateJwk::from_pem(&pem("PRIVATE KEY", der));
        assert!(read(&der).is_ok());
        for length in 0..der.len() {
            assert!(read(&der[..length]).is_err(), "{kind} cut to {length} octets");
        }
        for i in 0..der.len() {
            let mut damaged = der.clone();
            damaged[i] ^= 0x21;
            // The numbers of an RSA key have no redundancy, and its private ones are not decoded.
            assert!(read(&damaged).is_err() || kind == "rsa", "{kind} with octet {i} changed");
        }
        assert!(read(&[&der[..], &[0]].concat()).is_err(), "{kind} with an octet after it");
    }
}

#[test]
fn pem_is_one_block_and_nothing_else() {
    let made = committed("openssl.json");
    let whole = made["same_as_rfc_7515"]["ec"]["public"][0].as_str().unwrap();
    let code = |text: &str| PublicJwk::from_pem(text).err().map(|error| error.code());
    assert_eq!(code(whole), None);
    assert_eq!(
        code(&format!("\r\n{}  ", whole.replace('\n', "\r\n"))),
        None,
        "line ends and space around it do not matter"
    );
    for wrong in [
        String::new(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----".to_owned(),
        format!("{whole}{whole}"),
        format!("subject=CN=a\n{whole}"),
        whole.replace("END PUBLIC", "END PRIVATE"),
        whole.replace("-----BEGIN", "----BEGIN"),
        whole.replacen('M', "*", 1),
        whole.replace("==", ""),
        format!("{whole}{}", " ".repeat(65536)),
    ] {
        assert_eq!(code(&wrong), Some(ErrorCode::KeyInvalid), "{wrong}");
    }
    assert_eq!(code("-----BEGIN X-----\n-----END X-----"), Some(ErrorCode::KeyUnsupported));
}
