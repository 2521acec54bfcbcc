//! What logins and ends make of a record, and how long it remembers them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod sessions;
mod support;

use proptest::prelude::*;
use sessions::*;
use waxseal::revocation::RevocationConfig;
use waxseal::session::record::{MAX_RECORD, RETENTION};
use waxseal::session::rotate::{NewSession, Rotation, end, end_all, login, rotate};
use waxseal::session::{RefreshToken, Session, SessionPolicy, SubjectRecord};

fn new(sid: &str) -> NewSession {
    NewSession { sid: sid.to_owned(), label: None, client: None, replaces: None }
}

fn limited(max_sessions: u32) -> SessionPolicy {
    SessionPolicy { max_sessions, ..policy() }
}

/// What the record is after a login that is let in.
fn entered(record: &SubjectRecord, new: &NewSession, policy: &SessionPolicy) -> SubjectRecord {
    login(record, new, policy, NOW).unwrap().0
}

fn live(record: &SubjectRecord, now: u64) -> Vec<&str> {
    record.sessions.iter().filter(|session| session.is_live(now)).map(|session| session.sid.as_str()).collect()
}

fn pending(record: &SubjectRecord) -> Vec<&str> {
    record.sessions.iter().filter(|session| session.pending).map(|session| session.sid.as_str()).collect()
}

#[test]
fn a_first_login_makes_the_record_and_a_session_of_generation_0() {
    let new = NewSession { label: Some("Firefox".to_owned()), client: Some("a".to_owned()), ..new("s") };
    let (after, session) = login(&SubjectRecord::default(), &new, &policy(), NOW).unwrap();
    let expected = Session {
        sid: "s".to_owned(),
        generation: 0,
        created_at: NOW,
        refreshed_at: NOW,
        expires_at: NOW + 7 * DAY,
        absolute: NOW + 30 * DAY,
        version: 0,
        ended: None,
        pending: false,
        client: Some("a".to_owned()),
        label: Some("Firefox".to_owned()),
    };
    assert_eq!(session, expected);
    assert_eq!(after, record([expected]));
}

#[test]
fn a_login_leaves_the_other_sessions_as_they_are() {
    let all = [session("r"), ended("s"), waiting("t")];
    let after = entered(&record(all.clone()), &new("u"), &policy());
    assert_eq!(after.sessions[..3], all);
    assert_eq!(sids(&after), ["r", "s", "t", "u"]);
}

#[test]
fn a_login_beyond_the_limit_ends_the_oldest_session_and_keeps_its_tombstone() {
    let old = Session { created_at: NOW - 7200, ..session("s") };
    let before = record([session("r"), old.clone(), session("t")]);
    let after = entered(&before, &new("u"), &limited(3));
    assert_eq!(live(&after, NOW), ["r", "t", "u"]);
    let tombstone = Session { ended: Some(NOW), pending: true, label: None, ..old };
    assert_eq!(after.session("s"), Some(&tombstone));
    let after = entered(&before, &new("u"), &SessionPolicy { revocation: None, ..limited(3) });
    assert_eq!(after.session("s"), Some(&Session { pending: false, ..tombstone }));
}

#[test]
fn a_lower_limit_ends_as_many_sessions_as_it_takes() {
    let before = record(["p", "q", "r", "s"].map(session));
    let after = entered(&before, &new("t"), &limited(2));
    assert_eq!(live(&after, NOW), ["s", "t"]);
    assert_eq!(pending(&after), ["p", "q", "r"]);
}

#[test]
fn ended_and_expired_sessions_do_not_count_towards_the_limit() {
    let expired = Session { expires_at: NOW, ..session("s") };
    let after = entered(&record([session("r"), expired.clone(), ended("t")]), &new("u"), &limited(2));
    assert_eq!(live(&after, NOW), ["r", "u"]);
    assert_eq!(after.session("s"), Some(&Session { label: None, ..expired }), "nobody lists it any more");
}

