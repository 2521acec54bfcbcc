//! The token of a request, found and verified up to revocation.

use super::credentials::{self, Credential, Source};
use super::cross_site::{self, Origins, Provenance};
use crate::error::Error;
use crate::jwt::{PendingJwt, Verifier};
use crate::time::UnixTime;

/// What matters of a request: its method and the texts of its headers.
#[derive(Clone, Copy, Default)]
pub struct RequestHead<'h> {
    /// `Authorization`
    pub authorization: Option<&'h str>,
    /// `Cookie`
    pub cookie: Option<&'h str>,
    /// Where the request comes from.
    pub provenance: Provenance<'h>,
}

/// Headers carry credentials.
impl core::fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RequestHead").field("provenance", &self.provenance).finish_non_exhaustive()
    }
}

/// Finds the token of a request, in `Authorization` or in the named cookie, and refuses an unsafe request of another site
/// where it is a cookie. The token is yet to be verified.
///
/// # Errors
/// As [`credentials::find`] and [`cross_site::check`].
pub fn credential<'h>(
    request: &RequestHead<'h>,
    cookie_name: Option<&str>,
    origins: &Origins,
) -> Result<Credential<'h>, Error> {
    let credential = credentials::find(request.authorization, request.cookie, cookie_name)?;
    if credential.source == Source::Cookie {
        cross_site::check(&request.provenance, origins)?;
    }
    Ok(credential)
}

/// Finds the token of a request as [`credential`] does, and verifies it up to revocation.
///
/// # Errors
/// As [`credential`] and [`Verifier::begin`].
pub fn authenticate(
    verifier: &Verifier,
    request: &RequestHead<'_>,
    cookie_name: Option<&str>,
    origins: &Origins,
    now: UnixTime,
) -> Result<(PendingJwt, Source), Error> {
    let credential = credential(request, cookie_name, origins)?;
    Ok((verifier.begin(credential.token, now)?, credential.source))
}
