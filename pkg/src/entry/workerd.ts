/**
 * Cloudflare Workers (workerd). The host never compiles WebAssembly from bytes: a static import of the file gives a
 * module that was compiled when the Worker was deployed. The path is the one inside the published package.
 */

import { setLoader } from "../load/state.js";
import wasm from "./waxseal.wasm";

setLoader({ loadSync: () => wasm });

export * from "../index.js";
