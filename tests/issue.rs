//! Issuing through the public interface, checked by our verifier and, independently, by jwt-compact's own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use jwt_compact::{Algorithm as _, AlgorithmExt as _, Claims, Header, UntrustedToken};
use minting::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use waxseal::ErrorCode;
use waxseal::encoding::{base64url, from_base64url};
use waxseal::jwa::Algorithm;
use waxseal::jws::es256::Es256;
use waxseal::jws::rs256::Rs256;
use waxseal::jwt::{Issuer, IssuerConfig, Overrides, decode_unverified};

const RANDOM: [u8; 16] = [0xab; 16];

fn issuer_config() -> IssuerConfig {
    IssuerConfig {
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        expires_in: 900,
        typ: None,
        kid: None,
        algorithm: Algorithm::Es256,
    }
}

fn issuer(change: impl FnOnce(&mut IssuerConfig)) -> Issuer {
    let mut config = issuer_config();
    change(&mut config);
    Issuer::new(config).unwrap()
}

fn issue(claims: &Value) -> Result<String, waxseal::Error> {
    issuer(|_| {}).issue(&key(1), claims.clone(), &Overrides::default(), at(0.9), &RANDOM)
}

fn parts(token: &str) -> (Value, Value) {
    let (header, claims) = decode_unverified(token).unwrap();
    (serde_json::from_str(&header).unwrap(), serde_json::from_str(&claims).unwrap())
}

#[test]
fn an_issued_token_has_the_registered_claims_and_the_callers_own() {
    let token =
        issue(&json!({"sub": "alice", "nbf": NOW, "": [1, 2.5, null], "__proto__": {"a": "\u{1f600}"}})).unwrap();
    let (header, claims) = parts(&token);
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": key(1).kid()}));
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 900, "jti": base64url(&RANDOM),
            "sub": "alice", "nbf": NOW, "": [1, 2.5, null], "__proto__": {"a": "\u{1f600}"},
        })
    );
    assert!(verifier(|_| {}).verify(&token, now()).is_ok());
}

#[test]
fn several_audiences_are_an_array() {
    let both = issuer(|config| config.audience = vec!["a".to_owned(), AUDIENCE.to_owned()]);
    let token = both.issue(&key(1), json!({}), &Overrides::default(), now(), &RANDOM).unwrap();
    assert_eq!(parts(&token).1["aud"], json!(["a", AUDIENCE]));
    assert!(verifier(|_| {}).verify(&token, now()).is_ok());
}

#[test]
fn kid_typ_and_lifetime_can_be_set_and_the_last_two_overridden() {
    let issuer = issuer(|config| (config.kid, config.typ) = (Some("k".to_owned()), Some("at+jwt".to_owned())));
    let plain = issuer.issue(&key(1), json!({}), &Overrides::default(), now(), &RANDOM).unwrap();
    assert_eq!(parts(&plain).0, json!({"alg": "ES256", "typ": "at+jwt", "kid": "k"}));
    let overrides = Overrides { expires_in: Some(1), typ: Some("x+jwt".to_owned()) };
    let (header, claims) = parts(&issuer.issue(&key(1), json!({}), &overrides, now(), &RANDOM).unwrap());
    assert_eq!(header, json!({"alg": "ES256", "typ": "x+jwt", "kid": "k"}));
    assert_eq!(claims["exp"], json!(NOW + 1));
}

#[test]
fn claims_that_the_issuer_sets_are_refused_by_name_whatever_their_value() {
    for claim in ["iss", "aud", "exp", "iat", "jti"] {
        for value in [json!(ISSUER), json!(1), json!(null)] {
            let error = issue(&json!({ claim: value })).unwrap_err();
            assert_eq!((error.code(), error.claim()), (ErrorCode::IssueClaims, Some(claim)));
        }
    }
}

