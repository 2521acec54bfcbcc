// Misuse: every option of the wrong type, misspelt or out of range is refused by name when it is given.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { AUDIENCE, ISSUER, NOW, claims, ec, makeIssuer, makeVerifier, signed } from "./support.js";

const store = { get: async () => null };

const VERIFIER: Record<string, unknown[]> = {
  issuer: [1, true, {}, [], [1], [null], "", [""], () => ISSUER, new Map(), Symbol("s"), 1n],
  audience: [1, true, {}, [], [1], [null], "", [""], new Set(["a"]), Symbol("s"), 1n],
  algorithms: ["ES256", [], ["HS256"], ["none"], ["es256"], [1], {}, 1, null],
  typ: [1, true, {}, [], "", null],
  subject: [1, true, {}, [], null],
  clockTolerance: [-1, 301, 1.5, "30", Number.NaN, Number.POSITIVE_INFINITY, null, {}, [], true, 30n],
  maxTokenAge: [-1, 1.5, "60", Number.NaN, Number.POSITIVE_INFINITY, null, {}, [], true],
  requiredClaims: ["jti", {}, 1, [1], [null], [{}], null, true],
  claims: [
    "x",
    1,
    [],
    null,
    true,
    { x: Number.NaN },
    { x: 1n },
    { x: () => 1 },
    { x: new Date() },
    { x: new Map() },
    { x: "\ud800" },
  ],
  crit: ["b64", {}, 1, [1], null, true],
  cookie: [1, true, {}, [], "", "a b", "a=b", "a;b", "a\nb", null],
  origins: ["https://app.example", {}, [1], [""], ["app.example"], ["https://app.example/path"], ["*"], ["null"], null],
  clock: [1, "now", {}, [], null, true, new Date()],
  onEvent: [1, "log", {}, [], null, true],
  revocation: [1, "kv", true, [], () => null, null],
};

const REVOCATION: Record<string, unknown[]> = {
  store: [1, "kv", null, true, [], {}, { get: 1 }, { get: "get" }, { put: () => undefined }, () => null],
  onFailure: ["ignore", "", 1, true, null, {}, [], "Reject"],
  timeout: [0, -1, "1", Number.NaN, Number.POSITIVE_INFINITY, null, {}, 1e6],
  tokenLifetime: [0, -1, 1.5, "86400", Number.NaN, null, {}, 1e12],
};

const ISSUER_OPTIONS: Record<string, unknown[]> = {
  issuer: [1, true, {}, [], "", null, ["https://issuer.example"], undefined],
  audience: [1, true, {}, [], "", null, [1], [""], undefined],
  typ: [1, true, {}, [], "", null],
  kid: [1, true, {}, [], "", null, "\ud800"],
  clock: [1, "now", {}, null],
};

const SET_COOKIE: Record<string, unknown[]> = {
  name: [1, true, null, {}, [], undefined],
  value: [1, true, null, {}, [], undefined],
  httpOnly: [1, "true", null, {}, []],
  secure: [1, "true", null, {}, []],
  sameSite: [1, true, false, {}, "strict", "Maybe", ""],
  path: [1, true, {}, []],
  domain: [1, true, {}, []],
  maxAge: ["60", 1.5, Number.NaN, {}, [], true, null],
  expires: ["tomorrow", {}, [], true, Number.NaN, new Date(Number.NaN)],
  partitioned: [1, "true", null, {}],
  priority: [1, true, "high", "Urgent", {}],
};

function show(value: unknown): string {
  if (typeof value === "object" && value !== null)
    return `${value.constructor.name} ${JSON.stringify(value, (_, member) => (typeof member === "bigint" ? `${member}n` : typeof member === "function" ? "[function]" : member))}`;
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}

