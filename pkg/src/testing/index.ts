/**
 * The conformance suite for session stores. It knows no test runner: it gives named cases, and any runner can run them.
 *
 * ```ts
 * import { test } from "node:test";
 * import { storeConformance } from "waxseal/testing";
 *
 * for (const { name, run } of storeConformance(() => myStore(connect()))) test(name, run);
 * ```
 *
 * @packageDocumentation
 */
import { onlyOptions } from "../options.js";
import type { SessionStore } from "../stores/store.js";
import { CASES } from "./cases.js";
import { EXPIRY_CASES } from "./expiry.js";
import type { Kit } from "./kit.js";

export type { SessionStore, StoreDescription } from "../stores/store.js";

/** One thing that a session store must do. */
export interface ConformanceCase {
  /** The sentence that it proves. */
  readonly name: string;
  /** It waits for records to expire, three seconds or so; all of these may run at the same time. */
  readonly waits: boolean;
  /** Rejects with an `Error` that says what was otherwise. Cases use keys of their own, and may run in any order or at once. */
  run(): Promise<void>;
}

/** Options of {@link storeConformance}. */
export interface ConformanceOptions {
  /** How many calls a case makes at once, where it makes many; default 50. */
  parallel?: number;
  /** How long a case may take, in seconds; default 60. A store that hangs fails by it. */
  timeout?: number;
}

/**
 * The cases that a session store must pass, against the real database.
 *
 * @param makeStore - Called twice for each case: the two stores must share one database, and should reach it as two
 *   processes would, by connections of their own. A database that is used for nothing else is not needed; records expire
 *   within the hour, and one after 400 days.
 */
export function storeConformance(
  makeStore: () => SessionStore | Promise<SessionStore>,
  options: ConformanceOptions = {},
): ConformanceCase[] {
  const { parallel = 50, timeout = 60 }: ConformanceOptions = onlyOptions(options, ["parallel", "timeout"]);
  const declare = (cases: Record<string, (kit: Kit) => Promise<void>>, waits: boolean): ConformanceCase[] =>
    Object.entries(cases).map(([name, body]) => ({
      name,
      waits,
      run: () =>
        within(timeout, async () => {
          const [store, other] = [await makeStore(), await makeStore()];
          await body({ store, other, parallel });
        }),
    }));
  return [...declare(CASES, false), ...declare(EXPIRY_CASES, true)];
}

async function within(seconds: number, run: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${seconds} seconds`)), seconds * 1000);
  });
  try {
    await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
