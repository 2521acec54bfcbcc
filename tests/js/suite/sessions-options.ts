// Misuse of sessions: every option of the wrong type, misspelt or out of range is refused by name when it is given, and
// what was given does not change afterwards.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { ALICE, APP, Records, serve, setCookies, withCookies } from "./session-support.js";
import { AUDIENCE, ISSUER, NOW, ec, read } from "./support.js";

const NOT_WHOLE = [-1, 1.5, "60", Number.NaN, Number.POSITIVE_INFINITY, null, {}, [], true, 60n, 2 ** 53];
const NOT_TEXT = [1, true, {}, [], null, "", Symbol("s"), "\ud800"];
const NOT_OBJECTS = [1, "x", true, [], null, () => ({}), Symbol("s")];

/** Values that each option refuses; the error must name the option. */
const WRONG: Record<string, readonly unknown[]> = {
  issuer: [...NOT_TEXT, ["https://a.example"], undefined],
  audience: [1, true, {}, [], [1], null, "", [""], undefined],
  origins: ["https://app.example", {}, [1], [""], ["app.example"], [`${APP}/path`], ["*"], ["null"], null, undefined],
  revocation: [undefined, 1, "kv", true, [], () => null, {}],
  "revocation.store": [1, "kv", null, [], {}, { get: 1 }, { put: () => 1 }, { get: () => null }],
  "revocation.onFailure": ["ignore", "", true, null, 1],
  "revocation.timeout": [0, -1, 31, "1", Number.NaN, null],
  access: NOT_OBJECTS,
  "access.expiresIn": [...NOT_WHOLE, 0, 86_401],
  "access.jitter": [-0.01, 0.11, "0.05", Number.NaN, null, true, {}],
  refresh: NOT_OBJECTS,
  "refresh.expiresIn": [...NOT_WHOLE, 0, 899, 31_536_001],
  "refresh.absolute": [...NOT_WHOLE, 0, 604_799, 34_560_001],
  "refresh.grace": [...NOT_WHOLE, 61],
  "refresh.path": [1, null, {}, true],
  "refresh.audience": [1, null, {}, ["a"]],
  cookies: NOT_OBJECTS,
  "cookies.sameSite": ["strict", "", 1, null, true],
  "cookies.names": NOT_OBJECTS,
  "cookies.names.access": [1, null, "access", "__Secure-access", "__host-access"],
  "cookies.names.refresh": [1, null, "refresh", "__secure-refresh"],
  "cookies.insecureDevelopmentMode": [1, "yes", null, {}],
  maxSessions: [...NOT_WHOLE, 0, 101],
  onReuse: ["end", "", null, 1, true, "END-ALL"],
  timeout: [0, -1, 30.1, "3", Number.NaN, null, {}, true],
  client: [1, "ua", {}, [], null, true],
  validate: [1, "x", {}, [], null, true],
  clock: [1, "now", {}, [], null, new Date()],
  onEvent: [1, "log", {}, [], null, true],
  store: [undefined, null, 1, "kv", [], {}, () => null, { read: 1, compareAndSwap: 1 }],
};

/** Names that nobody may take for an option. */
const MISSPELT = [
  "key",
  "refreshKey",
  "Issuer",
  "aud",
  "origin",
  "kv",
  "accessLifetime",
  "refresh.gracePeriod",
  "refresh.jitter",
  "access.grace",
  "access.expiresin",
  "cookies.domain",
  "cookies.secure",
  "cookies.name",
  "cookies.names.acces",
  "cookies.path",
  "revocation.ttl",
  "revocation.tokenLifetime",
  "maxsessions",
  "reuse",
  "now",
  "then",
  "__proto__x",
];

/** Options in which one, given by its path, has a value. */
function withOption(path: string, value: unknown): object {
  const [first = "", ...rest] = path.split(".");
  if (rest.length === 0) return { [first]: value };
  const inner = withOption(rest.join("."), value);
  return { [first]: first === "revocation" ? { store: new MemoryStore(), ...inner } : inner };
}

