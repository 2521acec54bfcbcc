/** Random calls in a browser; a runner on Node asks for portions of them. */
import * as lib from "waxseal";
import { runCalls } from "../js/suite/calls/run.js";

Object.assign(globalThis, {
  portion: (seed: number, from: number, count: number) => runCalls({ lib, seed, from, count }),
});
