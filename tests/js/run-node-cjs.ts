/** The suite on Node, the library required from CommonJS; this file is bundled as CommonJS. */
import * as lib from "waxseal";
import { compiled as breakable } from "./harness/breakable.js";
import { startKeyServer } from "./harness/key-server.js";
import { report, vectors } from "./harness/report.js";
import { runSuites } from "./harness/run-suites.js";
import { suites } from "./suite/index.js";

async function main(): Promise<void> {
  const resolved = require.resolve("waxseal");
  if (!resolved.endsWith("/target/packed/node_modules/waxseal/dist/inline.cjs"))
    throw new Error(`required ${resolved}`);
  const keys = await startKeyServer();
  const outcomes = await runSuites(suites, lib, { runtime: "node-cjs", keyServer: keys.url, vectors, breakable });
  await keys.close();
  await report("node-cjs", outcomes);
}

// A rejection must not be lost: Node ends with its own exit code then.
void main();
