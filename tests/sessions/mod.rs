//! Records, tokens and calls for the tests of sessions, and a host that answers every step as a good one does.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use waxseal::revocation::{Kind, Write};
use waxseal::session::{
    AppClaims, Event, Flow, Outcome, Randomness, RefreshToken, Reply, Session, SessionPolicy, Step, SubjectRecord, Task,
};

pub const ISSUER: &str = "https://id.example";

/// The second at which tests happen.
pub const NOW: u64 = 1_700_000_000;

pub const DAY: u64 = 86_400;

/// The default options, without jitter.
pub fn policy() -> SessionPolicy {
    SessionPolicy { access_jitter: 0, ..SessionPolicy::new(ISSUER) }
}

pub fn without_revocation() -> SessionPolicy {
    SessionPolicy { revocation: None, ..policy() }
}

/// A live session of generation 3: the login was an hour ago, the last rotation a minute.
pub fn session(sid: &str) -> Session {
    Session {
        sid: sid.to_owned(),
        generation: 3,
        created_at: NOW - 3600,
        refreshed_at: NOW - 60,
        expires_at: NOW - 60 + 7 * DAY,
        absolute: NOW - 3600 + 30 * DAY,
        version: 0,
        ended: None,
        pending: false,
        client: None,
        label: Some("Firefox".to_owned()),
    }
}

/// The session after it was ended a minute ago, and announced.
pub fn ended(sid: &str) -> Session {
    Session { ended: Some(NOW - 60), label: None, ..session(sid) }
}

/// The session after it was ended a minute ago, when the entry could not be written.
pub fn waiting(sid: &str) -> Session {
    Session { pending: true, ..ended(sid) }
}

pub fn record(sessions: impl IntoIterator<Item = Session>) -> SubjectRecord {
    SubjectRecord { sessions: sessions.into_iter().collect(), ..SubjectRecord::default() }
}

/// The token of a session's current generation.
pub fn current(session: &Session) -> RefreshToken {
    RefreshToken::current(session, "alice", AppClaims::default())
}

pub fn sids(record: &SubjectRecord) -> Vec<&str> {
    record.sessions.iter().map(|session| session.sid.as_str()).collect()
}

pub fn random(number: u8) -> Randomness {
    Randomness { sid: [number; 16], jti: [number ^ 0xff; 16], jitter: [0, 0] }
}

/// A call for alice, now.
pub fn call(task: Task) -> Flow {
    Flow::new(task, "alice", NOW, random(7))
}

/// The `sid` of a login by [`call`].
pub const NEW_SID: &str = "BwcHBwcHBwcHBwcHBwcHBw";

pub fn login() -> Task {
    Task::Login { label: None, client: None, replaces: None, claims: AppClaims::default() }
}

pub fn refresh(session: &Session) -> Task {
    Task::Refresh { presented: current(session), client: None }
}

pub fn end(sid: &str) -> Task {
    Task::End { sid: sid.to_owned() }
}

/// A login of a request that carries a session.
pub fn replacing(sid: &str) -> Task {
    Task::Login { label: None, client: None, replaces: Some(sid.to_owned()), claims: AppClaims::default() }
}

/// Presents the generation two before the current one.
pub fn replay(session: &Session) -> Task {
    let presented = RefreshToken { generation: session.generation - 2, ..current(session) };
    Task::Refresh { presented, client: None }
}

pub fn check(sid: &str, version: u32) -> Task {
    Task::Check { sid: sid.to_owned(), version }
}

/// Every call that there is, on a record of the live session `s`.
pub fn every_task() -> Vec<Task> {
    vec![
        login(),
        replacing("s"),
        refresh(&session("s")),
        replay(&session("s")),
        end("s"),
        Task::EndAll,
        Task::Sweep,
        Task::List,
        check("s", 0),
    ]
}

/// Both stores, and what was asked of them.
#[derive(Clone, Debug, Default)]
pub struct Host {
    pub record: Option<String>,
    pub entries: BTreeMap<String, String>,
    pub trace: Vec<&'static str>,
}

impl Host {
    pub fn with(record: &SubjectRecord) -> Self {
        Self { record: Some(record.write()), ..Self::default() }
    }

