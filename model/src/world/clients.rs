//! What clients do: they begin calls, and take what answers bring.

use waxseal::session::{AppClaims, Outcome, Randomness, RefreshToken, Release, Reply, Step, Task};

use super::World;
use crate::call::{Call, Cause, Notes};
use crate::environment::{Act, Browser};
use crate::plant::{Plant, Planted};
use crate::property::Property;
use crate::scenario::Scenario;
use crate::sight::{Sight, Sights};

impl World {
    pub(super) fn browser(&self, scenario: &Scenario, index: usize) -> Browser {
        let browser = scenario.clients.get(index).and_then(|client| self.browsers.get(client.browser));
        browser.cloned().unwrap_or_default()
    }

    pub(super) fn login(&self, scenario: &Scenario, index: usize) -> Task {
        Task::Login {
            label: None,
            client: scenario.clients.get(index).and_then(|client| client.binding).map(str::to_owned),
            replaces: self.browser(scenario, index).sid().map(str::to_owned),
            claims: AppClaims::default(),
        }
    }

    /// A client begins what stands next in its program; what cannot be done, for want of a cookie, is left out.
    pub(super) fn begin(&mut self, scenario: &Scenario, index: usize) {
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

    pub(super) fn begin_call(&mut self, scenario: &Scenario, index: usize, task: Task) {
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

    /// The client never hears of its call.
    pub(super) fn unanswered(&mut self, scenario: &Scenario, index: usize) {
        let again = matches!(
            self.act(scenario, index),
            Some(Act::RefreshUntilAnswered | Act::LogoutUntilAcknowledged | Act::SweepInTheEnd)
        );
        self.finish(index, !again);
    }

    pub(super) fn act(&self, scenario: &Scenario, index: usize) -> Option<Act> {
        scenario.clients.get(index)?.program.get(self.actors.get(index)?.at).copied()
    }

    pub(super) fn finish(&mut self, index: usize, goes_on: bool) {
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
    pub(super) fn deliver(&mut self, scenario: &Scenario, sights: &Sights, index: usize) {
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
}

/// Random bytes that are different for each call, and the same in every order of events.
fn randomness(client: usize, call: u16) -> Randomness {
    let [high, low] = call.to_be_bytes();
    let mut sid = [0; 16];
    sid[..3].copy_from_slice(&[u8::try_from(client).unwrap_or(u8::MAX), high, low]);
    Randomness { sid, jti: sid, jitter: [low.wrapping_mul(89), low.wrapping_mul(57)] }
}
