//! What is accepted as a JWK, what is refused, and by which code; and the choice of a key from a set.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{committed, text, unhex};
use waxseal::ErrorCode;
use waxseal::encoding::base64url;
use waxseal::jwa::Algorithm;
use waxseal::jwk::set::publish;
use waxseal::jwk::{KeySet, PrivateJwk, PublicJwk};
use waxseal::jws::{ProtectedHeader, SigningKey};

fn ec() -> Value {
    committed("rfc.json")["jws"][1]["key"].clone()
}

fn rsa() -> Value {
    committed("rfc.json")["jws"][0]["key"].clone()
}

fn ec_private() -> Value {
    committed("rfc.json")["ec_private"]["jwk"].clone()
}

fn rsa_private() -> Value {
    committed("rfc.json")["rsa_private"]["jwk"].clone()
}

/// The key with a member set, or taken away with `null`.
fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    let map = jwk.as_object_mut().unwrap();
    if value.is_null() {
        map.remove(name);
    } else {
        map.insert(name.to_owned(), value);
    }
    jwk
}

fn refusal(jwk: &Value) -> Option<ErrorCode> {
    PublicJwk::from_value(jwk).err().map(|error| error.code())
}

#[test]
fn a_key_is_accepted_with_every_member_that_agrees() {
    for (jwk, alg) in [(ec(), "ES256"), (rsa(), "RS256")] {
        let full = with(with(with(jwk.clone(), "use", json!("sig")), "alg", json!(alg)), "key_ops", json!(["verify"]));
        let full = with(with(full, "ext", json!(true)), "kid", json!("k1"));
        let key = PublicJwk::from_value(&full).unwrap();
        assert_eq!((key.algorithm().name(), key.kid()), (alg, Some("k1")));
        assert_eq!(key.thumbprint(), PublicJwk::from_value(&jwk).unwrap().thumbprint());
    }
}

// RFC 7517 section 4
#[test]
fn a_key_whose_members_contradict_the_algorithm_is_refused() {
    use ErrorCode::{KeyInvalid, KeyUnsupported};
    for (name, value, code) in [
        ("use", json!("enc"), KeyUnsupported),
        ("use", json!(1), KeyInvalid),
        ("key_ops", json!(["sign"]), KeyUnsupported),
        ("key_ops", json!([]), KeyUnsupported),
        ("key_ops", json!(["verify", "verify"]), KeyInvalid),
        ("key_ops", json!("verify"), KeyInvalid),
        ("key_ops", json!([1]), KeyInvalid),
        ("alg", json!("none"), KeyUnsupported),
        ("alg", json!("HS256"), KeyUnsupported),
        ("alg", json!("PS256"), KeyUnsupported),
        ("alg", json!(["ES256"]), KeyInvalid),
        ("kid", json!(7), KeyInvalid),
        ("kty", json!("oct"), KeyUnsupported),
        ("kty", json!("OKP"), KeyUnsupported),
        ("kty", json!("ec"), KeyUnsupported),
        ("kty", json!(["EC"]), KeyInvalid),
        ("kty", Value::Null, KeyInvalid),
    ] {
        for jwk in [ec(), rsa()] {
            let jwk = with(jwk, name, value.clone());
            assert_eq!(refusal(&jwk), Some(code), "{name} {value}");
        }
    }
    assert_eq!(refusal(&with(ec(), "alg", json!("RS256"))), Some(KeyUnsupported));
    assert_eq!(refusal(&with(rsa(), "alg", json!("ES256"))), Some(KeyUnsupported));
    assert_eq!(refusal(&with(rsa(), "crv", json!("P-256"))), Some(KeyInvalid));
    assert_eq!(refusal(&with(rsa(), "kty", json!("EC"))), Some(KeyInvalid));
    assert_eq!(refusal(&with(ec(), "kty", json!("RSA"))), Some(KeyInvalid));
    assert_eq!(refusal(&with(ec(), "crv", Value::Null)), Some(KeyInvalid));
    for crv in [json!("P-384"), json!("secp256k1"), json!("p-256")] {
        assert_eq!(refusal(&with(ec(), "crv", crv)), Some(KeyUnsupported));
    }
    for other in [json!(null), json!([]), json!("x"), json!(7)] {
        assert_eq!(refusal(&other), Some(KeyInvalid), "{other}");
    }
}

