/** docs/observability.md: its tables are complete, its programs compile and do what the text says. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { transform } from "esbuild";
import { Miniflare } from "miniflare";
import { createIssuer, generateKeyPair, type Issuer, type JwkSet, type Verifier } from "waxseal";
import { createMetrics } from "waxseal/metrics";
import { freePort } from "../../../worker/demo/runtime.js";
import { bundle } from "../harness/bundle.js";
import { needsPrometheus, Prometheus, RULES } from "./prometheus.js";

// Beside the installed tarball, so that `import "waxseal"` means the packed package.
const DIRECTORY = resolve("target/packed/observability");

const text = readFileSync("docs/observability.md", "utf8");
const rules = readFileSync(RULES, "utf8");
const [onNode = "", onWorkers = "", tail = "", ...more] = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, code = ""]) => code,
);

/** A text with parts replaced that must be in it. */
function replaced(text: string, parts: Record<string, string>): string {
  return Object.entries(parts).reduce((all, [from, to]) => {
    assert.ok(from !== "" && all.includes(from), from);
    return all.replace(from, to);
  }, text);
}

/** One cell of each row of the table under a heading, without its backquotes. */
function column(heading: string, index = 0): string[] {
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  return [...(section.split("\n## ")[0] ?? "").matchAll(/^\| *(.+?) *\|$/gm)]
    .slice(2)
    .map(([, row = ""]) => row.split(/ *\| */)[index]?.replaceAll("`", "") ?? "");
}

/** Those of the programs. */
const NAMES = { issuer: "https://id.example", audience: "https://api.example" };

let jwks: JwkSet;
let issuer: Issuer;

before(async () => {
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true });
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  jwks = { keys: [publicKey] };
  issuer = await createIssuer({ key: privateKey, ...NAMES });
});

/** A token that names the key of the programs and is signed by another. */
async function forged(): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256");
  const key = { ...privateKey, kid: jwks.keys[0]?.kid ?? "" };
  const other = await createIssuer({ key, ...NAMES });
  return other.issue({ sub: "mallory" });
}

