/**
 * Refreshes on every session store, each in its own runtime: how many there are in a second, beside how often the store
 * itself can read and swap a record in the same run. The ratio says what is left of the store's own speed; what is lost are
 * the signatures, two verified and two made for each refresh.
 *
 * `stores.ts` measures all of them; `stores.ts <name>` one of those that run on Node, and prints JSON.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { Miniflare } from "miniflare";
import { createClient } from "redis";
import { memoryStore } from "waxseal/stores/memory";
import { redisStore } from "waxseal/stores/redis";
import { sqliteStore } from "waxseal/stores/sqlite";
import { PACKED } from "../tests/js/harness/bundle.js";
import { bundle } from "../tests/stores/harness/bundle.js";
import { hasRedis, RedisServer } from "../tests/stores/harness/redis.js";
import { nodeFor, opener } from "../tests/stores/harness/sqlite.js";
import { type Figures, measure } from "./stores/measure.js";

const DENO = resolve("tests/stores/tools/deno/node_modules/@deno/linux-x64-glibc/deno");

const directory = mkdtempSync(join(tmpdir(), "waxseal-bench-"));

async function onWorkerd(path: string): Promise<Figures> {
  const miniflare = new Miniflare({
    modules: [
      {
        type: "ESModule",
        path: "worker.js",
        contents: readFileSync(await bundle("../../bench/stores/worker", ["workerd", "worker", "browser"]), "utf8"),
      },
      {
        type: "CompiledWasm",
        path: "waxseal.wasm",
        contents: readFileSync(join(PACKED, "node_modules/waxseal/dist/waxseal.wasm")),
      },
    ],
    compatibilityDate: "2026-04-01",
    durableObjects: { SESSIONS: { className: "SessionRecords", useSQLite: true } },
    d1Databases: ["DB"],
    durableObjectsPersist: join(directory, "objects"),
    d1Persist: join(directory, "databases"),
    cf: false,
    telemetry: { enabled: false },
  });
  try {
    const response = await miniflare.dispatchFetch(`http://localhost/${path}`);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Figures;
  } finally {
    await miniflare.dispose();
  }
}

async function onRedis(connect: (port: number) => Promise<Figures>): Promise<Figures | undefined> {
  if (!hasRedis()) return undefined;
  const server = await RedisServer.start();
  try {
    return await connect(server.port);
  } finally {
    await server.stop();
  }
}

async function onDeno(): Promise<Figures | undefined> {
  if (!existsSync(DENO)) return undefined;
  const program = await bundle("../../bench/stores/deno", ["deno", "import"]);
  const flags = ["run", "--quiet", "--no-config", "--unstable-kv", "--allow-all"];
  return JSON.parse(execFileSync(DENO, [...flags, program, join(directory, "kv")], { encoding: "utf8" })) as Figures;
}

/** SQLite in a file in WAL mode, where every write reaches the disk (`synchronous = FULL`). */
async function onSqlite(): Promise<Figures> {
  const database = opener("node:sqlite")?.(join(directory, "sessions.db"));
  if (database === undefined) throw new Error("node:sqlite is missing");
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return measure(sqliteStore(database));
}

function onOtherNode(name: string): Figures | undefined {
  const node = nodeFor("node:sqlite");
  if (node === undefined) return undefined;
  return JSON.parse(execFileSync(node, [process.argv[1] ?? "", name], { encoding: "utf8" })) as Figures;
}

const stores: Record<string, () => Promise<Figures | undefined> | Figures | undefined> = {
  memory: () => measure(memoryStore()),
  "Durable Object": () => onWorkerd("durable-object"),
  D1: () => onWorkerd("d1"),
  "node:sqlite": () => (opener("node:sqlite") === undefined ? onOtherNode("node:sqlite") : onSqlite()),
  ioredis: () =>
    onRedis(async (port) => {
      const client = new Redis({ port, maxRetriesPerRequest: 0 });
      try {
        return await measure(redisStore(client));
      } finally {
        client.disconnect();
      }
    }),
  redis: () =>
    onRedis(async (port) => {
      const client = createClient({ socket: { port } });
      await client.connect();
      try {
        return await measure(redisStore(client));
      } finally {
        client.destroy();
      }
    }),
  "Deno KV": onDeno,
};

const [only] = process.argv.slice(2);
try {
  if (only !== undefined) {
    console.log(JSON.stringify(await stores[only]?.()));
  } else {
    console.log(
      "store            bare/s  refreshes/s  ratio   50 refreshes of one token at once\n" +
        "                 (read + swap)",
    );
    let trips: Figures["trips"] = {};
    for (const [name, run] of Object.entries(stores)) {
      const figures = await run();
      if (figures === undefined) {
        console.log(`${name.padEnd(16)} not installed`);
        continue;
      }
      const { bare, refresh, atOnce } = figures;
      ({ trips } = figures);
      const cells = [
        name.padEnd(16),
        (1000 / bare).toFixed(0).padStart(6),
        (1000 / refresh).toFixed(0).padStart(11),
        `${((100 * bare) / refresh).toFixed(1)} %`.padStart(6),
        `  ${atOnce.live} live session, ${atOnce.signedOut} signed out, ${atOnce.rotations} rotation, ${atOnce.tokens} token`,
      ];
      console.log(cells.join("  "));
    }
    console.log("\nHow often a call waits for the store (reads + swaps; a swap of Deno KV is two round trips):");
    for (const [name, count] of Object.entries(trips)) console.log(`  ${name.padEnd(24)} ${count}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
