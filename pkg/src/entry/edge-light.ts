/**
 * Vercel's Edge runtime (export condition `edge-light`). As on Workers the module is compiled ahead of time, but its
 * bundlers treat the import as a module only with `?module` at the end.
 */

import { setLoader } from "../load/state.js";
import wasm from "./waxseal.wasm?module";

setLoader({ loadSync: () => wasm });

export * from "../index.js";
