//! Cookies through the public interface: what may be built, what is said about what may not, and what is read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use proptest::prelude::*;
use waxseal::cookie::{self, MAX_AGE, Priority, SameSite, SetCookie, SetCookieOptions, check};
use waxseal::{Error, ErrorCode, UnixTime, encoding};

fn options(name: &str, value: &str) -> SetCookieOptions {
    SetCookieOptions::new(name, value)
}

fn header(options: &SetCookieOptions) -> String {
    SetCookie::build(options).unwrap().to_header()
}

/// The attributes complained about, in order; building must agree with the first.
fn complaints(options: &SetCookieOptions) -> Vec<&'static str> {
    let report = check(options);
    assert_eq!(SetCookie::build(options).err(), report.complaints.first().map(|first| first.error.clone()));
    assert_eq!(report.header.is_some(), report.complaints.is_empty());
    for complaint in &report.complaints {
        let message = complaint.error.message();
        assert!(
            message.starts_with(&format!("`{}` ", complaint.attribute)) || message.starts_with("`name` and `value`")
        );
        assert!(message.ends_with('.'), "{message}");
        assert_eq!(complaint.error.claim(), None);
    }
    report.complaints.iter().map(|complaint| complaint.attribute).collect()
}

#[test]
fn a_cookie_is_secure_unless_told_otherwise() {
    assert_eq!(header(&options("a", "b")), "a=b; Path=/; HttpOnly; Secure; SameSite=Lax");
}

#[test]
fn attributes_can_be_left_out_where_the_grammar_permits() {
    let bare = SetCookieOptions { http_only: false, secure: false, same_site: None, path: None, ..options("a", "") };
    assert_eq!(header(&bare), "a=");
}

#[test]
fn every_attribute_is_written_once() {
    let all = SetCookieOptions {
        path: Some("/app".to_owned()),
        domain: Some("Example.com".to_owned()),
        max_age: Some(MAX_AGE),
        expires: UnixTime::from_seconds(784_111_777.9).ok(),
        same_site: Some(SameSite::None),
        partitioned: true,
        priority: Some(Priority::High),
        ..options("id", "x")
    };
    assert_eq!(
        header(&all),
        "id=x; Max-Age=34560000; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Domain=Example.com; Path=/app; HttpOnly; \
         Secure; SameSite=None; Partitioned; Priority=High"
    );
}

#[test]
fn the_names_of_enumerated_attributes_are_read_as_they_are_written_and_in_no_other_spelling() {
    for same_site in [SameSite::Strict, SameSite::Lax, SameSite::None] {
        assert_eq!(SameSite::from_name(same_site.name()), Some(same_site));
    }
    for priority in [Priority::Low, Priority::Medium, Priority::High] {
        assert_eq!(Priority::from_name(priority.name()), Some(priority));
    }
    for wrong in ["", "lax", "LAX", "Lax ", "high"] {
        assert_eq!(SameSite::from_name(wrong), None);
        assert_eq!(Priority::from_name(wrong), None);
    }
}

#[test]
fn a_name_is_a_token_of_rfc_9110() {
    for character in (0..=0x17f).filter_map(char::from_u32) {
        let name = format!("a{character}b");
        let is_token = character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        let expected: &[&str] = if is_token { &[] } else { &["name"] };
        assert_eq!(complaints(&options(&name, "v")), expected, "{character:?}");
    }
    assert_eq!(complaints(&options("", "v")), ["name"]);
}

#[test]
fn a_value_is_made_of_cookie_octets_alone_and_is_neither_trimmed_nor_encoded() {
    for character in (0..=0x17f).filter_map(char::from_u32) {
        let is_octet = ('!'..='~').contains(&character) && !"\",;\\".contains(character);
        let expected: &[&str] = if is_octet { &[] } else { &["value"] };
        for value in
            [format!("{character}"), format!("a{character}b"), format!("{character}a"), format!("a{character}")]
        {
            assert_eq!(complaints(&options("n", &value)), expected, "{character:?}");
        }
    }
}

