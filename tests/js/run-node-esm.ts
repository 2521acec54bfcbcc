/** The suite on Node, the library imported as an ES module. */
import * as lib from "waxseal";
import { compiled as breakable } from "./harness/breakable.js";
import { startKeyServer } from "./harness/key-server.js";
import { report, vectors } from "./harness/report.js";
import { runSuites } from "./harness/run-suites.js";
import { suites } from "./suite/index.js";

const resolved = import.meta.resolve("waxseal");
if (!resolved.endsWith("/target/packed/node_modules/waxseal/dist/inline.js")) throw new Error(`imported ${resolved}`);
const keys = await startKeyServer();
const outcomes = await runSuites(suites, lib, { runtime: "node-esm", keyServer: keys.url, vectors, breakable });
await keys.close();
await report("node-esm", outcomes);
