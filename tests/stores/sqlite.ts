/**
 * Real SQLite, by one of the two drivers: `sqlite.ts node:sqlite` or `sqlite.ts better-sqlite3`. Runs itself again under a
 * Node that has the driver, and once more for each process of the tests of several processes.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sqliteRevocationStore, sqliteStore } from "waxseal/stores/sqlite";
import { equal, ok } from "../js/harness/assert.js";
import { missing, report } from "../js/harness/report.js";
import { fails, later, runStore } from "./harness/run-cases.js";
import { type Driver, nodeFor, type Opened, opener } from "./harness/sqlite.js";

const PROCESSES = 4;
const KEY = "wx1:sessions:of-several-processes";

const [program = "", driver, role, ...rest] = process.argv.slice(1) as [string, Driver, string?, ...string[]];
const open = opener(driver);

/** Another process like this one, which says "ready" when its store is open. */
async function processOf(task: string, ...parameters: string[]): Promise<{ child: ChildProcess; lines: string[] }> {
  const child = spawn(process.execPath, [program, driver, task, ...parameters], { stdio: ["pipe", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  for (const end = Date.now() + 30_000; lines[0] !== "ready"; await pause(5)) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`the process did not begin: ${lines.join(" ")}`);
  }
  return { child, lines };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What the other processes do. */
const ROLES: Record<string, (file: string, ...parameters: string[]) => Promise<void>> = {
  /** Counts the record up so many times. */
  async count(file, times) {
    const store = await begin(file);
    for (let done = 0; done < Number(times);) {
      const text = (await store.read(KEY)) ?? "";
      if (await store.compareAndSwap(KEY, text, String(Number(text) + 1), later())) done += 1;
    }
  },
  /** Tries to be the one that makes each of so many records. */
  async contend(file, times, name) {
    const store = await begin(file);
    for (let i = 0; i < Number(times); i++) {
      if (await store.compareAndSwap(`${KEY}:${i}`, null, `${name}`, later())) console.log(i);
    }
  },
  /** Counts up without end, and says every number that was acknowledged. */
  async endless(file) {
    const store = await begin(file);
    for (let i = 1; ; i++) {
      if (!(await store.compareAndSwap(KEY, i === 1 ? null : String(i - 1), String(i), later()))) process.exit(1);
      console.log(i);
      if (i % 50 === 0) await pause(0);
    }
  },
};

async function begin(file: string): Promise<ReturnType<typeof sqliteStore>> {
  const store = sqliteStore((open as (file: string) => Opened)(file));
  console.log("ready");
  await once(process.stdin, "data");
  process.stdin.destroy();
  return store;
}

/** Runs a role in several processes at once and waits for them; gives what each has printed. */
async function together(task: string, file: string, times: number): Promise<string[][]> {
  const all = await Promise.all(Array.from({ length: PROCESSES }, (_, i) => processOf(task, file, `${times}`, `${i}`)));
  const ends = all.map(async ({ child }) => equal((await once(child, "close"))[0], 0, "the exit code"));
  for (const { child } of all) child.stdin?.write("go\n");
  await Promise.all(ends);
  return all.map(({ lines }) => lines.slice(1));
}

async function main(open: (file: string) => Opened): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "waxseal-sqlite-"));
  const opened: Opened[] = [];
  const database = (name: string, mode = "WAL"): Opened => {
    const handle = open(join(directory, name));
    opened.push(handle);
    handle.exec(`PRAGMA journal_mode = ${mode}`);
    return handle;
  };
  const shared = [database("conformance.db"), database("conformance.db")] as const;
  let made = 0;
  try {
    const outcomes = await runStore(() => sqliteStore(shared[made++ % 2] as Opened), {
      ...Object.fromEntries(
        ["WAL", "DELETE"].flatMap((mode) => [
          [
            `no update is lost among ${PROCESSES} processes on one file (journal mode ${mode})`,
            async () => {
              const store = sqliteStore(database(`count-${mode}.db`, mode));
              equal(await store.compareAndSwap(KEY, null, "0", later()), true);
              await together("count", join(directory, `count-${mode}.db`), 50);
              equal(await store.read(KEY), String(PROCESSES * 50));
            },
          ],
          [
            `of ${PROCESSES} processes that make one record each time one succeeds (journal mode ${mode})`,
            async () => {
              const store = sqliteStore(database(`contend-${mode}.db`, mode));
              const won = await together("contend", join(directory, `contend-${mode}.db`), 50);
              equal(won.flat().length, 50);
              for (const [name, numbers] of won.entries()) {
                for (const i of numbers) equal(await store.read(`${KEY}:${i}`), String(name));
              }
            },
          ],
        ]),
      ),

      async "what was acknowledged survives the kill of its process"() {
        for (let round = 0; round < 5; round++) {
          const file = join(directory, `killed-${round}.db`);
          const { child, lines } = await processOf("endless", file);
          child.stdin?.write("go\n");
          for (const end = Date.now() + 10_000; lines.length <= 20 + 30 * round && Date.now() < end;) await pause(1);
          child.kill("SIGKILL");
          await once(child, "close");
          const acknowledged = Number(lines.at(-1));
          const found = Number(await sqliteStore(database(`killed-${round}.db`)).read(KEY));
          ok(acknowledged >= 20, `acknowledged ${acknowledged}`);
          // One more may have been written, and killed before it said so; its answer may have been lost in the pipe.
          ok(found >= acknowledged, `found ${found} after ${acknowledged} was acknowledged`);
          equal(
            await sqliteStore(database(`killed-${round}.db`)).compareAndSwap(KEY, `${found}`, "next", later()),
            true,
          );
        }
      },

      async "a database that was closed and opened again has its records"() {
        const before = open(join(directory, "again.db"));
        equal(await sqliteStore(before).compareAndSwap(KEY, null, "text", later()), true);
        before.close();
        equal(await sqliteStore(database("again.db")).read(KEY), "text");
      },

      async "a closed database rejects, both reads and swaps"() {
        const handle = open(join(directory, "closed.db"));
        const store = sqliteStore(handle);
        handle.close();
        await fails(store.read(KEY));
        await fails(store.compareAndSwap(KEY, null, "text", later()));
      },

      async "a locked database is waited for, and one that stays locked rejects"() {
        const [locking, waiting] = [database("locked.db", "DELETE"), database("locked.db", "DELETE")];
        const store = sqliteStore(waiting);
        waiting.exec("PRAGMA busy_timeout = 100");
        equal(await store.compareAndSwap(KEY, null, "first", later()), true);
        locking.exec("BEGIN EXCLUSIVE");
        await fails(store.compareAndSwap(KEY, "first", "second", later()));
        await fails(store.read(KEY));
        locking.exec("ROLLBACK");
        equal(await store.compareAndSwap(KEY, "first", "second", later()), true);
      },

      async "a commit that a reader of the file blocks rejects, and has written nothing"() {
        // In this mode a write goes well up to its commit, which waits for readers.
        const [reading, writing] = [database("reader.db", "DELETE"), database("reader.db", "DELETE")];
        const store = sqliteStore(writing);
        equal(await store.compareAndSwap(KEY, null, "first", later()), true);
        writing.exec("PRAGMA busy_timeout = 100");
        reading.exec("BEGIN");
        reading.prepare("SELECT count(*) FROM waxseal_sessions").get();
        await fails(store.compareAndSwap(KEY, "first", "second", later()));
        await fails(store.compareAndSwap(`${KEY}:new`, null, "second", later()));
        reading.exec("COMMIT");
        equal(await store.read(KEY), "first");
        equal(await store.read(`${KEY}:new`), null);
      },

      async "a swap inside a transaction of the caller's rejects, since it could be undone"() {
        const handle = database("transaction.db");
        const [store, revocations] = [sqliteStore(handle), sqliteRevocationStore(handle)];
        handle.exec("BEGIN");
        await fails(store.compareAndSwap(KEY, null, "text", later()));
        await fails(revocations.put(KEY, "text", { expirationTtl: 60 }));
        handle.exec("ROLLBACK");
        equal(await store.compareAndSwap(KEY, null, "text", later()), true);
      },

      async "a time to wait is set only where there is none"() {
        const waits = (handle: Opened): unknown =>
          Reflect.get(Object(handle.prepare("PRAGMA busy_timeout").get()), "timeout");
        const [none, own] = [database("none.db"), database("own.db")];
        none.exec("PRAGMA busy_timeout = 0");
        own.exec("PRAGMA busy_timeout = 1234");
        sqliteStore(none);
        sqliteStore(own);
        equal(waits(none), 5000);
        equal(waits(own), 1234);
      },

      async "expired rows go as new ones come, so the table does not grow"() {
        const handle = database("growth.db");
        const store = sqliteStore(handle);
        const past = Math.floor(Date.now() / 1000) - 1;
        for (let i = 0; i < 500; i++) await store.compareAndSwap(`expired ${i}`, null, "x".repeat(1000), past);
        for (let i = 0; i < 20; i++) equal(await store.compareAndSwap(`live ${i}`, null, "text", later()), true);
        const rows = (): unknown =>
          Reflect.get(Object(handle.prepare("SELECT count(*) AS n FROM waxseal_sessions").get()), "n");
        equal(rows(), 20);
        for (let i = 0; i < 20; i++) equal(await store.read(`live ${i}`), "text");
        handle.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        ok(statSync(join(directory, "growth.db")).size < 100_000);
      },

      async "two tables of one database are apart, and a name that is a keyword works"() {
        const [one, two] = [sqliteStore(shared[0]), sqliteStore(shared[0], { table: "order" })];
        equal(await one.compareAndSwap(KEY, null, "one", later()), true);
        equal(await two.read(KEY), null);
        equal(await two.compareAndSwap(KEY, null, "two", later()), true);
        equal(await one.read(KEY), "one");
      },

      async "a revocation entry is read by the other handle until it expires"() {
        const [one, two] = [sqliteRevocationStore(shared[0]), sqliteRevocationStore(shared[1])];
        equal(await two.get("a"), null);
        await one.put("a", "entry", { expirationTtl: 2 });
        await one.put("b", "first", { expirationTtl: 60 });
        await two.put("b", "second", { expirationTtl: 60 });
        equal(await two.get("a"), "entry");
        await pause(3100);
        equal((await one.getMany(["a", "none", "b"])).join(), ",,second");
      },
    });
    await report(runtime, outcomes);
  } finally {
    for (const handle of opened) handle.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const runtime = driver === "node:sqlite" ? "store-node-sqlite" : "store-better-sqlite3";
const node = nodeFor(driver);
if (role !== undefined) {
  await ROLES[role]?.(...(rest as [string]));
} else if (open !== undefined) {
  console.log(`# ${driver} on Node ${process.version}`);
  await main(open);
} else if (node !== undefined && node !== process.execPath) {
  process.exitCode = spawnSync(node, [...process.execArgv, program, driver], { stdio: "inherit" }).status ?? 1;
} else {
  // It has to be compiled, for which not every machine has what it takes; the adapter is the same for both drivers.
  const optional = driver === "better-sqlite3";
  await missing(runtime, `${driver} is missing; scripts/install-stores.sh installs it`, { optional });
}
