/** The demo, as `make demo` runs it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { test } from "node:test";

interface Run {
  code: number | null;
  output: string;
}

function runDemo(): Promise<Run> {
  const child = spawn(process.execPath, ["scripts/run.mjs", "worker/demo/run.ts"], {
    env: { ...process.env, DEMO_EXIT: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

test("the walk-through ends with 0, every expectation met, and prints neither a whole token nor a colour", async () => {
  const { code, output } = await runDemo();
  assert.equal(code, 0, output);
  assert.match(output, /\d+ steps, \d+ checks: all as expected/);
  assert.doesNotMatch(output, /✗/);
  assert.match(output, /wx1:session:[\w-]{43}/, "shows the entry read from KV");
  for (const shown of ["3 refreshes, 1 rotation", "reuse-detected", "duplicate-cookie", "ERR_STORE_UNAVAILABLE"]) {
    assert.ok(output.includes(shown), shown);
  }
  assert.doesNotMatch(output, /eyJ[\w-]{10,}/, "tokens are shortened");
  assert.ok(!output.includes("\u001b["), "colours are for terminals");
});

test("the demo takes another port when its own is taken", async () => {
  const squatter = createServer();
  // Whether this or something else has the port does not matter.
  await new Promise<void>((resolve) => squatter.once("error", () => resolve()).listen(8787, "127.0.0.1", resolve));
  try {
    const { code, output } = await runDemo();
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /on workerd at http:\/\/localhost:8787$/m);
  } finally {
    squatter.close();
  }
});