export const options: Suite = (h, lib) => {
  const table = (
    what: string,
    rows: Record<string, unknown[]>,
    call: (option: string, value: unknown) => unknown,
  ): void => {
    for (const [option, values] of Object.entries(rows)) {
      h.test(`${what}: ${option} of a wrong kind is refused by name`, async () => {
        for (const value of values) {
          const error = await rejects(
            async () => call(option, value),
            { code: "ERR_OPTION_INVALID", status: 500, step: "configuration" },
            show(value),
          );
          includes(error.message, option, show(value));
        }
      });
    }
  };
  const cookie = { name: "session", value: "v" };
  table("createVerifier", VERIFIER, (option, value) => makeVerifier(lib, { [option]: value }));
  table("createVerifier's revocation", REVOCATION, (option, value) =>
    makeVerifier(lib, { revocation: { store, [option]: value } }),
  );
  table("createIssuer", ISSUER_OPTIONS, (option, value) => makeIssuer(lib, { [option]: value }));
  table("serializeSetCookie", SET_COOKIE, (option, value) =>
    lib.serializeSetCookie({ ...cookie, [option]: value } as never),
  );

  const calls: [string, (argument: unknown) => unknown, Record<string, unknown>][] = [
    ["createVerifier", (argument) => lib.createVerifier(argument as never), {}],
    ["createIssuer", (argument) => lib.createIssuer(argument as never), {}],
    ["serializeSetCookie", async (argument) => lib.serializeSetCookie(argument as never), cookie],
    ["serializeClearCookie", async (argument) => lib.serializeClearCookie(argument as never), { name: "session" }],
    ["checkCookie", async (argument) => lib.checkCookie(argument as never), cookie],
    ["explain's options", (argument) => lib.explain("a.b.c", argument as never), {}],
  ];
  for (const [what, call] of calls) {
    h.test(`${what} refuses arguments that are no options at all`, async () => {
      for (const argument of [
        undefined,
        null,
        1,
        "options",
        true,
        [],
        () => ({}),
        Symbol("s"),
        1n,
        new Date(),
        new Map(),
        new Uint8Array(3),
      ]) {
        await rejects(async () => call(argument), "ERR_OPTION_INVALID", show(argument));
      }
    });
  }

  const misspellings: [string, () => unknown, string][] = [
    ["audiance", () => makeVerifier(lib, { audiance: AUDIENCE }), "audiance"],
    ["Issuer", () => makeVerifier(lib, { Issuer: ISSUER }), "Issuer"],
    ["clockTolerence", () => makeVerifier(lib, { clockTolerence: 5 }), "clockTolerence"],
    ["maxAge for maxTokenAge", () => makeVerifier(lib, { maxAge: 60 }), "maxAge"],
    ["ignoreExpiration", () => makeVerifier(lib, { ignoreExpiration: true }), "ignoreExpiration"],
    ["jwksUri", () => makeVerifier(lib, { jwksUri: "https://x.example" }), "jwksUri"],
    ["onfailure in revocation", () => makeVerifier(lib, { revocation: { store, onfailure: "accept" } }), "onfailure"],
    [
      "audience inside issuers",
      async () =>
        makeVerifier(lib, {
          keys: undefined,
          issuer: undefined,
          audience: undefined,
          issuers: [{ issuer: ISSUER, audiences: "x", audience: "x", keys: (await ec()).publicJwk }],
        }),
      "audiences",
    ],
    ["expiresin", () => makeIssuer(lib, { expiresin: 5 }), "expiresin"],
    ["subject for an issuer", () => makeIssuer(lib, { subject: "alice" }), "subject"],
    ["httponly", () => lib.serializeSetCookie({ ...cookie, httponly: false } as never), "httponly"],
    ["max-age", () => lib.serializeSetCookie({ ...cookie, "max-age": 5 } as never), "max-age"],
    ["expiresin for one token", async () => (await makeIssuer(lib)).issue({}, { expiresin: 5 } as never), "expiresin"],
    ["Now", async () => (await makeVerifier(lib)).verify(await signed(await ec()), { Now: NOW } as never), "Now"],
    [
      "befor",
      async () =>
        (await makeVerifier(lib, { revocation: { store: { ...store, put: async () => undefined } } })).revokeSubject(
          "alice",
          { befor: NOW } as never,
        ),
      "befor",
    ],
    [
      "__proto__ as an own member",
      async () => {
        const text = JSON.stringify({ keys: (await ec()).publicJwk, issuer: null, audience: null });
        return lib.createVerifier(JSON.parse(`${text.slice(0, -1)},"__proto__":{}}`));
      },
      "__proto__",
    ],
  ];
  for (const [what, call, name] of misspellings) {
    h.test(`the unknown option ${what} is refused by name`, async () => {
      includes((await rejects(async () => call(), "ERR_OPTION_INVALID")).message, name);
    });
  }

  for (const option of ["keys", "issuer", "audience"]) {
    h.test(`createVerifier without ${option} is refused: nothing is unchecked by omission`, async () => {
      includes((await rejects(makeVerifier(lib, { [option]: undefined }), "ERR_OPTION_INVALID")).message, option);
    });
  }
  h.test("createIssuer without a key is refused by name", async () => {
    includes((await rejects(makeIssuer(lib, { key: undefined }), "ERR_OPTION_INVALID")).message, "key");
  });
  h.test("issuers stands instead of keys, issuer and audience, not beside them", async () => {
    const issuers = [{ issuer: ISSUER, audience: AUDIENCE, keys: (await ec()).publicJwk }];
    await rejects(makeVerifier(lib, { issuers }), "ERR_OPTION_INVALID");
    await rejects(
      makeVerifier(lib, { keys: undefined, issuer: undefined, audience: undefined, issuers: [] }),
      "ERR_OPTION_INVALID",
    );
    const twice = { keys: undefined, issuer: undefined, audience: undefined, issuers: [...issuers, ...issuers] };
    await rejects(makeVerifier(lib, twice), "ERR_OPTION_INVALID");
  });

  h.test("an option given as undefined is an option not given", async () => {
    const names = Object.keys(VERIFIER).filter((name) => name !== "issuer" && name !== "audience");
    const verifier = await makeVerifier(lib, Object.fromEntries(names.map((name) => [name, undefined])));
    const machine = Math.floor(Date.now() / 1000);
    ok(verifier.verify(await signed(await ec(), claims({ iat: machine - 1, exp: machine + 60 }))));
  });

  h.test(
    "a getter that throws, a proxy that throws and a revoked proxy are refused like any wrong option",
    async () => {
      const thrower = {
        get: () => {
          throw new Error("secret");
        },
        ownKeys: () => {
          throw new Error("secret");
        },
      };
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const value of [
        {
          get a() {
            throw new Error("secret");
          },
        },
        new Proxy({}, thrower),
        proxy,
      ]) {
        const error = await rejects(makeVerifier(lib, { claims: value }), "ERR_OPTION_INVALID");
        ok(!error.message.includes("secret"));
        await rejects(async () => lib.createVerifier(value as never), "ERR_OPTION_INVALID");
        await rejects(async () => lib.serializeSetCookie(value as never), "ERR_OPTION_INVALID");
      }
      ok((await makeVerifier(lib)).verify(await signed(await ec())));
    },
  );

  h.test("an option is read once: a getter cannot show one value to the check and another to the use", async () => {
    let reads = 0;
    const options = {
      get audience() {
        reads += 1;
        return reads === 1 ? AUDIENCE : "https://evil.example";
      },
    };
    const { publicJwk } = await ec();
    const given = Object.defineProperties(
      { keys: publicJwk, issuer: ISSUER, clock: () => NOW },
      Object.getOwnPropertyDescriptors(options),
    );
    const verifier = await lib.createVerifier(given as never);
    equal(reads, 1);
    ok(verifier.verify(await signed(await ec())));
  });

  h.test("cycles, deep trees and enormous arrays in options end in an error and not in an overflow", async () => {
    const cycle: Record<string, unknown> = {};
    cycle["x"] = cycle;
    const deep = Array.from({ length: 20_000 }).reduce<unknown>((inner) => ({ x: inner }), 1);
    const wide = Array.from({ length: 300_000 }, () => 0);
    for (const value of [cycle, { a: deep }, { a: wide }]) {
      await rejects(makeVerifier(lib, { claims: value }), "ERR_OPTION_INVALID");
    }
    await rejects(makeVerifier(lib, { issuer: wide }), "ERR_OPTION_INVALID");
    ok((await makeVerifier(lib)).verify(await signed(await ec())));
  });

  h.test("inherited members are not read as options", async () => {
    const base = { keys: (await ec()).publicJwk, issuer: ISSUER, audience: AUDIENCE, clock: () => NOW };
    await rejects(lib.createVerifier(Object.create(base) as never), "ERR_OPTION_INVALID");
    const own = Object.assign(Object.create({ algorithms: ["RS256"], clockTolerance: "nonsense" }), base) as never;
    ok((await lib.createVerifier(own)).verify(await signed(await ec())));
  });

  h.test("members added to Object.prototype change no decision", async () => {
    const pollution: Record<string, unknown> = {
      issuer: null,
      audience: null,
      algorithms: ["none"],
      clockTolerance: 300,
      typ: "x",
      subject: "x",
      claims: { x: 1 },
      revocation: { store },
      cookie: "c",
      kid: "ec-1",
      exp: NOW + 1e6,
      keys: [],
      alg: "none",
      now: 1,
      secure: false,
      httpOnly: false,
      domain: "evil.example",
      expiresIn: 1,
      crit: ["b64"],
      maxTokenLength: 1,
      onFailure: "accept",
    };
    const keys = await ec();
    const token = await signed(keys);
    const expired = await signed(keys, claims({ exp: NOW }));
    const endless = await signed(keys, claims({ exp: undefined }));
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    const outcomes: unknown[] = [];
    try {
      for (const [name, value] of Object.entries(pollution)) {
        Object.defineProperty(prototype, name, { value, configurable: true, enumerable: true, writable: true });
      }
      const verifier = await makeVerifier(lib);
      outcomes.push(verifier.verify(token).claims.sub);
      outcomes.push(throws(() => verifier.verify(expired), "ERR_TOKEN_EXPIRED").name);
      outcomes.push(throws(() => verifier.verify(endless), "ERR_CLAIM_MISSING").name);
      outcomes.push((await rejects(makeVerifier(lib, { audience: undefined }), "ERR_OPTION_INVALID")).name);
      outcomes.push(
        lib.serializeSetCookie(cookie as never).includes("Secure; ") &&
          !lib.serializeSetCookie(cookie as never).includes("Domain"),
      );
    } finally {
      for (const name of Object.keys(pollution)) delete prototype[name];
    }
    deepEqual(outcomes, ["alice", "WaxsealError", "WaxsealError", "WaxsealError", true]);
  });

  h.test("options without a prototype and frozen ones are accepted, and left as they were", async () => {
    const given = Object.freeze(
      Object.assign(Object.create(null) as object, {
        keys: Object.freeze([Object.freeze({ ...(await ec()).publicJwk })]),
        issuer: Object.freeze([ISSUER]),
        audience: AUDIENCE,
        clock: () => NOW,
      }),
    );
    ok((await lib.createVerifier(given as never)).verify(await signed(await ec())));
  });

  h.test("changing an options object after construction changes nothing", async () => {
    const given = { keys: (await ec()).publicJwk, issuer: [ISSUER], audience: [AUDIENCE], clock: () => NOW };
    const verifier = await lib.createVerifier(given as never);
    given.issuer[0] = "https://evil.example";
    given.audience.length = 0;
    ok(verifier.verify(await signed(await ec())));
  });

  h.test("a token that is not a string is refused as no token", async () => {
    const verifier = await makeVerifier(lib);
    for (const token of [
      undefined,
      null,
      1,
      {},
      [],
      true,
      Symbol("s"),
      1n,
      new String("a.b.c"),
      () => "a.b.c",
      new Uint8Array(3),
    ]) {
      throws(() => verifier.verify(token as never), "ERR_TOKEN_MALFORMED", typeof token);
      await rejects(async () => verifier.verifyAsync(token as never), "ERR_TOKEN_MALFORMED", typeof token);
      throws(() => lib.decodeUnverified(token as never), "ERR_TOKEN_MALFORMED", typeof token);
    }
  });

  h.test("now that is no time is refused by name", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    for (const now of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "now",
      null,
      {},
      [],
      true,
      new Date(Number.NaN),
      NOW * 1000,
      1n,
    ]) {
      includes(throws(() => verifier.verify(token, { now } as never), "ERR_OPTION_INVALID", show(now)).message, "now");
    }
  });
};
