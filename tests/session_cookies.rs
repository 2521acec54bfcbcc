//! The two cookies of a session through the public interface.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use waxseal::ErrorCode;
use waxseal::cookie::{MAX_AGE, SameSite, SessionCookieOptions, SessionCookies};

const NO_ORIGINS: [&str; 0] = [];

fn production() -> SessionCookies {
    SessionCookies::new(&SessionCookieOptions::default(), "https://id.example", &["https://app.example"]).unwrap()
}

fn development() -> SessionCookieOptions {
    SessionCookieOptions { insecure_development_mode: true, ..SessionCookieOptions::default() }
}

fn refusal(options: &SessionCookieOptions, issuer: &str, origins: &[&str]) -> Option<ErrorCode> {
    SessionCookies::new(options, issuer, origins).err().map(|error| error.code())
}

#[test]
fn the_access_cookie_goes_to_the_host_and_the_refresh_cookie_to_its_path() {
    let cookies = production();
    assert_eq!(
        cookies.set_access("a.b.c", 900).unwrap().to_header(),
        "__Host-access=a.b.c; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Strict"
    );
    assert_eq!(
        cookies.set_refresh("d.e.f", 604_800).unwrap().to_header(),
        "__Secure-refresh=d.e.f; Max-Age=604800; Path=/auth/refresh; HttpOnly; Secure; SameSite=Strict"
    );
}

#[test]
fn clearing_repeats_the_attributes_of_both_cookies() {
    assert_eq!(
        production().clearing(),
        &[
            "__Host-access=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; Secure; \
             SameSite=Strict",
            "__Secure-refresh=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/auth/refresh; HttpOnly; \
             Secure; SameSite=Strict",
        ]
    );
}

#[test]
fn a_token_that_does_not_fit_is_an_error() {
    let cookies = production();
    assert_eq!(cookies.set_access(&"a".repeat(4096), 1).unwrap_err().code(), ErrorCode::CookieTooLarge);
    assert_eq!(cookies.set_refresh("a;b", 1).unwrap_err().code(), ErrorCode::CookieInvalid);
    assert_eq!(cookies.set_refresh("a", MAX_AGE + 1).unwrap_err().code(), ErrorCode::CookieInvalid);
}

#[test]
fn one_access_cookie_and_every_refresh_cookie_is_read_in_order() {
    let cookies = production();
    let found = cookies.read("__Secure-refresh=planted; x=y; __Host-access=a; __Secure-refresh=own").unwrap();
    assert_eq!(found.access, Some("a"));
    assert_eq!(found.refresh, ["planted", "own"]);
    assert!(!format!("{found:?}").contains("planted"));

    let found =
        cookies.read("__Host-access=; __Secure-refresh=; __host-access=x; access-dev=y; refresh-dev=z").unwrap();
    assert_eq!((found.access, found.refresh.len()), (None, 0));
}

#[test]
fn a_second_access_cookie_fails_closed() {
    let read = |header: &str| production().read(header).map(|_| ()).map_err(|error| error.code());
    assert_eq!(read("__Host-access=a; __Host-access=a"), Err(ErrorCode::CookieDuplicate));
    assert_eq!(read("__Host-access=a; __Host-access="), Err(ErrorCode::CookieDuplicate));
    assert_eq!(read(&"a".repeat(65_537)), Err(ErrorCode::CookieHeaderInvalid));
}

#[test]
fn development_mode_drops_secure_and_the_prefix_and_production_reads_neither_of_its_cookies() {
    let cookies =
        SessionCookies::new(&development(), "http://localhost:8787", &["http://127.0.0.1:5173", "http://[::1]:5173"])
            .unwrap();
    assert_eq!(
        cookies.set_access("a", 60).unwrap().to_header(),
        "access-dev=a; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"
    );
    assert_eq!(
        cookies.set_refresh("a", 60).unwrap().to_header(),
        "refresh-dev=a; Max-Age=60; Path=/auth/refresh; HttpOnly; SameSite=Strict"
    );
    assert_eq!(
        cookies.clearing()[1],
        "refresh-dev=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/auth/refresh; HttpOnly; SameSite=Strict"
    );
    let found = production().read("access-dev=a; refresh-dev=b").map(|found| (found.access, found.refresh));
    assert_eq!(found, Ok((None, Vec::new())));
    let found = cookies.read("__Host-access=a; __Secure-refresh=b").map(|found| (found.access, found.refresh));
    assert_eq!(found, Ok((None, Vec::new())));
}

