// Thousands of random calls, the same ones each time: whatever is given, nothing but a WaxsealError comes out, and the
// library works afterwards.

import { deepEqual, ok } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { accessCookie, post, serve, withCookies } from "./session-support.js";
import { NOW, claims, ec, makeIssuer, makeVerifier, otherEc, rsa, seeded, signed } from "./support.js";

const ROUNDS = 3000;

/** Options of sessions, but for keys and a store. */
const SESSIONS = { issuer: "i", audience: "a", origins: [], revocation: null };

const NAMES = [
  "keys",
  "issuer",
  "audience",
  "algorithms",
  "typ",
  "subject",
  "clockTolerance",
  "maxTokenAge",
  "requiredClaims",
  "claims",
  "crit",
  "maxTokenLength",
  "revocation",
  "cookie",
  "origins",
  "clock",
  "onEvent",
  "issuers",
  "key",
  "expiresIn",
  "kid",
  "now",
  "name",
  "value",
  "httpOnly",
  "secure",
  "sameSite",
  "path",
  "domain",
  "maxAge",
  "expires",
  "partitioned",
  "priority",
  "method",
  "headers",
  "alg",
  "sign",
  "publicKey",
  "kty",
  "crv",
  "x",
  "y",
  "n",
  "e",
  "d",
  "store",
  "onFailure",
  "timeout",
  "get",
  "put",
  "getMany",
  "authorization",
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "sid",
  "ver",
  "before",
  "version",
  "refreshKeys",
  "access",
  "refresh",
  "cookies",
  "names",
  "maxSessions",
  "onReuse",
  "validate",
  "client",
  "read",
  "compareAndSwap",
  "jitter",
  "grace",
  "absolute",
  "request",
  "refreshToken",
  "label",
  "strong",
  "__proto__",
  "constructor",
  "toString",
  "then",
  "0",
  "",
];

/** Makes random values of every type that JavaScript has, small trees of them included. */
function generator(random: () => number, samples: unknown[]): (depth?: number) => unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const text = (): string =>
    Array.from({ length: Math.floor(random() * 12) }, () =>
      String.fromCharCode(pick([46, 65, 95, 101, 0, 10, 59, 61, 34, 0xe9, 0xd800, 0xdc00, 0x20ac])),
    ).join("");
  const leaves: (() => unknown)[] = [
    () => undefined,
    () => null,
    () => random() < 0.5,
    () => Math.floor(random() * 1e4),
    () => -random(),
    () => Number.NaN,
    () => Number.NEGATIVE_INFINITY,
    () => -0,
    () => NOW,
    () => NOW * 1000,
    () => 2 ** 53,
    () => 1e300,
    () => 12n,
    () => Symbol("s"),
    text,
    () => "a.b.c",
    () => pick(NAMES),
    () => "ES256",
    () => new Date(NOW * 1000),
    () => new Date(Number.NaN),
    () => new Map([["a", 1]]),
    () => new Set([1]),
    () => /x/,
    () => new Error("e"),
    () => new Uint8Array(5),
    () => new ArrayBuffer(8),
    () => Promise.resolve(null),
    () => () => null,
    () => () => {
      throw new Error("f");
    },
    () => class {},
    () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error("p");
          },
        },
      ),
    () =>
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("p");
          },
        },
      ),
    () => new String("x"),
    () => new Number(3),
    () => Object.create(null),
    () => globalThis,
    () => new URL("https://x.example"),
    () => new Headers({ a: "b" }),
    () => ({
      get x() {
        throw new Error("g");
      },
    }),
    () => ({ then: (f: () => void) => f() }),
    () => ({ toJSON: () => 1 }),
    () => ({ valueOf: () => 1 }),
    () => "x".repeat(10_000),
    () => pick(samples),
    () => pick(samples),
  ];
  const value = (depth = 3): unknown => {
    const kind = random();
    if (depth === 0 || kind < 0.6) return pick(leaves)();
    const size = Math.floor(random() * 5);
    if (kind < 0.75) return Array.from({ length: size }, () => value(depth - 1));
    const members = Array.from({ length: size }, () => [pick(NAMES), value(depth - 1)] as const);
    return { ...(kind < 0.85 ? (pick(samples) as object) : {}), ...Object.fromEntries(members) };
  };
  return value;
}

