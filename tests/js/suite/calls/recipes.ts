// How each export, and each method of what they return, is called with random arguments. What nothing is said of here is
// called as it is, so that a new export or method is tried too; an object of an unknown class fails, see run.ts.

import type { Library } from "../../harness/types.js";
import { SUBPATHS, exported, methodsOf } from "./exports.js";
import type { Ground } from "./ground.js";
import { type Given, data, leaf } from "./values.js";

/** How one function is called. */
export interface Recipe {
  /** Calls it; what comes back is awaited. */
  call(given: readonly unknown[]): unknown;
  /** What the caller's own code throws may come out, as the documentation of the function says. */
  readonly passes?: true;
  /** Arguments that it takes, besides those that {@link Ground} has for its name. */
  readonly fitting?: readonly (readonly Given[])[];
  /** It is called so much more rarely. */
  readonly rare?: number;
  /**
   * A store's adapter rejects with errors of its database, or its own: for the library, whatever a store rejects with is a
   * store that has failed. It must not throw without a promise.
   */
  readonly store?: true;
}

type Call = (...given: unknown[]) => unknown;

/** Frees what a call has made, and looks at what it gave. */
function used(result: unknown): unknown {
  if (typeof result === "object" && result !== null && typeof Reflect.get(result, "dispose") === "function") {
    (result as { dispose(): void }).dispose();
  }
  return result;
}

/** A plain call. */
const plain = (call: unknown, more: Partial<Recipe> = {}): Recipe => ({
  call: (given) => {
    const result = (call as Call)(...given);
    return result instanceof Promise ? result.then(used) : used(result);
  },
  ...more,
});

/** A call of a method. */
const method = (of: object, name: string | symbol, more: Partial<Recipe> = {}): Recipe =>
  plain((...given: unknown[]) => (Reflect.get(of, name) as Call).apply(of, given), more);

/** Every method of an object, by the name of its recipe. */
function methods(name: string, of: object, more: Partial<Recipe> = {}): Record<string, Recipe> {
  const entries = methodsOf(name, of).map((full): [string, Recipe] => {
    const own = full.slice(name.length + 1);
    const key = own === "Symbol.dispose" ? Symbol.dispose : own;
    const getter = typeof Reflect.get(of, key) !== "function";
    return [full, getter ? { call: () => Reflect.get(of, key) } : method(of, key, more)];
  });
  return Object.fromEntries(entries);
}

/** Without what ends the object, which is called on objects of their own. */
function lasting(recipes: Record<string, Recipe>): Record<string, Recipe> {
  return Object.fromEntries(Object.entries(recipes).filter(([name]) => !/\.(dispose|Symbol\.dispose)$/.test(name)));
}

/** A session store in memory for clients of every kind, which hold one text. */
function clients(): Record<string, object> {
  let text: string | null = null;
  const statement = {
    bind: () => statement,
    first: async () => text,
    run: async () => ({ results: [] }),
  };
  const atomic = { check: () => atomic, set: () => atomic, commit: async () => ({ ok: true }) };
  return {
    ioredis: {
      options: { maxRetriesPerRequest: 0 },
      defineCommand: () => undefined,
      eval: async (script: string, _keys: number, _key: string, next?: string) => {
        if (next === undefined) return text;
        text = next;
        return script.includes("return 1") ? 1 : null;
      },
    },
    redis: { sendCommand: async () => null, eval: async () => text },
    d1: { prepare: () => statement, batch: async (all: unknown[]) => all.map(() => ({ results: [] })) },
    sqlite: {
      exec: () => undefined,
      prepare: () => ({ run: () => ({ changes: 1 }), get: () => (text === null ? undefined : { value: text }) }),
    },
    kv: { get: async () => ({ value: text, versionstamp: null }), atomic: () => atomic },
    namespace: { idFromName: () => ({}), get: () => ({ read: async () => text, compareAndSwap: async () => true }) },
  };
}

/** A response of `node:http` to write into. */
const response = (): object => ({
  statusCode: 200,
  headersSent: false,
  hasHeader: () => false,
  setHeader: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
});

