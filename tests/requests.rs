//! The token of a request, and the site it comes from, through the public interface.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use proptest::prelude::*;
use waxseal::ErrorCode;
use waxseal::request::credentials::{Source, find};
use waxseal::request::cross_site::{Origins, Provenance, check, check_always};

fn found(authorization: Option<&str>, cookie: Option<&str>) -> Result<(String, Source), ErrorCode> {
    find(authorization, cookie, Some("id")).map(|found| (found.token.to_owned(), found.source)).map_err(|e| e.code())
}

#[test]
fn a_bearer_token_is_taken_from_the_authorization_header_whatever_the_case_of_the_scheme() {
    for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "Bearer    a.b.c"] {
        assert_eq!(found(Some(header), None), Ok(("a.b.c".to_owned(), Source::Bearer)), "{header}");
    }
    for token in ["-._~+/", "a==", "0"] {
        assert_eq!(found(Some(&format!("Bearer {token}")), None), Ok((token.to_owned(), Source::Bearer)));
    }
}

#[test]
fn what_is_not_bearer_and_one_token_is_malformed_by_rfc_6750_section_2_1() {
    for header in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer\ta",
        "Bearer \ta",
        "Bearer a ",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer a,b",
        "Bearer =",
        "Bearer a=b",
        "Bearer \"a\"",
        "Bearer a;b",
        "Bearer \u{e9}",
        "Bearer a\n",
        " Bearer a",
        "Bearer,a",
        "=",
        "B\u{e9}arer a",
    ] {
        assert_eq!(found(Some(header), Some("id=good")), Err(ErrorCode::AuthorizationMalformed), "{header:?}");
    }
}

#[test]
fn another_scheme_is_no_credentials_by_rfc_6750_section_3_1_and_still_decides_alone() {
    for header in ["Basic YWxhZGRpbg==", "Digest a=b, c=d", "DPoP a", "Bearerx a", "Basic a, Bearer b"] {
        assert_eq!(found(Some(header), Some("id=good")), Err(ErrorCode::CredentialsMissing), "{header}");
    }
    let error = find(Some("Basic x"), Some("id=good"), Some("id")).unwrap_err();
    assert_eq!(error.www_authenticate().as_deref(), Some("Bearer"));
}

#[test]
fn an_authorization_header_decides_alone_with_a_cookie_present() {
    assert_eq!(found(Some("Bearer a"), Some("id=b")), Ok(("a".to_owned(), Source::Bearer)));
    assert_eq!(found(Some("Bearer a"), Some("id=b; id=c")), Ok(("a".to_owned(), Source::Bearer)));
}

#[test]
fn without_an_authorization_header_the_named_cookie_is_read() {
    assert_eq!(found(None, Some("x=y; id=a.b.c; ID=z")), Ok(("a.b.c".to_owned(), Source::Cookie)));
    assert_eq!(found(None, Some("id=a; id=a")), Err(ErrorCode::CookieDuplicate));
    assert_eq!(found(None, Some(&"a".repeat(65_537))), Err(ErrorCode::CookieHeaderInvalid));
    for cookie in [None, Some(""), Some("x=y"), Some("id="), Some("id"), Some("ID=a"), Some("id =a")] {
        assert_eq!(found(None, cookie), Err(ErrorCode::CredentialsMissing), "{cookie:?}");
    }
}

#[test]
fn cookies_are_not_looked_at_without_a_cookie_name() {
    for cookie in [Some("id=a"), Some("=a"), Some("a"), None] {
        assert_eq!(find(None, cookie, None).unwrap_err().code(), ErrorCode::CredentialsMissing);
    }
    for cookie in ["=a", "a", "a; b"] {
        assert_eq!(find(None, Some(cookie), Some("")).unwrap_err().code(), ErrorCode::CredentialsMissing);
    }
    let long = "a".repeat(65_537);
    assert_eq!(find(None, Some(&long), None).unwrap_err().code(), ErrorCode::CredentialsMissing);
}

#[test]
fn no_debug_output_of_a_credential_shows_the_token() {
    let found = find(Some("Bearer hunter2"), None, None).unwrap();
    assert!(!format!("{found:?}").contains("hunter2"));
}

fn origins() -> Origins {
    Origins::parse(&["https://app.example", "HTTPS://Other.example:443", "http://localhost:5173"]).unwrap()
}

fn from<'h>(sec_fetch_site: Option<&'h str>, origin: Option<&'h str>) -> Provenance<'h> {
    Provenance { method: Some("POST"), sec_fetch_site, origin, upgrade: None }
}

fn passes(provenance: &Provenance<'_>) -> bool {
    let outcome = check_always(provenance, &origins());
    assert!(outcome.as_ref().err().is_none_or(|error| error.code() == ErrorCode::CrossSite));
    if !provenance.is_safe() {
        assert_eq!(check(provenance, &origins()), outcome);
    }
    outcome.is_ok()
}

