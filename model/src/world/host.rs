//! What hosts do: the steps that flows ask for, and the ways in which they fail.

use waxseal::session::{Outcome, Reply, Step};

use super::World;
use crate::call::{Call, Cause};
use crate::environment::{LateSwap, Swap};
use crate::history::{Court, History};
use crate::plant::{Plant, swap_one_of_two};
use crate::property::Property;
use crate::scenario::{Fault, Scenario};
use crate::sight::{Sight, Sights};

/// No call may take more steps: 64 attempts of three steps each (read, sign, swap), and what an end adds.
const MAX_STEPS: u16 = 200;

impl World {
    /// The host does what the call asks for, and gives the flow the answer.
    pub(super) fn step(&mut self, scenario: &Scenario, sights: &Sights, index: usize) {
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

    pub(super) fn fail(&mut self, scenario: &Scenario, sights: &Sights, index: usize, fault: Fault) {
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

    pub(super) fn resume(&mut self, scenario: &Scenario, sights: &Sights, index: usize, mut call: Call, reply: Reply) {
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
    pub(super) fn swap(&mut self, scenario: &Scenario, sights: &Sights, swap: &Swap, cause: &Cause) -> Option<bool> {
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
}
