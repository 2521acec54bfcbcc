//! The state of a run, what may happen next, and what it leads to. The exhaustive check and the random schedules both go
//! through here.

use std::rc::Rc;

use waxseal::session::{Outcome, Randomness, RefreshToken, Release, Reply, Step, SubjectRecord, Task};

use crate::call::{Call, Cause, Notes};
use crate::environment::{Act, Browser, Edge, LateSwap, RecordStore, Swap};
use crate::history::{Court, History, parse};
use crate::plant::{Plant, Planted, swap_one_of_two};
use crate::property::{Broken, Property};
use crate::scenario::{Fault, START, Scenario};
use crate::sight::{Sight, Sights};

/// No call may take more steps: 64 attempts of three steps each (read, sign, swap), and what an end adds.
const MAX_STEPS: u16 = 200;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Time goes on to the next instant.
    Tick,
    /// A client begins what it does next.
    Begin(usize),
    /// The host does the step of a client's call, and the flow says the next.
    Step(usize),
    /// The step goes wrong.
    Fault(usize, Fault),
    /// An answer reaches its client.
    Deliver(usize),
    /// A swap that nobody heard of happens.
    LateSwap(usize),
    /// Entries whose writing was said to have failed are written.
    LateEntries(usize),
}

/// A client, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Where in its program it is.
    pub at: usize,
    /// What it waits for.
    pub call: Option<Call>,
    /// How many calls it has begun: random bytes derive from it.
    calls: u16,
    /// A refresh token that it has copied.
    copied: Option<RefreshToken>,
    /// When it first presented what it goes on presenting.
    since: Option<u64>,
    /// The session that it goes on ending.
    ending: Option<String>,
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// How many instants have passed.
    instant: usize,
    store: RecordStore,
    edge: Edge,
    browsers: Vec<Browser>,
    actors: Vec<Actor>,
    faults: u8,
    history: History,
    broken: Broken,
    /// Whether the event at hand can have changed what the edge accepts.
    changed: bool,
}

impl World {
    /// The beginning: client 0 has signed in.
    #[must_use]
    pub fn new(scenario: &Scenario, sights: &Sights) -> Self {
        let mut world = Self {
            instant: 0,
            store: RecordStore::default(),
            edge: Edge::default(),
            browsers: vec![Browser::default(); scenario.browsers()],
            actors: vec![Actor::default(); scenario.clients.len()],
            faults: scenario.faults,
            history: History::default(),
            broken: Broken::default(),
            changed: false,
        };
        world.begin_call(scenario, 0, world.login(scenario, 0));
        while world.actors.first().is_some_and(|actor| actor.call.as_ref().is_some_and(|call| !call.is_done())) {
            world.step(scenario, sights, 0);
        }
        world.deliver(scenario, sights, 0);
        if let Some(first) = world.actors.first_mut() {
            first.at = 0;
        }
        world
    }

    /// What is broken.
    #[must_use]
    pub fn broken(&self) -> &Broken {
        &self.broken
    }

    /// The clients.
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// What the browsers hold.
    #[must_use]
    pub fn browsers(&self) -> &[Browser] {
        &self.browsers
    }

    /// The record.
    #[must_use]
    pub fn record(&self, scenario: &Scenario) -> Rc<SubjectRecord> {
        parse(self.store.read(self.now(scenario)))
    }

    /// The time.
    #[must_use]
    pub fn now(&self, scenario: &Scenario) -> u64 {
        START + scenario.instants.get(self.instant).copied().unwrap_or_default()
    }

    /// Everything that may happen next, in a fixed order. Nothing: the run is over.
    #[must_use]
    pub fn actions(&self, scenario: &Scenario) -> Vec<Action> {
        let mut actions = Vec::new();
        for (index, actor) in self.actors.iter().enumerate() {
            match &actor.call {
                None if self.may_begin(scenario, index) => actions.push(Action::Begin(index)),
                None => {}
                Some(call) => {
                    actions.push(if call.is_done() { Action::Deliver(index) } else { Action::Step(index) });
                    if self.faults > 0 {
                        let possible = scenario.kinds.iter().filter(|fault| is_possible(**fault, &call.step));
                        actions.extend(possible.map(|fault| Action::Fault(index, *fault)));
                    }
                }
            }
        }
        actions.extend((0..self.store.late()).map(Action::LateSwap));
        actions.extend((0..self.edge.late()).map(Action::LateEntries));
        if self.may_tick(scenario) {
            actions.push(Action::Tick);
        }
        actions
    }

