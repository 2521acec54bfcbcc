//! The words between a call and its host: what is asked, what is answered, and how it ends.

use core::fmt;

use super::record::Session;
use super::rotate::{Refusal, Reuse};
use super::token::{AccessToken, AppClaims, RefreshToken};
use crate::revocation::Write;

/// How often a call decides anew because somebody else was faster.
pub const MAX_ATTEMPTS: u8 = 64;

/// What a call is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Begins a session.
    Login {
        /// What the session is listed as.
        label: Option<String>,
        /// A digest of what the host says of the client.
        client: Option<String>,
        /// A session of the same subject that the request carried, and that ends.
        replaces: Option<String>,
        /// The application's claims.
        claims: AppClaims,
    },
    /// Presents a refresh token, which has been verified.
    Refresh {
        /// The token.
        presented: RefreshToken,
        /// A digest of what the host says of the client.
        client: Option<String>,
    },
    /// Ends one session.
    End {
        /// Which one.
        sid: String,
    },
    /// Ends every session of the subject.
    EndAll,
    /// Writes the revocation entries that wait.
    Sweep,
    /// Lists the live sessions.
    List,
    /// Asks whether the session of an access token is live.
    Check {
        /// Its `sid`.
        sid: String,
        /// Its `ver`.
        version: u32,
    },
}

/// What the host is to do next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the subject's record; answer [`Reply::Record`] or [`Reply::Failed`].
    Read,
    /// Sign both tokens and keep them; answer [`Reply::Signed`] or [`Reply::Failed`].
    Sign(Box<Release>),
    /// Write the record if it is still what it was; answer [`Reply::Swapped`], or [`Reply::Failed`] when nobody knows.
    Swap {
        /// What the record must be; `None`: there must be none.
        expected: Option<String>,
        /// What it is to be.
        next: String,
        /// From when the store may drop it, in seconds since 1970.
        expires_at: u64,
    },
    /// Write revocation entries, all at once; answer [`Reply::Written`] with one flag for each.
    WriteEntries(Vec<Write>),
    /// The call is over.
    Done(Outcome),
}

/// What the host answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Begin.
    Start,
    /// The text of the record, if there is one.
    Record(Option<String>),
    /// Both tokens are signed.
    Signed,
    /// Whether the record was written.
    Swapped(bool),
    /// Which entries were written.
    Written(Vec<bool>),
    /// The step failed or took too long. After a swap: nobody knows whether it happened.
    Failed,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The tokens that were signed may be given to the client.
    Released(Box<Release>),
    /// What was to be ended is, and the revocation store knows; `found` is whether it was this call that ended it.
    Ended {
        /// Whether there was something to end.
        found: bool,
    },
    /// The live sessions.
    Sessions(Vec<Session>),
    /// The session is live.
    Live,
    /// The session is not to be had.
    Refused(Refusal),
    /// A part of the host failed.
    Unavailable(Unavailable),
}

/// Which part of the host failed, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// The record could not be read; nothing was changed.
    Store,
    /// The swap failed; it may have happened all the same. A refresh that is repeated inside the grace window gets what
    /// the swap made.
    SwapUnknown,
    /// Others were faster [`MAX_ATTEMPTS`] times; nothing was changed.
    Contention,
    /// The record is not one that this version can read, or would not be; nothing was changed.
    Record,
    /// The tokens could not be signed; nothing was changed.
    Signer,
    /// It is ended, but the revocation store does not know yet: access tokens live until they expire, or until a later
    /// call writes the entry. For a login: too many entries wait, and nothing was changed.
    Revocation,
    /// The host answered a question that was not asked.
    Host,
}

/// Tokens that may be given to a client, once the record is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Release {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token.
    pub refresh: RefreshToken,
    /// Whether the generation is new; a login's is.
    pub rotated: bool,
    /// After how many seconds the client should refresh.
    pub refresh_after: u32,
}

/// What is worth telling an observer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A refresh token was used again.
    ReuseDetected {
        /// Its session.
        sid: String,
        /// How.
        kind: Reuse,
    },
    /// A session was ended.
    SessionEnded {
        /// Which one.
        sid: String,
    },
    /// Every session of the subject was ended.
    SubjectEnded,
    /// A revocation entry could not be written: what was ended is still accepted where the session store is not asked,
    /// until a later call writes the entry or the access tokens expire.
    RevocationPending,
}

/// Random bytes for one call.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Randomness {
    /// For a new session's `sid`.
    pub sid: [u8; 16],
    /// For the access token's `jti`.
    pub jti: [u8; 16],
    /// For the jitter of the access token's life and of the hint when to refresh.
    pub jitter: [u8; 2],
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Randomness").finish_non_exhaustive()
    }
}
