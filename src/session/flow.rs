//! One call of one client, as a state machine without I/O: it says what the host is to do next, and is given the answer.
//!
//! ```text
//! Read ─┬─ Sign ─┬──────────── Done          the current token again
//!       │        └─ Swap ─┬─── Done          login, rotation
//!       └─ Swap ──────────┴─ WriteEntries ─ Swap ─ Done      something was ended
//! ```
//!
//! A lost swap goes back to Read. Every order that safety rests on is here: tokens are signed before the swap and
//! released after it, and an end is swapped first, announced to the revocation store second, and acknowledged last.

use core::fmt;
use core::mem;

use serde_json::Value;

use super::policy::SessionPolicy;
use super::record::{MAX_RECORD, Session, SubjectRecord};
use super::rotate::{NewSession, Refusal, Rotation, end, end_all, login, rotate};
use super::step::{Event, MAX_ATTEMPTS, Outcome, Randomness, Release, Reply, Step, Task, Unavailable};
use super::token::{AccessToken, AppClaims, RefreshToken};
use crate::encoding::base64url;

/// One call.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Flow {
    task: Task,
    subject: String,
    now: u64,
    random: Randomness,
    attempts: u8,
    stage: Stage,
    events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Start,
    Reading,
    Signing { change: Option<Change>, release: Box<Release> },
    Swapping(Change),
    WritingEntries(Settling),
    Clearing(Outcome),
    Done,
}

/// A record to be written, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Change {
    expected: Option<String>,
    next: SubjectRecord,
    then: Outcome,
    events: Vec<Event>,
}

/// A record whose waiting revocation entries are being written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Settling {
    text: String,
    record: SubjectRecord,
    then: Outcome,
}

impl Flow {
    /// Makes a call. `now`, in whole seconds since 1970, is the time before anything is read.
    #[must_use]
    pub fn new(task: Task, subject: impl Into<String>, now: u64, random: Randomness) -> Self {
        Self { task, subject: subject.into(), now, random, attempts: 0, stage: Stage::Start, events: Vec::new() }
    }

    /// Whose record it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether it begins a session.
    #[must_use]
    pub fn is_login(&self) -> bool {
        matches!(self.task, Task::Login { .. })
    }

