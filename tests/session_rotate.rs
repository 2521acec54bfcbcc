//! What a presented refresh token leads to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod sessions;

use proptest::prelude::*;
use sessions::*;
use waxseal::session::rotate::{Rotation, rotate};
use waxseal::session::{OnReuse, RefreshToken, Refusal, Reuse, Session, SessionPolicy, SubjectRecord};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Again,
    Next,
    Reused(Reuse),
    Refused(Refusal),
}

use Verdict::{Again, Next, Reused};

const PREVIOUS: Verdict = Reused(Reuse::Previous);
const OLDER: Verdict = Reused(Reuse::Older);
const OTHER: Verdict = Reused(Reuse::OtherClient);
const ROLLED_BACK: Verdict = Reused(Reuse::RolledBack);
const ENDED: Verdict = Verdict::Refused(Refusal::Ended);
const EXPIRED: Verdict = Verdict::Refused(Refusal::Expired);
const UNKNOWN: Verdict = Verdict::Refused(Refusal::Unknown);

fn verdict(rotation: &Rotation) -> Verdict {
    match rotation {
        Rotation::Again(_) => Again,
        Rotation::Next(..) => Next,
        Rotation::Reused(_, kind) => Reused(*kind),
        Rotation::Refused(why) => Verdict::Refused(*why),
    }
}

fn with_grace(grace: u32) -> SessionPolicy {
    SessionPolicy { grace, ..policy() }
}

/// The token of the generation that many before the session's own.
fn behind(session: &Session, behind: i64) -> RefreshToken {
    let generation = u32::try_from(i64::from(session.generation) - behind).unwrap();
    RefreshToken { generation, ..current(session) }
}

/// Presents the current token of the only session of a record, from a client that says nothing.
fn present(session: &Session, policy: &SessionPolicy, now: u64) -> Rotation {
    rotate(&record([session.clone()]), &current(session), None, policy, now)
}

fn rotated(rotation: Rotation) -> (SubjectRecord, Session) {
    let Rotation::Next(record, session) = rotation else { panic!("{rotation:?}") };
    (record, session)
}

fn reused(rotation: Rotation) -> (SubjectRecord, Reuse) {
    let Rotation::Reused(record, kind) = rotation else { panic!("{rotation:?}") };
    (record, kind)
}

const SAME: &[(Option<&str>, Option<&str>)] = &[(None, None), (None, Some("b")), (Some("a"), Some("a"))];
const DIFFERENT: &[(Option<&str>, Option<&str>)] = &[(Some("a"), Some("b")), (Some("a"), None)];
const ANY: &[(Option<&str>, Option<&str>)] =
    &[(None, None), (None, Some("b")), (Some("a"), Some("a")), (Some("a"), Some("b")), (Some("a"), None)];

