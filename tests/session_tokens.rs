//! What the tokens of a session say, how long they live, and the options that decide it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod minting;
mod sessions;
mod support;

use std::fmt::Write;
use std::time::Duration;

use minting::{key, key_set, now, trusted};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sessions::{DAY, NEW_SID, NOW, current, policy, random, session};
use waxseal::error::Reason;
use waxseal::jwa::Algorithm;
use waxseal::jwt::{Issuer, IssuerConfig, Overrides, Verifier, VerifierConfig};
use waxseal::revocation::RevocationConfig;
use waxseal::session::{AppClaims, Flow, Randomness, RefreshToken, Release, Reply, Session, SessionPolicy, Step, Task};
use waxseal::{Error, ErrorCode, UnixTime};

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value}") };
    map
}

fn app(value: Value) -> AppClaims {
    AppClaims::new(object(value)).unwrap()
}

fn refused(value: Value) -> Error {
    AppClaims::new(object(value)).unwrap_err()
}

/// What a login releases.
fn released(claims: AppClaims, policy: &SessionPolicy, random: Randomness) -> Release {
    let task = Task::Login { label: None, client: None, replaces: None, claims };
    let mut flow = Flow::new(task, "alice", NOW, random);
    flow.resume(policy, Reply::Start);
    let Step::Sign(release) = flow.resume(policy, Reply::Record(None)) else { panic!() };
    *release
}

/// What a refresh at a time releases.
fn refreshed(
    stored: &Session,
    presented: RefreshToken,
    policy: &SessionPolicy,
    now: u64,
    random: Randomness,
) -> Release {
    let mut flow = Flow::new(Task::Refresh { presented, client: None }, "alice", now, random);
    flow.resume(policy, Reply::Start);
    let text = sessions::record([stored.clone()]).write();
    let Step::Sign(release) = flow.resume(policy, Reply::Record(Some(text))) else { panic!() };
    *release
}

const REFRESH_TYPE: &str = "rt+jwt";

/// Signs a refresh token as the host does, and verifies it.
fn signed_and_verified(token: &RefreshToken) -> Result<RefreshToken, Error> {
    let issuer = Issuer::new(IssuerConfig {
        issuer: minting::ISSUER.to_owned(),
        audience: vec![minting::AUDIENCE.to_owned()],
        expires_in: token.lifetime(),
        typ: Some(REFRESH_TYPE.to_owned()),
        kid: None,
        algorithm: Algorithm::Es256,
    })?;
    let issued_at = UnixTime::from_whole_seconds(token.issued_at.try_into().unwrap()).unwrap();
    let text = issuer.issue(&key(1), token.claims(), &Overrides::default(), issued_at, &token.jti())?;
    let mut config = VerifierConfig::new(vec![trusted(minting::ISSUER, key_set(&[&key(1)]))]);
    config.typ = Some(REFRESH_TYPE.to_owned());
    RefreshToken::from_verified(&Verifier::new(config)?.verify(&text, now())?)
}

#[test]
fn a_claim_of_the_session_cannot_be_given() {
    for name in ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "ver", "gen"] {
        let error = refused(json!({ "role": "admin", name: "mine" }));
        assert_eq!(error.code(), ErrorCode::IssueClaims);
        assert_eq!((error.claim(), error.reason()), (Some(name), Some(Reason::Invalid)));
        assert_eq!(error.message(), format!("The claim {name} is set by the session and cannot be given."));
    }
    for name in ["SUB", "sub ", "app", "roles", "nbf", ""] {
        assert!(AppClaims::new(object(json!({ name: 1 }))).is_ok(), "{name:?}");
    }
}

#[test]
fn claims_that_nest_too_deeply_for_the_refresh_token_are_refused() {
    let nested = |levels: usize| json!({ "a": (1..levels).fold(json!(1), |value, _| json!([value])) });
    let deepest = app(nested(31));
    let release = released(deepest, &policy(), random(7));
    assert_eq!(release.access.claims()["a"], nested(31)["a"]);
    assert_eq!(signed_and_verified(&release.refresh).unwrap(), release.refresh);
    for levels in [32, 33, 100] {
        let error = refused(nested(levels));
        assert_eq!(error.code(), ErrorCode::IssueClaims);
        assert_eq!(error.message(), "The claims are nested too deeply.");
    }
}

