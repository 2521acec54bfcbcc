/** Reads and writes the host's revocation store within a timeout. What an answer means is decided by the core. */
import { type Deadline, FAILED, within } from "./deadline.js";
import { optionInvalid, WaxsealError } from "./error.js";
import { isObject } from "./options.js";
import type { RevocationStore } from "./types.js";

/** Checks that a store can be read at all. */
export function storeFrom(option: unknown): RevocationStore {
  if (!isObject(option) || typeof member(option, "get") !== "function") {
    throw optionInvalid("revocation.store must be an object with a method get(key), such as a Workers KV namespace.");
  }
  return option as RevocationStore;
}

/** Reads all keys together; never rejects and never takes longer than the timeout. */
export async function readEntries(store: RevocationStore, keys: string[], timeout: number): Promise<unknown[]> {
  if (keys.length === 0) return [];
  return within(timeout, async ({ attempt }) => {
    // Methods are called on the store itself: a KV namespace refuses to be called unbound.
    if (member(store, "getMany") !== undefined) {
      return (await attempt(async () => inOrder(await store.getMany?.([...keys]), keys))) ?? [];
    }
    return Promise.all(keys.map((key) => attempt(() => store.get(key))));
  });
}

/** The answers of `getMany`, one for each key. */
function inOrder(answers: unknown, keys: string[]): unknown[] {
  if (!Array.isArray(answers)) return [];
  // A short answer leaves keys unanswered, and one that is too long is not for these keys: the core counts both as
  // failures.
  const read = keys.map((_, index): unknown => answers[index]);
  return answers.length > keys.length ? [...read, FAILED] : read;
}

/** An entry to write. */
export type EntryWrite = [key: string, value: string, expirationTtl: number];

/** Checks that a store can be written. */
export function writable(store: RevocationStore): RevocationStore {
  if (member(store, "put") !== undefined) return store;
  throw optionInvalid("revocation.store needs a method put(key, value, { expirationTtl }) to revoke.");
}

/** Writes entries together, and says which were written. */
export async function writeEntries(store: RevocationStore, entries: EntryWrite[], timeout: number): Promise<boolean[]> {
  const write = async ({ attempt }: Deadline, [key, value, expirationTtl]: EntryWrite): Promise<boolean> =>
    (await attempt(async () => (await store.put?.(key, value, { expirationTtl }), true))) === true;
  return within(timeout, (deadline) => Promise.all(entries.map((entry) => write(deadline, entry))));
}

/** Writes one entry, or throws `ERR_REVOCATION_UNAVAILABLE`. */
export async function writeEntry(store: RevocationStore, entry: EntryWrite, timeout: number): Promise<void> {
  const [written] = await writeEntries(writable(store), [entry], timeout);
  if (written !== true) {
    throw new WaxsealError({
      code: "ERR_REVOCATION_UNAVAILABLE",
      message: "The revocation entry could not be written in time, so nothing may have been revoked; try again.",
    });
  }
}

/** A member of the store; `null` when looking at it throws, as calling it will again. */
function member(store: object, name: string): unknown {
  try {
    return Reflect.get(store, name);
  } catch {
    return null;
  }
}
