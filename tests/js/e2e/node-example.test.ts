/** examples/node, started as its users start it, on Node 24 with its SQLite: the whole story over HTTP, and what fails. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { decodeUnverified } from "waxseal";
import {
  ACCESS_LIFETIME,
  assertError,
  Browser,
  build,
  cleanUp,
  emptyDirectory,
  GRACE,
  lock,
  logged,
  needsBetterSqlite3,
  needsNode,
  PASSWORD,
  printed,
  secrets,
  Server,
} from "./node-server.js";
import { sendThenRead } from "./raw-http.js";
import { nodeFor } from "../../stores/harness/sqlite.js";

before(build);
after(cleanUp);

describe("a session", needsNode, () => {
  let server: Server;
  before(async () => {
    server = await Server.start();
  });

  test("begins with two cookies that no script reads; the refresh cookie goes to one route alone", async () => {
    const browser = new Browser(server);
    const answer = await browser.login();
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.deepEqual(Object.keys(answer.json).sort(), ["expiresAt", "refreshAfter", "sessionId"]);
    assert.ok(answer.json.refreshAfter > 0.7 * ACCESS_LIFETIME && answer.json.refreshAfter < 0.9 * ACCESS_LIFETIME);
    assert.equal(answer.text.includes("eyJ"), false, "tokens are in the cookies alone");
    const attributes = answer.setCookie.map((line) => line.replace(/=eyJ[\w.-]+/, "=..."));
    assert.deepEqual(attributes, [
      "__Host-access=...; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict",
      "__Secure-refresh=...; Max-Age=604800; Path=/api/auth/refresh; HttpOnly; Secure; SameSite=Strict",
    ]);
  });

  test("is seen by /me, by the cookie and by a bearer token", async () => {
    const browser = await Browser.signedIn(server);
    const { json, headers } = await browser.me();
    const { claims } = decodeUnverified(browser.cookie("__Host-access"));
    assert.deepEqual(json, {
      subject: "user-1815",
      sessionId: claims.sid,
      issuedAt: claims.iat,
      expiresAt: claims.exp,
      source: "cookie",
      revocation: "clear",
    });
    assert.equal(headers["cache-control"], "no-store");
    const Authorization = `Bearer ${browser.cookie("__Host-access")}`;
    assert.equal((await new Browser(server).send("GET", "/me", { Authorization })).json.source, "bearer");
  });

  test("is verified by others with the JWK Set, which has no key of refresh tokens", async () => {
    const browser = await Browser.signedIn(server);
    const answer = await new Browser(server).send("GET", "/.well-known/jwks.json");
    assert.equal(answer.headers["cache-control"], "public, max-age=300");
    assert.equal(answer.headers["content-type"], "application/jwk-set+json");
    assert.deepEqual(answer.json.keys.map(Object.keys).flat().includes("d"), false);
    const keys = createLocalJWKSet(answer.json);
    const names = { issuer: server.origin, audience: server.origin };
    const { payload } = await jwtVerify(browser.cookie("__Host-access"), keys, { ...names, typ: "at+jwt" });
    assert.equal(payload.sub, "user-1815");
    await assert.rejects(jwtVerify(browser.cookie("__Secure-refresh"), keys), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  });

  test("is refreshed inside the window with the same refresh token, and after it with the next", async () => {
    const browser = await Browser.signedIn(server);
    const first = browser.cookie("__Secure-refresh");
    assert.equal((await browser.refresh()).status, 200);
    assert.equal(browser.cookie("__Secure-refresh"), first);
    await server.pass(GRACE + 1);
    assert.equal((await browser.refresh()).status, 200);
    assert.notEqual(browser.cookie("__Secure-refresh"), first);
    assert.equal((await browser.me()).status, 200);
  });

  test("survives three tabs that refresh at once: one rotation, and all have the same token", async () => {
    const browser = await Browser.signedIn(server);
    await server.pass(GRACE + 1);
    const rotated = await server.metric('waxseal_refreshed_total{rotated="true"}');
    const answers = await Promise.all([browser.refresh(), browser.refresh(), browser.refresh()]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    const tokens = answers.map(({ setCookie }) => setCookie[1]?.split(";")[0]);
    assert.equal(new Set(tokens).size, 1);
    assert.equal(await server.metric('waxseal_refreshed_total{rotated="true"}'), rotated + 1);
    assert.equal((await browser.me()).status, 200);
  });

  for (const [who, first] of [
    ["the owner", "owner"],
    ["the thief", "thief"],
  ] as const) {
    test(`ends for owner and thief when a stolen token is used twice, ${who} being first`, async () => {
      const owner = await Browser.signedIn(server);
      const thief = owner.copy();
      const [earlier, later] = first === "owner" ? [owner, thief] : [thief, owner];
      const reuse = await server.metric('waxseal_reuse_detected_total{kind="previous"}');
      await server.pass(GRACE + 1);
      assert.equal((await earlier.refresh()).status, 200);
      await server.pass(GRACE + 1);
      const refused = await later.refresh();
      assertError(refused, 401, "ERR_SESSION_ENDED");
      assert.deepEqual(refused.setCookie, [], "a refresh that fails clears no cookies");
      assert.equal(await server.metric('waxseal_reuse_detected_total{kind="previous"}'), reuse + 1);
      assertError(await earlier.refresh(), 401, "ERR_SESSION_ENDED");
      for (const browser of [owner, thief]) assertError(await browser.me(), 401, "ERR_TOKEN_REVOKED");
      assert.equal((await owner.login()).status, 200, "the owner signs in again");
      assert.equal((await owner.me()).status, 200);
    });
  }

  test("is not exchanged for another by a planted refresh cookie, whichever of the two is sent first", async () => {
    for (const place of ["before", "after"]) {
      const victim = await Browser.signedIn(server);
      const attacker = await Browser.signedIn(server);
      const session = (await victim.me()).json.sessionId;
      // As a sibling host plants it, with a Domain: the browser keeps both and sends both.
      const planted = attacker.cookies.filter(({ name }) => name === "__Secure-refresh");
      victim.cookies = place === "before" ? [...planted, ...victim.cookies] : [...victim.cookies, ...planted];
      const noticed = await server.metric("waxseal_duplicate_cookies_total");
      const answer = await victim.refresh();
      assert.equal(answer.json.sessionId, session, answer.text);
      assert.equal(await server.metric("waxseal_duplicate_cookies_total"), noticed + 1);
    }
  });

  test("is not given by a planted refresh cookie to somebody who has none, or another", async () => {
    const attacker = await Browser.signedIn(server);
    const planted = attacker.cookies.filter(({ name }) => name === "__Secure-refresh");
    const none = new Browser(server, [...planted]);
    assertError(await none.refresh(), 401, "ERR_CREDENTIALS_MISSING");
    const victim = await Browser.signedIn(server);
    victim.cookies = [...victim.cookies.filter(({ name }) => name === "__Host-access"), ...planted];
    const refused = await victim.refresh();
    assertError(refused, 401, "ERR_SESSION_MISMATCH");
    assert.deepEqual(refused.setCookie, []);
  });

  test("is ended by logout, at once and for every copy", async () => {
    const browser = await Browser.signedIn(server);
    const copy = browser.copy();
    const answer = await browser.logout();
    assert.deepEqual(answer.json, { signedOut: true, ended: true });
    assert.deepEqual(browser.cookies, []);
    assertError(await copy.me(), 401, "ERR_TOKEN_REVOKED");
    assertError(await copy.refresh(), 401, "ERR_SESSION_ENDED");
    assert.deepEqual((await browser.logout()).json, { signedOut: true, ended: false }, "again, with nothing to end");
  });

  test("is ended by logout with an access token that has expired", async () => {
    const browser = await Browser.signedIn(server);
    await server.pass(ACCESS_LIFETIME + 60);
    const copy = browser.copy();
    assertError(await browser.me(), 401, "ERR_TOKEN_EXPIRED");
    assert.deepEqual((await browser.logout()).json, { signedOut: true, ended: true });
    assertError(await copy.refresh(), 401, "ERR_SESSION_ENDED");
  });

  test("ends everywhere by one request, and a login after it works at once", async () => {
    const [desk, phone] = [await Browser.signedIn(server), await Browser.signedIn(server)];
    const answer = await desk.send("POST", "/api/auth/logout-everywhere");
    assert.deepEqual(answer.json, { signedOut: true, ended: true });
    assert.deepEqual(desk.cookies, []);
    assertError(await phone.me(), 401, "ERR_TOKEN_REVOKED");
    assertError(await phone.refresh(), 401, "ERR_SESSION_ENDED");
    assert.equal((await phone.login()).status, 200);
    assert.equal((await phone.me()).status, 200);
  });

  test("is listed with what it is, and ended from another one", async () => {
    const desk = await Browser.signedIn(server);
    await desk.send("POST", "/api/auth/logout-everywhere");
    await desk.login();
    const phone = await Browser.signedIn(server);
    const { sessions } = (await desk.send("GET", "/sessions")).json;
    assert.deepEqual(
      sessions.map(({ label, current }: { label: string; current: boolean }) => [label, current]),
      [
        ["Tests/1", true],
        ["Tests/1", false],
      ],
    );
    const path = `/sessions/${sessions[1].sessionId}`;
    assert.deepEqual((await desk.send("DELETE", path)).json, { ended: true });
    assertError(await phone.me(), 401, "ERR_TOKEN_REVOKED");
    assertError(await phone.refresh(), 401, "ERR_SESSION_ENDED");
    assertError(await desk.send("DELETE", path), 404, "SESSION_NOT_FOUND");
    assert.equal((await desk.send("GET", "/sessions")).json.sessions.length, 1);
    assertError(await phone.send("GET", "/sessions"), 401, "ERR_TOKEN_REVOKED");
  });

  test("cannot be begun, refreshed or ended by another site", async () => {
    const browser = await Browser.signedIn(server);
    const { sessionId } = (await browser.me()).json;
    const evil = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    for (const [method, path] of [
      ["POST", "/api/auth/refresh"],
      ["POST", "/api/auth/logout"],
      ["POST", "/api/auth/logout-everywhere"],
      ["DELETE", `/sessions/${sessionId}`],
    ] as const) {
      const answer = await browser.send(method, path, evil);
      assertError(answer, 403, "ERR_CROSS_SITE");
      assert.deepEqual(answer.setCookie, []);
    }
    assertError(await new Browser(server).login(undefined, evil), 403, "ERR_CROSS_SITE");
    const guess = { username: "ada", password: "a guess" };
    assertError(await new Browser(server).login(guess, evil), 403, "ERR_CROSS_SITE");
    assert.equal((await browser.me()).status, 200);
  });
});

describe("a request", needsNode, () => {
  let server: Server;
  let browser: Browser;
  before(async () => {
    server = await Server.start();
    browser = new Browser(server);
  });

  test("without a session is challenged", async () => {
    for (const [method, path] of [
      ["GET", "/me"],
      ["GET", "/sessions"],
      ["POST", "/api/auth/refresh"],
      ["POST", "/api/auth/logout-everywhere"],
    ] as const) {
      assertError(await browser.send(method, path), 401, "ERR_CREDENTIALS_MISSING");
    }
  });

  test("with a wrong name and one with a wrong password are answered alike", async () => {
    const answers = [
      await browser.login({ username: "grace", password: PASSWORD }),
      await browser.login({ username: "ada", password: `${PASSWORD}!` }),
    ];
    for (const answer of answers) assertError(answer, 401, "CREDENTIALS_WRONG");
    assert.equal(answers[0]?.text, answers[1]?.text);
  });

  test("of a method or path that there is not is told what there is", async () => {
    assertError(await browser.send("GET", "/nowhere"), 404, "NOT_FOUND");
    assertError(await browser.send("GET", "/metrics"), 404, "NOT_FOUND");
    const answer = await browser.send("PUT", "/me");
    assertError(answer, 405, "METHOD_NOT_ALLOWED");
    assert.equal(answer.headers.allow, "GET, HEAD");
    assert.equal((await browser.send("GET", "/api/auth/login")).headers.allow, "POST");
    assert.equal((await browser.send("constructor", "/me")).status, 400);
  });

  test("of HEAD is answered as GET, without the body", async () => {
    const head = await browser.send("HEAD", "/.well-known/jwks.json");
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal((await browser.send("HEAD", "/me")).status, 401);
  });

  test("that signs in is JSON of at most 4096 bytes", async () => {
    const submit = (body: string, type: string) =>
      browser.send("POST", "/api/auth/login", { "Content-Type": type }, body);
    const credentials = JSON.stringify({ username: "ada", password: PASSWORD });
    assertError(await submit(credentials, "text/plain"), 415, "MEDIA_TYPE_UNSUPPORTED");
    assertError(await submit("{", "application/json"), 400, "BODY_MALFORMED");
    assertError(await submit("[]", "application/json"), 400, "BODY_INVALID");
    const padded = credentials.padEnd(4096 - (Buffer.byteLength(credentials) - credentials.length));
    assert.equal((await submit(padded, "Application/JSON ; charset=utf-8")).status, 200);
    assertError(await submit(`${padded} `, "application/json"), 413, "BODY_TOO_LARGE");
  });

  test("that is far too large can be sent to its end, and is answered", async () => {
    const answer = await sendThenRead(server.address, "/api/auth/login", 32 << 20, server.origin);
    assert.match(answer, /^HTTP\/1\.1 413 .*"BODY_TOO_LARGE"/s);
  });

  test("with two Authorization headers is refused, whatever the first one is", async () => {
    const own = await Browser.signedIn(server);
    const token = `Bearer ${own.cookie("__Host-access")}`;
    // An array is sent as several headers.
    const headers = { Authorization: [token, "Bearer x.y.z"] as unknown as string };
    assert.equal((await browser.send("GET", "/me", headers)).json.error?.code, "ERR_AUTHORIZATION_MALFORMED");
  });
});

describe("two processes on one file", needsNode, () => {
  test("sign nobody out when 50 requests refresh one token at once: one live session, one rotation", async (t) => {
    const one = await Server.start();
    const two = await Server.start({ data: one.data, origin: one.origin });
    const browser = await Browser.signedIn(one);
    const [before] = [browser.cookie("__Secure-refresh")];
    for (const server of [one, two]) await server.pass(GRACE + 1);
    const tabs = Array.from({ length: 50 }, (_, index) => browser.copy(index % 2 === 0 ? one : two));
    const answers = await Promise.all(tabs.map((tab) => tab.refresh()));

    const signedOut = answers.filter(({ status }) => status !== 200).length;
    const tokens = new Set(tabs.map((tab) => tab.cookie("__Secure-refresh")));
    const { sessions } = (await browser.send("GET", "/sessions")).json;
    const rotations = await Promise.all(
      [one, two].map((server) => server.metric('waxseal_refreshed_total{rotated="true"}')),
    );
    const again = await Promise.all(
      [one, two].map((server) => server.metric('waxseal_refreshed_total{rotated="false"}')),
    );
    t.diagnostic(
      `50 parallel refreshes of one token over two processes on one SQLite file: ${sessions.length} live session, ` +
        `${signedOut} signed out, rotations ${rotations.join(" + ")}, given again ${again.join(" + ")}`,
    );
    assert.equal(signedOut, 0);
    assert.equal(sessions.length, 1);
    assert.equal(tokens.size, 1);
    assert.equal(tokens.has(before), false);
    assert.equal(rotations[0]! + rotations[1]!, 1);
    assert.equal(again[0]! + again[1]!, 49);
    // Whichever tab goes on, the session lives, and the other process knows it.
    for (const server of [one, two]) await server.pass(GRACE + 1);
    assert.equal((await tabs[0]!.refresh()).status, 200);
    assert.equal((await tabs[0]!.copy(two).me()).status, 200);
  });

  test("refuse in one what was ended in the other, at once", async () => {
    const one = await Server.start();
    const two = await Server.start({ data: one.data, origin: one.origin });
    const browser = await Browser.signedIn(one);
    const copy = browser.copy(two);
    assert.equal((await copy.me()).status, 200);
    await browser.logout();
    assertError(await copy.me(), 401, "ERR_TOKEN_REVOKED");
    assertError(await copy.refresh(), 401, "ERR_SESSION_ENDED");
  });
});
describe("a disk", needsNode, () => {
  test("keeps sessions over a restart", async () => {
    const first = await Server.start();
    const browser = await Browser.signedIn(first);
    const ended = await Browser.signedIn(first);
    const copy = ended.copy();
    await ended.logout();
    assert.equal(await first.stop(), 0);
    assert.equal(existsSync(`${first.database}-wal`), false, "the file was closed");

    const second = await Server.start({ data: first.data, origin: first.origin });
    assert.equal((await browser.copy(second).me()).status, 200);
    assert.equal((await browser.copy(second).refresh()).status, 200);
    assertError(await copy.copy(second).me(), 401, "ERR_TOKEN_REVOKED");
  });

  test("that is locked: 503 with Retry-After in time, and the same requests work when it is not any more", async (t) => {
    const server = await Server.start();
    const browser = await Browser.signedIn(server);
    await server.pass(GRACE + 1);
    const unlock = await lock(t, server.database);
    const series = 'waxseal_rejected_total{code="ERR_STORE_UNAVAILABLE",step="session",status="503"}';
    assert.equal(await server.metric(series), 0);

    const began = Date.now();
    const refused = await browser.refresh();
    const waited = Date.now() - began;
    assertError(refused, 503, "ERR_STORE_UNAVAILABLE");
    assert.equal(refused.headers["retry-after"], "1");
    assert.deepEqual(refused.setCookie, []);
    assert.ok(waited >= 900 && waited < 3000, `${waited} ms`);
    assertError(await new Browser(server).login(), 503, "ERR_STORE_UNAVAILABLE");
    assert.equal((await browser.me()).status, 200, "who only reads goes on");

    const leaving = browser.copy();
    assertError(await leaving.logout(), 503, "ERR_STORE_UNAVAILABLE");
    assert.deepEqual(leaving.cookies, [], "this browser is signed out all the same");
    assert.equal(await server.metric(series), 3);

    await unlock();
    assert.equal((await browser.refresh()).status, 200);
    assert.equal((await browser.logout()).json.ended, true);
  });

  test("that may only be read: 503 for what would be written, and no session is lost", async () => {
    const first = await Server.start();
    const browser = await Browser.signedIn(first);
    await first.stop();
    chmodSync(first.database, 0o444);
    // Permissions do not bind root, unless it gives up what makes it root.
    const launcher = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] : [];
    const readOnly = await Server.start({ data: first.data, origin: first.origin, launcher });
    await readOnly.pass(GRACE + 1);
    const there = browser.copy(readOnly);
    assert.equal((await there.me()).status, 200);
    assertError(await there.refresh(), 503, "ERR_STORE_UNAVAILABLE");
    assertError(await new Browser(readOnly).login(), 503, "ERR_STORE_UNAVAILABLE");
    await readOnly.stop();

    chmodSync(first.database, 0o644);
    const writable = await Server.start({ data: first.data, origin: first.origin });
    await writable.pass(GRACE + 1);
    assert.equal((await browser.copy(writable).refresh()).status, 200);
  });
});

test("better-sqlite3 does as well, on a Node without SQLite", needsBetterSqlite3, async (t) => {
  const server = await Server.start({ better: true });
  const browser = await Browser.signedIn(server);
  const copy = browser.copy();
  await server.pass(GRACE + 1);
  assert.equal((await browser.refresh()).status, 200);
  const unlock = await lock(t, server.database);
  await server.pass(GRACE + 1);
  assertError(await browser.refresh(), 503, "ERR_STORE_UNAVAILABLE");
  await unlock();
  assertError(await copy.refresh(), 401, "ERR_SESSION_ENDED");
  assertError(await browser.me(), 401, "ERR_TOKEN_REVOKED");
  assert.equal(await server.stop(), 0);
});

describe("at its start", needsNode, () => {
  test("it makes keys and a password for development, in a file for its owner alone, and keeps them", async () => {
    const data = join(emptyDirectory(), "data");
    await printed({ DATA: data });
    const file = join(data, "development.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(data).mode & 0o777, 0o700);
    const made = readFileSync(file, "utf8");
    await printed({ DATA: data });
    assert.equal(readFileSync(file, "utf8"), made);
  });

  test("it makes up no secrets in production, and repeats none that it cannot read", async () => {
    const data = emptyDirectory();
    assert.match(await printed({ DATA: data, NODE_ENV: "production" }), /Error: Set SECRETS/);
    assert.equal(existsSync(join(data, "development.json")), false);
    const text = await printed({ DATA: data, SECRETS: "a secret {" });
    assert.match(text, /Error: The secrets are not JSON\./);
    assert.equal(text.includes("a secret"), false);
  });

  test("it drops Secure from its cookies when told to, and for no address but this machine's", async () => {
    const INSECURE_COOKIES = "1";
    const server = await Server.start({ settings: { INSECURE_COOKIES } });
    const { setCookie } = await new Browser(server).login();
    assert.deepEqual(
      setCookie.map((line) => [line.split("=")[0], line.includes("Secure"), line.includes("HttpOnly")]),
      [
        ["access-dev", false, true],
        ["refresh-dev", false, true],
      ],
    );
    const env = { DATA: emptyDirectory(), SECRETS: secrets, INSECURE_COOKIES, ORIGIN: "https://app.example" };
    assert.match(await printed(env), /ERR_OPTION_INVALID/);
  });

  test("it says what to do where Node has no SQLite", async () => {
    const env = { DATA: emptyDirectory(), SECRETS: secrets };
    // The Node that runs this has none, or can be told to have none.
    const flags = nodeFor("node:sqlite") === process.execPath ? ["--no-experimental-sqlite"] : [];
    const text = await printed(env, process.execPath, ...flags);
    assert.match(text, /Error: Node [\d.]+ has no SQLite: npm install better-sqlite3, or use Node 22\.13/);
  });
});

test("no server has logged any text of a token, a key or the password", needsNode, () => {
  assert.ok(logged.includes("ERR_STORE_UNAVAILABLE"));
  assert.equal(logged.includes("eyJ"), false);
  assert.equal(logged.includes(PASSWORD), false);
});
