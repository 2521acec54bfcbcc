//! What may be logged: the `Debug` of every public type that holds a token, a cookie, a key or claims shows none of it.
//!
//! Shown on purpose, for it opens nothing by itself: the `kid` of a key, which every token carries, the id of a session with
//! the label and subject that it is listed by, and the options of a developer, such as the claims that tokens must have. What is left of keys in memory is searched for where that
//! memory can be read: `tests/js/suite/secrets.ts`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod minting;

use core::fmt::Debug;

use jwt_compact::Algorithm as _;
use minting::{AUDIENCE, HEADER, ISSUER, at, key, key_set, now, sign, verifier};
use serde_json::{Value, json};
use waxseal::cookie::{self, SetCookie, SetCookieOptions};
use waxseal::encoding::base64url;
use waxseal::error::Error;
use waxseal::json;
use waxseal::jwa::Algorithm;
use waxseal::jwk::pem::{self, PemKey};
use waxseal::jwk::{PrivateJwk, PublicJwk};
use waxseal::jws::es256::Es256;
use waxseal::jws::{CompactJws, SigningKey};
use waxseal::jwt::issue::{Issuer, IssuerConfig, Overrides};
use waxseal::jwt::{WarmVerifier, explain};
use waxseal::remote::RemoteConfig;
use waxseal::request::RequestHead;
use waxseal::revocation::{Answer, RevocationConfig};
use waxseal::session::{AccessToken, AppClaims, Flow, Outcome, Randomness, RefreshToken, Release, Step, Task};

/// What must not be shown: a part of every secret below.
const MARK: &str = "hunter2";

/// The bytes of every key below, and of what is random.
const BYTES: [u8; 32] = [0x51; 32];

#[track_caller]
fn shows_nothing(what: &str, value: &dyn Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        let lower = text.to_lowercase();
        let d = base64url(&BYTES);
        for secret in [MARK, "eyj", "0x51", "5151", "81, 81", "81,\n", d.to_lowercase().get(..8).unwrap()] {
            assert!(!lower.contains(secret), "{what} shows {secret}: {text}");
        }
    }
}

fn token() -> String {
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": MARK, "jti": MARK, "sid": MARK, MARK: MARK,
        "iat": minting::NOW, "exp": minting::NOW + 60,
    });
    sign(&key(1), &HEADER.replace("JWT", MARK), claims.to_string().as_bytes())
}

fn marked() -> Value {
    json!({ MARK: MARK })
}

#[test]
fn keys_show_nothing_of_themselves() {
    let signing = SigningKey::generate(&BYTES).unwrap();
    let text = signing.to_private_json();
    let private = PrivateJwk::from_json(text.as_bytes()).unwrap();
    shows_nothing("SigningKey", &signing);
    shows_nothing("PrivateJwk", &private);
    shows_nothing("PublicJwk", private.public());
    shows_nothing("PemKey", &pem::read(text.as_bytes()).unwrap());
    shows_nothing("PemKey", &PemKey::Public(private.public().clone()));
    shows_nothing("VerifyingKey", &signing.verifying_key());
    shows_nothing("KeySet", &key_set(&[&signing]));
    shows_nothing("Es256Signature", &Es256.sign(&signing, MARK.as_bytes()));
    shows_nothing("RemoteConfig", &RemoteConfig { secret: Some(MARK.repeat(9)), ..RemoteConfig::default() });
}

#[test]
fn errors_about_keys_show_nothing_of_them() {
    let text = SigningKey::generate(&BYTES).unwrap().to_private_json();
    let mut wrong: Vec<Error> = Vec::new();
    for (from, to) in [
        ("\"d\":\"", "\"d\":\"hunter2"),
        ("\"x\":\"", "\"x\":\"hunter2"),
        ("P-256", MARK),
        ("\"EC\"", "\"hunter2\""),
        ("\"sig\"", "\"hunter2\""),
        ("{", "{\"d\":\"hunter2\","),
        ("}", ",\"hunter2\":}"),
        ("}", ""),
    ] {
        let spoilt = text.replacen(from, to, 1);
        wrong.push(PrivateJwk::from_json(spoilt.as_bytes()).unwrap_err());
        wrong.push(PrivateJwk::from_bytes(spoilt.as_bytes()).unwrap_err());
        wrong.push(PublicJwk::from_json(spoilt.as_bytes()).unwrap_err());
    }
    for label in ["PRIVATE KEY", "EC PRIVATE KEY", MARK] {
        let block = format!("-----BEGIN {label}-----\n{MARK}\n-----END {label}-----");
        wrong.push(PrivateJwk::from_pem(&block).unwrap_err());
        wrong.push(PublicJwk::from_pem(&block).unwrap_err());
    }
    for error in &wrong {
        shows_nothing(error.code().as_str(), error);
        assert!(!error.to_string().contains(MARK), "{error}");
    }
}

