/** Signing out, here and elsewhere: the routes that end sessions and their refusals, on real Durable Objects and a real KV. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCESS, type Browser, claimsOf, REFRESH } from "../../../worker/demo/browser.js";
import {
  assertCleared,
  assertError,
  Client,
  PASSWORD,
  REFRESH_PATH,
  refresh,
  type Running,
  sessionsOf,
  startPacked,
} from "./support.js";

let running: Running;
let worker: Client;

before(async () => {
  running = await startPacked();
  worker = new Client(running.address);
});

after(async () => {
  await running.stop();
});

const logout = (browser: Browser, headers = {}) => browser.send("/api/auth/logout", { method: "POST", headers });
const everywhere = (browser: Browser, headers = {}) =>
  browser.send("/api/auth/logout-everywhere", { method: "POST", headers });
const sidOf = (browser: Browser): string => claimsOf(browser.token(ACCESS))["sid"];

/** The names of all entries in KV, and when they expire. */
async function entries(): Promise<Map<string, number>> {
  const kv = await running.miniflare.getKVNamespace("REVOKED", "worker");
  const { keys } = await kv.list();
  return new Map(keys.map(({ name, expiration }) => [name, expiration ?? 0]));
}

describe("POST /api/auth/logout", () => {
  test("clears both cookies with the attributes that they were set with", async () => {
    const answer = await logout(await worker.signedIn());
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { signedOut: true });
    assert.equal(answer.headers["cache-control"], "no-store");
    assertCleared(answer);
  });

  test("writes one entry, for the session, which outlives its access tokens and shows no identifier", async () => {
    const before = await entries();
    const browser = await worker.signedIn();
    const { exp } = claimsOf(browser.token(ACCESS));
    await logout(browser);
    const written = [...(await entries())].filter(([name]) => !before.has(name));
    assert.equal(written.length, 1);
    const [name = "", expiration = 0] = written[0] ?? [];
    assert.match(name, /^wx1:session:[\w-]{43}$/);
    assert.ok(expiration > exp, "the entry outlives the token");
    assert.ok(expiration < exp + 3600, "and not by hours");
  });

  test("ends the session for every copy of its tokens, and no other session", async () => {
    const [browser, other] = await Promise.all([worker.signedIn(), worker.signedIn()]);
    const copy = browser.copy("a copy");
    const { sub, sid, ver } = claimsOf(browser.token(ACCESS)) as { sub: string; sid: string; ver: number };
    const sibling = await running.issuer.issue({ sub, sid, ver });
    await logout(browser);
    assertError(await refresh(copy), 401, "ERR_SESSION_ENDED");
    assertError(await copy.send("/me"), 401, "ERR_TOKEN_REVOKED");
    assertError(await worker.me(sibling), 401, "ERR_TOKEN_REVOKED");
    assert.equal((await other.send("/me?strong")).status, 200);
  });

  test("finds the session of an access token that has expired, and of a bearer token", async () => {
    const [tablet, script] = await Promise.all([worker.signedIn(), worker.signedIn()]);
    const { sub, sid, ver } = claimsOf(tablet.token(ACCESS)) as { sub: string; sid: string; ver: number };
    const expired = await running.issuer.issue({ sub, sid, ver }, { now: Date.now() / 1000 - 1000 });
    const asCookie = { headers: { ...worker.sameOrigin, Cookie: `${ACCESS}=${expired}` } };
    const asBearer = { headers: { Authorization: `Bearer ${script.token(ACCESS)}` } };
    for (const [browser, sent] of [
      [tablet, asCookie],
      [script, asBearer],
    ] as const) {
      assert.equal((await worker.send("/api/auth/logout", { method: "POST", ...sent })).status, 200);
      assertError(await refresh(browser), 401, "ERR_SESSION_ENDED");
    }
  });

  test("succeeds when there is nothing to end: no cookie, a forged one, a second time", async () => {
    const ended = await worker.signedIn();
    const copy = ended.copy("a copy");
    await logout(ended);
    const before = await entries();
    for (const cookie of ["", `${ACCESS}=x.y.z`, copy.cookiesFor("/")]) {
      const headers = { ...worker.sameOrigin, Cookie: cookie };
      const answer = await worker.send("/api/auth/logout", { method: "POST", headers });
      assert.equal(answer.status, 200, answer.text);
      assertCleared(answer);
    }
    assert.deepEqual(await entries(), before, "nothing was written");
  });
});

describe("POST /api/auth/logout-everywhere", () => {
  test("ends every session of the user at once and of nobody else, and a login that follows works at once", async () => {
    const [laptop, phone, other] = await Promise.all([worker.signedIn(), worker.signedIn(), worker.signedIn("grace")]);
    const copy = laptop.copy("a copy");
    const answer = await everywhere(laptop);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { signedOut: true });
    assertCleared(answer);
    for (const browser of [phone, copy]) {
      assertError(await refresh(browser), 401, "ERR_SESSION_ENDED");
      assertError(await browser.send("/me?strong"), 401, "ERR_TOKEN_REVOKED");
    }
    assert.equal((await other.send("/me?strong")).status, 200);
    assert.equal((await refresh(other)).status, 200);
    const again = await worker.signedIn();
    assert.equal((await again.send("/me?strong")).status, 200);
    assert.deepEqual(
      (await sessionsOf(again)).map(({ sessionId }) => sessionId),
      [sidOf(again)],
    );
  });

  test("is refused with the token of a session that was ended, and then ends nothing", async () => {
    const [ended, other] = await Promise.all([worker.signedIn(), worker.signedIn()]);
    const copy = ended.copy("a copy");
    await logout(ended);
    const answer = await everywhere(copy);
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.setCookie, []);
    assert.equal((await other.send("/me?strong")).status, 200);
  });
});

