//! Verification through the public interface: the steps in their order, keys, types, options, and whatever else one may
//! send.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use waxseal::ErrorCode;
use waxseal::error::Reason;
use waxseal::jwa::Algorithm;
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig, decode_unverified};
use waxseal::revocation::{RevocationConfig, RevocationState};

#[test]
fn an_accepted_token_shows_its_claims_as_they_were_written() {
    let payload =
        format!(r#" {{"iss":"{ISSUER}", "aud":["x","{AUDIENCE}"],"exp":{}.5,"__proto__":{{}}, "":1}} "#, NOW + 9);
    let verified = verifier(|_| {}).verify(&sign(&key(1), HEADER, payload.as_bytes()), now()).unwrap();
    assert_eq!(verified.claims().json(), payload);
    assert_eq!(verified.header().json(), HEADER);
    assert_eq!(verified.revocation(), RevocationState::NotChecked);
    assert_eq!(verified.claims().audience(), ["x", AUDIENCE]);
    assert!(verified.claims().claim("__proto__").unwrap().object().is_some());
}

#[test]
fn no_spelling_of_none_and_no_symmetric_algorithm_is_accepted() {
    let verifier = verifier(|_| {});
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "es256", "ES256 ", "ES384", "PS256", "RS256"] {
        let signed = sign(&key(1), &format!(r#"{{"alg":"{alg}"}}"#), claims(&json!({})).to_string().as_bytes());
        assert_eq!(code(&verifier, &signed), Err(ErrorCode::AlgorithmNotAllowed), "{alg}");
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        assert_eq!(code(&verifier, &unsigned), Err(ErrorCode::AlgorithmNotAllowed), "{alg}");
    }
}

#[test]
fn a_signature_of_another_key_of_zeros_or_in_der_is_refused_without_detail() {
    let verifier = verifier(|_| {});
    let good = token(&json!({}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let der = "MEUCIQDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwAIgQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEA";
    for wrong in [String::new(), "A".repeat(86), der.to_owned(), signature[..84].to_owned(), format!("{signature}AAAA")]
    {
        let error = refusal(&verifier, &format!("{input}.{wrong}"), now());
        assert_eq!(error.code(), ErrorCode::SignatureInvalid, "{wrong}");
        assert_eq!((error.message(), error.claim()), ("The signature does not verify.", None));
    }
    assert_eq!(
        code(&verifier, &sign(&key(2), HEADER, claims(&json!({})).to_string().as_bytes())),
        Err(ErrorCode::SignatureInvalid)
    );
}

#[test]
fn kid_selects_and_without_it_exactly_one_key_must_fit() {
    let (one, two) = (key(1), key(2));
    let verifier = verifier(|config| config.issuers = vec![trusted(ISSUER, key_set(&[&one, &two]))]);
    let payload = claims(&json!({})).to_string();
    let with_kid = |key: &waxseal::jws::SigningKey, kid: &str| {
        sign(key, &format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#), payload.as_bytes())
    };
    assert_eq!(code(&verifier, &with_kid(&one, one.kid())), Ok(()));
    assert_eq!(code(&verifier, &with_kid(&two, two.kid())), Ok(()));
    assert_eq!(code(&verifier, &with_kid(&one, two.kid())), Err(ErrorCode::SignatureInvalid));
    assert_eq!(code(&verifier, &with_kid(&one, "other")), Err(ErrorCode::KeyNotFound));
    assert_eq!(code(&verifier, &token(&json!({}))), Err(ErrorCode::KeyAmbiguous));
}

#[test]
fn both_algorithms_verify_and_each_only_where_it_is_allowed() {
    let keys = waxseal::jwk::KeySet::from_value(&json!([minting::rsa_jwk(), key(1).public_jwk().to_value()])).unwrap();
    let rs256 = || {
        let input = [br#"{"alg":"RS256"}"#.to_vec(), claims(&json!({})).to_string().into_bytes()]
            .map(|part| waxseal::encoding::base64url(&part))
            .join(".");
        format!("{input}.{}", waxseal::encoding::base64url(&minting::rsa_sign(input.as_bytes())))
    };
    for (allowed, es256_passes, rs256_passes) in [
        (&[Algorithm::Es256, Algorithm::Rs256][..], true, true),
        (&[Algorithm::Es256], true, false),
        (&[Algorithm::Rs256], false, true),
    ] {
        let verifier = verifier(|config| {
            config.algorithms = allowed.to_vec();
            config.issuers = vec![trusted(ISSUER, keys.clone())];
        });
        for (token, passes) in [(token(&json!({})), es256_passes), (rs256(), rs256_passes)] {
            let expected = if passes { Ok(()) } else { Err(ErrorCode::AlgorithmNotAllowed) };
            assert_eq!(code(&verifier, &token), expected);
        }
    }
}

// RFC 8725 section 3.11
#[test]
fn typ_is_compared_as_a_media_type() {
    let at_jwt = verifier(|config| config.typ = Some("at+jwt".to_owned()));
    let any = verifier(|_| {});
    let typed =
        |typ: &str| sign(&key(1), &format!(r#"{{"alg":"ES256"{typ}}}"#), claims(&json!({})).to_string().as_bytes());
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert_eq!(code(&at_jwt, &typed(&format!(r#","typ":"{typ}""#))), Ok(()));
    }
    for typ in ["JWT", "at+jwt ", "rt+jwt", "text/at+jwt", ""] {
        let token = typed(&format!(r#","typ":"{typ}""#));
        assert_eq!(fault(&at_jwt, &token, now()), check_failed(ErrorCode::TokenType, "typ"), "{typ}");
    }
    let (code_of_none, claim, reason) = fault(&at_jwt, &typed(""), now());
    assert_eq!((code_of_none, claim.as_deref(), reason), (ErrorCode::TokenType, Some("typ"), Some(Reason::Missing)));
    assert_eq!(code(&any, &typed("")), Ok(()));
    assert_eq!(code(&any, &typed(r#","typ":"anything""#)), Ok(()));
}

#[test]
fn a_refresh_token_is_refused_unless_typ_asks_for_it() {
    let any = verifier(|_| {});
    let refresh = verifier(|config| config.typ = Some("rt+jwt".to_owned()));
    for typ in ["rt+jwt", "RT+JWT", "application/rt+jwt"] {
        let token =
            sign(&key(1), &format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), claims(&json!({})).to_string().as_bytes());
        assert_eq!(fault(&any, &token, now()), check_failed(ErrorCode::TokenType, "typ"), "{typ}");
        assert_eq!(code(&refresh, &token), Ok(()), "{typ}");
    }
    assert_eq!(code(&refresh, &token(&json!({}))), Err(ErrorCode::TokenType));
}

#[test]
fn an_issuer_chooses_its_keys_and_cannot_use_those_of_another() {
    let (one, two) = (key(1), key(2));
    let verifier = verifier(|config| {
        let mut second = trusted("https://two.example", key_set(&[&two]));
        second.audience = Some(vec!["other".to_owned()]);
        config.issuers = vec![trusted(ISSUER, key_set(&[&one])), second];
    });
    let signed =
        |key, iss: Value, aud: &str| sign(key, HEADER, claims(&json!({"iss": iss, "aud": aud})).to_string().as_bytes());
    assert_eq!(code(&verifier, &signed(&one, json!(ISSUER), AUDIENCE)), Ok(()));
    assert_eq!(code(&verifier, &signed(&two, json!("https://two.example"), "other")), Ok(()));
    assert_eq!(code(&verifier, &signed(&two, json!(ISSUER), AUDIENCE)), Err(ErrorCode::SignatureInvalid));
    assert_eq!(code(&verifier, &signed(&one, json!("https://two.example"), "other")), Err(ErrorCode::SignatureInvalid));
    assert_eq!(code(&verifier, &signed(&one, json!(ISSUER), "other")), Err(ErrorCode::AudienceMismatch));
    let unknown = fault(&verifier, &signed(&one, json!("https://three.example"), AUDIENCE), now());
    assert_eq!(unknown, check_failed(ErrorCode::IssuerUnknown, "iss"));
    for payload in
        ["{\"iss\":1}", "{}", "not json", "{\"iss\":\"https://issuer.example\",\"iss\":\"https://two.example\"}"]
    {
        let (code, claim, reason) = fault(&verifier, &sign(&one, HEADER, payload.as_bytes()), now());
        assert_eq!((code, claim.as_deref(), reason), (ErrorCode::IssuerUnknown, Some("iss"), Some(Reason::Missing)));
    }
}

#[test]
fn misuse_of_an_option_is_refused_by_its_name() {
    type Change = fn(&mut VerifierConfig);
    let cases: [(&str, Change); 21] = [
        ("algorithms", |c| c.algorithms.clear()),
        ("algorithms", |c| c.algorithms = vec![Algorithm::Rs256]),
        ("typ", |c| c.typ = Some(String::new())),
        ("crit", |c| c.crit = vec![String::new()]),
        ("maxTokenLength", |c| c.max_token_length = 0),
        ("maxTokenLength", |c| c.max_token_length = 65_537),
        ("clockTolerance", |c| c.clock_tolerance = 301),
        ("maxTokenAge", |c| c.max_token_age = Some(0)),
        ("subject", |c| c.subject = Some(String::new())),
        ("issuer", |c| c.issuers[0].issuer = Some(Vec::new())),
        ("issuer", |c| c.issuers[0].issuer = Some(vec![String::new()])),
        ("audience", |c| c.issuers[0].audience = Some(Vec::new())),
        ("audience", |c| c.issuers[0].audience = Some(vec![AUDIENCE.to_owned(), String::new()])),
        ("issuers", |c| c.issuers.clear()),
        ("issuers", |c| c.issuers.push(TrustedIssuer { issuer: None, ..c.issuers[0].clone() })),
        ("issuers", |c| c.issuers.push(c.issuers[0].clone())),
        ("revocation.tokenLifetime", |c| {
            c.revocation = Some(RevocationConfig { token_lifetime: 0, ..RevocationConfig::default() });
        }),
        ("revocation.tokenLifetime", |c| {
            c.revocation = Some(RevocationConfig { token_lifetime: 31_536_001, ..RevocationConfig::default() });
        }),
        ("revocation.timeout", |c| {
            c.revocation = Some(RevocationConfig { timeout: std::time::Duration::ZERO, ..RevocationConfig::default() });
        }),
        ("revocation.timeout", |c| {
            c.revocation = Some(RevocationConfig {
                timeout: std::time::Duration::from_millis(30_001),
                ..RevocationConfig::default()
            });
        }),
        ("issuer", |c| {
            let mut second = c.issuers[0].clone();
            second.issuer = Some(Vec::new());
            c.issuers.push(second);
        }),
    ];
    for (option, change) in cases {
        let mut config = config();
        change(&mut config);
        let error = Verifier::new(config).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionInvalid, "{option}");
        assert!(error.message().starts_with(&format!("`{option}` must ")), "{option}: {error}");
    }
    let mut largest = config();
    (largest.max_token_length, largest.clock_tolerance, largest.max_token_age) = (65_536, 300, Some(u32::MAX));
    (largest.algorithms, largest.typ) = (vec![Algorithm::Es256], Some("x".to_owned()));
    largest.revocation = Some(RevocationConfig {
        token_lifetime: 31_536_000,
        timeout: std::time::Duration::from_secs(30),
        ..RevocationConfig::default()
    });
    assert!(Verifier::new(largest).is_ok());
}

#[test]
fn no_error_and_no_debug_shows_text_of_the_token() {
    let secret = "s3cr3t";
    let verifier = verifier(|config| {
        config.subject = Some("alice".to_owned());
        config.claims = Map::from_iter([("type".to_owned(), json!("access"))]);
    });
    let mut tokens = vec![
        secret.to_owned(),
        format!("{secret}.{secret}.{secret}"),
        sign(&key(2), HEADER, b"{}"),
        sign(&key(1), &format!(r#"{{"alg":"{secret}"}}"#), b"{}"),
        sign(&key(1), &format!(r#"{{"alg":"ES256","kid":"{secret}"}}"#), b"{}"),
        sign(&key(1), &format!(r#"{{"alg":"ES256","crit":["{secret}"],"{secret}":1}}"#), b"{}"),
        sign(&key(1), HEADER, format!("{{\"{secret}\":1,\"{secret}\":1}}").as_bytes()),
        sign(&key(1), HEADER, secret.as_bytes()),
    ];
    for claim in ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "type"] {
        tokens.push(token(&json!({ claim: secret })));
        tokens.push(token(&json!({ claim: { secret: secret } })));
    }
    for token in &tokens {
        let error = refusal(&verifier, token, now());
        for text in [format!("{error:?}"), error.to_string(), error.www_authenticate().unwrap_or_default()] {
            assert!(!text.contains(secret) && !text.contains(&token[token.len() / 2..]), "{text}");
        }
    }
    let typed = sign(
        &key(1),
        &format!(r#"{{"alg":"ES256","typ":"{secret}"}}"#),
        claims(&json!({"type": "access"})).to_string().as_bytes(),
    );
    assert!(!format!("{:?}", verifier.verify(&typed, now()).unwrap()).contains(secret));
}

#[test]
fn decoding_without_verification_shows_both_parts_of_any_well_formed_token() {
    let token = sign(&key(9), r#"{"alg":"none","crit":["x"]}"#, br#"{"exp":"x"}"#);
    assert_eq!(
        decode_unverified(&token).unwrap(),
        (r#"{"alg":"none","crit":["x"]}"#.to_owned(), r#"{"exp":"x"}"#.to_owned())
    );
    let code = |token: &str| decode_unverified(token).unwrap_err().code();
    assert_eq!(code("a.b"), ErrorCode::TokenMalformed);
    assert_eq!(code(&"a".repeat(65_537)), ErrorCode::TokenTooLarge);
    assert_eq!(code(&sign(&key(9), "[]", b"{}")), ErrorCode::HeaderInvalid);
    assert_eq!(code(&sign(&key(9), "{}", b"[]")), ErrorCode::ClaimsInvalid);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(token(&json!({}))),
        ".{0,200}",
        "[A-Za-z0-9_.=-]{0,200}",
        r"eyJhbGciOiJFUzI1NiJ9\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{86}"
    ]
}

proptest! {
    #[test]
    fn a_token_with_any_one_character_changed_never_verifies(position in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.= -]") {
        let good = token(&json!({}));
        let at = position.index(good.len());
        let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
        prop_assert_eq!(verifier(|_| {}).verify(&changed, now()).is_ok(), changed == good);
    }

    #[test]
    fn a_token_cut_repeated_or_extended_never_verifies(position in any::<prop::sample::Index>(), tail in "[A-Za-z0-9_.=-]{1,4}") {
        let good = token(&json!({}));
        let verifier = verifier(|_| {});
        let at = position.index(good.len());
        let inserted = format!("{}{tail}{}", &good[..at], &good[at..]);
        for wrong in [good[..at].to_owned(), good.clone() + &tail, inserted] {
            prop_assert!(verifier.verify(&wrong, now()).is_err(), "{}", wrong);
        }
    }

    #[test]
    fn any_text_is_answered_and_only_the_good_token_accepted(text in any_text()) {
        let accepted = verifier(|_| {}).verify(&text, now()).is_ok();
        prop_assert_eq!(accepted, text == token(&json!({})));
    }
}
