//! The options of sessions.

use serde_json::Value;
use wasm_bindgen::JsValue;

use super::cookies::session_cookies;
use super::issuer::issuer_and_audience;
use super::options::{Fields, invalid};
use super::verifier_options;
use crate::cookie::{SessionCookieOptions, SessionCookies};
use crate::error::Error;
use crate::request::cross_site::Origins;
use crate::revocation::RevocationConfig;
use crate::session::{OnReuse, SessionPolicy};

/// How long a call waits for the session store where nothing else is said, in seconds.
const DEFAULT_TIMEOUT: f64 = 3.0;

/// The longest that a call may wait for it, in seconds.
const MAX_TIMEOUT: f64 = 30.0;

const ON_REUSE: [(&str, OnReuse); 2] = [("end-session", OnReuse::EndSession), ("end-all", OnReuse::EndAll)];

/// What the options say, but for the keys.
pub(super) struct SessionOptions {
    pub(super) policy: SessionPolicy,
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
    pub(super) refresh_audience: String,
    pub(super) cookies: SessionCookies,
    pub(super) origins: Origins,
    /// How long a call may wait for the session store, in seconds.
    pub(super) timeout: f64,
}

/// Reads the options of sessions.
pub(super) fn read(options: &JsValue) -> Result<SessionOptions, Error> {
    let mut fields = Fields::read(options)?;
    let (issuer, audience) = issuer_and_audience(&mut fields)?;
    let mut origins = None::<Vec<String>>;
    fields.strings("origins", false, &mut origins)?;
    let origins =
        origins.ok_or_else(|| invalid("origins is required: the origins whose pages may sign in and out, or []."))?;
    let mut policy = SessionPolicy::new(issuer.clone());
    policy.revocation = revocation(&mut fields)?;
    if let Some(access) = fields.nested("access")? {
        read_access(access, &mut policy)?;
    }
    let mut cookies = SessionCookieOptions::default();
    let mut refresh_audience = format!("{issuer}#refresh");
    if let Some(mut refresh) = fields.nested("refresh")? {
        refresh.whole("expiresIn", &mut policy.refresh_lifetime)?;
        policy.absolute_lifetime = policy.absolute_lifetime.max(policy.refresh_lifetime);
        refresh.whole("absolute", &mut policy.absolute_lifetime)?;
        refresh.whole("grace", &mut policy.grace)?;
        refresh.string("audience", &mut refresh_audience)?;
        refresh.string("path", &mut cookies.refresh_path)?;
        refresh.finish()?;
    }
    fields.whole("maxSessions", &mut policy.max_sessions)?;
    fields.word("onReuse", &ON_REUSE, &mut policy.on_reuse)?;
    // An entry has to outlive the access tokens that it ends.
    if let Some(RevocationConfig { token_lifetime, .. }) = &mut policy.revocation {
        *token_lifetime = policy.access_lifetime;
    }
    policy.validate()?;
    if let Some(names) = fields.nested("cookies")? {
        session_cookies(names, &mut cookies)?;
    }
    let mut timeout = DEFAULT_TIMEOUT;
    fields.number("timeout", &mut timeout)?;
    if !(timeout > 0.0 && timeout <= MAX_TIMEOUT) {
        return Err(invalid("timeout must be a number of seconds above 0 and at most 30."));
    }
    fields.finish()?;
    Ok(SessionOptions {
        cookies: SessionCookies::new(&cookies, &issuer, &origins)?,
        origins: Origins::parse(&origins)?,
        refresh_audience,
        policy,
        issuer,
        audience,
        timeout,
    })
}

fn revocation(fields: &mut Fields) -> Result<Option<RevocationConfig>, Error> {
    match fields.value("revocation") {
        Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) if map.contains_key("tokenLifetime") => {
            Err(invalid("revocation.tokenLifetime is no option of sessions: tokens live as access.expiresIn says."))
        }
        Some(Value::Object(map)) => verifier_options::revocation(Fields::of(map, "revocation.".to_owned())).map(Some),
        _ => Err(invalid("revocation is required: { store }, or null to say that there is none.")),
    }
}

fn read_access(mut access: Fields, policy: &mut SessionPolicy) -> Result<(), Error> {
    access.whole("expiresIn", &mut policy.access_lifetime)?;
    let mut jitter = None::<f64>;
    access.number("jitter", &mut jitter)?;
    if let Some(jitter) = jitter {
        policy.access_jitter = per_mille(jitter)?;
    }
    access.finish()
}

fn per_mille(share: f64) -> Result<u32, Error> {
    if !(0.0..=0.1).contains(&share) {
        return Err(Error::option("access.jitter", "be a number from 0 to 0.1"));
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    Ok((share * 1000.0).round() as u32)
}
