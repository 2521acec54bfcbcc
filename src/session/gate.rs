//! What of a request belongs to a session: the access token, expired or not, and the refresh token that is bound to it.
//!
//! A sibling host can plant a second refresh cookie, for a cookie whose path is not `/` cannot have the prefix
//! `__Host-`. The access cookie has it, so the access token says which session the browser is in, and a refresh token
//! counts only when it is of that session.

use core::fmt;

use super::policy::SessionPolicy;
use super::rotate::CLOCK_SKEW;
use super::token::{ACCESS_TOKEN_TYPE, RefreshToken};
use crate::cookie::SessionCookies;
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwk::KeySet;
use crate::jws::CompactJws;
use crate::jws::compact::DEFAULT_MAX_LENGTH;
use crate::jwt::verify::REFRESH_TOKEN_TYPE;
use crate::jwt::{ClaimsSet, PendingJwt, TrustedIssuer, Verifier, VerifierConfig};
use crate::request::credentials::{self, Credential, Source};
use crate::request::cross_site::{self, Origins};
use crate::request::{self, RequestHead};
use crate::time::UnixTime;

/// The keys and names by which the tokens of sessions are told from others, and from one another.
#[derive(Clone, Debug)]
pub struct GateConfig {
    /// The public keys of access tokens.
    pub keys: KeySet,
    /// The public keys of refresh tokens.
    pub refresh_keys: KeySet,
    /// `aud` of access tokens.
    pub audience: Vec<String>,
    /// `aud` of refresh tokens; none of `audience`.
    pub refresh_audience: String,
    /// The cookies of both.
    pub cookies: SessionCookies,
    /// The origins from which login, refresh and logout are welcome, besides the server's own.
    pub origins: Origins,
}

/// Tells which session a request is of.
#[derive(Clone, Debug)]
pub struct Gate {
    access: Verifier,
    refresh: Verifier,
    cookies: SessionCookies,
    origins: Origins,
}

/// A session that a request names by an access token, which may have expired.
#[derive(Clone, PartialEq, Eq)]
pub struct Carried {
    /// `sub`
    pub subject: String,
    /// `sid`
    pub sid: String,
}

/// A refresh token that a request presents, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The token.
    pub token: RefreshToken,
    /// How many further refresh cookies the request carries: somebody planted them.
    pub others: usize,
}

impl Gate {
    /// Checks the options.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] when both tokens have an audience in common, and as [`Verifier::new`].
    pub fn new(config: GateConfig, policy: &SessionPolicy) -> Result<Self, Error> {
        if config.audience.contains(&config.refresh_audience) {
            let requirement = "not be an audience of access tokens, or one could pass for the other";
            return Err(Error::option("refresh.audience", requirement));
        }
        let verifier = |keys, audience: Vec<String>, typ: &str, required: &[&str]| {
            let mut verifier = VerifierConfig::new(vec![TrustedIssuer {
                issuer: Some(vec![policy.issuer.clone()]),
                audience: Some(audience),
                keys,
            }]);
            verifier.typ = Some(typ.to_owned());
            verifier.clock_tolerance = CLOCK_SKEW;
            verifier.required_claims = required.iter().map(|&name| name.to_owned()).collect();
            verifier
        };
        let mut access =
            verifier(config.keys, config.audience, ACCESS_TOKEN_TYPE, &["sub", "sid", "ver", "iat", "jti"]);
        access.revocation.clone_from(&policy.revocation);
        let refresh = verifier(
            config.refresh_keys,
            vec![config.refresh_audience],
            REFRESH_TOKEN_TYPE,
            &["sub", "sid", "gen", "iat", "jti"],
        );
        Ok(Self {
            access: Verifier::new(access)?,
            refresh: Verifier::new(refresh)?,
            cookies: config.cookies,
            origins: config.origins,
        })
    }

    /// The cookies of sessions.
    #[must_use]
    pub fn cookies(&self) -> &SessionCookies {
        &self.cookies
    }

    /// Finds and verifies the access token of a request, up to revocation.
    ///
    /// # Errors
    /// As [`request::authenticate`].
    pub fn authenticate(&self, request: &RequestHead<'_>, now: UnixTime) -> Result<(PendingJwt, Source), Error> {
        request::authenticate(&self.access, request, Some(self.cookies.access_name()), &self.origins, now)
    }

    /// Refuses a request of another site, whatever it carries.
    ///
    /// # Errors
    /// [`ErrorCode::CrossSite`].
    pub fn check_cross_site(&self, request: &RequestHead<'_>) -> Result<(), Error> {
        cross_site::check_always(&request.provenance, &self.origins)
    }

