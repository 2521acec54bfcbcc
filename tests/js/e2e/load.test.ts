/** Ten seconds of `make load`: mixed traffic at full speed against the real servers, with stores that fail. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { load } from "../../load/load.js";
import { HAS_NODE, nodeExample, worker } from "../../load/servers.js";

const SECONDS = 10;

describe("under load, with one operation of a store in a hundred failing", () => {
  for (const [name, start, skip] of [
    ["the Worker", worker, false],
    ["the Node example", nodeExample, !HAS_NODE && "no Node has node:sqlite"],
  ] as const) {
    test(`${name} loses and forks no session, and answers nothing worse than 503`, { skip }, async (t) => {
      const { lines, wrong, sessions, faults } = await load(start, SECONDS);
      for (const line of lines) t.diagnostic(line);
      assert.deepEqual(wrong, []);
      assert.ok(sessions.made > 20 && sessions.ended > 0, "there was load");
      assert.ok(faults > 0, "and something failed");
    });
  }
});
