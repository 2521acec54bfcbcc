//! Revocation through the public interface: what is read, what the answers mean, and which tokens are refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use waxseal::error::Reason;
use waxseal::jwt::{PendingJwt, Verifier};
use waxseal::revocation::{Answer, FailurePolicy, Kind, Plan, Revocable, RevocationConfig, RevocationState};
use waxseal::{Error, ErrorCode};

const LIFETIME: u32 = 3600;

fn guard(on_failure: FailurePolicy) -> Verifier {
    let revocation = RevocationConfig { on_failure, token_lifetime: LIFETIME, ..RevocationConfig::default() };
    verifier(|config| config.revocation = Some(revocation))
}

fn begin(changes: &Value) -> Result<PendingJwt, Error> {
    guard(FailurePolicy::Reject).begin(&token(changes), now())
}

fn value(text: &str) -> Answer {
    Answer::Value(text.to_owned())
}

/// The verdict on a token whose own and session entries are missing, and whose subject entry is this text.
fn with_subject_entry(changes: &Value, text: &str) -> Result<RevocationState, ErrorCode> {
    let answers = [Answer::Missing, value(text)];
    begin(changes).unwrap().decide(&answers).map(|jwt| jwt.revocation()).map_err(|error| error.code())
}

#[test]
fn the_keys_are_those_of_the_token_its_session_and_its_subject() {
    let (token, session, subject) =
        (Kind::Token.key(ISSUER, "token-1"), Kind::Session.key(ISSUER, "s"), Kind::Subject.key(ISSUER, "alice"));
    for (changes, expected) in [
        (json!({"sid": "s"}), vec![&token, &session, &subject]),
        (json!({}), vec![&token, &subject]),
        (json!({"sid": "s", "sub": null}), vec![&token, &session]),
        (json!({"sub": null}), vec![&token]),
    ] {
        assert_eq!(begin(&changes).unwrap().plan().iter().collect::<Vec<_>>(), expected);
    }
    assert!(
        begin(&json!({"sub": "alice@example.com"}))
            .unwrap()
            .plan()
            .iter()
            .all(|key| key.len() < 64 && !key.contains('@'))
    );
}

#[test]
fn a_token_without_issuer_has_keys_of_its_own() {
    let verifier = verifier(|config| {
        config.issuers[0].issuer = None;
        config.revocation = Some(RevocationConfig::default());
    });
    let pending = verifier.begin(&token(&json!({"iss": null})), now()).unwrap();
    assert_eq!(pending.plan(), [Kind::Token.key("", "token-1"), Kind::Subject.key("", "alice")]);
}

#[test]
fn no_key_is_planned_for_a_token_that_has_not_passed_every_earlier_step() {
    let guard = guard(FailurePolicy::Accept);
    let forged = sign(&key(2), HEADER, claims(&json!({})).to_string().as_bytes());
    assert_eq!(guard.begin(&forged, now()).unwrap_err().code(), ErrorCode::SignatureInvalid);
    assert_eq!(guard.begin(&token(&json!({"exp": NOW})), now()).unwrap_err().code(), ErrorCode::TokenExpired);
}

#[test]
fn the_synchronous_call_refuses_before_it_looks_at_the_token() {
    let guard = guard(FailurePolicy::Accept);
    for token in [token(&json!({})), String::new(), "x".repeat(1_000_000)] {
        assert_eq!(guard.verify(&token, now()).unwrap_err().code(), ErrorCode::RevocationNeedsAsync);
    }
}

#[test]
fn without_revocation_nothing_is_read_and_the_result_says_so() {
    let pending = verifier(|_| {}).begin(&token(&json!({"jti": null})), now()).unwrap();
    assert!(pending.plan().is_empty());
    assert_eq!(pending.decide(&[]).unwrap().revocation(), RevocationState::NotChecked);
}

#[test]
fn a_token_that_could_not_be_revoked_is_refused() {
    let refused = |changes| {
        let error = begin(&changes).unwrap_err();
        (error.code(), error.claim().unwrap().to_owned(), error.reason().unwrap())
    };
    assert_eq!(refused(json!({"jti": null})), (ErrorCode::ClaimMissing, "jti".to_owned(), Reason::Missing));
    for sid in [json!(1), json!(["s"]), json!({})] {
        assert_eq!(refused(json!({ "sid": sid })), (ErrorCode::ClaimInvalid, "sid".to_owned(), Reason::Invalid));
    }
    let null_sid = guard(FailurePolicy::Reject).begin(&token_with("sid", "null"), now()).unwrap_err();
    assert_eq!(null_sid.code(), ErrorCode::ClaimInvalid);
}

