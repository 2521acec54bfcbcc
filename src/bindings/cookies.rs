//! Cookies: serialize, clear, check, parse.

use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::error::to_js;
use super::options::{Fields, invalid};
use super::text;
use crate::cookie::{self, Priority, SameSite, SetCookie, SetCookieOptions};
use crate::error::{Error, ErrorCode};
use crate::time::UnixTime;

const SAME_SITE: [(&str, SameSite); 3] =
    [("Strict", SameSite::Strict), ("Lax", SameSite::Lax), ("None", SameSite::None)];
const PRIORITY: [(&str, Priority); 3] =
    [("Low", Priority::Low), ("Medium", Priority::Medium), ("High", Priority::High)];

fn options(value: &JsValue, clearing: bool) -> Result<SetCookieOptions, Error> {
    let mut fields = Fields::read(value)?;
    let name = fields.string("name")?.ok_or_else(|| invalid("name is required."))?;
    let text = fields.string("value")?;
    if text.is_none() && !clearing {
        return Err(invalid("value is required; it may be empty."));
    }
    // What is being cleared is not what is being sent: a value that grew too large must not prevent it.
    let mut options = SetCookieOptions::new(name, text.filter(|_| !clearing).unwrap_or_default());
    if let Some(flag) = fields.bool("httpOnly")? {
        options.http_only = flag;
    }
    if let Some(flag) = fields.bool("secure")? {
        options.secure = flag;
    }
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
    options.domain = fields.string("domain")?;
    options.max_age = fields.whole("maxAge")?;
    options.expires = fields
        .number("expires")?
        .map(|seconds| {
            UnixTime::from_seconds(seconds)
                .map_err(|_| invalid("expires must be a Date, or seconds before the year 10000."))
        })
        .transpose()?;
    options.partitioned = fields.bool("partitioned")?.unwrap_or(false);
    options.priority = fields.word("priority", &PRIORITY)?;
    fields.finish()?;
    Ok(options)
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

#[derive(Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    size: usize,
    complaints: Vec<Complaint>,
}

#[derive(Serialize)]
struct Complaint {
    code: &'static str,
    message: String,
    attribute: &'static str,
}

/// Everything that is wrong with a cookie.
#[wasm_bindgen]
pub fn check_cookie(value: &JsValue) -> Result<JsValue, Error> {
    let report = cookie::check(&options(value, false)?);
    let complaints = report.complaints.iter().map(|complaint| Complaint {
        code: complaint.error.code().as_str(),
        message: complaint.error.message().to_owned(),
        attribute: complaint.attribute,
    });
    Ok(to_js(&Report { header: report.header.clone(), size: report.size, complaints: complaints.collect() }))
}

#[derive(Serialize)]
struct Parsed<'h> {
    pairs: Vec<(&'h str, &'h str)>,
    duplicates: Vec<&'h str>,
}

/// The pairs of a `Cookie` header.
#[wasm_bindgen]
pub fn parse_cookie(header: &JsValue) -> Result<JsValue, Error> {
    let header = text::header(header, ErrorCode::CookieHeaderInvalid)?.unwrap_or_default();
    let cookies = cookie::parse(&header)?;
    Ok(to_js(&Parsed { pairs: cookies.pairs().collect(), duplicates: cookies.duplicates() }))
}
