//! PEM: what OpenSSL writes, what it would never write, and damage of every kind.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::der::{BIT_STRING, OCTET_STRING, P256, SEQUENCE, element, pem, spki};
use support::{committed, list, text};
use waxseal::ErrorCode;
use waxseal::encoding::from_base64url;
use waxseal::jwk::{PrivateJwk, PublicJwk};
use waxseal::jws::SigningKey;

/// `parameters` and `publicKey` of RFC 5915, and `attributes` and `publicKey` of RFC 5958.
const EXPLICIT_0: u8 = 0xa0;
const EXPLICIT_1: u8 = 0xa1;
const IMPLICIT_1: u8 = 0x81;

/// The scalar and the uncompressed point of the key of RFC 7515 appendix A.3.
fn ec_key() -> (Vec<u8>, Vec<u8>) {
    let jwk = &committed("rfc.json")["ec_private"]["jwk"];
    let member = |name| from_base64url(text(jwk, name).as_bytes()).unwrap();
    (member("d"), [vec![4], member("x"), member("y")].concat())
}

fn private_code(der: &[u8]) -> Option<ErrorCode> {
    PrivateJwk::from_pem(&pem("PRIVATE KEY", der)).err().map(|error| error.code())
}

fn public_code(der: &[u8]) -> Option<ErrorCode> {
    PublicJwk::from_pem(&pem("PUBLIC KEY", der)).err().map(|error| error.code())
}

// RFC 5915 section 3 and RFC 5958 section 2: what is optional may be absent, and what is stated must be true.
#[test]
fn the_optional_parts_of_a_private_key_are_checked() {
    let (scalar, point) = ec_key();
    let pkcs8 = |version: u8, key: &[u8], rest: &[u8]| {
        element(SEQUENCE, &[&[2, 1, version], P256, &element(OCTET_STRING, &[key]), rest])
    };
    let sec1 = |version: u8, scalar: &[u8], rest: &[u8]| {
        element(SEQUENCE, &[&[2, 1, version], &element(OCTET_STRING, &[scalar]), rest])
    };
    let minimal = sec1(1, &scalar, &[]);
    let curve = |last: u8| element(EXPLICIT_0, &[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, last]]);
    let bits = element(BIT_STRING, &[&[0], &point]);
    let other = SigningKey::generate(&[1; 32]).unwrap().public_jwk().to_value();
    let member = |name| from_base64url(text(&other, name).as_bytes()).unwrap();
    let other = [vec![4], member("x"), member("y")].concat();

    let attributes = element(EXPLICIT_0, &[]);
    let public = |point: &[u8]| element(IMPLICIT_1, &[&[0], point]);
    for (what, der) in [
        ("the scalar alone", pkcs8(0, &minimal, &[])),
        ("attributes", pkcs8(0, &minimal, &attributes)),
        ("version 1", pkcs8(1, &minimal, &[])),
        ("version 1 with the public key", pkcs8(1, &minimal, &[attributes, public(&point)].concat())),
        (
            "curve and point inside",
            pkcs8(0, &sec1(1, &scalar, &[curve(7), element(EXPLICIT_1, &[&bits])].concat()), &[]),
        ),
    ] {
        assert_eq!(private_code(&der), None, "{what}");
    }
    let misstated = element(EXPLICIT_1, &[&element(BIT_STRING, &[&[0], &other])]);
    for (what, der) in [
        ("another point outside", pkcs8(1, &minimal, &public(&other))),
        ("another point inside", pkcs8(0, &sec1(1, &scalar, &misstated), &[])),
        ("another curve inside", pkcs8(0, &sec1(1, &scalar, &curve(6)), &[])),
        ("a public key in version 0", pkcs8(0, &minimal, &public(&point))),
        ("version 2", pkcs8(2, &minimal, &[])),
        ("SEC 1 version 0", pkcs8(0, &sec1(0, &scalar, &[]), &[])),
        ("SEC 1 version 2", pkcs8(0, &sec1(2, &scalar, &[]), &[])),
        ("a short scalar", pkcs8(0, &sec1(1, &scalar[1..], &[]), &[])),
        ("a long scalar", pkcs8(0, &sec1(1, &[&[0], &scalar[..]].concat(), &[]), &[])),
        ("a scalar of zero", pkcs8(0, &sec1(1, &[0; 32], &[]), &[])),
        ("something after the key", pkcs8(0, &[&minimal[..], &[5, 0]].concat(), &[])),
        ("something inside the key", pkcs8(0, &sec1(1, &scalar, &[5, 0]), &[])),
        ("something after the attributes", pkcs8(0, &minimal, &[0x05, 0x00])),
    ] {
        assert_eq!(private_code(&der), Some(ErrorCode::KeyInvalid), "{what}");
    }
}

// SEC 1 section 2.3.4
#[test]
fn a_point_is_uncompressed_and_whole() {
    let (_, point) = ec_key();
    let code = |octets: &[u8]| public_code(&spki(P256, octets));
    assert_eq!(code(&point), None);
    for (what, octets, expected) in [
        ("nothing", vec![], ErrorCode::KeyInvalid),
        ("infinity", vec![0], ErrorCode::KeyInvalid),
        ("the tag alone", vec![4], ErrorCode::KeyInvalid),
        ("one octet short", point[..64].to_vec(), ErrorCode::KeyInvalid),
        ("one octet long", [&point[..], &[0]].concat(), ErrorCode::KeyInvalid),
        ("hybrid form", [&[6], &point[1..]].concat(), ErrorCode::KeyInvalid),
        ("compressed", [&[2], &point[1..33]].concat(), ErrorCode::KeyUnsupported),
    ] {
        assert_eq!(code(&octets), Some(expected), "{what}");
    }
}

// RFC 3279 section 2.3.1
#[test]
fn an_rsa_key_has_null_parameters_and_two_positive_numbers() {
    let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let null = element(SEQUENCE, &[&oid, &[5, 0]]);
    let modulus = element(2, &[&[0], &[0xff; 256]]);
    let key = element(SEQUENCE, &[&modulus, &[2, 3, 1, 0, 1]]);
    assert_eq!(public_code(&spki(&null, &key)), None);
    for (what, der) in [
        ("no parameters", spki(&element(SEQUENCE, &[&oid]), &key)),
        ("parameters after NULL", spki(&element(SEQUENCE, &[&oid, &[5, 0, 5, 0]]), &key)),
        ("a NULL with content", spki(&element(SEQUENCE, &[&oid, &[5, 1, 0]]), &key)),
        ("a third number", spki(&null, &element(SEQUENCE, &[&modulus, &[2, 3, 1, 0, 1, 2, 1, 1]]))),
        ("a negative modulus", spki(&null, &element(SEQUENCE, &[&element(2, &[&[0xff; 256]]), &[2, 3, 1, 0, 1]]))),
        ("no exponent", spki(&null, &element(SEQUENCE, &[&modulus]))),
        ("something after the key", spki(&null, &[&key[..], &[5, 0]].concat())),
        ("something after it all", [&spki(&null, &key)[..], &[0]].concat()),
    ] {
        assert_eq!(public_code(&der), Some(ErrorCode::KeyInvalid), "{what}");
    }
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