// RFC 7518 section 6.2.1.2: full-size coordinates.
#[test]
fn a_coordinate_is_exactly_32_octets_of_strict_base64url() {
    let x = text(&ec(), "x").to_owned();
    for wrong in [
        json!(base64url(&[1; 31])),
        json!(base64url(&[0; 33])),
        json!(""),
        json!(format!("{x}=")),
        json!(format!(" {x}")),
        json!(x.replace('_', "/")),
        json!(format!("{}{}", &x[..42], char::from(x.as_bytes()[42] + 1))),
        json!(7),
        Value::Null,
    ] {
        if wrong != json!(x) {
            assert_eq!(refusal(&with(ec(), "x", wrong.clone())), Some(ErrorCode::KeyInvalid), "{wrong}");
        }
    }
    assert_eq!(refusal(&with(ec(), "y", json!(x))), Some(ErrorCode::KeyInvalid), "not on the curve");
}

// RFC 7518 section 6.3.1 and section 2, Base64urlUInt
#[test]
fn rsa_numbers_are_in_range_and_minimal() {
    use ErrorCode::{KeyInvalid, KeyWeak};
    let number = |length: usize, first: u8, last: u8| {
        let mut octets = vec![0x55; length];
        (octets[0], octets[length - 1]) = (first, last);
        json!(base64url(&octets))
    };
    for (what, n, code) in [
        ("2048 bits", number(256, 0x80, 1), None),
        ("4096 bits", number(512, 0xff, 1), None),
        ("2047 bits", number(256, 0x7f, 1), Some(KeyWeak)),
        ("1024 bits", number(128, 0xff, 1), Some(KeyWeak)),
        ("4097 bits", number(513, 0x01, 1), Some(KeyWeak)),
        ("48 KiB", number(49152, 0x01, 1), Some(KeyWeak)),
        ("even", number(256, 0x80, 2), Some(KeyInvalid)),
        ("a leading zero", number(257, 0, 1), Some(KeyInvalid)),
        ("empty", json!(""), Some(KeyInvalid)),
        ("zero", json!("AA"), Some(KeyInvalid)),
        ("absent", Value::Null, Some(KeyInvalid)),
    ] {
        assert_eq!(refusal(&with(rsa(), "n", n)), code, "{what}");
    }
    for (what, e, code) in [
        ("65537", &[1, 0, 1][..], None),
        ("2^32 - 1", &[0xff; 4], None),
        ("1", &[1], Some(KeyWeak)),
        ("3", &[3], Some(KeyWeak)),
        ("65535", &[0xff, 0xff], Some(KeyWeak)),
        ("65538", &[1, 0, 2], Some(KeyWeak)),
        ("2^32 + 1", &[1, 0, 0, 0, 1], Some(KeyWeak)),
        ("a leading zero", &[0, 1, 0, 1], Some(KeyInvalid)),
        ("empty", &[], Some(KeyInvalid)),
        ("zero", &[0], Some(KeyInvalid)),
    ] {
        assert_eq!(refusal(&with(rsa(), "e", json!(base64url(e)))), code, "{what}");
    }
}

// CVE-2017-15361
#[test]
fn an_rsa_modulus_of_the_faulty_generator_is_refused() {
    // 1 modulo the product of the primes of the fingerprint, and so a power of 65537 modulo each of them.
    let primes: u128 = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].iter().product();
    let mut modulus = primes.to_be_bytes().iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<_>>();
    modulus.resize(299, 0);
    modulus.push(1);
    let jwk = with(rsa(), "n", json!(base64url(&modulus)));
    assert_eq!(refusal(&jwk), Some(ErrorCode::KeyWeak));
    modulus[299] = 3;
    assert_eq!(refusal(&with(jwk, "n", json!(base64url(&modulus)))), None);
}

#[test]
fn a_private_key_is_refused_where_a_public_one_is_meant() {
    let oct = json!({ "kty": "oct", "k": "AAAA" });
    for jwk in [ec_private(), rsa_private(), oct, with(ec(), "d", json!("")), with(rsa(), "p", json!(1))] {
        assert_eq!(refusal(&jwk), Some(ErrorCode::KeyPrivate));
        assert_eq!(KeySet::from_value(&jwk).unwrap_err().code(), ErrorCode::KeyPrivate);
    }
}

