/** Random calls in a browser; a runner on Node asks for portions of them. */
import * as lib from "waxseal";
import { runCalls } from "../js/suite/calls/run.js";

Object.assign(globalThis, {
  async portion(seed: number, from: number, count: number) {
    // Objects that nobody disposes of are freed in the module when the engine collects them.
    (Reflect.get(globalThis, "gc") as () => void)();
    await new Promise((collected) => setTimeout(collected, 20));
    return runCalls({ lib, seed, from, count });
  },
});
