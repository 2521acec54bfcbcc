/** Real Durable Objects or a real D1 database on workerd: `workerd.ts durable-object` or `workerd.ts d1`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { equal, ok } from "../js/harness/assert.js";
import { PACKED } from "../js/harness/bundle.js";
import { report } from "../js/harness/report.js";
import type { Outcome } from "../js/harness/run-suites.js";
import { bundled } from "./harness/bundle.js";
import { runCases } from "./harness/run-cases.js";

const name = process.argv[2] ?? "";
if (name !== "durable-object" && name !== "d1") throw new Error("usage: workerd.ts durable-object | d1");

const contents = await bundled("worker/store-worker", ["workerd", "worker", "browser"]);
const wasm = readFileSync(join(PACKED, "node_modules/waxseal/dist/waxseal.wasm"));
const directory = mkdtempSync(join(tmpdir(), "waxseal-workerd-"));

/** A runtime whose storage is that directory. */
async function start(): Promise<Miniflare> {
  const miniflare = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents },
      { type: "CompiledWasm", path: "waxseal.wasm", contents: wasm },
    ],
    compatibilityDate: "2026-04-01",
    durableObjects: {
      SESSIONS: { className: "SessionRecords", useSQLite: true },
      INSPECTED: { className: "InspectedRecords", useSQLite: true },
    },
    d1Databases: ["DB"],
    kvNamespaces: ["KV"],
    durableObjectsPersist: join(directory, "objects"),
    d1Persist: join(directory, "databases"),
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
  });
  await miniflare.ready;
  return miniflare;
}

async function ask(miniflare: Miniflare, path: string, parameters: Record<string, string> = {}): Promise<unknown> {
  const response = await miniflare.dispatchFetch(`http://localhost/${name}${path}?${new URLSearchParams(parameters)}`);
  if (!response.ok) throw new Error(`the Worker failed: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The runtimes that this process has started. */
function runtimes(): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      // The name stands in parentheses, the state and the parent's id come after it.
      const [, command, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      return command === "workerd" && Number(parent) === process.pid ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

const restarts = {
  async "records survive a restart of the runtime"() {
    const before = await start();
    try {
      equal(await ask(before, "/operation", { key: "kept", next: "first" }), true);
      equal(await ask(before, "/operation", { key: "kept", expected: "first", next: "second" }), true);
    } finally {
      await before.dispose();
    }
    const after = await start();
    try {
      equal(await ask(after, "/operation", { key: "kept" }), "second");
      equal(await ask(after, "/operation", { key: "kept", expected: "first", next: "third" }), false);
    } finally {
      await after.dispose();
    }
  },

  async "what was acknowledged survives the kill of the runtime"() {
    const before = await start();
    let acknowledged = 0;
    try {
      const counting = (async () => {
        for (let i = 1; ; i++) {
          const parameters = { key: "killed", next: String(i), ...(i > 1 && { expected: String(i - 1) }) };
          equal(await ask(before, "/operation", parameters), true);
          acknowledged = i;
        }
      })().catch(() => {});
      while (acknowledged < 30) await new Promise((resolve) => setTimeout(resolve, 2));
      const killed = runtimes();
      equal(killed.length, 1);
      for (const pid of killed) process.kill(pid, "SIGKILL");
      await counting;
    } finally {
      await before.dispose();
    }
    const after = await start();
    try {
      const found = Number(await ask(after, "/operation", { key: "killed" }));
      // The last swap may have been written and killed before its answer.
      ok(found === acknowledged || found === acknowledged + 1, `found ${found}, acknowledged ${acknowledged}`);
    } finally {
      await after.dispose();
    }
  },
};

try {
  const miniflare = await start();
  let outcomes: Outcome[];
  try {
    outcomes = (await ask(miniflare, "")) as Outcome[];
  } finally {
    await miniflare.dispose();
  }
  const own = await runCases(
    "own",
    Object.entries(restarts).map(([name, run]) => ({ name, run })),
  );
  await report(`store-${name}`, [...outcomes, ...own]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
