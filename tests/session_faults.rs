//! What becomes of a call when a step fails, lies or is lost, and when others are faster.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod sessions;

use sessions::*;
use waxseal::session::record::MAX_RECORD;
use waxseal::session::step::MAX_ATTEMPTS;
use waxseal::session::{
    AppClaims, Event, OnReuse, Outcome, Refusal, Release, Reply, Reuse, Session, SessionPolicy, Step, SubjectRecord,
    Task, Unavailable,
};

fn fresh() -> Session {
    Session { refreshed_at: NOW - 5, ..session("s") }
}

fn unavailable(part: Unavailable) -> Outcome {
    Outcome::Unavailable(part)
}

fn released(outcome: &Outcome) -> &Release {
    let Outcome::Released(release) = outcome else { panic!("{outcome:?}") };
    release
}

/// How a call ends when one step fails, in a word.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Released(_) => "released",
        Outcome::Ended { .. } => "ended",
        Outcome::Sessions(_) => "listed",
        Outcome::Live => "live",
        Outcome::Refused(Refusal::Reuse(_)) => "reuse",
        Outcome::Refused(_) => "refused",
        Outcome::Unavailable(Unavailable::Store) => "store",
        Outcome::Unavailable(Unavailable::SwapUnknown) => "unknown",
        Outcome::Unavailable(Unavailable::Revocation) => "revocation",
        Outcome::Unavailable(Unavailable::Signer) => "signer",
        Outcome::Unavailable(_) => "another part",
    }
}

type Call<'a> = (SessionPolicy, &'a SubjectRecord, Task);

