//! Revocation through a key-value store of the host's: which keys to read for a token, what their values say, and what
//! to write to revoke. Nothing here reads or writes the store.
//!
//! | kind | revokes | key is made of | value |
//! |---|---|---|---|
//! | token | one token | `iss`, `jti` | `wx1 revoked` |
//! | session | every token of a session | `iss`, `sid` | `wx1 revoked` |
//! | subject | tokens of a subject up to a time, under a version | `iss`, `sub` | `wx1 after=1700000000 version=3` |
//!
//! A valid-after entry revokes tokens with `iat` up to and including its second, a version entry tokens whose `ver` is
//! less; a token without the claim that an entry speaks of is revoked by it. Anything else than these texts is a
//! failure of the store, and so is a read that failed or is missing.
//!
//! *Revoked beats failure, failure beats clear.*

mod entry;
mod key;
mod write;

use core::time::Duration;

pub use key::Kind;
pub(crate) use key::digest_key;
pub use write::{SubjectCut, Write};

use crate::error::{Error, ErrorCode, Reason};
use crate::time::UnixTime;
use entry::Entry;

/// The greatest `token_lifetime`, in seconds: a year.
pub const MAX_TOKEN_LIFETIME: u32 = 31_536_000;

/// How long the host may wait for the store at most.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// What to do with a token whose revocation cannot be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Refuse it with [`ErrorCode::RevocationUnavailable`].
    #[default]
    Reject,
    /// Accept it; the result says [`RevocationState::Unavailable`].
    Accept,
}

/// The options of revocation.
#[derive(Clone, Debug)]
pub struct RevocationConfig {
    /// What to do when the store gives no usable answer.
    pub on_failure: FailurePolicy,
    /// The longest life of a token from `iat` to `exp`, in seconds, 1 to [`MAX_TOKEN_LIFETIME`]. Tokens that live
    /// longer are refused, because they would outlive the entry that revokes them.
    pub token_lifetime: u32,
    /// How long the host waits for the store: more than zero, at most [`MAX_TIMEOUT`].
    pub timeout: Duration,
}

impl Default for RevocationConfig {
    fn default() -> Self {
        Self { on_failure: FailurePolicy::Reject, token_lifetime: 86_400, timeout: Duration::from_secs(1) }
    }
}

impl RevocationConfig {
    /// Checks the options.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] naming the first option that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        if !(1..=MAX_TOKEN_LIFETIME).contains(&self.token_lifetime) {
            let requirement = "be a whole number of seconds from 1 to 31536000";
            return Err(Error::option("revocation.tokenLifetime", requirement));
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(Error::option("revocation.timeout", "be a number of seconds above 0 and at most 30"));
        }
        Ok(())
    }
}

/// What the claims of a verified token say that an entry could revoke it by.
#[derive(Clone, Copy)]
pub struct Revocable<'a> {
    /// `iss`; empty for a token without one.
    pub issuer: &'a str,
    /// `jti`
    pub token: &'a str,
    /// `sid`
    pub session: Option<&'a str>,
    /// `sub`
    pub subject: Option<&'a str>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
    /// `ver`
    pub version: Option<f64>,
}

/// The host's answer for one key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The store holds nothing under the key.
    Missing,
    /// The store holds this text.
    Value(String),
    /// The read threw, took too long or gave something else than text.
    Failed,
}

/// What is known about the revocation of an accepted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationState {
    /// No store was configured.
    NotChecked,
    /// The store was asked, and no entry revokes the token.
    Clear,
    /// The store gave no usable answer, and [`FailurePolicy::Accept`] let the token pass.
    Unavailable,
}

impl RevocationState {
    /// The name that crosses into JavaScript.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Clear => "clear",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The keys to read for one token, and what is needed to judge their values.
#[derive(Clone)]
pub struct Plan {
    kinds: Vec<Kind>,
    keys: Vec<String>,
    issued_at: Option<UnixTime>,
    version: Option<f64>,
}

impl Plan {
    /// Plans the reads for a token: its own entry, and those of its session and subject where it names them.
    #[must_use]
    pub fn new(token: &Revocable<'_>) -> Self {
        let mut plan = Self { kinds: Vec::new(), keys: Vec::new(), issued_at: token.issued_at, version: token.version };
        let entries =
            [(Kind::Token, Some(token.token)), (Kind::Session, token.session), (Kind::Subject, token.subject)];
        for (kind, identifier) in entries {
            if let Some(identifier) = identifier {
                plan.kinds.push(kind);
                plan.keys.push(kind.key(token.issuer, identifier));
            }
        }
        plan
    }

    /// The keys to read, all at once; the answers are given back in the same order.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Decides from the answers. Too few or too many answers are a failure of the store.
    ///
    /// # Errors
    /// - [`ErrorCode::TokenRevoked`] when any entry revokes the token, whatever else failed; the claim is the one that
    ///   the entry's key is made of: `jti`, `sid` or `sub`.
    /// - [`ErrorCode::RevocationUnavailable`] when an answer failed or is not an entry, unless the policy accepts that.
    pub fn verdict(&self, answers: &[Answer], on_failure: FailurePolicy) -> Result<RevocationState, Error> {
        let mut failed = answers.len() != self.keys.len();
        for (&kind, answer) in self.kinds.iter().zip(answers) {
            let entry = match answer {
                Answer::Missing => continue,
                Answer::Value(text) => Entry::parse(kind, text),
                Answer::Failed => None,
            };
            match entry {
                Some(entry) if entry.revokes(self.issued_at, self.version) => return Err(revoked(kind)),
                Some(_) => {}
                None => failed = true,
            }
        }
        match (failed, on_failure) {
            (false, _) => Ok(RevocationState::Clear),
            (true, FailurePolicy::Accept) => Ok(RevocationState::Unavailable),
            (true, FailurePolicy::Reject) => Err(Error::new(
                ErrorCode::RevocationUnavailable,
                "The revocation store gave no usable answer, so the token is refused; try again, and look at it.",
            )),
        }
    }
}

fn revoked(kind: Kind) -> Error {
    let message = match kind {
        Kind::Token => "The token was revoked; sign in again.",
        Kind::Session => "The token's session was ended; sign in again.",
        Kind::Subject => "The subject's tokens were revoked; sign in again.",
    };
    Error::new(ErrorCode::TokenRevoked, message).with_claim(kind.claim(), Reason::CheckFailed)
}

// Keys are digests, but identifiers and values are the host's business.
impl core::fmt::Debug for Plan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Plan").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Revocable<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Revocable").finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Value(_) => "Value(..)",
            Self::Failed => "Failed",
        })
    }
}
