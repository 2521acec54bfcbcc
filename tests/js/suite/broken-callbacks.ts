// Whatever belongs to the application misbehaves: every callback in every way, as a table. The columns are below, a row of
// broken-callbacks-rows.ts is a callback with what must come of each kind of column, and the cells are made of both, so that
// none is forgotten.

import { equal, ok } from "../harness/assert.js";
import type { Harness, Library, Suite } from "../harness/types.js";
import { type Act, type Expected, type Made, type Row, ROWS } from "./broken-callbacks-rows.js";
import { ec, makeVerifier, otherEc, signed } from "./support.js";

/** What a column does in place of a callback. */
interface Column {
  readonly what: string;
  /** A failure, an answer of a wrong type, the right answer, or the right answer after the object was disposed of. */
  readonly kind: "failure" | "wrong" | "right" | "disposed";
  /** It answers with a promise or something like one. */
  readonly later?: true;
  readonly act: Act;
}

const down = (): Error => new Error("hunter2");
const never = (): Promise<never> => new Promise(() => undefined);
const throwing = (): never => {
  throw down();
};
type Then = (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => unknown;
const thenable =
  (then: (value: unknown) => Then): Act =>
  async (honest) => {
    const value = await honest();
    return { then: then(value) };
  };

const COLUMNS: Column[] = [
  { what: "throws", kind: "failure", act: throwing },
  {
    what: "throws null",
    kind: "failure",
    act: () => {
      throw null;
    },
  },
  {
    what: "throws what looks like an error of the library",
    kind: "failure",
    act: () => {
      throw { code: "ERR_TOKEN_EXPIRED", message: "hunter2" };
    },
  },
  { what: "rejects", kind: "failure", later: true, act: async () => throwing() },
  { what: "never answers", kind: "failure", later: true, act: never },
  {
    what: "answers a thenable that never settles",
    kind: "failure",
    later: true,
    act: () => ({ then: () => undefined }),
  },
  { what: "answers a thenable that throws", kind: "failure", later: true, act: () => ({ then: throwing }) },
  {
    what: "answers something whose then is a getter that throws",
    kind: "failure",
    later: true,
    act: () => Object.defineProperty({}, "then", { get: throwing }),
  },
  { what: "answers a moment later", kind: "right", later: true, act: async (honest) => (await tick(), honest()) },
  {
    what: "answers a thenable that resolves twice",
    kind: "right",
    later: true,
    act: thenable((value) => (resolve) => {
      resolve(value);
      resolve("hunter2");
    }),
  },
  {
    what: "answers a thenable that resolves and rejects",
    kind: "right",
    later: true,
    act: thenable((value) => (resolve, reject) => {
      resolve(value);
      reject(down());
    }),
  },
  {
    what: "answers a thenable that resolves and throws",
    kind: "right",
    later: true,
    act: thenable((value) => (resolve) => {
      resolve(value);
      throwing();
    }),
  },
  {
    what: "makes the same call from within",
    kind: "right",
    act: (honest, caller) => {
      caller.again().catch(() => undefined);
      return honest();
    },
  },
  {
    what: "disposes of the object that calls it",
    kind: "disposed",
    act: (honest, caller) => {
      caller.dispose();
      return honest();
    },
  },
  {
    what: "disposes of it later, and then answers",
    kind: "disposed",
    later: true,
    act: async (honest, caller) => {
      await tick();
      caller.dispose();
      return honest();
    },
  },
  ...(
    [
      ["undefined", undefined],
      ["null", null],
      ["a number", 1],
      ["NaN", Number.NaN],
      ["false", false],
      ["a text", "hunter2"],
      ["a bigint", 1n],
      ["a symbol", Symbol("hunter2")],
      ["an object", {}],
      ["an array", []],
      ["bytes", new Uint8Array(3)],
      ["a function", throwing],
      [
        "a proxy that throws",
        new Proxy(
          {},
          { get: (_, name) => (name === "then" ? undefined : throwing()), has: throwing, ownKeys: throwing },
        ),
      ],
    ] as const
  ).map(([what, value]): Column => ({ what: `answers ${what}`, kind: "wrong", act: () => value })),
];

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** What must come of a cell. */
function expectedOf(row: Row, { what, kind, later }: Column): readonly (Expected | "unbounded")[] {
  const except = row.except?.[what];
  if (except !== undefined) return [except];
  const answer = row.immediate === true && later === true ? row.wrong : kind === "failure" ? row.failure : undefined;
  if (kind === "disposed") return ["succeeds", "ERR_DISPOSED", answer ?? "succeeds"];
  return [answer ?? (kind === "wrong" ? row.wrong : "succeeds")];
}

/** Runs a cell, and says what came of it. */
async function outcomeOf(lib: Library, h: Harness, row: Row, act: Act, unbounded: boolean): Promise<string> {
  let inside = false;
  const made: Made = await row.make(lib, h, (honest) => {
    if (inside) return honest();
    const again = async (): Promise<unknown> => {
      inside = true;
      try {
        return await made.run();
      } finally {
        inside = false;
      }
    };
    return act(honest, { again, dispose: () => made.dispose() });
  });
  let outcome: string;
  try {
    const call = made.run();
    if (unbounded) {
      const waited = await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 300, "waits"))]);
      return waited === "waits" ? "unbounded" : "succeeds";
    }
    await call;
    outcome = "succeeds";
  } catch (error) {
    if (error instanceof lib.WaxsealError) {
      ok(!error.message.includes("hunter2"), "what a callback says is not passed on");
      outcome = error.code;
    } else {
      outcome = "throws it on";
    }
  }
  made.dispose();
  return outcome;
}

export const brokenCallbacks: Suite = (h, lib) => {
  for (const row of ROWS) {
    h.test(`${row.what} may misbehave in ${COLUMNS.length} ways, and of each comes what is documented`, async () => {
      // Made once, before all cells want them at the same time.
      await Promise.all([ec(), otherEc()]);
      const cells = COLUMNS.map((column) => ({ ...column, expected: expectedOf(row, column) as readonly string[] }));
      const lies = (row.lies ?? []).map(([what, act, expected]) => ({ what, act, expected: [expected] as string[] }));
      const outcomes = await Promise.all(
        [...cells, ...lies].map(async ({ what, act, expected }) => {
          const outcome = await outcomeOf(lib, h, row, act, expected.includes("unbounded"));
          return expected.includes(outcome) ? [] : [`${what}: ${outcome} and not ${expected.join(" or ")}`];
        }),
      );
      equal(outcomes.flat().join("\n"), "");
      // Node ends the process for a rejection that nobody has handled, once the queue of tasks has run.
      await tick();
      ok((await makeVerifier(lib)).verify(await signed(await ec())), "and the library works");
    });
  }
};
