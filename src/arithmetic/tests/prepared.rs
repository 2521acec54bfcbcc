//! Tables of all keys of a process, from the outside: what is verified does not depend on them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use waxseal_arithmetic::p256::{PublicKey, Table};
use waxseal_arithmetic::prepared;

/// A digest and a signature.
type Case = ([u8; 32], [u8; 64]);

/// A key, and signatures by it of which every other one is of another digest.
fn signed(secret: u8) -> (PublicKey, Vec<Case>) {
    let secret = SigningKey::from_slice(&[secret; 32]).unwrap();
    let point = secret.verifying_key().to_sec1_point(false);
    let key = PublicKey::new(&(*point.x().unwrap()).into(), &(*point.y().unwrap()).into()).unwrap();
    let cases = (0..200).map(|i: u8| {
        let signature: Signature = secret.sign_prehash(&[i; 32]).unwrap();
        ([i + i % 2; 32], signature.to_bytes().into())
    });
    (key, cases.collect())
}

// One test, for the tables are the process's: tests run side by side.
#[test]
fn threads_that_use_the_same_keys_get_the_same_verdicts_while_tables_are_made_given_up_and_made_again() {
    let keys = [signed(1), signed(2), signed(3)];
    assert_eq!(prepared::usage().used, 0, "an import prepares nothing");
    thread::scope(|scope| {
        for start in 0..4 {
            let keys = &keys;
            scope.spawn(move || {
                for i in 0..200 {
                    for (key, cases) in keys {
                        let place = (start * 31 + i) % cases.len();
                        let (digest, signature) = &cases[place];
                        assert_eq!(key.verify(digest, signature), place % 2 == 0);
                    }
                }
            });
        }
        scope.spawn(|| {
            for limit in [0, Table::GENERATOR_BYTES + Table::KEY_BYTES, 1 << 16, prepared::DEFAULT_LIMIT].repeat(50) {
                prepared::set_limit(limit);
                assert!(prepared::usage().used <= limit);
                thread::yield_now();
            }
        });
    });
    let usage = prepared::usage();
    assert_eq!(usage.limit, prepared::DEFAULT_LIMIT);
    for (key, cases) in &keys {
        for (place, (digest, signature)) in cases.iter().enumerate() {
            assert_eq!(key.verify(digest, signature), place % 2 == 0);
        }
    }
    let usage = prepared::usage();
    assert_eq!((usage.used, usage.keys), (Table::GENERATOR_BYTES + 3 * Table::KEY_BYTES, 3));
}