/** A request as frameworks give it: its headers are text. */
function requestOf([given]: readonly unknown[]): { method: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  if (typeof given === "string") headers["authorization"] = given;
  else if (typeof given === "object" && given !== null) {
    try {
      for (const [name, value] of Object.entries((given as { headers?: object }).headers ?? {})) {
        if (typeof value === "string") headers[name.toLowerCase()] = value;
      }
    } catch {
      // Nothing that a server would give.
    }
  }
  return { method: "POST", headers };
}

/** What frameworks do with what a guard hands on: errors of status 500 and the application's own go to its error path. */
function nextOf(strange: (error: unknown) => void): (error?: unknown) => void {
  return (error) => {
    if (error !== undefined) strange(error);
  };
}

/** The recipes, by the names of {@link exported} and {@link methodsOf}. */
export function recipes(lib: Library, ground: Ground, more: Record<string, object> = {}): Record<string, Recipe> {
  const { verifier, full, wild, issuer, wildIssuer, sessions, wildSessions } = ground;
  const named: Record<string, Recipe> = {};
  for (const [path, module] of Object.entries({ "": lib, ...SUBPATHS, ...more })) {
    for (const [name, value] of Object.entries(module)) {
      if (typeof value === "function") named[path === "" ? name : `${path}.${name}`] = plain(value);
    }
  }
  const known = new Set(exported(lib, more));
  const exports = Object.fromEntries(Object.entries(named).filter(([name]) => known.has(name)));
  const fake = clients();
  const node = SUBPATHS.node;
  const rethrow = (error: unknown): void => {
    throw error;
  };
  /** Says who signs in; what it throws would be the application's, and come out. */
  const identifying = (who: unknown) => async (): Promise<unknown> => {
    try {
      return await who;
    } catch {
      return undefined;
    }
  };
  const handlersOf = (handlers: object, run: (handler: Call, given: readonly unknown[]) => unknown): Recipe[] =>
    Object.entries(handlers).map(([name, handler]) => ({
      call: (given) => run((name === "login" ? (handler as Call)(identifying(given[1])) : handler) as Call, given),
    }));
  const express = (handler: Call, given: readonly unknown[]): unknown =>
    handler(requestOf(given), response(), nextOf(rethrow));
  const oneOf = (all: readonly Recipe[]): Recipe => {
    let turn = 0;
    return { call: (given) => (all[turn++ % all.length] as Recipe).call(given) };
  };
  const context = (given: readonly unknown[]): object => ({
    req: { raw: requestOf(given) },
    res: { status: 200, headers: new Headers() },
    set: () => undefined,
    header: () => undefined,
  });
  const reply = (): object => ({
    code: () => undefined,
    header: () => undefined,
    send: () => undefined,
    hasHeader: () => false,
  });
  const metrics = SUBPATHS.metrics.createMetrics();
  const disposed = (make: () => Promise<{ dispose(): void }>): Recipe => ({
    call: async () => {
      const made = await make();
      made.dispose();
      made.dispose();
    },
    rare: 50,
  });
  const stores = {
    "stores/memory": [SUBPATHS["stores/memory"].memoryStore(), SUBPATHS["stores/memory"].memoryRevocationStore()],
    "stores/redis": [
      SUBPATHS["stores/redis"].redisStore(fake["ioredis"] as never),
      SUBPATHS["stores/redis"].redisRevocationStore(fake["redis"] as never),
    ],
    "stores/d1": [
      SUBPATHS["stores/d1"].d1Store(fake["d1"] as never),
      SUBPATHS["stores/d1"].d1RevocationStore(fake["d1"] as never),
    ],
    "stores/sqlite": [
      SUBPATHS["stores/sqlite"].sqliteStore(fake["sqlite"] as never),
      SUBPATHS["stores/sqlite"].sqliteRevocationStore(fake["sqlite"] as never),
    ],
    "stores/deno-kv": [
      SUBPATHS["stores/deno-kv"].denoKvStore(fake["kv"] as never),
      SUBPATHS["stores/deno-kv"].denoKvRevocationStore(fake["kv"] as never),
    ],
  };
  // A store is made of its client, an answer of a refusal.
  const takes = (name: string, ...arguments_: readonly Given[]): [string, Recipe] => [
    name,
    { ...(exports[name] as Recipe), fitting: [arguments_] },
  ];
  const client = (name: string): Given => leaf(`a client of ${name}`, () => fake[name]);
  const error = leaf("a refusal", () => ground.refusal);
  const fitted = [
    ...(["redisStore", "redisRevocationStore"] as const).flatMap((name) => [
      takes(`stores/redis.${name}`, client("ioredis"), data({ prefix: "p" })),
    ]),
    ...["d1Store", "d1RevocationStore"].map((name) => takes(`stores/d1.${name}`, client("d1"), data({ table: "t" }))),
    ...["sqliteStore", "sqliteRevocationStore"].map((name) =>
      takes(`stores/sqlite.${name}`, client("sqlite"), data({ table: "t" })),
    ),
    ...["denoKvStore", "denoKvRevocationStore"].map((name) => takes(`stores/deno-kv.${name}`, client("kv"))),
    ...["fetch.refusal", "hono.refusal"].map((name) => takes(name, error)),
    takes("node.sendRefusal", leaf("a response", response), error),
    takes(
      "node.authOf",
      leaf("a request that was let pass", () => ({ waxseal: {} })),
    ),
    ...("stores/durable-object.durableObjectStore" in exports
      ? [takes("stores/durable-object.durableObjectStore", client("namespace"))]
      : []),
  ];
  return {
    ...exports,
    ...Object.fromEntries(fitted),
    // Keys of RSA take a tenth of a second to make.
    generateKeyPair: plain(lib.generateKeyPair, { rare: 50 }),
    ...lasting(methods("verifier", verifier)),
    ...lasting(methods("verifier with everything", full)),
    // Their callbacks answer anything.
    ...lasting(methods("wild verifier", wild)),
    ...lasting(methods("issuer", issuer)),
    ...lasting(methods("wild issuer", wildIssuer)),
    ...lasting(methods("sessions", sessions)),
    // What `validate` throws is thrown.
    ...lasting(methods("wild sessions", wildSessions, { passes: true })),
    "verifier.dispose": disposed(() => lib.createVerifier({ keys: issuer.jwks(), issuer: null, audience: null })),
    ...methods("metrics", metrics),
    ...Object.fromEntries(
      Object.entries(stores).flatMap(([name, both]) =>
        both.flatMap((store, i) =>
          Object.entries(methods(`${name} ${i === 0 ? "sessions" : "entries"}`, store, { store: true })),
        ),
      ),
    ),
    "testing.storeConformance": plain((makeStore: unknown, options: unknown) =>
      SUBPATHS.testing.storeConformance(makeStore as never, options as never),
    ),
    "node.expressGuard handler": { call: (given) => express(node.expressGuard(full) as Call, given) },
    "node.expressSessions handlers": oneOf(handlersOf(node.expressSessions(sessions), express)),
    "node.httpGuard handler": {
      call: (given) =>
        node.httpGuard(full, () => undefined, { onError: rethrow })(requestOf(given) as never, response() as never),
    },
    "node.httpSessions handlers": oneOf(handlersOf(node.httpSessions(sessions, { onError: rethrow }), express)),
    "node.fastifySessions handlers": oneOf(
      handlersOf(node.fastifySessions(sessions), (handler, given) => handler({ raw: requestOf(given) }, reply())),
    ),
    "hono.guard handler": {
      call: (given) => (SUBPATHS.hono.guard(full) as unknown as Call)(context(given), async () => undefined),
    },
    "hono.sessionHandlers handlers": oneOf(
      handlersOf(SUBPATHS.hono.sessionHandlers(sessions), (handler, given) => handler(context(given))),
    ),
  };
}
