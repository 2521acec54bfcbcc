/** Reads and writes the host's revocation store within a timeout. What an answer means is decided by the core. */
import { optionInvalid, WaxsealError } from "./error.js";
import { isObject } from "./options.js";
import type { RevocationStore } from "./types.js";

/** Stands for a read that failed; the core takes whatever is neither a string nor null for one. */
const FAILED = undefined;

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
  return withTimeout(timeout, async (deadline) => {
    // Methods are called on the store itself: a KV namespace refuses to be called unbound.
    if (member(store, "getMany") !== undefined) {
      const answers = attempt(async () => inOrder(await store.getMany?.([...keys]), keys));
      return (await Promise.race([answers, deadline])) ?? [];
    }
    return Promise.all(keys.map((key) => Promise.race([attempt(() => store.get(key)), deadline])));
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

/** Writes one entry, or throws `ERR_REVOCATION_UNAVAILABLE`. */
export async function writeEntry(
  store: RevocationStore,
  [key, value, expirationTtl]: [key: string, value: string, expirationTtl: number],
  timeout: number,
): Promise<void> {
  if (member(store, "put") === undefined) {
    throw optionInvalid("revocation.store needs a method put(key, value, { expirationTtl }) to revoke.");
  }
  const written = await withTimeout(timeout, (deadline) =>
    Promise.race([attempt(async () => (await store.put?.(key, value, { expirationTtl }), true)), deadline]),
  );
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

async function attempt<T>(run: () => T | Promise<T>): Promise<T | typeof FAILED> {
  try {
    return await run();
  } catch {
    return FAILED;
  }
}

async function withTimeout<T>(seconds: number, run: (deadline: Promise<typeof FAILED>) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<typeof FAILED>((resolve) => {
    timer = setTimeout(() => resolve(FAILED), seconds * 1000);
  });
  try {
    return await run(deadline);
  } finally {
    clearTimeout(timer);
  }
}