#[test]
fn a_request_that_the_browser_vouches_for_passes() {
    assert!(passes(&from(Some("same-origin"), None)));
    assert!(passes(&from(Some("same-origin"), Some("https://own.example"))));
    assert!(passes(&from(Some("none"), None)));
}

#[test]
fn a_request_of_a_configured_origin_passes_from_a_sibling_site_too() {
    for sec_fetch_site in [None, Some("same-site"), Some("cross-site"), Some("")] {
        for origin in ["https://app.example", "https://other.example", "http://localhost:5173"] {
            assert!(passes(&from(sec_fetch_site, Some(origin))), "{sec_fetch_site:?} {origin}");
        }
    }
}

#[test]
fn a_request_of_any_other_origin_is_refused() {
    for sec_fetch_site in
        [None, Some("same-site"), Some("cross-site"), Some("Same-Origin"), Some("same-origin, same-origin")]
    {
        for origin in [
            "https://evil.example",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example/",
            "https://app.example, https://app.example",
            "HTTPS://APP.EXAMPLE",
            "https://sub.app.example",
            "http://localhost",
            "null",
            "",
        ] {
            assert!(!passes(&from(sec_fetch_site, Some(origin))), "{sec_fetch_site:?} {origin}");
        }
        assert!(!passes(&from(sec_fetch_site, None)), "{sec_fetch_site:?}");
    }
}

#[test]
fn a_safe_method_passes_from_anywhere_but_never_for_login_refresh_and_logout() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        let request = Provenance { method: Some(method), ..from(Some("cross-site"), Some("https://evil.example")) };
        assert_eq!(check(&request, &origins()), Ok(()));
        assert!(!passes(&request));
    }
}

#[test]
fn every_other_method_is_unsafe_and_so_is_none() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "QUERY", "get", "Get", "GET ", "", "FOO"] {
        assert!(!passes(&Provenance { method: Some(method), ..from(None, None) }), "{method}");
        assert!(check(&Provenance { method: Some(method), ..from(None, None) }, &origins()).is_err(), "{method}");
    }
    assert!(check(&Provenance::default(), &origins()).is_err());
}

#[test]
fn opening_a_websocket_is_unsafe_by_rfc_6455_section_10_2() {
    for upgrade in ["websocket", "WebSocket", "h2c, websocket", "websocket/13"] {
        let request = Provenance { method: Some("GET"), upgrade: Some(upgrade), ..Provenance::default() };
        assert_eq!(check(&request, &origins()).unwrap_err().code(), ErrorCode::CrossSite, "{upgrade}");
        let own = Provenance { sec_fetch_site: Some("same-origin"), ..request };
        assert_eq!(check(&own, &origins()), Ok(()));
    }
    let other = Provenance { method: Some("GET"), upgrade: Some("h2c"), ..Provenance::default() };
    assert_eq!(check(&other, &origins()), Ok(()));
}

#[test]
fn without_configured_origins_only_what_the_browser_vouches_for_passes() {
    let none = Origins::parse::<&str>(&[]).unwrap();
    assert!(check_always(&from(None, Some("https://app.example")), &none).is_err());
    assert_eq!(check_always(&from(Some("same-origin"), None), &none), Ok(()));
}

#[test]
fn an_origin_that_cannot_be_compared_is_refused_by_its_number() {
    for wrong in ["https://app.example/", "app.example", "null", "*", "http://app.example", ""] {
        let error = Origins::parse(&["https://a.example", wrong]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionInvalid);
        assert!(error.message().starts_with("`origins` must ") && error.message().contains("entry 2"), "{error}");
    }
}

proptest! {
    #[test]
    fn a_token_that_is_found_stands_in_the_header_as_it_is(
        header in prop_oneof![any::<String>(), "[Bb]earer {0,3}[a-c.=, ]{0,9}"],
    ) {
        if let Ok(found) = find(Some(&header), None, None) {
            prop_assert!(header.ends_with(found.token) && !found.token.contains([' ', ',']));
            let before = &header[..header.len() - found.token.len()];
            prop_assert!(before.trim_end_matches(' ').eq_ignore_ascii_case("bearer"));
        }
    }

    #[test]
    fn no_text_in_the_headers_lets_a_stranger_pass(site in "[a-z -]{0,12}", origin in any::<String>()) {
        prop_assume!(site != "same-origin" && site != "none");
        let known: Vec<String> = origins().iter().map(|origin| origin.as_str().to_owned()).collect();
        prop_assume!(!known.contains(&origin));
        prop_assert!(!passes(&from(Some(&site), Some(&origin))));
    }
}

#[test]
fn sources_have_names_and_origins_are_listed_as_browsers_write_them() {
    assert_eq!([Source::Bearer, Source::Cookie].map(Source::name), ["bearer", "cookie"]);
    let origins = Origins::parse(&["https://APP.example:443", "http://localhost:8080"]).unwrap();
    let listed: Vec<_> = origins.iter().map(waxseal::origin::Origin::as_str).collect();
    assert_eq!(listed, ["https://app.example", "http://localhost:8080"]);
}