#[test]
fn a_path_begins_with_a_slash_and_holds_what_a_request_path_can_hold() {
    for path in ["", "a", "./", "/a;b", "/a b", "/a ", "/\u{7f}", "/\u{e9}", "/a\nb", "/?", "/#"] {
        let with = SetCookieOptions { path: Some(path.to_owned()), ..options("n", "v") };
        assert_eq!(complaints(&with), ["path"], "{path:?}");
    }
    for path in ["/", "/auth/refresh", "/a/%20/b,c=d\"'"] {
        let with = SetCookieOptions { path: Some(path.to_owned()), ..options("n", "v") };
        assert_eq!(complaints(&with), [""; 0], "{path:?}");
    }
}

#[test]
fn a_domain_is_a_host_name_without_outer_dots() {
    let long = format!("{}.example", "a".repeat(64));
    for domain in [
        "",
        ".",
        ".example.com",
        "example.com.",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "exa mple.com",
        "example.com;x",
        "b\u{fc}cher.example",
        "example.com:443",
        "127.0.0.1",
        "127.1",
        "0x7f.0x1",
        "0x7f.0X1",
        "[::1]",
        "::1",
        "*.example.com",
        &long,
    ] {
        let with = SetCookieOptions { domain: Some(domain.to_owned()), ..options("n", "v") };
        assert_eq!(complaints(&with), ["domain"], "{domain:?}");
        let says_dot = SetCookie::build(&with).unwrap_err().message().contains("a dot");
        assert_eq!(says_dot, domain.starts_with('.') || domain.ends_with('.'), "{domain:?}");
    }
    for domain in ["example.com", "a.B-c.example", "xn--bcher-kva.example", "localhost", "1.example", "3com.com"] {
        let with = SetCookieOptions { domain: Some(domain.to_owned()), ..options("n", "v") };
        assert_eq!(complaints(&with), [""; 0], "{domain:?}");
    }
}

#[test]
fn a_max_age_over_400_days_is_an_error_and_not_clamped() {
    for (max_age, expected) in [(0, &[][..]), (MAX_AGE, &[]), (MAX_AGE + 1, &["maxAge"]), (u32::MAX, &["maxAge"])] {
        assert_eq!(complaints(&SetCookieOptions { max_age: Some(max_age), ..options("n", "v") }), expected);
    }
}

#[test]
fn an_expiry_before_the_year_1601_is_an_error() {
    for (seconds, expected) in [(-11_644_473_600.0, &[][..]), (-11_644_473_601.0, &["expires"])] {
        let expires = UnixTime::from_seconds(seconds).ok();
        assert_eq!(complaints(&SetCookieOptions { expires, ..options("n", "v") }), expected);
    }
}

#[test]
fn a_prefix_of_any_case_keeps_its_promise_by_rfc_6265bis_section_4_1_3() {
    let plain = |name: &str| SetCookieOptions { secure: false, http_only: false, ..options(name, "v") };
    for name in ["__Secure-a", "__secure-a", "__SECURE-", "__Host-a", "__hOST-a"] {
        assert_eq!(complaints(&plain(name)), ["secure"], "{name}");
        assert_eq!(complaints(&SetCookieOptions { secure: true, ..plain(name) }), [""; 0], "{name}");
    }
    for name in ["__Http-a", "__http-a", "__Host-Http-a", "__host-HTTP-"] {
        assert_eq!(complaints(&plain(name)), ["secure", "httpOnly"], "{name}");
        assert_eq!(complaints(&SetCookieOptions { secure: true, http_only: true, ..plain(name) }), [""; 0], "{name}");
    }
    for name in ["__Host-a", "__HOST-", "__Host-Http-a"] {
        for path in [None, Some("/app".to_owned())] {
            assert_eq!(complaints(&SetCookieOptions { path, ..options(name, "v") }), ["path"], "{name}");
        }
        let domain = Some("example.com".to_owned());
        assert_eq!(complaints(&SetCookieOptions { domain, ..options(name, "v") }), ["domain"], "{name}");
    }
    for name in ["__Host", "_Host-a", "x__Host-a", "__Secure_a", "__HostHttp-a"] {
        assert_eq!(complaints(&plain(name)), [""; 0], "{name}");
    }
    let scoped = SetCookieOptions { path: None, domain: Some("example.com".to_owned()), ..options("__Secure-a", "v") };
    assert_eq!(complaints(&scoped), [""; 0]);
}

