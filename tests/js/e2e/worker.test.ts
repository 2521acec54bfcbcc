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
  type Running,
  startPacked,
  tokenOf,
  USERNAME,
} from "./support.js";

let running: Running;
let worker: Client;

before(async () => {
  running = await startPacked((bindings) => ({ cold: { bindings } }));
  worker = new Client(running.address);
});

after(async () => {
  await running.stop();
});

describe("POST /api/auth/login", () => {
  test("sets one cookie that only this host gets, no script reads and no other site can send", async () => {
    const answer = await worker.login();
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { subject: "user-1815", expiresIn: ACCESS_TOKEN_LIFETIME });
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.setCookie.length, 1);
    const [line = ""] = answer.setCookie;
    assert.match(line, /^__Host-access=[\w-]+\.[\w-]+\.[\w-]+;/);
    assert.deepEqual(attributesOf(line), ["httponly", "max-age=900", "path=/", "samesite=strict", "secure"]);
  });

  test("issues a token that names issuer, audience, subject, session and identifier and lives 15 minutes", async () => {
    const started = Math.floor(Date.now() / 1000);
    const { header, claims } = decodeUnverified(await worker.token());
    assert.deepEqual(Object.keys(claims).sort(), ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]);
    assert.equal(claims.iss, running.address);
    assert.deepEqual([claims.aud].flat(), [running.address]);
    assert.equal(claims.sub, "user-1815");
    assert.equal(Number(claims.exp) - Number(claims.iat), ACCESS_TOKEN_LIFETIME);
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
    const wrongName = await worker.login({ username: "grace", password: PASSWORD });
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
      assert.equal(answer.setCookie.length, status === 200 ? 1 : 0);
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
    assertError(await submit("x".repeat(1_000_000)), 413, "BODY_TOO_LARGE");
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
      subject: "user-1815",
      session: claims.sid,
      issuedAt: claims.iat,
      expiresAt: claims.exp,
      source: "cookie",
      revocation: "clear",
    });
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
    const token = await other.issue({ sub: "user-1815", sid: "s" });
    assertError(await worker.me(token), 401, "ERR_SIGNATURE_INVALID");
  });

  test("refuses an expired token", async () => {
    const token = await running.issuer.issue({ sub: "user-1815", sid: "s" }, { now: Date.now() / 1000 - 1000 });
    assertError(await worker.me(token), 401, "ERR_TOKEN_EXPIRED");
  });

  test("refuses a token of another type, such as one that was never meant for access", async () => {
    const token = await running.issuer.issue({ sub: "user-1815", sid: "s" }, { typ: "JWT" });
    assertError(await worker.me(token), 401, "ERR_TOKEN_TYPE");
  });

  test("refuses a token for another audience, or of another issuer with the same key", async () => {
    const issue = async (issuer: string, audience: string) => {
      const other = await createIssuer({ key: running.privateKey, issuer, audience, typ: "at+jwt" });
      return other.issue({ sub: "user-1815", sid: "s" });
    };
    const elsewhere = "https://elsewhere.example";
    assertError(await worker.me(await issue(running.address, elsewhere)), 401, "ERR_AUDIENCE_MISMATCH");
    const { json, status } = await worker.me(await issue(elsewhere, running.address));
    assert.equal(status, 401);
    assert.match(json?.error?.code, /^ERR_ISSUER_(MISMATCH|UNKNOWN)$/);
  });

  test("refuses a token without a session, which signing out could not end", async () => {
    const answer = await worker.me(await running.issuer.issue({ sub: "user-1815" }));
    assertError(answer, 401, "ERR_CLAIM_MISSING");
    assert.equal(answer.json.error.claim, "sid");
    assert.equal(answer.json.error.reason, "missing");
  });

  test("refuses a token that would outlive its revocation entry", async () => {
    const token = await running.issuer.issue({ sub: "user-1815", sid: "s" }, { expiresIn: 3600 });
    assertError(await worker.me(token), 401, "ERR_TOKEN_LIFETIME");
  });

  test("refuses a token of ten thousand characters for its size alone", async () => {
    assertError(await worker.me(`e30.${"A".repeat(10_000)}.AA`), 401, "ERR_TOKEN_TOO_LARGE");
  });
});

