//! What has happened, as far as the safety properties must remember it, and the properties themselves: each is judged at
//! the event that could break it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use waxseal::session::{Outcome, RefreshToken, Refusal, Release, Reuse, Session, SubjectRecord, Task, Unavailable};

use crate::call::{Call, Cause};
use crate::environment::{Circulating, Edge};
use crate::property::{Broken, Property};
use crate::scenario::Scenario;
use crate::sight::{Sight, Sights};

/// What has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    /// Access tokens that were released and have not expired.
    tokens: BTreeSet<Circulating>,
    /// Sessions, from when they first stood in the record.
    births: BTreeMap<String, Birth>,
    /// Refresh tokens that were released, by session and generation, with their `jti`.
    refresh: BTreeMap<(String, u32), (RefreshToken, [u8; 16])>,
    /// Sessions of which some call has said that they are over.
    over: BTreeSet<String>,
    /// Sessions whose end was acknowledged, and when.
    acknowledged: BTreeMap<String, u64>,
}

/// What of a session must not change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Birth {
    version: u32,
    absolute: u64,
    /// When each generation was made, by the clock of the host that made it.
    generations: Vec<u64>,
    ended: bool,
}

/// Reads a record that the store holds; none is an empty one. A run reads the same few texts again and again.
#[must_use]
pub fn parse(text: Option<&str>) -> Rc<SubjectRecord> {
    thread_local!(static RECORDS: RefCell<HashMap<String, Rc<SubjectRecord>>> = RefCell::default());
    let Some(text) = text else { return Rc::default() };
    RECORDS.with_borrow_mut(|records| {
        if let Some(record) = records.get(text) {
            return Rc::clone(record);
        }
        if records.len() > 10_000 {
            records.clear();
        }
        let record = Rc::new(SubjectRecord::parse(text).unwrap_or_default());
        records.insert(text.to_owned(), Rc::clone(&record));
        record
    })
}

/// Where an event is judged.
#[derive(Debug)]
pub struct Court<'a> {
    /// The options.
    pub scenario: &'a Scenario,
    /// What is broken.
    pub broken: &'a mut Broken,
    /// What is seen.
    pub sights: &'a Sights,
    /// The revocation store.
    pub edge: &'a Edge,
    /// The time.
    pub now: u64,
}

impl History {
    /// Whether some call has said that a session is over.
    #[must_use]
    pub fn is_over(&self, sid: &str) -> bool {
        self.over.contains(sid)
    }

    /// A call has read the record: notes what it knows now of the session that it presents.
    pub fn read(scenario: &Scenario, call: &mut Call, text: Option<&str>, now: u64) {
        let Task::Refresh { presented, .. } = &call.cause.task else { return };
        let record = parse(text);
        let session = record.session(&presented.sid).filter(|session| session.version == record.version);
        call.notes.wrote = false;
        call.notes.live = session.filter(|session| session.is_live(call.now)).cloned();
        call.notes.inside = session.is_some_and(|session| {
            let behind = session.generation.checked_sub(presented.generation);
            let age = now.max(call.now).saturating_sub(session.refreshed_at);
            let in_window = age < u64::from(scenario.policy.grace);
            behind == Some(0) || behind == Some(1) && in_window
        });
    }

    /// The record was written. Returns whether more than flags has changed.
    pub fn written(&mut self, court: &mut Court<'_>, cause: &Cause, before: Option<&str>, text: &str) -> bool {
        let (before, after) = (parse(before), parse(Some(text)));
        let readable = !after.sessions.is_empty() || SubjectRecord::parse(text).is_some();
        court.broken.require(readable, Property::S8, "the record cannot be read any more");
        court.broken.require(after.version >= before.version, Property::S2, "the token version went back");
        for old in &before.sessions {
            match after.session(&old.sid) {
                Some(new) => self.changed(court, cause, (&before, old), (&after, new)),
                None => self.forgotten(court, old, after.version),
            }
        }
        for new in after.sessions.iter().filter(|new| before.session(&new.sid).is_none()) {
            court.broken.require(
                matches!(cause.task, Task::Login { .. }) && !self.births.contains_key(&new.sid) && new.generation == 0,
                Property::S2,
                "a session appeared that no login made, or appeared again",
            );
            court.broken.require(new.version == after.version, Property::S5, "a session was born with an old version");
            let birth = Birth {
                version: new.version,
                absolute: new.absolute,
                generations: vec![new.refreshed_at],
                ended: false,
            };
            self.births.insert(new.sid.clone(), birth);
        }
        if before.has_pending() && !after.has_pending() && !is_end(&cause.task) {
            court.sights.note(Sight::PendingSettled);
        }
        let known = |new: &Session| before.session(&new.sid).is_some_and(|old| essence(old) == essence(new));
        let changed = after.version != before.version || !after.sessions.iter().all(known);
        // Who clears flags may forget on the way what is over.
        changed || after.sessions.len() < before.sessions.len() && waiting(&after) >= waiting(&before)
    }

