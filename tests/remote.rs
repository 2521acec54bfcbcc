//! Remote key sets: when one is fetched, how long its keys count, and what is kept of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use waxseal::jwk::KeySet;
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig};
use waxseal::remote::{Answer, Failure, Lookup, Need, RemoteConfig, RemoteSet, Restored};
use waxseal::{ErrorCode, UnixTime};

const URL: &str = "https://id.example/jwks";

/// The text of a set with keys of these numbers; `k1` and so on are their names.
fn published(numbers: &[u8]) -> String {
    let named = |&number: &u8| {
        let mut jwk = key(number).public_jwk().to_value();
        jwk["kid"] = Value::from(format!("k{number}"));
        jwk
    };
    json!({ "keys": numbers.iter().map(named).collect::<Vec<_>>() }).to_string()
}

fn config() -> RemoteConfig {
    RemoteConfig { cooldown: 30, min_age: 60, max_age: 600, stale_if_error: 1000, ..RemoteConfig::default() }
}

fn remote(config: RemoteConfig) -> RemoteSet {
    RemoteSet::new(URL, config).unwrap()
}

fn answer(body: &str) -> Answer<'_> {
    Answer { status: 200, body: body.as_bytes(), ..Answer::default() }
}

/// A set that was fetched at the usual second.
fn fetched(config: RemoteConfig, numbers: &[u8]) -> RemoteSet {
    let mut set = remote(config);
    set.begin(None, now());
    assert_eq!(set.answered(&answer(&published(numbers)), now()), Ok(true));
    set
}

#[test]
fn the_reasons_for_a_fetch_come_in_the_order_of_age() {
    let set = fetched(config(), &[1]);
    for (age, found, absent) in [
        (0.0, Need::Nothing, Need::Load),
        (479.0, Need::Nothing, Need::Load),
        (480.0, Need::Refresh, Need::Load),
        (599.0, Need::Refresh, Need::Load),
        (600.0, Need::Wait, Need::Load),
        (1599.0, Need::Wait, Need::Load),
        (1600.0, Need::Load, Need::Load),
    ] {
        assert_eq!(set.need(Lookup::Found, at(age)), found, "{age}");
        assert_eq!(set.need(Lookup::Absent("k2"), at(age)), absent, "{age}");
        assert_eq!(set.keys(at(age)).is_some(), age < 1600.0, "{age}");
        assert_eq!(set.is_stale(at(age)), (600.0..1600.0).contains(&age), "{age}");
    }
}

#[test]
fn while_a_fetch_is_under_way_others_join_it_and_stale_keys_wait_one_second() {
    let mut set = fetched(config(), &[1]);
    set.begin(None, at(700.0));
    assert_eq!(set.need(Lookup::Found, at(700.9)), Need::Wait);
    assert_eq!(set.need(Lookup::Found, at(701.0)), Need::Nothing);
    assert_eq!(set.need(Lookup::Absent("k2"), at(702.0)), Need::Load);
    assert_eq!(set.need(Lookup::Found, at(1600.0)), Need::Load, "without keys there is nothing but to wait");
    set.failed(Failure::Timeout, at(705.0));
    assert_eq!(set.need(Lookup::Found, at(705.9)), Need::Nothing);
    // Nobody waits for an endpoint that has just failed, but for one that may be well again.
    assert_eq!(set.need(Lookup::Found, at(706.0)), Need::Refresh);
    set.begin(None, at(706.0));
    assert_eq!(set.need(Lookup::Found, at(706.1)), Need::Nothing);
    set.failed(Failure::Timeout, at(711.0));
    assert_eq!(set.need(Lookup::Found, at(770.9)), Need::Refresh);
    assert_eq!(set.need(Lookup::Found, at(771.0)), Need::Wait);
}

