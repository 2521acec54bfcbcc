//! Text and times that come with each call: lengths are asked for before anything is copied into the module.

use js_sys::{Array, JsString};
use serde_json::Value;
use wasm_bindgen::{JsCast as _, JsValue};

use super::options::{Fields, invalid};
use super::value::read;
use crate::error::{Error, ErrorCode};
use crate::jws::compact::HARD_MAX_LENGTH;
use crate::request::RequestHead;
use crate::request::cross_site::Provenance;
use crate::time::{TimeFault, UnixTime};

/// The longest header value that is looked at, in UTF-16 code units.
const MAX_HEADER: u32 = 65_536;

/// The longest identifier, in UTF-16 code units: no token can hold a longer one.
const MAX_IDENTIFIER: u32 = 65_536;

/// Copies a token, unless it is longer than any token may be.
pub(super) fn token(value: &JsValue) -> Result<String, Error> {
    token_length(value).map(|_| String::from(value.unchecked_ref::<JsString>()))
}

/// The length of a token in UTF-16 code units, unless it is longer than any token may be.
pub(super) fn token_length(value: &JsValue) -> Result<usize, Error> {
    let Some(text) = value.dyn_ref::<JsString>() else {
        return Err(Error::new(ErrorCode::TokenMalformed, "The token must be a string."));
    };
    if let Some(length) = usize::try_from(text.length()).ok().filter(|length| *length <= HARD_MAX_LENGTH) {
        return Ok(length);
    }
    let message = format!("The token has {} characters; no more than {HARD_MAX_LENGTH} are ever read.", text.length());
    Err(Error::new(ErrorCode::TokenTooLarge, message))
}

/// The method and headers of a request, copied.
pub(super) struct Head([Option<String>; 6]);

impl Head {
    /// Copies what the facade took from a request: text or `undefined`, in the order of its `RequestParts`.
    pub(super) fn read(parts: &Array) -> Result<Self, Error> {
        const CODES: [ErrorCode; 6] = [
            ErrorCode::CrossSite,
            ErrorCode::AuthorizationMalformed,
            ErrorCode::CookieHeaderInvalid,
            ErrorCode::CrossSite,
            ErrorCode::CrossSite,
            ErrorCode::CrossSite,
        ];
        let mut head = [const { None }; 6];
        for ((place, code), index) in head.iter_mut().zip(CODES).zip(0..) {
            *place = header(&parts.get(index), code)?;
        }
        Ok(Self(head))
    }

    pub(super) fn as_head(&self) -> RequestHead<'_> {
        let [method, authorization, cookie, sec_fetch_site, origin, upgrade] = self.0.each_ref().map(Option::as_deref);
        RequestHead { authorization, cookie, provenance: Provenance { method, sec_fetch_site, origin, upgrade } }
    }
}

pub(super) fn header(value: &JsValue, code: ErrorCode) -> Result<Option<String>, Error> {
    if value.is_undefined() {
        return Ok(None);
    }
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() <= MAX_HEADER => Ok(Some(String::from(text))),
        Some(_) => Err(Error::new(code, format!("A header is longer than {MAX_HEADER} characters."))),
        None => Err(Error::new(code, "A header must be text.")),
    }
}

/// Copies an identifier, which stands in tokens and keys; two different ones must not become one by being cleaned.
pub(super) fn identifier(name: &str, value: &JsValue) -> Result<String, Error> {
    let text = value.dyn_ref::<JsString>().filter(|text| (1..=MAX_IDENTIFIER).contains(&text.length()));
    match text.map(|_| read(value, name, 1, ErrorCode::OptionInvalid)).transpose()?.flatten() {
        Some(Value::String(text)) => Ok(text),
        _ => Err(invalid(format!(
            "{name} must be a string of 1 to {MAX_IDENTIFIER} characters, as in the claims of a token."
        ))),
    }
}

/// The time of a call: its `now` option where given, otherwise what the clock said.
pub(super) fn now(options: &mut Fields, clock: &JsValue) -> Result<UnixTime, Error> {
    let mut now = None::<f64>;
    options.number("now", &mut now)?;
    match now {
        Some(seconds) => instant(seconds).map_err(|why| invalid(format!("now {why}."))),
        None => self::clock(clock),
    }
}

/// What the clock said, in seconds.
pub(super) fn clock(clock: &JsValue) -> Result<UnixTime, Error> {
    let seconds = clock.as_f64().ok_or("must be a number of seconds or a Date");
    seconds.and_then(instant).map_err(clock_invalid)
}

/// A time of the clock's as it was read, or as [`CoreVerifier::time`](super::verifier::CoreVerifier::time) gave it.
pub(super) fn clock_seconds(seconds: f64) -> Result<UnixTime, Error> {
    instant(seconds).map_err(clock_invalid)
}

fn clock_invalid(why: &str) -> Error {
    Error::new(ErrorCode::ClockInvalid, format!("What the clock returns {why}."))
}

fn instant(seconds: f64) -> Result<UnixTime, &'static str> {
    match UnixTime::from_seconds(seconds) {
        Ok(time) if seconds >= 0.0 => Ok(time),
        Ok(_) => Err("must not be before 1970"),
        Err(TimeFault::NotFinite) => Err("must be a finite number of seconds"),
        Err(TimeFault::LooksLikeMilliseconds) => Err("looks like milliseconds; seconds are meant"),
    }
}
