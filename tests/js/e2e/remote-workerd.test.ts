/** Remote key sets over several requests and isolates of real workerd, and over several processes of Node. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { createIssuer, generateKeyPair } from "waxseal";
import { bundle, PACKED } from "../harness/bundle.js";
import { type KeyAnswer, type KeyServer, startKeyServer } from "../harness/key-server.js";

const OUT = join(PACKED, "run/remote");
const directory = mkdtempSync(join(tmpdir(), "waxseal-remote-"));
const { privateKey, publicKey } = await generateKeyPair("ES256");
const body = JSON.stringify({ keys: [publicKey] });
const issuer = await createIssuer({ key: privateKey, issuer: "https://id.example", audience: "api" });
const token = await issuer.issue({ sub: "alice" });

let server: KeyServer;
before(async () => {
  server = await startKeyServer();
  mkdirSync(OUT, { recursive: true });
  await bundle({
    entry: "tests/remote/worker.ts",
    outfile: join(OUT, "worker.js"),
    conditions: ["workerd", "worker", "browser"],
    expected: "workerd.js",
  });
});
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;

/** A set at the server that gives these answers. */
async function published(
  ...script: KeyAnswer[]
): Promise<{ url: string; fetches(): Promise<number>; answers: Script }> {
  const name = `set${count++}`;
  const answers: Script = async (...next) => {
    await (await fetch(`${server.url}/script/${name}`, { method: "POST", body: JSON.stringify(next) })).text();
  };
  await answers(...script);
  const fetches = async (): Promise<number> => {
    const seen = (await (await fetch(`${server.url}/seen/${name}`)).json()) as unknown[];
    return seen.length;
  };
  return { url: `${server.url}/sets/${name}`, fetches, answers };
}
type Script = (...script: KeyAnswer[]) => Promise<void>;

type Isolate = (path: string) => Promise<string>;

/** Runs something against a new isolate. */
async function isolate(
  bindings: Record<string, string>,
  run: (ask: Isolate) => Promise<void>,
  compatibilityDate = "2026-04-01",
): Promise<void> {
  const miniflare = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: readFileSync(join(OUT, "worker.js"), "utf8") },
      { type: "CompiledWasm", path: "waxseal.wasm", contents: readFileSync(join(OUT, "waxseal.wasm")) },
    ],
    compatibilityDate,
    bindings,
    kvNamespaces: ["KV"],
    kvPersist: join(directory, "kv"),
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
  });
  try {
    const headers = { authorization: `Bearer ${token}` };
    await run(async (path) => (await miniflare.dispatchFetch(`http://localhost${path}`, { headers })).text());
  } finally {
    await miniflare.dispose();
  }
}

test("a set may be named at module scope, and nothing is fetched before a token needs it", async () => {
  const set = await published({ body });
  await isolate({ URL: set.url }, async (ask) => {
    assert.equal(await ask("/made"), "https://id.example/jwks");
    assert.equal(await set.fetches(), 0);
    assert.equal(await ask("/"), "alice");
    assert.equal(await set.fetches(), 1);
  });
});

test("requests that come together share one fetch", async () => {
  const set = await published({ body, delay: 300 });
  await isolate({ URL: set.url }, async (ask) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("/")));
    assert.deepEqual([...new Set(answers)], ["alice"]);
    assert.equal(await set.fetches(), 1);
  });
});

test("a waiter on the fetch of a request that has ended notices, and fetches for itself", async () => {
  const set = await published({ body, delay: 15_000 }, { body });
  await isolate({ URL: set.url }, async (ask) => {
    assert.equal(await ask("/early"), "gone");
    assert.equal(await set.fetches(), 1);
    const start = Date.now();
    const answers = await Promise.all([ask("/"), ask("/"), ask("/")]);
    assert.deepEqual(answers, ["alice", "alice", "alice"]);
    const took = Date.now() - start;
    assert.ok(took < 10_000, `${took} ms: before the first fetch would have ended, and before its timeout`);
    assert.equal(await set.fetches(), 2);
  });
});

test("with waitUntil the fetch of a request that has ended goes on for those who wait for it", async () => {
  const set = await published({ body, delay: 1500 });
  await isolate({ URL: set.url, BACKGROUND: "yes" }, async (ask) => {
    assert.equal(await ask("/early"), "gone");
    assert.deepEqual(await Promise.all([ask("/"), ask("/")]), ["alice", "alice"]);
    assert.equal(await set.fetches(), 1);
  });
});

for (const background of [{}, { BACKGROUND: "yes" }]) {
  const how = "BACKGROUND" in background ? "in the background" : "before the answer";
  test(`a new isolate starts with the keys that another has written to KV ${how}`, async () => {
    const set = await published({ body });
    await isolate({ URL: set.url, ...background }, async (ask) => assert.equal(await ask("/"), "alice"));
    await set.answers({ status: 500 });
    await isolate({ URL: set.url, ...background }, async (ask) => {
      assert.equal(await ask("/"), "alice");
      assert.deepEqual(JSON.parse(await ask("/events")), ["keys-fetched store", "accepted bearer"]);
    });
    assert.equal(await set.fetches(), 1);
  });
}

test("Workers of an older compatibility date fetch as well", async () => {
  const set = await published({ body });
  await isolate({ URL: set.url }, async (ask) => assert.equal(await ask("/"), "alice"), "2023-07-01");
  assert.equal(await set.fetches(), 1);
});

test("a new process of Node starts with the keys that another has written to a file", async () => {
  const set = await published({ body });
  const program = join(PACKED, "run/remote/process.mjs");
  writeFileSync(
    program,
    `import { existsSync, readFileSync, writeFileSync } from "node:fs";
    import { createVerifier, remoteJwks } from "waxseal";
    const [url, token, directory] = process.argv.slice(2);
    const file = (key) => directory + "/" + key.replace(":", "-");
    const store = {
      get: async (key) => (existsSync(file(key)) ? readFileSync(file(key), "utf8") : null),
      put: async (key, value) => writeFileSync(file(key), value),
    };
    const keys = remoteJwks(url, { cache: { store } });
    const verifier = await createVerifier({ keys, issuer: "https://id.example", audience: "api" });
    console.log((await verifier.verifyAsync(token)).claims.sub);`,
  );
  const start = (): string =>
    execFileSync(process.execPath, [program, set.url, token, directory], { cwd: resolve(PACKED), encoding: "utf8" });
  // The server is in this process, which must not be blocked while the other one asks it.
  const { spawn } = await import("node:child_process");
  const child = spawn(process.execPath, [program, set.url, token, directory], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (text) => (printed += String(text)));
  await new Promise((end) => child.on("close", end));
  assert.equal(printed.trim(), "alice");
  await set.answers({ status: 500 });
  assert.equal(start().trim(), "alice");
  assert.equal(await set.fetches(), 1);
});
