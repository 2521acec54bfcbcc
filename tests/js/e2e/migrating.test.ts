/** docs/migrating.md: its programs run beside the real jose and jsonwebtoken, and each row of "What is stricter" is true. */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { exportJWK, importPKCS8, jwtVerify, SignJWT } from "jose";
import jwt from "jsonwebtoken";
import {
  type Claims,
  createIssuer,
  createSessions,
  createVerifier,
  generateKeyPair,
  type JWK,
  type JwkSet,
  serializeSetCookie,
  type Sessions,
  toPem,
} from "waxseal";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { blocks, cookiesOf, run } from "./documents.js";

interface Tokens<Verified> {
  sign(subject: string): Promise<string>;
  verify(token: string): Verified;
}

const [ofJsonwebtoken, beside, ofJose, ofIronSession] = blocks("docs/migrating.md");
const { tokensOf } = await run<{ tokensOf(privatePem: string, publicPem: string): Promise<Tokens<Claims>> }>(
  ofJsonwebtoken!,
);
const { verifierOfBoth } = await run<{
  verifierOfBoth(keys: JwkSet, secret: string, until: number): Promise<(token: string) => Promise<Claims>>;
}>(beside!);
const { remoteTokens } = await run<{
  remoteTokens(privatePem: string, url: string): Promise<Tokens<Promise<Claims>>>;
}>(ofJose!);
const { upgrades, withoutOld } = await run<{
  upgrades(
    sessions: Sessions,
    oldUser: (request: Request) => Promise<string | undefined>,
    until: number,
  ): (request: Request) => Promise<Response>;
  withoutOld(headers: Headers): Headers;
}>(ofIronSession!);

const TRUSTED = { issuer: "https://id.example", audience: "https://api.example" };
const LATER = Date.now() + 3_600_000;

/** The pair in PEM, which has no `kid`, as most programs of jsonwebtoken have it. */
async function pemPair(alg: "ES256" | "RS256") {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { privatePem: await toPem(privateKey), publicPem: await toPem(publicKey) };
}

for (const alg of ["ES256", "RS256"] as const) {
  test(`jsonwebtoken and Waxseal verify each other's ${alg} tokens, by the options of the table`, async () => {
    const { privatePem, publicPem } = await pemPair(alg);
    const { sign, verify } = await tokensOf(privatePem, publicPem);
    const options = { ...TRUSTED, algorithm: alg, subject: "alice", expiresIn: "15m" as const };
    const claims = verify(jwt.sign({ role: "admin" }, privatePem, options));
    assert.deepEqual([claims.sub, claims["role"], claims.exp - claims.iat!], ["alice", "admin", 900]);
    const theirs = jwt.verify(await sign("alice"), publicPem, { ...TRUSTED, algorithms: [alg] }) as jwt.JwtPayload;
    assert.deepEqual([theirs.sub, theirs["role"], theirs.exp! - theirs.iat!], ["alice", "admin", 900]);
    const elsewhere = jwt.sign({}, privatePem, { ...options, audience: "https://other.example" });
    assert.throws(() => verify(elsewhere), { code: "ERR_AUDIENCE_MISMATCH" });
  });
}

test("jose and Waxseal verify each other's tokens, with the key set at a URL", async (t: TestContext) => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const privatePem = await toPem(privateKey);
  t.mock.method(globalThis, "fetch", async () => Response.json({ keys: [{ ...publicKey, kid: "2026-11" }] }));
  const { sign, verify } = await remoteTokens(privatePem, "https://id.example/.well-known/jwks.json");
  const token = await new SignJWT({ role: "admin" })
    .setProtectedHeader({ alg: "ES256", kid: "2026-11" })
    .setSubject("alice")
    .setIssuer(TRUSTED.issuer)
    .setAudience(TRUSTED.audience)
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(await importPKCS8(privatePem, "ES256"));
  const claims = await verify(token);
  assert.deepEqual([claims.sub, claims["role"], claims.exp - claims.iat!], ["alice", "admin", 900]);
  const theirs = await jwtVerify(await sign("alice"), publicKey, { ...TRUSTED, typ: "JWT", requiredClaims: ["jti"] });
  assert.deepEqual([theirs.payload.sub, theirs.protectedHeader.kid], ["alice", "2026-11"]);
});