    /// Whether somebody other than those who wait has something to do.
    fn is_busy(&self, scenario: &Scenario, waiting: usize) -> bool {
        self.actors.iter().zip(&scenario.clients).enumerate().any(|(index, (actor, client))| {
            let waits = matches!(client.program.get(actor.at), None | Some(Act::SweepInTheEnd | Act::Wait));
            index != waiting && (actor.call.is_some() || !waits)
        })
    }

    fn may_begin(&self, scenario: &Scenario, index: usize) -> bool {
        let (Some(actor), Some(client)) = (self.actors.get(index), scenario.clients.get(index)) else { return false };
        match client.program.get(actor.at) {
            None => false,
            Some(Act::Wait) => !self.is_busy(scenario, index),
            Some(Act::SweepInTheEnd) => {
                !self.is_busy(scenario, index) && self.store.late() == 0 && self.edge.late() == 0
            }
            Some(_) => true,
        }
    }

    /// Time waits for calls that would take too long (only a fault takes them out of its way), and for owners who
    /// retry inside the window.
    fn may_tick(&self, scenario: &Scenario) -> bool {
        let Some(next) = scenario.instants.get(self.instant + 1).map(|next| START + next) else { return false };
        let grace = u64::from(scenario.policy.grace);
        self.actors.iter().all(|actor| {
            let late_answers = !scenario.prompt;
            let in_time = |call: &Call| call.is_done() && late_answers || next <= call.deadline;
            let in_time = actor.call.as_ref().is_none_or(in_time);
            in_time && actor.since.is_none_or(|since| next < since + grace)
        })
    }

    /// Lets something happen.
    pub fn apply(&mut self, scenario: &Scenario, sights: &Sights, action: Action) {
        match action {
            Action::Tick => {
                self.instant += 1;
                self.changed = true;
                let now = self.now(scenario);
                self.store.forget(now);
                self.edge.forget(now, scenario.staleness);
            }
            Action::Begin(index) => self.begin(scenario, index),
            Action::Step(index) => self.step(scenario, sights, index),
            Action::Fault(index, fault) => {
                self.faults -= 1;
                self.fail(scenario, sights, index, fault);
            }
            Action::Deliver(index) => self.deliver(scenario, sights, index),
            Action::LateSwap(which) => {
                if let Some(LateSwap { swap, cause }) = self.store.arrive(which) {
                    let written = self.swap(scenario, sights, &swap, &cause).is_some();
                    sights.note(if written { Sight::LateSwapHappened } else { Sight::LateSwapLost });
                }
            }
            Action::LateEntries(which) => {
                let now = self.now(scenario);
                self.changed = true;
                for write in self.edge.arrive(which).into_iter().flatten() {
                    self.edge.write(&write, now);
                }
            }
        }
        if core::mem::take(&mut self.changed) {
            let now = self.now(scenario);
            let record = self.store.read(now).map(str::to_owned);
            let mut court = Court { scenario, broken: &mut self.broken, sights, edge: &self.edge, now };
            self.history.audit(&mut court, record.as_deref());
        }
        if self.actions(scenario).is_empty() {
            self.judge_end(scenario);
        }
    }

    fn browser(&self, scenario: &Scenario, index: usize) -> Browser {
        let browser = scenario.clients.get(index).and_then(|client| self.browsers.get(client.browser));
        browser.cloned().unwrap_or_default()
    }

    fn login(&self, scenario: &Scenario, index: usize) -> Task {
        Task::Login {
            label: None,
            client: scenario.clients.get(index).and_then(|client| client.binding).map(str::to_owned),
            replaces: self.browser(scenario, index).sid().map(str::to_owned),
            claims: waxseal::session::AppClaims::default(),
        }
    }

