//! The verifier that keeps what makes the next token cheap decides as the plain one does, without an allocation, and what
//! it remembers of signatures ends no check but that of the signature.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod minting;

use minting::*;
use proptest::prelude::*;
use serde_json::json;
use waxseal::encoding::base64url;
use waxseal::jws::{CacheConfig, CacheFigures};
use waxseal::jwt::{Verifier, WarmVerifier};
use waxseal::remote::Lookup;
use waxseal::revocation::{Answer, RevocationConfig};
use waxseal::{Error, ErrorCode, UnixTime};

fn warm(verifier: Verifier) -> WarmVerifier {
    WarmVerifier::new(verifier, None).unwrap()
}

fn caching(max: usize) -> WarmVerifier {
    caching_as(verifier(|_| {}), max)
}

fn caching_as(verifier: Verifier, max: usize) -> WarmVerifier {
    WarmVerifier::new(verifier, Some(&CacheConfig { max, secret: [3; 16] })).unwrap()
}

/// The code of a refusal, or the claims.
fn outcome(verifier: &mut WarmVerifier, token: &str, now: UnixTime) -> Result<String, Error> {
    verifier.verify(token, now).map(|jwt| jwt.claims().json().to_owned())
}

fn plain_outcome(verifier: &Verifier, token: &str, now: UnixTime) -> Result<String, Error> {
    verifier.verify(token, now).map(|jwt| jwt.claims().json().to_owned())
}

fn same(left: &Result<String, Error>, right: &Result<String, Error>) -> bool {
    match (left, right) {
        (Ok(left), Ok(right)) => left == right,
        (Err(left), Err(right)) => (left.code(), left.message()) == (right.code(), right.message()),
        _ => false,
    }
}

fn figures(verifier: &WarmVerifier) -> (usize, u64, u64) {
    let CacheFigures { size, hits, misses } = verifier.cache_figures().unwrap();
    (size, hits, misses)
}

/// Tokens of one length with different claims.
fn tokens(count: usize) -> Vec<String> {
    let claims = |i| json!({"jti": format!("{i:06}"), "aud": ["x", AUDIENCE], "name": "\u{e9}\n", "nested": {"a": [1, {"b": 2}]}});
    (0..count).map(|i| token(&claims(i))).collect()
}

#[test]
fn after_the_first_tokens_a_verification_allocates_nothing() {
    let other = trusted("https://other.example", key_set(&[&key(2)]));
    let plain = verifier(|config| config.issuers.push(other));
    for mut verifier in [warm(verifier(|_| {})), warm(plain), caching(64)] {
        let tokens = tokens(40);
        for token in &tokens[..20] {
            verifier.verify(token, now()).unwrap();
        }
        // New ones, and old ones, which a cache remembers. Room for what it remembers may have to grow for the new ones.
        for token in if verifier.cache_figures().is_some() { &tokens[..20] } else { &tokens[..] } {
            let allocated = allocation_counter::measure(|| assert!(verifier.verify(token, now()).is_ok()));
            assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0));
        }
    }
}

