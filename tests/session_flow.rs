//! The order of steps of each call, and what the revocation store gets to know.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod sessions;

use sessions::*;
use waxseal::revocation::Kind;
use waxseal::session::{
    AppClaims, Event, OnReuse, Outcome, RefreshToken, Refusal, Release, Reply, Reuse, Session, SessionPolicy, Step,
    SubjectRecord, Task, Unavailable,
};

const REVOKED: &str = "wx1 revoked";

fn fresh(sid: &str) -> Session {
    Session { refreshed_at: NOW - 5, ..session(sid) }
}

fn reuse_ends_all() -> SessionPolicy {
    SessionPolicy { on_reuse: OnReuse::EndAll, ..policy() }
}

fn reused(kind: Reuse) -> Outcome {
    Outcome::Refused(Refusal::Reuse(kind))
}

fn released(outcome: &Outcome) -> &Release {
    let Outcome::Released(release) = outcome else { panic!("{outcome:?}") };
    release
}

fn session_ended(sid: &str) -> Event {
    Event::SessionEnded { sid: sid.to_owned() }
}

fn detected(sid: &str, kind: Reuse) -> Event {
    Event::ReuseDetected { sid: sid.to_owned(), kind }
}

/// A name, the options, the record, the call, the steps up to its swap, and those that follow.
type Row<'a> = (&'a str, SessionPolicy, &'a SubjectRecord, Task, &'a [&'a str], &'a [&'a str]);

#[test]
fn every_call_takes_exactly_the_steps_that_it_needs() {
    let (one, none) = (record([session("s")]), record([]));
    let many = record([session("s"), waiting("t")]);
    let over = record([waiting("s"), waiting("t")]);
    let write = ["write entries", "swap", "done"];
    let rows: [Row<'_>; 21] = [
        ("a first login", policy(), &none, login(), &["read", "sign", "swap"], &["done"]),
        ("a login that replaces", policy(), &one, replacing("s"), &["read", "sign", "swap"], &write),
        (
            "the same without revocation",
            without_revocation(),
            &one,
            replacing("s"),
            &["read", "sign", "swap"],
            &["done"],
        ),
        ("a login while an entry waits", policy(), &many, login(), &["read", "sign", "swap"], &write),
        ("a rotation", policy(), &one, refresh(&session("s")), &["read", "sign", "swap"], &["done"]),
        ("a rotation while an entry waits", policy(), &many, refresh(&session("s")), &["read", "sign", "swap"], &write),
        ("the token again", policy(), &record([fresh("s")]), refresh(&fresh("s")), &["read", "sign"], &["done"]),
        ("reuse", policy(), &one, replay(&session("s")), &["read", "swap"], &write),
        ("reuse that ends all", reuse_ends_all(), &one, replay(&session("s")), &["read", "swap"], &write),
        ("reuse without revocation", without_revocation(), &one, replay(&session("s")), &["read", "swap"], &["done"]),
        ("a refusal", policy(), &one, refresh(&session("u")), &["read"], &["done"]),
        ("a refusal while an entry waits", policy(), &many, refresh(&session("t")), &["read"], &write),
        ("an end", policy(), &one, end("s"), &["read", "swap"], &write),
        ("an end without revocation", without_revocation(), &one, end("s"), &["read", "swap"], &["done"]),
        ("an end of nothing", policy(), &one, end("u"), &["read"], &["done"]),
        ("an end of all", policy(), &one, Task::EndAll, &["read", "swap"], &write),
        ("an end of all without revocation", without_revocation(), &one, Task::EndAll, &["read", "swap"], &["done"]),
        ("a sweep", policy(), &over, Task::Sweep, &["read"], &write),
        ("a sweep of nothing", policy(), &one, Task::Sweep, &["read"], &["done"]),
        ("a list", policy(), &over, Task::List, &["read"], &["done"]),
        ("a check", policy(), &over, check("s", 0), &["read"], &["done"]),
    ];
    for (what, policy, record, task, first, then) in rows {
        let mut host = Host::with(record);
        host.run(&policy, task);
        assert_eq!(host.trace, [first, then].concat(), "{what}");
    }
}

#[test]
fn a_subject_without_a_record_is_only_asked_for() {
    for task in [refresh(&session("s")), end("s"), Task::EndAll, Task::Sweep, Task::List, check("s", 0)] {
        let mut host = Host::default();
        let (outcome, events) = host.run(&policy(), task.clone());
        let expected = match task {
            Task::Refresh { .. } | Task::Check { .. } => Outcome::Refused(Refusal::Unknown),
            Task::List => Outcome::Sessions(Vec::new()),
            _ => Outcome::Ended { found: false },
        };
        assert_eq!((outcome, events, host.record), (expected, Vec::new(), None));
        assert_eq!(host.trace, ["read", "done"]);
    }
}

#[test]
fn a_login_releases_the_session_that_it_stored() {
    let mut host = Host::default();
    let (outcome, events) = host.run(&policy(), login());
    let release = released(&outcome);
    let stored = host.stored_session(NEW_SID);
    assert_eq!(release.refresh, current(&stored));
    assert_eq!((release.access.sid.as_str(), release.access.version), (NEW_SID, 0));
    assert!(release.rotated && events.is_empty());
}

#[test]
fn a_rotation_releases_the_generation_that_it_stored_and_a_second_one_gets_it_again() {
    let mut host = Host::with(&record([session("s")]));
    let (first, _) = host.run(&policy(), refresh(&session("s")));
    let stored = host.stored_session("s");
    assert_eq!(stored.generation, 4);
    assert_eq!(released(&first).refresh, current(&stored));
    assert!(released(&first).rotated);
    for presented in [session("s"), stored.clone()] {
        let before = host.record.clone();
        let (again, events) = host.run(&policy(), refresh(&presented));
        assert_eq!(released(&again).refresh, released(&first).refresh);
        assert!(!released(&again).rotated && events.is_empty());
        assert_eq!(host.record, before);
    }
}

#[test]
fn what_is_swapped_is_what_was_read_and_expires_with_what_it_remembers() {
    let before = record([session("s"), ended("t")]);
    let mut host = Host::with(&before);
    let mut swaps = 0;
    host.run_with(&policy(), end("s"), |host, step| {
        if let Step::Swap { expected, next, expires_at } = step {
            assert_eq!(expected, &host.record);
            let next = SubjectRecord::parse(next).unwrap();
            assert_eq!(*expires_at, next.expires_at(&policy(), NOW));
            swaps += 1;
        }
        None
    });
    assert_eq!(swaps, 2);
}

#[test]
fn an_end_is_stored_first_announced_second_and_its_flag_cleared_last() {
    let mut host = Host::with(&record([session("s")]));
    let (outcome, events) = host.run_with(&policy(), end("s"), |host, step| {
        if let Step::WriteEntries(writes) = step {
            let stored = host.stored_session("s");
            assert_eq!((stored.ended, stored.pending), (Some(NOW), true));
            assert_eq!(writes.len(), 1);
            assert_eq!((writes[0].key.as_str(), writes[0].value.as_str()), (&*Kind::Session.key(ISSUER, "s"), REVOKED));
            assert!(writes[0].ttl_seconds >= 900 + 360);
        }
        None
    });
    assert_eq!((outcome, events), (Outcome::Ended { found: true }, vec![session_ended("s")]));
    let stored = host.stored_session("s");
    assert_eq!((stored.ended, stored.pending), (Some(NOW), false));
}

#[test]
fn an_end_of_all_announces_each_session_that_it_ends_and_those_that_wait() {
    let mut host = Host::with(&record([session("s"), session("t"), waiting("u"), ended("v")]));
    let (outcome, events) = host.run(&policy(), Task::EndAll);
    assert_eq!((outcome, events), (Outcome::Ended { found: true }, vec![Event::SubjectEnded]));
    for sid in ["s", "t", "u"] {
        assert_eq!(host.session_entry(sid), Some(REVOKED));
    }
    assert_eq!(host.entries.len(), 3);
    assert!(!host.stored().has_pending());
}

#[test]
fn a_session_that_begins_after_an_end_of_all_is_touched_by_none_of_its_entries() {
    let mut host = Host::with(&record([session("s"), session("t")]));
    without_entries(&mut host, &policy(), Task::EndAll);
    assert!(released(&host.run(&policy(), login()).0).rotated);
    assert_eq!(host.run(&policy(), Task::Sweep).0, Outcome::Ended { found: false }, "the login has announced them");
    assert_eq!((host.entries.len(), host.session_entry(NEW_SID)), (2, None));
    assert_eq!(host.run(&policy(), check(NEW_SID, 1)).0, Outcome::Live);
}

/// Runs a call whose entries cannot be written.
fn without_entries(host: &mut Host, policy: &SessionPolicy, task: Task) -> (Outcome, Vec<Event>) {
    host.run_with(policy, task, |_, step| match step {
        Step::WriteEntries(writes) => Some(Reply::Written(vec![false; writes.len()])),
        _ => None,
    })
}

#[test]
fn an_entry_that_cannot_be_written_is_owned_up_to_by_who_ends_and_by_nobody_else() {
    let revocation = Outcome::Unavailable(Unavailable::Revocation);
    let pending = Event::RevocationPending;
    let two = || record([session("s"), session("t")]);
    let replayed = replay(&session("s"));

    let mut host = Host::with(&two());
    assert_eq!(
        without_entries(&mut host, &policy(), end("s")),
        (revocation.clone(), vec![session_ended("s"), pending.clone()])
    );
    assert!(host.stored_session("s").pending);

    let mut host = Host::with(&two());
    assert_eq!(
        without_entries(&mut host, &policy(), Task::EndAll),
        (revocation.clone(), vec![Event::SubjectEnded, pending.clone()])
    );
    assert!(host.stored_session("s").pending && host.stored_session("t").pending);

    let mut host = Host::with(&record([waiting("s")]));
    assert_eq!(without_entries(&mut host, &policy(), Task::Sweep), (revocation, vec![pending.clone()]));

    let mut host = Host::with(&two());
    let (outcome, events) = without_entries(&mut host, &policy(), replacing("s"));
    assert!(released(&outcome).rotated);
    assert_eq!(events, [session_ended("s"), pending.clone()]);

    let mut host = Host::with(&record([session("s"), waiting("t")]));
    let (outcome, events) = without_entries(&mut host, &policy(), refresh(&session("s")));
    assert!(released(&outcome).rotated);
    assert_eq!(events, [Event::RevocationPending]);

    let mut host = Host::with(&two());
    assert_eq!(
        without_entries(&mut host, &policy(), replayed),
        (reused(Reuse::Older), vec![detected("s", Reuse::Older), session_ended("s"), pending])
    );
    assert!(host.stored_session("s").pending);
}

#[test]
fn the_next_call_that_touches_the_record_writes_the_entry_that_waits() {
    for task in [login(), refresh(&session("s")), refresh(&session("t")), end("s"), end("t"), end("u"), Task::Sweep] {
        let mut host = Host::with(&record([session("s"), session("t")]));
        without_entries(&mut host, &policy(), end("t"));
        assert_eq!(host.session_entry("t"), None);
        let (outcome, _) = host.run(&policy(), task.clone());
        assert!(!matches!(outcome, Outcome::Unavailable(_)), "{task:?}");
        assert_eq!(host.session_entry("t"), Some(REVOKED), "{task:?}");
        assert!(!host.stored().has_pending(), "{task:?}");
    }
}

#[test]
fn an_entry_that_has_nothing_left_to_revoke_is_not_written() {
    let over = Session { ended: Some(NOW - 5000), ..waiting("s") };
    for task in [refresh(&session("s")), end("s"), Task::Sweep] {
        let mut host = Host::with(&record([over.clone()]));
        let (outcome, events) = host.run(&policy(), task);
        assert!(!matches!(outcome, Outcome::Unavailable(_)));
        assert_eq!((host.trace, events), (vec!["read", "done"], Vec::new()));
    }
}

#[test]
fn of_several_entries_each_clears_its_own_flag() {
    let before = record([waiting("s"), waiting("t"), waiting("u")]);
    for (written, left) in [
        (vec![true, false, true], vec!["t"]),
        (vec![true], vec!["t", "u"]),
        (vec![], vec!["s", "t", "u"]),
        (vec![true; 4], vec![]),
    ] {
        let mut host = Host::with(&before);
        let (outcome, events) = host.run_with(&policy(), Task::Sweep, |_, step| {
            matches!(step, Step::WriteEntries(_)).then(|| Reply::Written(written.clone()))
        });
        let stored = host.stored();
        let waiting: Vec<_> =
            stored.sessions.iter().filter(|session| session.pending).map(|s| s.sid.as_str()).collect();
        assert_eq!(waiting, left);
        assert_eq!(events.len(), usize::from(!left.is_empty()));
        let expected = if left.is_empty() {
            Outcome::Ended { found: true }
        } else {
            Outcome::Unavailable(Unavailable::Revocation)
        };
        assert_eq!(outcome, expected);
    }
}

#[test]
fn an_end_answers_for_its_own_session_and_not_for_others() {
    let mut host = Host::with(&record([session("s"), waiting("t")]));
    let own = Kind::Session.key(ISSUER, "s");
    let (outcome, events) = host.run_with(&policy(), end("s"), |_, step| match step {
        Step::WriteEntries(writes) => Some(Reply::Written(writes.iter().map(|write| write.key == own).collect())),
        _ => None,
    });
    assert_eq!(outcome, Outcome::Ended { found: true });
    assert_eq!(events, [session_ended("s"), Event::RevocationPending]);
    assert!(host.stored_session("t").pending);
}

#[test]
fn an_end_of_what_was_ended_before_is_acknowledged_only_when_that_is_announced() {
    for by in [end("s"), Task::EndAll, replay(&session("s")), replacing("s")] {
        let mut host = Host::with(&record([session("s"), session("t")]));
        without_entries(&mut host, &policy(), by);
        let (outcome, _) = without_entries(&mut host, &policy(), end("s"));
        assert_eq!(outcome, Outcome::Unavailable(Unavailable::Revocation));
        let (outcome, events) = host.run(&policy(), end("s"));
        assert_eq!((outcome, events), (Outcome::Ended { found: false }, Vec::new()));
        assert!(!host.stored().has_pending());
    }
}

#[test]
fn a_session_that_is_ended_and_forgotten_at_once_is_told_all_the_same() {
    let policy = SessionPolicy { max_sessions: 1, ..without_revocation() };
    let later = Session { ended: Some(NOW + 5), ..ended("t") };
    for task in [end("s"), replay(&session("s")), login()] {
        let mut host = Host::with(&record([session("s"), later.clone()]));
        let (_, events) = host.run(&policy, task);
        assert_eq!(host.stored().session("s"), None, "one that is over has room");
        assert_eq!(events.last(), Some(&session_ended("s")));
    }
}

#[test]
fn reuse_that_ends_all_is_told_as_such() {
    let mut host = Host::with(&record([session("s"), session("t")]));
    let (outcome, events) = host.run(&reuse_ends_all(), replay(&session("s")));
    assert_eq!(outcome, reused(Reuse::Older));
    assert_eq!(events, [detected("s", Reuse::Older), Event::SubjectEnded]);
    assert_eq!((host.session_entry("s"), host.session_entry("t")), (Some(REVOKED), Some(REVOKED)));
}

#[test]
fn a_login_with_too_many_entries_waiting_writes_them_before_it_is_let_in() {
    let policy = SessionPolicy { max_sessions: 2, ..policy() };
    let mut host = Host::with(&record(["p", "q", "r"].map(waiting)));
    let (outcome, events) = without_entries(&mut host, &policy, login());
    assert_eq!((outcome, events), (Outcome::Unavailable(Unavailable::Revocation), vec![Event::RevocationPending]));
    let before = host.clone();
    let (outcome, events) = host.run(&policy, login());
    assert!(released(&outcome).rotated && events.is_empty());
    assert_eq!(host.trace, ["read", "write entries", "swap", "read", "sign", "swap", "done"]);
    assert_eq!(host.entries.len(), 3);
    // One that is written is not enough, and a record that somebody else changes meanwhile is read again.
    for (written, lost, let_in) in
        [(vec![true], false, false), (vec![true; 3], true, false), (vec![true; 3], false, true)]
    {
        let mut host = before.clone();
        let (outcome, events) = host.run_with(&policy, login(), |_, step| match step {
            Step::WriteEntries(_) => Some(Reply::Written(written.clone())),
            Step::Swap { expected, .. } => (lost && expected == &before.record).then_some(Reply::Swapped(false)),
            _ => None,
        });
        assert_eq!(matches!(outcome, Outcome::Released(_)), let_in, "{written:?} {lost}");
        assert!(events.len() <= 1);
    }
}

#[test]
fn a_list_shows_live_sessions_and_changes_nothing() {
    let expired = Session { expires_at: NOW, ..session("u") };
    let before = record([session("s"), waiting("t"), expired, fresh("v")]);
    let mut host = Host::with(&before);
    let (outcome, _) = host.run(&policy(), Task::List);
    assert_eq!(outcome, Outcome::Sessions(vec![session("s"), fresh("v")]));
    assert_eq!(host.record, Some(before.write()));
}

#[test]
fn a_check_asks_for_the_session_and_the_version_of_an_access_token() {
    let idle = Session { expires_at: NOW - 1, ..session("i") };
    let over = Session { absolute: NOW, ..session("o") };
    let before = record([session("s"), ended("t"), idle, over]);
    let verdict = |record: &SubjectRecord, sid: &str, version| Host::with(record).run(&policy(), check(sid, version)).0;
    assert_eq!(verdict(&before, "s", 0), Outcome::Live);
    assert_eq!(verdict(&before, "i", 0), Outcome::Live, "its access token decides when it expires");
    assert_eq!(verdict(&before, "o", 0), Outcome::Refused(Refusal::Expired));
    assert_eq!(verdict(&before, "t", 0), Outcome::Refused(Refusal::Ended));
    assert_eq!(verdict(&before, "u", 0), Outcome::Refused(Refusal::Unknown));
    assert_eq!(verdict(&before, "s", 1), Outcome::Refused(Refusal::Ended), "a version that the session never had");
    let later = SubjectRecord { version: 1, ..before };
    assert_eq!(verdict(&later, "s", 0), Outcome::Refused(Refusal::Ended));
}

#[test]
fn a_call_says_whom_and_which_session_it_is_about_before_it_has_begun() {
    let about = every_task().into_iter().map(|task| {
        let flow = call(task);
        assert_eq!(flow.subject(), "alice");
        (flow.session().map(str::to_owned), flow.is_login(), flow.claims().is_some())
    });
    let s = Some("s".to_owned());
    let expected = [
        (None, true, false),
        (None, true, false),
        (s.clone(), false, true),
        (s.clone(), false, true),
        (s.clone(), false, false),
        (None, false, false),
        (None, false, false),
        (None, false, false),
        (s, false, false),
    ];
    assert_eq!(about.collect::<Vec<_>>(), expected);
}

#[test]
fn a_refresh_says_which_token_it_presents_and_what_its_access_token_will_say() {
    let session = session("s");
    let claims = AppClaims::new(serde_json::Map::from_iter([("role".to_owned(), "admin".into())])).unwrap();
    let presented = RefreshToken { claims, ..current(&session) };
    let flow = call(Task::Refresh { presented: presented.clone(), client: None });
    assert_eq!(flow.claims().unwrap(), serde_json::json!({"sub": "alice", "sid": "s", "role": "admin"}));
    assert!(flow.presents(&presented));
    assert!(!flow.presents(&RefreshToken { generation: presented.generation + 1, ..presented.clone() }));
    assert!(!call(end("s")).presents(&presented));
}
