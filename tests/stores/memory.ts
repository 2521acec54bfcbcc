/** Memory on Node: the adapter that has no database. */
import { WaxsealError } from "waxseal";
import { d1Store } from "waxseal/stores/d1";
import { denoKvStore } from "waxseal/stores/deno-kv";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { redisStore } from "waxseal/stores/redis";
import { sqliteStore } from "waxseal/stores/sqlite";
import { equal, ok, throws } from "../js/harness/assert.js";
import { report } from "../js/harness/report.js";
import { runStore } from "./harness/run-cases.js";

const shared = memoryStore();
await report(
  "store-memory",
  await runStore(() => shared, {
    async "records expire by the clock option"() {
      let now = 1000;
      const store = memoryStore({ clock: () => now });
      equal(await store.compareAndSwap("key", null, "text", 1010), true);
      now = 1009.999;
      equal(await store.read("key"), "text");
      now = 1010;
      equal(await store.read("key"), null);
      equal(await store.compareAndSwap("key", "text", "next", 1020), false);
      equal(await store.compareAndSwap("key", null, "next", 1020), true);
    },

    async "an adapter without what it adapts says what it takes, with the error class of the main entry"() {
      const adapters: [RegExp, () => unknown][] = [
        [/node:sqlite.*better-sqlite3/, () => sqliteStore(undefined as never)],
        [/ioredis or redis/, () => redisStore({} as never)],
        [/D1 database/, () => d1Store(undefined as never)],
        [/Deno\.openKv/, () => denoKvStore(undefined as never)],
      ];
      for (const [words, make] of adapters) {
        const error = throws(make, "ERR_OPTION_INVALID");
        ok(error instanceof WaxsealError && words.test(error.message), String(error));
      }
    },

    async "a revocation entry lives as long as it was asked to"() {
      let now = 1000;
      const store = memoryRevocationStore({ clock: () => now });
      equal(await store.get("key"), null);
      await store.put("key", "entry", { expirationTtl: 60 });
      now = 1059;
      equal(await store.get("key"), "entry");
      equal((await store.getMany(["none", "key"])).join(), ",entry");
      now = 1060;
      equal(await store.get("key"), null);
    },
  }),
);