#[test]
fn a_token_that_outlives_its_entries_is_refused_from_its_first_day_to_its_last() {
    let code = |changes: Value, offset: f64| {
        guard(FailurePolicy::Reject).begin(&token(&changes), at(offset)).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(code(json!({"exp": NOW + LIFETIME}), 0.0), Ok(()));
    assert_eq!(code(json!({"exp": NOW + LIFETIME + 1}), 0.0), Err(ErrorCode::TokenLifetime));
    // What is left of it would fit, but an entry written on its first day would be gone.
    assert_eq!(code(json!({"exp": NOW + LIFETIME + 1}), f64::from(LIFETIME)), Err(ErrorCode::TokenLifetime));
    // Without iat only what is left is known.
    assert_eq!(code(json!({"exp": NOW + LIFETIME, "iat": null}), 0.0), Ok(()));
    assert_eq!(code(json!({"exp": NOW + LIFETIME + 1, "iat": null}), 0.0), Err(ErrorCode::TokenLifetime));
    let tolerant = verifier(|config| {
        config.clock_tolerance = 60;
        config.revocation = Some(RevocationConfig { token_lifetime: LIFETIME, ..RevocationConfig::default() });
    });
    let without_iat = |exp: u32| tolerant.begin(&token(&json!({"exp": exp, "iat": null})), now()).is_ok();
    assert_eq!((without_iat(NOW + LIFETIME + 60), without_iat(NOW + LIFETIME + 61)), (true, false));
    // Without revocation a token may live as long as it likes.
    assert!(verifier(|_| {}).verify(&token(&json!({"exp": NOW + 100 * LIFETIME})), now()).is_ok());
}

#[test]
fn a_revoked_token_session_or_subject_is_refused_by_the_claim_of_its_entry() {
    let clear = [Answer::Missing, Answer::Missing, Answer::Missing];
    assert_eq!(begin(&json!({"sid": "s"})).unwrap().decide(&clear).unwrap().revocation(), RevocationState::Clear);
    for (position, text, claim) in [
        (0, "wx1 revoked", "jti"),
        (1, "wx1 revoked", "sid"),
        (2, "wx1 after=1700000000", "sub"),
        (2, "wx1 version=1", "sub"),
    ] {
        let mut answers = clear.clone();
        answers[position] = value(text);
        let error = begin(&json!({"sid": "s"})).unwrap().decide(&answers).unwrap_err();
        assert_eq!(
            (error.code(), error.claim(), error.reason()),
            (ErrorCode::TokenRevoked, Some(claim), Some(Reason::CheckFailed))
        );
    }
}

#[test]
fn a_valid_after_entry_refuses_up_to_and_including_its_second() {
    let revoked = Err(ErrorCode::TokenRevoked);
    let issued = |iat: f64| json!({"iat": f64::from(NOW) + iat});
    for (iat, expected) in [(0.0, revoked), (-1.0, revoked), (0.999, revoked), (1.0, Ok(RevocationState::Clear))] {
        let changes = issued(iat);
        let pending = guard(FailurePolicy::Reject).begin(&token(&changes), at(1.0)).unwrap();
        let verdict = pending.decide(&[Answer::Missing, value(&format!("wx1 after={NOW}"))]);
        assert_eq!(verdict.map(|jwt| jwt.revocation()).map_err(|error| error.code()), expected, "{iat}");
    }
    assert_eq!(with_subject_entry(&json!({"iat": null}), "wx1 after=0"), revoked, "a token without iat");
}

#[test]
fn a_version_entry_refuses_lesser_versions_and_whatever_is_no_version() {
    for good in [json!(3), json!(4), json!(3.0), json!(4_294_967_296_u64)] {
        assert_eq!(with_subject_entry(&json!({ "ver": good }), "wx1 version=3"), Ok(RevocationState::Clear));
    }
    for bad in [json!(2), json!(0), json!(-1), json!(3.5), json!("3"), json!(true), json!([3]), json!(null)] {
        assert_eq!(with_subject_entry(&json!({ "ver": bad }), "wx1 version=3"), Err(ErrorCode::TokenRevoked), "{bad}");
    }
    assert_eq!(with_subject_entry(&json!({}), "wx1 version=0"), Err(ErrorCode::TokenRevoked), "a token without ver");
    // Both fields must let it pass.
    let both = format!("wx1 after={} version=3", NOW - 1);
    assert_eq!(with_subject_entry(&json!({"ver": 3}), &both), Ok(RevocationState::Clear));
    assert_eq!(with_subject_entry(&json!({"ver": 2}), &both), Err(ErrorCode::TokenRevoked));
    assert_eq!(with_subject_entry(&json!({"ver": 3, "iat": NOW - 1}), &both), Err(ErrorCode::TokenRevoked));
    // `ver` means something else to other issuers, and matters only where an entry speaks of it.
    assert_eq!(
        with_subject_entry(&json!({"ver": "2.0"}), &format!("wx1 after={}", NOW - 1)),
        Ok(RevocationState::Clear)
    );
}

#[test]
fn whatever_is_not_an_entry_or_null_is_a_failure() {
    let bad_answers = [
        vec![Answer::Failed, Answer::Missing],
        vec![Answer::Missing, Answer::Failed],
        vec![value(""), Answer::Missing],
        vec![value("null"), Answer::Missing],
        vec![value("wx1 after=1"), Answer::Missing],
        vec![Answer::Missing, value("wx1 revoked")],
        vec![Answer::Missing, value("wx2 after=1")],
        vec![Answer::Missing, value(&format!("wx1 version=1{}", "0".repeat(100_000)))],
        vec![Answer::Missing],
        vec![],
        vec![Answer::Missing, Answer::Missing, Answer::Missing],
    ];
    for answers in bad_answers {
        let error = begin(&json!({})).unwrap().decide(&answers).unwrap_err();
        assert_eq!((error.code(), error.code().status()), (ErrorCode::RevocationUnavailable, 503), "{answers:?}");
        let accepting = guard(FailurePolicy::Accept).begin(&token(&json!({})), now()).unwrap();
        assert_eq!(accepting.decide(&answers).unwrap().revocation(), RevocationState::Unavailable, "{answers:?}");
    }
}

#[test]
fn what_is_known_of_an_accepted_token_has_a_name() {
    let names =
        [RevocationState::NotChecked, RevocationState::Clear, RevocationState::Unavailable].map(RevocationState::name);
    assert_eq!(names, ["not-checked", "clear", "unavailable"]);
}

#[test]
fn nothing_about_revocation_shows_content_when_debugged() {
    let pending = begin(&json!({"sub": "hidden"})).unwrap();
    assert_eq!(format!("{pending:?}"), "PendingJwt { .. }");
    assert_eq!(format!("{:?}", value("hidden")), "Value(..)");
}

/// Texts of every sort, with what each means for a token of `iat` [`NOW`] and `ver` 3: revoked, failure or clear.
fn any_answer(kind: Kind) -> impl Strategy<Value = (Answer, &'static str)> {
    let revoking: Vec<String> = match kind {
        Kind::Token | Kind::Session => vec!["wx1 revoked".to_owned()],
        Kind::Subject => {
            vec![format!("wx1 after={NOW}"), "wx1 version=4".to_owned(), format!("wx1 after={NOW} version=1")]
        }
    };
    let clear: Vec<Answer> = match kind {
        Kind::Token | Kind::Session => vec![Answer::Missing],
        Kind::Subject => vec![Answer::Missing, value("wx1 version=3"), value(&format!("wx1 after={}", NOW - 1))],
    };
    prop_oneof![
        1 => prop::sample::select(revoking).prop_map(|text| (value(&text), "revoked")),
        1 => prop_oneof![Just(Answer::Failed), "[a-z0-9 =]{0,20}".prop_map(Answer::Value)].prop_map(|answer| (answer, "failure")),
        3 => prop::sample::select(clear).prop_map(|answer| (answer, "clear")),
    ]
}

proptest! {
    #[test]
    fn revoked_beats_failure_and_failure_beats_clear(
        token in any_answer(Kind::Token), session in any_answer(Kind::Session), subject in any_answer(Kind::Subject),
        read in 0usize..=4, accept in any::<bool>(),
    ) {
        let plan = Plan::new(&Revocable {
            issuer: ISSUER, token: "t", session: Some("s"), subject: Some("a"), issued_at: Some(now()), version: Some(3.0),
        });
        // A store that answers short, or more than was asked.
        let mut given = vec![token, session, subject];
        given.push((Answer::Missing, "clear"));
        given.truncate(read);
        let (answers, meanings): (Vec<_>, Vec<_>) = given.into_iter().unzip();

        let policy = if accept { FailurePolicy::Accept } else { FailurePolicy::Reject };
        let verdict = plan.verdict(&answers, policy).map_err(|error| error.code());
        let expected = if meanings.iter().take(3).any(|meaning| *meaning == "revoked") {
            Err(ErrorCode::TokenRevoked)
        } else if read != 3 || meanings.contains(&"failure") {
            if accept { Ok(RevocationState::Unavailable) } else { Err(ErrorCode::RevocationUnavailable) }
        } else {
            Ok(RevocationState::Clear)
        };
        prop_assert_eq!(verdict, expected);
    }
}
