/** What the Worker answers when its parts fail or are missing: other classes stand in the place of its stores. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCESS, REFRESH } from "../../../worker/demo/browser.js";
import type { Bound } from "../../../worker/demo/runtime.js";
import {
  assertCleared,
  assertError,
  Client,
  PASSWORD,
  REFRESH_PATH,
  refresh,
  type Running,
  startPacked,
  SUBJECT,
} from "./support.js";

/** Both methods of Durable Objects that keep sessions, with this body. */
const sessions = (body: string): Bound => ({ classBody: `read() { ${body} } compareAndSwap() { ${body} }` });
/** All methods of a KV namespace that revocation uses, with this body. */
const kv = (body: string): Bound => ({ classBody: `get() { ${body} } getMany() { ${body} } put() { ${body} }` });

const THROWS = 'throw new Error("down");';
const HANGS = "return scheduler.wait(60_000);";
/** Says in the log that it was called. */
const TELLS = `console.log("a store was called"); ${THROWS}`;

let running: Running;

before(async () => {
  running = await startPacked({
    others: (bindings) => {
      const without = (name: string) => Object.fromEntries(Object.entries(bindings).filter(([key]) => key !== name));
      const readOnly = "get() { return null; } getMany(keys) { return keys.map(() => null); } put() { throw 0; }";
      return {
        "kv-throws": { bindings, revoked: kv(THROWS) },
        "kv-hangs": { bindings, revoked: kv(HANGS) },
        "kv-answers-nonsense": { bindings, revoked: kv("return 0;") },
        "kv-is-read-only": { bindings, revoked: { classBody: readOnly } },
        "sessions-throw": { bindings, sessions: sessions(THROWS) },
        "sessions-hang": { bindings, sessions: sessions(HANGS) },
        "sessions-answer-nonsense": { bindings, sessions: sessions('return "{}";') },
        "sessions-are-read-only": {
          bindings,
          sessions: { classBody: `read() { return null; } compareAndSwap() { ${THROWS} }` },
        },
        "stores-tell": { bindings, sessions: sessions(TELLS), revoked: kv(TELLS) },
        "no-store": { bindings, sessions: "absent" },
        "no-kv": { bindings, revoked: "absent" },
        "no-key": { bindings: without("WAXSEAL_PRIVATE_KEY") },
        "no-refresh-key": { bindings: without("WAXSEAL_REFRESH_KEY") },
        "no-issuer": { bindings: without("ISSUER") },
        "no-audience": { bindings: without("AUDIENCE") },
        "no-origins": { bindings: without("ORIGINS") },
        "no-password": { bindings: without("DEMO_PASSWORD") },
        "key-is-not-json": { bindings: { ...bindings, WAXSEAL_PRIVATE_KEY: "-----BEGIN SECRET HORSE-----" } },
        "key-is-public": {
          bindings: {
            ...bindings,
            WAXSEAL_PRIVATE_KEY: JSON.stringify({
              ...JSON.parse(String(bindings["WAXSEAL_PRIVATE_KEY"])),
              d: undefined,
            }),
          },
        },
        "origins-are-urls": { bindings: { ...bindings, ORIGINS: ["http://localhost/with/a/path"] } },
        "grace-is-no-number": { bindings: { ...bindings, REFRESH_GRACE: "ten" } },
        "grace-is-too-long": { bindings: { ...bindings, REFRESH_GRACE: "3600" } },
        "lifetime-is-zero": { bindings: { ...bindings, ACCESS_TOKEN_LIFETIME: 0 } },
        "lifetime-is-text": { bindings: { ...bindings, ACCESS_TOKEN_LIFETIME: "60" } },
      };
    },
  });
});

after(async () => {
  await running.stop();
});

/** Somebody who signed in while all was well, and whose requests now reach another instance. */
async function signedInAt(instance: string) {
  const browser = await new Client(running.address).signedIn();
  const { address } = await Client.of(running, instance);
  return { browser, at: address, send: (method: string, path: string) => browser.send(path, { method, at: address }) };
}

