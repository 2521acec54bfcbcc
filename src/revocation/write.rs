//! What to write to revoke, and for how long it must be kept.

use crate::time::UnixTime;

use super::RevocationConfig;
use super::entry::Entry;
use super::key::Kind;

/// The greatest clock tolerance that a verifier may have: a token can be accepted so long after its `exp`.
const TOLERANCE: u64 = 300;

/// The clocks of those who write entries and those who read them may differ by this.
const SKEW: u64 = 60;

// Workers KV refuses to keep anything for less than 60 s; with these two no entry ever comes near.
const _: () = assert!(TOLERANCE + SKEW >= 60);

/// An entry for the host to write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// For how many seconds the store must keep it at least; never under 60.
    pub ttl_seconds: u64,
}

/// Which tokens of a subject to revoke. With neither field, all that were issued until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubjectCut {
    /// Tokens with `iat` up to and including the second of this time.
    pub before: Option<UnixTime>,
    /// Tokens whose `ver` is less than this, or that have none.
    pub version: Option<u32>,
}

impl RevocationConfig {
    /// What to write to revoke one token. The entry is kept for the rest of the token's life by its own `expiration`,
    /// or for `token_lifetime` when that is not known.
    #[must_use]
    pub fn revoke_token(&self, issuer: &str, jti: &str, expiration: Option<UnixTime>, now: UnixTime) -> Write {
        let rest = expiration.map_or_else(|| self.token_lifetime.into(), |end| seconds_until(end, now));
        self.write(Kind::Token.key(issuer, jti), Entry::Revoked, rest)
    }

    /// What to write to revoke every token of a session. No token of the session may be issued afterwards.
    #[must_use]
    pub fn revoke_session(&self, issuer: &str, sid: &str) -> Write {
        self.write(Kind::Session.key(issuer, sid), Entry::Revoked, self.token_lifetime.into())
    }

    /// What to write to revoke tokens of a subject. The host reads the key first ([`Kind::key`]) and gives what it
    /// found as `existing`: the new entry is the stricter of the two in each field, so that no earlier revocation is
    /// weakened.
    ///
    /// An `existing` text that is no entry may have said anything; it is replaced by an entry that also revokes all
    /// that was issued until now, which no entry about the past can exceed.
    #[must_use]
    pub fn revoke_subject(
        &self,
        issuer: &str,
        sub: &str,
        cut: SubjectCut,
        existing: Option<&str>,
        now: UnixTime,
    ) -> Write {
        let until_now = Some(now.floor());
        let mut after = if cut == SubjectCut::default() { until_now } else { cut.before.map(UnixTime::floor) };
        let mut version = cut.version;
        match existing.map(|text| Entry::parse(Kind::Subject, text)) {
            Some(Some(Entry::Cut { after: earlier, version: least })) => {
                after = after.max(earlier);
                version = version.max(least);
            }
            Some(_) => after = after.max(until_now),
            None => {}
        }
        // A cut in the future must be kept until it lies a token's life in the past.
        let wait = after.map_or(0, |after| seconds_until(after, now));
        let kept = wait.saturating_add(self.token_lifetime.into());
        self.write(Kind::Subject.key(issuer, sub), Entry::Cut { after, version }, kept)
    }

    /// An entry outlives every token that it revokes by all that can delay the last acceptance of one.
    fn write(&self, key: String, entry: Entry, life: u64) -> Write {
        let timeout = self.timeout.as_secs().saturating_add(u64::from(self.timeout.subsec_nanos() > 0));
        let ttl_seconds = life.saturating_add(TOLERANCE + SKEW).saturating_add(timeout);
        Write { key, value: entry.text(), ttl_seconds }
    }
}

/// Seconds from `now` to a time, rounded up; 0 when it has passed.
fn seconds_until(time: UnixTime, now: UnixTime) -> u64 {
    u64::try_from(now.whole_seconds_since(time).saturating_neg()).unwrap_or(0)
}