    /// A client begins what stands next in its program; what cannot be done, for want of a cookie, is left out.
    fn begin(&mut self, scenario: &Scenario, index: usize) {
        let now = self.now(scenario);
        let browser = self.browser(scenario, index);
        let binding = scenario.clients.get(index).and_then(|client| client.binding).map(str::to_owned);
        let login = self.login(scenario, index);
        let (Some(actor), Some(client)) = (self.actors.get_mut(index), scenario.clients.get(index)) else { return };
        let Some(act) = client.program.get(actor.at).copied() else { return };
        let refresh = |presented: Option<RefreshToken>| {
            presented.map(|presented| Task::Refresh { presented, client: binding.clone() })
        };
        let task = match act {
            Act::Login => Some(login),
            Act::Refresh => refresh(browser.refresh),
            Act::RefreshUntilAnswered => {
                actor.since = actor.since.or(Some(now));
                refresh(browser.refresh)
            }
            Act::Steal(from) => {
                actor.copied = self.browsers.get(from).and_then(|browser| browser.refresh.clone());
                None
            }
            Act::Present => refresh(actor.copied.clone()),
            Act::Logout => browser.sid().map(|sid| Task::End { sid: sid.to_owned() }),
            Act::LogoutUntilAcknowledged => {
                actor.ending = actor.ending.clone().or_else(|| browser.sid().map(str::to_owned));
                actor.ending.clone().map(|sid| Task::End { sid })
            }
            Act::LogoutEverywhere => Some(Task::EndAll),
            Act::Check => browser.access.map(|token| Task::Check { sid: token.sid, version: token.version }),
            Act::Sweep | Act::SweepInTheEnd => Some(Task::Sweep),
            Act::Wait => None,
        };
        match task {
            Some(task) => self.begin_call(scenario, index, task),
            None => self.finish(index, true),
        }
    }

    fn begin_call(&mut self, scenario: &Scenario, index: usize, task: Task) {
        let now = self.now(scenario);
        let over = |sid: &str| self.history.is_over(sid);
        let notes = Notes {
            after_end: match &task {
                Task::Refresh { presented, .. } => over(&presented.sid),
                Task::Check { sid, .. } => over(sid),
                _ => false,
            },
            covers: match &task {
                Task::EndAll => self.record(scenario).sessions.iter().map(|session| session.sid.clone()).collect(),
                _ => Vec::new(),
            },
            ..Notes::default()
        };
        let skew = scenario.clients.get(index).map_or(0, |client| client.skew);
        let Some(actor) = self.actors.get_mut(index) else { return };
        actor.calls += 1;
        let mut flow = Planted::new(task.clone(), now + skew, randomness(index, actor.calls), scenario.plant);
        let step = flow.resume(&scenario.policy, Reply::Start);
        let cause = Cause { client: index, task };
        actor.call =
            Some(Call { cause, now: now + skew, deadline: now + scenario.timeout, flow, step, steps: 1, notes });
    }

    /// The host does what the call asks for, and gives the flow the answer.
    fn step(&mut self, scenario: &Scenario, sights: &Sights, index: usize) {
        let now = self.now(scenario);
        let Some(mut call) = self.actors.get_mut(index).and_then(|actor| actor.call.take()) else { return };
        let reply = match &call.step {
            Step::Read => {
                let text = self.store.read(now).map(str::to_owned);
                if !call.flow.reads_for_itself() {
                    History::read(scenario, &mut call, text.as_deref(), now);
                }
                Reply::Record(text)
            }
            Step::Sign(_) => Reply::Signed,
            Step::Swap { expected, next, expires_at } => {
                let swap = Swap { expected: expected.clone(), next: next.clone(), expires_at: *expires_at };
                let written = self.swap(scenario, sights, &swap, &call.cause);
                call.notes.wrote |= written == Some(true);
                if written.is_none() {
                    sights.note(Sight::SwapLost);
                }
                Reply::Swapped(written.is_some())
            }
            Step::WriteEntries(writes) => {
                self.changed = true;
                for write in writes {
                    self.edge.write(write, now);
                }
                Reply::Written(vec![true; writes.len()])
            }
            Step::Done(_) => return,
        };
        self.resume(scenario, sights, index, call, reply);
    }

