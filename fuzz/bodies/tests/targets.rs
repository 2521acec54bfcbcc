//! Every target on stable: its seeds, a number of mutations of them that are the same every time, and every input that ever
//! found something. `WAXSEAL_FUZZ_MUTATIONS` says how many of the costliest target's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use waxseal_fuzz_bodies::seeds::Numbers;
use waxseal_fuzz_bodies::{TARGETS, Target};

fn find(name: &str) -> Target {
    TARGETS.into_iter().find(|target| target.name == name).unwrap()
}

/// Runs an input, and shows it if it finds something.
fn run(target: &Target, input: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(outcome.is_ok(), "{} fails on: {}", target.name, input.escape_ascii());
}

/// One input out of another, or out of two.
fn mutate(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(input.len() + 1);
        let end = at + numbers.below(input.len() - at + 1);
        match numbers.below(6) {
            0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
            1 if at < input.len() => input[at] = *numbers.bytes(1).first().unwrap(),
            2 => _ = input.drain(at..at + (end - at) / 8),
            3 => input.insert(at, b"\"\\{}[],:=;.-_ 0eAz"[numbers.below(18)]),
            4 => {
                let part = input[at..end.min(at + 32)].to_vec();
                let to = numbers.below(input.len() + 1);
                input.splice(to..to, part);
            }
            _ => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
    input
}

fn seeds_and_mutations(name: &str) {
    let target = find(name);
    let seeds = (target.seeds)();
    for seed in &seeds {
        run(&target, seed);
    }
    let told = std::env::var("WAXSEAL_FUZZ_MUTATIONS").ok().and_then(|number| number.parse().ok());
    let mut numbers = Numbers(7);
    for _ in 0..told.unwrap_or(250) * target.weight {
        run(&target, &mutate(&seeds, &mut numbers));
    }
}

macro_rules! targets {
    ($($name:ident)+) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        mod seeds_and_mutations_of_them_find_nothing {
            $(#[test]
            fn $name() {
                super::seeds_and_mutations(stringify!($name));
            })+
        }
    };
}

targets!(base64url compact cookies json keys p256 policy remote rsa session verifier);

#[test]
fn every_target_is_tried_and_has_its_program_for_the_fuzzer() {
    assert_eq!(TARGETS.map(|target| target.name), NAMES);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    for name in NAMES {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

#[test]
fn what_was_found_once_is_not_found_again() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions");
    for directory in fs::read_dir(kept).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let target = find(directory.file_name().to_str().unwrap());
        for file in fs::read_dir(directory.path()).unwrap() {
            run(&target, &fs::read(file.unwrap().path()).unwrap());
        }
    }
}