#[test]
fn a_login_ends_the_session_that_it_replaces_and_then_needs_to_end_no_other() {
    let before = record(["r", "s"].map(session));
    let after = entered(&before, &NewSession { replaces: Some("s".to_owned()), ..new("t") }, &limited(2));
    assert_eq!(live(&after, NOW), ["r", "t"]);
    assert_eq!(pending(&after), ["s"]);
    let after = entered(&before, &NewSession { replaces: Some("of another".to_owned()), ..new("t") }, &policy());
    assert_eq!(live(&after, NOW), ["r", "s", "t"]);
}

#[test]
fn a_session_is_born_with_the_version_of_its_subject_and_keeps_it() {
    let before = end_all(&record([session("s")]), &policy(), NOW);
    let (after, born) = login(&before, &new("t"), &policy(), NOW).unwrap();
    assert_eq!((before.version, born.version), (1, 1));
    let Rotation::Next(_, next) = rotate(&after, &current(&born), None, &policy(), NOW + 900) else { unreachable!() };
    assert_eq!(next.version, 1);
    let after = end_all(&after, &policy(), NOW);
    assert_eq!(after.session("t").unwrap().version, 1);
    assert_eq!(login(&after, &new("u"), &policy(), NOW).unwrap().1.version, 2);
}

#[test]
fn no_login_is_let_in_while_more_entries_wait_than_sessions_are_allowed() {
    let with = |count: u32| record((0..count).map(|number| waiting(&number.to_string())));
    assert!(login(&with(3), &new("s"), &limited(3), NOW).is_some());
    assert!(login(&with(4), &new("s"), &limited(3), NOW).is_none());
    // After the access tokens' life nothing of them waits any more.
    assert!(login(&with(4), &new("s"), &limited(3), NOW + DAY).is_some());
}

#[test]
fn an_absolute_lifetime_as_short_as_the_sliding_one_bounds_both() {
    let policy = SessionPolicy { refresh_lifetime: 86_400, absolute_lifetime: 86_400, ..policy() };
    let (_, born) = login(&SubjectRecord::default(), &new("s"), &policy, NOW).unwrap();
    assert_eq!((born.expires_at, born.absolute), (NOW + DAY, NOW + DAY));
}

#[test]
fn an_end_marks_its_session_drops_the_label_and_touches_no_other() {
    let all = [session("r"), session("s"), ended("t"), waiting("u")];
    for (policy, pending) in [(policy(), true), (without_revocation(), false)] {
        let after = end(&record(all.clone()), "s", &policy, NOW).unwrap();
        let mut expected = all.clone();
        expected[1] = Session { ended: Some(NOW), pending, label: None, ..session("s") };
        assert_eq!(after, record(expected));
    }
}

#[test]
fn what_has_ended_or_is_not_known_cannot_be_ended_again() {
    let before = record([ended("s"), waiting("t")]);
    for sid in ["s", "t", "u", ""] {
        assert_eq!(end(&before, sid, &policy(), NOW), None);
    }
    let once = end(&record([session("s")]), "s", &policy(), NOW).unwrap();
    assert_eq!(end(&once, "s", &policy(), NOW + 1), None);
}

#[test]
fn ending_all_raises_the_version_and_leaves_the_entry_of_each_session_to_write() {
    let before = SubjectRecord { version: 3, ..record([session("r"), waiting("s"), ended("t")]) };
    let after = end_all(&before, &policy(), NOW);
    assert_eq!(after.version, 4);
    assert_eq!(live(&after, NOW), [""; 0]);
    assert_eq!(pending(&after), ["r", "s"]);
    assert!(after.sessions.iter().all(|session| session.label.is_none()));
    let ends: Vec<_> = after.sessions.iter().map(|session| session.ended).collect();
    assert_eq!(ends, [Some(NOW), Some(NOW - 60), Some(NOW - 60)], "the first end is kept");
    let without = end_all(&record([session("r"), ended("t")]), &without_revocation(), NOW);
    assert_eq!(pending(&without), [""; 0]);
}

#[test]
fn ending_all_twice_raises_the_version_twice_and_ends_nothing_again() {
    let once = end_all(&record([session("s")]), &policy(), NOW);
    let twice = end_all(&once, &policy(), NOW + 10);
    assert_eq!(twice, SubjectRecord { version: 2, ..once });
}

