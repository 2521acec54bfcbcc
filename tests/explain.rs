//! Explanations through the public interface: every step with its outcome, and all problems at once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use waxseal::ErrorCode;
use waxseal::encoding::base64url;
use waxseal::error::Step;
use waxseal::jwt::explain::{Outcome, StepReport};
use waxseal::jwt::{Explanation, Verifier, explain};
use waxseal::revocation::RevocationConfig;

/// The outcomes in order, by their first letters: p, f, s, n.
fn outcomes(explanation: &Explanation) -> String {
    explanation.steps.iter().map(|report| &report.outcome.name()[..1]).collect()
}

fn step(explanation: &Explanation, step: Step) -> &StepReport {
    explanation.steps.iter().find(|report| report.step == step).unwrap()
}

fn code(explanation: &Explanation, at: Step) -> Option<ErrorCode> {
    step(explanation, at).error.as_ref().map(waxseal::Error::code)
}

#[track_caller]
fn assert_detail(explanation: &Explanation, at: Step, part: &str) {
    let detail = &step(explanation, at).detail;
    assert!(detail.contains(part), "{detail}");
}

#[test]
fn the_steps_come_in_the_order_in_which_they_are_taken() {
    let explanation = explain(&verifier(|_| {}), &token(&json!({})), now());
    let names: Vec<_> = explanation.steps.iter().map(|report| report.step.name()).collect();
    assert_eq!(names, ["size", "segments", "header", "key", "signature", "claims", "policy", "revocation"]);
}

#[test]
fn an_accepted_token_passes_every_step_and_its_content_is_shown() {
    let explanation = explain(&verifier(|_| {}), &token(&json!({})), at(10.0));
    assert_eq!(outcomes(&explanation), "ppppppps");
    assert_eq!(explanation.header_json.as_deref(), Some(HEADER));
    assert_eq!(serde_json::from_str::<Value>(explanation.claims_json.as_ref().unwrap()).unwrap(), claims(&json!({})));
    assert_detail(&explanation, Step::Size, "the limit is 8192");
    assert_detail(&explanation, Step::Header, "alg \u{201c}ES256\u{201d}, no kid, typ \u{201c}JWT\u{201d}");
    assert_detail(&explanation, Step::Key, key(1).verifying_key().thumbprint());
    assert_detail(&explanation, Step::Policy, "expires in 890 s");
    assert_detail(&explanation, Step::Revocation, "No revocation store");
}

#[test]
fn what_is_not_checked_is_said() {
    let lax = verifier(|config| (config.issuers[0].issuer, config.issuers[0].audience) = (None, None));
    assert_detail(
        &explain(&lax, &token(&json!({})), now()),
        Step::Policy,
        "The issuer is not checked. The audience is not checked.",
    );
}

#[test]
fn every_problem_shows_at_once() {
    let strict = verifier(|config| config.typ = Some("at+jwt".to_owned()));
    let wrong = claims(&json!({"iss": "https://other.example", "aud": ["web", "tv"], "exp": NOW - 12}));
    let explanation = explain(&strict, &sign(&key(2), HEADER, wrong.to_string().as_bytes()), now());
    assert_eq!(outcomes(&explanation), "ppfpfpfs");
    assert_eq!(code(&explanation, Step::Header), Some(ErrorCode::TokenType));
    assert_eq!(code(&explanation, Step::Signature), Some(ErrorCode::SignatureInvalid));
    assert_eq!(code(&explanation, Step::Policy), Some(ErrorCode::TokenExpired));
    assert_detail(
        &explanation,
        Step::Header,
        "It has typ \u{201c}JWT\u{201d}, and typ asks for \u{201c}at+jwt\u{201d}.",
    );
    assert_detail(&explanation, Step::Signature, "another key signed");
    for part in [
        "expired 12 s ago",
        "The token has [\u{201c}https://other.example\u{201d}], accepted is [\u{201c}https://issuer.example\u{201d}].",
        "The token has [\u{201c}web\u{201d}, \u{201c}tv\u{201d}], accepted is [\u{201c}api\u{201d}].",
    ] {
        assert_detail(&explanation, Step::Policy, part);
    }
}

#[test]
fn a_form_that_cannot_be_read_leaves_the_later_steps_unreached() {
    let verifier = verifier(|config| config.max_token_length = 1000);
    for (token, expected, failing, code_expected) in [
        ("a".repeat(1001), "fnnnnnnn", Step::Size, ErrorCode::TokenTooLarge),
        ("a.b".to_owned(), "pfnnnnnn", Step::Segments, ErrorCode::TokenMalformed),
        ("a.b.c.d.e".to_owned(), "pfnnnnnn", Step::Segments, ErrorCode::TokenMalformed),
        (
            sign(&key(1), "[]", claims(&json!({})).to_string().as_bytes()),
            "ppfnnpps",
            Step::Header,
            ErrorCode::HeaderInvalid,
        ),
        (sign(&key(1), HEADER, b"[]"), "pppppfnn", Step::Claims, ErrorCode::ClaimsInvalid),
        (token_with("exp", "1700000000000"), "pppppfnn", Step::Claims, ErrorCode::ClaimInvalid),
    ] {
        let explanation = explain(&verifier, &token, now());
        assert_eq!(outcomes(&explanation), expected, "{token}");
        assert_eq!(code(&explanation, failing), Some(code_expected));
    }
    assert_detail(
        &explain(&verifier, &"a".repeat(1001), now()),
        Step::Size,
        "It has 1001 bytes, and the limit is 1000.",
    );
    assert_detail(&explain(&verifier, "a.b.c.d.e", now()), Step::Segments, "JWE");
    assert_detail(
        &explain(&verifier, &token_with("exp", "1700000000000"), now()),
        Step::Claims,
        "looks like milliseconds",
    );
}

