//! The state of a run, what may happen next, and what it leads to. The exhaustive check and the random schedules both go
//! through here.

mod clients;
mod end;
mod host;

use std::rc::Rc;

use waxseal::session::{RefreshToken, Step, SubjectRecord};

use crate::call::Call;
use crate::environment::{Act, Browser, Edge, LateSwap, RecordStore};
use crate::history::{Court, History, parse};
use crate::property::Broken;
use crate::scenario::{Fault, START, Scenario};
use crate::sight::{Sight, Sights};

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
