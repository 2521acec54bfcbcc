// Authenticate: which access tokens are accepted, how soon an end is seen, and what the application is asked.

import type { SignedIn } from "waxseal";
import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { ALICE, APP, accessCookie, codeOf, post, serve, withBearer, withCookies } from "./session-support.js";
import { ISSUER, NOW, ec, makeVerifier, otherEc, read, signed } from "./support.js";

const STRONG = { strong: true };

/** A revocation store that shows what was written only after a while, as Workers KV does. */
class Stale extends MemoryStore {
  #shown = new Map<string, string>();

  override async get(key: string): Promise<string | null> {
    return this.#shown.get(key) ?? null;
  }

  catchUp(): void {
    this.#shown = new Map(this.entries);
  }
}

export const sessionsAuthenticate: Suite = (h, lib) => {
  h.test(
    "a request is accepted by its cookie and by a bearer token, and the result has the documented members",
    async () => {
      const { sessions } = await serve(lib);
      const held = await sessions.login(ALICE, { claims: { role: "admin" } });
      for (const [request, source] of [
        [withCookies(held), "cookie"],
        [post(accessCookie(held)), "cookie"],
        [withBearer(held.accessToken), "bearer"],
      ] as const) {
        const result = await sessions.authenticate(request);
        deepEqual(Object.keys(result).sort(), ["claims", "header", "revocation", "sessionId", "source"]);
        deepEqual(result.claims, read(held.accessToken).claims);
        deepEqual(result.header, { alg: "ES256", kid: "ec-1", typ: "at+jwt" });
        deepEqual([result.sessionId, result.source, result.revocation], [held.sessionId, source, "clear"]);
      }
    },
  );

  h.test("a Fetch Request and Headers are read as they are", async () => {
    const { sessions } = await serve(lib);
    const held = await sessions.login(ALICE);
    const bearer = { authorization: `Bearer ${held.accessToken}` };
    ok(await sessions.authenticate(new Request("https://api.example/me", { headers: bearer })));
    ok(await sessions.authenticate({ method: "GET", headers: new Headers(bearer) } as never));
    ok(await sessions.authenticate({ method: "GET", headers: { Authorization: bearer.authorization } }));
  });

  h.test("the session store is asked with strong and not without, and nothing is ever written", async () => {
    const { sessions, records } = await serve(lib);
    const held = await sessions.login(ALICE);
    const before = [...records.asked];
    await sessions.authenticate(withCookies(held));
    deepEqual(records.asked, before);
    await sessions.authenticate(withCookies(held), STRONG);
    deepEqual(records.asked, [...before, "read"]);
  });

  h.test("without credentials, with malformed ones, or with two access cookies nobody is accepted", async () => {
    const { sessions, revoked } = await serve(lib);
    const held = await sessions.login(ALICE);
    const refused: [object, string][] = [
      [post(undefined), "ERR_CREDENTIALS_MISSING"],
      [post(`__Secure-refresh=${held.refreshToken}`), "ERR_CREDENTIALS_MISSING"],
      [post(`access=${held.accessToken}`), "ERR_CREDENTIALS_MISSING"],
      [post(`${accessCookie(held)}; ${accessCookie(held)}`), "ERR_COOKIE_DUPLICATE"],
      [post(accessCookie(held), { authorization: "Bearer x y" }), "ERR_AUTHORIZATION_MALFORMED"],
      [post(accessCookie(held), { authorization: "Basic eA==" }), "ERR_CREDENTIALS_MISSING"],
      [post(accessCookie(held), { authorization: "Bearer a.b.c" }), "ERR_TOKEN_MALFORMED"],
      [{ ...post(accessCookie(held)), headers: { cookie: accessCookie(held) } }, "ERR_CROSS_SITE"],
    ];
    for (const [request, code] of refused) await rejects(sessions.authenticate(request as never), code);
    equal(revoked.read.length, 0, "no store is asked about a token that is not verified");
  });

  h.test("a safe request of another site passes with a cookie, and an unsafe one does not", async () => {
    const { sessions } = await serve(lib, { cookies: { sameSite: "None" } });
    const held = await sessions.login(ALICE);
    const from = (method: string, extra: object = {}) => ({
      method,
      headers: { cookie: accessCookie(held), "sec-fetch-site": "cross-site", origin: "https://evil.example", ...extra },
    });
    for (const method of ["GET", "HEAD", "OPTIONS"]) ok(await sessions.authenticate(from(method)));
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", ""]) {
      await rejects(sessions.authenticate(from(method)), { code: "ERR_CROSS_SITE", status: 403 }, method);
    }
    await rejects(sessions.authenticate(from("GET", { upgrade: "websocket" })), "ERR_CROSS_SITE");
    ok(await sessions.authenticate(from("POST", { origin: APP })), "a configured origin");
    ok(await sessions.authenticate(from("POST", { authorization: `Bearer ${held.accessToken}` })), "no cookie decides");
  });

  h.test("checkCrossSite says of any request what login, refresh and logout would", async () => {
    const { sessions } = await serve(lib);
    sessions.checkCrossSite({ method: "GET", headers: { "sec-fetch-site": "same-origin" } });
    sessions.checkCrossSite({ method: "POST", headers: { origin: APP } });
    for (const headers of [{}, { origin: "null" }, { origin: "https://evil.example" }]) {
      for (const method of ["GET", "POST"]) {
        equal(await codeOf(lib, (async () => sessions.checkCrossSite({ method, headers }))()), "ERR_CROSS_SITE");
      }
    }
  });

  h.test("a refresh token is no access token, by cookie or as a bearer, even with one key for both", async () => {
    const { privateJwk } = await ec();
    for (const refreshKeys of [undefined, privateJwk, (await otherEc()).privateJwk]) {
      const { sessions } = await serve(lib, { refreshKeys });
      const held = await sessions.login(ALICE);
      for (const request of [withBearer(held.refreshToken), post(`__Host-access=${held.refreshToken}`)]) {
        const code = await codeOf(lib, sessions.authenticate(request));
        ok(["ERR_TOKEN_TYPE", "ERR_KEY_NOT_FOUND"].includes(code ?? ""), code);
      }
      const code = await codeOf(lib, sessions.refresh({ refreshToken: held.accessToken }));
      ok(["ERR_TOKEN_TYPE", "ERR_KEY_NOT_FOUND"].includes(code ?? ""), code);
    }
  });

  h.test("an access token is accepted until it expires, with five seconds for clocks that differ", async () => {
    const { sessions, clock } = await serve(lib, { access: { expiresIn: 60, jitter: 0 } });
    const held = await sessions.login(ALICE);
    for (const [seconds, code] of [
      [59, undefined],
      [60, undefined],
      [64, undefined],
      [65, "ERR_TOKEN_EXPIRED"],
      [-5, undefined],
      [-6, "ERR_TOKEN_ISSUED_IN_FUTURE"],
    ] as const) {
      clock.now = NOW + seconds;
      equal(await codeOf(lib, sessions.authenticate(withCookies(held))), code, `${seconds} s`);
      clock.now = NOW;
      const now = new Date((NOW + seconds) * 1000);
      equal(await codeOf(lib, sessions.authenticate(withCookies(held), { now })), code, `now ${seconds} s`);
    }
  });

  h.test("access tokens that were not made for these sessions are refused, each with its own code", async () => {
    const { sessions, revoked } = await serve(lib);
    const held = await sessions.login(ALICE);
    const own = read(held.accessToken).claims;
    const header = { alg: "ES256", kid: "ec-1", typ: "at+jwt" };
    const make = async (claims: object, head: object = header, keys = ec): Promise<string> =>
      signed(await keys(), { ...own, ...claims } as never, head as never);
    ok(await sessions.authenticate(withBearer(await make({}))), "the ones below differ in one thing");
    const wrong: [string, string][] = [
      [await make({}, header, otherEc), "ERR_SIGNATURE_INVALID"],
      [await make({}, { ...header, kid: "ec-2" }, otherEc), "ERR_KEY_NOT_FOUND"],
      [await make({}, { ...header, typ: "JWT" }), "ERR_TOKEN_TYPE"],
      [await make({}, { alg: "ES256", kid: "ec-1" }), "ERR_TOKEN_TYPE"],
      [await make({ iss: "https://evil.example" }), "ERR_ISSUER_MISMATCH"],
      [await make({ aud: "https://other.example" }), "ERR_AUDIENCE_MISMATCH"],
      [await make({ aud: `${ISSUER}#refresh` }), "ERR_AUDIENCE_MISMATCH"],
      ...(await Promise.all(
        ["sub", "sid", "ver", "iat", "jti", "exp"].map(async (name): Promise<[string, string]> => [
          await make({ [name]: undefined }),
          "ERR_CLAIM_MISSING",
        ]),
      )),
      [await make({ sid: 1 }), "ERR_CLAIM_INVALID"],
      [await make({ ver: "0" }), "ERR_CLAIM_INVALID"],
      [await make({ exp: NOW + 90_000 }), "ERR_TOKEN_LIFETIME"],
    ];
    for (const [token, code] of wrong) {
      equal(await codeOf(lib, sessions.authenticate(withBearer(token))), code, JSON.stringify(read(token)));
    }
    ok(revoked.read.length > 0);
  });

  h.test("another service verifies access tokens by the published keys, and refuses refresh tokens", async () => {
    const { sessions, revoked } = await serve(lib, { refreshKeys: undefined });
    const held = await sessions.login(ALICE);
    const verifier = await makeVerifier(lib, { keys: sessions.jwks(), typ: "at+jwt", revocation: { store: revoked } });
    equal((await verifier.verifyAsync(held.accessToken)).claims.sub, ALICE);
    await rejects(verifier.verifyAsync(held.refreshToken), "ERR_TOKEN_TYPE");
    const plain = await makeVerifier(lib, { keys: sessions.jwks(), audience: null });
    await rejects(async () => plain.verify(held.refreshToken), "ERR_TOKEN_TYPE");
    await sessions.logout(withCookies(held));
    await rejects(verifier.verifyAsync(held.accessToken), "ERR_TOKEN_REVOKED");
  });

  const ends: [
    string,
    (sessions: Awaited<ReturnType<typeof serve>>["sessions"], held: SignedIn) => Promise<unknown>,
  ][] = [
    ["a logout", (sessions, held) => sessions.logout(withCookies(held))],
    ["a logout everywhere", (sessions) => sessions.logoutEverywhere(ALICE)],
    ["an end by its identifier", (sessions, { sessionId }) => sessions.end(ALICE, sessionId)],
    ["a login that replaces it", (sessions, held) => sessions.login(ALICE, { request: withCookies(held) })],
  ];
  for (const [what, end] of ends) {
    h.test(`${what} is seen by strong at once, and by all once a stale revocation store has caught up`, async () => {
      const revoked = new Stale();
      const { sessions } = await serve(lib, {}, { revoked });
      const held = await sessions.login(ALICE);
      await end(sessions, held);
      equal((await sessions.authenticate(withCookies(held))).revocation, "clear", "the store is stale");
      await rejects(sessions.authenticate(withCookies(held), STRONG), { code: "ERR_SESSION_ENDED", status: 401 });
      await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
      revoked.catchUp();
      await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED");
    });
  }

  h.test("tokens released late, by a refresh that began before the end, die with their session", async () => {
    const { sessions, clock } = await serve(lib);
    const held = await sessions.login(ALICE);
    clock.now += 60;
    const late = await sessions.refresh(withCookies(held));
    await sessions.logoutEverywhere(ALICE);
    for (const each of [held, late]) {
      await rejects(sessions.authenticate(withCookies(each)), "ERR_TOKEN_REVOKED");
      await rejects(sessions.authenticate(withBearer(each.accessToken), STRONG), "ERR_TOKEN_REVOKED");
    }
  });

  h.test("strong refuses a session of which the store knows nothing, or whose birth version is another", async () => {
    const { sessions, records } = await serve(lib);
    const held = await sessions.login(ALICE);
    const [key = "", text = ""] = [...records.texts].flat();
    for (const other of [text.replace('"ver":0', '"ver":1').replace('"version":0', '"version":1'), undefined]) {
      if (other === undefined) records.texts.delete(key);
      else records.texts.set(key, other);
      await rejects(sessions.authenticate(withCookies(held), STRONG), "ERR_SESSION_ENDED");
    }
  });

  h.test("strong must be a boolean, and unknown options are refused by name", async () => {
    const { sessions } = await serve(lib);
    const held = await sessions.login(ALICE);
    for (const strong of ["true", 1, null, {}]) {
      await rejects(sessions.authenticate(withCookies(held), { strong } as never), "ERR_OPTION_INVALID");
    }
    const error = await rejects(
      sessions.authenticate(withCookies(held), { stong: true } as never),
      "ERR_OPTION_INVALID",
    );
    ok(error.message.includes("stong"));
  });

  h.test(
    "a revocation store that fails refuses by default, and with onFailure accept says that it was not asked",
    async () => {
      const store = { get: () => Promise.reject(new Error("hunter2")), put: async () => undefined };
      const strict = await serve(lib, { revocation: { store } });
      const held = await strict.sessions.login(ALICE);
      await rejects(strict.sessions.authenticate(withCookies(held)), {
        code: "ERR_REVOCATION_UNAVAILABLE",
        status: 503,
      });
      const lax = await serve(lib, { revocation: { store, onFailure: "accept" } }, strict);
      equal((await lax.sessions.authenticate(withCookies(held))).revocation, "unavailable");
      await lax.sessions.end(ALICE, held.sessionId).catch(() => undefined);
      await rejects(lax.sessions.authenticate(withCookies(held), STRONG), "ERR_SESSION_ENDED");
      await rejects(lax.sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED", "the policy is not for refresh");
    },
  );

  h.test("validate sees the claims, and lets pass what it answers true to, and nothing else", async () => {
    let answer: unknown = true;
    const seen: unknown[] = [];
    const validate = (claims: unknown): unknown => {
      seen.push(claims);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const { sessions, events } = await serve(lib, { validate });
    const held = await sessions.login(ALICE, { claims: { role: "admin" } });
    for (const consent of [true, Promise.resolve(true)]) {
      answer = consent;
      ok(await sessions.authenticate(withCookies(held)));
    }
    deepEqual(seen[0], read(held.accessToken).claims);
    events.length = 0;
    for (const refusal of [false, undefined, null, 1, "true", Promise.resolve(false), Promise.resolve("true")]) {
      answer = refusal;
      await rejects(sessions.authenticate(withCookies(held)), {
        code: "ERR_CLAIMS_REFUSED",
        status: 401,
        step: "session",
      });
    }
    ok(events.every(({ type }) => type === "rejected"));
    const thrown = new Error("the database of users is down");
    for (const fails of [() => thrown, () => Promise.reject(thrown)]) {
      answer = fails();
      equal(await sessions.authenticate(withCookies(held)).catch((error: unknown) => error), thrown);
    }
    seen.length = 0;
    await sessions.authenticate(withBearer(`${held.accessToken}x`)).catch(() => undefined);
    await sessions.end(ALICE, held.sessionId);
    await sessions.authenticate(withCookies(held)).catch(() => undefined);
    deepEqual(seen, [], "it is not asked about what is refused anyway");
  });

  h.test("a claim called __proto__ changes the prototype of nothing", async () => {
    const { sessions } = await serve(lib);
    const claims = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}') as never;
    const held = await sessions.login(ALICE, { claims });
    const found = (await sessions.authenticate(withCookies(held))).claims as Record<string, unknown>;
    equal(Object.getPrototypeOf(found), Object.prototype);
    equal((found as { admin?: unknown }).admin, undefined);
    ok(Object.hasOwn(found, "__proto__") && Object.hasOwn(found, "constructor"));
    equal(({} as { admin?: unknown }).admin, undefined);
  });
};