#[test]
fn a_fetch_that_nobody_hears_of_any_more_holds_up_no_other() {
    let mut set = fetched(config(), &[1]);
    set.begin(None, at(590.0));
    assert_eq!(set.need(Lookup::Found, at(597.0)), Need::Nothing);
    assert!(!set.is_overdue(at(597.0)));
    // Five seconds for the fetch, and two more.
    assert!(set.is_overdue(at(597.1)));
    assert_eq!(set.need(Lookup::Found, at(600.0)), Need::Wait);
    assert_eq!(set.need(Lookup::Absent("k2"), at(600.0)), Need::Load);
}

#[test]
fn a_fetch_that_was_given_up_may_be_repeated_at_once_but_not_over_and_over() {
    let mut set = fetched(config(), &[1]);
    set.begin(Some("k2".to_owned()), at(10.0));
    set.abandon(at(11.0));
    assert_eq!(set.need(Lookup::Absent("k2"), at(11.0)), Need::Load);
    set.begin(Some("k2".to_owned()), at(11.0));
    set.abandon(at(12.0));
    assert_eq!(set.need(Lookup::Absent("k2"), at(12.0)), Need::Nothing);
    assert_eq!(set.need(Lookup::Absent("k2"), at(41.0)), Need::Load);
}

#[test]
fn a_name_that_was_looked_for_in_vain_is_forgotten_when_the_keys_change() {
    let mut set = fetched(config(), &[1]);
    set.begin(Some("k9".to_owned()), at(10.0));
    assert_eq!(set.answered(&answer(&published(&[1])), at(10.0)), Ok(false));
    assert_eq!(set.need(Lookup::Absent("k9"), at(100.0)), Need::Nothing);
    set.begin(Some("k8".to_owned()), at(100.0));
    assert_eq!(set.answered(&answer(&published(&[1, 2])), at(100.0)), Ok(true));
    assert_eq!(set.need(Lookup::Absent("k9"), at(130.0)), Need::Load);
}

#[test]
fn an_answer_is_as_old_as_its_request_also_when_nothing_was_modified() {
    let mut set = remote(config());
    set.begin(None, now());
    let tagged = published(&[1]);
    let first = Answer { etag: Some("\"v1\""), ..answer(&tagged) };
    assert_eq!(set.answered(&first, at(5.0)), Ok(true));
    assert_eq!(set.need(Lookup::Found, at(599.9)), Need::Refresh);
    assert_eq!(set.need(Lookup::Found, at(600.0)), Need::Wait);
    set.begin(None, at(600.0));
    let unmodified = Answer { status: 304, cache_control: Some("max-age=100"), ..Answer::default() };
    assert_eq!(set.answered(&unmodified, at(604.0)), Ok(false));
    assert_eq!(set.etag(), Some("\"v1\""));
    assert_eq!(set.need(Lookup::Found, at(699.9)), Need::Refresh);
    assert_eq!(set.need(Lookup::Found, at(700.0)), Need::Wait);
    assert!(set.keys(at(1700.0)).is_none(), "staleIfError counts from the new life");
}

#[test]
fn keys_that_stay_keep_what_makes_them_fast() {
    let mut set = fetched(config(), &[1, 2]);
    let before: Vec<_> = set.keys(now()).unwrap().1.keys().to_vec();
    let (version, _) = set.keys(now()).unwrap();
    set.begin(None, at(600.0));
    assert_eq!(set.answered(&answer(&published(&[2, 3])), at(600.0)), Ok(true));
    let (changed, keys) = set.keys(at(600.0)).unwrap();
    assert_ne!(version, changed);
    assert_eq!(keys.keys()[0].thumbprint(), before[1].thumbprint());
    assert_eq!(keys.keys().len(), 2);
    set.begin(None, at(1200.0));
    assert_eq!(set.answered(&answer(&published(&[2, 3])), at(1200.0)), Ok(false));
    assert_eq!(set.keys(at(1200.0)).unwrap().0, changed);
}