#[test]
fn a_step_that_fails_ends_each_call_as_documented() {
    let one = record([session("s")]);
    let again = record([fresh()]);
    let waits = record([ended("s"), waiting("t")]);
    let ends_all = SessionPolicy { on_reuse: OnReuse::EndAll, ..policy() };
    let with_all = |task| (ends_all.clone(), &one, task);
    let with = |record, task| (policy(), record, task);
    // One word for each step of the good path: how the call ends when that step fails.
    let rows: [(Call<'_>, &[&str]); 13] = [
        (with(&one, login()), &["store", "signer", "unknown"]),
        (with(&one, replacing("s")), &["store", "signer", "unknown", "released", "released"]),
        (with(&waits, login()), &["store", "signer", "unknown", "released", "released"]),
        (with(&one, refresh(&session("s"))), &["store", "signer", "unknown"]),
        (with(&again, refresh(&fresh())), &["store", "signer"]),
        (with(&waits, refresh(&session("s"))), &["store", "refused", "refused"]),
        (with(&one, replay(&session("s"))), &["store", "unknown", "reuse", "reuse"]),
        (with_all(replay(&session("s"))), &["store", "unknown", "reuse", "reuse"]),
        (with(&one, end("s")), &["store", "unknown", "revocation", "ended"]),
        (with(&one, Task::EndAll), &["store", "unknown", "revocation", "ended"]),
        (with(&waits, Task::Sweep), &["store", "revocation", "ended"]),
        (with(&one, Task::List), &["store"]),
        (with(&one, check("s", 0)), &["store"]),
    ];
    for ((policy, record, task), words) in rows {
        let mut good = Host::with(record);
        good.run(&policy, task.clone());
        assert_eq!(good.trace.len(), words.len() + 1, "{task:?}: {:?}", good.trace);
        for (failing, expected) in words.iter().enumerate() {
            let mut host = Host::with(record);
            let mut number = 0;
            let (outcome, events) = host.run_with(&policy, task.clone(), |_, _| {
                number += 1;
                (number == failing + 1).then_some(Reply::Failed)
            });
            assert_eq!(word(&outcome), *expected, "{task:?} when {} fails", good.trace[failing]);
            // What the record says has happened, and nothing else, is told; but for reuse, which is known beforehand.
            let changed = host.stored().sessions.iter().any(|session| session.ended == Some(NOW));
            let told = events.iter().any(|e| matches!(e, Event::SessionEnded { .. } | Event::SubjectEnded));
            assert_eq!(told, changed, "{task:?} when {} fails: {events:?}", good.trace[failing]);
            if ["store", "signer", "unknown"].contains(expected) {
                assert_eq!(host.record, Some(record.write()));
            }
        }
    }
}

#[test]
fn reuse_is_told_even_when_nobody_knows_whether_the_session_was_ended() {
    let mut host = Host::with(&record([session("s")]));
    let (outcome, events) = host.run_with(&policy(), replay(&session("s")), |_, step| {
        matches!(step, Step::Swap { .. }).then_some(Reply::Failed)
    });
    assert_eq!(outcome, unavailable(Unavailable::SwapUnknown));
    assert_eq!(events, [Event::ReuseDetected { sid: "s".to_owned(), kind: Reuse::Older }]);
}

#[test]
fn a_record_that_cannot_be_read_is_never_overwritten() {
    let newer = record([session("s")]).write().replace("\"wx\":1", "\"wx\":2");
    for text in ["", "garbage", "{}", &newer, &" ".repeat(MAX_RECORD + 1)] {
        for task in every_task() {
            let mut host = Host { record: Some(text.to_owned()), ..Host::default() };
            let (outcome, events) = host.run(&policy(), task.clone());
            assert_eq!(outcome, unavailable(Unavailable::Record), "{task:?}");
            assert_eq!((host.trace, events), (vec!["read", "done"], Vec::new()));
        }
    }
}

#[test]
fn a_record_that_could_not_be_read_again_is_not_written() {
    let label = "x".repeat(MAX_RECORD);
    let task = Task::Login { label: Some(label), client: None, replaces: None, claims: AppClaims::default() };
    let mut host = Host::with(&record([session("s")]));
    let (outcome, _) = host.run(&policy(), task);
    assert_eq!(outcome, unavailable(Unavailable::Record));
    assert_eq!(host.trace, ["read", "sign", "done"]);
}

#[test]
fn a_call_gives_up_when_others_were_faster_64_times_and_not_before() {
    for task in [login(), refresh(&session("s")), replay(&session("s")), end("s"), Task::EndAll] {
        for lost in [1, MAX_ATTEMPTS - 1, MAX_ATTEMPTS] {
            let mut host = Host::with(&record([session("s")]));
            let mut swaps = 0;
            let (outcome, events) = host.run_with(&without_revocation(), task.clone(), |_, step| {
                let swap = matches!(step, Step::Swap { .. });
                swaps += u8::from(swap);
                (swap && swaps <= lost).then_some(Reply::Swapped(false))
            });
            let gave_up = outcome == unavailable(Unavailable::Contention);
            assert_eq!(gave_up, lost == 64, "{task:?}");
            assert_eq!(swaps, (lost + 1).min(64));
            let reads = host.trace.iter().filter(|name| **name == "read").count();
            assert_eq!(reads, usize::from(swaps), "every decision rests on its own read");
            if gave_up {
                assert_eq!((host.record, events), (Some(record([session("s")]).write()), Vec::new()));
            } else {
                let ends = events.iter().filter(|event| !matches!(event, Event::ReuseDetected { .. })).count();
                assert!(ends <= 1 && events.len() - ends <= 1, "nothing is told twice: {events:?}");
            }
        }
    }
}

/// Runs a call before whose first swap another call happens.
fn overtaken(before: &SubjectRecord, task: Task, by: Task) -> (Host, Outcome) {
    let mut host = Host::with(before);
    let mut by = Some(by);
    let (outcome, _) = host.run_with(&policy(), task, |host, step| {
        if let Some(by) = matches!(step, Step::Swap { .. }).then(|| by.take()).flatten() {
            host.run_another(&policy(), by);
        }
        None
    });
    (host, outcome)
}

#[test]
fn whoever_is_overtaken_decides_anew() {
    let before = record([session("s"), session("t")]);

    let (host, outcome) = overtaken(&before, refresh(&session("s")), refresh(&session("s")));
    let release = released(&outcome);
    assert_eq!(release.refresh, current(&host.stored_session("s")), "the token of who was faster");
    assert_eq!((release.rotated, host.stored_session("s").generation), (false, 4));

    for by in [end("s"), Task::EndAll] {
        let (host, outcome) = overtaken(&before, refresh(&session("s")), by);
        assert_eq!(outcome, Outcome::Refused(Refusal::Ended));
        assert_eq!(host.stored_session("s").generation, 3);
    }

    let (host, outcome) = overtaken(&before, login(), Task::EndAll);
    assert_eq!(released(&outcome).access.version, 1);
    assert!(host.stored_session(NEW_SID).is_live(NOW));

    let (host, outcome) = overtaken(&before, end("s"), end("s"));
    assert_eq!(outcome, Outcome::Ended { found: false });
    assert!(!host.stored().has_pending());

    let (host, outcome) = overtaken(&before, Task::EndAll, login());
    assert_eq!(outcome, Outcome::Ended { found: true });
    assert!(host.stored().sessions.iter().all(|session| session.ended == Some(NOW)));

    let (host, outcome) = overtaken(&before, end("s"), refresh(&session("s")));
    assert_eq!(outcome, Outcome::Ended { found: true });
    assert_eq!(host.stored_session("s").generation, 4);
}

/// Runs a call whose first swap happens although the host answers that.
fn happened_but(before: &Host, policy: &SessionPolicy, task: Task, answer: &Reply) -> (Host, Outcome, Vec<Event>) {
    let mut host = before.clone();
    let mut first = true;
    let (outcome, events) = host.run_with(policy, task, |host, step| {
        let lie = matches!(step, Step::Swap { .. }) && core::mem::take(&mut first);
        lie.then(|| {
            assert_eq!(host.answer(step), Reply::Swapped(true));
            answer.clone()
        })
    });
    (host, outcome, events)
}

const LOST: &Reply = &Reply::Swapped(false);
const FAILED: &Reply = &Reply::Failed;

#[test]
fn a_login_that_was_stored_but_reported_lost_is_released_and_not_stored_twice() {
    let (host, outcome, _) = happened_but(&Host::default(), &policy(), login(), LOST);
    assert_eq!(sids(&host.stored()), [NEW_SID]);
    let release = released(&outcome);
    assert_eq!(release.refresh, current(&host.stored_session(NEW_SID)));
    assert!(release.rotated);
}

#[test]
fn a_login_that_was_ended_before_it_knew_that_it_was_stored_is_not_released() {
    for by in [end(NEW_SID), Task::EndAll] {
        let mut host = Host::default();
        let mut by = Some(by);
        let (outcome, _) = host.run_with(&policy(), login(), |host, step| {
            let by = matches!(step, Step::Swap { .. }).then(|| by.take()).flatten()?;
            host.answer(step);
            host.run(&policy(), by);
            Some(LOST.clone())
        });
        assert_eq!(outcome, Outcome::Refused(Refusal::Ended));
        assert_eq!(sids(&host.stored()), [NEW_SID]);
    }
}

#[test]
fn a_refresh_that_was_stored_but_reported_lost_or_failed_gets_what_it_stored() {
    let before = Host::with(&record([session("s")]));
    let (host, outcome, events) = happened_but(&before, &policy(), refresh(&session("s")), LOST);
    assert_eq!(released(&outcome).refresh, current(&host.stored_session("s")));
    assert_eq!((host.stored_session("s").generation, events.len()), (4, 0));

    let (mut host, outcome, _) = happened_but(&before, &policy(), refresh(&session("s")), FAILED);
    assert_eq!(outcome, unavailable(Unavailable::SwapUnknown));
    let (outcome, events) = host.run(&policy(), refresh(&session("s")));
    assert_eq!(released(&outcome).refresh, current(&host.stored_session("s")));
    assert_eq!((host.stored_session("s").generation, events.len()), (4, 0));
}

#[test]
fn without_a_window_a_refresh_that_was_stored_but_not_acknowledged_costs_the_session() {
    let strict = SessionPolicy { grace: 0, ..policy() };
    let before = Host::with(&record([session("s")]));
    let reuse = Outcome::Refused(Refusal::Reuse(Reuse::Previous));
    assert_eq!(happened_but(&before, &strict, refresh(&session("s")), LOST).1, reuse);
    let (mut host, ..) = happened_but(&before, &strict, refresh(&session("s")), FAILED);
    assert_eq!(host.run(&strict, refresh(&session("s"))).0, reuse);
}

#[test]
fn an_end_that_was_stored_but_not_acknowledged_is_announced_by_who_asks_again() {
    let before = Host::with(&record([session("s")]));
    let (lost, outcome, _) = happened_but(&before, &policy(), end("s"), LOST);
    assert_eq!(outcome, Outcome::Ended { found: false });
    let (mut failed, outcome, events) = happened_but(&before, &policy(), end("s"), FAILED);
    assert_eq!((outcome, events), (unavailable(Unavailable::SwapUnknown), Vec::new()));
    assert_eq!(failed.run(&policy(), end("s")).0, Outcome::Ended { found: false });
    for host in [lost, failed] {
        assert_eq!(host.session_entry("s"), Some("wx1 revoked"));
        assert!(!host.stored().has_pending());
    }
}

#[test]
fn an_end_of_all_that_was_stored_but_not_acknowledged_is_made_again_under_a_higher_version() {
    let before = Host::with(&record([session("s")]));
    let (lost, outcome, events) = happened_but(&before, &policy(), Task::EndAll, LOST);
    assert_eq!((outcome, events), (Outcome::Ended { found: true }, vec![Event::SubjectEnded]));
    let (mut failed, ..) = happened_but(&before, &policy(), Task::EndAll, FAILED);
    assert_eq!(failed.run(&policy(), Task::EndAll).0, Outcome::Ended { found: true });
    for host in [lost, failed] {
        assert_eq!(host.session_entry("s"), Some("wx1 revoked"));
        assert_eq!((host.stored().version, host.stored().has_pending()), (2, false));
        assert_eq!(host.stored_session("s").ended, Some(NOW));
    }
}

#[test]
fn a_flag_whose_clearing_is_lost_is_announced_again_and_costs_the_caller_nothing() {
    for answer in [LOST, FAILED] {
        let mut host = Host::with(&record([session("s")]));
        let mut swaps = 0;
        let (outcome, _) = host.run_with(&policy(), end("s"), |_, step| {
            swaps += u8::from(matches!(step, Step::Swap { .. }));
            (swaps == 2).then(|| answer.clone())
        });
        assert_eq!(outcome, Outcome::Ended { found: true });
        assert!(host.stored_session("s").pending);
        host.entries.clear();
        assert_eq!(host.run(&policy(), Task::Sweep).0, Outcome::Ended { found: true });
        assert_eq!(host.session_entry("s"), Some("wx1 revoked"));
        assert!(!host.stored().has_pending());
    }
}
