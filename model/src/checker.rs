//! The exhaustive check: every order of events of a scenario, breadth first.

use core::fmt;
use std::sync::Arc;

use stateright::{Checker, Model, Property as Rule};

use crate::property::Property;
use crate::scenario::Scenario;
use crate::sight::{Sight, Sights};
use crate::world::{Action, World};

/// A scenario to be explored.
#[derive(Clone, Debug)]
struct Space {
    scenario: Scenario,
    sights: Arc<Sights>,
}

impl Model for Space {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scenario, &self.sights)]
    }

    fn actions(&self, state: &World, actions: &mut Vec<Action>) {
        // Where nothing is planted, what follows after something is broken says nothing.
        if state.broken().is_empty() || self.scenario.plant.is_some() {
            actions.extend(state.actions(&self.scenario));
        }
    }

    fn next_state(&self, state: &World, action: Action) -> Option<World> {
        let mut next = state.clone();
        next.apply(&self.scenario, &self.sights, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Rule<Self>> {
        macro_rules! rules {
            ($($property:ident)*) => {
                vec![$(Rule::always(Property::$property.sentence(), |_, state: &World| {
                    !state.broken().contains(Property::$property)
                })),*]
            };
        }
        rules![S1 S2 S3 S4 S5 S6 S7 S8 S9 L1 L2 L3 L4 L5 L6]
    }
}

/// What the check found.
#[derive(Debug)]
pub struct Findings {
    /// Of which scenario.
    pub name: &'static str,
    /// How many different states there are.
    pub states: usize,
    /// The number of events in the longest run, and one.
    pub depth: usize,
    /// The properties that are broken, how, and a short run that breaks them.
    pub broken: Vec<(Property, &'static str, Vec<Action>)>,
    sights: Arc<Sights>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} states, {} events deep", self.name, self.states, self.depth - 1)?;
        for (property, how, run) in &self.broken {
            write!(f, "\n  broken: {property}\n    {how}, after")?;
            run.iter().try_for_each(|action| write!(f, " {action:?}"))?;
        }
        Ok(())
    }
}

impl Findings {
    /// Whether something was seen on the way.
    #[must_use]
    pub fn saw(&self, sight: Sight) -> bool {
        self.sights.has(sight)
    }

    /// Whether a property is broken.
    #[must_use]
    pub fn breaks(&self, property: Property) -> bool {
        self.broken.iter().any(|(broken, ..)| *broken == property)
    }
}

/// Explores every order of events.
#[must_use]
pub fn explore(scenario: &Scenario) -> Findings {
    let sights = Arc::new(Sights::default());
    let space = Space { scenario: scenario.clone(), sights: Arc::clone(&sights) };
    let checker = space.checker().threads(threads()).spawn_bfs().join();
    let discoveries = checker.discoveries();
    let mut broken = Vec::new();
    for property in Property::ALL {
        if let Some(path) = discoveries.get(property.sentence()) {
            let how = path.last_state().broken().all().iter().find(|(broken, _)| *broken == property);
            broken.push((property, how.map_or("", |(_, how)| how), path.clone().into_actions()));
        }
    }
    Findings { name: scenario.name, states: checker.unique_state_count(), depth: checker.max_depth(), broken, sights }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
