//! Claims and policies: what is accepted is what the words of RFC 7519 accept, and a narrower policy accepts no more.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};
use waxseal::jwt::{ClaimsSet, Policy};
use waxseal::{ErrorCode, UnixTime};

const NAMES: [&str; 4] = ["https://a.example", "https://b.example", "", "\u{e9}"];

/// Makes a claims set, a policy and a time of the input.
pub fn run(input: &[u8]) {
    _ = judge(&mut Unstructured::new(input));
}

fn judge(bytes: &mut Unstructured<'_>) -> Result<()> {
    let claims = claims(bytes)?;
    let text = Value::Object(claims.clone()).to_string();
    let policy = policy(bytes)?;
    let now = UnixTime::from_seconds(1000.0 + time(bytes)?).unwrap();
    let narrow = narrower(&policy, bytes)?;
    let Ok(set) = ClaimsSet::parse(text.into_bytes()) else {
        assert!(!well_formed(&claims), "refused without a reason: {claims:?}");
        return Ok(());
    };
    assert!(well_formed(&claims), "accepted: {claims:?}");

    let verdict = policy.check(&set, now);
    assert_eq!(verdict.is_ok(), is_accepted(&claims, &policy, now.as_seconds()), "{claims:?} {policy:?} {now:?}");
    assert_eq!(policy.faults(&set, now).next(), verdict.clone().err(), "the first fault is the verdict");
    if narrow.check(&set, now).is_ok() {
        assert!(verdict.is_ok(), "{narrow:?} accepts what {policy:?} does not: {claims:?}");
    }
    // Time heals no token that has expired.
    if verdict.is_err_and(|error| error.code() == ErrorCode::TokenExpired) {
        let later = policy.check(&set, now.plus(bytes.int_in_range(0..=4000)?)).unwrap_err();
        assert_eq!(later.code(), ErrorCode::TokenExpired);
    }
    Ok(())
}

/// Around the second 1000, at and between whole seconds, and now and then far off.
fn time(bytes: &mut Unstructured<'_>) -> Result<f64> {
    Ok(match bytes.int_in_range(0..=15)? {
        0 => -1e9,
        1 => 1e9,
        2 => -0.5,
        _ => f64::from(bytes.int_in_range(-700..=700)?) * if bytes.arbitrary()? { 1.0 } else { 0.25 },
    })
}

fn name(bytes: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=11)? {
        0 => Value::Null,
        1 => json!(7),
        2 => json!({"a": 1}),
        _ => json!(bytes.choose(&NAMES)?),
    })
}

fn claims(bytes: &mut Unstructured<'_>) -> Result<Map<String, Value>> {
    let mut claims = Map::new();
    for claim in ["exp", "nbf", "iat"] {
        match bytes.int_in_range(0..=15)? {
            0..=3 if claim != "exp" => {}
            4 => _ = claims.insert(claim.into(), json!("1000")),
            5 => _ = claims.insert(claim.into(), json!(1e15)),
            _ => _ = claims.insert(claim.into(), json!(1000.0 + time(bytes)?)),
        }
    }
    for claim in ["iss", "sub", "role"] {
        if bytes.ratio(3, 4)? {
            claims.insert(claim.into(), name(bytes)?);
        }
    }
    match bytes.int_in_range(0..=5)? {
        0 => {}
        1 => _ = claims.insert("aud".into(), name(bytes)?),
        count => _ = claims.insert("aud".into(), (2..count).map(|_| name(bytes)).collect::<Result<Vec<_>>>()?.into()),
    }
    Ok(claims)
}

fn names(bytes: &mut Unstructured<'_>) -> Result<Option<Vec<String>>> {
    Ok(match bytes.int_in_range(0..=3)? {
        0 => None,
        count => Some((0..count).map(|_| Ok((*bytes.choose(&NAMES)?).to_owned())).collect::<Result<_>>()?),
    })
}

