//! The cookie tests of web-platform-tests, which say what browsers keep and send. They are read from the server's
//! side: what a browser refuses must not be buildable, what it keeps is built as it is or refused for a reason that
//! stands in `vectors/wpt_divergences.json`, and what it sends must be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod support;

use serde_json::Value;
use waxseal::UnixTime;
use waxseal::cookie::{self, SameSite, SetCookie, SetCookieOptions};

/// Files whose cases with nothing to send are not about refusal: the browser keeps the cookie, which is then out of
/// scope or has expired.
const ABOUT_RETRIEVAL: [&str; 5] = [
    "attributes/path.html",
    "attributes/path-redirect.html",
    "attributes/max-age.html",
    "attributes/expires.html",
    "size/attributes.www.sub.html",
];

/// A `Set-Cookie` text as the description that it comes from, nothing trimmed; `None` when no description can say it:
/// an unknown or repeated attribute, a flag with a value, a number or date that is none.
fn describe(set_cookie: &str, first_attribute_wins: bool) -> Option<SetCookieOptions> {
    let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let mut options = SetCookieOptions {
        http_only: false,
        secure: false,
        same_site: None,
        path: None,
        ..SetCookieOptions::new(name, value)
    };
    let mut seen: Vec<String> = Vec::new();
    for attribute in attributes.split(';').map(|text| text.trim_start_matches(' ')).filter(|text| !text.is_empty()) {
        let (key, value) = attribute.split_once('=').map_or((attribute, None), |(key, value)| (key, Some(value)));
        let key = key.trim_matches([' ', '\t']).to_ascii_lowercase();
        if seen.contains(&key) {
            if !first_attribute_wins {
                return None;
            }
            continue;
        }
        match (key.as_str(), value) {
            ("httponly", None) => options.http_only = true,
            ("secure", None) => options.secure = true,
            ("path", value) => options.path = Some(value.unwrap_or_default().to_owned()),
            ("domain", Some(value)) => options.domain = Some(value.to_owned()),
            ("samesite", Some(value)) => options.same_site = Some(SameSite::from_name(value)?),
            // The prefix tests write MaxAge, which browsers do not know either.
            ("max-age" | "maxage", Some(value)) => options.max_age = Some(value.parse().ok()?),
            // The instant does not matter here, only that it is one.
            ("expires", Some(value)) if value.ends_with(" GMT") && value.is_ascii() && value.len() == 29 => {
                if value.contains(|character: char| character.is_ascii_control()) {
                    return None;
                }
                options.expires = UnixTime::from_seconds(2_145_916_800.0).ok();
            }
            _ => return None,
        }
        seen.push(key);
    }
    Some(options)
}

struct Case {
    file: String,
    id: Value,
    set_cookies: Vec<String>,
    /// The `Cookie` header that the browser sends afterwards.
    sent: Option<String>,
    /// Whether the browser keeps the cookies, with all of their attributes.
    kept: bool,
}

impl Case {
    fn describe(&self, set_cookie: &str) -> Option<SetCookieOptions> {
        // Where each attribute with a control character is followed by a good one, the question is about the first.
        describe(set_cookie, self.file == "attributes/attributes-ctl.sub.html")
    }
}

fn read(case: &Value) -> Case {
    let text = |key: &str| case[key].as_str().map(|text| text.replace("{{host}}", "web-platform.test"));
    let file = text("file").unwrap();
    let id = |name: String| Value::from(format!("{file}: {name}"));
    if let Some(prefix) = text("prefix") {
        let id = id(text("title").unwrap());
        let set_cookies = vec![format!("{prefix}name=value; {}", text("params").unwrap())];
        return Case { file, id, set_cookies, sent: None, kept: case["shouldExistViaHTTP"].as_bool().unwrap() };
    }
    let set_cookies = match &case["cookie"] {
        Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        _ => vec![text("cookie").unwrap()],
    };
    let id = id(text("name").unwrap());
    let sent = text("expected").unwrap();
    let kept = !sent.is_empty() || ABOUT_RETRIEVAL.contains(&file.as_str());
    Case { file, id, set_cookies, sent: Some(sent), kept }
}

/// Whether all cookies of a case can be built; one that is built must be what the browser sends, if it sends it.
fn is_built(case: &Case) -> bool {
    case.set_cookies.iter().all(|set_cookie| {
        let Some(cookie) = case.describe(set_cookie).and_then(|options| SetCookie::build(&options).ok()) else {
            return false;
        };
        let header = cookie.to_header();
        let pair = header.split(';').next().unwrap();
        if let (Some(sent), [_]) = (&case.sent, case.set_cookies.as_slice()) {
            assert!(sent.is_empty() || sent == pair, "{}", case.id);
        }
        true
    })
}

#[test]
fn what_browsers_refuse_is_not_built_and_what_they_keep_is() {
    let Some(vectors) = support::shared("wpt_cookies.json") else { return };
    let mut ledger = support::Ledger::with("wpt_cookies.json", "wpt_divergences.json");
    let mut beyond_words = 0;
    for case in support::list(&vectors, "tests").iter().map(read) {
        ledger.case(&case.id, case.kept, is_built(&case));
        beyond_words += usize::from(case.set_cookies.iter().any(|text| case.describe(text).is_none()));
    }
    println!("wpt_cookies.json: {beyond_words} of the refused cannot even be described");
    ledger.finish();
}

#[test]
fn what_browsers_send_is_read_pair_by_pair() {
    let Some(vectors) = support::shared("wpt_cookies.json") else { return };
    let mut ledger = support::Ledger::new("Cookie headers of wpt_cookies.json");
    for (i, case) in support::list(&vectors, "tests").iter().map(read).enumerate() {
        let Some(sent) = case.sent.filter(|sent| !sent.is_empty()) else { continue };
        let expected: Vec<(&str, &str)> =
            sent.split("; ").map(|pair| pair.split_once('=').unwrap_or(("", pair))).collect();
        let cookies = cookie::parse(&sent).unwrap();
        let read: Vec<(&str, &str)> = cookies.pairs().collect();
        ledger.case(&Value::from(i), true, read == expected);
    }
    ledger.finish();
}
