/**
 * `make proof`, its part on published signatures: the release build with the feature `proof`, on Node, workerd and in
 * Chromium, by the verdicts of the native tests. Without the vectors it prints what it skips.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { findChromium } from "../js/harness/chromium.js";
import { askWorker, withPage, withWorker } from "../js/harness/hosts.js";
import { missing, report, vectors } from "../js/harness/report.js";
import { type Outcome, runSuites } from "../js/harness/run-suites.js";
import { type ProveSignature, signatures } from "./signatures-suite.js";

const GLUE = resolve("target/proof/waxseal.js");
const WASM = "target/proof/waxseal.wasm";
const OUT = "target/proof/run";

async function bundle(name: string): Promise<string> {
  const outfile = `${OUT}/${name}.js`;
  await build({
    entryPoints: [`tests/proof/signatures-${name}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [
      {
        name: "build for proofs",
        setup({ onResolve }) {
          onResolve({ filter: /^proof-module$/ }, () => ({ path: GLUE }));
          onResolve({ filter: /^proof-wasm$/ }, () => ({ path: "./proof.wasm", external: true }));
        },
      },
    ],
  });
  return readFileSync(outfile, "utf8");
}

async function onNode(): Promise<Outcome[]> {
  const glue = (await import(pathToFileURL(GLUE).href)) as {
    prove_signature: ProveSignature;
    initSync(input: { module: Uint8Array }): void;
  };
  glue.initSync({ module: readFileSync(WASM) });
  return runSuites(signatures(glue.prove_signature), {} as never, { runtime: "node-esm", keyServer: "", vectors });
}

async function onWorkerd(): Promise<Outcome[]> {
  const parts = { script: await bundle("worker"), wasm: { "proof.wasm": readFileSync(WASM) } };
  return withWorker(parts, (worker) => askWorker<Outcome[]>(worker));
}

async function inChromium(executable: string): Promise<Outcome[]> {
  const parts = { executable, script: await bundle("page"), wasm: { "proof.wasm": readFileSync(WASM) } };
  return withPage(parts, (page) => page.evaluate(() => Reflect.get(globalThis, "outcomes") as Promise<Outcome[]>));
}

mkdirSync(OUT, { recursive: true });
const chromium = findChromium();
let failed = false;
for (const [runtime, run] of [
  ["proof-node", onNode],
  ["proof-workerd", onWorkerd],
  ["proof-chromium", chromium && (() => inChromium(chromium))],
] as const) {
  if (run) await report(runtime, await run());
  else await missing(runtime, "Chromium is not installed");
  failed ||= process.exitCode !== 0;
}
process.exitCode = failed ? 1 : 0;