/** The memory of the whole process, where the host lets one see it; 0 elsewhere. */
function memoryInUse(): number {
  const { process } = globalThis as { process?: { memoryUsage?: () => { rss: number } } };
  return process?.memoryUsage?.().rss ?? 0;
}

export const fuzzish: Suite = (h, lib) => {
  for (const seed of [1, 2, 3]) {
    h.test(
      `${ROUNDS} random calls of every export give results or WaxsealErrors and nothing else (seed ${seed})`,
      async () => {
        const keys = await ec();
        const token = await signed(keys);
        const verifierOptions = {
          keys: keys.publicJwk,
          issuer: null,
          audience: null,
          cookie: "session",
          clock: () => NOW,
        };
        const samples: unknown[] = [
          token,
          `${token}x`,
          `session=${token}`,
          { authorization: `Bearer ${token}` },
          keys.publicJwk,
          keys.privateJwk,
          (await rsa()).publicJwk,
          { keys: [keys.publicJwk, (await otherEc()).publicJwk] },
          verifierOptions,
          { key: keys.privateJwk, issuer: "i", audience: "a" },
          { name: "a", value: "b" },
          { method: "POST", headers: { cookie: `session=${token}` } },
          claims(),
          { get: async () => null, put: async () => undefined },
        ];
        const { sessions } = await serve(lib, { timeout: 0.01 });
        const held = await sessions.login("alice");
        samples.push(
          "alice",
          held.sessionId,
          { refreshToken: held.refreshToken },
          withCookies(held),
          { request: withCookies(held), claims: { role: "x" }, label: "y" },
          { ...SESSIONS, keys: keys.privateJwk, store: { read: async () => null, compareAndSwap: async () => true } },
        );
        const random = seeded(seed);
        const value = generator(random, samples);
        const store = { get: async () => null, put: async () => undefined };
        const verifier = await makeVerifier(lib, { cookie: "session", revocation: { store, timeout: 0.01 } });
        const plain = await makeVerifier(lib);
        const issuer = await makeIssuer(lib);
        const targets: Record<string, (...given: never[]) => unknown> = {
          createVerifier: lib.createVerifier,
          createIssuer: lib.createIssuer,
          serializeSetCookie: lib.serializeSetCookie,
          serializeClearCookie: lib.serializeClearCookie,
          checkCookie: lib.checkCookie,
          parseCookie: lib.parseCookie,
          thumbprint: lib.thumbprint,
          decodeUnverified: lib.decodeUnverified,
          explain: lib.explain,
          verify: (...given) => plain.verify(...(given as unknown as [string])),
          verifyAsync: (...given) => verifier.verifyAsync(...(given as unknown as [string])),
          authenticate: (...given) => verifier.authenticate(...(given as unknown as [never])),
          revokeToken: (...given) => verifier.revokeToken(...(given as unknown as [never])),
          revokeSession: (...given) => verifier.revokeSession(...(given as unknown as [never])),
          revokeSubject: (...given) => verifier.revokeSubject(...(given as unknown as [never])),
          issue: (...given) => issuer.issue(...(given as unknown as [never])),
          createSessions: lib.createSessions,
          login: (...given) => sessions.login(...(given as unknown as [never])),
          refresh: (...given) => sessions.refresh(...(given as unknown as [never])),
          logout: (...given) => sessions.logout(...(given as unknown as [never])),
          "sessions.authenticate": (...given) => sessions.authenticate(...(given as unknown as [never])),
          logoutEverywhere: (...given) => sessions.logoutEverywhere(...(given as unknown as [never])),
          end: (...given) => sessions.end(...(given as unknown as [never, never])),
          sweep: (...given) => sessions.sweep(...(given as unknown as [never])),
          list: (...given) => sessions.list(...(given as unknown as [never])),
          checkCrossSite: (...given) => sessions.checkCrossSite(...(given as unknown as [never])),
        };
        const names = Object.keys(targets);
        const before = memoryInUse();
        const strange: string[] = [];
        let succeeded = 0;
        for (let round = 0; round < ROUNDS; round++) {
          const name = names[Math.floor(random() * names.length)] as string;
          const given = Array.from({ length: Math.floor(random() * 3) + (random() < 0.9 ? 1 : 0) }, () => value());
          try {
            const result: unknown = await targets[name]?.(...(given as never[]));
            succeeded += 1;
            if (typeof result === "object" && result !== null && "dispose" in result)
              (result as { dispose(): void }).dispose();
          } catch (error) {
            if (!(error instanceof lib.WaxsealError) || error.code === "ERR_INTERNAL") {
              strange.push(
                `round ${round}, ${name}: ${error instanceof Error ? `${error.name} ${error.message} ${(error as { code?: string }).code}` : String(error)}`,
              );
            }
          }
        }
        deepEqual(strange, []);
        ok(succeeded > ROUNDS / 100, `only ${succeeded} calls succeeded, so the calls are too wild to prove much`);
        ok(memoryInUse() - before < 256 << 20, "memory stays bounded");
        deepEqual(plain.verify(token).claims, claims());
        deepEqual((await verifier.verifyAsync(token)).revocation, "clear");
        ok(await sessions.refresh(withCookies(await sessions.login("bob"))));
      },
    );
  }

  h.test("five thousand mutations of a good token are refused or are the token itself", async () => {
    const random = seeded(4);
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u0000é";
    const at = (): number => Math.floor(random() * token.length);
    const letter = (): string => alphabet[Math.floor(random() * alphabet.length)] as string;
    const mutations = [
      (i: number) => token.slice(0, i) + letter() + token.slice(i + 1),
      (i: number) => token.slice(0, i) + token.slice(i + 1),
      (i: number) => token.slice(0, i) + letter() + token.slice(i),
      (i: number) => token.slice(0, i),
      (i: number) => token.slice(i),
      (i: number) => token.slice(0, i) + token.slice(i - 4) + token.slice(i),
    ];
    for (let round = 0; round < 5000; round++) {
      const mutated = (mutations[round % mutations.length] as (i: number) => string)(at());
      try {
        verifier.verify(mutated);
        ok(mutated === token, `accepted in round ${round}`);
      } catch (error) {
        ok(error instanceof lib.WaxsealError && error.code !== "ERR_INTERNAL", `round ${round}: ${String(error)}`);
        ok(mutated !== token, "the token itself was refused");
      }
    }
  });

  h.test("a thousand mutations of a refresh token refresh nothing, and leave its session as it was", async () => {
    const random = seeded(5);
    const { sessions, records, clock } = await serve(lib);
    const held = await sessions.login("alice");
    clock.now += 60;
    const [token, asked] = [held.refreshToken, records.asked.length];
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=; \u0000é";
    for (let round = 0; round < 1000; round++) {
      const at = Math.floor(random() * token.length);
      const letter = alphabet[Math.floor(random() * alphabet.length)] as string;
      const mutated = token.slice(0, at) + letter + token.slice(at + (round % 2));
      if (mutated === token) continue;
      const cookie = post(`${accessCookie(held)}; __Secure-refresh=${mutated}`);
      // A character after a semicolon begins a cookie of its own, and the one before may be whole.
      for (const request of letter === ";" ? [{ refreshToken: mutated }] : [{ refreshToken: mutated }, cookie]) {
        try {
          await sessions.refresh(request);
          ok(mutated.trim() === token, `accepted in round ${round}`);
        } catch (error) {
          ok(error instanceof lib.WaxsealError && error.code !== "ERR_INTERNAL", `round ${round}: ${String(error)}`);
        }
      }
    }
    ok(records.asked.length - asked <= 4, "no store is asked about what is not verified");
    ok(await sessions.refresh(withCookies(held)));
  });
};