#[test]
fn same_site_none_and_partitioned_need_secure() {
    let none = SetCookieOptions { same_site: Some(SameSite::None), ..options("n", "v") };
    assert_eq!(complaints(&none), [""; 0]);
    assert_eq!(complaints(&SetCookieOptions { secure: false, ..none.clone() }), ["sameSite"]);
    let partitioned = SetCookieOptions { partitioned: true, ..options("n", "v") };
    assert_eq!(complaints(&partitioned), [""; 0]);
    assert_eq!(complaints(&SetCookieOptions { secure: false, ..partitioned }), ["partitioned"]);
}

#[test]
fn a_check_says_everything_that_is_wrong_and_the_size() {
    let wrong = SetCookieOptions {
        secure: false,
        same_site: Some(SameSite::None),
        path: Some("x".to_owned()),
        domain: Some(".x".to_owned()),
        max_age: Some(u32::MAX),
        expires: UnixTime::from_seconds(-1e12).ok(),
        partitioned: true,
        ..options("__Host-\u{20}", " ")
    };
    // Without a readable name its prefix is not judged.
    assert_eq!(complaints(&wrong), ["name", "value", "path", "domain", "expires", "maxAge", "sameSite", "partitioned"]);
    assert_eq!(check(&wrong).size, 9);
    assert_eq!(check(&options("ab", "cde")).size, 5);
    assert_eq!(check(&options("ab", "cde")).header, Some(header(&options("ab", "cde"))));
}

fn too_large(options: &SetCookieOptions) -> Error {
    let error = SetCookie::build(options).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CookieTooLarge, "{error}");
    error
}

#[test]
fn name_and_value_over_4096_bytes_are_an_error_with_the_measured_size() {
    assert!(SetCookie::build(&options("ab", &"v".repeat(4094))).is_ok());
    let error = too_large(&options("ab", &"v".repeat(4095)));
    assert!(error.message().contains("4097") && error.message().contains("4096"), "{error}");
}