#[test]
fn sub_and_nbf_must_have_their_types() {
    let cases = [
        ("sub", json!(1)),
        ("sub", json!(null)),
        ("sub", json!(["a"])),
        ("nbf", json!("1")),
        ("nbf", json!(null)),
        ("nbf", json!(1_700_000_000_000_u64)),
        ("nbf", json!(NOW + 900)),
    ];
    for (claim, value) in cases {
        let error = issue(&json!({ claim: value })).unwrap_err();
        assert_eq!((error.code(), error.claim()), (ErrorCode::IssueClaims, Some(claim)), "{value}");
    }
    assert!(issue(&json!({"nbf": 1_700_000_000_000_u64})).unwrap_err().message().contains("looks like milliseconds"));
    assert!(issue(&json!({"nbf": f64::from(NOW) + 899.5, "sub": ""})).is_ok());
}

#[test]
fn claims_are_an_object_that_a_strict_reader_accepts() {
    for wrong in [json!(null), json!([]), json!("a"), json!(1)] {
        assert_eq!(issue(&wrong).unwrap_err().code(), ErrorCode::IssueClaims);
    }
    for wrap in [|inner: Value| json!([inner]), |inner: Value| json!({ "b": inner })] {
        let inner = |levels: usize| (1..levels).fold(json!({}), |inner, _| wrap(inner));
        let nested = |levels: usize| json!({ "a": inner(levels - 1) });
        let deepest = issue(&nested(32)).unwrap();
        assert!(verifier(|_| {}).verify(&deepest, now()).is_ok());
        assert_eq!(issue(&nested(33)).unwrap_err().code(), ErrorCode::IssueClaims);
        assert_eq!(issue(&nested(500)).unwrap_err().code(), ErrorCode::IssueClaims);
    }
}

fn largest_that(fits: impl Fn(usize) -> bool) -> usize {
    let sizes: Vec<usize> = (0..8192).collect();
    sizes.partition_point(|size| fits(*size)) - 1
}

#[test]
fn a_token_that_is_too_large_says_its_size_and_what_weighs_most() {
    let claims = json!({"small": 1, "roles": "r".repeat(3000), "profile": {"about": "p".repeat(5000)}, "avatar": "a".repeat(900)});
    let error = issue(&claims).unwrap_err();
    assert_eq!(error.code(), ErrorCode::IssueClaims);
    let message = error.message();
    assert!(message.contains("limit is 8192"), "{message}");
    assert!(message.contains("profile (5019 bytes), roles (3007 bytes), avatar (908 bytes)."), "{message}");
    assert!(!message.contains("ppp"), "{message}");

    // Exactly at the limit is accepted, here and by the verifier.
    let length = |padding: usize| issue(&json!({"x": "x".repeat(padding)})).map(|token| token.len());
    let largest = largest_that(|padding| length(padding).is_ok());
    let token = issue(&json!({"x": "x".repeat(largest)})).unwrap();
    assert!((8191..=8192).contains(&token.len()), "{}", token.len());
    assert!(verifier(|_| {}).verify(&token, now()).is_ok());
    let over = issue(&json!({"x": "x".repeat(largest + 1)})).unwrap_err();
    assert!(["8193 bytes", "8194 bytes"].iter().any(|size| over.message().contains(size)), "{over}");
}

#[test]
fn misuse_of_an_option_is_refused_by_its_name() {
    type Change = fn(&mut IssuerConfig);
    let cases: [(&str, Change); 7] = [
        ("issuer", |c| c.issuer.clear()),
        ("audience", |c| c.audience.clear()),
        ("audience", |c| c.audience.push(String::new())),
        ("kid", |c| c.kid = Some(String::new())),
        ("typ", |c| c.typ = Some(String::new())),
        ("expiresIn", |c| c.expires_in = 0),
        ("expiresIn", |c| c.expires_in = 31_536_001),
    ];
    let named = |error: waxseal::Error, option: &str| {
        assert_eq!(error.code(), ErrorCode::OptionInvalid);
        assert!(error.message().starts_with(&format!("`{option}` must ")), "{option}: {error}");
    };
    for (option, change) in cases {
        let mut config = issuer_config();
        change(&mut config);
        named(Issuer::new(config).unwrap_err(), option);
    }
    let with = |overrides: &Overrides| issuer(|_| {}).issue(&key(1), json!({}), overrides, now(), &RANDOM);
    named(with(&Overrides { expires_in: Some(0), typ: None }).unwrap_err(), "expiresIn");
    named(with(&Overrides { expires_in: Some(31_536_001), typ: None }).unwrap_err(), "expiresIn");
    named(with(&Overrides { expires_in: None, typ: Some(String::new()) }).unwrap_err(), "typ");
    assert!(with(&Overrides { expires_in: Some(31_536_000), typ: None }).is_ok());
    let rs256 = issuer(|config| config.algorithm = Algorithm::Rs256);
    named(rs256.issue(&key(1), json!({}), &Overrides::default(), now(), &RANDOM).unwrap_err(), "key");
}

