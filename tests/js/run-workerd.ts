/** The suite on workerd, Cloudflare's runtime, with a real KV namespace. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { breakable } from "./harness/breakable.js";
import { bundle } from "./harness/bundle.js";
import { askWorker, withWorker } from "./harness/hosts.js";
import { startKeyServer } from "./harness/key-server.js";
import { report } from "./harness/report.js";
import type { Outcome } from "./harness/run-suites.js";

const OUT = "target/packed/run/workerd";

await mkdir(OUT, { recursive: true });
await bundle({
  entry: "tests/js/harness/worker.ts",
  outfile: `${OUT}/worker.js`,
  // Those of wrangler, which is why `workerd` stands before `browser` in the package's exports.
  conditions: ["workerd", "worker", "browser"],
  expected: "workerd.js",
});

const keys = await startKeyServer();
try {
  const parts = {
    script: readFileSync(`${OUT}/worker.js`, "utf8"),
    wasm: { "waxseal.wasm": readFileSync(`${OUT}/waxseal.wasm`), "breakable.wasm": await breakable() },
    bindings: { KEY_SERVER: keys.url },
  };
  await report("workerd", await withWorker(parts, (worker) => askWorker<Outcome[]>(worker)));
} finally {
  await keys.close();
}