#[test]
fn a_private_key_has_its_public_half() {
    for (private, public) in [(ec_private(), ec()), (rsa_private(), rsa())] {
        let key = PrivateJwk::from_value(&private).unwrap();
        let public = PublicJwk::from_value(&public).unwrap();
        assert_eq!(key.public().thumbprint(), public.thumbprint());
        let signing = with(private.clone(), "key_ops", json!(["sign"]));
        assert!(PrivateJwk::from_value(&signing).is_ok());
        let verifying = with(private, "key_ops", json!(["verify"]));
        assert_eq!(PrivateJwk::from_value(&verifying).unwrap_err().code(), ErrorCode::KeyUnsupported);
        let no_d = PrivateJwk::from_value(&public.to_value()).unwrap_err();
        assert_eq!(no_d.code(), ErrorCode::KeyInvalid);
    }
    let rsa = PrivateJwk::from_value(&rsa_private()).unwrap();
    assert_eq!(SigningKey::from_private_jwk(&rsa).unwrap_err().code(), ErrorCode::KeyUnsupported);
}

#[test]
fn a_private_key_that_is_no_scalar_or_not_the_one_of_the_point_is_refused() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for d in [vec![0; 32], unhex(order), vec![0xff; 32], vec![7; 32], vec![7; 31], vec![]] {
        let jwk = with(ec_private(), "d", json!(base64url(&d)));
        assert_eq!(PrivateJwk::from_value(&jwk).unwrap_err().code(), ErrorCode::KeyInvalid, "{d:?}");
    }
}

#[test]
fn json_text_is_read_strictly() {
    let jwk = ec().to_string();
    assert!(PublicJwk::from_json(jwk.as_bytes()).is_ok());
    let twice = format!("{},\"kty\":\"EC\"}}", jwk.strip_suffix('}').unwrap());
    let long = format!("{jwk}{}", " ".repeat(65536));
    for text in [twice.as_str(), &long, "", "{", "[]", "\u{feff}{}"] {
        assert_eq!(PublicJwk::from_json(text.as_bytes()).unwrap_err().code(), ErrorCode::KeyInvalid);
        assert_eq!(PrivateJwk::from_json(text.as_bytes()).unwrap_err().code(), ErrorCode::KeyInvalid);
    }
}

#[test]
fn a_published_key_says_what_it_is_for() {
    let key = PublicJwk::from_value(&ec()).unwrap();
    let published = key.to_value();
    assert_eq!((&published["use"], &published["alg"]), (&json!("sig"), &json!("ES256")));
    assert_eq!(published["kid"], json!(key.thumbprint()), "the thumbprint where the key has no kid of its own");
    assert_eq!(PublicJwk::from_value(&published).unwrap().thumbprint(), key.thumbprint());
    let named = PublicJwk::from_value(&with(rsa(), "kid", json!("mine"))).unwrap().to_value();
    assert_eq!(named["kid"], json!("mine"));
    let members = |jwk: &Value| jwk.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(members(&published), "alg crv kid kty use x y");
    assert_eq!(members(&PrivateJwk::from_value(&rsa_private()).unwrap().public().to_value()), "alg e kid kty n use");
}

fn select(keys: &Value, header: &Value) -> Result<String, ErrorCode> {
    let set = KeySet::from_value(keys).unwrap();
    let header = ProtectedHeader::parse(header.to_string().as_bytes(), &[]).unwrap();
    set.select(&header, &Algorithm::ALL).map(|key| key.thumbprint().to_owned()).map_err(|error| error.code())
}

