/** Every route and every refusal of the Worker, over HTTP, on real workerd with a real KV namespace. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from "jose";
import { createIssuer, decodeUnverified, generateKeyPair } from "waxseal";
import {
  ACCESS_TOKEN_LIFETIME,
  assertError,
  attributesOf,
  Client,
  PASSWORD,
  REFRESH_PATH,
  type Running,
  SESSION_LIFETIME,
  startPacked,
  SUBJECT,
  USERNAME,
} from "./support.js";
import { sendThenRead } from "./raw-http.js";

let running: Running;
let worker: Client;

before(async () => {
  running = await startPacked({ others: (bindings) => ({ cold: { bindings } }) });
  worker = new Client(running.address);
});

after(async () => {
  await running.stop();
});

describe("POST /api/auth/login", () => {
  test("sets two cookies that only this host gets, no script reads and no other site can send", async () => {
    const answer = await worker.login();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["cache-control"], "no-store");
    const [access = "", refresh = "", ...more] = answer.setCookie;
    assert.deepEqual(more, []);
    assert.match(access, /^__Host-access=[\w-]+\.[\w-]+\.[\w-]+;/);
    assert.match(refresh, /^__Secure-refresh=[\w-]+\.[\w-]+\.[\w-]+;/);
    const attributes = (path: string) => [
      "httponly",
      `max-age=${SESSION_LIFETIME}`,
      `path=${path}`,
      "samesite=strict",
      "secure",
    ];
    assert.deepEqual(attributesOf(access), attributes("/"));
    assert.deepEqual(attributesOf(refresh), attributes(REFRESH_PATH));
  });

  test("says which session it began, when its access token expires and when to refresh, and shows no token", async () => {
    const answer = await worker.login();
    const token = answer.setCookie[0]?.match(/=([^;]+)/)?.[1] ?? "";
    const { sid, exp, iat } = decodeUnverified(token).claims;
    const { sessionId, expiresAt, refreshAfter, ...more } = answer.json;
    assert.deepEqual(more, {});
    assert.equal(sessionId, sid);
    assert.equal(expiresAt, exp);
    assert.ok(refreshAfter > 0 && refreshAfter < Number(exp) - Number(iat));
  });

  test("issues an access token that names issuer, audience, subject, session and version, for 15 minutes at most", async () => {
    const started = Math.floor(Date.now() / 1000);
    const { header, claims } = decodeUnverified(await worker.token());
    assert.deepEqual(Object.keys(claims).sort(), ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "ver"]);
    assert.equal(claims.iss, running.address);
    assert.deepEqual([claims.aud].flat(), [running.address]);
    assert.equal(claims.sub, SUBJECT);
    const lifetime = Number(claims.exp) - Number(claims.iat);
    assert.ok(lifetime <= ACCESS_TOKEN_LIFETIME && lifetime >= 0.95 * ACCESS_TOKEN_LIFETIME, `${lifetime} s`);
    assert.ok(Math.abs(Number(claims.iat) - started) <= 2);
    assert.equal(header.alg, "ES256");
    assert.equal(header.typ, "at+jwt");
    assert.equal(header.kid, await calculateJwkThumbprint(running.privateKey as Record<string, string>));
  });

  test("gives every sign-in a session and an identifier of its own", async () => {
    const [a, b] = (await Promise.all([worker.token(), worker.token()])).map((token) => decodeUnverified(token).claims);
    assert.notEqual(a?.sid, b?.sid);
    assert.notEqual(a?.jti, b?.jti);
  });

  test("answers a wrong name and a wrong password alike, without a cookie", async () => {
    const wrongName = await worker.login({ username: "mallory", password: PASSWORD });
    const wrongPassword = await worker.login({ username: USERNAME, password: `${PASSWORD}!` });
    for (const answer of [wrongName, wrongPassword]) {
      assertError(answer, 401, "CREDENTIALS_WRONG");
      assert.deepEqual(answer.setCookie, []);
    }
    assert.equal(wrongName.text, wrongPassword.text);
  });

  const provenances: [string, number, (own: string) => Record<string, string>][] = [
    ["a page of the same origin", 200, () => ({ "Sec-Fetch-Site": "same-origin" })],
    ["the address bar", 200, () => ({ "Sec-Fetch-Site": "none" })],
    ["an old browser on the configured origin", 200, (own) => ({ Origin: own })],
    ["another site", 403, () => ({ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" })],
    ["an old browser on another site", 403, () => ({ Origin: "https://evil.example" })],
    ["a sibling subdomain", 403, () => ({ "Sec-Fetch-Site": "same-site", Origin: "https://evil.localhost" })],
    ["the same host by its address", 403, (own) => ({ Origin: own.replace("localhost", "127.0.0.1") })],
    ["an origin that begins like the configured one", 403, (own) => ({ Origin: `${own}.evil.example` })],
    ["an opaque origin", 403, () => ({ Origin: "null" })],
    ["nobody knows where", 403, () => ({})],
  ];
  for (const [from, status, headers] of provenances) {
    test(`${status === 200 ? "takes" : "refuses"} a request that comes from ${from}`, async () => {
      const answer = await worker.login(undefined, headers(worker.address));
      if (status === 403) assertError(answer, 403, "ERR_CROSS_SITE");
      assert.equal(answer.status, status);
      assert.equal(answer.setCookie.length, status === 200 ? 2 : 0);
    });
  }

  const submit = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    worker.send("/api/auth/login", {
      method: "POST",
      headers: { ...worker.sameOrigin, "Content-Type": "application/json", ...headers },
      body,
    });
  const credentials = JSON.stringify({ username: USERNAME, password: PASSWORD });

  test("takes JSON whatever the case and the parameters of its media type", async () => {
    const answer = await submit(credentials, { "Content-Type": "Application/JSON ; charset=utf-8" });
    assert.equal(answer.status, 200, answer.text);
  });

  test("refuses what is not declared as JSON, as the body of a form is not", async () => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]) {
      assertError(await submit(credentials, { "Content-Type": type }), 415, "MEDIA_TYPE_UNSUPPORTED");
    }
    const untyped = { method: "POST", headers: worker.sameOrigin, body: credentials };
    assertError(await worker.send("/api/auth/login", untyped), 415, "MEDIA_TYPE_UNSUPPORTED");
  });

  test("refuses a body that is not JSON in UTF-8, and does not repeat it", async () => {
    const bodies = ["", "{", `{"password":"${PASSWORD}"`, new Uint8Array([0x22, 0xff, 0x22])];
    for (const body of bodies) {
      const answer = await submit(body);
      assertError(answer, 400, "BODY_MALFORMED");
      assert.ok(!answer.text.includes(PASSWORD));
    }
  });

  test("refuses JSON that is not a pair of strings", async () => {
    const bodies = [
      null,
      [],
      "x",
      1,
      {},
      { username: USERNAME },
      { username: USERNAME, password: 1 },
      { password: "" },
    ];
    for (const body of bodies) assertError(await worker.login(body), 400, "BODY_INVALID");
  });

  test("reads 4096 bytes and not one more, with and without a declared length", async () => {
    const padded = (bytes: number) => credentials.padEnd(bytes - (Buffer.byteLength(credentials) - credentials.length));
    assert.equal(Buffer.byteLength(padded(4096)), 4096);
    for (const framing of [{}, { "Transfer-Encoding": "chunked" }]) {
      assert.equal((await submit(padded(4096), framing)).status, 200);
      assertError(await submit(padded(4097), framing), 413, "BODY_TOO_LARGE");
    }
  });

  test("answers a body that is far too large after its end", async () => {
    const answer = await sendThenRead(worker.address, "/api/auth/login", 32 << 20);
    assert.match(answer, /^HTTP\/1\.1 413 .*"BODY_TOO_LARGE"/s);
  });
});

describe("GET /me", () => {
  test("takes the cookie and says who is signed in", async () => {
    const token = await worker.token();
    const { claims } = decodeUnverified(token);
    const answer = await worker.me(token);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.deepEqual(answer.json, {
      subject: SUBJECT,
      sessionId: claims.sid,
      issuedAt: claims.iat,
      expiresAt: claims.exp,
      source: "cookie",
      revocation: "clear",
      strong: false,
    });
  });

  test("asks the session store too, when it is to be strong", async () => {
    const browser = await worker.signedIn();
    const answer = await browser.send("/me?strong");
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.strong, true);
    // The Worker's own key, and a session that no store knows: only the store can tell.
    const unknown = await running.issuer.issue({ sub: SUBJECT, sid: "made-up", ver: 0 });
    assert.equal((await worker.me(unknown)).status, 200);
    const headers = { Authorization: `Bearer ${unknown}` };
    assertError(await worker.send("/me?strong", { headers }), 401, "ERR_SESSION_ENDED");
  });

  test("finds the cookie among others", async () => {
    const cookie = `theme=dark; access=x; __host-access=y; __Host-access=${await worker.token()}; __Host-accessory=z`;
    assert.equal((await worker.send("/me", { headers: { Cookie: cookie } })).status, 200);
  });

  test("takes a bearer token, whatever the case of the scheme", async () => {
    const token = await worker.token();
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const answer = await worker.send("/me", { headers: { Authorization: `${scheme} ${token}` } });
      assert.equal(answer.json?.source, "bearer", answer.text);
    }
  });

  test("answers HEAD as GET, without the body", async () => {
    const headers = { Cookie: `__Host-access=${await worker.token()}` };
    const answer = await worker.send("/me", { method: "HEAD", headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    assert.equal((await worker.send("/me", { method: "HEAD" })).status, 401);
  });

  test("challenges a request without a credential and names no error", async () => {
    const answer = await worker.send("/me");
    assertError(answer, 401, "ERR_CREDENTIALS_MISSING");
    assert.equal(answer.headers["www-authenticate"], "Bearer");
  });

  test("names the error in the challenge when a token was refused", async () => {
    const answer = await worker.me("not a token");
    assert.equal(answer.status, 401);
    assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer error="invalid_token", error_description="[^"]+"$/);
  });

  test("lets the Authorization header decide alone", async () => {
    const Cookie = `__Host-access=${await worker.token()}`;
    const forged = await worker.send("/me", { headers: { Authorization: "Bearer x.y.z", Cookie } });
    assert.equal(forged.status, 401);
    const basic = await worker.send("/me", { headers: { Authorization: "Basic YWRhOng=", Cookie } });
    assertError(basic, 401, "ERR_CREDENTIALS_MISSING");
    const malformed = await worker.send("/me", { headers: { Authorization: "Bearer a b", Cookie } });
    assert.equal(malformed.json?.error?.code, "ERR_AUTHORIZATION_MALFORMED");
    assert.equal(malformed.status, 400);
    // RFC 6750 section 3.1: a malformed request is challenged too.
    assert.match(malformed.headers["www-authenticate"] ?? "", /^Bearer error="invalid_request"/);
  });

  test("refuses two access cookies", async () => {
    const token = await worker.token();
    const cookie = `__Host-access=${token}; __Host-access=${token}`;
    assertError(await worker.send("/me", { headers: { Cookie: cookie } }), 400, "ERR_COOKIE_DUPLICATE");
  });

  test("refuses a token whose claims were rewritten", async () => {
    const [header, , signature] = (await worker.token()).split(".");
    const claims = { ...decodeUnverified(await worker.token()).claims, sub: "admin" };
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
    assertError(await worker.me(forged), 401, "ERR_SIGNATURE_INVALID");
  });

  test("refuses a token that another key signed, under the same kid", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const { kid } = decodeUnverified(await worker.token()).header;
    const other = await createIssuer({
      key: { ...privateKey, kid: String(kid) },
      issuer: running.address,
      audience: running.address,
      typ: "at+jwt",
    });
    const token = await other.issue({ sub: SUBJECT, sid: "s", ver: 0 });
    assertError(await worker.me(token), 401, "ERR_SIGNATURE_INVALID");
  });

  test("refuses an expired token", async () => {
    const token = await running.issuer.issue({ sub: SUBJECT, sid: "s", ver: 0 }, { now: Date.now() / 1000 - 1000 });
    assertError(await worker.me(token), 401, "ERR_TOKEN_EXPIRED");
  });

  test("refuses a token of another type, such as one that was never meant for access", async () => {
    const token = await running.issuer.issue({ sub: SUBJECT, sid: "s", ver: 0 }, { typ: "JWT" });
    assertError(await worker.me(token), 401, "ERR_TOKEN_TYPE");
  });

  test("refuses a token for another audience, or of another issuer with the same key", async () => {
    const issue = async (issuer: string, audience: string) => {
      const other = await createIssuer({ key: running.privateKey, issuer, audience, typ: "at+jwt" });
      return other.issue({ sub: SUBJECT, sid: "s", ver: 0 });
    };
    const elsewhere = "https://elsewhere.example";
    assertError(await worker.me(await issue(running.address, elsewhere)), 401, "ERR_AUDIENCE_MISMATCH");
    const { json, status } = await worker.me(await issue(elsewhere, running.address));
    assert.equal(status, 401);
    assert.match(json?.error?.code, /^ERR_ISSUER_(MISMATCH|UNKNOWN)$/);
  });

  test("refuses a token without a session or a version, which signing out could not end", async () => {
    const claims = { sub: SUBJECT, sid: "s", ver: 0 };
    for (const claim of ["sid", "ver"]) {
      const answer = await worker.me(await running.issuer.issue({ ...claims, [claim]: undefined }));
      assertError(answer, 401, "ERR_CLAIM_MISSING");
      assert.equal(answer.json.error.claim, claim);
      assert.equal(answer.json.error.reason, "missing");
    }
  });

  test("refuses a token that would outlive its revocation entry", async () => {
    const token = await running.issuer.issue({ sub: SUBJECT, sid: "s", ver: 0 }, { expiresIn: 3600 });
    assertError(await worker.me(token), 401, "ERR_TOKEN_LIFETIME");
  });

  test("refuses a token of ten thousand characters for its size alone", async () => {
    assertError(await worker.me(`e30.${"A".repeat(10_000)}.AA`), 401, "ERR_TOKEN_TOO_LARGE");
  });
});

describe("GET /.well-known/jwks.json", () => {
  test("publishes the public half of the key, with kid, use and alg, and lets caches keep it", async () => {
    const answer = await worker.send("/.well-known/jwks.json");
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/jwk-set+json");
    assert.equal(answer.headers["cache-control"], "public, max-age=300");
    assert.equal(answer.headers["access-control-allow-origin"], "*");
    const { kty, crv, x, y } = running.privateKey;
    const kid = await calculateJwkThumbprint(running.privateKey as Record<string, string>);
    assert.deepEqual(answer.json, { keys: [{ kty, crv, x, y, kid, use: "sig", alg: "ES256" }] });
  });

  test("lets an independent implementation verify the tokens", async () => {
    const set = createLocalJWKSet((await worker.send("/.well-known/jwks.json")).json);
    const { payload } = await jwtVerify(await worker.token(), set, {
      issuer: running.address,
      audience: running.address,
      typ: "at+jwt",
    });
    assert.equal(payload.sub, SUBJECT);
  });
});

describe("the page", () => {
  test("comes with a policy that runs nothing inline and nothing from elsewhere", async () => {
    const { status, headers, text } = await worker.send("/");
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.equal(headers["x-content-type-options"], "nosniff");
    const policy = headers["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.doesNotMatch(text, /<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
  });

  test("finds its scripts and its style", async () => {
    for (const script of ["/app.js", "/client.js"]) {
      assert.equal((await worker.send(script)).headers["content-type"], "text/javascript; charset=utf-8");
    }
    assert.equal((await worker.send("/app.css")).headers["content-type"], "text/css; charset=utf-8");
  });
});

describe("other paths and methods", () => {
  test("answers an unknown path with 404", async () => {
    for (const path of [
      "/nothing",
      "/me/",
      "/api/auth",
      "/constructor",
      "/__proto__",
      "//me",
      "/sessions/",
      "/sessions/a/b",
      "/sessions/a%2Fb",
      `/sessions/${"a".repeat(65)}`,
    ]) {
      assertError(await worker.send(path), 404, "NOT_FOUND");
    }
  });

  test("answers a wrong method with 405 and says which are allowed", async () => {
    const cases = [
      ["GET", "/api/auth/login", "POST"],
      ["GET", "/api/auth/logout", "POST"],
      ["HEAD", "/api/auth/logout", "POST"],
      ["GET", REFRESH_PATH, "POST"],
      ["GET", "/api/auth/logout-everywhere", "POST"],
      ["DELETE", "/sessions", "GET, HEAD"],
      ["GET", "/sessions/abc", "DELETE"],
      ["POST", "/me", "GET, HEAD"],
      ["DELETE", "/.well-known/jwks.json", "GET, HEAD"],
      ["PUT", "/", "GET, HEAD"],
    ] as const;
    for (const [method, path, allowed] of cases) {
      const answer = await worker.send(path, { method });
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.allow, allowed);
      if (method !== "HEAD") assertError(answer, 405, "METHOD_NOT_ALLOWED");
    }
  });

  test("grants no other origin anything in answer to a preflight", async () => {
    const answer = await worker.send("/api/auth/login", {
      method: "OPTIONS",
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" },
    });
    assertError(answer, 405, "METHOD_NOT_ALLOWED");
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith("access-control-")),
      [],
    );
  });
});

test("answers thirty first requests that arrive together at a cold isolate", async () => {
  const client = await Client.of(running, "cold");
  const answers = await Promise.all(Array.from({ length: 30 }, () => client.login()));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const tokens = answers.map(({ setCookie }) => setCookie[0]?.match(/=([^;]+)/)?.[1] ?? "");
  const seen = await Promise.all(tokens.map((token) => client.me(token)));
  assert.deepEqual([...new Set(seen.map(({ status }) => status))], [200]);
});