fn policy(bytes: &mut Unstructured<'_>) -> Result<Policy> {
    let seconds = |bytes: &mut Unstructured<'_>| -> Result<Option<u32>> {
        Ok(if bytes.arbitrary()? { Some(bytes.int_in_range(1..=900)?) } else { None })
    };
    let mut exact = Map::new();
    if bytes.ratio(1, 4)? {
        exact.insert("role".to_owned(), name(bytes)?);
    }
    Ok(Policy {
        issuer: names(bytes)?,
        audience: names(bytes)?,
        subject: if bytes.ratio(1, 4)? { Some((*bytes.choose(&NAMES)?).to_owned()) } else { None },
        clock_tolerance: *bytes.choose(&[0, 0, 1, 60, 300])?,
        max_token_age: seconds(bytes)?,
        token_lifetime: seconds(bytes)?,
        required_claims: if bytes.ratio(1, 4)? { vec!["role".to_owned()] } else { Vec::new() },
        claims: Arc::new(exact),
    })
}

/// A policy that asks for as much in every respect, and for more in some.
fn narrower(policy: &Policy, bytes: &mut Unstructured<'_>) -> Result<Policy> {
    let mut narrow = policy.clone();
    for list in [&mut narrow.issuer, &mut narrow.audience] {
        match list {
            None if bytes.arbitrary()? => *list = names(bytes)?,
            Some(names) if names.len() > 1 && bytes.arbitrary()? => _ = names.pop(),
            _ => {}
        }
    }
    if bytes.arbitrary()? {
        narrow.clock_tolerance /= 2;
    }
    for limit in [&mut narrow.max_token_age, &mut narrow.token_lifetime] {
        if bytes.arbitrary()? {
            *limit = Some(limit.unwrap_or(400).div_ceil(2));
        }
    }
    if bytes.ratio(1, 4)? {
        narrow.required_claims.push("sub".to_owned());
    }
    if narrow.subject.is_none() && bytes.ratio(1, 4)? {
        narrow.subject = Some(NAMES[0].to_owned());
    }
    Ok(narrow)
}

/// RFC 7519 section 4.1, and no time after the year 9999.
fn well_formed(claims: &Map<String, Value>) -> bool {
    let time = |name| claims.get(name).is_none_or(|time| time.as_f64().is_some_and(|time| time <= 253_402_300_799.0));
    let text = |name| claims.get(name).is_none_or(Value::is_string);
    let audience = match claims.get("aud") {
        Some(Value::Array(names)) => names.iter().all(Value::is_string),
        one => one.is_none_or(Value::is_string),
    };
    ["exp", "nbf", "iat"].into_iter().all(time) && ["iss", "sub", "jti"].into_iter().all(text) && audience
}

/// The rules again, from their descriptions and on the tree.
fn is_accepted(claims: &Map<String, Value>, policy: &Policy, now: f64) -> bool {
    let time = |name| claims.get(name).and_then(Value::as_f64);
    let is_in = |names: &[String], value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|value| names.iter().any(|name| name == value))
    };
    let tolerance = f64::from(policy.clock_tolerance);
    let audience: Vec<&Value> = match claims.get("aud") {
        Some(Value::Array(names)) => names.iter().collect(),
        one => one.into_iter().collect(),
    };
    let (Some(exp), nbf, iat) = (time("exp"), time("nbf"), time("iat")) else { return false };
    now < exp + tolerance
        && nbf.is_none_or(|nbf| now >= nbf - tolerance)
        && iat.is_none_or(|iat| iat <= now + tolerance)
        && policy.max_token_age.is_none_or(|limit| iat.is_some_and(|iat| now - tolerance <= iat + f64::from(limit)))
        && policy.token_lifetime.is_none_or(|limit| exp <= iat.unwrap_or(now + tolerance) + f64::from(limit))
        && policy.issuer.as_ref().is_none_or(|names| is_in(names, claims.get("iss")))
        && policy.audience.as_ref().is_none_or(|names| audience.iter().any(|one| is_in(names, Some(one))))
        && policy.subject.as_ref().is_none_or(|subject| is_in(core::slice::from_ref(subject), claims.get("sub")))
        && policy.required_claims.iter().all(|name| claims.contains_key(name))
        && policy.claims.iter().all(|(name, value)| claims.get(name) == Some(value))
}