    /// The record as it is stored.
    pub fn stored(&self) -> SubjectRecord {
        SubjectRecord::parse(self.record.as_deref().unwrap()).unwrap()
    }

    pub fn stored_session(&self, sid: &str) -> Session {
        self.stored().session(sid).unwrap().clone()
    }

    pub fn session_entry(&self, sid: &str) -> Option<&str> {
        self.entries.get(&Kind::Session.key(ISSUER, sid)).map(String::as_str)
    }

    /// Does what a step says.
    pub fn answer(&mut self, step: &Step) -> Reply {
        match step {
            Step::Read => Reply::Record(self.record.clone()),
            Step::Sign(_) => Reply::Signed,
            Step::Swap { expected, next, .. } => {
                let swapped = self.record == *expected;
                if swapped {
                    self.record = Some(next.clone());
                }
                Reply::Swapped(swapped)
            }
            Step::WriteEntries(writes) => {
                for Write { key, value, .. } in writes {
                    self.entries.insert(key.clone(), value.clone());
                }
                Reply::Written(vec![true; writes.len()])
            }
            Step::Done(_) => panic!("a call that is over asks for nothing"),
        }
    }

    /// Runs a call to its end. `meddle` may answer a step in the host's place.
    pub fn run_with(
        &mut self,
        policy: &SessionPolicy,
        task: Task,
        meddle: impl FnMut(&mut Self, &Step) -> Option<Reply>,
    ) -> (Outcome, Vec<Event>) {
        self.drive(policy, call(task), meddle)
    }

    pub fn run(&mut self, policy: &SessionPolicy, task: Task) -> (Outcome, Vec<Event>) {
        self.run_with(policy, task, |_, _| None)
    }

    /// As [`run`](Self::run), with other random bytes.
    pub fn run_another(&mut self, policy: &SessionPolicy, task: Task) -> (Outcome, Vec<Event>) {
        self.drive(policy, Flow::new(task, "alice", NOW, random(9)), |_, _| None)
    }

    fn drive(
        &mut self,
        policy: &SessionPolicy,
        mut flow: Flow,
        mut meddle: impl FnMut(&mut Self, &Step) -> Option<Reply>,
    ) -> (Outcome, Vec<Event>) {
        let mut reply = Reply::Start;
        self.trace.clear();
        loop {
            let step = flow.resume(policy, reply);
            self.trace.push(name(&step));
            if let Step::Done(outcome) = step {
                return (outcome, flow.events().to_vec());
            }
            reply = meddle(self, &step).unwrap_or_else(|| self.answer(&step));
        }
    }
}

pub fn name(step: &Step) -> &'static str {
    match step {
        Step::Read => "read",
        Step::Sign(_) => "sign",
        Step::Swap { .. } => "swap",
        Step::WriteEntries(_) => "write entries",
        Step::Done(_) => "done",
    }
}

/// Any session that could be stored about now; most of them make sense.
pub fn any_session() -> impl Strategy<Value = Session> {
    let times = (0..40 * DAY, 0..10 * DAY, 0..10 * DAY, 1..31 * DAY);
    let texts = (proptest::option::of("[a-z]{1,3}"), proptest::option::of(any::<String>()));
    let state = (proptest::option::of(0..40 * DAY), any::<bool>(), 0..4u32);
    ("[A-Za-z0-9_-]{22}", 0..5u32, times, texts, state).prop_map(
        |(sid, generation, (born, since, life, absolute), (client, label), (ended, pending, version))| {
            let created_at = NOW - 35 * DAY + born;
            let absolute = created_at + absolute;
            let refreshed_at = (created_at + since).min(absolute);
            let ended = ended.map(|ended| created_at + ended);
            Session {
                sid,
                generation,
                created_at,
                refreshed_at,
                expires_at: (refreshed_at + life).min(absolute),
                absolute,
                version,
                ended,
                pending: pending && ended.is_some(),
                client,
                label,
            }
        },
    )
}

pub fn any_record() -> impl Strategy<Value = SubjectRecord> {
    let sessions = proptest::collection::vec(any_session(), 0..6);
    (0..6u32, sessions).prop_map(|(version, sessions)| SubjectRecord { version, sessions })
}