#[test]
fn the_highest_version_is_not_passed_and_ends_everything_all_the_same() {
    let before = SubjectRecord { version: u32::MAX, ..record([Session { version: u32::MAX, ..session("s") }]) };
    let after = end_all(&before, &policy(), NOW);
    assert_eq!(after.version, u32::MAX);
    assert_eq!(live(&after, NOW), [""; 0]);
}

/// What a login at a time leaves of a record's sessions.
fn remembered(before: &SubjectRecord, now: u64) -> Vec<String> {
    let (after, _) = login(before, &new("new"), &policy(), now).unwrap();
    after.sessions.into_iter().map(|session| session.sid).filter(|sid| sid != "new").collect()
}

#[test]
fn an_expired_session_is_forgotten_once_no_verifier_can_accept_a_token_of_it() {
    let stored = session("s");
    let over = stored.expires_at + RETENTION;
    let before = record([stored]);
    assert_eq!(remembered(&before, over - 1), ["s"]);
    assert_eq!(remembered(&before, over), [""; 0]);
}

#[test]
fn an_ended_session_is_remembered_for_as_long_as_it_could_have_lived() {
    let stored = ended("s");
    let over = stored.absolute + RETENTION;
    assert!(stored.expires_at + DAY < over);
    let before = record([stored]);
    assert_eq!(remembered(&before, over - 1), ["s"]);
    assert_eq!(remembered(&before, over), [""; 0]);
}

#[test]
fn a_waiting_entry_is_dropped_when_no_access_token_is_left_to_revoke() {
    let stored = waiting("s");
    let before = record([stored.clone()]);
    let waits = |now| {
        let (after, _) = login(&before, &new("new"), &policy(), now).unwrap();
        after.has_pending()
    };
    let ended = stored.ended.unwrap();
    assert!(waits(ended + 900 + RETENTION - 1), "a token may live so long, and longer where clocks differ");
    assert!(!waits(ended + 900 + RETENTION));
}

#[test]
fn a_session_whose_entry_waits_is_remembered_beyond_its_time() {
    let stored = Session { absolute: NOW - 500, expires_at: NOW - 500, ..waiting("s") };
    assert_eq!(remembered(&record([stored.clone()]), NOW), ["s"]);
    assert_eq!(remembered(&record([Session { pending: false, ..stored }]), NOW), [""; 0]);
}

#[test]
fn of_many_ended_sessions_those_that_ended_first_are_forgotten_first() {
    // The order of logins is not the order of ends: `p` is the oldest session and the last to end.
    let at = |sid: &str, seconds: u64| Session { ended: Some(NOW - seconds), ..ended(sid) };
    let before = record([session("p"), at("q", 20), at("r", 40), at("s", 30)]);
    let policy = SessionPolicy { revocation: None, ..limited(2) };
    let after = end(&before, "p", &policy, NOW).unwrap();
    assert_eq!(sids(&after), ["p", "q"]);
}

#[test]
fn a_session_whose_entry_waits_is_not_forgotten_for_lack_of_room() {
    let before = record([waiting("p"), waiting("q"), ended("r"), ended("s"), session("t")]);
    let after = end(&before, "t", &limited(2), NOW).unwrap();
    assert_eq!(pending(&after), ["p", "q", "t"]);
}

/// The longest text that a record holds for 100 bytes of label.
fn longest_label() -> String {
    "\"\\".repeat(50)
}

/// Lets clients with long names in until no more are let in.
fn crowd(mut record: SubjectRecord, policy: &SessionPolicy) -> SubjectRecord {
    for number in 0..1000 {
        let (label, client) = (Some(longest_label()), Some("c".repeat(43)));
        let new = NewSession { label, client, ..new(&format!("{}-{number:020}", record.version % 10)) };
        let Some((next, _)) = login(&record, &new, policy, NOW) else { return record };
        record = next;
        let length = record.write().len();
        assert!(length <= MAX_RECORD, "{length} bytes with {} sessions", record.sessions.len());
    }
    unreachable!("somebody is always let in")
}

