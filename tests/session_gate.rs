//! Which session a request is of, through the public interface: the tokens are signed with real keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod minting;

use minting::{AUDIENCE, ISSUER, NOW, at, claims, key, key_set, now, sign};
use serde_json::{Value, json};
use waxseal::ErrorCode;
use waxseal::cookie::{SessionCookieOptions, SessionCookies};
use waxseal::jwk::KeySet;
use waxseal::request::RequestHead;
use waxseal::request::credentials::Source;
use waxseal::request::cross_site::{Origins, Provenance};
use waxseal::revocation::Answer;
use waxseal::session::gate::session_claims;
use waxseal::session::{Carried, Gate, GateConfig, Presented, SessionPolicy};

const REFRESH_AUDIENCE: &str = "https://issuer.example/refresh";

const OWN_SITE: Provenance<'_> =
    Provenance { method: Some("POST"), sec_fetch_site: Some("same-origin"), origin: None, upgrade: None };
const OTHER_SITE: Provenance<'_> =
    Provenance { sec_fetch_site: Some("cross-site"), origin: Some("https://evil.example"), ..OWN_SITE };

/// Signs with key 1 both tokens that belong to sessions and others that do not.
fn gate() -> Gate {
    gate_of(REFRESH_AUDIENCE).unwrap()
}

fn gate_of(refresh_audience: &str) -> Result<Gate, waxseal::Error> {
    let cookies = SessionCookies::new(&SessionCookieOptions::default(), ISSUER, &["https://app.example"]).unwrap();
    let keys = || -> KeySet { key_set(&[&key(1)]) };
    let config = GateConfig {
        keys: keys(),
        refresh_keys: keys(),
        audience: vec![AUDIENCE.to_owned()],
        refresh_audience: refresh_audience.to_owned(),
        cookies,
        origins: Origins::parse(&["https://app.example"]).unwrap(),
    };
    Gate::new(config, &SessionPolicy::new(ISSUER))
}

