//! Any answers of an endpoint of keys, at any times, for tokens of any `kid`.
//!
//! The input is bytes that choose what happens, a line feed, and the bodies of answers, with line feeds between them.

use arbitrary::{Result, Unstructured};
use waxseal::remote::{Answer, Failure, Lookup, Need, RemoteConfig, RemoteSet, Restored};
use waxseal::{ErrorCode, UnixTime};

const URL: &str = "https://id.example/jwks.json";
const CACHE_CONTROL: [&str; 7] = [
    "max-age=5",
    "max-age=99999999999999999999",
    "no-store",
    "max-age=-1, s-maxage=3",
    "public, max-age=\"60\"",
    "",
    "=;,",
];
const STATUS: [u16; 8] = [200, 200, 200, 304, 0, 301, 404, 503];

/// Plays the input.
pub fn run(input: &[u8]) {
    let mut parts = input.split(|byte| *byte == b'\n');
    let mut choices = Unstructured::new(parts.next().unwrap_or_default());
    let bodies: Vec<&[u8]> = parts.collect();
    _ = play(&mut choices, &bodies);
}

fn config(choices: &mut Unstructured<'_>) -> Result<RemoteConfig> {
    let secret = choices.arbitrary::<bool>()?.then(|| "0123456789abcdef0123456789abcdef".to_owned());
    let (max_bytes, max_keys) = (choices.int_in_range(1..=4000)?, choices.int_in_range(1..=3)?);
    Ok(RemoteConfig { max_bytes, max_keys, min_age: 2, max_age: 100, stale_if_error: 50, secret, ..Default::default() })
}

fn play(choices: &mut Unstructured<'_>, bodies: &[&[u8]]) -> Result<()> {
    let config = config(choices)?;
    let mut set = RemoteSet::new(URL, config.clone()).unwrap();
    let mut now = UnixTime::from_seconds(1e9).unwrap();
    // When keys were last confirmed, by an answer or a copy, and when a fetch for an unknown key began.
    let (mut confirmed, mut looked, mut under_way) = (None::<UnixTime>, None::<UnixTime>, false);
    for _ in 0..100 {
        if choices.is_empty() {
            break;
        }
        now = now.plus(*choices.choose(&[0, 0, 1, 1, 5, 29, 30, 31, 100, 151, 100_000])?);
        let kid = *choices.choose(&["", "known", "made up", "also made up"])?;
        let lookup = if kid.is_empty() { Lookup::Found } else { Lookup::Absent(kid) };
        let need = set.need(lookup, now);
        if let Some((_, keys)) = set.keys(now) {
            let count = u32::try_from(keys.keys().len()).unwrap();
            assert!((1..=config.max_keys).contains(&count));
            let confirmed = confirmed.expect("keys from nowhere");
            let limit = config.max_age + config.stale_if_error;
            assert!(now.as_seconds() - confirmed.as_seconds() < f64::from(limit), "keys past their time");
        } else {
            let codes = [ErrorCode::KeySetUnavailable, ErrorCode::KeySetEmpty, ErrorCode::KeyPrivate];
            assert!(codes.contains(&set.error().code()));
            assert!(matches!(need, Need::Load | Need::Nothing), "no keys, and {need:?}");
        }
        if need == Need::Nothing {
            continue;
        }
        if set.is_overdue(now) {
            set.abandon(now);
            (looked, under_way) = (None, false);
        }
        let unknown = matches!(lookup, Lookup::Absent(_)) && set.keys(now).is_some() && !set.is_stale(now);
        if unknown && need == Need::Load && !under_way {
            let recent = looked.is_some_and(|then| now.as_seconds() - then.as_seconds() < f64::from(config.cooldown));
            assert!(!recent, "made-up names cause fetch after fetch");
            looked = Some(now);
        }
        if !under_way {
            set.begin((!kid.is_empty()).then(|| kid.to_owned()), now);
        }
        under_way = choices.ratio(1, 8)?;
        if under_way {
            continue;
        }
        answer(&mut set, choices, bodies, &config, now, &mut confirmed)?;
        copies(&mut set, choices, bodies, now, &mut confirmed)?;
    }
    Ok(())
}

fn answer(
    set: &mut RemoteSet,
    choices: &mut Unstructured<'_>,
    bodies: &[&[u8]],
    config: &RemoteConfig,
    now: UnixTime,
    confirmed: &mut Option<UnixTime>,
) -> Result<()> {
    let body = choices.choose(bodies).copied().unwrap_or_default();
    let answer = Answer {
        status: *choices.choose(&STATUS)?,
        content_type: Some(*choices.choose(&["application/json", " text/html;x", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"])?),
        cache_control: Some(*choices.choose(&CACHE_CONTROL)?),
        age: Some(*choices.choose(&["0", "60", "-1", "99999999999999999999", "\u{661}"])?),
        etag: Some(*choices.choose(&["\"a\"", "W/\"b\"", "c\r\nd", ""])?),
        body,
    };
    let before = set.keys(now).map(|(version, _)| version);
    let revalidated = answer.status == 304 && set.etag().is_some();
    match set.answered(&answer, now) {
        Ok(changed) => {
            assert!(revalidated || answer.status == 200, "status {} gave keys", answer.status);
            assert!(revalidated || body.len() <= usize::try_from(config.max_bytes).unwrap());
            assert!(revalidated || serde_json::from_slice::<serde_json::Value>(body).is_ok());
            let (after, _) = set.keys(now).expect("keys that were just taken");
            if changed {
                assert_ne!(Some(after), before, "other keys under the same number");
            }
            *confirmed = Some(now);
        }
        Err(failure) => {
            assert_eq!(set.keys(now).map(|(version, _)| version), before, "a failure takes keys away");
            let code = match failure {
                Failure::Private => ErrorCode::KeyPrivate,
                Failure::Unusable => ErrorCode::KeySetEmpty,
                _ => ErrorCode::KeySetUnavailable,
            };
            assert_eq!(set.error().code(), code);
        }
    }
    Ok(())
}

/// A copy is taken by another process as it was written, and never when it was changed.
fn copies(
    set: &mut RemoteSet,
    choices: &mut Unstructured<'_>,
    bodies: &[&[u8]],
    now: UnixTime,
    confirmed: &mut Option<UnixTime>,
) -> Result<()> {
    if choices.ratio(1, 4)? {
        let body = choices.choose(bodies).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(body);
        if set.restore(&text, now) == Restored::Adopted {
            *confirmed = Some(now);
        }
    }
    let Some((text, _)) = set.stored(true).filter(|_| set.keys(now).is_some()) else { return Ok(()) };
    let mut other = RemoteSet::new(URL, set.config().clone()).unwrap();
    let names = |set: &RemoteSet| -> Option<Vec<String>> {
        Some(set.keys(now)?.1.keys().iter().map(|key| key.thumbprint().to_owned()).collect())
    };
    if other.restore(&text, now) == Restored::Adopted {
        assert_eq!(names(&other), names(set));
    }
    let at = choices.int_in_range(0..=text.len() - 1)?;
    let mut changed = text.clone().into_bytes();
    changed[at] ^= choices.int_in_range(1..=127)?;
    if let Ok(changed) = String::from_utf8(changed) {
        let mut other = RemoteSet::new(URL, set.config().clone()).unwrap();
        assert_eq!(other.restore(&changed, now), Restored::Refused, "a changed copy was taken");
    }
    Ok(())
}
