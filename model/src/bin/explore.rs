//! Explores every scenario, and then those in larger bounds, and prints what it found; `make proof` runs it. With an
//! argument, only scenarios with that in their names.

use std::process::ExitCode;
use std::time::Instant;

use waxseal_model::catalogue::{larger, scenarios};
use waxseal_model::checker::explore;
use waxseal_model::property::Property;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let (begin, mut states, mut count, mut sound) = (Instant::now(), 0, 0, true);
    for scenario in scenarios().into_iter().chain(larger()).filter(|scenario| scenario.name.contains(&wanted)) {
        let begin = Instant::now();
        let findings = explore(&scenario);
        println!("{findings}, {:.1} s", begin.elapsed().as_secs_f64());
        for sight in scenario.shows.iter().filter(|sight| !findings.saw(**sight)) {
            println!("  never seen: {sight:?}");
            sound = false;
        }
        sound &= findings.broken.is_empty();
        states += findings.states;
        count += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("{count} scenarios, {} properties, {states} states, {seconds:.0} s", Property::ALL.len());
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
