//! Waxseal's build tools, run as `cargo xtask <command>`.
//!
//! They are a workspace member so that the lock file pins them like everything else and nothing is installed globally.

use std::ffi::OsString;
use std::process::ExitCode;

mod codes;

const USAGE: &str = "\
usage: cargo xtask <command>

  bindgen <arguments>   wasm-bindgen, of the version that the core was compiled against
  codes                 write the lists of error codes that are generated from src/error.rs
  codes --check         fail when one of them is stale
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let result = match (command.to_str(), rest.as_slice()) {
        (Some("bindgen"), _) => bindgen(rest),
        (Some("codes"), []) => codes::write(),
        (Some("codes"), [flag]) if flag == "--check" => codes::check(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs wasm-bindgen as if it had been called from a shell.
fn bindgen(arguments: Vec<OsString>) -> Result<(), String> {
    let arguments = std::iter::once(OsString::from("wasm-bindgen")).chain(arguments);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments).map_err(|error| format!("{error:?}"))
}
