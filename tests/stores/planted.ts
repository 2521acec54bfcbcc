/** That the conformance suite can fail: stores that are broken on purpose, each of which must fail at least one case. */
import { memoryStore, type SessionStore } from "waxseal/stores/memory";
import { storeConformance } from "waxseal/testing";
import { ok } from "../js/harness/assert.js";
import { report } from "../js/harness/report.js";
import { type Case, runCases } from "./harness/run-cases.js";

type Break = (good: SessionStore) => Partial<SessionStore>;

const pause = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Applies a change to every text that is compared or written. */
const folding =
  (fold: (text: string) => string): Break =>
  (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      const stored = await good.read(key);
      const matches = stored !== null && expected !== null && fold(stored) === fold(expected);
      return good.compareAndSwap(key, matches ? stored : expected, next, expiresAt);
    },
  });

/** A store that keeps what it read for the next reads. */
const caching = (): Break => {
  const cache = new Map<string, string | null>();
  return (good) => ({
    async read(key) {
      if (!cache.has(key)) cache.set(key, await good.read(key));
      return cache.get(key) ?? null;
    },
  });
};

/** The fault, and how it breaks a good store. */
const FAULTS: Record<string, Break> = {
  "a store that writes whatever is there": (good) => ({
    async compareAndSwap(key, _expected, next, expiresAt) {
      return good.compareAndSwap(key, await good.read(key), next, expiresAt);
    },
  }),
  "a store that compares, waits and then writes": (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      if ((await good.read(key)) !== expected) return false;
      await pause();
      return good.compareAndSwap(key, await good.read(key), next, expiresAt);
    },
  }),
  "a store that says yes to everything": (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      await good.compareAndSwap(key, expected, next, expiresAt);
      return true;
    },
  }),
  "a store that says yes and writes nothing": () => ({ compareAndSwap: async () => true }),
  "a store that says no to everything": (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      await good.compareAndSwap(key, expected, next, expiresAt);
      return false;
    },
  }),
  "a store that does not tell no record from any record": (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      return good.compareAndSwap(key, expected === null ? await good.read(key) : expected, next, expiresAt);
    },
  }),
  "a store that makes the record which was expected to be there": (good) => ({
    async compareAndSwap(key, expected, next, expiresAt) {
      const stored = await good.read(key);
      return good.compareAndSwap(key, stored === null ? null : expected, next, expiresAt);
    },
  }),
  "a store that compares without regard to case": folding((text) => text.toLowerCase()),
  "a store that compares without accents": folding((text) => text.normalize("NFD").replace(/\p{M}/gu, "")),
  "a store that compares in a Unicode normal form": folding((text) => text.normalize("NFC")),
  "a store that compares without white space at the ends": folding((text) => text.trim()),
  "a store that compares the first 255 characters": folding((text) => text.slice(0, 255)),
  "a store that cuts texts at 32,768 characters": (good) => ({
    compareAndSwap: (key, expected, next, expiresAt) =>
      good.compareAndSwap(key, expected?.slice(0, 32_768) ?? null, next.slice(0, 32_768), expiresAt),
  }),
  "a store with keys of 40 characters": (good) => ({
    read: (key) => good.read(key.slice(0, 40)),
    compareAndSwap: (key, ...rest) => good.compareAndSwap(key.slice(0, 40), ...rest),
  }),
  "a store that does not regard the case of keys": (good) => ({
    read: (key) => good.read(key.toLowerCase()),
    compareAndSwap: (key, ...rest) => good.compareAndSwap(key.toLowerCase(), ...rest),
  }),
  "a store behind a cache": caching(),
  "a store that never drops a record": (good) => ({
    compareAndSwap: (key, expected, next) => good.compareAndSwap(key, expected, next, 99_999_999_999),
  }),
  "a store that takes seconds for milliseconds": (good) => ({
    compareAndSwap: (key, expected, next, expiresAt) => good.compareAndSwap(key, expected, next, expiresAt / 1000),
  }),
  "a store that keeps the first expiry": (() => {
    const first = new Map<string, number>();
    return (good: SessionStore) => ({
      compareAndSwap(key: string, expected: string | null, next: string, expiresAt: number) {
        if (!first.has(key)) first.set(key, expiresAt);
        return good.compareAndSwap(key, expected, next, first.get(key) as number);
      },
    });
  })(),
  "a store that hangs": (good) => ({
    compareAndSwap: (key, expected, next, expiresAt) =>
      expected === null ? good.compareAndSwap(key, expected, next, expiresAt) : new Promise(() => {}),
  }),
};

/** The names of the cases that a store fails. */
async function failed(store: SessionStore): Promise<string[]> {
  const cases = storeConformance(() => store, { parallel: 20, timeout: 8 });
  const run = async ({ name, run }: Case): Promise<string[]> =>
    run().then(
      () => [],
      () => [name],
    );
  return (await Promise.all(cases.map(run))).flat();
}

const cases = Object.entries(FAULTS).map(([name, breaking]): Case => ({
  name: `${name} fails`,
  waits: true,
  async run() {
    const good = memoryStore();
    const broken = { read: good.read.bind(good), compareAndSwap: good.compareAndSwap.bind(good), ...breaking(good) };
    ok((await failed(broken)).length > 0, "it passes every case");
  },
}));
cases.push({
  name: "the same cases run at once are passed by a good store",
  waits: true,
  async run() {
    const names = await failed(memoryStore());
    ok(names.length === 0, names.join("; "));
  },
});
await report("store-planted", await runCases("planted", cases));
// What a broken store has made wait goes on behind the timeout of its case.
process.exit();