#[test]
fn zeros_for_random_bytes_and_an_impossible_clock_issue_nothing() {
    let issuer = issuer(|_| {});
    let code = |now, random| {
        issuer.issue(&key(1), json!({}), &Overrides::default(), now, random).map_err(|error| error.code())
    };
    assert_eq!(code(now(), &[0; 16]), Err(ErrorCode::RandomUnavailable));
    let mut one = [0; 16];
    one[15] = 1;
    assert!(code(now(), &one).is_ok());
    let time = |seconds| waxseal::UnixTime::from_seconds(seconds).unwrap();
    for impossible in [-1.0, -1e300, 253_402_300_799.0, 253_402_299_900.0] {
        assert_eq!(code(time(impossible), &RANDOM), Err(ErrorCode::ClockInvalid), "{impossible}");
    }
    assert!(code(time(0.0), &RANDOM).is_ok());
    assert!(code(time(253_402_299_899.0), &RANDOM).is_ok());
}

#[test]
fn what_the_host_signs_is_finished_and_verifies() {
    let rs256 = issuer(|config| (config.algorithm, config.kid) = (Algorithm::Rs256, Some("rsa".to_owned())));
    let input = rs256.prepare(json!({"sub": "alice"}), &Overrides::default(), now(), &RANDOM).unwrap();
    let signature = rsa_sign(input.bytes());
    let token = input.finish(&signature, Some(&rsa_key())).unwrap();
    assert_eq!(parts(&token).0, json!({"alg": "RS256", "typ": "JWT", "kid": "rsa"}));
    let keys = waxseal::jwk::KeySet::from_value(&rsa_jwk()).unwrap();
    assert!(verifier(|config| config.issuers[0].keys = keys).verify(&token, now()).is_ok());
    let untrusted = UntrustedToken::new(&token).unwrap();
    assert!(Rs256.validator::<Value>(&rsa_key()).validate(&untrusted).is_ok());

    // A host that holds an ES256 key gives the same token as this crate does with it.
    let es256 = issuer(|config| config.kid = Some(key(1).kid().to_owned()));
    let input = es256.prepare(json!({"sub": "alice"}), &Overrides::default(), now(), &RANDOM).unwrap();
    let signature = key(1).sign(input.bytes());
    let token = input.finish(&signature, Some(&key(1).verifying_key())).unwrap();
    assert_eq!(token, es256.issue(&key(1), json!({"sub": "alice"}), &Overrides::default(), now(), &RANDOM).unwrap());

    let without_kid = issuer(|_| {}).prepare(json!({}), &Overrides::default(), now(), &RANDOM).unwrap();
    assert_eq!(parts(&without_kid.finish(&[1; 64], None).unwrap()).0, json!({"alg": "ES256", "typ": "JWT"}));
}

#[test]
fn what_a_signer_returns_is_checked() {
    let prepared = |algorithm| {
        let issuer = issuer(|config| config.algorithm = algorithm);
        issuer.prepare(json!({}), &Overrides::default(), now(), &RANDOM).unwrap()
    };
    for length in [0, 63, 65, 70, 72, 256] {
        assert_eq!(
            prepared(Algorithm::Es256).finish(&vec![1; length], None).unwrap_err().code(),
            ErrorCode::SignerFailed
        );
    }
    for length in [0, 64, 255, 513] {
        assert_eq!(
            prepared(Algorithm::Rs256).finish(&vec![1; length], None).unwrap_err().code(),
            ErrorCode::SignerFailed
        );
    }
    let input = prepared(Algorithm::Es256);
    let by_another = key(2).sign(input.bytes());
    assert_eq!(input.finish(&by_another, Some(&key(1).verifying_key())).unwrap_err().code(), ErrorCode::SignerFailed);
    let input = prepared(Algorithm::Es256);
    let good = key(1).sign(input.bytes());
    assert_eq!(input.finish(&good, Some(&rsa_key())).unwrap_err().code(), ErrorCode::SignerFailed);
    let input = prepared(Algorithm::Rs256);
    let mut flipped = rsa_sign(input.bytes());
    flipped[200] ^= 1;
    assert_eq!(input.finish(&flipped, Some(&rsa_key())).unwrap_err().code(), ErrorCode::SignerFailed);
}

