//! What may become of a record: login, rotation, end. Pure functions of the record, of what is presented and of the
//! time; what they return is written only by a swap that finds the record as it was.

use super::policy::{OnReuse, SessionPolicy};
use super::record::{Session, SubjectRecord};
use super::token::RefreshToken;

/// By how many seconds the clocks of two hosts may differ.
pub const CLOCK_SKEW: u32 = 5;

/// How a refresh token was used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reuse {
    /// The generation before the current one, after the grace window: a thief's, or an owner's who never got the new
    /// one.
    Previous,
    /// A generation before that: somebody holds a token that its owner has long replaced.
    Older,
    /// Inside the grace window, but by another client than the one that rotated.
    OtherClient,
    /// A generation that the record has not reached: the store has lost writes.
    RolledBack,
}

impl Reuse {
    /// The name that crosses into JavaScript.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Older => "older",
            Self::OtherClient => "other-client",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// Why a session is not to be had. To the client all but `Expired` are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The record does not know the session.
    Unknown,
    /// It was ended.
    Ended,
    /// It ran out.
    Expired,
    /// The presented token had been used before.
    Reuse(Reuse),
}

/// What a presented refresh token leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The current token is given again and nothing is written.
    Again(Session),
    /// The next generation, once the record is written.
    Next(SubjectRecord, Session),
    /// The session is ended, once the record is written.
    Reused(SubjectRecord, Reuse),
    /// Nothing changes.
    Refused(Refusal),
}

/// What a login brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewSession {
    /// 128 random bits in base64url.
    pub sid: String,
    /// What the session is listed as.
    pub label: Option<String>,
    /// A digest of what the host says of the client.
    pub client: Option<String>,
    /// A session of the same subject that the request carried, and that ends here.
    pub replaces: Option<String>,
}

/// Begins a session. The oldest sessions beyond the limit end.
///
/// `None` when so many revocation entries wait to be written that no further session can be let in.
#[must_use]
pub fn login(
    record: &SubjectRecord,
    new: &NewSession,
    policy: &SessionPolicy,
    now: u64,
) -> Option<(SubjectRecord, Session)> {
    let mut next = record.clone();
    next.tidy(policy, now);
    let limit = usize::try_from(policy.max_sessions).unwrap_or(usize::MAX);
    if next.pending().count() > limit {
        return None;
    }
    if let Some(sid) = &new.replaces {
        end_in(&mut next, sid, policy, now);
    }
    while next.sessions.iter().filter(|session| session.is_live(now)).count() >= limit {
        let oldest = next.sessions.iter().filter(|session| session.is_live(now)).min_by_key(|s| s.created_at)?;
        let sid = oldest.sid.clone();
        end_in(&mut next, &sid, policy, now);
    }
    let absolute = now.saturating_add(policy.absolute_lifetime.into());
    let session = Session {
        sid: new.sid.clone(),
        generation: 0,
        created_at: now,
        refreshed_at: now,
        expires_at: now.saturating_add(policy.refresh_lifetime.into()).min(absolute),
        absolute,
        version: next.version,
        ended: None,
        pending: false,
        client: new.client.clone(),
        label: new.label.clone(),
    };
    next.sessions.push(session.clone());
    next.tidy(policy, now);
    Some((next, session))
}

/// Decides on a refresh token whose signature and claims have been verified.
///
/// *The current generation* rotates once it is older than the grace window. *Inside the window* the current generation
/// and the one before it both get the current token again: tabs that refresh together end with one child and no alarm.
/// *Anything else* from a live session is reuse, and ends it.
#[must_use]
pub fn rotate(
    record: &SubjectRecord,
    presented: &RefreshToken,
    client: Option<&str>,
    policy: &SessionPolicy,
    now: u64,
) -> Rotation {
    let Some(session) = record.session(&presented.sid) else {
        return Rotation::Refused(Refusal::Unknown);
    };
    if session.ended.is_some() || session.version < record.version {
        return Rotation::Refused(Refusal::Ended);
    }
    if session.has_expired(now) {
        return Rotation::Refused(Refusal::Expired);
    }
    let behind = session.generation.checked_sub(presented.generation);
    // A clock that is behind the one that rotated has not left the window either.
    let in_window = now.saturating_sub(session.refreshed_at) < policy.grace.into();
    let same_client = session.client.is_none() || session.client.as_deref() == client;
    let reuse = match behind {
        Some(0) if !in_window => return next_generation(record, session, client, policy, now),
        Some(0 | 1) if in_window && same_client => return Rotation::Again(session.clone()),
        Some(0 | 1) if in_window => Reuse::OtherClient,
        Some(1) => Reuse::Previous,
        Some(_) => Reuse::Older,
        None => Reuse::RolledBack,
    };
    let mut next = record.clone();
    match policy.on_reuse {
        OnReuse::EndSession => {
            end_in(&mut next, &presented.sid, policy, now);
        }
        OnReuse::EndAll => next = end_all(record, policy, now),
    }
    next.tidy(policy, now);
    Rotation::Reused(next, reuse)
}

fn next_generation(
    record: &SubjectRecord,
    session: &Session,
    client: Option<&str>,
    policy: &SessionPolicy,
    now: u64,
) -> Rotation {
    let Some(generation) = session.generation.checked_add(1) else {
        return Rotation::Refused(Refusal::Expired);
    };
    // Times of one session never run backwards, whichever host's clock they come from.
    let refreshed_at = now.max(session.refreshed_at);
    let rotated = Session {
        generation,
        refreshed_at,
        expires_at: refreshed_at.saturating_add(policy.refresh_lifetime.into()).min(session.absolute),
        client: client.map(str::to_owned),
        ..session.clone()
    };
    let mut next = record.clone();
    if let Some(place) = next.session_mut(&session.sid) {
        place.clone_from(&rotated);
    }
    next.tidy(policy, now);
    Rotation::Next(next, rotated)
}

/// Ends a session; `None` when there is none to end.
#[must_use]
pub fn end(record: &SubjectRecord, sid: &str, policy: &SessionPolicy, now: u64) -> Option<SubjectRecord> {
    let mut next = record.clone();
    let ended = end_in(&mut next, sid, policy, now);
    next.tidy(policy, now);
    ended.then_some(next)
}

/// Ends every session of the subject, and lets the token version grow: sessions that begin afterwards are of a later one.
#[must_use]
pub fn end_all(record: &SubjectRecord, policy: &SessionPolicy, now: u64) -> SubjectRecord {
    let mut next = record.clone();
    next.version = next.version.saturating_add(1);
    for session in &mut next.sessions {
        end_session(session, policy, now);
    }
    next.tidy(policy, now);
    next
}

fn end_in(record: &mut SubjectRecord, sid: &str, policy: &SessionPolicy, now: u64) -> bool {
    record.session_mut(sid).is_some_and(|session| end_session(session, policy, now))
}

fn end_session(session: &mut Session, policy: &SessionPolicy, now: u64) -> bool {
    if session.ended.is_some() {
        return false;
    }
    session.ended = Some(now);
    session.pending = policy.revocation.is_some();
    true
}
