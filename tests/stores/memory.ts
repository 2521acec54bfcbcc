/** Memory on Node: the adapter that has no database. */
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { equal } from "../js/harness/assert.js";
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