#[test]
fn a_verifier_takes_keys_that_come_later_and_gives_them_up_again() {
    let issuer = TrustedIssuer {
        issuer: Some(vec![ISSUER.to_owned()]),
        audience: Some(vec![AUDIENCE.to_owned()]),
        keys: KeySet::pending(),
    };
    let mut verifier = Verifier::new(VerifierConfig::new(vec![issuer])).unwrap();
    let token = token(&json!({}));
    assert_eq!(verifier.verify(&token, now()).unwrap_err().code(), ErrorCode::KeySetUnavailable);
    let set = fetched(config(), &[1]);
    verifier.set_keys(0, set.keys(now()).unwrap().1.clone());
    verifier.set_keys(1, KeySet::pending());
    verifier.verify(&token, now()).unwrap();
    verifier.set_keys(0, KeySet::pending());
    assert_eq!(verifier.verify(&token, now()).unwrap_err().code(), ErrorCode::KeySetUnavailable);
}

#[test]
fn urls_from_which_no_keys_may_be_fetched_are_refused() {
    for url in ["https://id.example", "https://ID.example:8443/a?b=c", "http://localhost/jwks", "http://[::1]:80/"] {
        assert!(RemoteSet::new(url, config()).is_ok(), "{url}");
    }
    for url in [
        "http://id.example/jwks",
        "http://localhost.example/jwks",
        "https://user@id.example/",
        "https://user:password@id.example/",
        "https://id.example/#",
        "https://id.example\\@evil.example/",
        "https://id.example/\\",
        "https:id.example/",
        "https:///id.example/",
        "//id.example/",
        "data:application/json,{}",
        "https://id.example/\n",
        " https://id.example/",
        "https://b\u{fc}cher.example/",
        "",
    ] {
        assert_eq!(RemoteSet::new(url, config()).unwrap_err().code(), ErrorCode::OptionInvalid, "{url}");
    }
    let long = format!("https://id.example/{}", "a".repeat(2030));
    assert!(RemoteSet::new(&long, config()).is_err());
}

#[test]
fn a_copy_gives_another_set_of_the_same_url_its_keys() {
    let set = fetched(config(), &[1, 2]);
    let (text, ttl) = set.stored(false).unwrap();
    assert_eq!(ttl, 1600);
    let mut later = remote(config());
    assert_eq!(later.restore(&text, at(599.0)), Restored::Adopted);
    assert_eq!(later.need(Lookup::Found, at(599.0)), Need::Refresh);
    assert_eq!(later.keys(at(599.0)).unwrap().1.keys().len(), 2);
    assert_eq!(later.restore(&text, at(599.0)), Restored::Known);
    assert_eq!(later.stored(false).unwrap().0, text);
    assert_eq!(RemoteSet::new("https://id.example/", config()).unwrap().restore(&text, now()), Restored::Refused);
    assert_ne!(RemoteSet::new("https://id.example/", config()).unwrap().store_key(), later.store_key());
}

#[test]
fn a_copy_is_used_for_a_day_at_most() {
    let long = RemoteConfig { max_age: 86_400, stale_if_error: 86_400, ..config() };
    let set = fetched(long.clone(), &[1]);
    let (text, ttl) = set.stored(false).unwrap();
    assert_eq!(ttl, 86_400);
    for (age, restored) in [(86_399.0, Restored::Adopted), (86_400.0, Restored::Refused), (-2.0, Restored::Refused)] {
        let mut later = remote(long.clone());
        assert_eq!(later.restore(&text, at(age)), restored, "{age}");
        assert!(later.keys(at(86_400.0)).is_none());
    }
}

proptest! {
    #[test]
    fn a_copy_with_any_change_is_refused(place in 0..4000_usize, byte in any::<u8>(), secret in any::<bool>()) {
        let secret = secret.then(|| "0123456789abcdef0123456789abcdef".to_owned());
        let config = RemoteConfig { secret, ..config() };
        let (text, _) = fetched(config.clone(), &[1, 2]).stored(false).unwrap();
        let mut bytes = text.clone().into_bytes();
        let place = place % bytes.len();
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        // What is no UTF-8 cannot be the text of a store.
        prop_assume!(String::from_utf8(bytes.clone()).is_ok());
        prop_assert_eq!(remote(config).restore(&String::from_utf8(bytes).unwrap(), now()), Restored::Refused);
    }

    #[test]
    fn no_text_of_a_store_and_no_answer_panics(text in ".{0,200}", status in any::<u16>(), header in ".{0,40}") {
        let mut set = fetched(config(), &[1]);
        prop_assert_eq!(set.restore(&text, now()), Restored::Refused);
        prop_assert_eq!(set.restore(&format!("wxjwks1 {text}"), now()), Restored::Refused);
        set.begin(None, now());
        let header = Some(header.as_str());
        let answer = Answer {
            status, content_type: header, cache_control: header, age: header, etag: header, body: text.as_bytes(),
        };
        prop_assert!(set.answered(&answer, now()).is_err());
        prop_assert!(set.keys(now()).is_some());
    }
}