test("every counter is in the table, and nothing else is", () => {
  const rendered = new Set(Object.keys(createMetrics().counts()).map((series) => series.replace(/\{.*/, "")));
  assert.deepEqual(column("Counters").sort(), [...rendered].sort());
});

test("the table of events names a counter's every event, and the table of counters every event", () => {
  const counted = column("Counters", 2).filter((event) => !event.startsWith("anything else"));
  assert.deepEqual(column("Events").sort(), counted.sort());
  for (const type of counted) {
    const metrics = createMetrics();
    metrics.onEvent({ type });
    assert.equal(metrics.counts()["waxseal_unrecognized_events_total"], 0, type);
  }
});

test("every alert has its section, and no section is of another", () => {
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const sections = [...text.matchAll(/^### (Waxseal\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(sections, alerts);
});

test("every code that the text and the rules speak of exists", () => {
  const series = Object.keys(createMetrics().counts()).join("\n");
  const named = new Set(`${text}${rules}`.match(/ERR_[A-Z_]+/g));
  assert.ok(named.size > 5);
  for (const code of named) assert.ok(series.includes(`code="${code}"`), code);
});

test("the programs compile under strict settings, and the published types report no event that is not in the table", () => {
  assert.equal(more.length, 0);
  const common = { noEmit: true, strict: true, skipLibCheck: true, target: "es2022" };
  const given = 'declare const jwks: import("waxseal").JwkSet;\n';
  const documented = `
    import type { SessionEvent } from "waxseal";
    const documented = { ${column("Events").map((type) => `${JSON.stringify(type)}: true`)} } as const;
    export const all: Record<SessionEvent["type"], true> = documented;`;
  const node = { ...common, module: "nodenext", lib: ["es2023", "dom"], types: ["node"] };
  const workers = {
    ...common,
    module: "esnext",
    moduleResolution: "bundler",
    customConditions: ["workerd"],
    lib: ["es2023"],
    types: ["@cloudflare/workers-types"],
  };
  writeFileSync(join(DIRECTORY, "package.json"), '{ "type": "module" }');
  for (const [name, compilerOptions, files] of [
    ["node", node, { "program.ts": given + onNode, "documented.ts": documented }],
    ["workers", workers, { "program.ts": given + onWorkers, "tail.ts": tail }],
  ] as const) {
    const directory = join(DIRECTORY, name);
    mkdirSync(directory);
    for (const [file, code] of Object.entries(files)) writeFileSync(join(directory, file), code);
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const { status, stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", directory], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  }
});

test(
  "Prometheus reads the program on Node, and the rules raise their alert over forged tokens",
  needsPrometheus,
  async (t) => {
    const port = await freePort();
    const file = join(DIRECTORY, "program.mjs");
    writeFileSync(file, (await transform(replaced(onNode, { "9464": `${port}` }), { loader: "ts" })).code);
    const lines: string[] = [];
    t.mock.method(console, "log", (line: string) => lines.push(line));
    Object.assign(globalThis, { jwks });
    const { verifier, server } = (await import(pathToFileURL(file).href)) as { verifier: Verifier; server: Server };
    t.after(() => server.close());

    const local = {
      "scrape_interval: 15s": "scrape_interval: 1s",
      "alerts/prometheus.yml": "rules.yml",
      "9464": `${port}`,
    };
    const [, config = ""] = /^```yaml\n(.*?)^```$/ms.exec(text) ?? [];
    const prometheus = await Prometheus.start(join(DIRECTORY, "prometheus"), {
      "prometheus.yml": replaced(config, local),
      "rules.yml": replaced(rules, { "interval: 15s": "interval: 1s" }),
    });
    t.after(() => prometheus.stop());

    const series = 'waxseal_rejected_total{code="ERR_SIGNATURE_INVALID",step="signature",status="401"}';
    assert.equal(await prometheus.sample(series), 0);
    const good = await issuer.issue({ sub: "alice" }, { expiresIn: 60 });
    await verifier.authenticate({ method: "GET", headers: { authorization: `Bearer ${good}` } });
    const bad = await forged();
    for (let i = 0; i < 60; i++) await assert.rejects(verifier.verifyAsync(bad), { code: "ERR_SIGNATURE_INVALID" });

    const { labels, annotations } = await prometheus.firing("WaxsealInvalidSignatures");
    assert.equal(labels.job, "api");
    assert.match(annotations.summary, /^api refused [\d.]+ invalid signatures in a minute$/);
    assert.equal(await prometheus.sample(series, (value) => value >= 60), 60);
    assert.equal(await prometheus.sample('sum(waxseal_accepted_total{source="bearer"})'), 1);
    assert.equal(lines.length, 61, "the listener of the program's own got each event too");
    assert.ok(lines.every((line) => !line.includes("eyJ")));
  },
);

/** Bundles a program for workerd, with its surroundings in front of it. */
async function forWorkerd(name: string, code: string): Promise<{ type: "ESModule"; path: string; contents: string }> {
  const directory = join(DIRECTORY, "bundles", name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "program.ts"), `const jwks = ${JSON.stringify(jwks)};\n${code}`);
  await bundle({
    entry: join(directory, "program.ts"),
    outfile: join(directory, "worker.js"),
    conditions: ["workerd", "worker", "browser"],
    expected: "workerd.js",
  });
  return { type: "ESModule", path: "worker.js", contents: readFileSync(join(directory, "worker.js"), "utf8") };
}

test("the program on Workers answers with a dataset of Analytics Engine, and the Tail Worker hands on what it logged", async (t) => {
  const received: string[] = [];
  const collector = createServer((request, response) => {
    request.setEncoding("utf8").on("data", (part: string) => received.push(part));
    request.on("end", () => response.end());
  });
  await new Promise<void>((listening) => collector.listen(0, "127.0.0.1", listening));
  t.after(() => collector.close());
  const COLLECTOR = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;

  const [, logging = ""] = /`onEvent: (\(event\) => console\.log\(.+?\))`/.exec(text) ?? [];
  const recording = "(event) => record(env.EVENTS, event)";
  assert.notEqual(logging, "");
  const wasm = readFileSync("target/packed/node_modules/waxseal/dist/waxseal.wasm");
  const modules = async (name: string, code: string) => [
    await forWorkerd(name, code),
    { type: "CompiledWasm" as const, path: "waxseal.wasm", contents: wasm },
  ];
  const common = { compatibilityDate: "2026-04-01" };
  const miniflare = new Miniflare({
    workers: [
      {
        ...common,
        name: "logs",
        modules: await modules("logs", replaced(onWorkers, { [recording]: logging })),
        tails: ["tail"],
      },
      {
        ...common,
        name: "records",
        modules: await modules("records", onWorkers),
        analyticsEngineDatasets: { EVENTS: { dataset: "waxseal" } },
      },
      {
        ...common,
        name: "tail",
        modules: [{ type: "ESModule", path: "tail.js", contents: (await transform(tail, { loader: "ts" })).code }],
        bindings: { COLLECTOR },
      },
    ],
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
  });
  t.after(() => miniflare.dispose());

  const good = await issuer.issue({ sub: "alice" }, { expiresIn: 60 });
  const bad = await forged();
  for (const name of ["records", "logs"]) {
    const worker = await miniflare.getWorker(name);
    const get = async (token: string): Promise<[number, string]> => {
      const response = await worker.fetch("http://localhost/", { headers: { authorization: `Bearer ${token}` } });
      return [response.status, await response.text()];
    };
    assert.deepEqual(await get(good), [200, "Hello, alice"]);
    assert.deepEqual(await get(bad), [401, '{"error":"ERR_SIGNATURE_INVALID"}']);
  }
  for (let waited = 0; received.length < 2 && waited < 5000; waited += 50) await sleep(50);
  assert.deepEqual(
    received
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
    [
      { type: "accepted", revocation: "not-checked", source: "bearer" },
      { type: "rejected", code: "ERR_SIGNATURE_INVALID", step: "signature" },
    ],
  );
});
