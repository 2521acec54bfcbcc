//! The check can fail: whatever is planted is found, and named by the property that it breaks.

use waxseal_model::catalogue::{device, sweeper, tab, thief};
use waxseal_model::checker::explore;
use waxseal_model::environment::Act::{
    Login, Logout, LogoutEverywhere, LogoutUntilAcknowledged, Refresh, RefreshUntilAnswered, Wait,
};
use waxseal_model::environment::Client;
use waxseal_model::plant::Plant;
use waxseal_model::property::Property::{self, L1, L2, L3, L4, L5, L6, S1, S2, S3, S4, S5, S6, S7, S8, S9};
use waxseal_model::scenario::{Expected, Fault, Scenario};

/// Explores a scenario with a fault and without, and looks for exactly what the fault breaks.
fn finds(plant: Plant, scenario: &Scenario, expected: &[Property]) {
    let sound = explore(scenario);
    let found = explore(&scenario.clone().plant(plant));
    for (property, how, run) in &found.broken {
        println!("{plant:?}: {property:?}, {how}, after {} events of {} states", run.len(), found.states);
    }
    assert!(sound.broken.is_empty(), "without the fault: {:?}", sound.broken);
    for property in expected {
        assert!(found.breaks(*property), "{plant:?} does not break {property}");
    }
}

const WINDOWS: [u64; 5] = [0, 5, 7, 10, 12];

fn everywhere(meanwhile: Client) -> Scenario {
    let everywhere = Client::new(3, [LogoutEverywhere]);
    Scenario::new("logout everywhere", [tab([]), everywhere, meanwhile], [0, 5, 7, 8, 9])
}

#[test]
fn a_deny_entry_written_before_the_swap() {
    let scenario = Scenario::new("logout", [tab([Refresh]), tab([Logout])], WINDOWS).faults(1);
    finds(Plant::DenyBeforeSwap, &scenario, &[S8]);
}

#[test]
fn a_fresh_jti_for_the_successor() {
    finds(Plant::FreshIdentifier, &Scenario::new("tabs", vec![tab([Refresh]); 2], WINDOWS), &[S1]);
}

#[test]
fn no_reissue_for_a_current_generation_inside_the_window() {
    let scenario = Scenario::new("tabs", vec![tab([Refresh]); 3], [0, 5, 6]).expect(Expected {
        signed_in: &[0, 1, 2],
        one_rotation: true,
        no_reuse: true,
    });
    finds(Plant::NoReissue, &scenario, &[S2, L2, L3]);
}

#[test]
fn no_successor_for_the_generation_before_inside_the_window() {
    let scenario = Scenario::new("a bad network", [tab([RefreshUntilAnswered])], [0, 5, 6])
        .faults(1)
        .expect(Expected { signed_in: &[0], one_rotation: true, no_reuse: true });
    finds(Plant::NoSuccessor, &scenario, &[L1, L3]);
}

#[test]
fn the_newest_version_at_refresh() {
    finds(Plant::NewestVersion, &everywhere(tab([Refresh])), &[S5]);
}

#[test]
fn deleting_the_record_on_end() {
    let clients = [tab([Refresh]), tab([LogoutUntilAcknowledged]), sweeper()];
    finds(Plant::DeleteOnEnd, &Scenario::new("logout", clients, [0, 5, 6]).faults(1), &[S2, S4, L4]);
}

#[test]
fn version_and_sessions_in_two_records() {
    finds(Plant::TwoRecords, &everywhere(tab([Refresh])), &[S3]);
}

#[test]
fn an_acknowledgement_before_the_deny_entry() {
    finds(Plant::EarlyAcknowledgement, &Scenario::new("logout", [tab([Logout])], [0, 3, 4]), &[S4]);
}

#[test]
fn a_deny_entry_that_failed_and_is_forgotten() {
    let scenario = Scenario::new("logout", [tab([Logout]), sweeper()], [0, 3, 4]).faults(1);
    finds(Plant::ForgottenEntry, &scenario, &[S4, L4]);
}

#[test]
fn a_window_that_begins_anew_at_every_presentation() {
    let scenario = Scenario::new("theft", [tab([Refresh, Refresh]), thief(&[])], [0, 5, 8, 10, 12]);
    finds(Plant::SlidingWindow, &scenario, &[S1, S6]);
}

#[test]
fn an_absolute_expiry_that_moves() {
    finds(Plant::MovingAbsolute, &Scenario::new("a tab", [tab([Refresh])], WINDOWS), &[S2]);
}

#[test]
fn reuse_that_ends_nothing() {
    finds(Plant::HarmlessReuse, &Scenario::new("theft", [tab([Refresh]), thief(&[])], WINDOWS), &[S6]);
}

#[test]
fn the_loser_of_a_swap_releases_all_the_same() {
    let scenario = Scenario::new("logout", [tab([Refresh]), tab([Logout])], WINDOWS);
    finds(Plant::LoserReleases, &scenario, &[S1]);
}

#[test]
fn tokens_of_a_swap_that_failed() {
    let scenario = Scenario::new("a tab", [tab([Refresh, Refresh])], [0, 5, 10]).faults(1);
    finds(Plant::FailureReleases, &scenario, &[S1]);
}

#[test]
fn a_store_that_does_not_compare() {
    let scenario = Scenario::new("logout", [tab([Refresh]), tab([Logout])], WINDOWS);
    finds(Plant::NoCompare, &scenario, &[S2]);
}

#[test]
fn a_record_that_is_dropped_while_an_entry_waits() {
    let scenario = Scenario::new("logout", [tab([LogoutUntilAcknowledged])], [0, 2, 5, 6]).faults(1);
    finds(Plant::EarlyExpiry, &scenario, &[S4]);
}

#[test]
fn logout_everywhere_by_time_instead_of_by_session() {
    finds(Plant::CutByTime, &everywhere(device([Login])), &[L5]);
}

#[test]
fn a_failed_refresh_that_clears_cookies() {
    let scenario = Scenario::new("a new login", [tab([Refresh]), tab([Login])], WINDOWS);
    finds(Plant::FailureClears, &scenario, &[S9]);
}

#[test]
fn a_refused_presentation_that_writes() {
    let scenario = Scenario::new("after logout", [tab([Logout]), thief(&[])], [0, 1]);
    finds(Plant::RefusalWrites, &scenario, &[S7]);
}

#[test]
fn attempts_without_end() {
    let scenario = Scenario::new("a store that is always too late", [tab([Wait, Refresh])], [0, 5])
        .faults(u8::MAX)
        .only(&[Fault::LosesSwap]);
    finds(Plant::EndlessAttempts, &scenario, &[L6]);
}
