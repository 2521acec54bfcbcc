//! How long tokens and sessions live, and what reuse costs.

use crate::error::Error;
use crate::jwt::issue::MAX_EXPIRES_IN;
use crate::revocation::RevocationConfig;

/// The greatest life of an access token, in seconds: a day. What is revoked lives on for so long where nobody asks.
pub const MAX_ACCESS_LIFETIME: u32 = 86_400;

/// The greatest life of a session, in seconds: 400 days, which is all that a cookie may live (RFC 6265bis section 5.5).
pub const MAX_SESSION_LIFETIME: u32 = 34_560_000;

/// The greatest grace window, in seconds.
pub const MAX_GRACE: u32 = 60;

/// The greatest number of sessions that a subject may have: with it, a record fits into every store.
pub const MAX_SESSIONS: u32 = 100;

/// The greatest jitter, in thousandths.
pub const MAX_JITTER: u32 = 100;

/// What the reuse of a refresh token ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnReuse {
    /// The session of the token. An old stolen token may end its own session, and not every device of the user.
    #[default]
    EndSession,
    /// Every session of the subject.
    EndAll,
}

/// The options of sessions.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// `iss` of both tokens; part of the keys of records and revocation entries.
    pub issuer: String,
    /// How long an access token lives, in seconds, 1 to [`MAX_ACCESS_LIFETIME`].
    pub access_lifetime: u32,
    /// By how much of its life, in thousandths, an access token may live shorter, 0 to [`MAX_JITTER`]: tokens issued in
    /// one moment then do not all expire, and come to be refreshed, in one moment.
    pub access_jitter: u32,
    /// How long a session lives without being refreshed, in seconds, from `access_lifetime` to [`MAX_EXPIRES_IN`], all
    /// that a token may live.
    pub refresh_lifetime: u32,
    /// How long a session lives at most, in seconds, from `refresh_lifetime` to [`MAX_SESSION_LIFETIME`].
    pub absolute_lifetime: u32,
    /// For how many seconds after a rotation its result is given again to whoever presents the token before or the new
    /// one, 0 to [`MAX_GRACE`]. With 0 every second use of a token is reuse.
    pub grace: u32,
    /// How many sessions a subject may have at a time, 1 to [`MAX_SESSIONS`]; a login beyond ends the oldest.
    pub max_sessions: u32,
    /// What reuse ends.
    pub on_reuse: OnReuse,
    /// How entries are written to the revocation store; `None` where there is none.
    pub revocation: Option<RevocationConfig>,
}

impl SessionPolicy {
    /// The defaults: access tokens of 15 minutes with 5 % of jitter, 7 days sliding, 30 days at most, a grace window of
    /// 10 seconds, 50 sessions, and revocation entries that outlive the access tokens.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        let access_lifetime = 900;
        Self {
            issuer: issuer.into(),
            access_lifetime,
            access_jitter: 50,
            refresh_lifetime: 604_800,
            absolute_lifetime: 2_592_000,
            grace: 10,
            max_sessions: 50,
            on_reuse: OnReuse::EndSession,
            revocation: Some(RevocationConfig { token_lifetime: access_lifetime, ..RevocationConfig::default() }),
        }
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`](crate::ErrorCode::OptionInvalid) naming the first option, as JavaScript spells it,
    /// that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let refused = |option, requirement| Err(Error::option(option, requirement));
        if self.issuer.is_empty() {
            return refused("issuer", "not be empty");
        }
        if !(1..=MAX_ACCESS_LIFETIME).contains(&self.access_lifetime) {
            return refused("access.expiresIn", "be a whole number of seconds from 1 to 86400");
        }
        if self.access_jitter > MAX_JITTER {
            return refused("access.jitter", "be a number from 0 to 0.1");
        }
        // A session that has expired is forgotten, and no access token of it may be alive then.
        if !(self.access_lifetime..=MAX_EXPIRES_IN).contains(&self.refresh_lifetime) {
            return refused("refresh.expiresIn", "be a whole number of seconds from access.expiresIn to 31536000");
        }
        if !(self.refresh_lifetime..=MAX_SESSION_LIFETIME).contains(&self.absolute_lifetime) {
            return refused("refresh.absolute", "be a whole number of seconds from refresh.expiresIn to 34560000");
        }
        if self.grace > MAX_GRACE {
            return refused("refresh.grace", "be a whole number of seconds from 0 to 60");
        }
        if !(1..=MAX_SESSIONS).contains(&self.max_sessions) {
            return refused("maxSessions", "be a whole number from 1 to 100");
        }
        match &self.revocation {
            Some(revocation) if revocation.token_lifetime < self.access_lifetime => {
                refused("revocation.tokenLifetime", "be at least access.expiresIn")
            }
            Some(revocation) => revocation.validate(),
            None => Ok(()),
        }
    }
}
