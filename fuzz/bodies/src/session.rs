//! Sessions: a program of bytes in the world of the model, held to its properties S1 to S9 and L1 to L6.
//!
//! The first bytes say who takes part and what they do, under which options; all that follow choose, one each, what happens
//! next among all that may. When they end, time and everybody go on without faults.

use arbitrary::{Result, Unstructured};
use waxseal::revocation::RevocationConfig;
use waxseal::session::{OnReuse, SessionPolicy};
use waxseal_model::environment::{Act, Client};
use waxseal_model::scenario::{Scenario, policy};
use waxseal_model::sight::Sights;
use waxseal_model::world::{Action, World};

/// Runs a program.
pub fn run(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let Ok(scenario) = scenario(&mut bytes) else { return };
    let sights = Sights::default();
    let mut world = World::new(&scenario, &sights);
    // A run ends by itself; the bound is for the fuzzer, to whom a long input is no better than a short one.
    for _ in 0..3000 {
        let actions = world.actions(&scenario);
        let Some(action) = choose(&actions, &mut bytes) else { break };
        world.apply(&scenario, &sights, action);
        assert!(world.broken().is_empty(), "{:?} broken by {action:?}", world.broken());
    }
}

fn choose(actions: &[Action], bytes: &mut Unstructured<'_>) -> Option<Action> {
    if !bytes.is_empty() {
        return bytes.choose(actions).ok().copied();
    }
    let is_calm = |action: &&Action| !matches!(action, Action::Fault(..) | Action::Tick);
    actions.iter().find(is_calm).or_else(|| actions.iter().find(|action| **action == Action::Tick)).copied()
}

fn scenario(bytes: &mut Unstructured<'_>) -> Result<Scenario> {
    let mut clients = Vec::new();
    for _ in 0..bytes.int_in_range(1..=4)? {
        clients.push(client(bytes)?);
    }
    clients.push(Client::new(4, [Act::SweepInTheEnd]));
    let mut now = 0;
    let mut instants = Vec::new();
    for _ in 0..bytes.int_in_range(4..=40)? {
        now += bytes.choose(&[1, 1, 1, 1, 2, 3, 5, 9, 20, 60])?;
        instants.push(now);
    }
    let scenario = Scenario::new("fuzz", clients, instants).faults(bytes.int_in_range(0..=20)?);
    Ok(Scenario {
        policy: options(bytes)?,
        staleness: bytes.int_in_range(2..=20)?,
        timeout: 3,
        tolerance: 0,
        ..scenario
    })
}

fn client(bytes: &mut Unstructured<'_>) -> Result<Client> {
    let browser = bytes.int_in_range(0..=3)?;
    let mut program = Vec::new();
    for _ in 0..bytes.int_in_range(1..=16)? {
        program.push(match bytes.int_in_range(0..=12)? {
            0 => Act::Login,
            1 => Act::RefreshUntilAnswered,
            2 => Act::Steal(bytes.int_in_range(0..=3)?),
            3 => Act::Present,
            4 => Act::Logout,
            5 => Act::LogoutUntilAcknowledged,
            6 => Act::LogoutEverywhere,
            7 => Act::Check,
            8 => Act::Sweep,
            _ => Act::Refresh,
        });
    }
    let binding = if browser % 2 == 0 { "even" } else { "odd" };
    Ok(Client::new(browser, program).ahead(bytes.int_in_range(0..=2)?).bound(binding))
}

fn options(bytes: &mut Unstructured<'_>) -> Result<SessionPolicy> {
    let access = bytes.int_in_range(15..=60)?;
    let refresh = access + 12 + bytes.int_in_range(0..=200)?;
    Ok(SessionPolicy {
        access_lifetime: access,
        access_jitter: bytes.int_in_range(0..=100)?,
        refresh_lifetime: refresh,
        absolute_lifetime: refresh + bytes.int_in_range(0..=400)?,
        grace: bytes.int_in_range(0..=12)?,
        max_sessions: bytes.int_in_range(1..=5)?,
        on_reuse: if bytes.arbitrary()? { OnReuse::EndAll } else { OnReuse::EndSession },
        revocation: Some(RevocationConfig { token_lifetime: access, ..RevocationConfig::default() }),
        ..policy()
    })
}
