//! The scenarios that are explored.

use waxseal::session::OnReuse;

use crate::environment::{Act, Client};
use crate::scenario::{Expected, Fault, Scenario};
use crate::sight::Sight;

use Act::{
    Check, Login, Logout, LogoutEverywhere, LogoutUntilAcknowledged, Present, Refresh, RefreshUntilAnswered, Steal,
    Sweep, SweepInTheEnd, Wait,
};

/// The browser of the owner, in which client 0 is signed in at the start.
pub const OWNER: usize = 0;
/// What the thief uses.
pub const THIEF: usize = 1;
/// Another device of the owner.
pub const DEVICE: usize = 2;

/// A tab of the owner's browser.
#[must_use]
pub fn tab(program: impl Into<Vec<Act>>) -> Client {
    Client::new(OWNER, program)
}

/// A thief who copies the owner's refresh token at some time and presents the copy later.
#[must_use]
pub fn thief(then: &[Act]) -> Client {
    Client::new(THIEF, [&[Steal(OWNER), Present], then].concat())
}

/// Another browser of the same subject.
#[must_use]
pub fn device(program: impl Into<Vec<Act>>) -> Client {
    Client::new(DEVICE, program)
}

/// A job that writes what waits.
#[must_use]
pub fn sweeper() -> Client {
    Client::new(3, [SweepInTheEnd])
}

/// Within one window, before and after the first rotation.
const ONE_WINDOW: [u64; 4] = [0, 4, 5, 8];
/// Through two windows, with their borders.
const TWO_WINDOWS: [u64; 5] = [0, 5, 7, 10, 12];

/// Every scenario, in bounds that a test has time for.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    [honest(), theft(), ends(), faults(), lives()].concat()
}

/// Nobody steals.
fn honest() -> Vec<Scenario> {
    let all_well = |signed_in| Expected { signed_in, one_rotation: true, no_reuse: true };
    vec![
        Scenario::new("three tabs refresh at once", vec![tab([Refresh]); 3], ONE_WINDOW)
            .expect(all_well(&[0, 1, 2]))
            .shows(&[Sight::Rotated, Sight::Reissued, Sight::SuccessorGiven, Sight::SwapLost]),
        Scenario::new("an owner retries inside the window", [tab([RefreshUntilAnswered; 2])], [0, 5, 6, 7, 8, 10, 11])
            .faults(3)
            .expect(Expected { signed_in: &[0], no_reuse: true, ..Expected::default() })
            .shows(&[
                Sight::Crashed,
                Sight::AnswerLost,
                Sight::SuccessorGiven,
                Sight::LateSwapHappened,
                Sight::LateSwapLost,
                Sight::SigningFailed,
            ]),
        Scenario::new("two tabs retry inside the window", vec![tab([RefreshUntilAnswered]); 2], ONE_WINDOW)
            .faults(2)
            .expect(all_well(&[0, 1]))
            .shows(&[Sight::LateSwapHappened, Sight::LateSwapLost, Sight::AnswerLost]),
        Scenario::new(
            "hosts whose clocks differ",
            [tab([Refresh, Refresh]).ahead(2), tab([Refresh]), tab([Refresh]).ahead(1)],
            [0, 4, 6, 7],
        )
        .expect(Expected { no_reuse: true, ..Expected::default() })
        .shows(&[Sight::Rotated, Sight::SuccessorGiven]),
    ]
}