    /// The session that a request carries to a login; `None` when it carries no access token of ours. A token that has
    /// expired, or was revoked, still names its session.
    ///
    /// # Errors
    /// [`ErrorCode::CrossSite`].
    pub fn arriving(&self, request: &RequestHead<'_>, now: UnixTime) -> Result<Option<Carried>, Error> {
        self.check_cross_site(request)?;
        Ok(self.credential(request).and_then(|credential| self.session_of(credential.token, now).ok()))
    }

    /// The session that a request wants to end, as [`arriving`](Self::arriving) finds it. No other site can make a
    /// browser send a bearer token, so a request with one may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorCode::CrossSite`].
    pub fn leaving(&self, request: &RequestHead<'_>, now: UnixTime) -> Result<Option<Carried>, Error> {
        let credential = self.credential(request);
        if credential.is_none_or(|credential| credential.source != Source::Bearer) {
            self.check_cross_site(request)?;
        }
        Ok(credential.and_then(|credential| self.session_of(credential.token, now).ok()))
    }

    fn credential<'h>(&self, request: &RequestHead<'h>) -> Option<Credential<'h>> {
        credentials::find(request.authorization, request.cookie, Some(self.cookies.access_name())).ok()
    }

    /// The refresh token of a request, which must carry both cookies of one session.
    ///
    /// # Errors
    /// - [`ErrorCode::CrossSite`];
    /// - [`ErrorCode::CredentialsMissing`] without an access cookie or without a refresh cookie;
    /// - [`ErrorCode::SessionMismatch`] when no refresh cookie is of the session of the access cookie;
    /// - as [`Verifier::verify`], for either token.
    pub fn presented(&self, request: &RequestHead<'_>, now: UnixTime) -> Result<Presented, Error> {
        self.check_cross_site(request)?;
        let cookies = self.cookies.read(request.cookie.unwrap_or_default())?;
        if cookies.refresh.is_empty() {
            return Err(missing(
                "The request carries no refresh cookie: it is sent to the path of the option refresh.path alone, and \
                 is set by a login.",
            ));
        }
        let access = cookies.access.ok_or_else(|| {
            missing("The request carries a refresh cookie without the access cookie that says which session it is of.")
        })?;
        let session = self.session_of(access, now)?;
        let mut fault = None;
        for text in &cookies.refresh {
            // Whoever plants cookies is not to choose how many signatures are verified.
            if names_session(text, &session.sid) {
                match self.verified(text, now) {
                    Ok(token) if token.sid == session.sid && token.subject == session.subject => {
                        return Ok(Presented { token, others: cookies.refresh.len() - 1 });
                    }
                    Ok(_) => {}
                    Err(error) => fault = fault.or(Some(error)),
                }
            }
        }
        let message = "No refresh cookie of the request belongs to the session of its access cookie; sign in again.";
        Err(fault.unwrap_or_else(|| Error::new(ErrorCode::SessionMismatch, message)))
    }

    /// Verifies a refresh token that a client without cookies presents.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verified(&self, token: &str, now: UnixTime) -> Result<RefreshToken, Error> {
        RefreshToken::from_verified(&self.refresh.verify(token, now)?)
    }

    fn session_of(&self, access: &str, now: UnixTime) -> Result<Carried, Error> {
        let claims = self.access.identify(access, now)?;
        let sid = claims.claim("sid").and_then(json::Raw::string);
        match (claims.subject(), sid) {
            (Some(subject), Some(sid)) => Ok(Carried { subject: subject.into_owned(), sid: sid.into_owned() }),
            _ => Err(not_of_a_session()),
        }
    }
}

/// `sid` and `ver` of an access token that has been verified.
///
/// # Errors
/// [`ErrorCode::ClaimInvalid`] when they are not those of a session: then the key signs for others too.
pub fn session_claims(claims: &ClaimsSet) -> Result<(String, u32), Error> {
    let sid = claims.claim("sid").and_then(json::Raw::string);
    let version = claims.claim("ver").and_then(|raw| raw.text().parse().ok());
    sid.zip(version).map(|(sid, version)| (sid.into_owned(), version)).ok_or_else(not_of_a_session)
}

/// Whether a token says, unverified, that it is of a session.
fn names_session(token: &str, sid: &str) -> bool {
    let Ok(jws) = CompactJws::parse(token, DEFAULT_MAX_LENGTH, &[]) else { return false };
    let claims = json::parse_object(jws.unverified_payload());
    claims.is_ok_and(|claims| claims.member("sid").and_then(json::Raw::string).is_some_and(|own| own == sid))
}

fn missing(message: &'static str) -> Error {
    Error::new(ErrorCode::CredentialsMissing, message)
}

fn not_of_a_session() -> Error {
    let message = "The access token was signed with the right key, but its sid and ver are not those of a session.";
    Error::new(ErrorCode::ClaimInvalid, message).with_claim("sid", crate::error::Reason::Invalid)
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").finish_non_exhaustive()
    }
}