    /// The session that it is about, where that is known beforehand.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match &self.task {
            Task::Refresh { presented, .. } => Some(&presented.sid),
            Task::End { sid } | Task::Check { sid, .. } => Some(sid),
            Task::Login { .. } | Task::EndAll | Task::Sweep | Task::List => None,
        }
    }

    /// Whether it is about this very token.
    #[must_use]
    pub fn presents(&self, token: &RefreshToken) -> bool {
        matches!(&self.task, Task::Refresh { presented, .. } if presented.generation == token.generation)
    }

    /// The claims beyond the issuer's own that the access token of a refresh will have; `None` for other calls.
    #[must_use]
    pub fn claims(&self) -> Option<Value> {
        let Task::Refresh { presented, .. } = &self.task else { return None };
        let mut claims = presented.claims.tree();
        claims.insert("sub".to_owned(), presented.subject.as_str().into());
        claims.insert("sid".to_owned(), presented.sid.as_str().into());
        Some(Value::Object(claims))
    }

    /// What is worth telling, once the call is done.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Takes the answer to the last step, and says the next. The first answer is [`Reply::Start`].
    pub fn resume(&mut self, policy: &SessionPolicy, reply: Reply) -> Step {
        match (mem::replace(&mut self.stage, Stage::Done), reply) {
            (Stage::Start, Reply::Start) => self.read(),
            (Stage::Reading, Reply::Record(text)) => self.decide(policy, text),
            (Stage::Reading, Reply::Failed) => Self::unavailable(Unavailable::Store),
            (Stage::Signing { change, release }, Reply::Signed) => match change {
                Some(change) => self.swap(policy, Change { then: Outcome::Released(release), ..change }),
                None => Step::Done(Outcome::Released(release)),
            },
            (Stage::Signing { .. }, Reply::Failed) => Self::unavailable(Unavailable::Signer),
            (Stage::Swapping(change), Reply::Swapped(true)) => {
                self.events.extend(change.events);
                self.settle(policy, change.next.write(), change.next, change.then)
            }
            (Stage::Swapping(_), Reply::Swapped(false)) => self.again(),
            (Stage::Swapping(change), Reply::Failed) => {
                // That somebody used a token again is known, whatever became of the swap.
                self.events.extend(change.events.into_iter().filter(|e| matches!(e, Event::ReuseDetected { .. })));
                Self::unavailable(Unavailable::SwapUnknown)
            }
            (Stage::WritingEntries(settling), Reply::Written(written)) => self.clear(policy, settling, &written),
            (Stage::WritingEntries(settling), Reply::Failed) => self.clear(policy, settling, &[]),
            // What is announced needs no second announcement, and if the flag stays, the next call makes one: either way
            // the call has kept its promise.
            (Stage::Clearing(then), Reply::Swapped(_)) => self.cleared(then),
            (Stage::Clearing(then), Reply::Failed) => Step::Done(then),
            _ => Self::unavailable(Unavailable::Host),
        }
    }

    fn unavailable(part: Unavailable) -> Step {
        Step::Done(Outcome::Unavailable(part))
    }

    fn read(&mut self) -> Step {
        self.stage = Stage::Reading;
        Step::Read
    }

    fn again(&mut self) -> Step {
        self.attempts += 1;
        if self.attempts < MAX_ATTEMPTS { self.read() } else { Self::unavailable(Unavailable::Contention) }
    }

    fn decide(&mut self, policy: &SessionPolicy, text: Option<String>) -> Step {
        let record = match &text {
            None => Some(SubjectRecord::default()),
            Some(text) => SubjectRecord::parse(text),
        };
        let Some(record) = record else { return Self::unavailable(Unavailable::Record) };
        let now = self.now;
        let change = |next, then, events| Change { expected: text.clone(), next, then, events };
        match &self.task {
            Task::Login { label, client, replaces, claims } => {
                let sid = base64url(&self.random.sid);
                let claims = claims.clone();
                // A store may say that a swap did not happen which did.
                if let Some(session) = record.session(&sid).cloned() {
                    if session.ended.is_some() {
                        return self.settle_as_read(policy, text, record, Outcome::Refused(Refusal::Ended));
                    }
                    return self.sign(policy, None, &session, claims, true);
                }
                let (label, client, replaces) = (label.clone(), client.clone(), replaces.clone());
                let new = NewSession { sid, label, client, replaces };
                match login(&record, &new, policy, now) {
                    Some((next, session)) => {
                        let events = ended_between(&record, &next, now);
                        let change = change(next, Outcome::Live, events);
                        self.sign(policy, Some(change), &session, claims, true)
                    }
                    None => self.settle_as_read(policy, text, record, Outcome::Unavailable(Unavailable::Revocation)),
                }
            }
            Task::Refresh { presented, client } => {
                let claims = presented.claims.clone();
                match rotate(&record, presented, client.as_deref(), policy, now) {
                    Rotation::Again(session) => self.sign(policy, None, &session, claims, false),
                    Rotation::Next(next, session) => {
                        let change = change(next, Outcome::Live, Vec::new());
                        self.sign(policy, Some(change), &session, claims, true)
                    }
                    Rotation::Reused(next, kind) => {
                        let mut events = vec![Event::ReuseDetected { sid: presented.sid.clone(), kind }];
                        events.extend(ended_between(&record, &next, now));
                        let change = change(next, Outcome::Refused(Refusal::Reuse(kind)), events);
                        self.swap(policy, change)
                    }
                    Rotation::Refused(why) => self.settle_as_read(policy, text, record, Outcome::Refused(why)),
                }
            }
            Task::End { sid } => match end(&record, sid, policy, now) {
                Some(next) => {
                    let events = ended_between(&record, &next, now);
                    let change = change(next, Outcome::Ended { found: true }, events);
                    self.swap(policy, change)
                }
                None => self.settle_as_read(policy, text, record, Outcome::Ended { found: false }),
            },
            Task::EndAll if text.is_none() => Step::Done(Outcome::Ended { found: false }),
            Task::EndAll => {
                let next = end_all(&record, policy, now);
                let change = change(next, Outcome::Ended { found: true }, vec![Event::SubjectEnded]);
                self.swap(policy, change)
            }
            Task::Sweep => {
                let found = record.has_pending();
                self.settle_as_read(policy, text, record, Outcome::Ended { found })
            }
            Task::List => {
                let live = record.sessions.into_iter().filter(|session| session.is_live(now));
                Step::Done(Outcome::Sessions(live.collect()))
            }
            Task::Check { sid, version } => Step::Done(match record.session(sid) {
                Some(session) if session.ended.is_some() || session.version != *version => {
                    Outcome::Refused(Refusal::Ended)
                }
                Some(session) if session.version < record.version => Outcome::Refused(Refusal::Ended),
                Some(session) if now >= session.absolute => Outcome::Refused(Refusal::Expired),
                Some(_) => Outcome::Live,
                None => Outcome::Refused(Refusal::Unknown),
            }),
        }
    }

    /// The tokens of a session, to be signed before the record is written: a key that cannot sign must not cost the
    /// client its token.
    fn sign(
        &mut self,
        policy: &SessionPolicy,
        change: Option<Change>,
        session: &Session,
        claims: AppClaims,
        rotated: bool,
    ) -> Step {
        let [a, b] = self.random.jitter;
        let whole = policy.access_lifetime;
        // Both lie within [0, 1): the share of the jitter, and where between 75 and 90 % of the life to refresh.
        let shorter = part(whole, u64::from(policy.access_jitter) * u64::from(a), 1000 * 256);
        // A session is forgotten once its refresh token has expired; no access token may be alive then.
        let left = session.expires_at.saturating_sub(self.now);
        let lifetime = whole.saturating_sub(shorter).min(u32::try_from(left).unwrap_or(u32::MAX));
        let release = Box::new(Release {
            access: AccessToken {
                subject: self.subject.clone(),
                sid: session.sid.clone(),
                version: session.version,
                issued_at: self.now,
                lifetime,
                jti: self.random.jti,
                claims: claims.clone(),
            },
            refresh: RefreshToken::current(session, &self.subject, claims),
            rotated,
            refresh_after: part(lifetime, 75 * 256 + 15 * u64::from(b), 100 * 256).max(1),
        });
        self.stage = Stage::Signing { change, release: release.clone() };
        Step::Sign(release)
    }

    fn swap(&mut self, policy: &SessionPolicy, change: Change) -> Step {
        let (expected, next) = (change.expected.clone(), change.next.write());
        // What cannot be read again would lock the subject out.
        if next.len() > MAX_RECORD {
            return Self::unavailable(Unavailable::Record);
        }
        let expires_at = change.next.expires_at(policy, self.now);
        self.stage = Stage::Swapping(change);
        Step::Swap { expected, next, expires_at }
    }

    fn settle_as_read(
        &mut self,
        policy: &SessionPolicy,
        text: Option<String>,
        mut record: SubjectRecord,
        then: Outcome,
    ) -> Step {
        let Some(text) = text else { return Step::Done(then) };
        // What has nothing left to revoke needs no announcement.
        record.tidy(policy, self.now);
        self.settle(policy, text, record, then)
    }

    /// Announces to the revocation store what the record says was ended: of this call, and of calls that failed to. Each
    /// session has an entry of its own, also where all of a subject end: an entry that says one thing for ever cannot be
    /// weakened by a write that comes late, as one with a version in it could.
    fn settle(&mut self, policy: &SessionPolicy, text: String, record: SubjectRecord, then: Outcome) -> Step {
        let Some(config) = policy.revocation.as_ref().filter(|_| record.has_pending()) else {
            return Step::Done(then);
        };
        let writes = record.pending().map(|session| config.revoke_session(&policy.issuer, &session.sid)).collect();
        self.stage = Stage::WritingEntries(Settling { text, record, then });
        Step::WriteEntries(writes)
    }

    fn clear(&mut self, policy: &SessionPolicy, settling: Settling, written: &[bool]) -> Step {
        let Settling { text, record, then } = settling;
        let mut cleared = record.clone();
        let waiting = cleared.sessions.iter_mut().filter(|session| session.pending);
        for (session, _) in waiting.zip(written).filter(|(_, written)| **written) {
            session.pending = false;
        }
        if cleared.has_pending() {
            self.events.push(Event::RevocationPending);
        }
        let then = self.promised(then, &cleared);
        if cleared == record {
            return Step::Done(then);
        }
        self.stage = Stage::Clearing(then);
        Step::Swap { expected: Some(text), next: cleared.write(), expires_at: cleared.expires_at(policy, self.now) }
    }

    /// A login that was kept out by waiting entries is decided anew when none waits any more.
    fn cleared(&mut self, then: Outcome) -> Step {
        let kept_out = matches!((&self.task, &then), (Task::Login { .. }, Outcome::Unavailable(_)));
        if kept_out && !self.events.contains(&Event::RevocationPending) { self.again() } else { Step::Done(then) }
    }

    /// An end is acknowledged only when the revocation store knows of it.
    fn promised(&self, then: Outcome, record: &SubjectRecord) -> Outcome {
        let waits = match &self.task {
            Task::End { sid } => record.session(sid).is_some_and(|session| session.pending),
            Task::EndAll | Task::Sweep => record.has_pending(),
            _ => false,
        };
        if waits { Outcome::Unavailable(Unavailable::Revocation) } else { then }
    }
}

/// `whole * over / under`, rounded down.
fn part(whole: u32, over: u64, under: u64) -> u32 {
    u32::try_from(u64::from(whole).saturating_mul(over) / under).unwrap_or(whole)
}

fn ended_between(before: &SubjectRecord, after: &SubjectRecord, now: u64) -> Vec<Event> {
    if after.version > before.version {
        return vec![Event::SubjectEnded];
    }
    // What was live and is gone has been ended, and forgotten at once for lack of room.
    let ended = |session: &&Session| match after.session(&session.sid) {
        Some(after) => session.ended.is_none() && after.ended.is_some(),
        None => session.is_live(now),
    };
    before.sessions.iter().filter(ended).map(|session| Event::SessionEnded { sid: session.sid.clone() }).collect()
}

/// Random bytes and identifiers are left out.
impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("now", &self.now).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
