//! The record of a subject: its token version and its sessions, as one text that a store can compare and swap. It holds
//! no token and no secret: who reads it can sign nobody in.
//!
//! Every change goes forward (a generation, a version, an end, a new random `sid`), so no text ever comes twice, and a
//! swap that compares texts cannot mistake a later state for an earlier one.

use serde_json::{Map, Value};

use super::policy::SessionPolicy;
use crate::json::{self, Object, Raw};
use crate::revocation;

/// The schema of the text. A record of another schema is not read, and never overwritten.
const SCHEMA: u32 = 1;

/// No record is longer, in bytes; a longer one is not read.
pub const MAX_RECORD: usize = 60_000;

/// How long after its last moment a session is remembered, in seconds: the greatest tolerance of a verifier, the
/// greatest grace window, and a minute by which clocks may differ. By then no token of it is accepted anywhere.
pub const RETENTION: u64 = 420;

const RECORD_MEMBERS: [&str; 3] = ["wx", "version", "sessions"];
const SESSION_MEMBERS: [&str; 11] =
    ["sid", "gen", "born", "at", "exp", "end", "ver", "ended", "pending", "client", "label"];

/// The key of a subject's record. It shows neither issuer nor subject, and no subject can be crafted to name another's.
#[must_use]
pub fn record_key(issuer: &str, subject: &str) -> String {
    revocation::digest_key("sessions", issuer, subject)
}

/// What is stored of a subject. `Default` is what a subject without a record has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubjectRecord {
    /// The token version: grows when every session is ended.
    pub version: u32,
    /// The sessions, ended ones among them, in the order of their logins.
    pub sessions: Vec<Session>,
}

/// What is stored of a session. Times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// 128 random bits in base64url.
    pub sid: String,
    /// How often the refresh token has been rotated.
    pub generation: u32,
    /// The time of the login.
    pub created_at: u64,
    /// The time of the last rotation; at first that of the login. `iat` of the current refresh token.
    pub refreshed_at: u64,
    /// `exp` of the current refresh token.
    pub expires_at: u64,
    /// When the session ends in any case. It never moves.
    pub absolute: u64,
    /// The token version of the subject at the login: `ver` of every access token of the session.
    pub version: u32,
    /// When the session was ended, if it was.
    pub ended: Option<u64>,
    /// Whether the revocation entry of the ended session waits to be written.
    pub pending: bool,
    /// A digest of what the host says of the client that rotated last.
    pub client: Option<String>,
    /// What the session is listed as.
    pub label: Option<String>,
}

impl Session {
    /// Whether the session has run out by itself.
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        now >= self.expires_at.min(self.absolute)
    }

    /// Whether it is neither ended nor expired.
    #[must_use]
    pub fn is_live(&self, now: u64) -> bool {
        self.ended.is_none() && !self.has_expired(now)
    }

    /// The last moment at which the record has to know of it.
    fn remembered_until(&self) -> u64 {
        let last = if self.ended.is_some() { self.absolute } else { self.expires_at };
        last.saturating_add(RETENTION)
    }
}