#[test]
fn headers_of_tokens_that_nobody_signed_do_not_push_out_those_of_the_issuer() {
    let mut verifier = warm(verifier(|_| {}));
    let good = token(&json!({}));
    verifier.verify(&good, now()).unwrap();
    verifier.verify(&good, now()).unwrap();
    for i in 0..20 {
        let forged = sign(&key(2), &format!(r#"{{"alg":"ES256","x":{i}}}"#), claims(&json!({})).to_string().as_bytes());
        assert_eq!(verifier.verify(&forged, now()).unwrap_err().code(), ErrorCode::SignatureInvalid);
    }
    // A refusal may cost the room for a payload and a signature, but no header is read again.
    let allocated = allocation_counter::measure(|| assert!(verifier.verify(&good, now()).is_ok()));
    assert!(allocated.count_total <= 2, "{}", allocated.count_total);
}

#[test]
fn a_header_is_kept_up_to_a_kibibyte_and_a_longer_one_is_read_each_time() {
    for (length, kept) in [(700, true), (1000, false)] {
        let mut verifier = warm(verifier(|_| {}));
        let header = format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(length));
        let jwt = sign(&key(1), &header, claims(&json!({})).to_string().as_bytes());
        for _ in 0..3 {
            verifier.verify(&jwt, now()).unwrap();
        }
        let allocated = allocation_counter::measure(|| assert!(verifier.verify(&jwt, now()).is_ok()));
        assert_eq!(allocated.count_total == 0, kept, "{length}");
    }
}

#[test]
fn more_headers_than_are_kept_are_told_apart() {
    let mut verifier = warm(verifier(|_| {}));
    for round in 0..30 {
        let header = format!(r#"{{"alg":"ES256","x":{}}}"#, round * 7 % 10);
        let jwt = sign(&key(1), &header, claims(&json!({"round": round})).to_string().as_bytes());
        let jwt = verifier.verify(&jwt, now()).unwrap();
        assert_eq!(jwt.header().json(), header);
        assert_eq!(jwt.claims().claim("round").unwrap().number(), Some(f64::from(round)));
    }
}

#[test]
fn a_header_that_one_verifier_knows_is_still_refused_by_another() {
    let critical = sign(&key(1), r#"{"alg":"ES256","crit":["x"],"x":1}"#, claims(&json!({})).to_string().as_bytes());
    assert!(warm(verifier(|config| config.crit = vec!["x".into()])).verify(&critical, now()).is_ok());
    assert_eq!(warm(verifier(|_| {})).verify(&critical, now()).unwrap_err().code(), ErrorCode::HeaderCritical);
}

/// The place of the issuer, and the kid if it was missing there.
fn looked_up(verifier: &WarmVerifier) -> Option<(usize, Option<String>)> {
    verifier.last_lookup().map(|(issuer, lookup)| match lookup {
        Lookup::Found => (issuer, None),
        Lookup::Absent(kid) => (issuer, Some(kid.to_owned())),
    })
}

#[test]
fn whose_keys_a_token_was_to_be_verified_with_is_known_and_they_can_be_replaced() {
    let both = [trusted(ISSUER, key_set(&[&key(1)])), trusted("https://two.example", key_set(&[&key(2)]))];
    let mut verifier = warm(verifier(|config| config.issuers = both.into()));
    assert_eq!(looked_up(&verifier), None);
    let kid = |number: u8| key(number).public_jwk().thumbprint();
    let token = |number: u8, algorithm: &str| {
        let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{}"}}"#, kid(number));
        sign(&key(number), &header, claims(&json!({"iss": "https://two.example"})).to_string().as_bytes())
    };
    verifier.verify(&token(2, "ES256"), now()).unwrap();
    assert_eq!(looked_up(&verifier), Some((1, None)));
    assert_eq!(verifier.verify(&token(3, "ES256"), now()).unwrap_err().code(), ErrorCode::KeyNotFound);
    assert_eq!(looked_up(&verifier), Some((1, Some(kid(3)))));
    verifier.forget_lookup();
    assert_eq!(looked_up(&verifier), None);
    // A key that is there and does not fit is none that is missing.
    assert_eq!(verifier.verify(&token(2, "RS256"), now()).unwrap_err().code(), ErrorCode::AlgorithmNotAllowed);
    assert_eq!(looked_up(&verifier), Some((1, None)));
    verifier.set_keys(1, key_set(&[&key(3)]));
    verifier.verify(&token(3, "ES256"), now()).unwrap();
    assert_eq!(verifier.verify(&token(2, "ES256"), now()).unwrap_err().code(), ErrorCode::KeyNotFound);
    assert_eq!(verifier.verify("x", now()).unwrap_err().code(), ErrorCode::TokenMalformed);
    assert_eq!(looked_up(&verifier), None);
}

#[test]
fn a_token_that_was_verified_is_remembered_and_decided_on_as_before() {
    let mut verifier = caching(8);
    let token = token(&json!({}));
    let first = outcome(&mut verifier, &token, now()).unwrap();
    assert_eq!(figures(&verifier), (1, 0, 1));
    assert_eq!(outcome(&mut verifier, &token, now()).unwrap(), first);
    assert_eq!(figures(&verifier), (1, 1, 1));
    assert_eq!(verifier.begin(&token, now()).unwrap().decide(&[]).unwrap().claims().json(), first);
    assert_eq!(figures(&verifier), (1, 2, 1));
}

#[test]
fn a_token_that_differs_in_one_bit_is_verified_anew_and_refused() {
    let mut verifier = caching(8);
    let token = token(&json!({}));
    verifier.verify(&token, now()).unwrap();
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut other = token.clone().into_bytes();
            other[at] ^= 1 << bit;
            let other = String::from_utf8(other).unwrap();
            assert!(verifier.verify(&other, now()).is_err(), "{at} {bit}");
        }
    }
    assert_eq!((figures(&verifier).0, figures(&verifier).1), (1, 0));
    verifier.verify(&token, now()).unwrap();
    assert_eq!(figures(&verifier).1, 1, "and the entry is still there");
}

#[test]
fn nothing_but_the_signature_is_remembered() {
    let mut verifier = caching_as(verifier(|config| config.max_token_age = Some(600)), 8);
    let token = token(&json!({"nbf": NOW}));
    verifier.verify(&token, now()).unwrap();
    for (offset, code) in [
        (-1.0, ErrorCode::TokenNotYetValid),
        (601.0, ErrorCode::TokenTooOld),
        (900.0, ErrorCode::TokenExpired),
        (1e6, ErrorCode::TokenExpired),
    ] {
        assert_eq!(verifier.verify(&token, at(offset)).unwrap_err().code(), code, "{offset}");
    }
    assert!(verifier.verify(&token, now()).is_ok());
}

#[test]
fn a_signature_is_remembered_no_longer_than_until_exp_whatever_the_tolerance() {
    let tolerant = || caching_as(verifier(|config| config.clock_tolerance = 60), 8);
    let mut verifier = tolerant();
    let token = token(&json!({}));
    verifier.verify(&token, at(899.9)).unwrap();
    verifier.verify(&token, at(899.9)).unwrap();
    assert_eq!(figures(&verifier), (1, 1, 1));
    verifier.verify(&token, at(900.0)).unwrap();
    verifier.verify(&token, at(950.0)).unwrap();
    assert_eq!(figures(&verifier), (1, 1, 3), "accepted by tolerance, and verified anew");
    let mut late = tolerant();
    late.verify(&token, at(950.0)).unwrap();
    assert_eq!(figures(&late), (0, 0, 1), "never remembered after exp");
}

#[test]
fn a_token_that_is_revoked_after_it_was_remembered_is_refused() {
    let mut verifier = caching_as(verifier(|config| config.revocation = Some(RevocationConfig::default())), 8);
    let token = token(&json!({}));
    for round in 0..3 {
        let pending = verifier.begin(&token, now()).unwrap();
        assert_eq!(pending.plan().len(), 2, "the store is asked each time");
        let revoked = [Answer::Value("wx1 revoked".to_owned()), Answer::Missing];
        let missing = [Answer::Missing, Answer::Missing];
        let verdict = pending.decide(if round == 0 { &missing } else { &revoked }).map(drop);
        let expected = if round == 0 { Ok(()) } else { Err(ErrorCode::TokenRevoked) };
        assert_eq!(verdict.map_err(|error| error.code()), expected);
    }
    assert_eq!(figures(&verifier), (1, 2, 1));
}

#[test]
fn what_is_refused_is_not_remembered() {
    let mut verifier = caching(8);
    let expired = token(&json!({"exp": NOW - 1}));
    let elsewhere = token(&json!({"aud": "elsewhere"}));
    let forged = sign(&key(2), HEADER, claims(&json!({})).to_string().as_bytes());
    for token in [expired, elsewhere, forged] {
        for _ in 0..2 {
            assert!(verifier.verify(&token, now()).is_err());
        }
    }
    assert_eq!(figures(&verifier), (0, 0, 6));
}

#[test]
fn no_verifier_knows_what_another_has_verified() {
    let token = token(&json!({}));
    let mut first = caching(8);
    first.verify(&token, now()).unwrap();
    // Even with the same secret, which no two verifiers have, the key is part of what is remembered.
    let mut other = caching_as(verifier(|config| config.issuers = vec![trusted(ISSUER, key_set(&[&key(2)]))]), 8);
    assert_eq!(other.verify(&token, now()).unwrap_err().code(), ErrorCode::SignatureInvalid);
    assert_eq!(figures(&other), (0, 0, 1));
}

#[test]
fn no_more_are_remembered_than_were_asked_for() {
    for max in [1, 3, 8] {
        let mut verifier = caching(max);
        let tokens = tokens(20);
        for token in &tokens {
            verifier.verify(token, now()).unwrap();
            assert!(figures(&verifier).0 <= max);
        }
        assert_eq!(figures(&verifier), (max, 0, 20));
        verifier.verify(&tokens[19], now()).unwrap();
        assert_eq!(figures(&verifier).1, 1, "the newest is among them");
    }
    for max in [0, 65_537] {
        let config = CacheConfig { max, secret: [3; 16] };
        let error = WarmVerifier::new(verifier(|_| {}), Some(&config)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionInvalid);
        assert!(error.message().contains("cache.max"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_oldest_that_was_not_asked_for_again_makes_room(
        max in 1_usize..=6,
        asked in proptest::collection::vec(0_usize..9, 1..120),
    ) {
        let (mut verifier, tokens) = (caching(max), tokens(9));
        // Tokens in the order of their places, each with whether it has been asked for again since the hand was there.
        let (mut places, mut hand, mut hits) = (Vec::<(usize, bool)>::new(), 0, 0);
        for (before, which) in asked.into_iter().enumerate() {
            verifier.verify(&tokens[which], now()).unwrap();
            if let Some(place) = places.iter_mut().find(|place| place.0 == which) {
                place.1 = true;
                hits += 1;
            } else if places.len() < max {
                places.push((which, false));
            } else {
                while std::mem::take(&mut places[hand].1) {
                    hand = (hand + 1) % max;
                }
                places[hand] = (which, false);
                hand = (hand + 1) % max;
            }
            let misses = u64::try_from(before).unwrap() + 1 - hits;
            prop_assert_eq!(figures(&verifier), (places.len(), hits, misses));
        }
    }
}

#[test]
fn debug_shows_no_secret_and_no_token() {
    let mut verifier = caching(8);
    verifier.verify(&token(&json!({})), now()).unwrap();
    let shown = format!("{verifier:?} {:?}", CacheConfig { max: 1, secret: [77; 16] });
    assert!(!shown.contains("77") && !shown.contains("alice"), "{shown}");
}

proptest! {
    #[test]
    fn a_warm_verifier_decides_as_a_plain_one_whatever_came_before(
        steps in prop::collection::vec((0..6_usize, any::<prop::sample::Index>(), "[A-Za-z0-9_.=\u{e9}-]?", 0..1000_u32), 1..40),
    ) {
        let (mut warm, mut cached) = (warm(verifier(|_| {})), caching(2));
        let plain = verifier(|_| {});
        let made = [
            token(&json!({})),
            token(&json!({"aud": ["a", "b"], "name": "\u{20ac}"})),
            sign(&key(1), r#"{"alg":"ES256","kid":"\u006b"}"#, br#"{"exp":1,"exp":2}"#),
            sign(&key(1), HEADER, &[0xff, 0xfe]),
            sign(&key(1), r#"{"alg":"none"}"#, b"{}"),
            format!("{}.{}.AA", base64url(HEADER.as_bytes()), base64url(&[b' '; 3000])),
        ];
        for (which, at, insert, offset) in steps {
            let mut characters: Vec<char> = made[which].chars().collect();
            if !insert.is_empty() {
                let at = at.index(characters.len());
                characters[at] = insert.chars().next().unwrap();
            }
            let token: String = characters.into_iter().collect();
            let now = minting::at(f64::from(offset));
            let expected = plain_outcome(&plain, &token, now);
            for verifier in [&mut warm, &mut cached] {
                let found = outcome(verifier, &token, now);
                prop_assert!(same(&found, &expected), "{:?} {:?}", found, expected);
            }
        }
    }
}
