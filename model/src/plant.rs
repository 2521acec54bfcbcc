//! Faults that are planted, to show that the check can fail. Each stands between the real flow and its host, or in the
//! store: the flow itself is never changed.

use waxseal::UnixTime;
use waxseal::revocation::{SubjectCut, Write};
use waxseal::session::{
    Flow, Outcome, Randomness, Refusal, Release, Reply, Session, SessionPolicy, Step, SubjectRecord, Task,
};

use crate::environment::Swap;
use crate::scenario::{ISSUER, SUBJECT};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plant {
    /// The deny entry is written before the swap.
    DenyBeforeSwap,
    /// The successor that is given again in the window has a `jti` of its own.
    FreshIdentifier,
    /// The current generation is rotated inside the window too, instead of given again.
    NoReissue,
    /// The generation before is reuse inside the window too.
    NoSuccessor,
    /// A refresh stamps the version that is the newest when it releases.
    NewestVersion,
    /// An end deletes the record of the session.
    DeleteOnEnd,
    /// Version and sessions are two records, each read and swapped by itself.
    TwoRecords,
    /// An end is acknowledged before its deny entry is written.
    EarlyAcknowledgement,
    /// A deny entry that could not be written is forgotten.
    ForgottenEntry,
    /// Every presentation inside the window begins it anew.
    SlidingWindow,
    /// A rotation gives the session its whole life again.
    MovingAbsolute,
    /// Reuse is refused, but the session goes on.
    HarmlessReuse,
    /// Tokens are released although the swap was lost to another.
    LoserReleases,
    /// Tokens are released although the swap failed.
    FailureReleases,
    /// The record store writes without comparing.
    NoCompare,
    /// The record may be dropped when no session of it is live, though a revocation entry waits to be written.
    EarlyExpiry,
    /// Logout everywhere revokes what was issued until now, instead of the sessions that there are.
    CutByTime,
    /// A refused refresh clears the cookies of the browser.
    FailureClears,
    /// A refused refresh deletes the session that it could not have.
    RefusalWrites,
    /// A call that lost a swap begins again, as if it had not tried before.
    EndlessAttempts,
}

/// A flow with a fault around it; without one, the flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Planted {
    flow: Flow,
    wrapper: Option<Box<Wrapper>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wrapper {
    plant: Plant,
    task: Task,
    now: u64,
    random: Randomness,
    /// A step of the flow that waits for one that it knows nothing of.
    held: Option<Step>,
    /// The text that the flow was shown, and the one that the store has.
    shown: Option<(String, String)>,
    /// The version, read before the sessions.
    version: Option<u32>,
    release: Option<Box<Release>>,
    swapping: bool,
    once: bool,
}

/// To whom a message goes on.
enum To {
    Host(Step),
    Flow(Reply),
}

impl Planted {
    /// A call, with something wrong or with nothing.
    #[must_use]
    pub fn new(task: Task, now: u64, random: Randomness, plant: Option<Plant>) -> Self {
        let wrapper = plant.map(|plant| {
            Box::new(Wrapper {
                plant,
                task: task.clone(),
                now,
                random: random.clone(),
                held: None,
                shown: None,
                version: None,
                release: None,
                swapping: false,
                once: false,
            })
        });
        Self { flow: Flow::new(task, SUBJECT, now, random), wrapper }
    }

    /// As [`Flow::resume`].
    pub fn resume(&mut self, policy: &SessionPolicy, reply: Reply) -> Step {
        let Self { flow, wrapper: Some(wrapper) } = self else {
            return self.flow.resume(policy, reply);
        };
        let mut step = match wrapper.reply(policy, reply) {
            To::Host(step) => return step,
            To::Flow(Reply::Start) if wrapper.plant == Plant::EndlessAttempts => {
                *flow = Flow::new(wrapper.task.clone(), SUBJECT, wrapper.now, wrapper.random.clone());
                flow.resume(policy, Reply::Start)
            }
            To::Flow(reply) => flow.resume(policy, reply),
        };
        loop {
            match wrapper.step(policy, step) {
                To::Host(step) => return step,
                To::Flow(reply) => step = flow.resume(policy, reply),
            }
        }
    }