#[test]
fn an_access_token_says_the_session_its_birth_version_and_what_the_application_gave() {
    let release = released(app(json!({"roles": ["admin"], "tenant": 7})), &policy(), random(7));
    assert_eq!(
        release.access.claims(),
        json!({"sub": "alice", "sid": NEW_SID, "ver": 0, "roles": ["admin"], "tenant": 7})
    );
    assert_eq!(release.access.jti, [7 ^ 0xff; 16]);
    assert_eq!((release.access.issued_at, release.access.lifetime), (NOW, 900));
    let release = released(AppClaims::default(), &policy(), random(7));
    assert_eq!(release.access.claims(), json!({"sub": "alice", "sid": NEW_SID, "ver": 0}));
}

#[test]
fn a_refresh_token_carries_the_claims_of_the_application_in_one_member() {
    let release = released(app(json!({"roles": ["admin"]})), &policy(), random(7));
    assert_eq!(
        release.refresh.claims(),
        json!({"sub": "alice", "sid": NEW_SID, "gen": 0, "app": {"roles": ["admin"]}})
    );
    assert_eq!((release.refresh.issued_at, release.refresh.expires_at), (NOW, NOW + 7 * DAY));
    assert_eq!(u64::from(release.refresh.lifetime()), 7 * DAY);
    let release = released(AppClaims::new(Map::new()).unwrap(), &policy(), random(7));
    assert_eq!(release.refresh.claims(), json!({"sub": "alice", "sid": NEW_SID, "gen": 0}));
}

#[test]
fn the_jti_of_a_refresh_token_is_the_documented_digest() {
    // printf 'wx1 refresh 3 s' | sha256sum | cut -c1-32
    let jti = u128::from_be_bytes(current(&session("s")).jti());
    assert_eq!(format!("{jti:032x}"), "7e519cb94fc3a9642e4ba33ff2fee5b9");
}

#[test]
fn a_token_that_is_not_a_refresh_token_is_not_taken_for_one() {
    let good = json!({"sub": "alice", "sid": "s", "gen": 0});
    let read = |changes: &[(&str, Value)]| {
        let mut claims = good.clone();
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let token = minting::token(&claims);
        RefreshToken::from_verified(&minting::verifier(|_| {}).verify(&token, now()).unwrap())
    };
    assert!(read(&[]).is_ok());
    assert!(read(&[("app", json!({}))]).is_ok());
    for (name, value) in [
        ("sub", json!(null)),
        ("sid", json!(null)),
        ("sid", json!(1)),
        ("gen", json!(null)),
        ("gen", json!("0")),
        ("gen", json!(-1)),
        ("gen", json!(1.5)),
        ("gen", json!(4_294_967_296_u64)),
        ("gen", json!([0])),
        ("iat", json!(null)),
        ("exp", json!(null)),
        ("app", json!("{}")),
        ("app", json!([])),
        ("app", json!(false)),
    ] {
        let verified = minting::verifier(|config| config.required_claims = Vec::new());
        let mut claims = good.clone();
        claims[name] = value.clone();
        let Ok(jwt) = verified.verify(&minting::token(&claims), now()) else {
            assert!(["sub", "exp"].contains(&name), "{name}: {value}");
            continue;
        };
        let error = RefreshToken::from_verified(&jwt).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClaimInvalid, "{name}: {value}");
    }
}

#[test]
fn debug_of_tokens_and_calls_shows_no_identifier() {
    let claims = app(json!({"secret": "needle"}));
    let release = released(claims.clone(), &policy(), Randomness { sid: *b"needleneedleneed", ..random(7) });
    let stored = Session { sid: "needle".to_owned(), client: Some("needle".to_owned()), ..session("s") };
    let presented = RefreshToken { subject: "needle".to_owned(), claims, ..current(&stored) };
    let task = Task::Refresh { presented: presented.clone(), client: Some("needle".to_owned()) };
    let mut flow = Flow::new(task, "needle", NOW, Randomness { sid: *b"needleneedleneed", ..random(7) });
    let mut shown = format!("{release:?} {presented:?} {flow:?} {:?}", random(7));
    for reply in [Reply::Start, Reply::Record(Some(sessions::record([stored]).write())), Reply::Signed] {
        flow.resume(&policy(), reply);
        write!(shown, "{flow:?}").unwrap();
    }
    assert!(!shown.contains("needle") && !shown.contains(&release.access.sid), "{shown}");
    assert!(shown.contains("Flow") && shown.contains("lifetime: 900") && shown.contains("generation: 3"), "{shown}");
}