#[test]
fn kid_and_algorithm_choose_the_key() {
    let other = SigningKey::generate(&[9; 32]).unwrap().public_jwk().to_value();
    let (ec_print, rsa_print) = (thumbprint(&ec()), thumbprint(&rsa()));
    let (a, b) = (with(ec(), "kid", json!("a")), with(rsa(), "kid", json!("b")));
    let set = json!({ "keys": [a, b, with(other.clone(), "kid", json!("c"))] });
    let header =
        |alg: &str, kid: Option<&str>| kid.map_or(json!({ "alg": alg }), |kid| json!({ "alg": alg, "kid": kid }));

    assert_eq!(select(&set, &header("ES256", Some("a"))), Ok(ec_print.clone()));
    assert_eq!(select(&set, &header("RS256", None)), Ok(rsa_print.clone()), "one key fits");
    assert_eq!(select(&set, &header("ES256", None)), Err(ErrorCode::KeyAmbiguous));
    assert_eq!(select(&set, &header("ES256", Some("b"))), Err(ErrorCode::AlgorithmNotAllowed));
    assert_eq!(select(&set, &header("ES256", Some("A"))), Err(ErrorCode::KeyNotFound));
    assert_eq!(select(&set, &header("HS256", Some("a"))), Err(ErrorCode::AlgorithmNotAllowed));
    assert_eq!(select(&set, &header("none", None)), Err(ErrorCode::AlgorithmNotAllowed));
    assert_eq!(
        select(&set, &header("ES256", Some(&ec_print))),
        Err(ErrorCode::KeyNotFound),
        "a key with its own kid has no other"
    );

    let bare = json!([ec(), rsa()]);
    assert_eq!(select(&bare, &header("ES256", Some(&ec_print))), Ok(ec_print.clone()), "a thumbprint is a name");
    assert_eq!(select(&bare, &header("RS256", Some("unknown"))), Ok(rsa_print), "keys without a kid answer to any");
    let two_bare = json!([ec(), with(other, "kid", Value::Null)]);
    assert_eq!(select(&two_bare, &header("ES256", Some("unknown"))), Err(ErrorCode::KeyAmbiguous));
    assert_eq!(select(&two_bare, &header("ES256", Some(&ec_print))), Ok(ec_print));
    let same_kid = json!([with(ec(), "kid", json!("k")), with(rsa(), "kid", json!("k"))]);
    assert_eq!(select(&same_kid, &header("RS256", Some("k"))), Ok(thumbprint(&rsa())), "told apart by algorithm");
}

#[test]
fn the_caller_restricts_the_algorithms() {
    let set = KeySet::from_value(&json!([ec(), rsa()])).unwrap();
    let header = ProtectedHeader::parse(br#"{"alg":"RS256"}"#, &[]).unwrap();
    assert!(set.select(&header, &[Algorithm::Rs256]).is_ok());
    for algorithms in [&[][..], &[Algorithm::Es256]] {
        assert_eq!(set.select(&header, algorithms).unwrap_err().code(), ErrorCode::AlgorithmNotAllowed);
    }
}

#[test]
fn a_set_skips_what_it_cannot_use_and_any_other_source_does_not() {
    let weak = with(rsa(), "e", json!("Aw"));
    let set = json!({ "keys": [weak, { "kty": "OKP" }, 7, ec_private(), ec()] });
    assert_eq!(KeySet::from_value(&set).unwrap().keys().len(), 1);
    let code = |value: Value| KeySet::from_value(&value).err().map(|error| error.code());
    assert_eq!(code(json!({ "keys": [weak] })), Some(ErrorCode::KeySetEmpty));
    assert_eq!(code(json!({ "keys": [] })), Some(ErrorCode::KeySetEmpty));
    assert_eq!(code(json!([])), Some(ErrorCode::KeySetEmpty));
    assert_eq!(code(json!([ec(), weak])), Some(ErrorCode::KeyWeak));
    assert_eq!(code(weak), Some(ErrorCode::KeyWeak));
    for wrong in [json!({ "keys": {} }), json!(7), json!(null), json!("no PEM"), json!([[ec()]]), json!([null])] {
        assert_eq!(code(wrong.clone()), Some(ErrorCode::KeyInvalid), "{wrong}");
    }
    let many = vec![json!(7); 1000];
    assert_eq!(code(json!({ "keys": many })), Some(ErrorCode::KeySetEmpty));
    assert_eq!(code(json!([{ "keys": many }, ec()])), Some(ErrorCode::KeyInvalid), "1001 entries");
}

#[test]
fn a_set_is_read_from_strict_json_of_bounded_length() {
    let text = json!({ "keys": [ec(), rsa()] }).to_string();
    assert_eq!(KeySet::from_json(text.as_bytes()).unwrap().keys().len(), 2);
    let long = format!("{text}{}", " ".repeat(1 << 20));
    for refused in ["", "[", "{\"keys\":[],\"keys\":[]}", &long] {
        assert_eq!(KeySet::from_json(refused.as_bytes()).map(drop).unwrap_err().code(), ErrorCode::KeyInvalid);
    }
    assert_eq!(KeySet::from_json(b"{\"keys\":[]}").map(drop).unwrap_err().code(), ErrorCode::KeySetEmpty);
}

#[test]
fn a_set_is_made_of_jwks_sets_and_pem() {
    let made = &committed("openssl.json")["same_as_rfc_7515"];
    let set =
        KeySet::from_value(&json!([{ "keys": [rsa()] }, made["ec"]["public"][0], made["rsa"]["public"][1]])).unwrap();
    let algorithms: Vec<_> = set.keys().iter().map(waxseal::jws::VerifyingKey::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::Rs256, Algorithm::Es256, Algorithm::Rs256]);
    let private = KeySet::from_value(&made["ec"]["private"]).unwrap_err();
    assert_eq!(private.code(), ErrorCode::KeyPrivate);
}

