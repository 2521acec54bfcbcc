/** Staying signed in and signing out: the routes of sessions and their refusals, on real Durable Objects and a real KV. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeUnverified } from "waxseal";
import { ACCESS, type Browser, claimsOf, REFRESH } from "../../../worker/demo/browser.js";
import {
  assertCleared,
  assertError,
  attributesOf,
  Client,
  PASSWORD,
  REFRESH_PATH,
  refresh,
  type Running,
  SESSION_LIFETIME,
  sessionsOf,
  startPacked,
  SUBJECT,
} from "./support.js";

const GRACE = 3;

let running: Running;
let worker: Client;

before(async () => {
  running = await startPacked({ vars: { REFRESH_GRACE: GRACE } });
  worker = new Client(running.address);
});

after(async () => {
  await running.stop();
});

const leaveWindow = () => new Promise((resolve) => setTimeout(resolve, GRACE * 1000 + 50));
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

describe("POST /api/auth/refresh", () => {
  test("rotates the refresh token after the grace window and keeps the session, with the cookies of a login", async () => {
    const browser = await worker.signedIn();
    const [sid, access, first] = [sidOf(browser), browser.token(ACCESS), browser.token(REFRESH)];
    await leaveWindow();
    const answer = await refresh(browser);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.json.sessionId, sid);
    assert.equal(answer.json.expiresAt, claimsOf(browser.token(ACCESS))["exp"]);
    assert.ok(answer.json.refreshAfter > 0);
    assert.equal(claimsOf(first)["gen"], 0);
    assert.equal(claimsOf(browser.token(REFRESH))["gen"], 1);
    assert.notEqual(browser.token(ACCESS), access);
    const paths = ["/", REFRESH_PATH];
    for (const [index, line] of answer.setCookie.entries()) {
      const expected = ["httponly", `max-age=${SESSION_LIFETIME}`, `path=${paths[index]}`, "samesite=strict", "secure"];
      assert.deepEqual(attributesOf(line), expected);
    }
    assert.equal((await browser.send("/me?strong")).status, 200);
  });

  test("gives the same refresh token again inside the window, for the current token and for the one before", async () => {
    const browser = await worker.signedIn();
    await leaveWindow();
    const late = browser.copy("a tab that comes late");
    await refresh(browser);
    const current = browser.token(REFRESH);
    for (const tab of [late, browser]) {
      assert.equal((await refresh(tab)).status, 200);
      assert.equal(tab.token(REFRESH), current);
    }
  });

  test("ends the session when a token is used again after the window, for the owner and the thief alike", async () => {
    const owner = await worker.signedIn();
    const thief = owner.copy("the thief");
    const sid = sidOf(owner);
    await leaveWindow();
    await refresh(owner);
    await leaveWindow();
    const seen = running.events.length;
    const stolen = await refresh(thief);
    assertError(stolen, 401, "ERR_SESSION_ENDED");
    assert.deepEqual(stolen.setCookie, [], "a failed refresh clears nothing");
    const [reuse] = await running.events.since(seen, "reuse-detected");
    assert.deepEqual(reuse, { type: "reuse-detected", kind: "previous", subject: SUBJECT, sessionId: sid });
    const ofOwner = await refresh(owner);
    assertError(ofOwner, 401, "ERR_SESSION_ENDED");
    assert.equal(ofOwner.text, stolen.text, "nobody can tell from the answer which of the two it was");
    assertError(await owner.send("/me"), 401, "ERR_TOKEN_REVOKED");
  });

  test("takes an expired access token beside the refresh token, which still says which session it is", async () => {
    const browser = await worker.signedIn();
    const claims = decodeUnverified(browser.token(ACCESS)).claims;
    const { sub, sid, ver } = claims as { sub: string; sid: string; ver: number };
    const expired = await running.issuer.issue({ sub, sid, ver }, { now: Date.now() / 1000 - 1000 });
    assertError(await worker.me(expired), 401, "ERR_TOKEN_EXPIRED");
    const Cookie = `${ACCESS}=${expired}; ${REFRESH}=${browser.token(REFRESH)}`;
    const answer = await browser.send(REFRESH_PATH, { method: "POST", headers: { Cookie } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await browser.send("/me")).status, 200);
  });

  test("picks the cookie of its own session among planted ones, whatever their order, and reports them", async () => {
    const ada = await worker.signedIn();
    const mallory = await worker.signedIn("grace");
    const own = `${REFRESH}=${ada.token(REFRESH)}`;
    const planted = [`${REFRESH}=${mallory.token(REFRESH)}`, `${REFRESH}=x.y.z`];
    for (const cookies of [
      [...planted, own],
      [own, ...planted],
    ]) {
      const seen = running.events.length;
      const Cookie = [`${ACCESS}=${ada.token(ACCESS)}`, ...cookies].join("; ");
      const answer = await ada.send(REFRESH_PATH, { method: "POST", headers: { Cookie } });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.sessionId, sidOf(ada));
      const reported = await running.events.since(seen, "duplicate-cookie", planted.length);
      assert.deepEqual(
        reported,
        planted.map(() => ({ type: "duplicate-cookie", subject: SUBJECT, sessionId: sidOf(ada) })),
      );
    }
    assert.equal((await ada.send("/me")).json.subject, SUBJECT);
  });

  const refusals: [what: string, status: number, code: string, cookies: () => Promise<string>][] = [
    ["no cookie", 401, "ERR_CREDENTIALS_MISSING", async () => ""],
    [
      "an access cookie alone",
      401,
      "ERR_CREDENTIALS_MISSING",
      async () => `${ACCESS}=${(await worker.signedIn()).token(ACCESS)}`,
    ],
    [
      "a refresh cookie alone",
      401,
      "ERR_CREDENTIALS_MISSING",
      async () => `${REFRESH}=${(await worker.signedIn()).token(REFRESH)}`,
    ],
    [
      "the refresh cookie of another session",
      401,
      "ERR_SESSION_MISMATCH",
      async () => {
        const [one, other] = await Promise.all([worker.signedIn(), worker.signedIn()]);
        return `${ACCESS}=${one.token(ACCESS)}; ${REFRESH}=${other.token(REFRESH)}`;
      },
    ],
    [
      "an access token in the place of the refresh token",
      401,
      "ERR_TOKEN_TYPE",
      async () => {
        const access = (await worker.signedIn()).token(ACCESS);
        return `${ACCESS}=${access}; ${REFRESH}=${access}`;
      },
    ],
    [
      "a refresh token in the place of the access token",
      401,
      "ERR_TOKEN_TYPE",
      async () => {
        const token = (await worker.signedIn()).token(REFRESH);
        return `${ACCESS}=${token}; ${REFRESH}=${token}`;
      },
    ],
    [
      "two access cookies",
      400,
      "ERR_COOKIE_DUPLICATE",
      async () => {
        const [one, other] = await Promise.all([worker.signedIn(), worker.signedIn()]);
        return `${ACCESS}=${other.token(ACCESS)}; ${one.cookiesFor(REFRESH_PATH)}`;
      },
    ],
    [
      "an expired refresh token",
      401,
      "ERR_TOKEN_EXPIRED",
      async () => {
        const browser = await worker.signedIn();
        const now = Date.now() / 1000 - SESSION_LIFETIME - 60;
        const expired = await running.refreshIssuer.issue({ sub: SUBJECT, sid: sidOf(browser), gen: 0 }, { now });
        return `${ACCESS}=${browser.token(ACCESS)}; ${REFRESH}=${expired}`;
      },
    ],
    [
      "a session that no store knows, signed with the right keys",
      401,
      "ERR_SESSION_ENDED",
      async () => {
        const session = { sub: "nobody", sid: "made-up" };
        const access = await running.issuer.issue({ ...session, ver: 0 });
        return `${ACCESS}=${access}; ${REFRESH}=${await running.refreshIssuer.issue({ ...session, gen: 0 })}`;
      },
    ],
    [
      "a generation that was never reached: the store was rolled back",
      401,
      "ERR_SESSION_ENDED",
      async () => {
        const browser = await worker.signedIn();
        const ahead = await running.refreshIssuer.issue({ sub: SUBJECT, sid: sidOf(browser), gen: 7 });
        return `${ACCESS}=${browser.token(ACCESS)}; ${REFRESH}=${ahead}`;
      },
    ],
  ];
  for (const [what, status, code, cookies] of refusals) {
    test(`refuses ${what}, and clears no cookie`, async () => {
      const headers = { ...worker.sameOrigin, Cookie: await cookies() };
      const answer = await worker.send(REFRESH_PATH, { method: "POST", headers });
      assertError(answer, status, code);
      assert.deepEqual(answer.setCookie, []);
    });
  }
});

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
