//! Reading tokens without trusting them, and looking into the module: for developers, tools and tests.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::object::object;
use super::options::Fields;
use super::text;
use super::verifier::TokenTexts;
use crate::error::Error;
use crate::jwt::{self, Explanation};
use crate::prepared::{self, Usage};

/// The texts of a token that nobody has verified.
#[wasm_bindgen]
pub fn decode_unverified(token: &JsValue) -> Result<TokenTexts, Error> {
    let (header, claims) = jwt::decode_unverified(&text::token(token)?)?;
    Ok(Array::of2(&claims.into(), &header.into()).unchecked_into())
}

/// Bounds the memory for the tables of keys, if `options` has a `limit`, and says how much of it is used.
#[wasm_bindgen]
pub fn table_memory(options: &JsValue) -> Result<Vec<usize>, Error> {
    let mut fields = Fields::read(options)?;
    let mut limit = None::<u32>;
    fields.whole("limit", &mut limit)?;
    fields.finish()?;
    if let Some(limit) = limit {
        prepared::set_limit(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let Usage { limit, used, keys } = prepared::usage();
    Ok(vec![limit, used, keys])
}

/// Every step of an explanation, and the texts of the token.
pub(super) fn explanation(explanation: &Explanation) -> JsValue {
    let steps = Array::new();
    for report in &explanation.steps {
        let error = report.error.as_ref();
        steps.push(&object(&[
            ("step", Some(report.step.name().into())),
            ("outcome", Some(report.outcome.name().into())),
            ("code", error.map(|error| error.code().as_str().into())),
            ("claim", error.and_then(Error::claim).map(JsValue::from)),
            ("reason", error.and_then(Error::reason).map(|reason| reason.name().into())),
            ("message", Some(report.detail.as_str().into())),
        ]));
    }
    object(&[
        ("steps", Some(steps.into())),
        ("header", explanation.header_json.as_deref().map(JsValue::from)),
        ("claims", explanation.claims_json.as_deref().map(JsValue::from)),
    ])
}
