//! Where secrets are worked with, nothing of them is left: buffers are overwritten before they are freed, and the stack
//! when the work is done.
//!
//! A WebAssembly module has all of it in one memory that lives as long as the page or the process: what is not overwritten
//! stays until chance puts something else there. `tests/js/suite/secrets.ts` searches that memory.

use core::hint::black_box;

use serde_json::Value;
use zeroize::Zeroize as _;

/// How much of the stack is overwritten, in bytes. Signing with P-256 goes less than half as deep.
const DEPTH: usize = 8192;

/// Runs what works with a secret, and then overwrites the stack that it has used. Its result passes over the stack of the
/// caller: it must be public, or only point to what is secret.
pub(crate) fn on_clean_stack<R>(work: impl FnOnce() -> R) -> R {
    let result = deeper(work);
    overwrite_stack();
    result
}

/// A frame of its own, so that all of it lies where [`overwrite_stack`] begins.
#[inline(never)]
fn deeper<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(never)]
fn overwrite_stack() {
    black_box(&mut [0_u8; DEPTH]);
}

/// Overwrites the strings of a tree in which somebody may have put a secret.
pub(crate) fn forget(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Object(map) => map.values_mut().for_each(forget),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