    /// Whether the step at hand is one that the flow knows nothing of.
    #[must_use]
    pub fn reads_for_itself(&self) -> bool {
        self.wrapper.as_ref().is_some_and(|wrapper| wrapper.held.is_some())
    }

    /// The `jti` of a refresh token that is released.
    #[must_use]
    pub fn identifier(&self, release: &Release) -> [u8; 16] {
        match &self.wrapper {
            Some(wrapper) if wrapper.plant == Plant::FreshIdentifier && !release.rotated => release.access.jti,
            _ => release.refresh.jti(),
        }
    }
}

impl Wrapper {
    /// What becomes of the host's answer.
    fn reply(&mut self, policy: &SessionPolicy, reply: Reply) -> To {
        let swapping = core::mem::take(&mut self.swapping);
        match (self.plant, reply) {
            (Plant::DenyBeforeSwap, reply @ (Reply::Written(_) | Reply::Failed))
            | (Plant::SlidingWindow | Plant::RefusalWrites, reply @ (Reply::Swapped(_) | Reply::Failed)) => {
                match self.held.take() {
                    Some(step) => To::Host(step),
                    None => To::Flow(reply),
                }
            }
            (Plant::NewestVersion, reply @ (Reply::Record(_) | Reply::Failed)) => match (self.held.take(), reply) {
                (Some(Step::Done(Outcome::Released(mut release))), Reply::Record(Some(text))) => {
                    release.access.version = SubjectRecord::parse(&text).map_or(0, |record| record.version);
                    To::Host(Step::Done(Outcome::Released(release)))
                }
                (Some(done), _) => To::Host(done),
                (None, reply) => To::Flow(reply),
            },
            (Plant::NoReissue | Plant::NoSuccessor, Reply::Record(Some(text))) => {
                To::Flow(Reply::Record(Some(self.age(policy, text))))
            }
            (Plant::TwoRecords, Reply::Record(text)) => {
                let record = text.as_deref().and_then(SubjectRecord::parse).unwrap_or_default();
                match self.version.take() {
                    None => {
                        self.version = Some(record.version);
                        To::Host(Step::Read)
                    }
                    Some(version) => {
                        let composed = SubjectRecord { version, ..record };
                        To::Flow(Reply::Record(text.map(|_| composed.write())))
                    }
                }
            }
            (Plant::SlidingWindow | Plant::RefusalWrites, Reply::Record(text)) => {
                self.shown = text.clone().map(|text| (text.clone(), text));
                To::Flow(Reply::Record(text))
            }
            (Plant::ForgottenEntry, Reply::Written(written)) => To::Flow(Reply::Written(vec![true; written.len()])),
            (Plant::LoserReleases, Reply::Swapped(false)) | (Plant::FailureReleases, Reply::Failed) if swapping => {
                match self.release.take() {
                    Some(release) => To::Host(Step::Done(Outcome::Released(release))),
                    None => To::Flow(Reply::Failed),
                }
            }
            (Plant::EndlessAttempts, Reply::Swapped(false)) => To::Flow(Reply::Start),
            (_, reply) => To::Flow(reply),
        }
    }

