/**
 * The demo: the Worker on Cloudflare's own runtime, a walk through everything it does, and then a page to try it on.
 *
 * DEMO_EXIT=1 ends after the walk-through; the exit code is 1 when anything came out otherwise than it should.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Miniflare } from "miniflare";
import { generateKeyPair } from "waxseal";
import { EventLog } from "./events.js";
import { addressOf, bundle, freePort, start } from "./runtime.js";
import { type Addresses, GRACE, type Stage } from "./stage.js";
import { tell } from "./story/index.js";
import { bold, dim, green, red, say, Walk } from "./terminal.js";

/** Both are ignored by git; the second holds keys, sessions and revocation entries from one run to the next. */
const MODULES = "worker/dist";
const STATE = "worker/.wrangler/demo";
/** Stores that take a minute to answer nothing, and one that has not heard of anything. */
const SILENT_KV = "get() { return scheduler.wait(60_000); } getMany() { return scheduler.wait(60_000); }";
const SILENT_SESSIONS = "read() { return scheduler.wait(60_000); } compareAndSwap() { return scheduler.wait(60_000); }";
const STALE_KV = "get() { return null; } getMany(keys) { return keys.map(() => null); } put() {}";
const PASSWORD = "correct horse battery staple";

const events = new EventLog();
const walk = new Walk();
let serving = false;
const { miniflare, ...places } = await setUp();
console.log(`\n${bold("Waxseal")} on workerd at ${bold(places.address)}`);

try {
  await tell({ ...places, password: PASSWORD, events, walk });
} catch (error) {
  walk.expect(`the walk-through reaches its end (${error instanceof Error ? error.message : error})`, false);
}
const verdict = walk.failures === 0 ? green("all as expected") : red(`${walk.failures} otherwise than expected`);
console.log(`\n${bold(`${walk.steps} steps, ${walk.checks} checks: ${verdict}`)}\n`);
process.exitCode = walk.failures === 0 ? 0 : 1;

if (process.env.DEMO_EXIT === "1") {
  await miniflare.dispose();
} else {
  serving = true;
  say(`Open ${bold(places.address)} and sign in as ${bold("ada")} with the password ${bold(PASSWORD)}.`);
  say("Ctrl-C stops the Worker.");
  // Miniflare stops workerd and ends with 130 on Ctrl-C. Here that is how it is meant to end.
  const { exitCode } = process;
  process.once("exit", () => {
    process.exitCode = exitCode;
  });
}

async function setUp(): Promise<{ miniflare: Miniflare } & Addresses & Pick<Stage, "revoked">> {
  await bundle("worker", MODULES);
  const port = await freePort(8787);
  const address = `http://localhost:${port}`;
  const bindings = {
    WAXSEAL_PRIVATE_KEY: await signingKey("access"),
    WAXSEAL_REFRESH_KEY: await signingKey("refresh"),
    DEMO_PASSWORD: PASSWORD,
    ISSUER: address,
    AUDIENCE: address,
    ORIGINS: [address],
    REFRESH_GRACE: GRACE,
  };
  const miniflare = await start({
    modules: MODULES,
    instances: {
      worker: { bindings },
      hurried: { bindings: { ...bindings, ACCESS_TOKEN_LIFETIME: 1 } },
      stale: { bindings, revoked: { classBody: STALE_KV } },
      "silent-kv": { bindings, revoked: { classBody: SILENT_KV } },
      "silent-sessions": { bindings, sessions: { classBody: SILENT_SESSIONS } },
    },
    port,
    persist: STATE,
    log: (text) => {
      events.take(text);
      // During the walk-through the answers say it all.
      if (serving) process.stderr.write(dim(text));
    },
  });
  const revoked: Stage["revoked"] = await miniflare.getKVNamespace("REVOKED", "worker");
  return {
    miniflare,
    address,
    hurried: await addressOf(miniflare, "hurried"),
    stale: await addressOf(miniflare, "stale"),
    silentKv: await addressOf(miniflare, "silent-kv"),
    silentSessions: await addressOf(miniflare, "silent-sessions"),
    revoked: { list: () => twice(() => revoked.list()), get: (key) => twice(() => revoked.get(key)) },
  };
}

/** Tries again once: Miniflare reads over a connection that may have been closed while nobody used it. */
function twice<T>(read: () => Promise<T>): Promise<T> {
  return read().catch(read);
}

/** A private JWK as JSON: the one of the last run, or a new one. */
async function signingKey(use: "access" | "refresh"): Promise<string> {
  const file = `${STATE}/${use}-key.json`;
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept;
  const { privateKey } = await generateKeyPair("ES256");
  const json = JSON.stringify(privateKey);
  await mkdir(STATE, { recursive: true, mode: 0o700 });
  await writeFile(file, json, { mode: 0o600 });
  return json;
}
