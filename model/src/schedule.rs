//! Random schedules: one long run of a scenario, in which a sequence of numbers decides what happens next.

use crate::scenario::Scenario;
use crate::sight::Sights;
use crate::world::{Action, World};

/// How a run went.
#[derive(Debug)]
pub struct Run {
    /// The last state.
    pub world: World,
    /// What was seen.
    pub sights: Sights,
    /// How many events there were.
    pub events: usize,
    /// The last events before the end, or before something broke.
    pub last: Vec<Action>,
}

/// Runs a scenario until nothing can happen any more, or something is broken. The seed decides on the order of events.
#[must_use]
pub fn run(scenario: &Scenario, seed: u64) -> Run {
    let mut numbers = seed;
    let sights = Sights::default();
    let mut run = Run { world: World::new(scenario, &sights), sights, events: 0, last: Vec::new() };
    while let Some(action) = choose(scenario, &run.world, next(&mut numbers)) {
        run.world.apply(scenario, &run.sights, action);
        run.events += 1;
        if run.last.len() == 60 {
            run.last.remove(0);
        }
        run.last.push(action);
        if !run.world.broken().is_empty() {
            break;
        }
    }
    run
}

/// `SplitMix64`: a good enough sequence from any seed.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Mostly somebody goes on; now and then time does, and seldom something fails.
fn choose(scenario: &Scenario, world: &World, number: u64) -> Option<Action> {
    let choice = usize::try_from(number >> 33).unwrap_or_default();
    let actions = world.actions(scenario);
    let kind = |action: &Action| match action {
        Action::Fault(..) | Action::LateSwap(_) | Action::LateEntries(_) => 0,
        Action::Tick => 1,
        _ => 2,
    };
    let wanted = match choice % 16 {
        0 => 0,
        1 | 2 => 1,
        _ => 2,
    };
    let of_kind: Vec<_> = actions.iter().filter(|action| kind(action) == wanted).collect();
    let others: Vec<_> = if of_kind.is_empty() { actions.iter().collect() } else { of_kind };
    others.get((choice / 16) % others.len().max(1)).map(|action| **action)
}