describe("a revocation store that does not work", () => {
  for (const instance of ["kv-throws", "kv-hangs", "kv-answers-nonsense"]) {
    test(`lets nobody in, within its timeout, and the next request is answered: ${instance}`, async () => {
      const { send } = await signedInAt(instance);
      const started = performance.now();
      assertError(await send("GET", "/me"), 503, "ERR_REVOCATION_UNAVAILABLE");
      assert.ok(performance.now() - started < 3000);
      assert.equal((await send("GET", "/.well-known/jwks.json")).status, 200);
    });

    test(`does not keep anybody from refreshing, which asks the session store: ${instance}`, async () => {
      const { send } = await signedInAt(instance);
      assert.equal((await send("POST", REFRESH_PATH)).status, 200);
    });
  }

  test("makes signing out fail aloud, clears the cookies all the same, and the session is ended", async () => {
    const { browser, send } = await signedInAt("kv-is-read-only");
    const copy = browser.copy("a copy");
    const answer = await send("POST", "/api/auth/logout");
    assertError(answer, 503, "ERR_REVOCATION_UNAVAILABLE");
    assertCleared(answer);
    assertError(await refresh(copy), 401, "ERR_SESSION_ENDED");
    assert.equal((await copy.send("/me")).status, 401, "the next call of the user wrote the entry");
  });

  test("makes signing out everywhere fail aloud too, with every session ended and the entry written later", async () => {
    const { browser, send } = await signedInAt("kv-is-read-only");
    const phone = await new Client(running.address).signedIn();
    const answer = await send("POST", "/api/auth/logout-everywhere");
    assertError(answer, 503, "ERR_REVOCATION_UNAVAILABLE");
    assertCleared(answer);
    assert.equal(browser.cookiesFor("/"), "");
    assert.equal((await phone.send("/me")).status, 200, "no entry yet");
    assertError(await phone.send("/me?strong"), 401, "ERR_SESSION_ENDED");
    assertError(await refresh(phone), 401, "ERR_SESSION_ENDED");
    assertError(await phone.send("/me"), 401, "ERR_TOKEN_REVOKED");
  });
});

describe("a session store that does not work", () => {
  for (const instance of ["sessions-throw", "sessions-hang", "sessions-answer-nonsense"]) {
    test(`answers 503 within its timeout, clears nothing, and the same refresh works afterwards: ${instance}`, async () => {
      const { browser, send } = await signedInAt(instance);
      const started = performance.now();
      const answer = await send("POST", REFRESH_PATH);
      assertError(answer, 503, "ERR_STORE_UNAVAILABLE");
      assert.ok(performance.now() - started < 5000);
      assert.deepEqual(answer.setCookie, []);
      assert.equal((await refresh(browser)).status, 200);
    });

    test(`signs nobody in or out, lists nothing, and still lets access tokens pass: ${instance}`, async () => {
      const { browser, at, send } = await signedInAt(instance);
      assert.equal((await send("GET", "/me")).status, 200);
      const answers = await Promise.all([
        new Client(at, running.address).login(),
        send("GET", "/me?strong"),
        send("GET", "/sessions"),
        send("DELETE", "/sessions/abc"),
        send("POST", "/api/auth/logout-everywhere"),
      ]);
      for (const answer of answers) {
        assertError(answer, 503, "ERR_STORE_UNAVAILABLE");
        assert.deepEqual(answer.setCookie, []);
      }
      assert.equal((await refresh(browser)).status, 200);
    });

    test(`makes signing out fail aloud, and the cookies are cleared all the same: ${instance}`, async () => {
      const { send } = await signedInAt(instance);
      const answer = await send("POST", "/api/auth/logout");
      assertError(answer, 503, "ERR_STORE_UNAVAILABLE");
      assertCleared(answer);
    });
  }

  test("signs nobody in when what it was told to keep may be lost", async () => {
    const client = await Client.of(running, "sessions-are-read-only");
    const answer = await client.login();
    assertError(answer, 503, "ERR_STORE_UNAVAILABLE");
    assert.deepEqual(answer.setCookie, []);
  });
});

