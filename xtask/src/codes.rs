//! The lists of error codes for readers of other languages: a TypeScript module and a table in the README, both written
//! from [`ErrorCode::ALL`], so that the Rust list stays the only one that is edited.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use waxseal::ErrorCode;
use waxseal::error::Step;

const TYPESCRIPT: &str = "pkg/src/error-codes.ts";
/// Files with a table between the markers. A file without markers has no table to keep.
const MARKDOWN: [&str; 1] = ["README.md"];
const BEGIN: &str = "<!-- error codes: begin (written by `cargo xtask codes`) -->\n";
const END: &str = "<!-- error codes: end -->";

/// Writes every list.
pub(crate) fn write() -> Result<(), String> {
    for (path, _, wanted) in files()? {
        fs::write(&path, wanted).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Fails and names the file when a list is not what [`write`] would make it.
pub(crate) fn check() -> Result<(), String> {
    for (path, found, wanted) in files()? {
        if found != wanted {
            return Err(format!("{} is stale: run `cargo xtask codes` and commit the result", path.display()));
        }
    }
    Ok(())
}

/// Each file with what it contains and what it should contain.
fn files() -> Result<Vec<(PathBuf, String, String)>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the repository has no root")?;
    let path = root.join(TYPESCRIPT);
    let found = fs::read_to_string(&path).unwrap_or_default();
    let mut files = vec![(path, found, typescript())];
    for name in MARKDOWN {
        let path = root.join(name);
        let found = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        if let Some(wanted) = between_markers(&found, &markdown())? {
            files.push((path, found, wanted));
        }
    }
    Ok(files)
}

/// The text with the part between the markers replaced, or `None` when it has no markers.
fn between_markers(text: &str, table: &str) -> Result<Option<String>, String> {
    let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(None) };
    let (_, after) = rest.split_once(END).ok_or_else(|| format!("no `{END}` after the beginning of the table"))?;
    Ok(Some(format!("{before}{BEGIN}{table}{END}{after}")))
}

/// A union of the codes, a union of the steps, and a table with what belongs to each code.
fn typescript() -> String {
    let mut out = String::from("// Written by `cargo xtask codes` from src/error.rs. Do not edit.\n\n");
    out.push_str(
        "/** The name of an error. It does not change between versions; messages may. */\nexport type ErrorCode =",
    );
    for code in ErrorCode::ALL {
        let _ = write!(out, "\n  /** {} */\n  | \"{}\"", code.summary(), code.as_str());
    }
    out.push_str(";\n\n/** What was being done when an error arose, in the order in which the steps are taken. */\nexport type ErrorStep =");
    for step in steps() {
        let _ = write!(out, "\n  | \"{}\"", step.name());
    }
    out.push_str(";\n\n/** The HTTP status for a caller who answers a request; 500 marks a mistake in the program or its set-up. */\n");
    let mut statuses: Vec<u16> = ErrorCode::ALL.iter().map(|code| code.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
    let _ = writeln!(out, "export type ErrorStatus = {};", statuses.join(" | "));
    out.push_str("\n/** The status and the step of every code. */\n");
    out.push_str("export const ERROR_CODES: { readonly [C in ErrorCode]: readonly [ErrorStatus, ErrorStep] } = {\n");
    for code in ErrorCode::ALL {
        let _ = writeln!(out, "  {}: [{}, \"{}\"],", code.as_str(), code.status(), code.step().name());
    }
    out.push_str("};\n");
    out
}

fn markdown() -> String {
    let mut out = String::from("\n| Code | Status | Step | Meaning |\n|---|---|---|---|\n");
    for code in ErrorCode::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            code.as_str(),
            code.status(),
            code.step().name(),
            code.summary().replace('|', "\\|"),
        );
    }
    out.push('\n');
    out
}

/// The steps that have a code, in their order.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = ErrorCode::ALL.iter().map(|code| code.step()).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_markers_is_replaced() {
        let text = format!("a\n{BEGIN}old{END}\nb\n");
        assert_eq!(between_markers(&text, "new").unwrap().unwrap(), format!("a\n{BEGIN}new{END}\nb\n"));
        assert_eq!(between_markers("no markers", "new").unwrap(), None);
        assert!(between_markers(BEGIN, "new").is_err());
    }

    #[test]
    fn every_code_stands_in_both_lists() {
        let (typescript, markdown) = (typescript(), markdown());
        for code in ErrorCode::ALL {
            assert!(typescript.contains(&format!("| \"{}\"", code.as_str())));
            assert!(markdown.contains(&format!("| `{}` | {} |", code.as_str(), code.status())));
        }
    }
}