#[test]
fn a_missing_key_shows_what_the_header_asked_for() {
    let verifier = verifier(|_| {});
    let asked =
        |header: &str| explain(&verifier, &sign(&key(1), header, claims(&json!({})).to_string().as_bytes()), now());
    let unknown = asked(r#"{"alg":"ES256","kid":"k-2"}"#);
    assert_eq!((outcomes(&unknown).as_str(), code(&unknown, Step::Key)), ("pppfnpps", Some(ErrorCode::KeyNotFound)));
    assert_detail(&unknown, Step::Key, "kid \u{201c}k-2\u{201d}");
    let none = asked(r#"{"alg":"none"}"#);
    assert_eq!(code(&none, Step::Key), Some(ErrorCode::AlgorithmNotAllowed));
    assert_detail(&none, Step::Key, "alg \u{201c}none\u{201d} and no kid");
}

#[test]
fn a_signature_of_the_wrong_form_is_recognised() {
    let good = token(&json!({}));
    let input = good.rsplit_once('.').unwrap().0;
    let with = |bytes: &[u8]| explain(&verifier(|_| {}), &format!("{input}.{}", base64url(bytes)), now());
    let mut der = [1; 70];
    der[0] = 0x30;
    assert_detail(&with(&der), Step::Signature, "looks like DER");
    assert_detail(&with(&[0x30; 80]), Step::Signature, "has 80 bytes");
    assert_detail(&with(&[1; 70]), Step::Signature, "has 70 bytes, which no ES256 signature has");
    assert_detail(&with(&[1; 64]), Step::Signature, "another key");
}

#[test]
fn of_an_unknown_issuer_the_common_rules_are_still_explained() {
    let two = verifier(|config| config.issuers.push(trusted("https://two.example", key_set(&[&key(2)]))));
    let explanation = explain(&two, &token(&json!({"iss": "https://three.example", "exp": NOW})), now());
    assert_eq!(outcomes(&explanation), "pppfnpfs");
    assert_eq!(code(&explanation, Step::Key), Some(ErrorCode::IssuerUnknown));
    assert_eq!(code(&explanation, Step::Policy), Some(ErrorCode::TokenExpired));
    // What each issuer has of its own is not held against it.
    let explanation = explain(&two, &token(&json!({"iss": "https://three.example", "aud": "another"})), now());
    assert_eq!(code(&explanation, Step::Policy), None);
}

#[test]
fn revocation_is_planned_but_no_store_is_asked() {
    let guard = verifier(|config| config.revocation = Some(RevocationConfig::default()));
    let planned = explain(&guard, &token(&json!({"sid": "s"})), now());
    assert_eq!(outcomes(&planned), "ppppppps");
    assert_detail(&planned, Step::Revocation, "reads 3 entries");
    let without = explain(&guard, &token(&json!({"jti": null})), now());
    assert_eq!(
        (outcomes(&without).as_str(), code(&without, Step::Revocation)),
        ("pppppppf", Some(ErrorCode::ClaimMissing))
    );
}

#[test]
fn long_values_are_shortened() {
    let long = "x".repeat(5000);
    let many: Vec<String> = (0..50).map(|i| format!("a{i}")).collect();
    let explanation = explain(&verifier(|_| {}), &token(&json!({"iss": long, "aud": many})), now());
    let detail = &step(&explanation, Step::Policy).detail;
    assert!(detail.contains("x\u{2026}") && detail.contains("a9") && !detail.contains("a10"), "{detail}");
    assert!(detail.len() < 1000, "{detail}");
}

#[test]
fn debug_shows_no_content() {
    let token =
        sign(&key(1), r#"{"alg":"ES256","typ":"hidden"}"#, claims(&json!({"iss": "hidden"})).to_string().as_bytes());
    let explanation = explain(&verifier(|_| {}), &token, now());
    assert_detail(&explanation, Step::Policy, "hidden");
    assert!(!format!("{explanation:?}").contains("hidden"));
}

/// Whatever verification reports is the first failure that the explanation shows, and the other way round.
fn agrees(verifier: &Verifier, token: &str) -> Result<(), TestCaseError> {
    let explanation = explain(verifier, token, now());
    let first = explanation.steps.iter().find_map(|report| report.error.as_ref());
    let reported = verifier.verify(token, now()).err();
    prop_assert_eq!(reported.as_ref(), first);
    prop_assert_eq!(explanation.steps.len(), 8);
    for report in &explanation.steps {
        prop_assert_eq!(report.error.is_some(), report.outcome == Outcome::Failed);
        prop_assert!(!report.detail.is_empty());
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_explanation_agrees_with_verification(
        header in prop::sample::select(vec![HEADER, r#"{"alg":"ES256","typ":"rt+jwt"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"ES256","kid":"x"}"#, "[]", r#"{"alg":"ES256","crit":["x"],"x":1}"#]),
        signer in 1u8..=2,
        changes in prop::sample::select(vec![json!({}), json!({"exp": NOW}), json!({"exp": "x"}), json!({"iss": "x"}), json!({"iat": NOW + 1, "aud": 1}), json!({"aud": "x", "nbf": NOW + 9})]),
        cut in 0usize..4, text in ".{0,40}",
    ) {
        let verifier = verifier(|_| {});
        let token = sign(&key(signer), header, claims(&changes).to_string().as_bytes());
        agrees(&verifier, &token)?;
        agrees(&verifier, &token[..token.len() - cut])?;
        agrees(&verifier, &text)?;
    }
}
