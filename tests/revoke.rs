//! Writing revocations: what is written, that it takes effect, and that it lasts as long as anything it must end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use std::collections::BTreeMap;
use std::time::Duration;

use minting::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use waxseal::jwt::{Verifier, VerifierConfig};
use waxseal::revocation::{Answer, FailurePolicy, Kind, RevocationConfig, SubjectCut, Write};
use waxseal::{Error, ErrorCode, UnixTime};

/// Tolerance, skew and the default timeout.
const SLACK: u64 = 300 + 60 + 1;

fn guard(change: impl FnOnce(&mut VerifierConfig)) -> Verifier {
    verifier(|config| {
        config.revocation = Some(RevocationConfig::default());
        change(config);
    })
}

fn cut(before: Option<f64>, version: Option<u32>) -> SubjectCut {
    SubjectCut { before: before.map(|seconds| UnixTime::from_seconds(seconds).unwrap()), version }
}

fn subject(cut: SubjectCut, existing: Option<&str>) -> Write {
    guard(|_| {}).revoke_subject("alice", None, cut, existing, at(0.5)).unwrap()
}

/// A store that forgets an entry at the very second at which it may.
#[derive(Default)]
struct Store(BTreeMap<String, (String, f64)>);

impl Store {
    fn put(&mut self, write: Write, time: f64) {
        let until = time + f64::from(u32::try_from(write.ttl_seconds).unwrap());
        self.0.insert(write.key, (write.value, until));
    }

    fn get(&self, key: &str, time: f64) -> Answer {
        match self.0.get(key) {
            Some((value, until)) if time < *until => Answer::Value(value.clone()),
            _ => Answer::Missing,
        }
    }

    fn accepts(&self, guard: &Verifier, token: &str, now: UnixTime, read_at: f64) -> Result<(), ErrorCode> {
        let pending = guard.begin(token, now).map_err(|error| error.code())?;
        let answers: Vec<Answer> = pending.plan().iter().map(|key| self.get(key, read_at)).collect();
        pending.decide(&answers).map(|_| ()).map_err(|error| error.code())
    }
}

#[test]
fn revoking_a_token_keeps_the_entry_for_the_rest_of_its_own_life() {
    let guard = guard(|_| {});
    let write = guard.revoke_token(&claims(&json!({"exp": f64::from(NOW) + 899.5})), now()).unwrap();
    assert_eq!(
        write,
        Write { key: Kind::Token.key(ISSUER, "token-1"), value: "wx1 revoked".to_owned(), ttl_seconds: 900 + SLACK }
    );
    let ttl = |exp: Value| guard.revoke_token(&claims(&json!({ "exp": exp })), now()).unwrap().ttl_seconds;
    assert_eq!(ttl(json!(NOW - 1000)), SLACK, "an expired token");
    assert_eq!(ttl(json!(NOW + 1_000_000)), 1_000_000 + SLACK, "longer than any token that is accepted");
    assert_eq!(ttl(json!(null)), 86_400 + SLACK, "an unknown end");
    assert_eq!(ttl(json!("soon")), 86_400 + SLACK);
}

#[test]
fn revoking_a_session_or_a_subject_keeps_the_entry_for_the_longest_life() {
    let guard = guard(|config| config.revocation.as_mut().unwrap().token_lifetime = 900);
    let session = guard.revoke_session("s", None).unwrap();
    assert_eq!(
        session,
        Write { key: Kind::Session.key(ISSUER, "s"), value: "wx1 revoked".to_owned(), ttl_seconds: 900 + SLACK }
    );
    let all = guard.revoke_subject("alice", None, SubjectCut::default(), None, at(0.9)).unwrap();
    let expected =
        Write { key: Kind::Subject.key(ISSUER, "alice"), value: format!("wx1 after={NOW}"), ttl_seconds: 900 + SLACK };
    assert_eq!(all, expected);
    assert_eq!(guard.subject_key("alice", None).unwrap(), all.key);
}

#[test]
fn the_timeout_of_the_store_counts_in_whole_seconds_and_no_entry_is_kept_under_a_minute() {
    for (timeout, seconds) in [(1, 1), (1000, 1), (1001, 2), (30_000, 30)] {
        let guard = guard(|config| {
            let revocation = config.revocation.as_mut().unwrap();
            (revocation.timeout, revocation.token_lifetime) = (Duration::from_millis(timeout), 1);
        });
        let write = guard.revoke_session("s", None).unwrap();
        assert_eq!(write.ttl_seconds, 1 + 300 + 60 + seconds);
        assert!(guard.revoke_token(&claims(&json!({"exp": 0})), now()).unwrap().ttl_seconds >= 60);
    }
}