/// Somebody does.
fn theft() -> Vec<Scenario> {
    vec![
        Scenario::new("two tabs and a thief", [tab([Refresh, Refresh]), tab([Refresh]), thief(&[])], TWO_WINDOWS)
            .shows(&[Sight::ReuseDetected, Sight::RefusedEnded, Sight::ReleasedAfterEnd, Sight::SuccessorGiven]),
        Scenario::new("a thief who goes on", [tab([Refresh, Refresh]), thief(&[Refresh, Refresh])], TWO_WINDOWS)
            .shows(&[Sight::ReuseDetected, Sight::RefusedEnded]),
        Scenario::new("a thief while things fail", [tab([Refresh]), thief(&[]), sweeper()], TWO_WINDOWS)
            .faults(2)
            .shows(&[Sight::ReuseDetected, Sight::PendingSettled, Sight::LateSwapHappened]),
        Scenario::new(
            "a thief with another browser",
            [tab([Refresh, Refresh]).bound("ours"), thief(&[Refresh]).bound("theirs")],
            TWO_WINDOWS,
        )
        .shows(&[Sight::OtherClient, Sight::ReuseDetected]),
        Scenario::new("no window", [tab([Refresh, Refresh]), thief(&[Refresh])], [0, 1, 3])
            .with(|policy| policy.grace = 0)
            .shows(&[Sight::ReuseDetected, Sight::Rotated]),
        Scenario::new("reuse ends every session", [tab([Refresh]), thief(&[]), device([Login, Refresh])], TWO_WINDOWS)
            .with(|policy| policy.on_reuse = OnReuse::EndAll)
            .shows(&[Sight::ReuseDetected, Sight::LoginAfterEndAll, Sight::RefusedEnded]),
    ]
}

/// The owner signs out.
fn ends() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "logout, a refresh in flight and a thief",
            [tab([Refresh]), tab([Logout]), thief(&[])],
            TWO_WINDOWS,
        )
        .shows(&[Sight::ReleasedAfterEnd, Sight::RefusedEnded, Sight::AcceptedWhileStale]),
        Scenario::new(
            "logout everywhere, a refresh in flight and a login",
            [tab([Refresh]), device([Login]), Client::new(3, [LogoutEverywhere])],
            TWO_WINDOWS,
        )
        .shows(&[
            Sight::ReleasedAfterEnd,
            Sight::LoginAfterEndAll,
            Sight::AcceptedWhileStale,
            Sight::RefusedEnded,
        ]),
        Scenario::new(
            "logout everywhere twice with a login between",
            [Client::new(3, [LogoutEverywhere]), device([Login, LogoutEverywhere])],
            [0, 2, 4],
        )
        .shows(&[Sight::LoginAfterEndAll, Sight::SwapLost]),
        Scenario::new(
            "a login while a refresh of the session before is in flight",
            [tab([Refresh, Refresh]), tab([Login])],
            TWO_WINDOWS,
        )
        .shows(&[Sight::FailedBesideNewLogin, Sight::RefusedEnded]),
        Scenario::new(
            "more sessions than there may be",
            [tab([Refresh]), device([Login]), Client::new(3, [Login])],
            [0, 5, 7],
        )
        .with(|policy| policy.max_sessions = 1)
        .shows(&[Sight::OldestEnded, Sight::RefusedEnded]),
        Scenario::new("a strong check", [tab([Check, Check]), tab([Logout]), device([LogoutEverywhere])], [0, 1])
            .shows(&[Sight::StrongRefusal]),
    ]
}

/// Parts fail.
fn faults() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "the revocation store fails at logout",
            [tab([Refresh]), tab([LogoutUntilAcknowledged]), sweeper()],
            TWO_WINDOWS,
        )
        .faults(2)
        .shows(&[Sight::PendingLeft, Sight::PendingSettled, Sight::AcceptedWhileStale]),
        Scenario::new(
            "the revocation store fails at logout everywhere",
            [tab([Logout]), device([Login, LogoutEverywhere]), sweeper()],
            [0, 2, 4],
        )
        .faults(2)
        .only(&[Fault::Fails, Fault::HappensLater, Fault::HappensInPart])
        .shows(&[Sight::PendingLeft, Sight::PendingSettled]),
        Scenario::new(
            "hosts die between any two steps",
            [tab([Refresh]), tab([LogoutUntilAcknowledged]), thief(&[]), sweeper()],
            [0, 5, 7],
        )
        .faults(2)
        .only(&[Fault::Crash])
        .shows(&[Sight::Crashed, Sight::PendingSettled]),
        Scenario::new(
            "a store that says no when it has written",
            [tab([Refresh, Refresh]), tab([Logout])],
            TWO_WINDOWS,
        )
        .faults(2)
        .only(&[Fault::HappensDenied, Fault::HappensLater])
        .shows(&[Sight::LateSwapHappened, Sight::SwapLost]),
    ]
}