fn thumbprint(jwk: &Value) -> String {
    PublicJwk::from_value(jwk).unwrap().thumbprint()
}

proptest! {
    #![proptest_config(support::slow_cases(64))]

    #[test]
    fn no_error_shows_what_the_key_says(secret in "[a-z]{16}", name in "kty|crv|x|y|n|e|d|use|alg|kid|key_ops") {
        for jwk in [ec_private(), rsa_private()] {
            let jwk = with(jwk, &name, json!(secret));
            for error in [PublicJwk::from_value(&jwk).err(), PrivateJwk::from_value(&jwk).err()].into_iter().flatten() {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(&secret));
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", label in "PUBLIC KEY|PRIVATE KEY|CERTIFICATE", der in any::<Vec<u8>>()) {
        prop_assert!(PublicJwk::from_json(text.as_bytes()).is_err());
        prop_assert!(PublicJwk::from_pem(&text).is_err());
        let body = STANDARD.encode(&der);
        let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
        prop_assert!(PublicJwk::from_pem(&pem).is_err());
    }
}

#[test]
fn every_form_of_a_key_has_the_same_public_half() {
    let made = &committed("openssl.json")["same_as_rfc_7515"];
    for (kind, private) in [("ec", ec_private()), ("rsa", rsa_private())] {
        let expected = PrivateJwk::from_value(&private).unwrap().public().to_value();
        let public = with(with(expected.clone(), "kid", Value::Null), "use", Value::Null);
        for form in [private, public, made[kind]["private"].clone(), made[kind]["public"][0].clone()] {
            let half = PublicJwk::half_of(&form).unwrap().to_value();
            assert_eq!(with(half, "kid", Value::Null), with(expected.clone(), "kid", Value::Null), "{kind}");
        }
    }
    let half = |value: Value| PublicJwk::half_of(&value).err().map(|error| error.code());
    assert_eq!(half(json!({ "kty": "oct", "k": "c2VjcmV0" })), Some(ErrorCode::KeyUnsupported));
    for wrong in [json!(null), json!(7), json!("no PEM"), json!([]), with(ec_private(), "x", json!("AA"))] {
        assert_eq!(half(wrong.clone()), Some(ErrorCode::KeyInvalid), "{wrong}");
    }
}

#[test]
fn a_set_to_publish_has_public_members_alone_and_every_key_its_own_kid() {
    let [ec, rsa] = [with(ec_private(), "kid", json!("one")), rsa_private()];
    let set = publish(&json!([ec, { "keys": [rsa] }])).unwrap();
    let names = |at: usize| set[at].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(0), "alg crv kid kty use x y");
    assert_eq!(names(1), "alg e kid kty n use");
    assert_eq!(set[0]["kid"], "one");
    assert_eq!(set[1]["kid"], PrivateJwk::from_value(&rsa).unwrap().public().thumbprint());
    assert_eq!(KeySet::from_value(&Value::Array(set)).unwrap().keys().len(), 2);
    // Unlike a set that somebody else has made, of which what cannot be used is skipped.
    let refused = |value: Value| publish(&value).unwrap_err().code();
    assert_eq!(refused(json!({ "keys": [ec, { "kty": "OKP" }] })), ErrorCode::KeyUnsupported);
    assert_eq!(refused(json!([ec, with(rsa_private(), "kid", json!("one"))])), ErrorCode::KeyInvalid);
    assert_eq!(refused(json!([ec, ec])), ErrorCode::KeyInvalid);
}
