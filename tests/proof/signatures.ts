/**
 * `make proof`, its part on published signatures: the release build with the feature `proof`, on Node, workerd and in
 * Chromium, by the verdicts of the native tests. Without the vectors it prints what it skips.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Miniflare, Response } from "miniflare";
import { findChromium, launch } from "../js/harness/chromium.js";
import { missing, readVectors, report, vectors } from "../js/harness/report.js";
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
  const miniflare = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: await bundle("worker") },
      { type: "CompiledWasm", path: "proof.wasm", contents: readFileSync(WASM) },
    ],
    compatibilityDate: "2026-04-01",
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
    return (await (await miniflare.dispatchFetch("http://localhost/")).json()) as Outcome[];
  } finally {
    await miniflare.dispose();
  }
}

async function inChromium(executable: string): Promise<Outcome[]> {
  const script = await bundle("page");
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const answers: Record<string, [type: string, body: string | Buffer]> = {
      "/": ["text/html", '<!doctype html><title>Waxseal</title><script type="module" src="/page.js"></script>'],
      "/page.js": ["text/javascript; charset=utf-8", script],
      "/proof.wasm": ["application/wasm", readFileSync(WASM)],
    };
    const file = pathname.startsWith("/vectors/") ? await readVectors(pathname.slice("/vectors/".length)) : undefined;
    const [type, body] = answers[pathname] ?? ["application/json", file];
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const browser = await launch(executable);
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate(() => Reflect.get(globalThis, "outcomes") as Promise<Outcome[]>);
  } finally {
    await browser.close();
    server.close();
  }
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