    fn fail(&mut self, scenario: &Scenario, sights: &Sights, index: usize, fault: Fault) {
        let now = self.now(scenario);
        let Some(mut call) = self.actors.get_mut(index).and_then(|actor| actor.call.take()) else { return };
        let reply = match (fault, &call.step) {
            (Fault::Crash | Fault::LosesAnswer, step) => {
                let crashed = !matches!(step, Step::Done(_));
                sights.note(if crashed { Sight::Crashed } else { Sight::AnswerLost });
                return self.unanswered(scenario, index);
            }
            (Fault::HappensLater, Step::Swap { expected, next, expires_at }) => {
                let swap = Swap { expected: expected.clone(), next: next.clone(), expires_at: *expires_at };
                self.store.delay(LateSwap { swap, cause: call.cause.clone() });
                Reply::Failed
            }
            (Fault::HappensDenied, Step::Swap { expected, next, expires_at }) => {
                let swap = Swap { expected: expected.clone(), next: next.clone(), expires_at: *expires_at };
                call.notes.wrote |= self.swap(scenario, sights, &swap, &call.cause) == Some(true);
                Reply::Swapped(false)
            }
            (Fault::HappensLater, Step::WriteEntries(writes)) => {
                self.edge.delay(writes.clone(), now);
                Reply::Written(vec![false; writes.len()])
            }
            (Fault::HappensInPart, Step::WriteEntries(writes)) => {
                self.changed = true;
                if let Some(first) = writes.first() {
                    self.edge.write(first, now);
                }
                Reply::Written((0..writes.len()).map(|place| place == 0).collect())
            }
            (Fault::LosesSwap, _) => Reply::Swapped(false),
            (_, Step::WriteEntries(writes)) => Reply::Written(vec![false; writes.len()]),
            (_, step) => {
                if matches!(step, Step::Sign(_)) {
                    sights.note(Sight::SigningFailed);
                }
                Reply::Failed
            }
        };
        self.resume(scenario, sights, index, call, reply);
    }

    fn resume(&mut self, scenario: &Scenario, sights: &Sights, index: usize, mut call: Call, reply: Reply) {
        call.step = call.flow.resume(&scenario.policy, reply);
        call.steps += 1;
        // Signing touches nobody else: unless it may fail, it takes no event of its own.
        let may_fail = self.faults > 0 && scenario.kinds.contains(&Fault::Fails);
        while matches!(call.step, Step::Sign(_)) && !may_fail {
            call.step = call.flow.resume(&scenario.policy, Reply::Signed);
            call.steps += 1;
        }
        self.broken.require(call.steps < MAX_STEPS, Property::L6, "a call goes on and on");
        let done = if let Step::Done(outcome) = &call.step { Some(outcome.clone()) } else { None };
        if let Some(outcome) = &done {
            self.changed = true;
            let now = self.now(scenario);
            let record = self.store.read(now).map(str::to_owned);
            let mut court = Court { scenario, broken: &mut self.broken, sights, edge: &self.edge, now };
            self.history.answered(&mut court, &call, outcome, record.as_deref());
        }
        if let Some(actor) = self.actors.get_mut(index) {
            actor.call = Some(call);
        }
        // Tokens may be long on their way; nothing depends on when other answers arrive.
        if done.is_some_and(|outcome| !matches!(outcome, Outcome::Released(_))) {
            self.deliver(scenario, sights, index);
        }
    }

    /// Swaps; `None` when it was lost, otherwise whether more than flags has changed.
    fn swap(&mut self, scenario: &Scenario, sights: &Sights, swap: &Swap, cause: &Cause) -> Option<bool> {
        let now = self.now(scenario);
        let before = self.store.read(now).map(str::to_owned);
        let swap = match scenario.plant {
            Some(Plant::TwoRecords) => &swap_one_of_two(before.as_deref(), swap, &cause.task)?,
            Some(Plant::NoCompare) => &Swap { expected: before.clone(), ..swap.clone() },
            _ => swap,
        };
        if !self.store.swap(swap, now) {
            return None;
        }
        self.changed = true;
        let mut court = Court { scenario, broken: &mut self.broken, sights, edge: &self.edge, now };
        Some(self.history.written(&mut court, cause, before.as_deref(), &swap.next))
    }

    /// The client never hears of its call.
    fn unanswered(&mut self, scenario: &Scenario, index: usize) {
        let again = matches!(
            self.act(scenario, index),
            Some(Act::RefreshUntilAnswered | Act::LogoutUntilAcknowledged | Act::SweepInTheEnd)
        );
        self.finish(index, !again);
    }

    fn act(&self, scenario: &Scenario, index: usize) -> Option<Act> {
        scenario.clients.get(index)?.program.get(self.actors.get(index)?.at).copied()
    }

    fn finish(&mut self, index: usize, goes_on: bool) {
        if let Some(actor) = self.actors.get_mut(index) {
            actor.call = None;
            if goes_on {
                actor.at += 1;
                actor.since = None;
                actor.ending = None;
            }
        }
    }