    /// What becomes of the flow's step.
    fn step(&mut self, policy: &SessionPolicy, step: Step) -> To {
        if let Step::Sign(release) = &step {
            self.release = Some(release.clone());
        }
        self.swapping = matches!(step, Step::Swap { .. });
        let refreshes = matches!(self.task, Task::Refresh { .. });
        match (self.plant, step) {
            (Plant::DenyBeforeSwap, Step::Read) => {
                self.once = false;
                To::Host(Step::Read)
            }
            (Plant::DenyBeforeSwap, Step::Swap { expected, next, expires_at }) if !self.once => {
                self.once = true;
                let writes = announcements(policy, expected.as_deref(), &next);
                let swap = Step::Swap { expected, next, expires_at };
                if writes.is_empty() {
                    return To::Host(swap);
                }
                self.held = Some(swap);
                To::Host(Step::WriteEntries(writes))
            }
            (Plant::DenyBeforeSwap, Step::WriteEntries(writes)) => To::Flow(Reply::Written(vec![true; writes.len()])),
            (Plant::NoReissue | Plant::NoSuccessor, Step::Swap { expected, next, expires_at }) => {
                let real = self.shown.take().filter(|(shown, _)| Some(shown) == expected.as_ref());
                To::Host(Step::Swap { expected: real.map(|(_, real)| real).or(expected), next, expires_at })
            }
            (Plant::NewestVersion, done @ Step::Done(Outcome::Released(_))) if refreshes && !self.once => {
                self.once = true;
                self.held = Some(done);
                To::Host(Step::Read)
            }
            (Plant::DeleteOnEnd, Step::Swap { expected, next, expires_at }) => {
                let ended = newly_ended(expected.as_deref(), &next);
                let next = rewrite(&next, |record| record.sessions.retain(|session| !ended.contains(&session.sid)));
                To::Host(Step::Swap { expected, next, expires_at })
            }
            (Plant::EarlyAcknowledgement, Step::WriteEntries(_)) => {
                To::Host(Step::Done(Outcome::Ended { found: true }))
            }
            (Plant::SlidingWindow, done @ Step::Done(Outcome::Released(_))) if refreshes && !self.once => {
                self.once = true;
                self.slide(policy, done)
            }
            (Plant::MovingAbsolute, Step::Swap { expected, next, expires_at }) if refreshes => {
                let absolute = self.now + u64::from(policy.absolute_lifetime);
                let next = self.presented(&next, |session| session.absolute = absolute);
                To::Host(Step::Swap { expected, next, expires_at })
            }
            (Plant::HarmlessReuse, Step::Swap { expected, next, .. })
                if refreshes && !newly_ended(expected.as_deref(), &next).is_empty() =>
            {
                self.once = true;
                To::Flow(Reply::Swapped(true))
            }
            (Plant::HarmlessReuse, Step::WriteEntries(writes)) if self.once => {
                To::Flow(Reply::Written(vec![false; writes.len()]))
            }
            (Plant::EarlyExpiry, Step::Swap { expected, next, .. }) => {
                let record = SubjectRecord::parse(&next).unwrap_or_default();
                let live = record.sessions.iter().filter(|session| session.ended.is_none());
                let last = live.map(|session| session.expires_at).max();
                To::Host(Step::Swap { expected, next, expires_at: last.unwrap_or(self.now + 1) })
            }
            (Plant::CutByTime, Step::WriteEntries(writes)) if matches!(self.task, Task::EndAll) => {
                let cut = |write: Write| cut_by_time(policy, self.now).unwrap_or(write);
                To::Host(Step::WriteEntries(writes.into_iter().map(cut).collect()))
            }
            (Plant::RefusalWrites, Step::Done(Outcome::Refused(why)))
                if !self.once && matches!(why, Refusal::Ended | Refusal::Expired) =>
            {
                self.once = true;
                self.delete(Step::Done(Outcome::Refused(why)))
            }
            (_, step) => To::Host(step),
        }
    }

    /// Shows the flow a session that was rotated longer ago than the window, if it is the current generation that is
    /// presented, or the one before.
    fn age(&mut self, policy: &SessionPolicy, text: String) -> String {
        let Task::Refresh { presented, .. } = &self.task else { return text };
        let generation = presented.generation + u32::from(self.plant == Plant::NoSuccessor);
        let old = self.now.saturating_sub(policy.grace.into());
        let aged = self.presented(&text, |session| {
            if session.generation == generation {
                session.refreshed_at = session.refreshed_at.min(old);
            }
        });
        self.shown = Some((aged.clone(), text));
        aged
    }

