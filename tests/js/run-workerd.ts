/** The suite on workerd, Cloudflare's runtime, with a real KV namespace. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Miniflare, Response } from "miniflare";
import { breakable } from "./harness/breakable.js";
import { bundle } from "./harness/bundle.js";
import { startKeyServer } from "./harness/key-server.js";
import { readVectors, report } from "./harness/report.js";
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
const miniflare = new Miniflare({
  modules: [
    { type: "ESModule", path: "worker.js", contents: readFileSync(`${OUT}/worker.js`, "utf8") },
    { type: "CompiledWasm", path: "waxseal.wasm", contents: readFileSync(`${OUT}/waxseal.wasm`) },
    { type: "CompiledWasm", path: "breakable.wasm", contents: await breakable() },
  ],
  compatibilityDate: "2026-04-01",
  kvNamespaces: ["KV"],
  bindings: { KEY_SERVER: keys.url },
  serviceBindings: {
    async VECTORS(request: { url: string }) {
      const text = await readVectors(new URL(request.url).pathname.slice(1));
      return text === undefined ? new Response(null, { status: 404 }) : new Response(text);
    },
  },
  host: "127.0.0.1",
  port: 0,
  cf: false,
  telemetry: { enabled: false },
});
try {
  const response = await miniflare.dispatchFetch("http://localhost/");
  if (!response.ok) throw new Error(`the Worker failed: ${response.status} ${await response.text()}`);
  await report("workerd", (await response.json()) as Outcome[]);
} finally {
  await miniflare.dispose();
  await keys.close();
}