#[test]
fn what_the_host_signs_is_held_to_the_same_size() {
    let rs256 = issuer(|config| config.algorithm = Algorithm::Rs256);
    let prepare =
        |padding: usize| rs256.prepare(json!({"x": "x".repeat(padding)}), &Overrides::default(), now(), &RANDOM);
    let finish = |padding: usize, signature: &[u8]| prepare(padding).and_then(|input| input.finish(signature, None));
    let largest = largest_that(|padding| finish(padding, &[1; 256]).is_ok());
    assert!((8191..=8192).contains(&finish(largest, &[1; 256]).unwrap().len()));
    for too_large in [finish(largest + 1, &[1; 256]), finish(largest, &[1; 257]), finish(8192, &[1; 256])] {
        let error = too_large.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IssueClaims);
        assert!(error.message().contains("x ("), "{error}");
    }
    assert!(prepare(largest).is_ok());
    assert_eq!(prepare(8192).unwrap_err().code(), ErrorCode::IssueClaims, "before the host is asked to sign");
}

#[test]
fn debug_shows_no_claims_and_no_token() {
    let input = issuer(|_| {}).prepare(json!({"sub": "hidden"}), &Overrides::default(), now(), &RANDOM).unwrap();
    assert_eq!(format!("{input:?}"), "SigningInput { alg: \"ES256\", .. }");
}

#[test]
fn a_token_of_jwt_compact_verifies_here() {
    let theirs: Claims<Map<String, Value>> = serde_json::from_value(claims(&json!({}))).unwrap();
    let token = Es256.token(&Header::empty(), &theirs, &key(1)).unwrap();
    let verified = verifier(|_| {}).verify(&token, now()).unwrap();
    assert_eq!(verified.claims().subject().unwrap(), "alice");
    assert_eq!(verified.claims().expiration().unwrap(), at(900.0));
}

fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(".{0,8}|__proto__|constructor|sid|ver", value, 0..6)
        .prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn whatever_is_issued_verifies_here_and_by_jwt_compact_with_the_same_claims(own in any_claims(), random in any::<[u8; 16]>(), offset in 0.0..899.0) {
        prop_assume!(random != [0; 16] && !["iss", "aud", "exp", "iat", "jti", "sub", "nbf"].iter().any(|name| own.contains_key(*name)));
        let token = issuer(|_| {}).issue(&key(1), Value::Object(own.clone()), &Overrides::default(), now(), &random).unwrap();

        let verified = verifier(|_| {}).verify(&token, at(offset)).unwrap();
        // Our own reader gives the nearest double; serde_json's may miss it by one unit in the last place.
        let read = waxseal::json::parse_value(verified.claims().json().as_bytes()).unwrap();
        let mut read = read.as_object().unwrap().clone();

        let untrusted = UntrustedToken::new(&token).unwrap();
        prop_assert_eq!(untrusted.algorithm(), Es256.name());
        let theirs = Es256.validator::<Map<String, Value>>(&key(1).verifying_key()).validate(&untrusted).unwrap();
        prop_assert_eq!(theirs.claims().expiration.unwrap().timestamp(), i64::from(NOW) + 900);
        prop_assert_eq!(theirs.claims().issued_at.unwrap().timestamp(), i64::from(NOW));
        prop_assert_eq!(&theirs.claims().custom["jti"], &Value::from(base64url(&random)));
        prop_assert_eq!(from_base64url(theirs.claims().custom["jti"].as_str().unwrap().as_bytes()).unwrap(), random);

        for registered in ["iss", "aud", "exp", "iat", "jti"] {
            prop_assert!(read.remove(registered).is_some());
        }
        prop_assert_eq!(read, own);
    }
}
