//! Long random programs of many clients in a random order, checked against the same properties.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use waxseal::revocation::RevocationConfig;
use waxseal::session::{OnReuse, SessionPolicy};
use waxseal_model::environment::{Act, Client};
use waxseal_model::plant::Plant;
use waxseal_model::scenario::{Expected, Scenario, policy};
use waxseal_model::schedule::run;
use waxseal_model::sight::Sight;

use Act::{
    Check, Login, Logout, LogoutEverywhere, LogoutUntilAcknowledged, Present, Refresh, RefreshUntilAnswered, Steal,
    Sweep, SweepInTheEnd,
};

/// A case has thousands of events, so there are few: a twentieth of what `PROPTEST_CASES` says.
fn cases() -> Config {
    let told = std::env::var_os("PROPTEST_CASES").is_some();
    let default = Config::default();
    // The last events of a run say why it failed; a shorter run of another kind would not say more.
    Config { cases: if told { default.cases.div_ceil(20) } else { 48 }, max_shrink_iters: 100, ..default }
}

fn act(browsers: usize) -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Login),
        12 => Just(Refresh),
        4 => Just(RefreshUntilAnswered),
        2 => (0..browsers).prop_map(Steal),
        3 => Just(Present),
        1 => Just(Logout),
        1 => Just(LogoutUntilAcknowledged),
        1 => Just(LogoutEverywhere),
        2 => Just(Check),
        1 => Just(Sweep),
    ]
}

/// A client of one of some browsers, thieves among them: each of them may copy the tokens of any other.
fn client() -> impl Strategy<Value = Client> {
    (0usize..4, prop::collection::vec(act(4), 20..250), 0u64..3).prop_map(|(browser, program, skew)| {
        let binding = if browser % 2 == 0 { "even" } else { "odd" };
        Client::new(browser, program).ahead(skew).bound(binding)
    })
}

/// Instants, mostly a second apart and seldom so far that something runs out.
fn instants() -> impl Strategy<Value = Vec<u64>> {
    let step = prop_oneof![30 => Just(1u64), 8 => 2u64..8, 3 => 8u64..40, 1 => 40u64..400];
    prop::collection::vec(step, 100..800).prop_map(|steps| {
        let passed = |now: &mut u64, step: u64| {
            *now += step;
            Some(*now)
        };
        steps.into_iter().scan(0, passed).collect()
    })
}

fn options() -> impl Strategy<Value = SessionPolicy> {
    (0u32..=12, 15u32..60, 0u32..200, 0u32..400, 1u32..6, any::<bool>(), 0u32..=100).prop_map(
        |(grace, access, refresh, absolute, sessions, all, jitter)| SessionPolicy {
            access_lifetime: access,
            access_jitter: jitter,
            refresh_lifetime: access + 12 + refresh,
            absolute_lifetime: access + 12 + refresh + absolute,
            grace,
            max_sessions: sessions,
            on_reuse: if all { OnReuse::EndAll } else { OnReuse::EndSession },
            revocation: Some(RevocationConfig { token_lifetime: access, ..RevocationConfig::default() }),
            ..policy()
        },
    )
}

/// Everybody does everything, and anything may fail.
fn anything() -> impl Strategy<Value = Scenario> {
    (prop::collection::vec(client(), 2..=7), instants(), options(), 2u64..20, any::<u8>()).prop_map(
        |(mut clients, instants, options, staleness, faults)| {
            clients.push(Client::new(4, [SweepInTheEnd]));
            let scenario = Scenario::new("anything", clients, instants).faults(faults);
            Scenario { policy: options, staleness, timeout: 3, tolerance: 0, ..scenario }
        },
    )
}

/// The tabs of one browser, whose owner retries what has no answer. Nobody steals and nobody signs out.
fn honest() -> impl Strategy<Value = Scenario> {
    const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
    let tabs = prop::collection::vec((20usize..150, 0u64..3), 2..=8);
    (tabs, prop::collection::vec(1u64..3, 100..800), any::<u8>()).prop_map(|(tabs, steps, faults)| {
        let signed_in = ALL.get(..tabs.len()).unwrap_or_default();
        let tab = |(refreshes, skew)| Client::new(0, vec![RefreshUntilAnswered; refreshes]).ahead(skew);
        let passed = |now: &mut u64, step: u64| {
            *now += step;
            Some(*now)
        };
        let instants: Vec<_> = steps.into_iter().scan(0, passed).collect();
        let scenario = Scenario::new("honest", tabs.into_iter().map(tab).collect::<Vec<_>>(), instants)
            .faults(faults)
            .expect(Expected { signed_in, no_reuse: true, one_rotation: false })
            .with(|policy| {
                policy.grace = 10;
                policy.refresh_lifetime = 100_000;
                policy.absolute_lifetime = 100_000;
            });
        Scenario { timeout: 3, prompt: true, ..scenario }
    })
}

/// The same cases every time.
fn examples(number: usize) -> impl Iterator<Item = (Scenario, u64)> {
    let mut runner = TestRunner::deterministic();
    let cases = (anything(), any::<u64>());
    (0..number).filter_map(move |_| cases.new_tree(&mut runner).ok().map(|case| case.current()))
}

#[test]
fn the_schedules_come_across_everything() {
    let (mut events, mut unseen) = (0, Sight::ALL.to_vec());
    for (scenario, seed) in examples(24) {
        let run = run(&scenario, seed);
        events += run.events;
        unseen.retain(|sight| !run.sights.has(*sight));
    }
    println!("{events} events in 24 runs");
    assert!(events > 24 * 1000, "{events} events");
    assert_eq!(unseen, []);
}

#[test]
fn the_schedules_find_what_is_planted() {
    let plants = [
        Plant::DenyBeforeSwap,
        Plant::FreshIdentifier,
        Plant::NoReissue,
        Plant::NewestVersion,
        Plant::DeleteOnEnd,
        Plant::TwoRecords,
    ];
    for plant in plants {
        let broken = |(scenario, seed): (Scenario, u64)| !run(&scenario.plant(plant), seed).world.broken().is_empty();
        assert!(examples(24).any(broken), "{plant:?} was not found");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_property_holds_in_long_runs_of_anybody(scenario in anything(), seed in any::<u64>()) {
        let run = run(&scenario, seed);
        prop_assert!(run.world.broken().is_empty(), "{:?} after {} events: {:?}", run.world.broken(), run.events, run.last);
    }

    #[test]
    fn honest_tabs_stay_signed_in_whatever_fails(scenario in honest(), seed in any::<u64>()) {
        let run = run(&scenario, seed);
        prop_assert!(run.world.broken().is_empty(), "{:?} after {} events: {:?}", run.world.broken(), run.events, run.last);
    }
}
