// Errors: their shape, and that nothing secret ever stands in one.

import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { ERROR_CODES } from "../../../pkg/src/error-codes.js";
import { MARK, scenes } from "./error-scenes.js";
import { claims, ec, makeVerifier, otherEc, signed } from "./support.js";

interface Failure {
  code: string;
  step: string;
  status: number;
  message: string;
  stack?: string;
  wwwAuthenticate?: string;
  retryAfter?: number;
}

const STEPS = [
  "configuration",
  "request",
  "size",
  "segments",
  "header",
  "key",
  "signature",
  "claims",
  "policy",
  "revocation",
  "session",
  "schema",
  "issue",
  "cookie",
  "runtime",
];

async function caught(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Node's own way to show a value, and its hidden members, where the host has it. */
const inspect = (
  Reflect.get(globalThis, "process") as
    { getBuiltinModule?(name: string): { inspect?(value: unknown, options: object): string } | undefined } | undefined
)?.getBuiltinModule?.("node:util")?.inspect;

/** All that can be read off a value: members of every kind, their members, headers, and what is inherited. */
function everything(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.has(value)) return "";
  seen.add(value);
  const members = Reflect.ownKeys(value).map(
    (name) => `${String(name)}: ${everything(Reflect.get(value, name), seen)}`,
  );
  if (value instanceof Headers) members.push(...[...value].map(([name, content]) => `${name}: ${content}`));
  return members.join("\n");
}

/** The error as a log would show it, in every way that is common. */
function shown(error: Failure): string {
  return [
    String(error),
    JSON.stringify(error),
    error.message,
    everything(error),
    inspect?.(error, { showHidden: true, depth: 9 }),
  ].join("\n");
}

/** The library, with an ear to everything that it makes; of events, who they are about is known to be told. */
function heard(lib: Library, events: string[]): Library {
  const onEvent = ({ subject: _subject, sessionId: _sessionId, ...event }: Record<string, unknown>): void =>
    void events.push(JSON.stringify(event));
  return {
    ...lib,
    createVerifier: (options: object) => lib.createVerifier({ ...options, onEvent } as never),
    createSessions: (options: object) => lib.createSessions({ ...options, onEvent } as never),
  } as Library;
}

/** Codes of which there is no scene: they arise before the library has been given anything to tell of. */
const BEFORE = {
  ERR_NOT_INITIALIZED: "the module is not loaded: tests/packaging/run.ts has hosts that do not load it by themselves",
  ERR_RUNTIME_UNSUPPORTED: "the module cannot be loaded: tests/packaging/run.ts has a host without SIMD",
};

export const errors: Suite = async (h, lib) => {
  const events: string[] = [];
  const calls = await scenes(h, heard(lib, events));

  h.test("there is a scene for every code, but for those that arise before the library is given anything", async () => {
    const codes = new Set<string>(Object.keys(BEFORE));
    for (const [, call] of calls) codes.add(((await caught(call)) as Failure).code);
    deepEqual([...codes].sort(), Object.keys(ERROR_CODES).sort());
  });

  for (const [what, call] of calls) {
    h.test(`the error for ${what} has a code, step and status, and shows nothing of what was given`, async () => {
      const error = (await caught(call)) as Failure;
      ok(error instanceof lib.WaxsealError, `a WaxsealError and not ${String(error)}`);
      ok(error instanceof Error);
      equal(error.name, "WaxsealError");
      ok(/^ERR_[A-Z_]+$/.test(error.code), error.code);
      ok(STEPS.includes(error.step), error.step);
      ok([400, 401, 403, 500, 503].includes(error.status), String(error.status));
      ok(error.message.length > 15, "a message that says something");
      ok(
        error.stack?.includes(error.code) || error.stack === undefined || error.stack.includes(error.message),
        "a stack of its own",
      );
      const text = shown(error);
      ok(!text.includes(MARK), `the secret stands in: ${text}`);
      const { privateJwk, publicJwk } = await ec();
      for (const member of [privateJwk["d"], publicJwk["x"], publicJwk["y"]] as string[])
        ok(!text.includes(member), "key material");
      ok(!/eyJ[\w-]{20,}/.test(text), "a piece of a token");
    });
  }

  h.test(
    "an error with 401 carries a challenge, one with 503 says when to try again, and no other does either",
    async () => {
      const statuses = new Set<number>();
      for (const [what, call] of calls) {
        const error = (await caught(call)) as Failure;
        statuses.add(error.status);
        if (error.status === 401) ok(error.wwwAuthenticate?.startsWith("Bearer"), what);
        if (error.status === 403 || error.status >= 500) equal(error.wwwAuthenticate, undefined, what);
        equal(error.retryAfter, error.status === 503 ? 1 : undefined, what);
      }
      deepEqual([...statuses].sort(), [400, 401, 403, 500, 503]);
    },
  );

  h.test("a challenge is a header value that a response accepts", async () => {
    for (const [what, call] of calls) {
      const { wwwAuthenticate } = (await caught(call)) as Failure;
      if (wwwAuthenticate === undefined) continue;
      equal(
        new Response(null, { headers: { "www-authenticate": wwwAuthenticate } }).headers.get("www-authenticate"),
        wwwAuthenticate,
        what,
      );
      ok(
        /^Bearer( error="(invalid_token|invalid_request)", error_description="[ -~]+")?$/.test(wwwAuthenticate),
        wwwAuthenticate,
      );
    }
  });

  h.test("no event shows anything of what was given", async () => {
    for (const [, call] of calls) await caught(call);
    ok(events.length > 50, `${events.length} events`);
    for (const text of events) {
      ok(!text.includes(MARK), text);
      ok(!/eyJ[\w-]{20,}/.test(text), "a piece of a token");
    }
  });

  h.test("nothing is written to the console, whatever fails", async () => {
    const names = ["log", "info", "warn", "error", "debug", "trace"] as const;
    const originals = names.map((name) => console[name]);
    let written = 0;
    try {
      for (const name of names)
        console[name] = () => {
          written += 1;
        };
      for (const [, call] of calls) await caught(call);
    } finally {
      for (const [i, name] of names.entries()) console[name] = originals[i] as () => void;
    }
    equal(written, 0);
  });

  h.test("the same failure gives the same message twice, and two signature failures cannot be told apart", async () => {
    const verifier = await makeVerifier(lib);
    const header = { alg: "ES256", kid: "ec-1" };
    const forged = await signed(await otherEc(), claims(), header);
    const other = await signed(await otherEc(), claims({ sub: "bob" }), header);
    const short = forged.slice(0, -42);
    const failed = (await Promise.all(
      [forged, forged, other, short].map((token) => caught(() => verifier.verify(token))),
    )) as Failure[];
    equal(new Set(failed.map((error) => `${error.code} ${error.message}`)).size, 1);
  });
};
