//! Cookies: serialize, clear, check, parse.

use js_sys::Array;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::object::{object, texts};
use super::options::{Fields, invalid};
use super::text;
use crate::cookie::{self, Priority, SameSite, SessionCookieOptions, SetCookie, SetCookieOptions};
use crate::error::{Error, ErrorCode};
use crate::time::UnixTime;

const SAME_SITE: [(&str, SameSite); 3] =
    [("Strict", SameSite::Strict), ("Lax", SameSite::Lax), ("None", SameSite::None)];
const PRIORITY: [(&str, Priority); 3] =
    [("Low", Priority::Low), ("Medium", Priority::Medium), ("High", Priority::High)];

fn options(value: &JsValue, clearing: bool) -> Result<SetCookieOptions, Error> {
    let mut fields = Fields::read(value)?;
    let (mut name, mut text) = (None::<String>, None::<String>);
    fields.string("name", &mut name)?;
    let name = name.ok_or_else(|| invalid("name is required."))?;
    fields.string("value", &mut text)?;
    if text.is_none() && !clearing {
        return Err(invalid("value is required; it may be empty."));
    }
    // What is being cleared is not what is being sent: a value that grew too large must not prevent it.
    let mut options = SetCookieOptions::new(name, text.filter(|_| !clearing).unwrap_or_default());
    fields.bool("httpOnly", &mut options.http_only)?;
    fields.bool("secure", &mut options.secure)?;
    match fields.value("sameSite") {
        None => {}
        Some(Value::Null) => options.same_site = None,
        Some(word) => options.same_site = Some(Fields::one_of("sameSite", &word, &SAME_SITE)?),
    }
    match fields.value("path") {
        None => {}
        Some(Value::Null) => options.path = None,
        Some(Value::String(path)) => options.path = Some(path),
        Some(_) => return Err(invalid("path must be a string, or null to leave it out.")),
    }
    fields.string("domain", &mut options.domain)?;
    fields.whole("maxAge", &mut options.max_age)?;
    let mut expires = None::<f64>;
    fields.number("expires", &mut expires)?;
    options.expires = expires
        .map(UnixTime::from_seconds)
        .transpose()
        .map_err(|_| invalid("expires must be a Date, or seconds before the year 10000."))?;
    fields.bool("partitioned", &mut options.partitioned)?;
    fields.word("priority", &PRIORITY, &mut options.priority)?;
    fields.finish()?;
    Ok(options)
}

/// Reads how the cookies of sessions are set.
pub(super) fn session_cookies(mut fields: Fields, options: &mut SessionCookieOptions) -> Result<(), Error> {
    fields.word("sameSite", &SAME_SITE, &mut options.same_site)?;
    fields.bool("insecureDevelopmentMode", &mut options.insecure_development_mode)?;
    if let Some(mut names) = fields.nested("names")? {
        names.string("access", &mut options.access_name)?;
        names.string("refresh", &mut options.refresh_name)?;
        names.finish()?;
    }
    fields.finish()
}

/// The value of a `Set-Cookie` header.
#[wasm_bindgen]
pub fn serialize_set_cookie(value: &JsValue) -> Result<String, Error> {
    Ok(SetCookie::build(&options(value, false)?)?.to_header())
}

/// The value of a `Set-Cookie` header that clears the cookie.
#[wasm_bindgen]
pub fn serialize_clear_cookie(value: &JsValue) -> Result<String, Error> {
    Ok(SetCookie::build(&options(value, true)?)?.clearing().to_header())
}

/// Everything that is wrong with a cookie.
#[wasm_bindgen]
pub fn check_cookie(value: &JsValue) -> Result<JsValue, Error> {
    let report = cookie::check(&options(value, false)?);
    let complaints = Array::new();
    for complaint in &report.complaints {
        complaints.push(&object(&[
            ("code", Some(complaint.error.code().as_str().into())),
            ("message", Some(complaint.error.message().into())),
            ("attribute", Some(complaint.attribute.into())),
        ]));
    }
    Ok(object(&[
        ("header", report.header.map(JsValue::from)),
        ("size", Some(report.size.into())),
        ("complaints", Some(complaints.into())),
    ]))
}

/// The pairs of a `Cookie` header.
#[wasm_bindgen]
pub fn parse_cookie(header: &JsValue) -> Result<JsValue, Error> {
    let header = text::header(header, ErrorCode::CookieHeaderInvalid)?.unwrap_or_default();
    let cookies = cookie::parse(&header)?;
    let pairs = Array::new();
    for (name, value) in cookies.pairs() {
        pairs.push(&texts([name, value]));
    }
    Ok(object(&[("pairs", Some(pairs.into())), ("duplicates", Some(texts(cookies.duplicates()).into()))]))
}