export const sessionsOptions: Suite = (h, lib) => {
  for (const [path, values] of Object.entries(WRONG)) {
    h.test(`the option ${path} is refused by name when it is wrong`, async () => {
      for (const value of values) {
        const shown = typeof value === "bigint" ? `${value}n` : `${typeof value} ${JSON.stringify(value) ?? ""}`;
        const error = await rejects(
          serve(lib, withOption(path, value)),
          { code: "ERR_OPTION_INVALID", status: 500, step: "configuration" },
          shown,
        );
        const name = path.split(".").at(-1) as string;
        ok(error.message.includes(name) || error.message.includes(path.split(".")[0] as string), error.message);
        ok(/\.$/.test(error.message), `a full sentence: ${error.message}`);
      }
    });
  }

  h.test("the greatest and the least value of every range is accepted", async () => {
    const edges: object[] = [
      { access: { expiresIn: 1, jitter: 0 }, refresh: { expiresIn: 1, absolute: 1, grace: 0 }, maxSessions: 1 },
      { access: { expiresIn: 86_400, jitter: 0.1 }, refresh: { grace: 60 }, maxSessions: 100, timeout: 30 },
      { refresh: { expiresIn: 31_536_000 } },
      { timeout: 0.001, revocation: { store: new MemoryStore(), timeout: 30 } },
      { origins: [] },
      { origins: ["http://localhost:3000", "https://[::1]"] },
    ];
    for (const edge of edges) ok(await serve(lib, edge), JSON.stringify(edge));
  });

  for (const path of MISSPELT) {
    h.test(`an option that does not exist is refused by name: ${path}`, async () => {
      const error = await rejects(serve(lib, withOption(path, 1)), "ERR_OPTION_INVALID");
      includes(error.message, path.split(".").at(-1) as string);
    });
  }

  h.test("options that are no object are refused", async () => {
    for (const options of [undefined, null, 1, "x", [], () => ({})]) {
      await rejects(async () => lib.createSessions(options as never), "ERR_OPTION_INVALID", String(options));
    }
  });

  const namespace = {
    get: async () => null,
    getWithMetadata: async () => null,
    put: async () => undefined,
    delete: async () => undefined,
    list: async () => [],
  };
  h.test("a Workers KV namespace as the session store is refused, with what to use and where it belongs", async () => {
    const error = await rejects(serve(lib, { store: namespace }), "ERR_OPTION_INVALID");
    for (const part of ["KV", "compare", "waxseal/stores/durable-object", "waxseal/stores/d1", "revocation.store"]) {
      includes(error.message, part);
    }
    ok(await serve(lib, { revocation: { store: namespace } }), "for revocation it fits as it is");
  });

  if (h.kv === undefined) h.skip("a real KV namespace is refused as the session store", "there is one on workerd only");
  else {
    const kv = h.kv;
    h.test("a real KV namespace is refused as the session store, and keeps revocation entries", async () => {
      const error = await rejects(serve(lib, { store: kv }), "ERR_OPTION_INVALID");
      includes(error.message, "KV");
      const { sessions } = await serve(lib, { revocation: { store: kv } });
      const held = await sessions.login(ALICE);
      ok(await sessions.authenticate(withCookies(held)));
      await sessions.logout(withCookies(held));
      await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED");
    });
  }

  h.test("any other store without both methods is refused with the list of those that have them", async () => {
    for (const store of [{ read: () => null }, { compareAndSwap: () => true }, new MemoryStore(), new Map()]) {
      const error = await rejects(serve(lib, { store }), "ERR_OPTION_INVALID");
      for (const name of ["durable-object", "d1", "sqlite", "redis", "deno-kv", "memory"])
        includes(error.message, name);
    }
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("hunter2");
        },
      },
    );
    const error = await rejects(serve(lib, { store: hostile }), "ERR_OPTION_INVALID");
    ok(!error.message.includes("hunter2"));
  });

  h.test("a store whose methods are inherited and use this is called as its method", async () => {
    class Own {
      readonly #records = new Records();
      read(key: string): Promise<string | null> {
        return this.#records.read(key);
      }
      compareAndSwap(...given: Parameters<Records["compareAndSwap"]>): Promise<boolean> {
        return this.#records.compareAndSwap(...given);
      }
    }
    const { sessions } = await serve(lib, { store: new Own() });
    ok(await sessions.refresh(withCookies(await sessions.login(ALICE))));
  });

  h.test("audiences of access and refresh tokens must differ", async () => {
    const error = await rejects(serve(lib, { refresh: { audience: AUDIENCE } }), "ERR_OPTION_INVALID");
    includes(error.message, "audience");
    await rejects(serve(lib, { audience: ["x", `${ISSUER}#refresh`] }), "ERR_OPTION_INVALID");
  });

  h.test("cookies of one name are refused, and names and paths that no cookie can have", async () => {
    const cookies = { names: { access: "__Host-x", refresh: "__Host-x" } };
    await rejects(serve(lib, { cookies }), "ERR_OPTION_INVALID");
    for (const access of ["__Host-a b", "__Host-a;b", "__Host-a=b", "__Host-\n", "__Host-ü"]) {
      await rejects(serve(lib, { cookies: { names: { access } } }), "ERR_COOKIE_INVALID", access);
    }
    for (const path of ["", "auth", "/a;b", "/a\nb"]) {
      await rejects(serve(lib, { refresh: { path } }), "ERR_COOKIE_INVALID", path);
    }
    await rejects(serve(lib, { refresh: { path: `/${"x".repeat(2000)}` } }), "ERR_COOKIE_TOO_LARGE");
  });

  h.test("what becomes of the options afterwards has no effect", async () => {
    const options = {
      keys: [{ ...(await ec()).privateJwk }],
      issuer: ISSUER,
      audience: [AUDIENCE],
      origins: [APP],
      store: new Records(),
      revocation: { store: new MemoryStore() },
      access: { expiresIn: 900, jitter: 0 },
      refresh: { path: "/token" },
      cookies: { names: { access: "__Host-a" } },
      clock: () => NOW,
    };
    const sessions = await lib.createSessions(options as never);
    options.keys.pop();
    options.audience[0] = "https://evil.example";
    options.origins.push("https://evil.example");
    options.access.expiresIn = 1;
    options.refresh.path = "/";
    options.cookies.names.access = "__Host-b";
    options.issuer = "https://evil.example";
    const held = await sessions.login(ALICE);
    const { claims } = read(held.accessToken);
    deepEqual([claims["iss"], claims["aud"], claims["exp"]], [ISSUER, AUDIENCE, NOW + 900]);
    const [access, refresh] = setCookies(held.headers);
    equal(access?.name, "__Host-a");
    ok(refresh?.attributes.includes("Path=/token"));
    const request = { method: "POST", headers: { origin: "https://evil.example" } };
    await rejects(sessions.login(ALICE, { request }), "ERR_CROSS_SITE");
  });

  h.test("each option is read once, and a getter that throws is refused without its message", async () => {
    const reads = new Map<string, number>();
    const given: Record<string, unknown> = {
      keys: (await ec()).privateJwk,
      issuer: ISSUER,
      audience: AUDIENCE,
      origins: [],
      store: new Records(),
      revocation: null,
      maxSessions: 5,
    };
    const watched = {};
    for (const [name, value] of Object.entries(given)) {
      Object.defineProperty(watched, name, {
        enumerable: true,
        get: () => {
          reads.set(name, (reads.get(name) ?? 0) + 1);
          return value;
        },
      });
    }
    ok(await lib.createSessions(watched as never));
    deepEqual(
      [...reads.values()],
      Object.keys(given).map(() => 1),
    );
    for (const name of Object.keys(given)) {
      const options = Object.defineProperty({ ...given }, name, {
        enumerable: true,
        get: () => {
          throw new Error("hunter2");
        },
      });
      const error = await rejects(lib.createSessions(options as never), "ERR_OPTION_INVALID", name);
      ok(!error.message.includes("hunter2"));
    }
  });

  h.test("inherited members are no options: a polluted Object.prototype supplies none", async () => {
    const names = ["revocation", "validate", "client", "maxSessions", "onReuse", "strong", "label", "refreshKeys"];
    const { sessions } = await serve(lib);
    const held = await sessions.login(ALICE);
    try {
      for (const name of names) {
        Object.defineProperty(Object.prototype, name, { value: "polluted", configurable: true, enumerable: true });
      }
      const polluted = await serve(lib);
      const other = await polluted.sessions.login(ALICE);
      ok(await polluted.sessions.authenticate(withCookies(other)));
      ok(await sessions.refresh(withCookies(held)));
      equal(
        (await sessions.list(ALICE))[0] && Object.hasOwn((await sessions.list(ALICE))[0] as object, "label"),
        false,
      );
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  h.test("options of calls are checked by name too", async () => {
    const { sessions, records } = await serve(lib);
    for (const options of [{ labels: "x" }, { claim: {} }, null, 1, "x", []]) {
      await rejects(sessions.login(ALICE, options as never), "ERR_OPTION_INVALID", JSON.stringify(options));
    }
    for (const request of [undefined, null, 1, "x", [], {}, { method: "POST" }, { headers: 1 }, { headers: [] }]) {
      await rejects(async () => sessions.refresh(request as never), "ERR_OPTION_INVALID", JSON.stringify(request));
      await rejects(async () => sessions.logout(request as never), "ERR_OPTION_INVALID");
      await rejects(async () => sessions.authenticate(request as never), "ERR_OPTION_INVALID");
    }
    deepEqual(records.asked, []);
  });

  h.test("sessions that were disposed of answer every call with ERR_DISPOSED, and ask no store", async () => {
    const { sessions, records } = await serve(lib);
    const held = await sessions.login(ALICE);
    const asked = records.asked.length;
    sessions.dispose();
    sessions.dispose();
    const disposed = { code: "ERR_DISPOSED", status: 500, step: "runtime" };
    const calls: (() => unknown)[] = [
      () => sessions.login(ALICE),
      () => sessions.authenticate(withCookies(held)),
      () => sessions.refresh(withCookies(held)),
      () => sessions.refresh({ refreshToken: held.refreshToken }),
      () => sessions.logout(withCookies(held)),
      () => sessions.logoutEverywhere(ALICE),
      () => sessions.end(ALICE, held.sessionId),
      () => sessions.sweep(ALICE),
      () => sessions.list(ALICE),
    ];
    for (const call of calls) await rejects(async () => call(), disposed, String(call));
    throws(() => sessions.jwks(), disposed);
    throws(() => sessions.checkCrossSite(withCookies(held)), disposed);
    equal(records.asked.length, asked);
  });
};