    fn changed(
        &mut self,
        court: &mut Court<'_>,
        cause: &Cause,
        (before, old): (&SubjectRecord, &Session),
        (after, new): (&SubjectRecord, &Session),
    ) {
        let Court { broken, sights, .. } = court;
        broken.require(new.generation >= old.generation, Property::S2, "a generation went back");
        broken.require(old.ended.is_none() || new.ended == old.ended, Property::S2, "an end was taken back");
        broken.require(new.absolute == old.absolute, Property::S2, "the absolute expiry moved");
        broken.require(new.expires_at <= new.absolute, Property::S2, "a refresh token outlives its session");
        broken.require(new.version == old.version, Property::S5, "the birth version of a session changed");
        if new.generation > old.generation {
            sights.note(Sight::Rotated);
            let over = old.ended.is_some() || old.version < before.version || old.version < after.version;
            broken.require(!over, Property::S3, "a rotation was written after an end");
            let window = old.refreshed_at + u64::from(court.scenario.policy.grace);
            broken.require(new.refreshed_at >= window, Property::S2, "two rotations in one window");
            let asked = matches!(&cause.task, Task::Refresh { presented, .. }
                if presented.sid == old.sid && presented.generation == old.generation);
            let once = asked && new.generation == old.generation + 1;
            broken.require(once, Property::S8, "a session was rotated by more than the one presentation");
            if let Some(birth) = self.births.get_mut(&new.sid) {
                birth.generations.push(new.refreshed_at);
            }
        }
        let ends = old.ended.is_none() && new.ended.is_some();
        if let Some(birth) = self.births.get_mut(&new.sid) {
            birth.ended |= ends;
        }
        if ends && matches!(cause.task, Task::Login { replaces: None, .. }) {
            sights.note(Sight::OldestEnded);
        }
        if old.pending && !new.pending {
            // A flag stands for an entry, until no token is left that the entry would revoke.
            let waits = |token: &Circulating| token.sid == old.sid && court.edge.judge(token, court.now, 0).0;
            let waits = self.tokens.iter().any(waits);
            court.broken.require(!waits, Property::L4, "a flag was cleared without the entry that it stands for");
        }
    }

    /// A session is no longer in the record.
    fn forgotten(&mut self, court: &mut Court<'_>, old: &Session, version: u32) {
        let announced = old.ended.is_some() && !old.pending || old.version < version;
        // By the clock of whichever host forgets it.
        let now = court.now + court.scenario.clients.iter().map(|client| client.skew).max().unwrap_or(0);
        let passed = now >= old.expires_at;
        if let Some(birth) = self.births.get_mut(&old.sid) {
            birth.ended |= !passed;
        }
        court.broken.require(announced || passed, Property::S2, "a session vanished that could still be used or ended");
        let held = self.tokens.iter().any(|token| token.sid == old.sid && now < token.until);
        court.broken.require(announced || !held, Property::S4, "a session vanished while access tokens of it live");
    }

    /// Nothing waits any more. A flag may have stayed, because the swap that clears it failed, where the entry is written.
    pub fn settled(&self, broken: &mut Broken, edge: &Edge, now: u64) {
        for token in &self.tokens {
            let ended = self.births.get(&token.sid).is_some_and(|birth| birth.ended);
            let (passes, _) = edge.judge(token, now, 0);
            broken.require(!ended || !passes, Property::L4, "a revocation is not written in the end");
        }
    }

