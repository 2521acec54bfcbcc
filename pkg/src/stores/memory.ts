/**
 * Sessions in the memory of one process: for tests, and for a server that may sign everybody out when it restarts.
 *
 * @packageDocumentation
 */
import { onlyOptions, optionalFunction } from "../options.js";
import type { RevocationStore } from "../types.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

/** Options of {@link memoryStore} and {@link memoryRevocationStore}. */
export interface MemoryStoreOptions {
  /** Replaces the clock by which records expire, for tests: seconds since 1970-01-01T00:00:00Z. */
  clock?: () => number;
}

interface Entry {
  readonly text: string;
  readonly expiresAt: number;
}

/** How many entries are looked at for each one that is added: two, so that expired ones go faster than new ones come. */
const SWEPT = 2;

/** A map whose entries expire. What has expired is removed little by little as entries are added. */
class ExpiringMap {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  #cursor: Iterator<[string, Entry]> = this.#entries.entries();

  constructor(options: unknown) {
    const { clock } = onlyOptions(options, ["clock"]);
    this.#now = optionalFunction(clock, "clock") ?? (() => Date.now() / 1000);
  }

  get(key: string): string | null {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() < entry.expiresAt ? entry.text : null;
  }

  set(key: string, text: string, expiresAt: number): void {
    const added = !this.#entries.has(key);
    this.#entries.set(key, { text, expiresAt });
    if (added) this.#sweep();
  }

  setFor(key: string, text: string, seconds: number): void {
    this.set(key, text, this.#now() + seconds);
  }

  #sweep(): void {
    const now = this.#now();
    for (let i = 0; i < SWEPT; i++) {
      const { done, value } = this.#cursor.next();
      // An iterator that has ended stays so: the next round begins with the oldest entry again.
      if (done === true) this.#cursor = this.#entries.entries();
      else if (value[1].expiresAt <= now) this.#entries.delete(value[0]);
    }
  }
}

/**
 * A session store in memory.
 *
 * **Consistency:** linearizable within this process; another process has other sessions. **Staleness:** none. **Limits:**
 * ends with the process, and grows with the number of subjects whose sessions have not expired. **Round trips:** none.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Required<SessionStore> {
  const records = new ExpiringMap(options);
  return {
    async read(key) {
      return records.get(key);
    },
    // Nothing is awaited between the comparison and the write, so no other call comes between them.
    async compareAndSwap(key, expected, next, expiresAt) {
      if (records.get(key) !== expected) return false;
      records.set(key, next, expiresAt);
      return true;
    },
    description: {
      name: "memory",
      consistency: "linearizable within one process",
      staleness: 0,
      limits: "one process; everybody is signed out when it ends",
      roundTrips: { read: 0, compareAndSwap: 0 },
    },
  };
}

/** A revocation store in memory, for where {@link memoryStore} is enough. Its limits are the same. */
export function memoryRevocationStore(options: MemoryStoreOptions = {}): Required<RevocationStore> {
  const entries = new ExpiringMap(options);
  return {
    async get(key) {
      return entries.get(key);
    },
    async getMany(keys) {
      return keys.map((key) => entries.get(key));
    },
    async put(key, value, { expirationTtl }) {
      entries.setFor(key, value, expirationTtl);
    },
    staleness: 0,
  };
}
