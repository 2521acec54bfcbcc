//! Verdicts against a vector file. What is meant to differ stands in `tests/vectors/divergences.json` with its reason;
//! any other difference fails the test, and so does a row that no longer differs.
//!
//! How many cases of a file come out how stands in `tests/vectors/verdicts.json`; the tests of the npm package read the same
//! tables. With `WAXSEAL_VERDICTS` each account is also left in that directory, for the table of all runtimes.
//!
//! A row names its cases, or says `"refused": n`: exactly n cases of the file, and only ones that the file accepts, are
//! refused for that reason. No row of that kind can hide an acceptance.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{committed, list, text};

/// The verdicts on one file.
pub struct Ledger {
    file: String,
    by_case: BTreeMap<String, String>,
    wholesale: Option<(String, u64)>,
    accepted: usize,
    refused: usize,
    diverged: BTreeMap<String, u64>,
    unexpected: Vec<String>,
}

impl Ledger {
    /// Opens the account of a file, with the divergences that are meant.
    pub fn new(file: &str) -> Self {
        Self::with(file, "divergences.json")
    }

    /// The same with the divergences in another file of `tests/vectors/`.
    pub fn with(file: &str, divergences: &str) -> Self {
        let mut ledger = Self {
            file: file.to_owned(),
            by_case: BTreeMap::new(),
            wholesale: None,
            accepted: 0,
            refused: 0,
            diverged: BTreeMap::new(),
            unexpected: Vec::new(),
        };
        let rows = committed(divergences);
        for row in list(&rows, "divergences").iter().filter(|row| text(row, "file") == file) {
            let reason = text(row, "reason").to_owned();
            if let Some(count) = row["refused"].as_u64() {
                assert!(ledger.wholesale.replace((reason, count)).is_none(), "{file}: two rows without cases");
                continue;
            }
            for case in list(row, "cases") {
                let twice = ledger.by_case.insert(identifier(case), reason.clone());
                assert!(twice.is_none(), "{file}: case {case} stands in two rows");
            }
        }
        ledger
    }

    /// Books one case: what the file expects and what we did.
    pub fn case(&mut self, id: &Value, expected: bool, accepted: bool) {
        let id = identifier(id);
        *(if accepted { &mut self.accepted } else { &mut self.refused }) += 1;
        let reason = self.by_case.remove(&id);
        if expected == accepted {
            if reason.is_some() {
                self.unexpected.push(format!("case {id}: does not diverge, but has a row"));
            }
            return;
        }
        let wholesale = self.wholesale.as_ref().filter(|_| expected).map(|(reason, _)| reason.clone());
        match reason.or(wholesale) {
            Some(reason) => *self.diverged.entry(reason).or_default() += 1,
            None => self.unexpected.push(format!("case {id}: expected {expected}, got {accepted}")),
        }
    }

    /// Prints the counts, and fails on every difference that is not meant, every row that was not met, and counts other
    /// than the written ones.
    pub fn finish(self) {
        let Self { file, by_case, wholesale, accepted, refused, diverged, unexpected } = self;
        let divergent: u64 = diverged.values().sum();
        println!("{file}: {} cases, {accepted} accepted, {refused} refused, {divergent} divergent", accepted + refused);
        for (reason, count) in &diverged {
            println!("{file}: {count} diverge: {reason}");
        }
        assert!(unexpected.is_empty(), "{file}:\n{}", unexpected.join("\n"));
        assert!(by_case.is_empty(), "{file}: rows for cases that do not exist: {by_case:?}");
        if let Some((reason, count)) = wholesale {
            assert_eq!(diverged.get(&reason), Some(&count), "{file}: {reason}");
        }
        let found = json!({
            "file": file, "cases": accepted + refused, "accepted": accepted, "refused": refused, "divergent": divergent
        });
        if let Some(directory) = std::env::var_os("WAXSEAL_VERDICTS").map(PathBuf::from) {
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(format!("{}.json", file.replace(['/', ':'], " "))), found.to_string()).unwrap();
        }
        let written = committed("verdicts.json");
        let row = list(&written, "verdicts").iter().find(|row| text(row, "file") == file);
        for (name, count) in found.as_object().unwrap() {
            assert_eq!(row.map(|row| &row[name]), Some(count), "verdicts.json has another row for {file}: {found}");
        }
    }
}

fn identifier(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
