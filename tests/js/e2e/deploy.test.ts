/** The Worker can be deployed as it is, with the library from the packed tarball. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { bundlePacked } from "./support.js";

test("wrangler deploy --dry-run bundles the Worker with the compiled module beside it", async () => {
  const { modules, printed } = await bundlePacked();
  assert.match(printed, /--dry-run: exiting now/);
  for (const binding of ["SESSIONS", "REVOKED", "ISSUER", "AUDIENCE", "ORIGINS"])
    assert.match(printed, new RegExp(`env\\.${binding}`));
  assert.doesNotMatch(printed, /warning|error/i);

  const names = readdirSync(modules);
  const wasm = names.filter((name) => name.endsWith(".wasm"));
  assert.equal(wasm.length, 1, `one compiled module, not ${wasm.join(", ") || "none"}`);
  const script = readFileSync(`${modules}/index.js`, "utf8");
  assert.ok(script.includes(`/${wasm[0]}`), "the script imports it");
  // The loaders of other hosts carry the module as base64 text, which workerd could not compile.
  assert.ok(!script.includes(Buffer.from("\0asm\x01").toString("base64").slice(0, 6)), "no module as text");
  assert.ok(statSync(`${modules}/index.js`).size < 150_000, "no other host's loader is in the bundle");
});
