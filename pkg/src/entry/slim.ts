/**
 * `waxseal/slim`: no bytes inside and no loader, for callers who serve `waxseal/waxseal.wasm` themselves and pass it,
 * its URL or a Response to `init`.
 */
export * from "../index.js";