describe("GET /sessions and DELETE /sessions/<id>", () => {
  const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const end = (browser: Browser, id: string, headers = {}) =>
    browser.send(`/sessions/${id}`, { method: "DELETE", headers });

  test("lists the sessions of the user alone, with the device of each, and marks the current one", async () => {
    const laptop = await worker.signedIn();
    const [phone, other] = await Promise.all([worker.signedIn(), worker.signedIn("grace")]);
    const list = await sessionsOf(laptop);
    const ids = list.map(({ sessionId }) => sessionId);
    assert.ok(ids.includes(sidOf(phone)) && !ids.includes(sidOf(other)));
    const current = list.filter((session) => session.current);
    assert.deepEqual(
      current.map(({ sessionId }) => sessionId),
      [sidOf(laptop)],
    );
    for (const session of list) {
      const members = ["createdAt", "current", "expiresAt", "label", "refreshedAt", "sessionId"];
      assert.deepEqual(Object.keys(session).sort(), members);
    }
  });

  const devices: [userAgent: string, label: string][] = [
    [firefox, "Firefox on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iOS"],
    ["Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"],
    ["curl/8.5.0", "Unknown client"],
    [`${"x".repeat(5000)} Macintosh; Intel Mac OS X 10_15_7`, "Unknown client on macOS"],
  ];
  for (const [userAgent, label] of devices) {
    test(`calls a session "${label}" by what the browser says of itself`, async () => {
      const browser = await worker.signedIn("grace");
      const answer = await worker.send("/api/auth/login", {
        method: "POST",
        headers: { ...worker.sameOrigin, "Content-Type": "application/json", "User-Agent": userAgent },
        body: JSON.stringify({ username: "grace", password: PASSWORD }),
      });
      const listed = (await sessionsOf(browser)).find(({ sessionId }) => sessionId === answer.json.sessionId);
      assert.equal(listed?.label, label);
    });
  }

  test("ends another session of the user, which then neither refreshes nor gets in", async () => {
    const [laptop, phone] = await Promise.all([worker.signedIn(), worker.signedIn()]);
    const answer = await end(laptop, sidOf(phone));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { ended: true });
    assert.deepEqual(answer.setCookie, [], "this browser stays signed in");
    assertError(await refresh(phone), 401, "ERR_SESSION_ENDED");
    assertError(await phone.send("/me"), 401, "ERR_TOKEN_REVOKED");
    assert.ok(!(await sessionsOf(laptop)).some(({ sessionId }) => sessionId === sidOf(phone)));
    assertError(await end(laptop, sidOf(phone)), 404, "SESSION_NOT_FOUND");
  });

  test("ends the current session as signing out does", async () => {
    const browser = await worker.signedIn();
    const copy = browser.copy("a copy");
    const answer = await end(browser, sidOf(browser));
    assert.equal(answer.status, 200, answer.text);
    assertCleared(answer);
    assertError(await refresh(copy), 401, "ERR_SESSION_ENDED");
  });

  test("does not find the session of somebody else, which goes on", async () => {
    const [ada, grace] = await Promise.all([worker.signedIn(), worker.signedIn("grace")]);
    assertError(await end(ada, sidOf(grace)), 404, "SESSION_NOT_FOUND");
    assert.equal((await grace.send("/me?strong")).status, 200);
  });

  test("are refused with the token of a session that was ended", async () => {
    const [ended, other] = await Promise.all([worker.signedIn(), worker.signedIn()]);
    const copy = ended.copy("a copy");
    await logout(ended);
    assert.equal((await copy.send("/sessions")).status, 401);
    assert.equal((await end(copy, sidOf(other))).status, 401);
    assert.equal((await other.send("/me?strong")).status, 200);
  });
});

describe("another site", () => {
  const routes: [method: string, path: string | ((browser: Browser) => string)][] = [
    ["POST", REFRESH_PATH],
    ["POST", "/api/auth/logout"],
    ["POST", "/api/auth/logout-everywhere"],
    ["DELETE", (browser) => `/sessions/${sidOf(browser)}`],
  ];
  const provenances: [from: string, headers: Record<string, string>][] = [
    ["another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }],
    ["a sibling subdomain", { "Sec-Fetch-Site": "same-site", Origin: "https://evil.localhost" }],
    ["an old browser on another site", { Origin: "https://evil.example" }],
    ["an opaque origin", { Origin: "null" }],
    ["nobody knows where", {}],
  ];
  for (const [method, path] of routes) {
    test(`cannot have ${method} ${typeof path === "string" ? path : "/sessions/<id>"} done with the user's cookies`, async () => {
      const browser = await worker.signedIn();
      const address = typeof path === "string" ? path : path(browser);
      const Cookie = browser.cookiesFor(address);
      for (const [from, headers] of provenances) {
        const answer = await worker.send(address, { method, headers: { Cookie, ...headers } });
        assertError(answer, 403, "ERR_CROSS_SITE");
        assert.deepEqual(answer.setCookie, [], from);
      }
      assert.equal((await browser.send("/me?strong")).status, 200, "nothing was done");
      assert.equal(claimsOf(browser.token(REFRESH))["gen"], 0);
    });
  }
});