#[test]
fn a_token_too_big_for_a_cookie_is_told_by_its_heaviest_claims_and_none_of_its_text() {
    let claims = format!(
        r#"{{"sub":"alice-secret","roles":["{}"],"avatar":"{}","a very private name":"{}","x":1}}"#,
        "admin-secret".repeat(100),
        "picture-secret".repeat(150),
        "more-secret".repeat(50)
    );
    let token = format!(
        "{}.{}.c2lnbmF0dXJl",
        encoding::base64url(br#"{"alg":"ES256"}"#),
        encoding::base64url(claims.as_bytes())
    );
    let error = too_large(&options("__Host-access", &token));
    let message = error.message();
    assert!(message.contains(&(token.len() + 13).to_string()), "{message}");
    assert!(message.contains(&claims.len().to_string()), "{message}");
    assert!(
        message.contains("avatar (2108 bytes), roles (1209 bytes), one whose name is not shown (571 bytes)"),
        "{message}"
    );
    assert!(
        !message.contains("secret") && !message.contains("private") && !message.contains(&token[..20]),
        "{message}"
    );
}

#[test]
fn a_claim_is_named_only_when_its_name_cannot_be_data() {
    for (name, shown) in [
        ("https://example.com/roles", true),
        ("cognito:groups", true),
        ("", false),
        ("a b", false),
        ("alice@example.com", false),
        ("<b>", false),
        ("\\n", false),
        ("x\u{e9}", false),
        (&"n".repeat(48), true),
        (&"n".repeat(49), false),
    ] {
        let claims = format!(r#"{{"{name}":"{}"}}"#, "v".repeat(4000));
        let error = too_large(&options("n", &format!("h.{}.s", encoding::base64url(claims.as_bytes()))));
        let hidden = error.message().contains("the heaviest one whose name is not shown (");
        assert_eq!((error.message().contains(&format!("the heaviest {name} (")), hidden), (shown, !shown), "{error}");
    }
}

#[test]
fn a_big_value_that_is_no_token_is_only_measured() {
    let big = "v".repeat(5000);
    let claims = encoding::base64url(br#"{"sub":"x"}"#);
    for value in [
        format!("a.{claims}.b.{big}"),
        format!("{claims}.{big}"),
        big.clone(),
        format!("a.{big}.b"),
        format!("a.{big}.b.c"),
        format!("a.{}.b", encoding::base64url(b"{}")) + &big,
    ] {
        let error = too_large(&options("n", &value));
        assert!(!error.message().contains("JWT"), "{error}");
        assert!(error.message().contains("identifier"), "{error}");
    }
}

#[test]
fn an_attribute_over_1024_bytes_is_an_error_with_the_measured_size() {
    let path = |length: usize| Some(format!("/{}", "a".repeat(length - 1)));
    assert!(SetCookie::build(&SetCookieOptions { path: path(1024), ..options("n", "v") }).is_ok());
    let error = too_large(&SetCookieOptions { path: path(1025), ..options("n", "v") });
    assert!(error.message().starts_with("`path` is 1025 bytes"), "{error}");
    let error = too_large(&SetCookieOptions { domain: Some("a.".repeat(513) + "b"), ..options("n", "v") });
    assert!(error.message().starts_with("`domain` is 1027 bytes"), "{error}");
}

#[test]
fn clearing_repeats_the_attributes_with_an_empty_value_and_an_end_in_the_past() {
    let set = SetCookieOptions {
        domain: Some("example.com".to_owned()),
        path: Some("/app".to_owned()),
        max_age: Some(600),
        partitioned: true,
        same_site: Some(SameSite::None),
        ..options("__Secure-id", "secret")
    };
    assert_eq!(
        SetCookie::build(&set).unwrap().clearing().to_header(),
        "__Secure-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/app; HttpOnly; \
         Secure; SameSite=None; Partitioned"
    );
}

#[test]
fn no_message_and_no_debug_output_shows_a_value() {
    let secret = "hunter2 hunter2";
    let wrong = options("n", secret);
    assert!(!format!("{:?}", check(&wrong)).contains("hunter"));
    assert!(!format!("{wrong:?}").contains("hunter"));
    let cookie = SetCookie::build(&options("n", "hunter2")).unwrap();
    assert!(!format!("{cookie:?}").contains("hunter"));
    assert!(!format!("{:?}", cookie::parse("a=hunter2; b=hunter3").unwrap()).contains("hunter"));
}

fn pairs(header: &str) -> Vec<(&str, &str)> {
    cookie::parse(header).unwrap().pairs().collect()
}

#[test]
fn pairs_come_raw_and_in_order() {
    assert_eq!(
        pairs("b=2; a=1;b=%20;\t c=\"x y\" ; d==e=; A=\u{e9}"),
        [("b", "2"), ("a", "1"), ("b", "%20"), ("c", "\"x y\""), ("d", "=e="), ("A", "\u{e9}")]
    );
    assert_eq!(pairs(""), []);
    assert_eq!(pairs(" ; ;;\t"), []);
}

#[test]
fn a_cookie_without_a_name_has_the_empty_name_by_rfc_6265bis_section_5_8_3() {
    assert_eq!(pairs("plain; =x; ==y; a="), [("", "plain"), ("", "x"), ("", "=y"), ("a", "")]);
}

#[test]
fn nothing_but_space_and_tab_around_a_pair_is_dropped() {
    assert_eq!(pairs("id =evil; id= v"), [("id ", "evil"), ("id", " v")]);
    assert_eq!(pairs("\u{a0}id=x; \u{b}id=y"), [("\u{a0}id", "x"), ("\u{b}id", "y")]);
    let header = cookie::parse("id =evil; ID=evil; \u{a0}id=evil").unwrap();
    assert_eq!(header.one("id"), Ok(None));
}

#[test]
fn a_second_cookie_of_a_name_fails_closed_even_with_the_same_value() {
    for text in ["id=a; id=b", "id=a; x=y; id=a", "id=; id=a"] {
        let error = cookie::parse(text).unwrap().one("id").unwrap_err();
        assert_eq!(error.code(), ErrorCode::CookieDuplicate);
    }
    let header = cookie::parse("a=1; b=2; A=3").unwrap();
    assert_eq!(header.one("a"), Ok(Some("1")));
    assert_eq!(header.one("c"), Ok(None));
}

#[test]
fn duplicates_are_named_once() {
    let header = cookie::parse("b=1; a=1; b=2; c=3; b=3; a=1; x; y").unwrap();
    assert_eq!(header.duplicates(), ["", "a", "b"]);
    assert_eq!(cookie::parse("a=1; A=1; b=1").unwrap().duplicates(), [""; 0]);
}

#[test]
fn a_cookie_header_over_64_kib_is_refused() {
    assert!(cookie::parse(&"a".repeat(65_536)).is_ok());
    assert_eq!(cookie::parse(&"a".repeat(65_537)).unwrap_err().code(), ErrorCode::CookieHeaderInvalid);
}

fn any_options() -> impl Strategy<Value = SetCookieOptions> {
    let name = prop_oneof![
        "[!#$%&'*+.^_`|~0-9A-Za-z-]{0,20}",
        "(__Host-|__Secure-|__Http-|__host-http-)[a-z]{0,5}",
        any::<String>()
    ];
    let value = prop_oneof![4 => "[!#-+--:<-\\[\\]-~]{0,40}", 1 => any::<String>()];
    let path = proptest::option::of(prop_oneof![2 => Just("/".to_owned()), 1 => "/[!-~]{0,10}", 1 => any::<String>()]);
    let domain = proptest::option::of(prop_oneof![3 => "[a-z0-9.-]{0,12}", 1 => any::<String>()]);
    let same_site =
        proptest::option::of(prop_oneof![Just(SameSite::Strict), Just(SameSite::Lax), Just(SameSite::None)]);
    let lifetime = (proptest::option::of(0..MAX_AGE * 2), proptest::option::of(-2e10..2.5e11f64));
    (name, value, path, domain, same_site, lifetime, any::<(bool, bool, bool)>()).prop_map(
        |(name, value, path, domain, same_site, (max_age, expires), (http_only, secure, partitioned))| {
            SetCookieOptions {
                http_only,
                secure,
                same_site,
                path,
                domain,
                max_age,
                expires: expires.and_then(|seconds| UnixTime::from_seconds(seconds).ok()),
                partitioned,
                priority: None,
                ..SetCookieOptions::new(name, value)
            }
        },
    )
}

/// A `Set-Cookie` value as RFC 6265bis section 5.6 has browsers take it apart, with trimming and all.
fn browser_reads(header: &str) -> (String, String, Vec<(String, String)>) {
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.trim_matches([' ', '\t']).to_owned(), value.trim_matches([' ', '\t']).to_owned())
    };
    let mut parts = header.split(';');
    let (name, value) = split(parts.next().unwrap_or_default());
    (name, value, parts.map(split).collect())
}

proptest! {
    #[test]
    fn what_is_built_is_what_a_browser_reads_and_sends_back(options in any_options()) {
        let report = check(&options);
        let built = SetCookie::build(&options);
        prop_assert_eq!(built.is_ok(), report.complaints.is_empty());
        if let Ok(cookie) = built {
            let header = cookie.to_header();
            prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            let (name, value, attributes) = browser_reads(&header);
            prop_assert_eq!((&name, &value), (&options.name, &options.value));
            let mut expected: Vec<(&str, String)> = Vec::new();
            expected.extend(options.max_age.map(|seconds| ("Max-Age", seconds.to_string())));
            let read_expires = attributes.iter().find(|(name, _)| name == "Expires").map(|(_, date)| date.clone());
            prop_assert_eq!(read_expires.is_some(), options.expires.is_some());
            expected.extend(read_expires.map(|date| ("Expires", date)));
            expected.extend(options.domain.map(|domain| ("Domain", domain)));
            expected.extend(options.path.map(|path| ("Path", path)));
            expected.extend(options.http_only.then(|| ("HttpOnly", String::new())));
            expected.extend(options.secure.then(|| ("Secure", String::new())));
            expected.extend(options.same_site.map(|value| ("SameSite", value.name().to_owned())));
            expected.extend(options.partitioned.then(|| ("Partitioned", String::new())));
            let attributes: Vec<(&str, String)> =
                attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            prop_assert_eq!(attributes, expected);
            let sent = format!("first=1; {name}={value}; last=2");
            prop_assert_eq!(cookie::parse(&sent).unwrap().all(&name).last(), Some(value.as_str()));
            let (_, empty, _) = browser_reads(&cookie.clearing().to_header());
            prop_assert_eq!(empty, "");
        }
    }

    #[test]
    fn every_text_is_some_list_of_pairs(text in prop_oneof![any::<String>(), "[ab=; \t\"]{0,60}"]) {
        let header = cookie::parse(&text).unwrap();
        let pairs: Vec<(&str, &str)> = header.pairs().collect();
        // Everything but semicolons, white space around pairs and the first = of each is found again.
        let kept: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        let separators = text.matches([';', '=', ' ', '\t']).count();
        prop_assert!(kept <= text.len() && kept + separators >= text.len());
        for (name, value) in &pairs {
            prop_assert!(!name.contains(['=', ';']) && !value.contains(';'));
            prop_assert!(!name.starts_with([' ', '\t']) && !value.ends_with([' ', '\t']));
            let count = pairs.iter().filter(|(other, _)| other == name).count();
            prop_assert_eq!(header.duplicates().contains(name), count > 1);
            prop_assert_eq!(header.one(name).is_err(), count > 1);
            prop_assert_eq!(header.all(name).count(), count);
        }
    }

    #[test]
    fn the_pairs_that_a_browser_joins_are_read_back(
        sent in proptest::collection::vec(
            ("[!#-.0-:<>-~\u{e9}]{0,5}", "([!-:<-~\u{e9}]([ !-:<-~]{0,5}[!-:<-~])?)?"),
            0..8,
        )
    ) {
        // RFC 6265bis section 5.8.3: a cookie without a name is sent without =, and never without a value too.
        let nameless = |name: &str, value: &str| name.is_empty() && (value.is_empty() || value.contains('='));
        let sent: Vec<(String, String)> = sent.into_iter().filter(|(name, value)| !nameless(name, value)).collect();
        let pair = |(name, value): &(String, String)| match name.as_str() {
            "" => value.clone(),
            name => format!("{name}={value}"),
        };
        let header = sent.iter().map(pair).collect::<Vec<_>>().join("; ");
        let expected: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        prop_assert_eq!(cookie::parse(&header).unwrap().pairs().collect::<Vec<_>>(), expected);
    }
}