/// One line for each generation and kind of client; one verdict for each age of the current generation.
type Line = (i64, &'static [(Option<&'static str>, Option<&'static str>)], [Verdict; 5]);

fn check(grace: u32, ages: [i64; 5], table: &[Line]) {
    for (generation, clients, verdicts) in table {
        for (recorded, presenting) in *clients {
            for (age, expected) in ages.iter().zip(verdicts) {
                let stored = Session {
                    refreshed_at: NOW.checked_add_signed(-age).unwrap(),
                    client: recorded.map(str::to_owned),
                    ..session("s")
                };
                let rotation = rotate(
                    &record([stored.clone()]),
                    &behind(&stored, *generation),
                    *presenting,
                    &with_grace(grace),
                    NOW,
                );
                assert_eq!(
                    verdict(&rotation),
                    *expected,
                    "{generation} behind, {age} s after the rotation, {presenting:?} after {recorded:?}"
                );
            }
        }
    }
}

#[test]
fn with_a_window_of_10_seconds_the_two_youngest_generations_get_the_current_token_for_10_seconds() {
    // The clock that is 5 s behind has not left the window either.
    check(
        10,
        [-5, 0, 9, 10, 3600],
        &[
            (0, SAME, [Again, Again, Again, Next, Next]),
            (0, DIFFERENT, [OTHER, OTHER, OTHER, Next, Next]),
            (1, SAME, [Again, Again, Again, PREVIOUS, PREVIOUS]),
            (1, DIFFERENT, [OTHER, OTHER, OTHER, PREVIOUS, PREVIOUS]),
            (2, ANY, [OLDER; 5]),
            (3, ANY, [OLDER; 5]),
            (-1, ANY, [ROLLED_BACK; 5]),
        ],
    );
}

#[test]
fn without_a_window_every_second_use_is_reuse() {
    check(
        0,
        [-5, 0, 1, 10, 3600],
        &[(0, ANY, [Next; 5]), (1, ANY, [PREVIOUS; 5]), (2, ANY, [OLDER; 5]), (-1, ANY, [ROLLED_BACK; 5])],
    );
    let stored = session("s");
    let token = current(&stored);
    let (after, _) = rotated(present(&stored, &with_grace(0), NOW));
    let (_, kind) = reused(rotate(&after, &token, None, &with_grace(0), NOW));
    assert_eq!(kind, Reuse::Previous, "in the very same second");
}

#[test]
fn a_session_that_is_not_live_is_refused_whatever_is_presented_and_reuse_of_it_is_no_alarm() {
    let stored = session("s");
    let expired = Session { expires_at: NOW, ..stored.clone() };
    let over = Session { expires_at: NOW + DAY, absolute: NOW, ..stored.clone() };
    let rows = [
        ("ended", record([ended("s")]), ENDED),
        ("ended, and not announced", record([waiting("s")]), ENDED),
        ("ended and expired", record([Session { expires_at: NOW, ..ended("s") }]), ENDED),
        ("of a version that has passed", SubjectRecord { version: 1, ..record([stored.clone()]) }, ENDED),
        ("expired by its sliding lifetime", record([expired]), EXPIRED),
        ("expired by its absolute lifetime", record([over]), EXPIRED),
        ("another session only", record([session("t")]), UNKNOWN),
        ("no session", record([]), UNKNOWN),
    ];
    for (what, record, expected) in rows {
        for generation in [0, 1, 2, -1] {
            for on_reuse in [OnReuse::EndSession, OnReuse::EndAll] {
                let policy = SessionPolicy { on_reuse, ..policy() };
                let rotation = rotate(&record, &behind(&stored, generation), None, &policy, NOW);
                assert_eq!(verdict(&rotation), expected, "{what}, {generation} behind");
            }
        }
    }
}

#[test]
fn a_session_expires_at_its_second_and_not_before() {
    let stored = session("s");
    assert_eq!(verdict(&present(&stored, &policy(), stored.expires_at - 1)), Next);
    assert_eq!(verdict(&present(&stored, &policy(), stored.expires_at)), EXPIRED);
    let stored = Session { refreshed_at: stored.absolute - DAY, expires_at: stored.absolute, ..stored };
    assert_eq!(verdict(&present(&stored, &policy(), stored.absolute - 1)), Next);
    assert_eq!(verdict(&present(&stored, &policy(), stored.absolute)), EXPIRED);
}

#[test]
fn the_next_generation_moves_the_times_and_nothing_else() {
    let stored = session("s");
    let (after, next) = rotated(present(&stored, &policy(), NOW));
    let expected = Session { generation: 4, refreshed_at: NOW, expires_at: NOW + 7 * DAY, ..stored };
    assert_eq!(next, expected);
    assert_eq!(after, record([expected]));
}

#[test]
fn no_refresh_moves_the_absolute_end_or_passes_it() {
    let mut stored = session("s");
    let end = stored.absolute;
    for days in [0, 6, 12, 18, 24] {
        let (_, next) = rotated(present(&stored, &policy(), NOW + days * DAY));
        assert_eq!(next.absolute, end);
        assert_eq!(next.expires_at, (NOW + (days + 7) * DAY).min(end));
        stored = next;
    }
    assert_eq!(verdict(&present(&stored, &policy(), NOW + 30 * DAY)), EXPIRED);
}

#[test]
fn a_clock_that_is_behind_moves_no_time_back() {
    let stored = Session { refreshed_at: NOW + 5, expires_at: NOW + 5 + 7 * DAY, ..session("s") };
    let (_, next) = rotated(present(&stored, &with_grace(0), NOW));
    assert_eq!((next.refreshed_at, next.expires_at), (stored.refreshed_at, stored.expires_at));
}

#[test]
fn the_last_generation_that_can_be_counted_is_given_again_and_then_expires() {
    let last = Session { generation: u32::MAX, refreshed_at: NOW, ..session("s") };
    assert_eq!(verdict(&present(&last, &policy(), NOW + 9)), Again);
    assert_eq!(verdict(&present(&last, &policy(), NOW + 10)), EXPIRED);
    let (_, next) = rotated(present(&Session { generation: u32::MAX - 1, ..last }, &policy(), NOW + 10));
    assert_eq!(next.generation, u32::MAX);
    let first = Session { generation: 0, ..session("s") };
    let farthest = RefreshToken { generation: u32::MAX, ..current(&first) };
    assert_eq!(verdict(&rotate(&record([first]), &farthest, None, &policy(), NOW)), ROLLED_BACK);
}

#[test]
fn a_token_given_again_equals_the_one_first_released_in_every_field() {
    let stored = session("s");
    let (after, next) = rotated(present(&stored, &policy(), NOW));
    let first = current(&next);
    for presented in [current(&stored), first.clone()] {
        for age in [0, 5, 9] {
            let Rotation::Again(session) = rotate(&after, &presented, None, &policy(), NOW + age) else { panic!() };
            let again = current(&session);
            assert_eq!(again, first);
            assert_eq!(again.jti(), first.jti());
            assert_eq!(again.claims(), first.claims());
            assert_eq!(again.lifetime(), first.lifetime());
        }
    }
}

#[test]
fn every_generation_of_every_session_has_its_own_jti() {
    let mut seen = std::collections::HashSet::new();
    for sid in ["s", "t", "1 s", " s"] {
        for generation in 0..200 {
            let token = RefreshToken { generation, ..current(&session(sid)) };
            assert!(seen.insert(token.jti()));
        }
    }
}

#[test]
fn the_kinds_of_reuse_have_names_that_never_change() {
    let kinds = [Reuse::Previous, Reuse::Older, Reuse::OtherClient, Reuse::RolledBack];
    assert_eq!(kinds.map(Reuse::name), ["previous", "older", "other-client", "rolled-back"]);
}

#[test]
fn the_window_belongs_to_the_client_that_rotated_last() {
    let stored = Session { client: Some("a".to_owned()), ..session("s") };
    let token = current(&stored);
    let (after, next) = rotated(rotate(&record([stored]), &token, Some("b"), &policy(), NOW));
    assert_eq!(next.client.as_deref(), Some("b"));
    assert_eq!(verdict(&rotate(&after, &token, Some("b"), &policy(), NOW)), Again);
    assert_eq!(verdict(&rotate(&after, &token, Some("a"), &policy(), NOW)), OTHER);
}

#[test]
fn reuse_ends_its_own_session_and_touches_no_other() {
    let all = [session("r"), session("s"), ended("t"), waiting("u")];
    let token = behind(&all[1], 2);
    for (policy, pending) in [(policy(), true), (without_revocation(), false)] {
        let (after, _) = reused(rotate(&record(all.clone()), &token, None, &policy, NOW));
        let mut expected = all.clone();
        expected[1] = Session { ended: Some(NOW), pending, label: None, ..expected[1].clone() };
        assert_eq!(after, record(expected));
    }
}

#[test]
fn reuse_ends_every_session_when_the_policy_says_so() {
    let before = SubjectRecord { version: 4, ..record([session("r"), session("s"), ended("t")]) };
    let before = SubjectRecord {
        sessions: before.sessions.into_iter().map(|session| Session { version: 4, ..session }).collect(),
        ..before
    };
    let policy = SessionPolicy { on_reuse: OnReuse::EndAll, ..policy() };
    let token = behind(&session("s"), 2);
    let (after, kind) = reused(rotate(&before, &token, None, &policy, NOW));
    assert_eq!(kind, Reuse::Older);
    assert_eq!(after.version, 5);
    let ends: Vec<_> = after.sessions.iter().map(|session| session.ended).collect();
    assert_eq!(ends, [Some(NOW), Some(NOW), Some(NOW - 60)]);
}

#[test]
fn after_reuse_neither_the_thief_nor_the_owner_has_the_session() {
    let stored = session("s");
    let stolen = current(&stored);
    let (after, next) = rotated(present(&stored, &policy(), NOW));
    let (after, _) = reused(rotate(&after, &stolen, None, &policy(), NOW + 10));
    for token in [stolen, current(&next)] {
        assert_eq!(verdict(&rotate(&after, &token, None, &policy(), NOW + 11)), ENDED);
    }
}

proptest! {
    #[test]
    fn a_rotation_keeps_to_its_session_and_goes_forward_only(
        before in any_record(), which in any::<prop::sample::Index>(), generation in 0..6u32, grace in 0..60u32,
        client in proptest::option::of("[a-z]{1,3}"), end_all in any::<bool>(), now in NOW - 5..NOW + DAY,
    ) {
        prop_assume!(!before.sessions.is_empty());
        let own = which.get(&before.sessions).clone();
        let on_reuse = if end_all { OnReuse::EndAll } else { OnReuse::EndSession };
        let policy = SessionPolicy { on_reuse, ..with_grace(grace) };
        let token = RefreshToken { generation, ..current(&own) };
        let rotation = rotate(&before, &token, client.as_deref(), &policy, now);
        let usable = own.is_live(now) && own.version >= before.version;
        prop_assert_eq!(!usable, matches!(rotation, Rotation::Refused(_)));
        let after = match rotation {
            Rotation::Refused(_) => return Ok(()),
            Rotation::Again(session) => {
                prop_assert_eq!(session, own);
                return Ok(());
            }
            Rotation::Next(after, next) => {
                prop_assert_eq!(generation, own.generation);
                prop_assert_eq!(next.generation, own.generation + 1);
                prop_assert!(next.refreshed_at >= own.refreshed_at);
                prop_assert!(next.expires_at <= next.absolute);
                prop_assert_eq!(&next.client, &client);
                let unmoved = Session {
                    generation: own.generation,
                    refreshed_at: own.refreshed_at,
                    expires_at: own.expires_at,
                    client: own.client.clone(),
                    ..next.clone()
                };
                prop_assert_eq!(&unmoved, &own);
                prop_assert_eq!(after.session(&own.sid), Some(&next));
                after
            }
            Rotation::Reused(after, _) => {
                prop_assert!(after.session(&own.sid).is_none_or(|session| session.ended == Some(now)));
                after
            }
        };
        prop_assert!(after.version >= before.version);
        for session in &after.sessions {
            let earlier = before.session(&session.sid).unwrap();
            prop_assert_eq!(session.absolute, earlier.absolute);
            prop_assert_eq!(session.version, earlier.version);
            prop_assert!(earlier.ended.is_none() || session.ended == earlier.ended);
            if session.sid != own.sid && after.version == before.version {
                // Of others only what has become moot may go: a waiting entry, and how a session that is over was listed.
                let mut expected = Session { pending: session.pending && earlier.pending, ..earlier.clone() };
                if !earlier.is_live(now) {
                    (expected.client, expected.label) = (None, None);
                }
                prop_assert_eq!(session, &expected, "another session has changed");
            }
        }
    }
}
