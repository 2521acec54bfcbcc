//! The options of a verifier, as JavaScript spells them.

use core::time::Duration;

use serde_json::Value;
use wasm_bindgen::JsValue;

use super::keys::ALGORITHMS;
use super::options::{Fields, invalid};
use crate::cookie::CookieName;
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jwk::KeySet;
use crate::jwt::verify::{TrustedIssuer, VerifierConfig};
use crate::request::cross_site::Origins;
use crate::revocation::{FailurePolicy, RevocationConfig};
use crate::secret::forget;

/// What they make: a verifier, and how to find tokens in requests.
pub(super) struct VerifierOptions {
    pub(super) config: VerifierConfig,
    pub(super) cache: Option<usize>,
    pub(super) cookie: Option<String>,
    pub(super) origins: Origins,
}

/// Reads the options of a verifier. `remote` are the places of the issuers whose keys are fetched.
pub(super) fn options(value: &JsValue, remote: &[u32]) -> Result<VerifierOptions, Error> {
    let mut fields = Fields::read(value)?;
    let mut config = VerifierConfig::new(issuers(&mut fields, remote)?);
    if let Some(names) = fields.value("algorithms") {
        config.algorithms = algorithms(&names)?;
    }
    fields.string("typ", &mut config.typ)?;
    fields.string("subject", &mut config.subject)?;
    fields.strings("crit", false, &mut config.crit)?;
    let mut length = None::<u32>;
    fields.whole("maxTokenLength", &mut length)?;
    if let Some(length) = length {
        config.max_token_length = usize::try_from(length).unwrap_or(usize::MAX);
    }
    fields.whole("clockTolerance", &mut config.clock_tolerance)?;
    fields.whole("maxTokenAge", &mut config.max_token_age)?;
    fields.strings("requiredClaims", false, &mut config.required_claims)?;
    if let Some(claims) = fields.value("claims") {
        let Value::Object(claims) = claims else { return Err(invalid("claims must be an object.")) };
        config.claims = claims;
    }
    if let Some(revocation) = fields.nested("revocation")? {
        config.revocation = Some(self::revocation(revocation)?);
    }
    let cache = match fields.nested("cache")? {
        Some(mut cache) => {
            let mut max = None::<u32>;
            cache.whole("max", &mut max)?;
            let max = max.ok_or_else(|| invalid("cache.max is required: how many signatures to remember."))?;
            cache.finish()?;
            Some(usize::try_from(max).unwrap_or(usize::MAX))
        }
        None => None,
    };
    let (mut cookie, mut origins) = (None::<String>, Vec::new());
    fields.string("cookie", &mut cookie)?;
    if cookie.as_deref().is_some_and(|name| CookieName::new(name).is_err()) {
        return Err(invalid("cookie must be the name of a cookie."));
    }
    fields.strings("origins", false, &mut origins)?;
    let origins = Origins::parse(&origins)?;
    fields.finish()?;
    Ok(VerifierOptions { config, cache, cookie, origins })
}

fn issuers(fields: &mut Fields, remote: &[u32]) -> Result<Vec<TrustedIssuer>, Error> {
    let Some(list) = fields.list("issuers")? else {
        return Ok(vec![trusted_issuer(fields, remote.contains(&0))?]);
    };
    for name in ["issuer", "audience", "keys"] {
        if fields.value(name).is_some() {
            return Err(invalid(format!("{name} stands beside issuers; put it into one of its entries.")));
        }
    }
    let mut issuers = Vec::with_capacity(list.len());
    for (mut entry, place) in list.into_iter().zip(0..) {
        issuers.push(trusted_issuer(&mut entry, remote.contains(&place))?);
        entry.finish()?;
    }
    Ok(issuers)
}

fn trusted_issuer(fields: &mut Fields, remote: bool) -> Result<TrustedIssuer, Error> {
    let issuer = fields.check("issuer")?;
    let audience = fields.check("audience")?;
    if remote {
        return Ok(TrustedIssuer { issuer, audience, keys: KeySet::pending() });
    }
    let mut value = fields.required("keys", "give a public JWK, a JWK Set, PEM text, or an array of these")?;
    let keys = KeySet::from_value(&value);
    // A private key may have been given by mistake.
    forget(&mut value);
    Ok(TrustedIssuer { issuer, audience, keys: keys? })
}

fn algorithms(value: &Value) -> Result<Vec<Algorithm>, Error> {
    let Value::Array(names) = value else { return Err(invalid("algorithms must be an array.")) };
    names.iter().map(|name| Fields::one_of("each of algorithms", name, &ALGORITHMS)).collect()
}

pub(super) fn revocation(mut fields: Fields) -> Result<RevocationConfig, Error> {
    let mut config = RevocationConfig::default();
    let policies = [("reject", FailurePolicy::Reject), ("accept", FailurePolicy::Accept)];
    fields.word("onFailure", &policies, &mut config.on_failure)?;
    let mut timeout = None::<f64>;
    fields.number("timeout", &mut timeout)?;
    if let Some(seconds) = timeout {
        // What is no duration at all becomes one that the core refuses by name.
        config.timeout = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
    }
    fields.whole("tokenLifetime", &mut config.token_lifetime)?;
    fields.finish()?;
    Ok(config)
}
