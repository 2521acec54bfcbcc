/** Runs in Deno: the cases, or one operation on a file, whose result is printed as JSON. */
import { type DenoKv, denoKvRevocationStore, denoKvStore } from "waxseal/stores/deno-kv";
import { equal, throws } from "../../js/harness/assert.js";
import { fails, later, runStore } from "../harness/run-cases.js";

declare const Deno: {
  args: string[];
  openKv(path: string): Promise<DenoKv & { close(): void }>;
  exit(code: number): never;
};

const [task = "", path = "", key = "", expected = "", next = ""] = Deno.args;
const kv = await Deno.openKv(path);

/** A Deno KV that answers every read with that. */
function answering(value: unknown, versionstamp: unknown): DenoKv {
  return { get: async () => ({ value, versionstamp: versionstamp as string }), atomic: () => kv.atomic() };
}

const own = {
  async "records of two prefixes are apart"() {
    equal(await denoKvStore(kv, { prefix: "one" }).compareAndSwap("key", null, "of one", later()), true);
    equal(await denoKvStore(kv, { prefix: "two" }).read("key"), null);
    equal(await denoKvStore(kv, { prefix: "one" }).read("key"), "of one");
  },

  async "what is no record is a failure, and not an absence"() {
    const stamp = "00000000000000010000";
    for (const value of [
      "text",
      1,
      {},
      { text: "text", expiresAt: later() },
      { text: new Uint8Array([255]), expiresAt: later() },
    ]) {
      const store = denoKvStore(answering(value, stamp));
      await fails(store.read("key"));
      await fails(store.compareAndSwap("key", null, "next", later()));
    }
    await fails(denoKvStore(answering("text", null)).read("key"));
  },

  async "a revocation entry is read back, and is not there before"() {
    const store = denoKvRevocationStore(kv);
    equal(await store.get("entry"), null);
    await store.put("entry", "wx1 revoked", { expirationTtl: 60 });
    equal(await store.get("entry"), "wx1 revoked");
  },

  async "what is no Deno KV is refused"() {
    for (const wrong of [undefined, null, {}, { get() {} }, "kv"]) {
      throws(() => denoKvStore(wrong as never), "ERR_OPTION_INVALID");
    }
  },
};

const store = denoKvStore(kv);
const results: Record<string, () => Promise<unknown>> = {
  cases: () => runStore(() => denoKvStore(kv), own),
  read: () => store.read(key),
  swap: () => store.compareAndSwap(key, expected === "" ? null : expected, next, later()),
};
console.log(JSON.stringify(await results[task]?.()));
Deno.exit(0);