test("tokens of the secret verify beside those of the key until the time, and no forgery between them does", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const secret = "a secret of thirty-two characters";
  const keys = { keys: [publicKey] };
  const both = await verifierOfBoth(keys, secret, LATER);
  const old = jwt.sign({}, secret, { ...TRUSTED, subject: "alice", expiresIn: "15m" });
  const token = await (await createIssuer({ key: privateKey, ...TRUSTED })).issue({ sub: "bob" });
  assert.equal((await both(old)).sub, "alice");
  assert.equal((await both(token)).sub, "bob");
  // The classic one: HMAC under the text of the public key.
  const confused = jwt.sign({}, await toPem(publicKey), { ...TRUSTED, subject: "mallory", expiresIn: "15m" });
  await assert.rejects(both(confused), { name: "JsonWebTokenError", message: "invalid signature" });
  await assert.rejects(both(`${token.slice(0, -4)}AAAA`), { code: "ERR_SIGNATURE_INVALID" });
  const elsewhere = jwt.sign({}, secret, { ...TRUSTED, audience: "https://other.example", expiresIn: "15m" });
  await assert.rejects(both(elsewhere), { name: "JsonWebTokenError" });
  const after = await verifierOfBoth(keys, secret, Date.now());
  await assert.rejects(after(old), { code: "ERR_ALGORITHM_NOT_ALLOWED" });
  assert.equal((await after(token)).sub, "bob");
});

interface Case {
  header?: string;
  claims?: string | Buffer;
  change?: (token: string) => string;
  rsa?: [bits: number, exponent: number];
}

const NOW = Math.floor(Date.now() / 1000);
const claimsWith = (more: Record<string, unknown>): string =>
  JSON.stringify({ iss: TRUSTED.issuer, aud: TRUSTED.audience, sub: "alice", iat: NOW, exp: NOW + 900, ...more });
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** By the beginning of its row. */
const CASES: Record<string, Case> = {
  "has no `exp`": { claims: claimsWith({ exp: undefined }) },
  "has a number for `sub`": { claims: claimsWith({ sub: 42 }) },
  "has an `iat` in the future": { claims: claimsWith({ iat: NOW + 60 }) },
  "has another `kid`": { header: '{"alg":"ES256","kid":"other"}' },
  "is longer than 8 KiB": { claims: claimsWith({ text: "x".repeat(8192) }) },
  "has the `typ` of refresh tokens": { header: '{"alg":"ES256","typ":"rt+jwt"}' },
  "has a `crit`": { header: '{"alg":"ES256","crit":["x"],"x":1}' },
  "is of an RSA key with the exponent 3": { rsa: [2048, 3] },
  "is of an RSA key above 4096 bits": { rsa: [4104, 65537] },
  "has a claim twice": { claims: claimsWith({}).replace('"sub":"alice"', '"sub":"alice","sub":"bob"') },
  "has a header member twice": { header: '{"alg":"ES256","alg":"ES256"}' },
  "has padding": { change: (token) => `${token}==` },
  "has another spelling": {
    // 512 bits are 85 characters and two bits: the last character has four that say nothing.
    change: (token) => token.slice(0, -1) + BASE64URL[BASE64URL.indexOf(token.at(-1)!) + 1],
  },
  "has claims that are not UTF-8": {
    claims: Buffer.concat([Buffer.from(`${claimsWith({}).slice(0, -1)},"x":"`), Buffer.from([0xff, 0x22, 0x7d])]),
  },
};

const encoded = (text: string | Buffer): string => Buffer.from(text).toString("base64url");

