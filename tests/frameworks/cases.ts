/** What every server does, whatever its framework: one table, run against each of them over HTTP. */
import assert from "node:assert/strict";
import { createIssuer, type Issuer } from "waxseal";
import { type Answer, ask, Jar, type Sent } from "./client.js";
import { APP, type Keys, PROVIDER, type Settings } from "./world.js";

/** A server that runs, and what its tests need to know of it. */
export class Running {
  readonly #url: string;
  readonly issuer: Issuer;
  readonly stop: () => Promise<void>;
  readonly #send: typeof ask;

  private constructor(url: string, issuer: Issuer, stop: () => Promise<void>, send: typeof ask) {
    this.#url = url;
    this.issuer = issuer;
    this.stop = stop;
    this.#send = send;
  }

  static async at(url: string, keys: Keys, stop: () => Promise<void>, send = ask): Promise<Running> {
    return new Running(url, await createIssuer({ key: keys.provider, ...PROVIDER }), stop, send);
  }

  ask(path: string, method = "GET", headers: Sent = {}, body?: unknown): Promise<Answer> {
    return this.#send(`${this.#url}${path}`, method, headers, body);
  }

  async set(settings: Settings): Promise<void> {
    const query = new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, `${value}`]));
    assert.equal((await this.ask(`/control?${query}`)).status, 200);
  }

  token(sub = "alice"): Promise<string> {
    return this.issuer.issue({ sub });
  }

  async bearer(sub = "alice"): Promise<Sent> {
    return { authorization: `Bearer ${await this.token(sub)}` };
  }

  post(path: string, jar: Jar, headers: Sent = { origin: APP }, body?: unknown): Promise<Answer> {
    return this.ask(path, "POST", { ...headers, ...(jar.size > 0 && { cookie: jar.header }) }, body);
  }

  async login(user = "alice"): Promise<Jar> {
    const jar = new Jar();
    const answer = await this.post("/auth/login", jar, { origin: APP }, { user });
    assert.equal(answer.status, 200, answer.text);
    jar.take(answer);
    return jar;
  }
}

/** Whether an answer is a refusal of this code, as every framework gives it. */
function refused(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual(answer.json, { error: code });
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
  assert.equal(answer.text.includes("eyJ"), false);
}

/** The answer of the program's own error handler. */
function failed(answer: Answer, name: string, message: RegExp): void {
  assert.equal(answer.status, 500, answer.text);
  // Plain http has no error path: it answers this, and tells `onError`.
  if (answer.json["error"] === "INTERNAL") return;
  assert.equal(answer.json["app"], name);
  assert.match(String(answer.json["message"]), message);
}

type Case = readonly [name: string, run: (server: Running) => Promise<void>];