#[test]
fn tokens_show_nothing_on_their_way() {
    let token = token();
    let accepting = verifier(|config| config.typ = Some(MARK.to_owned()));
    shows_nothing("CompactJws", &CompactJws::parse(&token, 8192, &[]).unwrap());
    let compact = CompactJws::parse(&token, 8192, &[]).unwrap();
    shows_nothing("ProtectedHeader", compact.header());
    shows_nothing("SignatureVerified", &compact.verify_signature(&key(1).verifying_key()).unwrap());
    let verified = accepting.verify(&token, now()).unwrap();
    shows_nothing("VerifiedJwt", &verified);
    shows_nothing("ClaimsSet", verified.claims());
    let revoking = verifier(|config| {
        config.typ = Some(MARK.to_owned());
        config.revocation = Some(RevocationConfig::default());
    });
    shows_nothing("PendingJwt", &revoking.begin(&token, now()).unwrap());
    shows_nothing("Answer", &Answer::Value(MARK.to_owned()));
    shows_nothing("Explanation", &explain(&accepting, &token, at(1e6)));
    shows_nothing("Explanation's steps", &explain(&accepting, &token, at(1e6)).steps);
    let errors = [
        accepting.verify(&token, at(1e6)),
        verifier(|config| config.typ = Some("x".to_owned())).verify(&token, now()),
        accepting.verify(MARK, now()),
    ];
    for error in errors.into_iter().map(Result::unwrap_err) {
        shows_nothing(error.code().as_str(), &error);
    }
    let issuer = Issuer::new(IssuerConfig {
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        expires_in: 60,
        typ: None,
        kid: None,
        algorithm: Algorithm::Es256,
    });
    let prepared = issuer.unwrap().prepare(marked(), &Overrides::default(), now(), &[0x51; 16]).unwrap();
    shows_nothing("SigningInput", &prepared);
}

#[test]
fn a_verifier_shows_nothing_of_the_tokens_that_it_has_verified() {
    let mut warm = WarmVerifier::new(verifier(|_| ()), None).unwrap();
    shows_nothing("VerifiedJwt", warm.verify(&token(), now()).unwrap());
    shows_nothing("WarmVerifier", &warm);
}

#[test]
fn json_shows_nothing_of_its_text() {
    let text = marked().to_string();
    let object = json::parse_object(text.as_bytes()).unwrap();
    shows_nothing("Object", &object);
    shows_nothing("Raw", &object.member(MARK).unwrap());
    shows_nothing("OwnedObject", &json::OwnedObject::parse(text.clone().into_bytes()).unwrap());
}

#[test]
fn cookies_and_requests_show_no_value() {
    let options = SetCookieOptions::new("session", MARK);
    shows_nothing("SetCookieOptions", &options);
    shows_nothing("SetCookie", &SetCookie::build(&options).unwrap());
    let spoilt = SetCookieOptions::new("session", format!("{MARK};"));
    shows_nothing("Report", &cookie::check(&spoilt));
    shows_nothing("Error", &SetCookie::build(&spoilt).unwrap_err());
    let header = format!("session={MARK}");
    shows_nothing("CookieHeader", &cookie::parse(&header).unwrap());
    let head = RequestHead { authorization: Some(MARK), cookie: Some(&header), ..RequestHead::default() };
    shows_nothing("RequestHead", &head);
}

#[test]
fn sessions_show_no_token_and_nothing_of_the_application() {
    let claims = AppClaims::new(marked().as_object().unwrap().clone()).unwrap();
    let refresh = RefreshToken {
        subject: MARK.to_owned(),
        sid: MARK.to_owned(),
        generation: 1,
        issued_at: 1,
        expires_at: 2,
        claims: claims.clone(),
    };
    let access = AccessToken {
        subject: MARK.to_owned(),
        sid: MARK.to_owned(),
        version: 1,
        issued_at: 1,
        lifetime: 2,
        jti: [0x51; 16],
        claims: claims.clone(),
    };
    let random = || Randomness { sid: [0x51; 16], jti: [0x51; 16], jitter: [0x51; 2] };
    let release = Release { access, refresh: refresh.clone(), rotated: true, refresh_after: 1 };
    let task = Task::Refresh { presented: refresh, client: None };
    shows_nothing("Randomness", &random());
    shows_nothing("AppClaims", &claims);
    shows_nothing("Task::Login", &Task::Login { label: None, client: None, replaces: None, claims });
    shows_nothing("Task::Refresh", &task);
    shows_nothing("Step::Sign", &Step::Sign(Box::new(release.clone())));
    shows_nothing("Outcome::Released", &Outcome::Released(Box::new(release)));
    shows_nothing("Flow", &Flow::new(task, MARK, 1, random()));
}
