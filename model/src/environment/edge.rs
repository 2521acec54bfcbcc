//! The edge: verifiers that see the revocation store late. A read may give any value that was in force within the
//! staleness, "not found" included. Which token passes is decided by Waxseal's own plan and verdict, over everything
//! that a verifier might read.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use waxseal::UnixTime;
use waxseal::revocation::{Answer, FailurePolicy, Plan, Revocable, Write};
use waxseal::session::AccessToken;

use crate::scenario::{ISSUER, SUBJECT};

/// What of an access token matters to a verifier, once its signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Circulating {
    /// `sid`
    pub sid: String,
    /// `ver`
    pub version: u32,
    /// `iat`
    pub issued_at: u64,
    /// From when on nobody accepts it: `exp` and the tolerance of the verifiers.
    pub until: u64,
}

impl Circulating {
    /// A token that verifiers accept for so many seconds after its `exp`.
    #[must_use]
    pub fn new(token: &AccessToken, tolerance: u64) -> Self {
        Self {
            sid: token.sid.clone(),
            version: token.version,
            issued_at: token.issued_at,
            until: token.issued_at + u64::from(token.lifetime) + tolerance,
        }
    }

    /// The keys to read for it. They are digests, and a run asks for the same few again and again.
    fn plan(&self) -> Plan {
        thread_local!(static PLANS: RefCell<HashMap<Circulating, Plan>> = RefCell::default());
        let seconds = |time: u64| i64::try_from(time).ok().and_then(|time| UnixTime::from_whole_seconds(time).ok());
        let plan = || {
            Plan::new(&Revocable {
                issuer: ISSUER,
                token: "one of many",
                session: Some(&self.sid),
                subject: Some(SUBJECT),
                issued_at: seconds(self.issued_at),
                version: Some(self.version.into()),
            })
        };
        PLANS.with_borrow_mut(|plans| {
            if plans.len() > 10_000 {
                plans.clear();
            }
            plans.entry(self.clone()).or_insert_with(plan).clone()
        })
    }
}

/// The revocation store and those who read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Edge {
    /// By key, what the entry has been lately, the newest last.
    entries: BTreeMap<String, Vec<Version>>,
    late: Vec<Late>,
}

/// Writes that happen later, and when they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Late {
    writes: Vec<Write>,
    sent: u64,
}

/// Writes that take longer never happen: no connection stays open for so many seconds.
const LATEST: u64 = 60;

/// One value of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Version {
    text: String,
    written: u64,
    expires: u64,
}

impl Edge {
    /// Writes an entry, for as long as it says.
    pub fn write(&mut self, write: &Write, now: u64) {
        let version = Version { text: write.value.clone(), written: now, expires: now + write.ttl_seconds };
        let versions = self.entries.entry(write.key.clone()).or_default();
        if versions.last() != Some(&version) {
            versions.push(version);
        }
    }

    /// Keeps writes whose caller was told that they failed, and which happen later.
    pub fn delay(&mut self, writes: Vec<Write>, now: u64) {
        self.late.push(Late { writes, sent: now });
    }

    /// How many of them are still to happen.
    #[must_use]
    pub fn late(&self) -> usize {
        self.late.len()
    }

    /// Takes some of them out, for them to happen now.
    pub fn arrive(&mut self, index: usize) -> Option<Vec<Write>> {
        (index < self.late.len()).then(|| self.late.remove(index).writes)
    }

    /// Everything that a read of a key may give at a time, the newest first.
    #[must_use]
    pub fn visible(&self, key: &str, at: u64, staleness: u64) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut push = |answer| {
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        };
        let mut replaced = None;
        for version in self.entries.get(key).into_iter().flatten().rev() {
            // What was replaced or ran out longer ago than the staleness is seen by nobody.
            let in_force = |until: u64| until + staleness > at;
            if replaced.is_some_and(|when| !in_force(when)) {
                return answers;
            }
            if in_force(version.expires) {
                push(Answer::Value(version.text.clone()));
            }
            if version.expires <= at {
                push(Answer::Missing);
            }
            replaced = Some(version.written);
        }
        if replaced.is_none_or(|first| first + staleness > at) {
            push(Answer::Missing);
        }
        answers
    }

    /// What verifiers make of a token at a time: whether some of them accept it, and whether all of them do.
    #[must_use]
    pub fn judge(&self, token: &Circulating, at: u64, staleness: u64) -> (bool, bool) {
        if at >= token.until {
            return (false, false);
        }
        let plan = token.plan();
        let seen: Vec<_> = plan.keys().iter().map(|key| self.visible(key, at, staleness)).collect();
        let (mut some, mut all) = (false, true);
        for answers in combinations(&seen) {
            let passes = plan.verdict(&answers, FailurePolicy::Reject).is_ok();
            some |= passes;
            all &= passes;
        }
        (some, all)
    }

    /// Drops what no read can give any more, so that equal worlds compare equal.
    pub fn forget(&mut self, now: u64, staleness: u64) {
        for versions in self.entries.values_mut() {
            let newest_old = versions.iter().rposition(|version| version.written + staleness <= now);
            versions.drain(..newest_old.unwrap_or(0));
        }
        self.late.retain(|late| now < late.sent + LATEST);
        self.entries.retain(|_, versions| versions.iter().any(|version| version.expires + staleness > now));
    }
}

/// Every way to take one answer for each key.
fn combinations(seen: &[Vec<Answer>]) -> Vec<Vec<Answer>> {
    let mut ways = vec![Vec::new()];
    for answers in seen {
        ways = answers
            .iter()
            .map(std::slice::from_ref)
            .flat_map(|answer| ways.iter().map(move |way: &Vec<Answer>| [way.as_slice(), answer].concat()))
            .collect();
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> Write {
        Write { key: "k".to_owned(), value: value.to_owned(), ttl_seconds: 100 }
    }

    fn value(text: &str) -> Answer {
        Answer::Value(text.to_owned())
    }

    #[test]
    fn a_write_is_seen_by_some_at_once_and_by_all_after_the_staleness() {
        let mut edge = Edge::default();
        assert!(edge.visible("k", 0, 5) == [Answer::Missing]);
        edge.write(&entry("one"), 10);
        assert!(edge.visible("k", 10, 5) == [value("one"), Answer::Missing]);
        assert!(edge.visible("k", 14, 5) == [value("one"), Answer::Missing]);
        assert!(edge.visible("k", 15, 5) == [value("one")]);
        edge.write(&entry("two"), 16);
        assert!(edge.visible("k", 20, 5) == [value("two"), value("one")]);
        assert!(edge.visible("k", 21, 5) == [value("two")]);
        assert!(edge.visible("k", 118, 5) == [value("two"), Answer::Missing]);
        assert!(edge.visible("k", 121, 5) == [Answer::Missing]);
    }

    #[test]
    fn forgetting_changes_no_read() {
        let mut edge = Edge::default();
        edge.write(&entry("one"), 10);
        edge.write(&entry("two"), 12);
        edge.write(&entry("three"), 30);
        for now in 30..140 {
            let mut forgetful = edge.clone();
            forgetful.forget(now, 5);
            for at in now..now + 10 {
                assert!(forgetful.visible("k", at, 5) == edge.visible("k", at, 5), "{now} {at}");
            }
        }
    }
}
