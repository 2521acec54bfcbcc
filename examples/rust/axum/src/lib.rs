//! A server in axum that verifies tokens natively, with an extractor: a handler that asks for `Caller` runs for requests with
//! a good token alone.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use waxseal::jwt::Verifier;
use waxseal::request::cross_site::Origins;
use waxseal::request::{self, RequestHead};
use waxseal::{Error, ErrorCode, UnixTime};

/// The routes, for tokens that `verifier` accepts.
pub fn app(verifier: Verifier) -> Router {
    Router::new().route("/me", get(me)).with_state(Arc::new(verifier))
}

async fn me(caller: Caller) -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-store")], Json(json!({ "sub": caller.subject })))
}

/// Who sent a request.
pub struct Caller {
    /// The claim `sub`.
    pub subject: String,
}

impl<S> FromRequestParts<S> for Caller
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Ok(authenticate(parts, &Arc::<Verifier>::from_ref(state))?)
    }
}

fn authenticate(parts: &Parts, verifier: &Verifier) -> Result<Caller, Error> {
    let authorization = only_authorization(parts)?;
    let head = RequestHead { authorization, ..RequestHead::default() };
    // Without the name of a cookie only `Authorization` is read.
    let credential = request::credential(&head, None, &Origins::default())?;
    let jwt = verifier.verify(credential.token, now()?)?;
    let subject = jwt.claims().subject().map(Cow::into_owned);
    let missing = || Error::new(ErrorCode::ClaimMissing, "The token names no subject.");
    Ok(Caller { subject: subject.ok_or_else(missing)? })
}

/// Two headers are refused: a proxy may have looked at the other one.
fn only_authorization(parts: &Parts) -> Result<Option<&str>, Error> {
    let malformed =
        || Error::new(ErrorCode::AuthorizationMalformed, "Send one Authorization header, of ASCII characters.");
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(malformed());
    }
    first.map(|value| value.to_str().map_err(|_| malformed())).transpose()
}

/// The crate reads no clock: the time is an argument.
fn now() -> Result<UnixTime, Error> {
    let invalid = || Error::new(ErrorCode::ClockInvalid, "The clock is wrong.");
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| invalid())?;
    UnixTime::from_seconds(since.as_secs_f64()).map_err(|_| invalid())
}

/// The answer to a request that is refused.
pub struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(json!({ "error": error.code().as_str() }))).into_response();
        let mut set = |name: HeaderName, value: Option<String>| {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(name, value);
            }
        };
        set(CACHE_CONTROL, Some("no-store".to_owned()));
        set(WWW_AUTHENTICATE, error.www_authenticate()); // RFC 6750 section 3
        set(RETRY_AFTER, error.retry_after().map(|seconds| seconds.to_string()));
        response
    }
}