    /// An answer reaches its client.
    fn deliver(&mut self, scenario: &Scenario, sights: &Sights, index: usize) {
        let Some(call) = self.actors.get_mut(index).and_then(|actor| actor.call.take()) else { return };
        let Step::Done(outcome) = call.step else { return };
        let act = self.act(scenario, index);
        let Some(browser) = scenario.clients.get(index).and_then(|client| self.browsers.get_mut(client.browser)) else {
            return;
        };
        let mut answered = true;
        match (&call.cause.task, outcome) {
            (_, Outcome::Released(release)) => {
                if self.history.is_over(&release.access.sid) {
                    sights.note(Sight::ReleasedAfterEnd);
                }
                let Release { access, refresh, .. } = *release;
                let newer = browser
                    .refresh
                    .as_ref()
                    .is_some_and(|held| held.sid == refresh.sid && held.generation > refresh.generation);
                if !(newer && scenario.prompt) {
                    *browser = Browser { access: Some(access), refresh: Some(refresh) };
                }
            }
            (Task::End { .. }, outcome) => {
                *browser = Browser::default();
                answered = matches!(outcome, Outcome::Ended { .. });
            }
            (Task::Refresh { presented, .. }, outcome) => {
                answered = !matches!(outcome, Outcome::Unavailable(_));
                let before = browser.clone();
                if scenario.plant == Some(Plant::FailureClears) {
                    *browser = Browser::default();
                }
                self.broken.require(*browser == before, Property::S9, "a failed refresh cleared cookies");
                if browser.sid().is_some_and(|sid| sid != presented.sid) {
                    sights.note(Sight::FailedBesideNewLogin);
                }
                let honest = scenario.expected.signed_in.contains(&index);
                if honest && matches!(outcome, Outcome::Refused(_)) {
                    let retries = act == Some(Act::RefreshUntilAnswered);
                    let property = if retries { Property::L1 } else { Property::L2 };
                    self.broken.note(property, "an honest client was signed out");
                }
            }
            (Task::Sweep, outcome) => answered = matches!(outcome, Outcome::Ended { .. }),
            _ => {}
        }
        if answered { self.finish(index, true) } else { self.unanswered(scenario, index) }
    }

    /// A run is over: what must have come has come.
    fn judge_end(&mut self, scenario: &Scenario) {
        let (record, now) = (self.record(scenario), self.now(scenario));
        for (index, actor) in self.actors.iter().enumerate() {
            let program = scenario.clients.get(index).map_or(&[][..], |client| &client.program);
            let over = actor.call.is_none() && actor.at == program.len();
            self.broken.require(over, Property::L6, "a call never ended");
            if scenario.expected.signed_in.contains(&index) {
                let holds = self.browser(scenario, index).refresh;
                let grace = u64::from(scenario.policy.grace);
                let current = holds.as_ref().is_some_and(|token| {
                    let session = record.session(&token.sid).filter(|session| session.ended.is_none());
                    session.is_some_and(|session| match session.generation - token.generation {
                        0 => true,
                        behind => behind == 1 && now < session.refreshed_at + grace,
                    })
                });
                let retries = program.contains(&Act::RefreshUntilAnswered);
                let property = if retries { Property::L1 } else { Property::L2 };
                self.broken.require(current, property, "an honest client is not signed in in the end");
            }
            if program.contains(&Act::SweepInTheEnd) {
                self.history.settled(&mut self.broken, &self.edge, now);
            }
        }
        if scenario.expected.one_rotation {
            let once = record.sessions.iter().all(|session| session.generation <= 1);
            self.broken.require(once, Property::L2, "several rotations in one window");
        }
    }
}

fn is_possible(fault: Fault, step: &Step) -> bool {
    match (fault, step) {
        (Fault::LosesAnswer, Step::Done(_)) => true,
        (_, Step::Done(_)) | (Fault::LosesAnswer, _) => false,
        (Fault::Fails | Fault::Crash, _) => true,
        (Fault::HappensLater, step) => matches!(step, Step::Swap { .. } | Step::WriteEntries(_)),
        (Fault::HappensDenied | Fault::LosesSwap, step) => matches!(step, Step::Swap { .. }),
        (Fault::HappensInPart, Step::WriteEntries(writes)) => writes.len() > 1,
        (Fault::HappensInPart, _) => false,
    }
}

/// Random bytes that are different for each call, and the same in every order of events.
fn randomness(client: usize, call: u16) -> Randomness {
    let [high, low] = call.to_be_bytes();
    let mut sid = [0; 16];
    sid[..3].copy_from_slice(&[u8::try_from(client).unwrap_or(u8::MAX), high, low]);
    Randomness { sid, jti: sid, jitter: [low.wrapping_mul(89), low.wrapping_mul(57)] }
}
