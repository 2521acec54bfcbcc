//! The policy through the public interface: each rule about a claim, at its very edges.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use waxseal::ErrorCode;
use waxseal::error::Reason;
use waxseal::jwt::{ClaimsSet, Policy, TrustedIssuer};

#[test]
fn the_first_step_that_fails_is_the_one_reported() {
    // Everything is wrong with the first token; each of the next has one fault less.
    let other = key(2);
    let verifier = verifier(|config| {
        config.max_token_length = 700;
        config.typ = Some("JWT".to_owned());
        config.required_claims = vec!["scope".to_owned()];
        config.claims = Map::from_iter([("type".to_owned(), json!("access"))]);
    });
    let wrong_claims = r#"{"exp":"soon","iss":"x","aud":"y"}"#;
    let mut tokens = vec![
        (format!("{}.{}", "a".repeat(700), "b=.c"), ErrorCode::TokenTooLarge),
        (format!("{}.b=.c", "a".repeat(600)), ErrorCode::TokenMalformed),
        (sign(&other, r#"{"alg":1,"typ":"x"}"#, wrong_claims.as_bytes()), ErrorCode::HeaderInvalid),
        (
            sign(&other, r#"{"alg":"none","typ":"x","crit":["e"],"e":1}"#, wrong_claims.as_bytes()),
            ErrorCode::HeaderCritical,
        ),
        (sign(&other, r#"{"alg":"none","typ":"x"}"#, wrong_claims.as_bytes()), ErrorCode::TokenType),
        (sign(&other, r#"{"alg":"none","typ":"JWT"}"#, wrong_claims.as_bytes()), ErrorCode::AlgorithmNotAllowed),
        (
            sign(&other, r#"{"alg":"ES256","typ":"JWT","kid":"nobody"}"#, wrong_claims.as_bytes()),
            ErrorCode::KeyNotFound,
        ),
        (sign(&other, HEADER, wrong_claims.as_bytes()), ErrorCode::SignatureInvalid),
        (sign(&key(1), HEADER, b"[]"), ErrorCode::ClaimsInvalid),
        (sign(&key(1), HEADER, wrong_claims.as_bytes()), ErrorCode::ClaimInvalid),
    ];
    let mut faulty = json!({"iss": "x", "aud": "y", "exp": NOW, "nbf": NOW + 1, "iat": NOW + 1, "type": "refresh"});
    let mended = [
        (json!({}), ErrorCode::TokenExpired),
        (json!({"exp": NOW + 1}), ErrorCode::TokenNotYetValid),
        (json!({"nbf": NOW}), ErrorCode::TokenIssuedInFuture),
        (json!({"iat": NOW}), ErrorCode::IssuerMismatch),
        (json!({"iss": ISSUER}), ErrorCode::AudienceMismatch),
        (json!({"aud": AUDIENCE}), ErrorCode::ClaimMissing),
        (json!({"scope": null}), ErrorCode::ClaimMismatch),
    ];
    for (change, expected) in mended {
        for (name, value) in change.as_object().unwrap() {
            faulty[name] = value.clone();
        }
        tokens.push((sign(&key(1), HEADER, faulty.to_string().as_bytes()), expected));
    }
    for (token, expected) in &tokens {
        assert_eq!(code(&verifier, token), Err(*expected), "{token}");
    }
    let steps: Vec<_> = tokens.iter().map(|(_, code)| code.step()).collect();
    assert!(steps.is_sorted(), "the codes belong to the steps in their order");
    faulty["type"] = "access".into();
    assert_eq!(code(&verifier, &sign(&key(1), HEADER, faulty.to_string().as_bytes())), Ok(()));
}

// RFC 7519 section 4.1.4: on or after the time
#[test]
fn a_token_expires_at_its_very_second() {
    let plain = verifier(|_| {});
    let tolerant = verifier(|config| config.clock_tolerance = 60);
    let token = token(&json!({"exp": NOW, "iat": null}));
    assert!(plain.verify(&token, at(-0.001)).is_ok());
    assert_eq!(fault(&plain, &token, at(0.0)), check_failed(ErrorCode::TokenExpired, "exp"));
    assert!(tolerant.verify(&token, at(59.999)).is_ok());
    assert_eq!(fault(&tolerant, &token, at(60.0)), check_failed(ErrorCode::TokenExpired, "exp"));
    assert!(refusal(&plain, &token, at(12.9)).message().contains("expired 12 s ago"));
    // Only an expiry that tolerance could bridge mentions it.
    assert!(refusal(&plain, &token, at(299.0)).message().contains("clockTolerance"));
    assert!(!refusal(&plain, &token, at(300.0)).message().contains("clockTolerance"));
}

#[test]
fn exp_is_required_and_zero_negative_and_fractional_times_are_times() {
    let verifier = verifier(|_| {});
    assert_eq!(fault(&verifier, &token(&json!({"exp": null})), now()), missing("exp"));
    for long_ago in [json!(0), json!(-1), json!(-1e300), json!(0.5)] {
        assert_eq!(code(&verifier, &token(&json!({"exp": long_ago, "iat": null}))), Err(ErrorCode::TokenExpired));
    }
    let half = token(&json!({"exp": f64::from(NOW) + 0.5}));
    assert!(verifier.verify(&half, at(0.25)).is_ok());
    assert_eq!(fault(&verifier, &half, at(0.5)).0, ErrorCode::TokenExpired);
    assert_eq!(code(&verifier, &token(&json!({"exp": 253_402_300_799_u64}))), Ok(()));
}

#[test]
fn a_time_that_is_no_number_is_an_error_and_not_an_absence() {
    let verifier = verifier(|_| {});
    for claim in ["exp", "nbf", "iat"] {
        for text in ["\"1\"", "\"\"", "null", "true", "[]", "{}", "1e400", "-1e400", "1700000000000"] {
            let (code, at_fault, reason) = fault(&verifier, &token_with(claim, text), now());
            assert_eq!(
                (code, at_fault.as_deref(), reason),
                (ErrorCode::ClaimInvalid, Some(claim), Some(Reason::Invalid)),
                "{text}"
            );
        }
    }
    assert!(
        refusal(&verifier, &token_with("exp", "1700000000000"), now()).message().contains("looks like milliseconds")
    );
}

// RFC 7519 sections 4.1.1, 4.1.2 and 4.1.7
#[test]
fn a_name_that_is_no_string_is_an_error_where_nothing_checks_it_too() {
    let anybody = TrustedIssuer { issuer: None, audience: None, keys: key_set(&[&key(1)]) };
    let verifier = verifier(|config| config.issuers = vec![anybody]);
    for claim in ["iss", "sub", "jti"] {
        assert_eq!(code(&verifier, &token_with(claim, "\"\"")), Ok(()), "{claim}");
        for text in ["1", "null", "true", "[\"x\"]", "{}"] {
            let (code, at_fault, reason) = fault(&verifier, &token_with(claim, text), now());
            let expected = (ErrorCode::ClaimInvalid, Some(claim), Some(Reason::Invalid));
            assert_eq!((code, at_fault.as_deref(), reason), expected, "{text}");
        }
    }
}

// RFC 7519 section 4.1.5
#[test]
fn a_token_is_not_valid_before_nbf() {
    let plain = verifier(|_| {});
    let tolerant = verifier(|config| config.clock_tolerance = 60);
    let token = token(&json!({"nbf": NOW, "iat": null}));
    assert!(plain.verify(&token, at(0.0)).is_ok());
    assert_eq!(fault(&plain, &token, at(-0.001)), check_failed(ErrorCode::TokenNotYetValid, "nbf"));
    assert!(tolerant.verify(&token, at(-60.0)).is_ok());
    assert_eq!(fault(&tolerant, &token, at(-60.001)), check_failed(ErrorCode::TokenNotYetValid, "nbf"));
    assert!(refusal(&plain, &token, at(-12.1)).message().contains("another 13 s"));
}

#[test]
fn a_token_from_the_future_is_refused() {
    let plain = verifier(|_| {});
    let tolerant = verifier(|config| config.clock_tolerance = 60);
    let token = token(&json!({}));
    assert_eq!(fault(&plain, &token, at(-1.0)), check_failed(ErrorCode::TokenIssuedInFuture, "iat"));
    assert!(tolerant.verify(&token, at(-60.0)).is_ok());
    assert_eq!(fault(&tolerant, &token, at(-61.0)), check_failed(ErrorCode::TokenIssuedInFuture, "iat"));
}

#[test]
fn max_token_age_counts_from_iat_and_needs_it() {
    let strict = verifier(|config| config.max_token_age = Some(100));
    let tolerant = verifier(|config| (config.max_token_age, config.clock_tolerance) = (Some(100), 5));
    let token = token(&json!({}));
    assert!(strict.verify(&token, at(100.0)).is_ok());
    assert_eq!(fault(&strict, &token, at(100.5)), check_failed(ErrorCode::TokenTooOld, "iat"));
    assert!(tolerant.verify(&token, at(105.0)).is_ok());
    assert_eq!(fault(&tolerant, &token, at(105.5)), check_failed(ErrorCode::TokenTooOld, "iat"));
    assert_eq!(fault(&strict, &minting::token(&json!({"iat": null})), now()), missing("iat"));
}

#[test]
fn the_issuer_is_compared_exactly_and_null_checks_nothing() {
    let several = verifier(|config| {
        config.issuers[0].issuer = Some(vec!["https://a.example".to_owned(), ISSUER.to_owned()]);
    });
    let any = verifier(|config| config.issuers[0].issuer = None);
    assert_eq!(code(&several, &token(&json!({}))), Ok(()));
    assert_eq!(code(&several, &token(&json!({"iss": "https://a.example"}))), Ok(()));
    for other in
        ["https://issuer.example/", "HTTPS://issuer.example", "https://issuer.exampl", "", " https://issuer.example"]
    {
        let token = token(&json!({"iss": other}));
        assert_eq!(fault(&several, &token, now()), check_failed(ErrorCode::IssuerMismatch, "iss"), "{other}");
        assert_eq!(code(&any, &token), Ok(()));
    }
    assert_eq!(fault(&several, &token(&json!({"iss": null})), now()), missing("iss"));
    assert_eq!(code(&any, &token(&json!({"iss": null}))), Ok(()));
}

#[test]
fn one_audience_of_the_token_must_be_one_of_the_configured() {
    let several = verifier(|config| config.issuers[0].audience = Some(vec!["web".to_owned(), AUDIENCE.to_owned()]));
    let any = verifier(|config| config.issuers[0].audience = None);
    for good in [json!("api"), json!(["api"]), json!(["x", "web"]), json!(["web", "api"])] {
        assert_eq!(code(&several, &token(&json!({"aud": good}))), Ok(()));
    }
    for bad in [json!("API"), json!([]), json!(["x"]), json!(""), json!(["api "])] {
        let token = token(&json!({"aud": bad}));
        assert_eq!(fault(&several, &token, now()), check_failed(ErrorCode::AudienceMismatch, "aud"));
        assert_eq!(code(&any, &token), Ok(()));
    }
    assert_eq!(fault(&several, &token(&json!({"aud": null})), now()), missing("aud"));
    assert_eq!(code(&any, &token(&json!({"aud": null}))), Ok(()));
    // The form is checked even where the value is not.
    assert_eq!(code(&any, &token(&json!({"aud": ["api", 1]}))), Err(ErrorCode::ClaimInvalid));
}

#[test]
fn the_subject_is_compared_exactly() {
    let verifier = verifier(|config| config.subject = Some("alice".to_owned()));
    assert_eq!(code(&verifier, &token(&json!({}))), Ok(()));
    assert_eq!(
        fault(&verifier, &token(&json!({"sub": "Alice"})), now()),
        check_failed(ErrorCode::ClaimMismatch, "sub")
    );
    assert_eq!(fault(&verifier, &token(&json!({"sub": null})), now()), missing("sub"));
}

#[test]
fn required_claims_must_be_present_with_any_value() {
    let verifier =
        verifier(|config| config.required_claims = vec!["sub".to_owned(), "scope".to_owned(), "exp".to_owned()]);
    assert_eq!(fault(&verifier, &token(&json!({})), now()), missing("scope"));
    for value in ["null", "false", "0", "\"\"", "[]"] {
        assert_eq!(code(&verifier, &token_with("scope", value)), Ok(()), "{value}");
    }
}

#[test]
fn exact_claims_are_compared_by_value_and_with_their_type() {
    let cases: [(Value, &[&str], &[&str]); 4] = [
        (json!("1"), &["\"1\"", "\"\\u0031\""], &["1", "\"01\"", "null", "[\"1\"]"]),
        (json!(1), &["1", "1.0", "1e0"], &["\"1\"", "true", "1.5"]),
        (
            json!({"a": [1, null], "b": {}}),
            &[r#"{"b":{},"a":[1,null]}"#],
            &[r#"{"a":[null,1],"b":{}}"#, r#"{"a":[1,null]}"#],
        ),
        (json!(null), &["null"], &["0", "false", "\"\""]),
    ];
    for (expected, good, bad) in cases {
        let verifier = verifier(|config| config.claims = Map::from_iter([("type".to_owned(), expected)]));
        for text in good {
            assert_eq!(code(&verifier, &token_with("type", text)), Ok(()), "{text}");
        }
        for text in bad {
            assert_eq!(
                fault(&verifier, &token_with("type", text), now()),
                check_failed(ErrorCode::ClaimMismatch, "type"),
                "{text}"
            );
        }
        assert_eq!(fault(&verifier, &token(&json!({})), now()), missing("type"));
    }
}

#[test]
fn a_policy_without_validation_still_holds_the_tolerance_at_its_greatest() {
    let policy = Policy { clock_tolerance: u32::MAX, ..Policy::default() };
    let claims = ClaimsSet::parse(format!("{{\"exp\":{NOW}}}").into_bytes()).unwrap();
    assert!(policy.check(&claims, at(299.0)).is_ok());
    assert_eq!(policy.check(&claims, at(300.0)).unwrap_err().code(), ErrorCode::TokenExpired);
}

#[test]
fn every_fault_of_a_token_is_found_in_the_order_of_the_checks() {
    let policy = Policy {
        issuer: Some(vec![ISSUER.to_owned()]),
        audience: Some(vec![AUDIENCE.to_owned()]),
        subject: Some("alice".to_owned()),
        max_token_age: Some(1),
        token_lifetime: Some(1),
        required_claims: vec!["scope".to_owned()],
        claims: Arc::new(Map::from_iter([("type".to_owned(), json!(1))])),
        ..Policy::default()
    };
    let claims =
        ClaimsSet::parse(format!(r#"{{"exp":{NOW},"nbf":{},"iat":{},"type":2}}"#, NOW + 1, NOW - 9).into_bytes())
            .unwrap();
    let found: Vec<_> = policy.faults(&claims, now()).map(|error| error.claim().unwrap().to_owned()).collect();
    assert_eq!(found, ["exp", "nbf", "iat", "iss", "aud", "sub", "scope", "type", "exp"]);
    let first = policy.check(&claims, now()).unwrap_err();
    assert_eq!(first.code(), ErrorCode::TokenExpired);
}

proptest! {
    #[test]
    fn times_decide_as_a_plain_comparison_does(exp in -400i32..400, nbf in -400i32..400, iat in -400i32..400, tolerance in 0u32..=300) {
        let verifier = verifier(|config| config.clock_tolerance = tolerance);
        let around = |offset: i32| i64::from(NOW) + i64::from(offset);
        let token = token(&json!({"exp": around(exp), "nbf": around(nbf), "iat": around(iat)}));
        let slack = i32::try_from(tolerance).unwrap();
        let expected = if exp + slack <= 0 {
            Err(ErrorCode::TokenExpired)
        } else if nbf - slack > 0 {
            Err(ErrorCode::TokenNotYetValid)
        } else if iat - slack > 0 {
            Err(ErrorCode::TokenIssuedInFuture)
        } else {
            Ok(())
        };
        prop_assert_eq!(code(&verifier, &token), expected);
    }
}