describe("a forged token", () => {
  const called = () => running.logged().split("a store was called").length - 1;
  /** What was logged before has arrived once a later line has. */
  async function settled(): Promise<void> {
    const seen = running.events.length;
    await new Client(running.address).login();
    await running.events.since(seen, "issued");
  }

  test("reaches neither store, whatever it forges, as a token of the Worker's own does", async () => {
    const { browser, at, send } = await signedInAt("stores-tell");
    const forge = (token: string) => `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
    const [access, own] = [browser.token(ACCESS), browser.token(REFRESH)];
    const before = called();
    const cookies = [
      [forge(access), own],
      [access, forge(own)],
      [forge(access), forge(own)],
      ["x.y.z", own],
    ];
    const client = new Client(at, running.address);
    const request = (method: string, path: string, cookie: string) =>
      client.send(path, { method, headers: { ...client.sameOrigin, Cookie: cookie } });
    for (const [first, second] of cookies) {
      const answer = await request("POST", REFRESH_PATH, `${ACCESS}=${first}; ${REFRESH}=${second}`);
      assert.equal(answer.status, 401, answer.text);
    }
    for (const [method, path] of [
      ["GET", "/me"],
      ["GET", "/me?strong"],
      ["GET", "/sessions"],
      ["DELETE", "/sessions/abc"],
      ["POST", "/api/auth/logout-everywhere"],
    ] as const) {
      assertError(await request(method, path, `${ACCESS}=${forge(access)}`), 401, "ERR_SIGNATURE_INVALID");
    }
    assert.equal((await request("POST", "/api/auth/logout", `${ACCESS}=${forge(access)}`)).status, 200);
    await settled();
    assert.equal(called(), before, "no store was called");

    assertError(await send("POST", REFRESH_PATH), 503, "ERR_STORE_UNAVAILABLE");
    await settled();
    assert.ok(called() > before, "and a token that is not forged is looked up");
  });
});

describe("a Worker that is not set up", () => {
  const cases: [instance: string, code: string, mention: RegExp][] = [
    ["no-key", "MISCONFIGURED", /WAXSEAL_PRIVATE_KEY .*wrangler secret put/],
    ["no-refresh-key", "MISCONFIGURED", /WAXSEAL_REFRESH_KEY .*wrangler secret put/],
    ["no-store", "MISCONFIGURED", /SESSIONS .*durable_objects/],
    ["no-kv", "MISCONFIGURED", /REVOKED .*kv_namespaces/],
    ["no-issuer", "MISCONFIGURED", /ISSUER .*wrangler\.jsonc/],
    ["no-audience", "MISCONFIGURED", /AUDIENCE .*wrangler\.jsonc/],
    ["no-origins", "MISCONFIGURED", /ORIGINS .*wrangler\.jsonc/],
    ["no-password", "MISCONFIGURED", /DEMO_PASSWORD .*wrangler secret put/],
    ["key-is-not-json", "MISCONFIGURED", /WAXSEAL_PRIVATE_KEY is not JSON/],
    ["key-is-public", "ERR_KEY_INVALID", /./],
    ["origins-are-urls", "ERR_OPTION_INVALID", /origins/],
    ["grace-is-no-number", "MISCONFIGURED", /REFRESH_GRACE is not a whole number/],
    ["grace-is-too-long", "ERR_OPTION_INVALID", /refresh\.grace.* 0 to 60/],
    ["lifetime-is-zero", "ERR_OPTION_INVALID", /access\.expiresIn.* 1 to 86400/],
  ];
  for (const [instance, code, mention] of cases) {
    test(`answers 500 and says what to do, in its log too: ${instance}`, async () => {
      const client = await Client.of(running, instance);
      for (const _ of [1, 2]) {
        const answer = await client.login();
        assertError(answer, 500, code);
        assert.match(answer.json.error.message, mention);
        assert.doesNotMatch(answer.text, /HORSE/);
        assert.ok(running.logged().includes(answer.json.error.message.slice(0, 30)));
      }
      assert.equal((await client.send("/")).status, 200, "the page needs nothing");
    });
  }

  test("takes a number of seconds that is text, as the dashboard gives it", async () => {
    const client = await Client.of(running, "lifetime-is-text");
    const { expiresAt } = (await client.login()).json;
    assert.ok(Math.abs(expiresAt - Date.now() / 1000 - 60) < 6);
  });
});

test("nothing that the Worker logged contains a token, a password or a key, and events name only subject and session", () => {
  const log = running.logged();
  assert.match(log, /MISCONFIGURED/, "something was logged at all");
  assert.doesNotMatch(log, /eyJ|HORSE/);
  assert.ok(!log.includes(PASSWORD));
  assert.ok(!log.includes(String(running.privateKey.d)));
  const lines = log.split("\n").filter((line) => line.startsWith('{"event"'));
  assert.ok(lines.some((line) => line.includes(`"subject":"${SUBJECT}"`)));
  for (const line of lines) {
    const { type, subject, sessionId, kind, rotated, code, step, ...more } = JSON.parse(line).event;
    assert.equal(typeof type, "string");
    assert.deepEqual(more, {});
  }
});
