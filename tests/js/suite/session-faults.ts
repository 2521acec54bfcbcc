// What may become of one operation of a store, as a table. The tests inject every row into every operation of every call.

import type { Operation } from "./session-support.js";

/** What the caller of an operation may conclude from a fault, and so what is expected of the call. */
export type Meaning =
  /** Nobody knows whether anything happened. */
  | "unknown"
  /** It happened, or did not, and the answer says the opposite of what a second look shows: the call finds out. */
  | "contradicted"
  /** It happened, and what was answered is no reason to doubt it. */
  | "harmless"
  /** The store breaks its contract in a way that nobody can notice. What must hold still is that nothing forks. */
  | "lie";

/** One fault. */
export interface Fault {
  readonly what: string;
  readonly meaning: Meaning;
  /** Answers in place of the operation. `later` takes what happens after the call is over, before or after a retry. */
  readonly act: (run: () => Promise<unknown>, later: Later) => unknown;
}

/** What takes effect once the call that began it has ended. */
export class Later {
  readonly #before: (() => Promise<unknown>)[] = [];
  readonly #after: (() => Promise<unknown>)[] = [];

  beforeRetry(effect: () => Promise<unknown>): void {
    this.#before.push(effect);
  }

  afterRetry(effect: () => Promise<unknown>): void {
    this.#after.push(effect);
  }

  async happenBefore(): Promise<void> {
    for (const effect of this.#before.splice(0)) await effect();
  }

  async happenAfter(): Promise<void> {
    for (const effect of this.#after.splice(0)) await effect();
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
const down = (): Error => new Error("hunter2: connection lost");
const tooMany = (): Error => Object.assign(new Error("429 Too Many Requests"), { status: 429 });

/** An operation that has no effect and answers this. */
const answers = (what: string, meaning: Meaning, value: unknown): Fault => ({
  what: `answers ${what}`,
  meaning,
  act: async () => value,
});

/** An operation that fails, with no effect. */
const FAILING: Fault[] = [
  {
    what: "throws",
    meaning: "unknown",
    act: () => {
      throw down();
    },
  },
  { what: "rejects", meaning: "unknown", act: () => Promise.reject(down()) },
  { what: "rejects with null", meaning: "unknown", act: () => Promise.reject(null) },
  { what: "rejects as an HTTP client does for a 429", meaning: "unknown", act: () => Promise.reject(tooMany()) },
  { what: "never answers", meaning: "unknown", act: never },
  { what: "answers a thenable that never settles", meaning: "unknown", act: () => ({ then: () => undefined }) },
  {
    what: "answers a thenable that throws",
    meaning: "unknown",
    act: () => ({
      then: () => {
        throw down();
      },
    }),
  },
];

/** An operation that has its effect and then fails to say so. */
const UNSAID: Fault[] = [
  { what: "takes effect and rejects", meaning: "unknown", act: (run) => run().then(() => Promise.reject(down())) },
  { what: "takes effect and never answers", meaning: "unknown", act: (run) => run().then(never) },
  {
    what: "takes effect after the call has ended",
    meaning: "unknown",
    act: (run, later) => {
      later.beforeRetry(run);
      return never();
    },
  },
  {
    what: "takes effect after the client has tried again",
    meaning: "unknown",
    act: (run, later) => {
      later.afterRetry(run);
      return never();
    },
  },
];

const unknown = (what: string, value: unknown): Fault => answers(what, "unknown", value);

/** The faults of each operation. `foreign` is the record of somebody else, `own` that of the subject. */
export function faultsOf(operation: Operation, foreign: string, own: string): Fault[] {
  switch (operation) {
    case "read":
      return [
        ...FAILING,
        { what: "answers after the call has ended", meaning: "unknown", act: UNSAID[2]?.act as Fault["act"] },
        unknown("undefined", undefined),
        unknown("a number", 1),
        unknown("false", false),
        unknown("the record as an object", JSON.parse(own)),
        unknown("the record as a String object", new String(own)),
        unknown("the record as bytes", new TextEncoder().encode(own)),
        unknown("an empty text", ""),
        unknown("half of the record", own.slice(0, own.length >> 1)),
        unknown("the record twice", own + own),
        unknown("a record of a schema to come", own.replace('"wx":1', '"wx":2')),
        unknown("a text of a megabyte", own.padEnd(1 << 20)),
        answers("null", "lie", null),
        answers("the record of another subject", "lie", foreign),
      ];
    case "swap":
      return [
        ...FAILING,
        ...UNSAID,
        unknown("undefined", undefined),
        unknown("null", null),
        unknown("1", 1),
        unknown('"true"', "true"),
        unknown("an object", { ok: true }),
        { what: "takes effect and answers undefined", meaning: "unknown", act: (run) => run().then(() => undefined) },
        { what: "takes effect and answers 0", meaning: "unknown", act: (run) => run().then(() => 0) },
        { what: "takes effect and answers false", meaning: "contradicted", act: (run) => run().then(() => false) },
        answers("false without another writer", "contradicted", false),
        answers("true without effect", "lie", true),
      ];
    case "get":
      return [
        ...FAILING,
        unknown("undefined", undefined),
        unknown("a number", 1),
        unknown("true", true),
        unknown("an object", { value: "wx1 revoked" }),
        unknown("a text that is no entry", "revoked"),
        unknown("an empty text", ""),
        unknown("a text of a megabyte", "wx1 ".padEnd(1 << 20, "x")),
      ];
    case "put":
      return [
        ...FAILING,
        ...UNSAID,
        { what: "takes effect and answers false", meaning: "harmless", act: (run) => run().then(() => false) },
        answers("as if it had taken effect", "lie", undefined),
      ];
  }
}

/** What can last: from one operation on, each of every store fails so. */
export const OUTAGES: Fault[] = FAILING.filter(({ what }) => ["throws", "rejects", "never answers"].includes(what));
