//! Whatever the host answers, a call comes to its end, and a session is as it was, rotated once, or ended.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod sessions;

use proptest::prelude::*;
use sessions::*;
use waxseal::session::{Event, Outcome, Reply, SessionPolicy, Step, Task, Unavailable};

/// Answers of every kind.
fn any_reply() -> impl Strategy<Value = Reply> {
    let texts = prop_oneof![
        any_record().prop_map(|record| record.write()),
        Just(record([session("s")]).write()),
        Just("garbage".to_owned()),
    ];
    prop_oneof![
        1 => Just(Reply::Start),
        4 => proptest::option::of(texts).prop_map(Reply::Record),
        4 => Just(Reply::Signed),
        6 => any::<bool>().prop_map(Reply::Swapped),
        2 => proptest::collection::vec(any::<bool>(), 0..4).prop_map(Reply::Written),
        1 => Just(Reply::Failed),
    ]
}

/// Whether a step is answered by that kind of reply.
fn fits(step: &Step, reply: &Reply) -> bool {
    matches!(
        (step, reply),
        (Step::Read, Reply::Record(_) | Reply::Failed)
            | (Step::Sign(_), Reply::Signed | Reply::Failed)
            | (Step::Swap { .. }, Reply::Swapped(_) | Reply::Failed)
            | (Step::WriteEntries(_), Reply::Written(_) | Reply::Failed)
    )
}

/// A reply of each kind.
fn one_of_each() -> [Reply; 6] {
    [Reply::Start, Reply::Record(None), Reply::Signed, Reply::Swapped(true), Reply::Written(vec![true]), Reply::Failed]
}

#[test]
fn an_answer_to_a_question_that_was_not_asked_ends_the_call() {
    let host_fault = Step::Done(Outcome::Unavailable(Unavailable::Host));
    let before = record([session("s"), waiting("t")]);
    for task in every_task() {
        for wrong in one_of_each() {
            if wrong != Reply::Start {
                assert_eq!(call(task.clone()).resume(&policy(), wrong.clone()), host_fault);
            }
            let (mut flow, mut host) = (call(task.clone()), Host::with(&before));
            let mut step = flow.resume(&policy(), Reply::Start);
            while !matches!(step, Step::Done(_)) {
                if !fits(&step, &wrong) {
                    assert_eq!(flow.clone().resume(&policy(), wrong.clone()), host_fault, "{wrong:?} to {step:?}");
                }
                step = flow.resume(&policy(), host.answer(&step));
            }
            assert_eq!(flow.resume(&policy(), wrong), host_fault, "a call that is over stays so");
        }
    }
}

/// What goes wrong with one step.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Fails,
    HappensAndFails,
    HappensAndIsReportedLost,
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Fails),
        1 => Just(Fault::HappensAndFails),
        1 => Just(Fault::HappensAndIsReportedLost),
    ];
    proptest::collection::vec(fault, 0..12)
}

proptest! {
    #[test]
    fn any_answers_in_any_order_end_every_call_within_a_bounded_number_of_steps(
        task in prop::sample::select(every_task()), replies in proptest::collection::vec(any_reply(), 1..40),
        willing in 0..100u32,
    ) {
        let mut flow = call(task);
        let mut step = flow.resume(&policy(), Reply::Start);
        let mut steps = 0;
        let mut replies = replies.iter().cycle();
        while !matches!(step, Step::Done(_)) {
            steps += 1;
            prop_assert!(steps <= 3 * 64 + 4);
            // Mostly an answer to the question, so that the call gets far.
            let fitting = replies.clone().take(40).find(|reply| fits(&step, reply));
            let any = replies.next().unwrap();
            step = flow.resume(&policy(), fitting.filter(|_| willing > 5).unwrap_or(any).clone());
        }
        let reuse = flow.events().iter().filter(|event| matches!(event, Event::ReuseDetected { .. })).count();
        prop_assert!(reuse <= 1);
    }

    #[test]
    fn after_any_faults_a_session_is_as_it_was_or_rotated_once_or_ended(
        which in 0..4usize, faults in faults(), grace in prop_oneof![Just(0u32), Just(10)],
    ) {
        let policy = SessionPolicy { grace, ..policy() };
        let task = [refresh(&session("s")), replay(&session("s")), end("s"), Task::EndAll][which].clone();
        let before = record([session("s"), session("t")]);
        let mut host = Host::with(&before);
        let mut faults = faults.into_iter();
        let (outcome, _) = host.run_with(&policy, task.clone(), |host, step| match faults.next().unwrap_or(Fault::None) {
            Fault::Fails => Some(Reply::Failed),
            Fault::HappensAndFails => {
                host.answer(step);
                Some(Reply::Failed)
            }
            Fault::HappensAndIsReportedLost if matches!(step, Step::Swap { .. }) => {
                host.answer(step);
                Some(Reply::Swapped(false))
            }
            Fault::None | Fault::HappensAndIsReportedLost => None,
        });
        let stored = host.stored_session("s");
        prop_assert!(stored.ended.is_some() || stored.generation <= 4);
        if task != Task::EndAll {
            prop_assert_eq!(host.stored_session("t"), session("t"));
        }
        match outcome {
            Outcome::Released(release) => {
                prop_assert_eq!(release.refresh, current(&stored));
                prop_assert!(stored.is_live(NOW) && stored.generation == 4);
            }
            Outcome::Ended { .. } => {
                prop_assert!(stored.ended.is_some());
                prop_assert!(host.session_entry("s").is_some());
            }
            Outcome::Refused(_) => prop_assert!(stored.ended.is_some()),
            Outcome::Unavailable(Unavailable::Store | Unavailable::Signer) => {
                let lied = stored != session("s");
                prop_assert!(!lied || stored.generation == 4 || stored.ended.is_some());
            }
            Outcome::Unavailable(_) => {}
            Outcome::Sessions(_) | Outcome::Live => prop_assert!(false, "an answer to another question"),
        }
        // Whatever happened, a sweep that works leaves nothing unannounced.
        host.run(&policy, Task::Sweep);
        prop_assert!(!host.stored().has_pending());
        if host.stored_session("s").ended.is_some() {
            prop_assert!(host.session_entry("s").is_some());
        }
    }
}
