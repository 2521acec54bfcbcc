//! The whole verifier against the independent one, over tokens from a sequence of numbers that is the same every time:
//! `WAXSEAL_DIFFERENTIAL_CASES` (3,000) of them. Prints how many came out how.

use std::collections::BTreeMap;

use waxseal_fuzz_bodies::seeds::Numbers;
use waxseal_fuzz_bodies::verifier::{Verdict, compare};

#[test]
fn no_token_is_accepted_that_an_independent_verifier_refuses_without_a_reason() {
    let told = std::env::var("WAXSEAL_DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok());
    let (mut numbers, mut counts) = (Numbers(11), BTreeMap::<Verdict, usize>::new());
    for _ in 0..told.unwrap_or(3000) {
        let length = 16 + numbers.below(100);
        if let Some(verdict) = compare(&numbers.bytes(length)) {
            *counts.entry(verdict).or_default() += 1;
        }
    }
    for (verdict, count) in &counts {
        println!("{count:>9}  {verdict:?}");
    }
    // A comparison of nothing but garbage would show nothing.
    assert!(counts.contains_key(&Verdict::BothAccept));
    assert!(counts.keys().any(|verdict| matches!(verdict, Verdict::Stricter(_))));
    assert!(counts.contains_key(&Verdict::BothRefuse("ERR_SIGNATURE_INVALID")));
}