describe("POST /api/auth/logout", () => {
  const entries = async () => {
    const kv = await running.miniflare.getKVNamespace("REVOKED", "worker");
    const { keys } = await kv.list();
    return new Map(keys.map(({ name, expiration }) => [name, expiration ?? 0]));
  };
  const withCookie = (token: string, headers = worker.sameOrigin) => ({
    ...headers,
    Cookie: `__Host-access=${token}`,
  });

  test("clears the cookie with the attributes it was set with", async () => {
    const answer = await worker.logout(withCookie(await worker.token()));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { signedOut: true });
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.setCookie.length, 1);
    const [line = ""] = answer.setCookie;
    assert.match(line, /^__Host-access=;/);
    const attributes = attributesOf(line).filter((attribute) => !attribute.startsWith("expires="));
    assert.deepEqual(attributes, ["httponly", "max-age=0", "path=/", "samesite=strict", "secure"]);
  });

  test("writes an entry for the token and one for the session, which outlive the token and show no identifier", async () => {
    const before = await entries();
    const token = await worker.token();
    await worker.logout(withCookie(token));
    const written = [...(await entries())].filter(([name]) => !before.has(name));
    const { claims } = decodeUnverified(token);
    assert.equal(written.length, 2);
    for (const [name, expiration] of written) {
      assert.match(name, /^wx1:[a-z]+:[\w-]{43}$/);
      assert.ok(expiration > Number(claims.exp), "the entry outlives the token");
      assert.ok(expiration < Number(claims.exp) + 3600, "and not by hours");
    }
  });

  test("ends the token as a cookie and as a bearer token", async () => {
    const token = await worker.token();
    await worker.logout(withCookie(token));
    assertError(await worker.me(token), 401, "ERR_TOKEN_REVOKED");
    const bearer = await worker.send("/me", { headers: { Authorization: `Bearer ${token}` } });
    assertError(bearer, 401, "ERR_TOKEN_REVOKED");
  });

  test("ends every token of the session and no other session of the subject", async () => {
    const [token, other] = await Promise.all([worker.token(), worker.token()]);
    const { sub = "", sid } = decodeUnverified(token).claims;
    const sibling = await running.issuer.issue({ sub, sid: String(sid) });
    assert.equal((await worker.me(sibling)).status, 200);
    await worker.logout(withCookie(token));
    assertError(await worker.me(sibling), 401, "ERR_TOKEN_REVOKED");
    assert.equal((await worker.me(other)).status, 200);
  });

  test("takes a bearer token too", async () => {
    const token = await worker.token();
    const answer = await worker.logout({ ...worker.sameOrigin, Authorization: `Bearer ${token}` });
    assert.equal(answer.status, 200);
    assertError(await worker.me(token), 401, "ERR_TOKEN_REVOKED");
  });

  test("succeeds when there is nothing to end: no cookie, an expired token, a forged one, a second time", async () => {
    const before = await entries();
    const expired = await running.issuer.issue({ sub: "user-1815", sid: "s" }, { now: Date.now() / 1000 - 1000 });
    for (const headers of [worker.sameOrigin, withCookie(expired), withCookie("x.y.z")]) {
      const answer = await worker.logout(headers);
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.setCookie[0] ?? "", /^__Host-access=;.*Max-Age=0/);
    }
    assert.deepEqual(await entries(), before, "nothing was written");
    const token = await worker.token();
    await worker.logout(withCookie(token));
    assert.equal((await worker.logout(withCookie(token))).status, 200);
  });

  test("refuses another site, which then has signed nobody out", async () => {
    const token = await worker.token();
    for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, {}]) {
      const answer = await worker.logout(withCookie(token, headers as Record<string, string>));
      assertError(answer, 403, "ERR_CROSS_SITE");
      assert.deepEqual(answer.setCookie, []);
    }
    assert.equal((await worker.me(token)).status, 200);
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
    assert.equal(payload.sub, "user-1815");
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

  test("finds its script and its style", async () => {
    assert.equal((await worker.send("/app.js")).headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal((await worker.send("/app.css")).headers["content-type"], "text/css; charset=utf-8");
  });
});

describe("other paths and methods", () => {
  test("answers an unknown path with 404", async () => {
    for (const path of ["/nothing", "/me/", "/api/auth", "/constructor", "/__proto__", "//me"]) {
      assertError(await worker.send(path), 404, "NOT_FOUND");
    }
  });

  test("answers a wrong method with 405 and says which are allowed", async () => {
    const cases = [
      ["GET", "/api/auth/login", "POST"],
      ["GET", "/api/auth/logout", "POST"],
      ["HEAD", "/api/auth/logout", "POST"],
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
  const seen = await Promise.all(answers.map((answer) => client.me(tokenOf(answer))));
  assert.deepEqual([...new Set(seen.map(({ status }) => status))], [200]);
});
