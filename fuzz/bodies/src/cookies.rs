//! `Cookie` headers that anybody may send, and `Set-Cookie` values that a program may ask for.

use arbitrary::{Result, Unstructured};
use waxseal::UnixTime;
use waxseal::cookie::{
    MAX_AGE, MAX_SIZE, Priority, SameSite, SessionCookieOptions, SessionCookies, SetCookie, SetCookieOptions, check,
    parse,
};

/// Takes the input for a header, and then for the description of a cookie.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    read(&text);
    _ = build(&mut Unstructured::new(input), &text);
}

/// The pairs of a header, split in another way.
fn pairs(header: &str) -> Vec<(&str, &str)> {
    let blank = |character| matches!(character, ' ' | '\t');
    let mut pairs = Vec::new();
    let mut rest = Some(header);
    while let Some(text) = rest {
        let end = text.find(';');
        rest = end.map(|end| &text[end + 1..]);
        let pair = text[..end.unwrap_or(text.len())].trim_start_matches(blank).trim_end_matches(blank);
        match pair.find('=') {
            _ if pair.is_empty() => {}
            Some(at) => pairs.push((&pair[..at], &pair[at + 1..])),
            None => pairs.push(("", pair)),
        }
    }
    pairs
}

fn read(text: &str) {
    let Ok(header) = parse(text) else { return assert!(text.len() > 65_536) };
    let expected = pairs(text);
    assert_eq!(header.pairs().collect::<Vec<_>>(), expected);
    for (name, _) in &expected {
        let values: Vec<&str> = expected.iter().filter(|(other, _)| other == name).map(|(_, value)| *value).collect();
        match header.one(name) {
            Ok(value) => assert_eq!(values, [value.expect("a name that stands")]),
            Err(_) => assert!(values.len() > 1),
        }
        assert_eq!(header.duplicates().contains(name), values.len() > 1);
    }
    let cookies = SessionCookies::new(&SessionCookieOptions::default(), "https://id.example", &["https://id.example"]);
    let cookies = cookies.unwrap();
    let access = expected.iter().filter(|(name, _)| *name == cookies.access_name());
    match cookies.read(text) {
        Ok(presented) => {
            assert!(access.clone().count() <= 1, "of two access cookies one was believed");
            assert_eq!(presented.access, access.map(|(_, value)| *value).find(|value| !value.is_empty()));
        }
        Err(_) => assert!(access.count() > 1),
    }
}

fn text(bytes: &mut Unstructured<'_>, usual: &[&str], rest: &str) -> Result<String> {
    Ok(match bytes.int_in_range(0..=5)? {
        0 => rest.chars().take(40).collect(),
        1 => format!("{}{}", bytes.choose(usual)?, char::from(bytes.arbitrary::<u8>()?)),
        2 => bytes.choose(usual)?.repeat(700),
        _ => (*bytes.choose(usual)?).to_owned(),
    })
}

fn maybe<T>(bytes: &mut Unstructured<'_>, make: impl FnOnce(&mut Unstructured<'_>) -> Result<T>) -> Result<Option<T>> {
    if bytes.arbitrary()? { make(bytes).map(Some) } else { Ok(None) }
}

fn options(bytes: &mut Unstructured<'_>, rest: &str) -> Result<SetCookieOptions> {
    let names = ["a", "id", "__Host-id", "__Secure-id", "__host-http-x", "__Http-", "!#$%&'*+-.^_`|~"];
    Ok(SetCookieOptions {
        name: text(bytes, &names, rest)?,
        value: text(bytes, &["", "v", "a=b", "eyJ.eyJ.x", "\"q\"", "a;b", "a\r\nSet-Cookie: b=c"], rest)?,
        http_only: bytes.ratio(3, 4)?,
        secure: bytes.ratio(3, 4)?,
        same_site: maybe(bytes, |bytes| bytes.choose(&[SameSite::None, SameSite::Lax, SameSite::Strict]).copied())?,
        path: maybe(bytes, |bytes| text(bytes, &["/", "/a", "/a/b", "a", "/; Domain=x"], rest))?,
        domain: maybe(bytes, |bytes| text(bytes, &["a.example", "a", ".a", "127.0.0.1", "a; Path=/"], rest))?,
        max_age: maybe(bytes, |bytes| Ok(*bytes.choose(&[0, 1, 900, MAX_AGE, MAX_AGE + 1, u32::MAX])?))?,
        expires: maybe(bytes, |bytes| {
            let seconds = *bytes.choose(&[0.0, 1.7e9, -1e10, -1.2e10, 253_402_300_799.0, -1e300, 0.5])?;
            Ok(UnixTime::from_seconds(seconds).unwrap())
        })?,
        partitioned: bytes.ratio(1, 4)?,
        priority: maybe(bytes, |bytes| bytes.choose(&[Priority::Low, Priority::Medium, Priority::High]).copied())?,
    })
}

/// What is built is one cookie with the attributes that were asked for, none other, and its value is read again as it was.
fn build(bytes: &mut Unstructured<'_>, rest: &str) -> Result<()> {
    let options = options(bytes, rest)?;
    let report = check(&options);
    let Ok(cookie) = SetCookie::build(&options) else {
        assert!(report.header.is_none() && !report.complaints.is_empty());
        return Ok(());
    };
    let header = cookie.to_header();
    assert_eq!(report.header.as_ref(), Some(&header));
    assert!(report.complaints.is_empty() && report.size <= MAX_SIZE);
    check_header(&options, &header, &options.value);
    let clearing =
        SetCookieOptions { max_age: Some(0), expires: Some(UnixTime::from_seconds(0.0).unwrap()), ..options.clone() };
    check_header(&clearing, &cookie.clearing().to_header(), "");

    // Among the cookies of others it is read back, unless another has its name.
    let sent = format!("{rest}; {}={}; other", options.name, options.value);
    if let Ok(header) = parse(&sent) {
        match header.one(&options.name) {
            Ok(value) => assert_eq!(value, Some(options.value.as_str())),
            Err(_) => assert!(pairs(rest).iter().any(|(name, _)| *name == options.name)),
        }
    }
    Ok(())
}

fn check_header(options: &SetCookieOptions, header: &str, value: &str) {
    assert!(header.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "a character that no header has");
    let mut parts = header.split("; ");
    assert_eq!(parts.next(), Some(format!("{}={value}", options.name).as_str()));
    let parts: Vec<&str> = parts.collect();
    assert!(parts.iter().all(|part| !part.contains(';')));
    let get = |name: &str| parts.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let flag = |name: &str| parts.contains(&name);
    assert_eq!(get("Max-Age"), options.max_age.map(|age| age.to_string()).as_deref());
    assert_eq!(get("Expires").is_some(), options.expires.is_some());
    assert_eq!(get("Domain"), options.domain.as_deref());
    assert_eq!(get("Path"), options.path.as_deref());
    assert_eq!(get("SameSite"), options.same_site.map(SameSite::name));
    assert_eq!(get("Priority"), options.priority.map(Priority::name));
    let flags = [("HttpOnly", options.http_only), ("Secure", options.secure), ("Partitioned", options.partitioned)];
    assert!(flags.iter().all(|(name, on)| flag(name) == *on));
    let asked = [
        options.max_age.is_some(),
        options.expires.is_some(),
        options.domain.is_some(),
        options.path.is_some(),
        options.same_site.is_some(),
        options.priority.is_some(),
    ];
    let on = |one: &&bool| **one;
    let count = asked.iter().filter(on).count() + flags.iter().filter(|(_, on)| *on).count();
    assert_eq!(parts.len(), count, "an attribute that nobody asked for");
}