    /// A call is over; its answer may still be on its way.
    pub fn answered(&mut self, court: &mut Court<'_>, call: &Call, outcome: &Outcome, record: Option<&str>) {
        match (&call.cause.task, outcome) {
            (Task::Refresh { presented, .. }, Outcome::Released(release)) => {
                self.refreshed(court, call, presented, release);
            }
            (Task::Refresh { presented, .. }, Outcome::Refused(why)) => {
                Self::refused(court, call, presented, *why, record);
                if matches!(why, Refusal::Reuse(_)) {
                    self.over.insert(presented.sid.clone());
                }
            }
            (Task::Login { replaces, .. }, Outcome::Released(release)) => {
                self.over.extend(replaces.clone());
                let token = Circulating::new(&release.access, court.scenario.tolerance);
                let record = parse(record);
                // Another call may have ended it before the answer was ready.
                let live = record.session(&token.sid).is_some_and(|session| session.ended.is_none());
                if live && court.now < token.until {
                    let (_, all) = court.edge.judge(&token, court.now, court.scenario.staleness);
                    court.broken.require(all, Property::L5, "the access token of a new session is refused");
                }
                if release.access.version > 0 {
                    court.sights.note(Sight::LoginAfterEndAll);
                }
            }
            (Task::End { sid }, Outcome::Ended { .. }) => self.acknowledge(court.now, [sid.clone()]),
            (Task::EndAll, Outcome::Ended { .. }) => self.acknowledge(court.now, call.notes.covers.iter().cloned()),
            (task, Outcome::Unavailable(Unavailable::Revocation)) => {
                court.sights.note(Sight::PendingLeft);
                match task {
                    Task::End { sid } => drop(self.over.insert(sid.clone())),
                    Task::EndAll => self.over.extend(call.notes.covers.iter().cloned()),
                    _ => {}
                }
            }
            (Task::Check { .. }, Outcome::Live) => {
                court.broken.require(!call.notes.after_end, Property::S4, "a strong check calls an ended session live");
            }
            (Task::Check { .. }, Outcome::Refused(Refusal::Ended)) => court.sights.note(Sight::StrongRefusal),
            (_, Outcome::Unavailable(Unavailable::Host)) => {
                court.broken.note(Property::L6, "the flow did not understand its host");
            }
            _ => {}
        }
        if let Outcome::Released(release) = outcome {
            self.released(court, call, release);
        }
    }

    fn acknowledge(&mut self, now: u64, sessions: impl IntoIterator<Item = String>) {
        for sid in sessions {
            self.over.insert(sid.clone());
            self.acknowledged.entry(sid).or_insert(now);
        }
    }

    /// What holds for tokens of any kind of call.
    fn released(&mut self, court: &mut Court<'_>, call: &Call, release: &Release) {
        let Release { access, refresh, .. } = release;
        let token = Circulating::new(access, court.scenario.tolerance);
        let key = (refresh.sid.clone(), refresh.generation);
        let given = (refresh.clone(), call.flow.identifier(release));
        let first = self.refresh.entry(key).or_insert_with(|| given.clone());
        court.broken.require(*first == given, Property::S1, "two tokens of one generation differ");
        let Some(birth) = self.births.get(&access.sid) else {
            court.broken.note(Property::S1, "tokens were released of a session that was never written");
            return;
        };
        let made = usize::try_from(refresh.generation).is_ok_and(|generation| generation < birth.generations.len());
        court.broken.require(made, Property::S1, "a generation was released that was never written");
        court.broken.require(access.version == birth.version, Property::S5, "a ver that is not the birth version");
        let latest = (token.until - court.scenario.tolerance).max(refresh.expires_at);
        court.broken.require(latest <= birth.absolute, Property::S2, "an exp beyond the absolute expiry");
        self.tokens.insert(token);
    }

