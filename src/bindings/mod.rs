//! What JavaScript sees of the core: each function decodes its arguments, calls the core once and encodes the result.
//! Nothing is decided here. This is the only place that names `wasm_bindgen` or `js_sys`.
#![expect(
    unreachable_pub,
    missing_debug_implementations,
    reason = "the facade is the only caller: wasm-bindgen wants what it exports to be `pub`"
)]

mod call;
mod cookies;
mod error;
mod exchange;
mod issuer;
mod keys;
mod object;
mod options;
#[cfg(feature = "proof")]
mod proof;
mod random;
mod remote;
mod session_options;
mod sessions;
mod text;
mod tools;
mod value;
mod verifier;
mod verifier_options;

/// Smaller than the allocator of the standard library.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