function signed({ header, claims = claimsWith({}), change = (token) => token, rsa }: Case, key: KeyObject): string {
  const input = `${encoded(header ?? (rsa ? '{"alg":"RS256"}' : '{"alg":"ES256"}'))}.${encoded(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return change(`${input}.${signature.toString("base64url")}`);
}

const [, strict = ""] = /<!-- strict: begin.*?-->(.*?)<!-- strict: end/s.exec(
  readFileSync("docs/migrating.md", "utf8"),
)!;
const rows = strict.split("\n").filter((line) => /^\| (has|is) /.test(line));

test("every row of the table of what is stricter has its case", () => {
  assert.equal(rows.length, Object.keys(CASES).length);
});

for (const [beginning, one] of Object.entries(CASES)) {
  test(`a token that ${beginning} meets what the table says`, async () => {
    const row = rows.find((line) => line.startsWith(`| ${beginning}`));
    const [, , byJsonwebtoken, byJose, byWaxseal] = row!.split("|").map((cell) => cell.trim());
    const [modulusLength, publicExponent] = one.rsa ?? [];
    const pair =
      modulusLength === undefined
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength, publicExponent: publicExponent! });
    const token = signed(one, pair.privateKey);
    const alg = one.rsa ? "RS256" : "ES256";
    const said = (accepted: boolean): string => (accepted ? "accepts" : "refuses");
    const accepted = (verified: Promise<unknown>): Promise<boolean> =>
      verified.then(
        () => true,
        () => false,
      );
    const theirs = async () => jwt.verify(token, pair.publicKey, { ...TRUSTED, algorithms: [alg] });
    assert.equal(said(await accepted(theirs())), byJsonwebtoken);
    const jwk = { ...(await exportJWK(pair.publicKey)), alg, kid: "own" } as JWK;
    assert.equal(said(await accepted(jwtVerify(token, jwk, { ...TRUSTED }))), byJose);
    const ours = async () => (await createVerifier({ keys: jwk, ...TRUSTED })).verify(token);
    await assert.rejects(ours(), { code: /^`(\w+)`/.exec(byWaxseal!)![1] });
    // The same without the fault is accepted by all: it is the fault that is refused.
    if (one.rsa) return;
    const sound = signed({}, pair.privateKey);
    assert.ok(jwt.verify(sound, pair.publicKey, { ...TRUSTED, algorithms: ["ES256"] }));
    assert.ok((await createVerifier({ keys: jwk, ...TRUSTED })).verify(sound));
  });
}

test("an old cookie becomes a session once, of the page's own request, and is cleared", async () => {
  const { privateKey } = await generateKeyPair("ES256");
  const sessions = await createSessions({
    keys: privateKey,
    issuer: "https://app.example",
    audience: "https://app.example",
    origins: [],
    store: memoryStore(),
    revocation: { store: memoryRevocationStore() },
  });
  const oldUser = async (request: Request) => /app-session=of-(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  const asked = (site: string, cookie = "app-session=of-alice") =>
    new Request("https://app.example/auth/upgrade", {
      method: "POST",
      headers: { cookie, "sec-fetch-site": site },
    });
  const upgrade = upgrades(sessions, oldUser, LATER);
  const response = await upgrade(asked("same-origin"));
  assert.equal(response.status, 200);
  const set = response.headers.getSetCookie();
  const cleared = set.find((line) => line.startsWith("app-session="))!;
  assert.match(cleared, /^app-session=; .*Max-Age=0/);
  const before = serializeSetCookie({ name: "app-session", value: "x" });
  for (const attribute of before.split("; ").slice(1)) assert.ok(cleared.includes(attribute), attribute);
  const { claims } = await sessions.authenticate(
    new Request("https://app.example/me", { headers: { cookie: cookiesOf(set) } }),
  );
  assert.equal(claims.sub, "alice");
  await assert.rejects(upgrade(asked("cross-site")), { code: "ERR_CROSS_SITE" });
  assert.equal((await upgrade(asked("same-origin", "app-session="))).status, 401);
  assert.equal((await upgrades(sessions, oldUser, Date.now())(asked("same-origin"))).status, 401);
  const out = await sessions.logout(
    new Request("https://app.example/auth/logout", {
      method: "POST",
      headers: { cookie: cookiesOf(set), "sec-fetch-site": "same-origin" },
    }),
  );
  assert.equal(withoutOld(out.headers).getSetCookie().length, 3);
});