#[test]
fn the_fullest_record_with_the_longest_labels_can_be_read_again() {
    let policy = limited(100);
    // No entry can be written; then all of them are, and it begins anew among the tombstones.
    let mut record = crowd(SubjectRecord { version: u32::MAX - 1, ..SubjectRecord::default() }, &policy);
    record.version = u32::MAX;
    for session in &mut record.sessions {
        session.generation = 9_999_999;
        session.pending = false;
    }
    let mut record = crowd(record, &policy);
    assert_eq!(live(&record, NOW).len(), 100);
    assert!(pending(&record).len() > 100);
    for sid in live(&record.clone(), NOW) {
        record = end(&record, sid, &policy, NOW).unwrap();
        assert!(record.write().len() <= MAX_RECORD, "{} bytes", record.write().len());
    }
}

/// Something that happens to a record.
#[derive(Clone, Debug)]
enum Happening {
    Login { replaces: prop::sample::Index },
    Present { which: prop::sample::Index, behind: u32 },
    End(prop::sample::Index),
    EndAll,
    Announce,
    Wait(u64),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let index = any::<prop::sample::Index>;
    let happening = prop_oneof![
        8 => index().prop_map(|replaces| Happening::Login { replaces }),
        4 => (index(), 0..4u32).prop_map(|(which, behind)| Happening::Present { which, behind }),
        3 => index().prop_map(Happening::End),
        1 => Just(Happening::EndAll),
        2 => Just(Happening::Announce),
        2 => prop_oneof![0..20u64, 0..3000u64, 0..20 * DAY].prop_map(Happening::Wait),
    ];
    proptest::collection::vec(happening, 0..150)
}

fn chosen(record: &SubjectRecord, index: prop::sample::Index) -> Option<String> {
    (!record.sessions.is_empty()).then(|| index.get(&record.sessions).sid.clone())
}

proptest! {
    #![proptest_config(support::slow_cases(64))]

    #[test]
    fn whatever_happens_a_record_is_bounded_and_outlives_what_it_remembers(
        happenings in happenings(), max_sessions in 1..6u32, grace in 0..60u32, life in prop_oneof![Just(900u32), 1..86_400u32],
    ) {
        let revocation = Some(RevocationConfig { token_lifetime: life, ..RevocationConfig::default() });
        let policy = SessionPolicy { max_sessions, grace, revocation, access_lifetime: life.min(900), ..policy() };
        policy.validate().unwrap();
        let limit = usize::try_from(max_sessions).unwrap();
        let (mut record, mut now) = (SubjectRecord::default(), NOW);
        for (number, happening) in happenings.iter().enumerate() {
            let before = record.clone();
            match happening {
                Happening::Login { replaces } => {
                    let new = NewSession { replaces: chosen(&record, *replaces), ..new(&number.to_string()) };
                    if let Some((next, _)) = login(&record, &new, &policy, now) {
                        record = next;
                    }
                }
                Happening::Present { which, behind } => if let Some(sid) = chosen(&record, *which) {
                    let token = current(record.session(&sid).unwrap());
                    let token = RefreshToken { generation: token.generation.saturating_sub(*behind), ..token };
                    match rotate(&record, &token, None, &policy, now) {
                        Rotation::Next(next, _) | Rotation::Reused(next, _) => record = next,
                        Rotation::Again(_) | Rotation::Refused(_) => {}
                    }
                },
                Happening::End(which) => if let Some(sid) = chosen(&record, *which) {
                    record = end(&record, &sid, &policy, now).unwrap_or(record);
                },
                Happening::EndAll => record = end_all(&record, &policy, now),
                Happening::Announce => {
                    record.sessions.iter_mut().for_each(|session| session.pending = false);
                }
                Happening::Wait(seconds) => now += seconds,
            }
            prop_assert!(live(&record, now).len() <= limit);
            let waiting = pending(&record).len();
            let all_ended = record.sessions.iter().filter(|session| session.ended.is_some()).count();
            prop_assert!(waiting <= 2 * limit + 2);
            prop_assert!(all_ended <= 2 * limit + 2);
            prop_assert!(record.version >= before.version);
            let expires_at = record.expires_at(&policy, now);
            for session in &record.sessions {
                prop_assert!(expires_at >= session.expires_at + RETENTION);
                prop_assert!(session.ended.is_none() || expires_at >= session.absolute + RETENTION);
            }
        }
        prop_assert_eq!(SubjectRecord::parse(&record.write()), Some(record));
    }
}