/// Time passes.
fn lives() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "sessions run out",
            [tab([Refresh, Refresh, Refresh]), thief(&[])],
            [0, 5, 19, 20, 24, 39, 40, 41],
        )
        .shows(&[Sight::RefusedExpired, Sight::ReuseDetected]),
        Scenario::new(
            "login long after logout everywhere",
            [Client::new(3, [Act::LogoutEverywhere, Wait, Sweep]), device([Login, Refresh]), thief(&[])],
            [0, 2, 40, 460, 862, 863, 1290, 1292, 1726],
        )
        .faults(1)
        .only(&[Fault::Fails, Fault::HappensLater])
        .shows(&[Sight::LoginAfterEndAll, Sight::RefusedUnknown, Sight::PendingLeft]),
        Scenario::new(
            "access tokens that live as long as refresh tokens",
            [tab([Refresh, Wait, Logout]), device([Login, Login])],
            [0, 4, 10, 12],
        )
        .with(|policy| {
            policy.refresh_lifetime = policy.access_lifetime;
            policy.max_sessions = 1;
        })
        .exactly(),
    ]
}

/// Scenarios in larger bounds, for which a test has no time.
#[must_use]
pub fn larger() -> Vec<Scenario> {
    vec![
        Scenario::new("four tabs refresh at once", vec![tab([Refresh]); 4], ONE_WINDOW).expect(Expected {
            signed_in: &[0, 1, 2, 3],
            one_rotation: true,
            no_reuse: true,
        }),
        Scenario::new("three tabs retry inside the window", vec![tab([RefreshUntilAnswered]); 3], ONE_WINDOW)
            .faults(2)
            .expect(Expected { signed_in: &[0, 1, 2], one_rotation: true, no_reuse: true }),
        Scenario::new(
            "two tabs that go on and a thief",
            [tab([Refresh; 2]), tab([Refresh; 2]), thief(&[])],
            TWO_WINDOWS,
        )
        .shows(&[Sight::ReuseDetected, Sight::ReleasedAfterEnd]),
        Scenario::new(
            "a tab, a thief who goes on, and faults",
            [tab([Refresh; 2]), thief(&[Refresh]), sweeper()],
            TWO_WINDOWS,
        )
        .faults(2)
        .shows(&[Sight::ReuseDetected, Sight::PendingSettled, Sight::LateSwapHappened]),
        Scenario::new(
            "logout, a refresh in flight, a thief and faults",
            [tab([Refresh]), tab([LogoutUntilAcknowledged]), thief(&[]), sweeper()],
            [0, 5, 7, 9],
        )
        .faults(2)
        .shows(&[Sight::PendingSettled, Sight::ReleasedAfterEnd, Sight::LateSwapHappened]),
        Scenario::new(
            "logout everywhere, a refresh in flight, a login and faults",
            [tab([Refresh]), device([Login, Refresh]), Client::new(3, [LogoutEverywhere]), sweeper()],
            [0, 5, 7],
        )
        .faults(1)
        .shows(&[Sight::PendingSettled, Sight::LoginAfterEndAll, Sight::LateSwapHappened]),
        Scenario::new(
            "logout everywhere from two devices and a login",
            [tab([Refresh, LogoutEverywhere]), device([Login, LogoutEverywhere]), Client::new(3, [Login])],
            [0, 5, 8],
        )
        .shows(&[Sight::LoginAfterEndAll, Sight::RefusedEnded, Sight::SwapLost]),
    ]
}
