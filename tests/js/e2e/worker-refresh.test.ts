/** Staying signed in: the route that refreshes and its refusals, on real Durable Objects and a real KV namespace. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeUnverified } from "waxseal";
import { ACCESS, type Browser, claimsOf, REFRESH } from "../../../worker/demo/browser.js";
import {
  assertError,
  attributesOf,
  Client,
  PASSWORD,
  REFRESH_PATH,
  refresh,
  type Running,
  SESSION_LIFETIME,
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
const sidOf = (browser: Browser): string => claimsOf(browser.token(ACCESS))["sid"];

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

describe("POST /api/auth/login with the cookies of a session", () => {
  for (const username of ["ada", "grace"]) {
    test(`ends that session, when ${username} signs in where ada was`, async () => {
      const browser = await worker.signedIn("ada");
      const before = browser.copy("the cookies before");
      assert.equal((await browser.login(username, PASSWORD)).status, 200);
      assertError(await refresh(before), 401, "ERR_SESSION_ENDED");
      assertError(await before.send("/me"), 401, "ERR_TOKEN_REVOKED");
      assert.equal((await browser.send("/me?strong")).status, 200);
    });
  }

  test("leaves it alone when the password is wrong", async () => {
    const browser = await worker.signedIn();
    assertError(await browser.login("ada", "wrong"), 401, "CREDENTIALS_WRONG");
    assert.equal((await refresh(browser)).status, 200);
  });
});