#[test]
fn a_subject_is_cut_by_time_by_version_or_by_both() {
    let now = f64::from(NOW);
    for (cut, value) in [
        (cut(None, None), format!("wx1 after={NOW}")),
        (cut(Some(now - 9.5), None), format!("wx1 after={}", NOW - 10)),
        (cut(Some(-5.0), None), "wx1 after=0".to_owned()),
        (cut(None, Some(7)), "wx1 version=7".to_owned()),
        (cut(Some(now), Some(7)), format!("wx1 after={NOW} version=7")),
    ] {
        assert_eq!(subject(cut, None).value, value);
    }
    let future = subject(cut(Some(now + 1000.0), None), None);
    assert_eq!(future.ttl_seconds, 1000 + 86_400 + SLACK, "a cut in the future is kept until it is past");
}

#[test]
fn an_earlier_revocation_of_the_subject_is_never_weakened() {
    let now = f64::from(NOW);
    for (cut, existing, value) in [
        (cut(Some(5.0), None), "wx1 after=9", "wx1 after=9".to_owned()),
        (cut(Some(9.0), None), "wx1 after=5", "wx1 after=9".to_owned()),
        (cut(Some(5.0), None), "wx1 version=3", "wx1 after=5 version=3".to_owned()),
        (cut(None, Some(2)), "wx1 after=9 version=3", "wx1 after=9 version=3".to_owned()),
        (cut(None, Some(4)), "wx1 after=9 version=3", "wx1 after=9 version=4".to_owned()),
        (cut(None, None), "wx1 version=3", format!("wx1 after={NOW} version=3")),
    ] {
        assert_eq!(subject(cut, Some(existing)).value, value, "{existing}");
    }
    let existing = format!("wx1 after={}", NOW + 1000);
    let write = subject(cut(Some(now), None), Some(&existing));
    assert_eq!((write.value.as_str(), write.ttl_seconds), (existing.as_str(), 1000 + 86_400 + SLACK));
}

#[test]
fn an_unreadable_entry_of_the_subject_gives_way_to_one_that_revokes_all_until_now() {
    for unreadable in ["", "wx2 after=5", "wx1 revoked", "wx1 after=1.5"] {
        assert_eq!(subject(cut(Some(5.0), Some(1)), Some(unreadable)).value, format!("wx1 after={NOW} version=1"));
        assert_eq!(subject(cut(None, Some(1)), Some(unreadable)).value, format!("wx1 after={NOW} version=1"));
    }
}

#[test]
fn what_would_never_be_read_is_not_written() {
    let named = |result: Result<Write, Error>, option: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionInvalid);
        assert!(error.message().starts_with(&format!("`{option}` must ")), "{option}: {error}");
    };
    let plain = verifier(|_| {});
    named(plain.revoke_session("s", None), "revocation");
    named(plain.revoke_token(&claims(&json!({})), now()), "revocation");
    named(plain.revoke_subject("a", None, SubjectCut::default(), None, now()), "revocation");
    assert!(plain.subject_key("a", None).is_err());

    let one = guard(|_| {});
    named(one.revoke_session("s", Some("https://other.example")), "issuer");
    named(one.revoke_session("", None), "sid");
    named(one.revoke_subject("", None, SubjectCut::default(), None, now()), "sub");
    named(one.revoke_token(&claims(&json!({"jti": null})), now()), "claims");
    named(one.revoke_token(&claims(&json!({"jti": 1})), now()), "claims");
    named(one.revoke_token(&json!(null), now()), "claims");
    named(one.revoke_token(&claims(&json!({"iss": "https://other.example"})), now()), "claims.iss");
    assert_eq!(one.revoke_session("s", Some(ISSUER)), one.revoke_session("s", None));

    let two = guard(|config| config.issuers.push(trusted("https://two.example", key_set(&[&key(2)]))));
    named(two.revoke_session("s", None), "issuer");
    assert_eq!(
        two.revoke_session("s", Some("https://two.example")).unwrap().key,
        Kind::Session.key("https://two.example", "s")
    );

    let any = guard(|config| config.issuers[0].issuer = None);
    named(any.revoke_session("s", None), "issuer");
    assert_eq!(
        any.revoke_session("s", Some("https://x.example")).unwrap().key,
        Kind::Session.key("https://x.example", "s")
    );
    assert_eq!(any.revoke_token(&claims(&json!({"iss": null})), now()).unwrap().key, Kind::Token.key("", "token-1"));
}

