//! Reading tokens without trusting them: for developers, tools and tests.

use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::error::to_js;
use super::options::Fields;
use super::text;
use super::verifier::{VerifiedTexts, options};
use crate::error::{Error, Reason};
use crate::jwt::verify::Verifier;
use crate::jwt::{self, explain};

/// The texts of a token that nobody has verified.
#[wasm_bindgen]
pub fn decode_unverified(token: &JsValue) -> Result<VerifiedTexts, Error> {
    let (header, claims) = jwt::decode_unverified(&text::token(token)?)?;
    Ok(Array::of2(&claims.into(), &header.into()).unchecked_into())
}

#[derive(Serialize)]
struct Explanation {
    steps: Vec<ExplainedStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
}

#[derive(Serialize)]
struct ExplainedStep {
    step: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    message: String,
}

/// Every step of verification with its outcome. `call` holds the option `now`.
#[wasm_bindgen(js_name = explain)]
pub fn explain_token(token: &JsValue, verifier: &JsValue, call: &JsValue, clock: &JsValue) -> Result<JsValue, Error> {
    let token = text::token(token)?;
    let verifier = Verifier::new(options(verifier)?.config)?;
    let mut fields = Fields::read(call)?;
    let now = text::now(&mut fields, clock)?;
    let explanation = explain::explain(&verifier, &token, now);
    let steps = explanation.steps.into_iter().map(|report| ExplainedStep {
        step: report.step.name(),
        outcome: report.outcome.name(),
        code: report.error.as_ref().map(|error| error.code().as_str()),
        claim: report.error.as_ref().and_then(|error| error.claim().map(str::to_owned)),
        reason: report.error.as_ref().and_then(Error::reason).map(Reason::name),
        message: report.detail,
    });
    Ok(to_js(&Explanation { steps: steps.collect(), header: explanation.header_json, claims: explanation.claims_json }))
}