/// JSON as applications give it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(support::slow_cases(64))]

    #[test]
    fn the_same_claims_come_out_of_every_access_token_of_a_session(
        given in proptest::collection::btree_map("[a-z\\PC\"]{4,8}", any_json(), 0..4),
    ) {
        let given: Map<String, Value> = given.into_iter().collect();
        let first = released(AppClaims::new(given.clone()).unwrap(), &policy(), random(7));
        let without_own = |claims: Value| {
            let mut claims = object(claims);
            for own in ["sub", "sid", "ver"] {
                prop_assert!(claims.remove(own).is_some());
            }
            Ok(claims)
        };
        prop_assert_eq!(&without_own(first.access.claims())?, &given);
        let presented = signed_and_verified(&first.refresh).unwrap();
        prop_assert_eq!(&presented, &first.refresh);
        let stored = Session {
            sid: presented.sid.clone(),
            generation: 0,
            refreshed_at: NOW,
            expires_at: presented.expires_at,
            absolute: NOW + 30 * DAY,
            ..session("s")
        };
        for age in [5, 900] {
            let next = refreshed(&stored, presented.clone(), &policy(), NOW + age, random(8));
            prop_assert_eq!(&without_own(next.access.claims())?, &given);
            prop_assert_eq!(&next.refresh.claims, &first.refresh.claims);
            if age == 5 {
                prop_assert_eq!(next.refresh, presented.clone());
            }
        }
    }
}

/// Every pair of bytes that the jitter may be made of.
fn every_jitter() -> impl Iterator<Item = [u8; 2]> {
    (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| [a, b]))
}

fn with(jitter: [u8; 2]) -> Randomness {
    Randomness { jitter, ..random(7) }
}

#[test]
fn an_access_token_lives_at_most_its_life_and_shorter_by_no_more_than_the_jitter() {
    for (lifetime, jitter) in [(900, 0), (900, 50), (900, 100), (1, 100), (9, 100), (86_400, 100), (86_400, 1)] {
        let policy = SessionPolicy { access_lifetime: lifetime, access_jitter: jitter, ..policy() };
        let lives: Vec<u32> = (0..=u8::MAX)
            .map(|byte| released(AppClaims::default(), &policy, with([byte, 0])).access.lifetime)
            .collect();
        let (shortest, longest) = (*lives.iter().min().unwrap(), *lives.iter().max().unwrap());
        assert_eq!(longest, lifetime);
        assert!(
            u64::from(shortest) * 1000 >= u64::from(lifetime) * u64::from(1000 - jitter),
            "{shortest} of {lifetime}"
        );
        assert!(shortest > 0);
        if lifetime >= 900 && jitter > 1 {
            assert!(
                lifetime - shortest >= lifetime * jitter / 1000 * 9 / 10,
                "{shortest} of {lifetime} is hardly jitter"
            );
        }
    }
}

#[test]
fn an_access_token_never_outlives_the_refresh_token_beside_it_or_the_session() {
    for left in [1, 2, 100, 855, 899, 900, 901] {
        for spare in [0, DAY] {
            // Inside the window the token is given again, and its end stays where it is.
            let stored =
                Session { refreshed_at: NOW - 5, expires_at: NOW + left, absolute: NOW + left + spare, ..session("s") };
            for byte in 0..=u8::MAX {
                let policy = SessionPolicy { access_jitter: 50, ..policy() };
                let release = refreshed(&stored, current(&stored), &policy, NOW, with([byte, byte]));
                assert!(u64::from(release.access.lifetime) <= left.min(900));
                assert!(release.access.lifetime > 0 && release.refresh_after > 0);
                assert_eq!(release.refresh.expires_at, stored.expires_at);
            }
            let stored = Session { refreshed_at: NOW - 60, ..stored };
            let release = refreshed(&stored, current(&stored), &policy(), NOW, random(7));
            assert!(u64::from(release.access.lifetime) <= left + spare);
            assert_eq!(release.refresh.expires_at, (NOW + 7 * DAY).min(stored.absolute));
        }
    }
}

#[test]
fn an_access_token_is_as_old_as_its_call_whatever_the_refresh_token_beside_it_is() {
    for (refreshed_at, again) in [(NOW - 5, true), (NOW + 5, true), (NOW - 60, false)] {
        let stored = Session { refreshed_at, ..session("s") };
        let release = refreshed(&stored, current(&stored), &policy(), NOW, random(7));
        assert_eq!((release.access.issued_at, release.access.lifetime), (NOW, 900));
        assert_eq!(release.refresh.issued_at, if again { refreshed_at } else { NOW });
    }
}

