/**
 * Node, Deno, Bun, and hosts we do not know. The bytes are inside, so that no bundler has to find a file, and are
 * compiled at the first use without waiting, which these hosts allow.
 */
import { bytes } from "../load/bytes.js";
import { setLoader } from "../load/state.js";

setLoader({ loadSync: bytes });

export * from "../index.js";
