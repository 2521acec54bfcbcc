//! How long an answer is fresh, by its `Cache-Control` and `Age` (RFC 9111 sections 4.2 and 5.2.2), within the caller's
//! bounds. Unlike a cache between others we are the user of the answer: `s-maxage` and `private` do not concern us, and that
//! keys are used past their life while the endpoint fails is the caller's decision, `stale_if_error`, not the answer's.

use super::RemoteConfig;

/// What an answer says about keeping it.
pub(super) struct Freshness {
    /// How long it is fresh, in seconds.
    pub(super) lifetime: u32,
    /// Whether it may be written to a store (RFC 9111 section 5.2.2.5).
    pub(super) storable: bool,
}

pub(super) fn freshness(cache_control: Option<&str>, age: Option<&str>, config: &RemoteConfig) -> Freshness {
    let (mut lifetime, mut storable) = (None::<u32>, true);
    for directive in cache_control.unwrap_or_default().split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim_ascii();
        let stated = if name.eq_ignore_ascii_case("max-age") {
            // RFC 9111 section 5.2: both forms of an argument are to be accepted. Section 4.2.1: what is no number is stale.
            let value = value.trim_ascii();
            let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            seconds(quoted.unwrap_or(value)).unwrap_or(0)
        } else if name.eq_ignore_ascii_case("no-cache") {
            0
        } else if name.eq_ignore_ascii_case("no-store") {
            storable = false;
            0
        } else {
            continue;
        };
        lifetime = Some(lifetime.map_or(stated, |other| other.min(stated)));
    }
    // RFC 9111 section 4.2.3: what a cache on the way has kept is as old as it says.
    let age = age.and_then(|age| seconds(age.trim_ascii())).unwrap_or(0);
    let lifetime = lifetime.unwrap_or(config.max_age).saturating_sub(age).clamp(config.min_age, config.max_age);
    Freshness { lifetime, storable }
}

/// Digits; more of them than fit are very long (RFC 9111 section 1.2.2).
fn seconds(digits: &str) -> Option<u32> {
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_as_it_says_within_the_bounds() {
        let config = RemoteConfig { min_age: 60, max_age: 600, ..RemoteConfig::default() };
        for (cache_control, age, lifetime, storable) in [
            (None, None, 600, true),
            (Some("public, max-age=300, must-revalidate, no-transform"), None, 300, true),
            (Some("Max-Age=\"300\""), None, 300, true),
            (Some("max-age=300"), Some("100"), 200, true),
            (Some("max-age=300"), Some("soon"), 300, true),
            (Some("max-age=300"), Some("290"), 60, true),
            (Some("max-age=19845"), None, 600, true),
            (Some("max-age=19845"), Some("19500"), 345, true),
            (Some("max-age=99999999999999999999"), None, 600, true),
            (Some("max-age=0"), None, 60, true),
            (Some("max-age=-1"), None, 60, true),
            (Some("max-age"), None, 60, true),
            (Some("max-age=400, max-age=200"), None, 200, true),
            (Some("no-cache, max-age=500"), None, 60, true),
            (Some("private, no-store"), None, 60, false),
            (Some("s-maxage=100"), None, 600, true),
            (Some(",, =,\u{fffd}"), None, 600, true),
        ] {
            let found = freshness(cache_control, age, &config);
            assert_eq!((found.lifetime, found.storable), (lifetime, storable), "{cache_control:?} {age:?}");
        }
    }
}