impl SubjectRecord {
    /// Reads the text of a record; `None` when it is not one that this version wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_RECORD {
            return None;
        }
        let object = json::parse_object(text.as_bytes()).ok()?;
        let known = object.iter().all(|(name, _)| RECORD_MEMBERS.contains(&name.as_ref()));
        if !known || whole(&object, "wx")? != u64::from(SCHEMA) {
            return None;
        }
        let sessions = object.member("sessions")?.array()?;
        Some(Self {
            version: small(&object, "version")?,
            sessions: sessions.into_iter().map(session).collect::<Option<_>>()?,
        })
    }

    /// The text of the record.
    #[must_use]
    pub fn write(&self) -> String {
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
        put("wx", SCHEMA.into());
        put("version", self.version.into());
        put("sessions", self.sessions.iter().map(session_value).collect());
        json::write(&Value::Object(record))
    }

    /// The session of an identifier.
    #[must_use]
    pub fn session(&self, sid: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.sid == sid)
    }

    pub(super) fn session_mut(&mut self, sid: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.sid == sid)
    }

    /// The sessions whose revocation entry waits to be written.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.pending)
    }

    /// Whether a revocation entry waits to be written.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.pending().next().is_some()
    }

    /// The time from which a store may drop the record: no token that it speaks of is accepted any more.
    #[must_use]
    pub fn expires_at(&self, policy: &SessionPolicy, now: u64) -> u64 {
        let entries = now.saturating_add(entry_matters_for(policy));
        self.sessions.iter().map(Session::remembered_until).fold(entries, u64::max)
    }

    /// Forgets what nobody can need: sessions past their time, what is known of the clients of those that are over,
    /// waiting entries that have nothing left to revoke, and of many sessions that are over those that ended first. To
    /// be unknown is to be refused, as to be ended is.
    pub(super) fn tidy(&mut self, policy: &SessionPolicy, now: u64) {
        let moot = |since: u64| since.saturating_add(entry_matters_for(policy)) <= now;
        for session in &mut self.sessions {
            session.pending &= !session.ended.is_some_and(moot);
            if !session.is_live(now) {
                session.client = None;
                session.label = None;
            }
        }
        self.sessions.retain(|session| session.pending || now < session.remembered_until());
        let limit = usize::try_from(policy.max_sessions).unwrap_or(usize::MAX);
        while self.sessions.iter().filter(|session| !session.is_live(now)).count() > limit {
            let over = self.sessions.iter().enumerate().filter(|(_, s)| !s.is_live(now) && !s.pending);
            let Some((first, _)) = over.min_by_key(|(_, s)| s.ended.unwrap_or(s.expires_at)) else { break };
            self.sessions.remove(first);
        }
    }
}

/// For how long after an end its revocation entry matters: the life of the last access token, and as long as a verifier
/// may accept it beyond.
fn entry_matters_for(policy: &SessionPolicy) -> u64 {
    u64::from(policy.access_lifetime) + RETENTION
}

fn session(raw: Raw<'_>) -> Option<Session> {
    let object = raw.object()?;
    if !object.iter().all(|(name, _)| SESSION_MEMBERS.contains(&name.as_ref())) {
        return None;
    }
    let text = |raw: Raw<'_>| raw.string().map(std::borrow::Cow::into_owned);
    Some(Session {
        sid: text(object.member("sid")?)?,
        generation: small(&object, "gen")?,
        created_at: whole(&object, "born")?,
        refreshed_at: whole(&object, "at")?,
        expires_at: whole(&object, "exp")?,
        absolute: whole(&object, "end")?,
        version: small(&object, "ver")?,
        ended: optional(&object, "ended", seconds).ok()?,
        pending: optional(&object, "pending", Raw::bool).ok()?.unwrap_or(false),
        client: optional(&object, "client", text).ok()?,
        label: optional(&object, "label", text).ok()?,
    })
}

fn session_value(session: &Session) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("sid", session.sid.as_str().into());
    put("gen", session.generation.into());
    put("born", session.created_at.into());
    put("at", session.refreshed_at.into());
    put("exp", session.expires_at.into());
    put("end", session.absolute.into());
    put("ver", session.version.into());
    if let Some(ended) = session.ended {
        put("ended", ended.into());
    }
    if session.pending {
        put("pending", true.into());
    }
    for (name, text) in [("client", &session.client), ("label", &session.label)] {
        if let Some(text) = text {
            put(name, text.as_str().into());
        }
    }
    Value::Object(object)
}

fn optional<'a, T>(object: &Object<'a>, name: &str, read: impl Fn(Raw<'a>) -> Option<T>) -> Result<Option<T>, ()> {
    match object.member(name) {
        Some(raw) => read(raw).map(Some).ok_or(()),
        None => Ok(None),
    }
}

fn whole(object: &Object<'_>, name: &str) -> Option<u64> {
    object.member(name).and_then(seconds)
}

fn small(object: &Object<'_>, name: &str) -> Option<u32> {
    whole(object, name).and_then(|number| u32::try_from(number).ok())
}

/// Digits alone, as they are written here: times until the year 9999 and counts.
fn seconds(raw: Raw<'_>) -> Option<u64> {
    raw.text().parse().ok().filter(|number| *number <= 253_402_300_799)
}
