/**
 * The demo: the Worker on Cloudflare's own runtime, a walk through everything it does, and then a page to try it on.
 *
 * DEMO_EXIT=1 ends after the walk-through; the exit code is 1 when anything came out otherwise than it should.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { generateKeyPair } from "waxseal";
import { addressOf, bundle, freePort, start } from "./runtime.js";
import { tell } from "./story.js";
import { bold, dim, green, red, say, Walk } from "./terminal.js";

/** Both are ignored by git; the second holds the signing key and KV's entries from one run to the next. */
const MODULES = "worker/dist";
const STATE = "worker/.wrangler/demo";
/** A store that takes a minute to answer nothing. */
const SILENT = "get() { return scheduler.wait(60_000); } getMany() { return scheduler.wait(60_000); }";
const USERNAME = "ada";
const PASSWORD = "correct horse battery staple";

const walk = new Walk();
let serving = false;
const { miniflare, ...places } = await setUp();
console.log(`\n${bold("Waxseal")} on workerd at ${bold(places.address)}`);

try {
  await tell({ ...places, username: USERNAME, password: PASSWORD, walk });
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
  say(`Open ${bold(places.address)} and sign in as ${bold(USERNAME)} with the password ${bold(PASSWORD)}.`);
  say("Ctrl-C stops the Worker.");
  // Miniflare stops workerd and ends with 130 on Ctrl-C. Here that is how it is meant to end.
  const { exitCode } = process;
  process.once("exit", () => {
    process.exitCode = exitCode;
  });
}

async function setUp() {
  await bundle("worker", MODULES);
  const port = await freePort(8787);
  const address = `http://localhost:${port}`;
  const bindings = {
    WAXSEAL_PRIVATE_KEY: await signingKey(),
    DEMO_PASSWORD: PASSWORD,
    ISSUER: address,
    AUDIENCE: address,
    ORIGINS: [address],
  };
  const miniflare = await start({
    modules: MODULES,
    instances: {
      worker: { bindings },
      broken: { bindings, revoked: { classBody: SILENT } },
    },
    port,
    persist: `${STATE}/kv`,
    // During the walk-through the answers say it all.
    log: (text) => serving && process.stderr.write(dim(text)),
  });
  return {
    miniflare,
    address,
    brokenAddress: await addressOf(miniflare, "broken"),
    revoked: await miniflare.getKVNamespace("REVOKED", "worker"),
  };
}

/** The private JWK as JSON: the one of the last run, or a new one. */
async function signingKey(): Promise<string> {
  const file = `${STATE}/signing-key.json`;
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept;
  const { privateKey } = await generateKeyPair("ES256");
  const json = JSON.stringify(privateKey);
  await mkdir(STATE, { recursive: true, mode: 0o700 });
  await writeFile(file, json, { mode: 0o600 });
  return json;
}
