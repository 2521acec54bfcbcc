//! A Worker in Rust that verifies tokens. The keys are the variable `JWKS`, a JWK Set as text.

use std::borrow::Cow;

use waxseal::jwk::KeySet;
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig};
use waxseal::request::cross_site::Origins;
use waxseal::request::{self, RequestHead};
use waxseal::{Error, ErrorCode, UnixTime};
use worker::{Context, Date, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let text = |name: &str| env.var(name).map(|value| value.to_string());
    let (jwks, issuer, audience) = (text("JWKS")?, text("ISSUER")?, text("AUDIENCE")?);
    let authorization = request.headers().get("Authorization")?;
    match subject(&jwks, issuer, audience, authorization.as_deref()) {
        Ok(subject) => {
            let mut response = Response::ok(format!("Hello, {subject}"))?;
            response.headers_mut().set("Cache-Control", "no-store")?;
            Ok(response)
        }
        Err(error) => refusal(&error),
    }
}

fn subject(
    jwks: &str,
    issuer: String,
    audience: String,
    authorization: Option<&str>,
) -> core::result::Result<String, Error> {
    let verifier = Verifier::new(VerifierConfig::new(vec![TrustedIssuer {
        issuer: Some(vec![issuer]),
        audience: Some(vec![audience]),
        keys: KeySet::from_json(jwks.as_bytes())?,
    }]))?;
    let head = RequestHead { authorization, ..RequestHead::default() };
    let credential = request::credential(&head, None, &Origins::default())?;
    let invalid = |_| Error::new(ErrorCode::ClockInvalid, "The clock is wrong.");
    // The crate reads no clock: the time is an argument.
    let seconds = i64::try_from(Date::now().as_millis() / 1000).unwrap_or(i64::MAX);
    let now = UnixTime::from_whole_seconds(seconds).map_err(invalid)?;
    let jwt = verifier.verify(credential.token, now)?;
    let missing = || Error::new(ErrorCode::ClaimMissing, "The token names no subject.");
    jwt.claims().subject().map(Cow::into_owned).ok_or_else(missing)
}

fn refusal(error: &Error) -> Result<Response> {
    let mut response = Response::error(error.code().as_str(), error.code().status())?;
    let headers = response.headers_mut();
    headers.set("Cache-Control", "no-store")?;
    if let Some(challenge) = error.www_authenticate() {
        headers.set("WWW-Authenticate", &challenge)?; // RFC 6750 section 3
    }
    if let Some(seconds) = error.retry_after() {
        headers.set("Retry-After", &seconds.to_string())?;
    }
    Ok(response)
}