    /// Writes that the window begins now, before the answer is given.
    fn slide(&mut self, policy: &SessionPolicy, done: Step) -> To {
        let Some((text, _)) = self.shown.take() else { return To::Host(done) };
        let now = self.now;
        let next = self.presented(&text, |session| session.refreshed_at = session.refreshed_at.max(now));
        if next == text || matches!(&done, Step::Done(Outcome::Released(release)) if release.rotated) {
            return To::Host(done);
        }
        self.held = Some(done);
        let expires_at = SubjectRecord::parse(&next).unwrap_or_default().expires_at(policy, now);
        To::Host(Step::Swap { expected: Some(text), next, expires_at })
    }

    /// Deletes the session that was presented, before the answer is given.
    fn delete(&mut self, done: Step) -> To {
        let Some((text, _)) = self.shown.take() else { return To::Host(done) };
        let Task::Refresh { presented, .. } = &self.task else { return To::Host(done) };
        let next = rewrite(&text, |record| record.sessions.retain(|session| session.sid != presented.sid));
        if next == text {
            return To::Host(done);
        }
        self.held = Some(done);
        To::Host(Step::Swap { expected: Some(text), next, expires_at: u64::MAX })
    }

    /// A record with a change to the session that is presented.
    fn presented(&self, text: &str, change: impl Fn(&mut Session)) -> String {
        let Task::Refresh { presented, .. } = &self.task else { return text.to_owned() };
        rewrite(text, |record| {
            record.sessions.iter_mut().filter(|session| session.sid == presented.sid).for_each(&change);
        })
    }
}

/// What a store makes of a swap when the version is one record and the sessions are another: an end of all swaps the
/// first, everything else the second. `None` when the swap is lost.
#[must_use]
pub fn swap_one_of_two(stored: Option<&str>, swap: &Swap, task: &Task) -> Option<Swap> {
    let read = |text: Option<&str>| text.and_then(SubjectRecord::parse).unwrap_or_default();
    let (stored_record, expected, next) = (read(stored), read(swap.expected.as_deref()), read(Some(&swap.next)));
    let merged = if matches!(task, Task::EndAll) {
        (stored_record.version == expected.version).then_some(SubjectRecord { version: next.version, ..stored_record })
    } else {
        (stored_record.sessions == expected.sessions)
            .then_some(SubjectRecord { sessions: next.sessions, ..stored_record })
    };
    let expected = stored.map(str::to_owned);
    merged.map(|record| Swap { expected, next: record.write(), expires_at: swap.expires_at })
}

fn rewrite(text: &str, change: impl FnOnce(&mut SubjectRecord)) -> String {
    let mut record = SubjectRecord::parse(text).unwrap_or_default();
    change(&mut record);
    record.write()
}

fn newly_ended(before: Option<&str>, after: &str) -> Vec<String> {
    let before = before.and_then(SubjectRecord::parse).unwrap_or_default();
    let after = SubjectRecord::parse(after).unwrap_or_default();
    let live = |sid: &str| before.session(sid).is_some_and(|session| session.ended.is_none());
    after.sessions.into_iter().filter(|now| now.ended.is_some() && live(&now.sid)).map(|session| session.sid).collect()
}

/// The entries that a swap will make necessary.
fn announcements(policy: &SessionPolicy, before: Option<&str>, after: &str) -> Vec<Write> {
    let Some(config) = &policy.revocation else { return Vec::new() };
    let before = before.and_then(SubjectRecord::parse).unwrap_or_default();
    let after = SubjectRecord::parse(after).unwrap_or_default();
    let waited = |sid: &str| before.session(sid).is_some_and(|session| session.pending);
    let new = after.sessions.iter().filter(|session| session.pending && !waited(&session.sid));
    new.map(|session| config.revoke_session(ISSUER, &session.sid)).collect()
}

/// An entry that revokes everything that was issued to the subject until now.
fn cut_by_time(policy: &SessionPolicy, now: u64) -> Option<Write> {
    let now = UnixTime::from_whole_seconds(i64::try_from(now).ok()?).ok()?;
    Some(policy.revocation.as_ref()?.revoke_subject(ISSUER, SUBJECT, SubjectCut::default(), None, now))
}