export const GUARDS: readonly Case[] = [
  [
    "a token in Authorization passes, and the handler knows whose it is",
    async (server) => {
      const answer = await server.ask("/api/me", "GET", await server.bearer());
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json, { sub: "alice", alg: "ES256", source: "bearer" });
      assert.equal(answer.headers["cache-control"], "no-store");
    },
  ],
  [
    "a token in the cookie passes",
    async (server) => {
      const cookie = `a=1; __Host-token=${await server.token("bob")}`;
      assert.deepEqual((await server.ask("/api/me", "GET", { cookie })).json, {
        sub: "bob",
        alg: "ES256",
        source: "cookie",
      });
    },
  ],
  [
    "a handler's own Cache-Control is left as it is",
    async (server) => {
      const { headers } = await server.ask("/api/cached", "GET", await server.bearer());
      assert.equal(headers["cache-control"], "private, max-age=60");
    },
  ],
  [
    "a request without a token gets a bare challenge",
    async (server) => {
      const answer = await server.ask("/api/me");
      refused(answer, 401, "ERR_CREDENTIALS_MISSING");
      assert.equal(answer.headers["www-authenticate"], "Bearer");
      assert.equal(answer.headers["retry-after"], undefined);
    },
  ],
  [
    "a token that is expired, not yet valid, forged or none at all is refused with its reason",
    async (server) => {
      const past = Math.floor(Date.now() / 1000) - 7200;
      const expired = await server.issuer.issue({ sub: "alice" }, { expiresIn: 60, now: past });
      const early = await server.issuer.issue({ sub: "alice", nbf: past + 9000 }, { expiresIn: 7200 });
      const forged = (await server.token()).replace(/.{10}$/, "AAAAAAAAAA");
      for (const [token, code] of [
        [expired, "ERR_TOKEN_EXPIRED"],
        [early, "ERR_TOKEN_NOT_YET_VALID"],
        [forged, "ERR_SIGNATURE_INVALID"],
        ["a.b", "ERR_TOKEN_MALFORMED"],
      ] as const) {
        const answer = await server.ask("/api/me", "GET", { authorization: `Bearer ${token}` });
        refused(answer, 401, code);
        assert.match(String(answer.headers["www-authenticate"]), /^Bearer error="invalid_token"/);
      }
    },
  ],
  [
    "an Authorization header decides alone, and two cookies of a name are refused",
    async (server) => {
      const cookie = `__Host-token=${await server.token()}`;
      refused(
        await server.ask("/api/me", "GET", { authorization: "Basic YQ==", cookie }),
        401,
        "ERR_CREDENTIALS_MISSING",
      );
      refused(await server.ask("/api/me", "GET", { cookie: `${cookie}; ${cookie}` }), 400, "ERR_COOKIE_DUPLICATE");
    },
  ],
  [
    "an unsafe request with a cookie must come from the own site, and one with a bearer token need not",
    async (server) => {
      const cookie = `__Host-token=${await server.token()}`;
      refused(await server.ask("/api/me", "POST", { cookie }), 403, "ERR_CROSS_SITE");
      for (const headers of [
        { "sec-fetch-site": "cross-site" },
        { origin: "https://evil.example" },
        { origin: "null" },
      ]) {
        const answer = await server.ask("/api/me", "POST", { cookie, ...headers });
        refused(answer, 403, "ERR_CROSS_SITE");
        assert.equal(answer.headers["www-authenticate"], undefined);
      }
      assert.equal((await server.ask("/api/me", "POST", { cookie, origin: APP })).status, 200);
      assert.equal((await server.ask("/api/me", "POST", { cookie, "sec-fetch-site": "same-origin" })).status, 200);
      assert.equal((await server.ask("/api/me", "POST", await server.bearer())).status, 200);
    },
  ],
  [
    "a store that fails is 503 with Retry-After, and not a word of what it said",
    async (server) => {
      await server.set({ fail: "revocation" });
      const answer = await server.ask("/api/me", "GET", await server.bearer());
      refused(answer, 503, "ERR_REVOCATION_UNAVAILABLE");
      assert.match(String(answer.headers["retry-after"]), /^\d+$/);
      await server.set({});
      assert.equal((await server.ask("/api/me", "GET", await server.bearer())).status, 200);
    },
  ],
  [
    "HEAD is guarded as GET is, and has no body",
    async (server) => {
      const answer = await server.ask("/api/me", "HEAD");
      assert.deepEqual([answer.status, answer.text], [401, ""]);
      assert.equal(answer.headers["www-authenticate"], "Bearer");
      const passed = await server.ask("/api/me", "HEAD", await server.bearer());
      assert.deepEqual([passed.status, passed.text], [200, ""]);
    },
  ],
  [
    "OPTIONS is guarded like any method; a preflight is answered by what stands before the guard",
    async (server) => {
      const preflight = { origin: APP, "access-control-request-method": "GET" };
      refused(await server.ask("/api/me", "OPTIONS", preflight), 401, "ERR_CREDENTIALS_MISSING");
      const answer = await server.ask("/cors/me", "OPTIONS", preflight);
      assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [204, APP]);
      const refusal = await server.ask("/cors/me", "GET", { origin: APP });
      refused(refusal, 401, "ERR_CREDENTIALS_MISSING");
      // Else the page could not read why.
      assert.equal(refusal.headers["access-control-allow-origin"], APP);
    },
  ],
  [
    "sixty requests at once keep their claims apart",
    async (server) => {
      const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
      const answers = await Promise.all(
        users.map(async (user, index) =>
          server.ask(`/api/slow?ms=${(index * 37) % 60}`, "GET", await server.bearer(user)),
        ),
      );
      assert.deepEqual(
        answers.map((answer) => answer.json["sub"]),
        users,
      );
    },
  ],
  [
    "errors of a handler go where the framework's errors go, those that look like refusals too",
    async (server) => {
      failed(await server.ask("/api/broken", "GET", await server.bearer()), "Error", /^the handler broke$/);
      failed(await server.ask("/api/refuses", "GET", await server.bearer()), "WaxsealError", /which origin/);
    },
  ],
  [
    "a mistake of the program goes there as well, and lets nobody pass",
    async (server) => {
      failed(await server.ask("/misconfigured", "GET", await server.bearer()), "WaxsealError", /disposed/);
    },
  ],
  [
    "onRefused answers otherwise",
    async (server) => {
      const answer = await server.ask("/hooked");
      assert.deepEqual([answer.status, answer.text], [418, "hooked ERR_CREDENTIALS_MISSING"]);
      assert.equal(answer.headers["www-authenticate"], "Bearer");
    },
  ],
];

