/**
 * Browsers. The bytes are inside, because no other way works in every bundler and in service workers, where dynamic
 * imports are forbidden. Main threads must not compile without waiting, so synchronous functions need one
 * `await init()` first, or a handle made by an asynchronous one.
 */
import { bytes } from "../load/bytes.js";
import { setLoader } from "../load/state.js";

setLoader({ load: async () => bytes() });

export * from "../index.js";