#[test]
fn an_entry_is_there_at_the_last_moment_at_which_its_token_could_be_accepted() {
    let guard = guard(|config| config.clock_tolerance = 300);
    let token = token(&json!({"sid": "s", "exp": NOW + 86_400}));
    let last = f64::from(NOW) + 86_400.0 + 299.9;
    let now_there = UnixTime::from_seconds(last).unwrap();
    // The answer may come a whole timeout after the question, and the clocks may differ by a minute.
    let read_at = last + 1.0 + 60.0;
    assert_eq!(Store::default().accepts(&guard, &token, now_there, read_at), Ok(()));
    for write in [
        guard.revoke_token(&claims(&json!({"exp": NOW + 86_400})), now()).unwrap(),
        guard.revoke_session("s", None).unwrap(),
        guard.revoke_subject("alice", None, SubjectCut::default(), None, now()).unwrap(),
    ] {
        let mut store = Store::default();
        store.put(write, f64::from(NOW));
        assert_eq!(store.accepts(&guard, &token, now_there, read_at), Err(ErrorCode::TokenRevoked));
    }
}

proptest! {
    #[test]
    fn what_is_revoked_is_never_accepted_again(
        kind in prop::sample::select(vec![Kind::Token, Kind::Session, Kind::Subject]),
        lifetime in 60u32..4000, life in 1u32..5000, tolerance in 0u32..=300, age in 0u32..5000,
        later in 0.0..10_000.0, timeout in 1u64..5000, wait in 0.0..1.0, reader_skew in -60.0..60.0,
    ) {
        let guard = guard(|config| {
            config.clock_tolerance = tolerance;
            config.revocation = Some(RevocationConfig {
                token_lifetime: lifetime, timeout: Duration::from_millis(timeout), on_failure: FailurePolicy::Accept,
            });
        });
        // Issued some time before it is revoked, which happens now.
        let claims = claims(&json!({"iat": NOW - age, "exp": NOW - age + life, "sid": "s"}));
        let token = sign(&key(1), HEADER, claims.to_string().as_bytes());
        let write = match kind {
            Kind::Token => guard.revoke_token(&claims, now()),
            Kind::Session => guard.revoke_session("s", None),
            Kind::Subject => guard.revoke_subject("alice", None, SubjectCut::default(), None, now()),
        };
        let mut store = Store::default();
        store.put(write.unwrap(), f64::from(NOW));
        // Presented later to a verifier whose clock differs, and whose answer may take as long as it may.
        let read_at = f64::from(NOW) + later + wait * Duration::from_millis(timeout).as_secs_f64();
        prop_assert!(store.accepts(&guard, &token, at(later + reader_skew), read_at).is_err());
    }

    #[test]
    fn no_sequence_of_revocations_brings_a_token_of_the_subject_back(
        cuts in prop::collection::vec((prop::option::of(-50.0..50.0), prop::option::of(0u32..6)), 1..5),
        garbage in prop::option::of((0usize..5, "[a-z0-9 =]{0,12}")), iat in -60i32..0, ver in prop::option::of(0u32..6),
    ) {
        let guard = guard(|_| {});
        let mut changes = json!({"iat": i64::from(NOW) + i64::from(iat)});
        if let Some(ver) = ver {
            changes["ver"] = ver.into();
        }
        let token = token(&changes);
        let mut existing: Option<String> = None;
        let mut refused = false;
        for (i, (before, version)) in cuts.into_iter().enumerate() {
            if let Some((_, text)) = garbage.as_ref().filter(|(at, _)| *at == i && existing.is_some()) {
                existing = Some(text.clone());
            }
            let cut = cut(before.map(|offset| f64::from(NOW) + offset), version);
            let write = guard.revoke_subject("alice", None, cut, existing.as_deref(), now()).unwrap();
            let answers = [Answer::Missing, Answer::Value(write.value.clone())];
            let now_refused = guard.begin(&token, now()).unwrap().decide(&answers).is_err();
            prop_assert!(now_refused || !refused);
            refused = now_refused;
            existing = Some(write.value);
        }
    }
}