    fn refreshed(&self, court: &mut Court<'_>, call: &Call, presented: &RefreshToken, release: &Release) {
        let Court { broken, sights, .. } = court;
        broken.require(!call.notes.after_end, Property::S3, "a refresh succeeded after an acknowledged end");
        let given = release.refresh.generation;
        let behind = given.checked_sub(presented.generation);
        let Some(live) = &call.notes.live else {
            broken.note(Property::S3, "a refresh succeeded that had not read a live session");
            return;
        };
        if release.rotated {
            broken.require(behind == Some(1), Property::S1, "a rotation of another generation than the presented");
            broken.require(live.generation == presented.generation, Property::S1, "a rotation of an old generation");
            return;
        }
        match behind {
            Some(0) => sights.note(Sight::Reissued),
            Some(1) => sights.note(Sight::SuccessorGiven),
            _ => broken.note(Property::S1, "an old generation was accepted"),
        }
        broken.require(given == live.generation, Property::S1, "tokens were given again that are not the current ones");
        let made =
            self.births.get(&presented.sid).and_then(|birth| birth.generations.get(usize::try_from(given).ok()?));
        let inside = made.is_some_and(|made| call.now.saturating_sub(*made) < u64::from(court.scenario.policy.grace));
        broken.require(inside, Property::S1, "the generation before was accepted outside the window");
        broken.require(inside || behind == Some(0), Property::S6, "a second presentation passed outside the window");
    }

    fn refused(court: &mut Court<'_>, call: &Call, presented: &RefreshToken, why: Refusal, record: Option<&str>) {
        let Court { broken, sights, scenario, .. } = court;
        let Refusal::Reuse(kind) = why else {
            broken.require(!call.notes.wrote, Property::S7, "a refused presentation wrote");
            broken.require(
                call.notes.live.as_ref().is_none_or(|live| live.generation == presented.generation),
                Property::S6,
                "a second presentation of a live session was refused without an end",
            );
            sights.note(match why {
                Refusal::Expired => Sight::RefusedExpired,
                Refusal::Unknown => Sight::RefusedUnknown,
                Refusal::Ended | Refusal::Reuse(_) => Sight::RefusedEnded,
            });
            return;
        };
        sights.note(if kind == Reuse::OtherClient { Sight::OtherClient } else { Sight::ReuseDetected });
        let record = parse(record);
        let ended = record.session(&presented.sid).is_none_or(|session| session.ended.is_some());
        broken.require(ended, Property::S6, "reuse was detected, and the session goes on");
        let false_alarm = call.notes.inside && kind != Reuse::OtherClient || scenario.expected.no_reuse;
        broken.require(!false_alarm, Property::L3, "reuse was found inside the window");
        broken.require(kind != Reuse::RolledBack, Property::S8, "a released generation is not in the record");
    }

    /// What must hold at the edge at any time.
    pub fn audit(&mut self, court: &mut Court<'_>, record: Option<&str>) {
        let Court { scenario, broken, sights, edge, now } = court;
        self.tokens.retain(|token| *now < token.until);
        if scenario.policy.revocation.is_none() {
            return;
        }
        let record = parse(record);
        for token in &self.tokens {
            if let Some(acknowledged) = self.acknowledged.get(&token.sid) {
                // Nobody has to write anything more: what is refused now must be until the token expires.
                let due = (*now).max(acknowledged + scenario.staleness);
                let passes = |at| edge.judge(token, at, scenario.staleness).0;
                let passes_late = passes(due) || passes(token.until - 1) && due < token.until;
                broken.require(!passes_late, Property::S4, "an access token passes after its session's end");
                if *now < due && passes(*now) {
                    sights.note(Sight::AcceptedWhileStale);
                }
            }
            let live = record.session(&token.sid).is_some_and(|session| session.ended.is_none());
            if live && token.version == record.version {
                let (_, all) = edge.judge(token, *now, scenario.staleness);
                broken.require(all, Property::S8, "a session is live in its record and refused at the edge");
            }
        }
    }
}

fn is_end(task: &Task) -> bool {
    matches!(task, Task::End { .. } | Task::EndAll)
}

/// What of a session matters to those who present its tokens.
fn essence(session: &Session) -> (u32, u64, u64, u64, u32, Option<u64>) {
    let Session { generation, refreshed_at, expires_at, absolute, version, ended, .. } = session;
    (*generation, *refreshed_at, *expires_at, *absolute, *version, *ended)
}

fn waiting(record: &SubjectRecord) -> usize {
    record.sessions.iter().filter(|session| session.pending).count()
}