/// What a host and its users do.
#[derive(Clone, Debug)]
enum Event {
    Wait(u32),
    /// A token whose key is there.
    Known,
    /// A token with a made-up kid.
    Forged(u8),
    /// The fetch under way ends.
    Answer(Option<(u8, u32)>),
    Abandon,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..400_u32).prop_map(Event::Wait),
        2 => (0..3_u32).prop_map(Event::Wait),
        4 => Just(Event::Known),
        8 => any::<u8>().prop_map(Event::Forged),
        6 => prop::option::weighted(0.7, (1..4_u8, 0..2000_u32)).prop_map(Event::Answer),
        1 => Just(Event::Abandon),
    ]
}

proptest! {
    /// A host that does what the set says: no more fetches for unknown kids than one per cooldown (and one more where a fetch
    /// was given up), and never a key beyond `max_age + stale_if_error`, whatever the endpoint does.
    #[test]
    fn a_host_never_fetches_more_often_nor_uses_keys_longer_than_it_may(events in prop::collection::vec(event(), 1..120)) {
        let config = config();
        let mut set = remote(config.clone());
        let mut time = 0.0;
        let mut fetching = false;
        // When the set was last fetched with success, and when a fetch was begun for an unknown kid while keys were fresh.
        let (mut success, mut began): (Option<f64>, f64) = (None, 0.0);
        let (mut looked, mut given_up): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        for event in events {
            let now: UnixTime = at(time);
            let (lookup, forged) = match event {
                Event::Wait(seconds) => { time += f64::from(seconds); continue }
                Event::Answer(outcome) => {
                    if !fetching { continue }
                    fetching = false;
                    match outcome {
                        Some((number, max_age)) => {
                            let header = format!("max-age={max_age}");
                            let body = published(&[number]);
                            let answer = Answer { cache_control: Some(&header), ..answer(&body) };
                            prop_assert!(set.answered(&answer, now).is_ok());
                            success = Some(began);
                        }
                        None => set.failed(Failure::Network, now),
                    }
                    continue
                }
                Event::Abandon => {
                    if fetching { set.abandon(now); given_up.push(time); fetching = false }
                    continue
                }
                Event::Known => (Lookup::Found, None),
                Event::Forged(number) => (Lookup::Absent("forged"), Some(format!("forged-{number}"))),
            };
            let lookup = forged.as_deref().map_or(lookup, Lookup::Absent);
            let need = set.need(lookup, now);
            if need != Need::Nothing && !fetching {
                let stale = set.is_stale(now) || set.keys(now).is_none();
                if forged.is_some() && need == Need::Load && !stale { looked.push(time) }
                set.begin(forged, now);
                (fetching, began) = (true, time);
            }
            if set.keys(now).is_some() {
                let age = time - success.unwrap();
                prop_assert!(age < f64::from(config.max_age + config.stale_if_error), "{age}");
            }
        }
        for window in looked.windows(2) {
            let close = window[1] - window[0] < f64::from(config.cooldown);
            let excused = given_up.iter().any(|when| (window[0]..=window[1]).contains(when));
            prop_assert!(!close || excused, "{looked:?} {given_up:?}");
        }
        for window in looked.windows(3) {
            prop_assert!(window[2] - window[0] >= f64::from(config.cooldown), "{looked:?}");
        }
    }
}