/** For servers of HTTP/1: no client of HTTP/2 sends that, unless it means to. */
export const TWICE: Case = [
  "two Authorization headers are refused",
  async (server) => {
    const bearer = `Bearer ${await server.token()}`;
    refused(
      await server.ask("/api/me", "GET", { authorization: [bearer, bearer] }),
      400,
      "ERR_AUTHORIZATION_MALFORMED",
    );
  },
];

export const SESSIONS: readonly Case[] = [
  [
    "a login sets both cookies, shows no token, and its session is seen by guards",
    async (server) => {
      const jar = new Jar();
      const answer = await server.post("/auth/login", jar, { origin: APP }, { user: "alice" });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(Object.keys(answer.json).sort(), ["expiresAt", "refreshAfter", "sessionId"]);
      assert.equal(answer.headers["cache-control"], "no-store");
      const attributes = answer.headers["set-cookie"]?.map((line) => line.replace(/=eyJ[\w.-]+/, "=..."));
      assert.deepEqual(attributes, [
        "__Host-access=...; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict",
        "__Secure-refresh=...; Max-Age=604800; Path=/auth/refresh; HttpOnly; Secure; SameSite=Strict",
      ]);
      jar.take(answer);
      const { sessionId } = answer.json;
      const seen = { sub: "alice", role: "reader", sessionId };
      const byCookie = await server.ask("/session/me", "GET", { cookie: jar.header });
      assert.deepEqual(byCookie.json, { ...seen, source: "cookie" });
      const authorization = `Bearer ${jar.get("__Host-access")}`;
      assert.deepEqual((await server.ask("/session/me", "GET", { authorization })).json, { ...seen, source: "bearer" });
      assert.equal((await server.post("/session/me", jar)).status, 200);
      refused(await server.post("/session/me", jar, { origin: "https://evil.example" }), 403, "ERR_CROSS_SITE");
    },
  ],
  [
    "login, refresh and logout from another site are refused, and set no cookie",
    async (server) => {
      const jar = await server.login();
      for (const path of ["/auth/login", "/auth/refresh", "/auth/logout", "/auth/logout-everywhere"]) {
        for (const headers of [{}, { origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
          const body = path === "/auth/login" ? { user: "boom" } : undefined;
          const answer = await server.post(path, jar, headers as Sent, body);
          refused(answer, 403, "ERR_CROSS_SITE");
          assert.equal(answer.headers["set-cookie"], undefined);
        }
      }
      // A page of another site can cause a GET by a mere link: a mistake in routing must not let that do harm.
      const linked = { cookie: jar.header, "sec-fetch-site": "cross-site" };
      refused(await server.ask("/auth/logout-everywhere", "GET", linked), 403, "ERR_CROSS_SITE");
      assert.equal((await server.ask("/session/strong", "GET", { cookie: jar.header })).status, 200);
    },
  ],
  [
    "a login of nobody is 401, and one that breaks goes where the framework's errors go",
    async (server) => {
      const answer = await server.post("/auth/login", new Jar(), { origin: APP }, { user: "nobody" });
      refused(answer, 401, "LOGIN_REFUSED");
      assert.equal(answer.headers["www-authenticate"], "Bearer");
      assert.equal(answer.headers["set-cookie"], undefined);
      failed(
        await server.post("/auth/login", new Jar(), { origin: APP }, { user: "boom" }),
        "Error",
        /the login broke/,
      );
      // What it says of who it is may break as well, when it is read.
      failed(
        await server.post("/auth/login", new Jar(), { origin: APP }, { user: "torn" }),
        "WaxsealError",
        /^Reading identity threw an exception\.$/,
      );
    },
  ],
  [
    "login, refresh, reuse: the session ends for owner and thief, and the answer clears nothing",
    async (server) => {
      const owner = await server.login();
      const thief = new Jar(owner);
      await server.set({ pass: 11 });
      const refreshed = await server.post("/auth/refresh", owner);
      assert.equal(refreshed.status, 200, refreshed.text);
      assert.deepEqual(Object.keys(refreshed.json).sort(), ["expiresAt", "refreshAfter", "sessionId"]);
      assert.equal(refreshed.headers["cache-control"], "no-store");
      assert.equal(refreshed.headers["set-cookie"]?.length, 2);
      owner.take(refreshed);
      await server.set({ pass: 11 });
      const reuse = await server.post("/auth/refresh", thief);
      refused(reuse, 401, "ERR_SESSION_ENDED");
      assert.match(String(reuse.headers["www-authenticate"]), /^Bearer error="invalid_token"/);
      assert.equal(reuse.headers["set-cookie"], undefined);
      refused(await server.post("/auth/refresh", owner), 401, "ERR_SESSION_ENDED");
      refused(await server.ask("/session/me", "GET", { cookie: owner.header }), 401, "ERR_TOKEN_REVOKED");
    },
  ],
  [
    "a logout ends the session and clears both cookies; a second one is no error",
    async (server) => {
      const jar = await server.login();
      const before = new Jar(jar);
      const answer = await server.post("/auth/logout", jar);
      assert.deepEqual([answer.status, answer.json], [200, { ended: true }]);
      assert.equal(answer.headers["cache-control"], "no-store");
      jar.take(answer);
      assert.equal(jar.size, 0);
      refused(await server.post("/auth/refresh", before), 401, "ERR_SESSION_ENDED");
      refused(await server.ask("/session/strong", "GET", { cookie: before.header }), 401, "ERR_TOKEN_REVOKED");
      assert.deepEqual((await server.post("/auth/logout", jar)).json, { ended: false });
    },
  ],
  [
    "a logout everywhere ends the others too, asked by cookie or by bearer token",
    async (server) => {
      for (const by of ["cookie", "bearer"]) {
        const [one, other] = [await server.login("carol"), await server.login("carol")];
        const authorization = `Bearer ${one.get("__Host-access")}`;
        const answer =
          by === "cookie"
            ? await server.post("/auth/logout-everywhere", one)
            : await server.ask("/auth/logout-everywhere", "POST", { authorization });
        assert.deepEqual([answer.status, answer.json], [200, { ended: true }], answer.text);
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.equal(answer.headers["set-cookie"]?.length, by === "cookie" ? 2 : undefined);
        for (const jar of [one, other]) refused(await server.post("/auth/refresh", jar), 401, "ERR_SESSION_ENDED");
      }
    },
  ],
  [
    "a store that fails is 503 with Retry-After; a logout clears the cookies all the same, a refresh does not",
    async (server) => {
      const jar = await server.login();
      await server.set({ fail: "sessions" });
      for (const path of ["/auth/login", "/auth/refresh", "/auth/logout"]) {
        const body = path === "/auth/login" ? { user: "alice" } : undefined;
        const answer = await server.post(path, jar, { origin: APP }, body);
        refused(answer, 503, "ERR_STORE_UNAVAILABLE");
        assert.match(String(answer.headers["retry-after"]), /^\d+$/);
        const cleared = answer.headers["set-cookie"]?.map((line) => /^([\w-]+)=;.*Max-Age=0/i.exec(line)?.[1]);
        assert.deepEqual(cleared, path === "/auth/logout" ? ["__Host-access", "__Secure-refresh"] : undefined);
      }
      refused(await server.ask("/session/strong", "GET", { cookie: jar.header }), 503, "ERR_STORE_UNAVAILABLE");
      await server.set({});
      assert.equal((await server.post("/auth/refresh", jar)).status, 200);
    },
  ],
  [
    "the key set is public, cached, and verifies access tokens alone",
    async (server) => {
      const answer = await server.ask("/.well-known/jwks.json");
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["cache-control"], "public, max-age=300");
      assert.match(String(answer.headers["content-type"]), /^application\/jwk-set\+json/);
      const { keys } = answer.json as unknown as { keys: Record<string, unknown>[] };
      assert.deepEqual([keys.length, keys[0]?.["use"], keys[0]?.["d"]], [1, "sig", undefined]);
    },
  ],
];
