// Login: what it gives, what it writes, and that one which fails has written nothing.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { ALICE, APP, Records, serve, setCookies, withCookies } from "./session-support.js";
import { AUDIENCE, ISSUER, NOW, read } from "./support.js";

const DAY = 86_400;
const ID = /^[\w-]{22}$/;

export const sessionsLogin: Suite = (h, lib) => {
  h.test("login sets both cookies with every attribute, and forbids that the answer is kept by a cache", async () => {
    const { sessions } = await serve(lib);
    const signedIn = await sessions.login(ALICE);
    const always = ["HttpOnly", "Secure", "SameSite=Strict"];
    const sorted = setCookies(signedIn.headers).map((cookie) => ({
      ...cookie,
      attributes: [...cookie.attributes].sort(),
    }));
    deepEqual(sorted, [
      {
        name: "__Host-access",
        value: signedIn.accessToken,
        attributes: [...always, `Max-Age=${7 * DAY}`, "Path=/"].sort(),
      },
      {
        name: "__Secure-refresh",
        value: signedIn.refreshToken,
        attributes: [...always, `Max-Age=${7 * DAY}`, "Path=/auth/refresh"].sort(),
      },
    ]);
    equal(signedIn.headers.get("cache-control"), "no-store");
    deepEqual([...new Set(signedIn.headers.keys())].sort(), ["cache-control", "set-cookie"]);
  });

  h.test("what login gives has exactly the documented members, and they agree with the tokens", async () => {
    const { sessions } = await serve(lib);
    const signedIn = await sessions.login(ALICE);
    deepEqual(Object.keys(signedIn).sort(), [
      "accessToken",
      "expiresAt",
      "headers",
      "refreshAfter",
      "refreshToken",
      "sessionId",
    ]);
    const access = read(signedIn.accessToken).claims;
    equal(signedIn.sessionId, access["sid"]);
    equal(signedIn.expiresAt, access["exp"]);
  });

  h.test("the access token says at+jwt, and has the claims of a session and no others", async () => {
    const { sessions } = await serve(lib, { access: { jitter: 0 } });
    const { header, claims } = read((await sessions.login(ALICE)).accessToken);
    deepEqual(header, { alg: "ES256", kid: "ec-1", typ: "at+jwt" });
    ok(ID.test(claims["jti"] as string) && ID.test(claims["sid"] as string), "128 random bits");
    const { jti, sid } = claims;
    deepEqual(Object.entries(claims).sort(), [
      ["aud", AUDIENCE],
      ["exp", NOW + 900],
      ["iat", NOW],
      ["iss", ISSUER],
      ["jti", jti],
      ["sid", sid],
      ["sub", ALICE],
      ["ver", 0],
    ]);
  });

  h.test("the refresh token says rt+jwt, is for an audience of its own, and begins with generation 0", async () => {
    const { sessions } = await serve(lib);
    const { refreshToken, sessionId } = await sessions.login(ALICE);
    const { header, claims } = read(refreshToken);
    deepEqual(header, { alg: "ES256", kid: "ec-2", typ: "rt+jwt" });
    ok(ID.test(claims["jti"] as string));
    deepEqual(Object.entries(claims).sort(), [
      ["aud", `${ISSUER}#refresh`],
      ["exp", NOW + 7 * DAY],
      ["gen", 0],
      ["iat", NOW],
      ["iss", ISSUER],
      ["jti", claims["jti"]],
      ["sid", sessionId],
      ["sub", ALICE],
    ]);
  });

  h.test("two logins share neither session nor tokens nor identifiers", async () => {
    const { sessions } = await serve(lib);
    const [one, other] = [await sessions.login(ALICE), await sessions.login(ALICE)];
    ok(one.sessionId !== other.sessionId);
    for (const name of ["accessToken", "refreshToken"] as const) {
      ok(read(one[name]).claims["jti"] !== read(other[name]).claims["jti"], name);
    }
    equal((await sessions.list(ALICE)).length, 2);
  });

  h.test("lifetimes, path, audience, names and SameSite are as the options say", async () => {
    const { sessions } = await serve(lib, {
      audience: ["https://one.example", "https://two.example"],
      access: { expiresIn: 60, jitter: 0 },
      refresh: { expiresIn: 3600, absolute: 7200, path: "/token", audience: "refresh-only" },
      cookies: { sameSite: "Lax", names: { access: "__Host-a", refresh: "__Secure-r" } },
    });
    const signedIn = await sessions.login(ALICE);
    const [access, refresh] = [read(signedIn.accessToken).claims, read(signedIn.refreshToken).claims];
    deepEqual(access["aud"], ["https://one.example", "https://two.example"]);
    equal(access["exp"], NOW + 60);
    equal(refresh["aud"], "refresh-only");
    equal(refresh["exp"], NOW + 3600);
    const [first, second] = setCookies(signedIn.headers);
    deepEqual([first?.name, second?.name], ["__Host-a", "__Secure-r"]);
    for (const cookie of [first, second]) {
      ok(cookie?.attributes.includes("SameSite=Lax"));
      ok(cookie?.attributes.includes("Max-Age=3600"));
    }
    ok(second?.attributes.includes("Path=/token"));
    ok(await sessions.refresh(withCookies(signedIn)), "and they are read by these names");
  });

  h.test(
    "a refresh.expiresIn beyond 30 days lengthens the absolute life too, unless that is given as well",
    async () => {
      const { sessions } = await serve(lib, { refresh: { expiresIn: 60 * DAY } });
      const signedIn = await sessions.login(ALICE);
      equal(read(signedIn.refreshToken).claims["exp"], NOW + 60 * DAY);
      await rejects(serve(lib, { refresh: { expiresIn: 60 * DAY, absolute: 30 * DAY } }), "ERR_OPTION_INVALID");
    },
  );

  h.test("with SameSite=None both cookies say so and stay Secure", async () => {
    const { sessions } = await serve(lib, { cookies: { sameSite: "None" } });
    for (const { attributes } of setCookies((await sessions.login(ALICE)).headers)) {
      ok(attributes.includes("SameSite=None") && attributes.includes("Secure"));
    }
  });

  h.test(
    "in development mode the cookies have other names and no Secure, and production does not read them",
    async () => {
      const local = { issuer: "http://localhost:8787", origins: ["http://localhost:8787"] };
      const development = await serve(lib, { ...local, cookies: { insecureDevelopmentMode: true } });
      const signedIn = await development.sessions.login(ALICE);
      const cookies = setCookies(signedIn.headers);
      deepEqual(
        cookies.map(({ name }) => name),
        ["access-dev", "refresh-dev"],
      );
      for (const { attributes } of cookies) {
        ok(!attributes.includes("Secure") && attributes.includes("HttpOnly") && attributes.includes("SameSite=Strict"));
      }
      ok(await development.sessions.refresh(withCookies(signedIn)));
      const production = await serve(lib, local, development);
      await rejects(production.sessions.authenticate(withCookies(signedIn)), "ERR_CREDENTIALS_MISSING");
    },
  );

  const remote: [string, object][] = [
    ["an issuer on another machine", { origins: [] }],
    ["an issuer that is no URL", { issuer: "localhost", origins: [] }],
    ["an origin on another machine", { issuer: "http://localhost", origins: ["http://localhost", APP] }],
    ["a host that only begins with localhost", { issuer: "http://localhost.evil.example", origins: [] }],
    ["names with a prefix", { issuer: "http://localhost", origins: [], names: { access: "__Host-a" } }],
  ];
  for (const [what, { names, ...options }] of remote as [string, { names?: object }][]) {
    h.test(`development mode is refused with ${what}`, async () => {
      const cookies = { insecureDevelopmentMode: true, ...(names && { names }) };
      await rejects(serve(lib, { ...options, cookies }), "ERR_OPTION_INVALID");
    });
  }

  h.test(
    "with jitter 0 every access token lives exactly as long, and with jitter at most a tenth shorter",
    async () => {
      const lives = async (jitter: number): Promise<number[]> => {
        const { sessions } = await serve(lib, { access: { expiresIn: 1000, jitter } });
        const all: number[] = [];
        for (let i = 0; i < 60; i++) {
          const { expiresAt, refreshAfter } = await sessions.login(`user-${i}`);
          const life = expiresAt - NOW;
          ok(refreshAfter >= Math.floor(life * 0.75) && refreshAfter <= life * 0.9, `${refreshAfter} of ${life}`);
          all.push(life);
        }
        return all;
      };
      deepEqual([...new Set(await lives(0))], [1000]);
      const spread = await lives(0.1);
      ok(Math.min(...spread) > 900 && Math.max(...spread) <= 1000, `${Math.min(...spread)} to ${Math.max(...spread)}`);
      ok(new Set(spread).size > 10, "they are spread");
    },
  );

  h.test("refreshAfter is a whole number of at least one second, even for tokens of a second", async () => {
    const { sessions } = await serve(lib, { access: { expiresIn: 1 } });
    const { refreshAfter, expiresAt } = await sessions.login(ALICE);
    equal(refreshAfter, 1);
    ok(expiresAt > NOW);
  });

  h.test("claims stand in the access token and come with authenticate, whatever JSON they are", async () => {
    const { sessions } = await serve(lib);
    const claims = { role: "admin", n: 1.5, list: [null, true, { deep: "ü" }], ["__proto__x"]: {} };
    const signedIn = await sessions.login(ALICE, { claims });
    const found = (await sessions.authenticate(withCookies(signedIn))).claims as Record<string, unknown>;
    for (const [name, value] of Object.entries(claims)) deepEqual(found[name], value, name);
    equal(found["sub"], ALICE);
    ok(!(await sessionsText(sessions, signedIn.sessionId)).includes("admin"), "claims are not listed");
  });

  h.test("claims are kept by no store", async () => {
    const { sessions, records, revoked } = await serve(lib);
    const { refreshToken, accessToken } = await sessions.login(ALICE, { claims: { role: "hunter2" } });
    const stored = [...records.texts, ...revoked.entries].flat().join("\n");
    ok(!stored.includes("hunter2"));
    for (const token of [refreshToken, accessToken]) {
      for (const part of token.split(".")) ok(!stored.includes(part), "no part of a token is at rest");
    }
    ok(!stored.includes(ALICE) && !stored.includes(ISSUER), "nor who it is of");
  });

  for (const name of ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "ver", "gen"]) {
    h.test(`the claim ${name} is the session's own and cannot be given`, async () => {
      const { sessions, records } = await serve(lib);
      const error = await rejects(sessions.login(ALICE, { claims: { [name]: "x" } }), {
        code: "ERR_ISSUE_CLAIMS",
        claim: name,
        status: 500,
      });
      ok(error.message.includes(name));
      deepEqual(records.asked, []);
    });
  }

  const notClaims: unknown[] = ["x", 1, null, [], true, { x: Number.NaN }, { x: 1n }, { x: () => 1 }, { x: "\ud800" }];
  h.test("claims that are no JSON object are refused before anything is read", async () => {
    const { sessions, records } = await serve(lib);
    for (const claims of notClaims) {
      await rejects(sessions.login(ALICE, { claims } as never), "ERR_OPTION_INVALID", String(claims));
    }
    deepEqual(records.asked, []);
  });

  h.test("a label is listed as it was given, up to 100 bytes, and a longer or other one is refused", async () => {
    const { sessions, records } = await serve(lib);
    const label = `${"ü".repeat(49)}ab`;
    await sessions.login(ALICE, { label });
    equal((await sessions.list(ALICE))[0]?.label, label);
    const before = records.asked.length;
    for (const wrong of ["x".repeat(101), "ü".repeat(51), "a\nb", "\0", "\ud800", 1, null, {}]) {
      await rejects(sessions.login(ALICE, { label: wrong } as never), "ERR_OPTION_INVALID", JSON.stringify(wrong));
    }
    equal(records.asked.length, before, "nothing was read");
  });

  h.test("a subject that is no usable identifier is refused by every call that takes one", async () => {
    const { sessions, records } = await serve(lib);
    const calls = [
      (subject: never) => sessions.login(subject),
      (subject: never) => sessions.list(subject),
      (subject: never) => sessions.logoutEverywhere(subject),
      (subject: never) => sessions.sweep(subject),
      (subject: never) => sessions.end(subject, "x"),
    ];
    for (const subject of ["", undefined, null, 1, {}, ["alice"], "\ud800", new String("alice")]) {
      for (const call of calls) {
        await rejects(async () => call(subject as never), "ERR_OPTION_INVALID", `${String(call)} ${String(subject)}`);
      }
    }
    deepEqual(records.asked, []);
  });

  h.test("subjects that look alike have records of their own", async () => {
    const { sessions, records } = await serve(lib);
    const subjects = ["alice", "Alice", "alice ", "alice\u0301", "al\u00edce", "__proto__", "constructor"];
    for (const subject of subjects) await sessions.login(subject);
    equal(records.texts.size, subjects.length);
    for (const subject of subjects) equal((await sessions.list(subject)).length, 1, subject);
  });

  h.test(
    "tokens too large for a cookie are refused with the claim that weighs most, and nothing is written",
    async () => {
      const { sessions, records, revoked, events } = await serve(lib);
      const claims = { small: 1, photo: "x".repeat(4000) };
      const error = await rejects(sessions.login(ALICE, { claims }), { code: "ERR_COOKIE_TOO_LARGE", status: 500 });
      ok(!error.message.includes("xxxx"));
      deepEqual(records.written, []);
      deepEqual(revoked.written, []);
      deepEqual(
        events.map(({ type }) => type),
        ["rejected"],
      );
    },
  );

  h.test("a login by a client without cookies needs no request and no origin", async () => {
    const { sessions } = await serve(lib, { origins: [] });
    ok((await sessions.login(ALICE)).refreshToken);
  });

  h.test("beyond maxSessions the oldest session ends, and is revoked", async () => {
    const { sessions, clock } = await serve(lib, { maxSessions: 3 });
    const all = [];
    for (let i = 0; i < 5; i++) {
      all.push(await sessions.login(ALICE, { label: `device ${i}` }));
      clock.now += 1;
    }
    deepEqual(
      (await sessions.list(ALICE)).map(({ label }) => label),
      ["device 2", "device 3", "device 4"],
    );
    for (const [index, each] of all.entries()) {
      const refused = index < 2;
      if (refused) await rejects(sessions.authenticate(withCookies(each)), "ERR_TOKEN_REVOKED");
      else ok(await sessions.authenticate(withCookies(each)));
    }
  });

  h.test("with maxSessions 1 a second device signs the first one out", async () => {
    const { sessions } = await serve(lib, { maxSessions: 1 });
    const first = await sessions.login(ALICE);
    const second = await sessions.login(ALICE);
    await rejects(sessions.refresh(withCookies(first)), "ERR_SESSION_ENDED");
    ok(await sessions.refresh(withCookies(second)));
  });

  h.test("a hundred sessions with long labels fit, and the record stays below what every store holds", async () => {
    const { sessions, records } = await serve(lib, { maxSessions: 100, client: () => "a browser" });
    for (let i = 0; i < 130; i++) await sessions.login(ALICE, { label: "\u{1f600}".repeat(25), claims: { i } });
    equal((await sessions.list(ALICE)).length, 100);
    ok(new TextEncoder().encode((await records.text()) ?? "").length <= 60_000);
  });

  h.test("the record says when it may be dropped, and not before its last session ends", async () => {
    const { sessions, records } = await serve(lib, { refresh: { expiresIn: 3600, absolute: 7200 } });
    await sessions.login(ALICE);
    ok((records.written.at(-1)?.expiresAt ?? 0) >= NOW + 3600);
    ok(Number.isInteger(records.written.at(-1)?.expiresAt));
  });

  h.test("a clock that gives no time is refused, and no store is asked", async () => {
    for (const now of [Number.NaN, undefined, "1", NOW * 1000]) {
      const { sessions, records } = await serve(lib, { clock: () => now });
      await rejects(sessions.login(ALICE), { code: "ERR_CLOCK_INVALID", status: 503 });
      await rejects(sessions.list(ALICE), "ERR_CLOCK_INVALID");
      deepEqual(records.asked, []);
    }
  });

  h.test("a record of another schema, or one that is no record, is left alone and answered with 503", async () => {
    const records = new Records();
    const server = await serve(lib, {}, { records });
    const signedIn = await server.sessions.login(ALICE);
    const [key = "", text = ""] = [...records.texts].flat();
    const strange = [
      text.replace('"wx":1', '"wx":2'),
      text.replace('"sessions"', '"extra":1,"sessions"'),
      `${text} x`,
      "",
      "null",
      "[]",
      text.slice(0, -1),
      " ".repeat(70_000),
      text.replace('"gen":0', '"gen":-1'),
    ];
    for (const other of strange) {
      records.texts.set(key, other);
      const expected = { code: "ERR_STORE_UNAVAILABLE", status: 503 };
      await rejects(server.sessions.login(ALICE), expected, other.slice(0, 80));
      await rejects(server.sessions.refresh(withCookies(signedIn)), expected);
      await rejects(server.sessions.logout(withCookies(signedIn)), expected);
      await rejects(server.sessions.logoutEverywhere(ALICE), expected);
      await rejects(server.sessions.list(ALICE), expected);
      await rejects(server.sessions.sweep(ALICE), expected);
      await rejects(server.sessions.authenticate(withCookies(signedIn), { strong: true }), expected);
      equal(records.texts.get(key), other, "it is not overwritten");
    }
    records.texts.set(key, text);
    ok(await server.sessions.refresh(withCookies(signedIn)));
  });
};

async function sessionsText(sessions: { list(subject: string): Promise<object[]> }, id: string): Promise<string> {
  const listed = await sessions.list(ALICE);
  ok(JSON.stringify(listed).includes(id));
  return JSON.stringify(listed);
}
