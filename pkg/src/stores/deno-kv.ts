/**
 * Sessions in Deno KV, on Deno Deploy or in a local file.
 *
 * @packageDocumentation
 */
import { optionInvalid } from "../error.js";
import { hasMethods, onlyOptions } from "../options.js";
import type { RevocationStore } from "../types.js";
import { trueOrFalse } from "./answers.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

/**
 * How long after its expiry Deno KV may remove an entry, in milliseconds. It takes a duration where the contract has a time:
 * the margin keeps clocks that differ from removing a record early.
 */
const MARGIN_MS = 300_000;

/** What the adapter needs of Deno KV: what `await Deno.openKv()` gives. */
export interface DenoKv {
  /** Reads an entry, strongly consistent unless told otherwise. */
  get(key: string[]): Promise<{ value: unknown; versionstamp: string | null }>;
  /** Begins a write with conditions. */
  atomic(): DenoAtomic;
}

/** A write of {@link DenoKv}. */
export interface DenoAtomic {
  /** Makes it depend on entries being what they were; a versionstamp of `null` says that there is none. */
  check(...checks: { key: string[]; versionstamp: string | null }[]): DenoAtomic;
  /** Adds an entry to write. */
  set(key: string[], value: unknown, options?: { expireIn?: number }): DenoAtomic;
  /** Writes all or nothing. */
  commit(): Promise<{ ok: boolean }>;
}

/** Options of {@link denoKvStore} and {@link denoKvRevocationStore}. */
export interface DenoKvStoreOptions {
  /** The first part of every key; default `"waxseal"`. */
  prefix?: string;
}

interface Entry {
  readonly text: string | null;
  readonly versionstamp: string | null;
}

class Entries {
  readonly #kv: DenoKv;
  readonly #prefix: string;

  constructor(kv: unknown, options: unknown) {
    const { prefix = "waxseal" } = onlyOptions(options, ["prefix"]);
    if (typeof prefix !== "string") throw optionInvalid("prefix must be a string.");
    if (!isKv(kv)) throw optionInvalid("A Deno KV store needs what `await Deno.openKv()` gives.");
    this.#kv = kv;
    this.#prefix = prefix;
  }

  async read(key: string): Promise<Entry> {
    const { value, versionstamp } = await this.#kv.get([this.#prefix, key]);
    if (versionstamp === null && value === null) return { text: null, versionstamp };
    const bytes: unknown = Reflect.get(Object(value), "text");
    const expiresAt: unknown = Reflect.get(Object(value), "expiresAt");
    if (!(bytes instanceof Uint8Array) || typeof expiresAt !== "number" || typeof versionstamp !== "string") {
      throw new Error("Deno KV answered a read with something else than a record.");
    }
    const text =
      Date.now() < expiresAt * 1000 ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) : null;
    return { text, versionstamp };
  }

  /** Writes, if it is given a former entry only in its place. */
  async write(key: string, former: Entry | null, text: string, expiresAt: number): Promise<boolean> {
    const path = [this.#prefix, key];
    let write = this.#kv.atomic();
    if (former !== null) write = write.check({ key: path, versionstamp: former.versionstamp });
    // Bytes: Deno KV keeps a string with one character beyond Latin-1 in twice its length, over its limit.
    const value = { text: new TextEncoder().encode(text), expiresAt };
    const expireIn = Math.max(1, Math.ceil(expiresAt * 1000 - Date.now() + MARGIN_MS));
    return trueOrFalse((await write.set(path, value, { expireIn }).commit()).ok, "Deno KV");
  }
}

function isKv(value: unknown): value is DenoKv {
  return hasMethods(value, ["get", "atomic"]);
}

/**
 * A session store in Deno KV. Deno KV removes expired records itself.
 *
 * **Consistency:** linearizable: reads are strongly consistent, writes depend on the versionstamp that was read.
 * **Staleness:** none. **Limits:** values of 64 KiB, which a record of 60,000 bytes does not reach; on Deno Deploy all writes
 * go to the primary region; a local file is for one process, since Deno answers a second writer with "database is locked".
 * **Round trips:** one to read, two to swap, since Deno KV compares versionstamps and not values.
 *
 * @throws `ERR_OPTION_INVALID` if it is not given a Deno KV.
 */
export function denoKvStore(kv: DenoKv, options: DenoKvStoreOptions = {}): Required<SessionStore> {
  const entries = new Entries(kv, options);
  return {
    async read(key) {
      return (await entries.read(key)).text;
    },
    async compareAndSwap(key, expected, next, expiresAt) {
      const entry = await entries.read(key);
      return entry.text === expected && entries.write(key, entry, next, expiresAt);
    },
    description: {
      name: "Deno KV",
      consistency: "linearizable: strong reads, and writes that depend on the version read",
      staleness: 0,
      limits: "values of 64 KiB; all writes go to the primary region, and a local file is for one process",
      roundTrips: { read: 1, compareAndSwap: 2 },
    },
  };
}

/** A revocation store in Deno KV. Its consistency is that of {@link denoKvStore}; one round trip for each operation. */
export function denoKvRevocationStore(
  kv: DenoKv,
  options: DenoKvStoreOptions = {},
): Required<Omit<RevocationStore, "getMany">> {
  const entries = new Entries(kv, options);
  return {
    async get(key) {
      return (await entries.read(key)).text;
    },
    async put(key, value, { expirationTtl }) {
      if (!(await entries.write(key, null, value, Date.now() / 1000 + expirationTtl))) {
        throw new Error("Deno KV did not write.");
      }
    },
    staleness: 0,
  };
}
