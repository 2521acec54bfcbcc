//! Verdicts against a vector file. What is meant to differ stands in `tests/vectors/divergences.json` with its reason;
//! any other difference fails the test, and so does a row that no longer differs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{committed, list, text};

/// The verdicts on one file.
pub struct Ledger {
    file: String,
    reasons: BTreeMap<String, String>,
    accepted: usize,
    refused: usize,
    diverged: BTreeMap<String, usize>,
    unexpected: Vec<String>,
}

impl Ledger {
    /// Opens the account of a file, with the divergences that are meant.
    pub fn new(file: &str) -> Self {
        let rows = committed("divergences.json");
        let mut reasons = BTreeMap::new();
        for row in list(&rows, "divergences").iter().filter(|row| text(row, "file") == file) {
            for case in list(row, "cases") {
                let case = case.as_str().map_or_else(|| case.to_string(), str::to_owned);
                assert!(
                    reasons.insert(case.clone(), text(row, "reason").to_owned()).is_none(),
                    "{file}: case {case} stands in two rows"
                );
            }
        }
        Self {
            file: file.to_owned(),
            reasons,
            accepted: 0,
            refused: 0,
            diverged: BTreeMap::new(),
            unexpected: Vec::new(),
        }
    }

    /// Books one case: what the file expects and what we did.
    pub fn case(&mut self, id: &Value, expected: bool, accepted: bool) {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        if accepted {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
        let reason = self.reasons.remove(&id);
        match (expected == accepted, reason) {
            (true, None) => {}
            (false, Some(reason)) => *self.diverged.entry(reason).or_default() += 1,
            (false, None) => self.unexpected.push(format!("case {id}: expected {expected}, got {accepted}")),
            (true, Some(_)) => self.unexpected.push(format!("case {id}: does not diverge, but has a row")),
        }
    }

    /// Prints the counts, and fails on every difference that is not meant and every row that was not met.
    pub fn finish(self, cases: usize) {
        let Self { file, reasons, accepted, refused, diverged, unexpected } = self;
        println!("{file}: {} cases, {accepted} accepted, {refused} refused", accepted + refused);
        for (reason, count) in diverged {
            println!("{file}: {count} diverge: {reason}");
        }
        assert!(unexpected.is_empty(), "{file}:\n{}", unexpected.join("\n"));
        assert!(reasons.is_empty(), "{file}: rows for cases that do not exist: {reasons:?}");
        assert_eq!(accepted + refused, cases, "{file}: the number of cases has changed");
    }
}
