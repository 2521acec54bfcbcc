//! Every order of events of each scenario, checked against every property.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use waxseal_model::catalogue::scenarios;
use waxseal_model::checker::explore;

fn holds(name: &str) {
    let scenarios = scenarios();
    let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == name) else {
        panic!("there is no scenario {name:?}");
    };
    let findings = explore(scenario);
    println!("{findings}");
    assert!(findings.broken.is_empty(), "{findings}");
    // Without these, the properties would hold for want of anything that could break them.
    for sight in scenario.shows {
        assert!(findings.saw(*sight), "{sight:?} was never seen");
    }
}

macro_rules! every_property_holds {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn no_scenario_is_left_out() {
            let names: Vec<_> = scenarios().into_iter().map(|scenario| scenario.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

every_property_holds! {
    three_tabs_refresh_at_once: "three tabs refresh at once",
    an_owner_retries_inside_the_window: "an owner retries inside the window",
    two_tabs_retry_inside_the_window: "two tabs retry inside the window",
    hosts_whose_clocks_differ: "hosts whose clocks differ",
    two_tabs_and_a_thief: "two tabs and a thief",
    a_thief_who_goes_on: "a thief who goes on",
    a_thief_while_things_fail: "a thief while things fail",
    a_thief_with_another_browser: "a thief with another browser",
    no_window: "no window",
    reuse_ends_every_session: "reuse ends every session",
    logout_with_a_refresh_in_flight_and_a_thief: "logout, a refresh in flight and a thief",
    logout_everywhere_with_a_refresh_in_flight_and_a_login: "logout everywhere, a refresh in flight and a login",
    logout_everywhere_twice_with_a_login_between: "logout everywhere twice with a login between",
    a_login_while_a_refresh_of_the_session_before_is_in_flight:
        "a login while a refresh of the session before is in flight",
    more_sessions_than_there_may_be: "more sessions than there may be",
    a_strong_check: "a strong check",
    the_revocation_store_fails_at_logout: "the revocation store fails at logout",
    the_revocation_store_fails_at_logout_everywhere: "the revocation store fails at logout everywhere",
    hosts_die_between_any_two_steps: "hosts die between any two steps",
    a_store_that_says_no_when_it_has_written: "a store that says no when it has written",
    sessions_run_out: "sessions run out",
    login_long_after_logout_everywhere: "login long after logout everywhere",
    access_tokens_that_live_as_long_as_refresh_tokens: "access tokens that live as long as refresh tokens",
}