#[test]
fn development_mode_is_refused_with_an_issuer_or_origin_that_is_not_on_this_machine() {
    for issuer in
        ["https://id.example", "my-app", "", "http://localhost.example", "http://localhost@id.example/", "localhost"]
    {
        assert_eq!(refusal(&development(), issuer, &[]), Some(ErrorCode::OptionInvalid), "{issuer}");
    }
    for issuer in ["http://localhost:8787", "https://127.0.0.1/tenant", "http://[::1]/"] {
        assert_eq!(refusal(&development(), issuer, &[]), None, "{issuer}");
        for origin in ["https://app.example", "null", "http://localhost/", "http://10.0.0.1"] {
            let origins = ["http://localhost", origin];
            assert_eq!(refusal(&development(), issuer, &origins), Some(ErrorCode::OptionInvalid), "{origin}");
        }
    }
}

#[test]
fn development_mode_is_never_inferred() {
    let cookies =
        SessionCookies::new(&SessionCookieOptions::default(), "http://localhost", &["http://localhost"]).unwrap();
    assert!(cookies.set_access("a", 60).unwrap().to_header().contains("; Secure"));
    assert_eq!(cookies.access_name(), "__Host-access");
}

fn named(access: &str, refresh: &str, insecure_development_mode: bool) -> SessionCookieOptions {
    SessionCookieOptions {
        access_name: Some(access.to_owned()),
        refresh_name: Some(refresh.to_owned()),
        insecure_development_mode,
        ..SessionCookieOptions::default()
    }
}

#[test]
fn other_names_must_keep_the_prefixes_in_production() {
    for (access, refresh) in [("__Host-a", "__Secure-b"), ("__Host-Http-a", "__Http-b")] {
        let cookies = SessionCookies::new(&named(access, refresh, false), "https://id.example", &NO_ORIGINS).unwrap();
        assert_eq!((cookies.access_name(), cookies.refresh_name()), (access, refresh));
    }
    for (access, refresh) in [
        ("a", "__Secure-b"),
        ("__Secure-a", "__Secure-b"),
        ("__host-a", "__Secure-b"),
        ("__Host-a", "b"),
        ("__Host-a", "__Host-a"),
    ] {
        let code = refusal(&named(access, refresh, false), "https://id.example", &[]);
        assert_eq!(code, Some(ErrorCode::OptionInvalid), "{access} {refresh}");
    }
    // A refresh cookie with __Host- would need Path=/.
    assert_eq!(
        refusal(&named("__Host-a", "__Host-b", false), "https://id.example", &[]),
        Some(ErrorCode::CookieInvalid)
    );
    assert_eq!(
        refusal(&named("__Host-a b", "__Secure-b", false), "https://id.example", &[]),
        Some(ErrorCode::CookieInvalid)
    );
}

#[test]
fn other_names_must_not_have_a_prefix_in_development_mode() {
    assert_eq!(refusal(&named("a", "b", true), "http://localhost", &[]), None);
    for (access, refresh) in [("__Host-a", "b"), ("a", "__SECURE-b"), ("a", "__http-b"), ("a", "a")] {
        let code = refusal(&named(access, refresh, true), "http://localhost", &[]);
        assert_eq!(code, Some(ErrorCode::OptionInvalid), "{access} {refresh}");
    }
}

#[test]
fn other_attributes_are_held_to_the_rules_of_every_cookie() {
    let lax = SessionCookieOptions { same_site: SameSite::Lax, ..SessionCookieOptions::default() };
    let cookies = SessionCookies::new(&lax, "https://id.example", &NO_ORIGINS).unwrap();
    assert!(cookies.set_access("a", 1).unwrap().to_header().ends_with("SameSite=Lax"));
    let none = SessionCookieOptions { same_site: SameSite::None, ..development() };
    assert_eq!(refusal(&none, "http://localhost", &[]), Some(ErrorCode::CookieInvalid));
    let path = SessionCookieOptions { refresh_path: "refresh".to_owned(), ..SessionCookieOptions::default() };
    assert_eq!(refusal(&path, "https://id.example", &[]), Some(ErrorCode::CookieInvalid));
}