#[test]
fn the_hint_when_to_refresh_lies_between_75_and_90_percent_of_the_life() {
    let policy = SessionPolicy { access_jitter: 100, ..policy() };
    let mut seen = std::collections::BTreeSet::new();
    for jitter in every_jitter() {
        let release = released(AppClaims::default(), &policy, with(jitter));
        let (life, after) = (release.access.lifetime, release.refresh_after);
        assert!(after >= life * 75 / 100 && after * 100 <= life * 90, "{after} of {life} with {jitter:?}");
        seen.insert(after);
    }
    assert!(seen.len() > 150, "{}", seen.len());
    let brief = SessionPolicy { access_lifetime: 1, ..policy };
    assert_eq!(released(AppClaims::default(), &brief, with([255, 255])).refresh_after, 1);
}

#[test]
fn the_default_options_are_valid_and_those_that_are_documented() {
    let policy = SessionPolicy::new("https://id.example");
    assert!(policy.validate().is_ok());
    assert_eq!((policy.access_lifetime, policy.access_jitter), (900, 50));
    assert_eq!((u64::from(policy.refresh_lifetime), u64::from(policy.absolute_lifetime)), (7 * DAY, 30 * DAY));
    assert_eq!((policy.grace, policy.max_sessions), (10, 50));
    assert!(SessionPolicy { revocation: None, ..policy }.validate().is_ok());
}

/// The message that refuses the default options with one change.
fn refusal(change: impl FnOnce(&mut SessionPolicy)) -> Option<String> {
    let mut policy = SessionPolicy::new("https://id.example");
    policy.revocation = Some(RevocationConfig::default());
    change(&mut policy);
    let error = policy.validate().err()?;
    assert_eq!(error.code(), ErrorCode::OptionInvalid);
    Some(error.message().to_owned())
}

#[test]
fn each_option_is_refused_beyond_its_borders_by_name() {
    type Set = fn(&mut SessionPolicy, u32);
    let access: Set = |policy, seconds| policy.access_lifetime = seconds;
    let jitter: Set = |policy, share| policy.access_jitter = share;
    let sliding: Set = |policy, seconds| (policy.refresh_lifetime, policy.absolute_lifetime) = (seconds, 34_560_000);
    let absolute: Set = |policy, seconds| policy.absolute_lifetime = seconds;
    let grace: Set = |policy, seconds| policy.grace = seconds;
    let most: Set = |policy, count| policy.max_sessions = count;
    let kept: Set = |policy, seconds| policy.revocation.as_mut().unwrap().token_lifetime = seconds;
    let rows: [(&str, Set, &[u32], &[u32]); 7] = [
        ("access.expiresIn", access, &[1, 900, 86_400], &[0, 86_401, u32::MAX]),
        ("access.jitter", jitter, &[0, 50, 100], &[101, 1000, u32::MAX]),
        ("refresh.expiresIn", sliding, &[900, 31_536_000], &[0, 899, 31_536_001, u32::MAX]),
        ("refresh.absolute", absolute, &[604_800, 34_560_000], &[0, 604_799, 34_560_001, u32::MAX]),
        ("refresh.grace", grace, &[0, 60], &[61, u32::MAX]),
        ("maxSessions", most, &[1, 100], &[0, 101, u32::MAX]),
        ("revocation.tokenLifetime", kept, &[900, 31_536_000], &[0, 899, 31_536_001, u32::MAX]),
    ];
    for (name, set, inside, outside) in rows {
        for value in inside {
            assert_eq!(refusal(|policy| set(policy, *value)), None, "{name}: {value}");
        }
        for value in outside {
            let message = refusal(|policy| set(policy, *value)).unwrap_or_else(|| panic!("{name}: {value}"));
            assert!(message.starts_with(&format!("`{name}` must ")) && message.ends_with('.'), "{message}");
            let highest = if name == "access.jitter" { "0.1".to_owned() } else { inside.last().unwrap().to_string() };
            assert!(message.contains(&highest) || name == "revocation.tokenLifetime", "{message}");
        }
    }
    assert_eq!(refusal(|policy| policy.issuer.clear()).as_deref(), Some("`issuer` must not be empty."));
    let endless = refusal(|policy| policy.revocation.as_mut().unwrap().timeout = Duration::from_secs(31));
    assert!(endless.unwrap().starts_with("`revocation.timeout` must "));
}

#[test]
fn the_longest_session_that_the_options_allow_can_be_signed() {
    let policy = SessionPolicy { refresh_lifetime: 31_536_000, absolute_lifetime: 34_560_000, ..policy() };
    assert!(policy.validate().is_ok());
    let release = released(AppClaims::default(), &policy, random(7));
    assert_eq!(release.refresh.lifetime(), 31_536_000);
    assert_eq!(signed_and_verified(&release.refresh).unwrap(), release.refresh);
}