/// An access token of alice's session s, with changes: a member that is null is left out.
fn access(changes: &Value) -> String {
    let mut all = json!({"sid": "s", "ver": 0});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    sign(&key(1), r#"{"alg":"ES256","typ":"at+jwt"}"#, claims(&all).to_string().as_bytes())
}

/// The refresh token of it, likewise.
fn refresh(changes: &Value) -> String {
    let mut all = json!({"aud": REFRESH_AUDIENCE, "sid": "s", "gen": 3, "exp": NOW + 604_800});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    sign(&key(1), r#"{"alg":"ES256","typ":"rt+jwt"}"#, claims(&all).to_string().as_bytes())
}

/// A `Cookie` header.
fn cookies(access: Option<&str>, refresh: &[&str]) -> String {
    let pairs = access.map(|token| format!("__Host-access={token}")).into_iter();
    pairs.chain(refresh.iter().map(|token| format!("__Secure-refresh={token}"))).collect::<Vec<_>>().join("; ")
}

fn by_cookie(cookie: &str) -> RequestHead<'_> {
    RequestHead { authorization: None, cookie: Some(cookie), provenance: OWN_SITE }
}

fn presented(cookie: &str) -> Result<Presented, ErrorCode> {
    gate().presented(&by_cookie(cookie), now()).map_err(|error| error.code())
}

fn carried(subject: &str, sid: &str) -> Carried {
    Carried { subject: subject.to_owned(), sid: sid.to_owned() }
}

#[test]
fn a_request_carries_the_session_of_its_access_token_by_cookie_and_by_bearer() {
    let (gate, token) = (gate(), access(&json!({})));
    let cookie = cookies(Some(&token), &[]);
    let bearer = format!("Bearer {token}");
    let by_bearer = RequestHead { authorization: Some(&bearer), cookie: None, provenance: OWN_SITE };
    for request in [by_cookie(&cookie), by_bearer] {
        assert_eq!(gate.arriving(&request, now()).unwrap(), Some(carried("alice", "s")));
        assert_eq!(gate.leaving(&request, now()).unwrap(), Some(carried("alice", "s")));
    }
    let another = cookies(Some(&access(&json!({"sub": "bob", "sid": "t"}))), &[]);
    assert_eq!(gate.arriving(&by_cookie(&another), now()).unwrap(), Some(carried("bob", "t")));
    assert_eq!(gate.leaving(&by_cookie(&another), now()).unwrap(), Some(carried("bob", "t")));
}

#[test]
fn a_token_that_has_expired_still_says_whose_session_it_is_and_one_that_is_not_ours_says_nothing() {
    let gate = gate();
    let token = access(&json!({}));
    let found = |token: &str| {
        let cookie = cookies(Some(token), &[]);
        let arriving = gate.arriving(&by_cookie(&cookie), at(100_000.0)).unwrap();
        assert_eq!(gate.leaving(&by_cookie(&cookie), at(100_000.0)).unwrap(), arriving);
        arriving
    };
    assert_eq!(found(&token), Some(carried("alice", "s")));
    let forged =
        sign(&key(2), r#"{"alg":"ES256","typ":"at+jwt"}"#, claims(&json!({"sid": "s"})).to_string().as_bytes());
    for other in [forged, refresh(&json!({})), access(&json!({"aud": "x"})), "x".to_owned()] {
        assert_eq!(found(&other), None);
    }
    for (what, wrong) in [("no sid", json!({"sid": null})), ("a number", json!({"sid": 7}))] {
        assert_eq!(found(&access(&wrong)), None, "{what}");
    }
    assert_eq!(gate.arriving(&by_cookie(""), now()).unwrap(), None);
    assert_eq!(gate.leaving(&by_cookie(""), now()).unwrap(), None);
}

#[test]
fn requests_of_another_site_are_refused_unless_a_bearer_token_ends_its_session() {
    let (gate, token) = (gate(), access(&json!({})));
    let (cookie, bearer) = (cookies(Some(&token), &[&refresh(&json!({}))]), format!("Bearer {token}"));
    let cross = ErrorCode::CrossSite;
    let with_cookie = RequestHead { provenance: OTHER_SITE, ..by_cookie(&cookie) };
    let with_bearer = RequestHead { authorization: Some(&bearer), cookie: None, provenance: OTHER_SITE };
    let with_nothing = RequestHead { authorization: None, cookie: None, provenance: OTHER_SITE };
    for request in [with_cookie, with_bearer, with_nothing] {
        assert_eq!(gate.check_cross_site(&request).unwrap_err().code(), cross);
        assert_eq!(gate.arriving(&request, now()).unwrap_err().code(), cross);
        assert_eq!(gate.presented(&request, now()).unwrap_err().code(), cross);
    }
    assert_eq!(gate.leaving(&with_cookie, now()).unwrap_err().code(), cross);
    assert_eq!(gate.leaving(&with_nothing, now()).unwrap_err().code(), cross);
    assert_eq!(gate.leaving(&with_bearer, now()).unwrap(), Some(carried("alice", "s")));
    // From where requests are welcome, too.
    let welcome = Provenance { origin: Some("https://app.example"), ..OTHER_SITE };
    let request = RequestHead { provenance: welcome, ..with_cookie };
    gate.check_cross_site(&request).unwrap();
    assert_eq!(gate.arriving(&request, now()).unwrap(), Some(carried("alice", "s")));
}

#[test]
fn a_request_presents_the_refresh_token_of_the_session_that_its_access_token_is_of() {
    let (access, own) = (access(&json!({})), refresh(&json!({})));
    let Presented { token, others } = presented(&cookies(Some(&access), &[&own])).unwrap();
    assert_eq!((token.subject.as_str(), token.sid.as_str(), token.generation, others), ("alice", "s", 3, 0));
    // Planted before it and after it: of another session, of another subject, and what is no token.
    let other = refresh(&json!({"sid": "t", "gen": 9}));
    let bob = refresh(&json!({"sub": "bob", "gen": 9}));
    for (planted, others) in [
        (vec![other.as_str(), &own], 1),
        (vec![&own, &other, &other], 2),
        (vec![&bob, &own], 1),
        (vec!["x", &bob, &other, &own], 3),
    ] {
        let found = presented(&cookies(Some(&access), &planted)).unwrap();
        assert_eq!((found.token.generation, found.others), (3, others), "{} cookies", planted.len());
    }
    // Nor is one of another session verified, whatever is wrong with it.
    let expired = refresh(&json!({"sid": "t", "exp": NOW - 60}));
    for planted in [&other, &bob, &expired] {
        assert_eq!(presented(&cookies(Some(&access), &[planted])), Err(ErrorCode::SessionMismatch));
    }
}

#[test]
fn a_refresh_needs_both_cookies_and_says_what_is_wrong_with_the_one_that_counts() {
    let (access, own) = (access(&json!({})), refresh(&json!({})));
    for cookie in [cookies(Some(&access), &[]), cookies(None, &[&own]), String::new()] {
        assert_eq!(presented(&cookie), Err(ErrorCode::CredentialsMissing), "{} bytes", cookie.len());
    }
    let expired = refresh(&json!({"exp": NOW - 60}));
    assert_eq!(presented(&cookies(Some(&access), &[&expired])), Err(ErrorCode::TokenExpired));
    // The first fault is told, and a good one counts all the same.
    let strange = refresh(&json!({"gen": "x"}));
    assert_eq!(presented(&cookies(Some(&access), &[&strange, &expired])), Err(ErrorCode::ClaimInvalid));
    assert_eq!(presented(&cookies(Some(&access), &[&expired, &own])).unwrap().others, 1);
    assert_eq!(presented(&cookies(Some("x"), &[&own])), Err(ErrorCode::TokenMalformed));
    let nameless = self::access(&json!({"sid": 7}));
    assert_eq!(presented(&cookies(Some(&nameless), &[&own])), Err(ErrorCode::ClaimInvalid));
}

#[test]
fn a_client_without_cookies_presents_the_refresh_token_alone() {
    let gate = gate();
    assert_eq!(gate.verified(&refresh(&json!({})), now()).unwrap().generation, 3);
    let code = |token: &str| gate.verified(token, now()).unwrap_err().code();
    assert_eq!(code(&access(&json!({}))), ErrorCode::TokenType);
    assert_eq!(code(&refresh(&json!({"aud": AUDIENCE}))), ErrorCode::AudienceMismatch);
    assert_eq!(code(&refresh(&json!({"gen": null}))), ErrorCode::ClaimMissing);
}

#[test]
fn an_access_token_says_its_session_and_version_once_it_is_verified() {
    let gate = gate();
    let said = |changes: &Value| {
        let cookie = cookies(Some(&access(changes)), &[]);
        let (pending, source) = gate.authenticate(&by_cookie(&cookie), now()).unwrap();
        assert_eq!(source, Source::Cookie);
        let answers = vec![Answer::Missing; pending.plan().len()];
        let jwt = pending.decide(&answers).unwrap();
        session_claims(jwt.claims()).map_err(|error| (error.code(), error.claim().map(str::to_owned)))
    };
    assert_eq!(said(&json!({})), Ok(("s".to_owned(), 0)));
    assert_eq!(said(&json!({"sid": "t", "ver": 4_294_967_295_u32})), Ok(("t".to_owned(), u32::MAX)));
    let invalid = Err((ErrorCode::ClaimInvalid, Some("sid".to_owned())));
    for wrong in [json!({"ver": -1}), json!({"ver": 4_294_967_296_u64}), json!({"ver": "0"}), json!({"ver": 0.5})] {
        assert_eq!(said(&wrong), invalid, "{wrong}");
    }
}

#[test]
fn tokens_of_both_kinds_have_no_audience_in_common() {
    let error = gate_of(AUDIENCE).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OptionInvalid);
    assert!(error.message().contains("refresh.audience"), "{error}");
    let clearing = gate().cookies().clearing().join("\n");
    assert!(clearing.contains("__Host-access=") && clearing.contains("__Secure-refresh="));
}
