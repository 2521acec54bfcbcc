//! What must have come when nothing can happen any more: liveness.

use super::World;
use crate::environment::Act;
use crate::property::Property;
use crate::scenario::Scenario;

impl World {
    /// A run is over: what must have come has come.
    pub(super) fn judge_end(&mut self, scenario: &Scenario) {
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
