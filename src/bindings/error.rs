//! Errors on their way out: a plain object, which the facade turns into a `WaxsealError`.

use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::error::{Error, Reason};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thrown<'a> {
    code: &'static str,
    message: &'a str,
    step: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    www_authenticate: Option<String>,
}

impl<'a> From<&'a Error> for Thrown<'a> {
    fn from(error: &'a Error) -> Self {
        Self {
            code: error.code().as_str(),
            message: error.message(),
            step: error.code().step().name(),
            status: error.code().status(),
            claim: error.claim(),
            reason: error.reason().map(Reason::name),
            www_authenticate: error.www_authenticate(),
        }
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        to_js(&Thrown::from(&error))
    }
}

/// Turns a result of fixed shape into plain JavaScript objects; such a result holds strings, numbers, booleans and lists
/// alone, so the conversion cannot fail.
pub(super) fn to_js(value: &impl Serialize) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}
