//! The token that a request carries.

use core::fmt;

use crate::cookie;
use crate::error::{Error, ErrorCode};

/// Where a token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the `Authorization` header.
    Bearer,
    /// In a cookie: the browser sent it on its own, so the request may be a forgery of another site.
    Cookie,
}

impl Source {
    /// The name that crosses into JavaScript.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Cookie => "cookie",
        }
    }
}

/// A token as a request carries it; nothing about it has been verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'h> {
    /// The text of the token.
    pub token: &'h str,
    /// Where it was found.
    pub source: Source,
}

/// The token is left out.
impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Finds the one token of a request.
///
/// An `Authorization` header decides alone: when it is of no use, no cookie is looked at, so that nobody is taken for
/// someone else than the client meant to be. Without `cookie_name` cookies are not looked at in any case.
///
/// # Errors
/// - [`ErrorCode::AuthorizationMalformed`] when the header is not `Bearer` and one token.
/// - [`ErrorCode::CredentialsMissing`] when there is neither header nor cookie, when the cookie is empty, and when the
///   header is of another scheme: RFC 6750 section 3.1 counts an unsupported method as no credentials, to be answered
///   by a challenge without an error code.
/// - [`ErrorCode::CookieDuplicate`] when two cookies have the name, [`ErrorCode::CookieHeaderInvalid`] when the
///   `Cookie` header is too long.
pub fn find<'h>(
    authorization: Option<&'h str>,
    cookie: Option<&'h str>,
    cookie_name: Option<&str>,
) -> Result<Credential<'h>, Error> {
    if let Some(authorization) = authorization {
        return Ok(Credential { token: bearer(authorization)?, source: Source::Bearer });
    }
    let token = match (cookie, cookie_name) {
        // The empty name is that of cookies without one, which any site of the domain can set.
        (Some(header), Some(name)) if !name.is_empty() => cookie::parse(header)?.one(name)?,
        _ => None,
    };
    match token {
        Some(token) if !token.is_empty() => Ok(Credential { token, source: Source::Cookie }),
        _ => Err(missing("The request carries no token: send it in the Authorization header, or sign in first.")),
    }
}

/// RFC 6750 section 2.1: `"Bearer" 1*SP b64token`; the scheme in any case (RFC 9110 section 11.1).
fn bearer(authorization: &str) -> Result<&str, Error> {
    let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if scheme.eq_ignore_ascii_case("Bearer") {
        let token = rest.trim_start_matches(' ');
        return if is_b64token(token) { Ok(token) } else { Err(malformed()) };
    }
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_scheme {
        return Err(missing("The Authorization header is of another scheme than Bearer, and it decides alone."));
    }
    Err(malformed())
}

/// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`. White space and a comma, by
/// which two headers become one, are outside of it.
fn is_b64token(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

fn malformed() -> Error {
    Error::new(ErrorCode::AuthorizationMalformed, "The Authorization header must be Bearer, a space and one token.")
}

fn missing(message: &'static str) -> Error {
    Error::new(ErrorCode::CredentialsMissing, message)
}
