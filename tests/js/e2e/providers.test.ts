/**
 * The recipes of docs/providers.md, run as they stand against key sets and tokens in the shape of each provider, with keys of
 * the test's. Names of hosts lead to a server of the test's; everything else is real.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Verifier } from "waxseal";
import { type KeyServer, startKeyServer } from "../harness/key-server.js";
import { type Block, blocks, run } from "./documents.js";

type Json = Record<string, unknown>;

interface Pair {
  readonly jwk: Json;
  readonly privateKey: KeyObject;
}

function pair(kid: string): Pair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid }, privateKey };
}

const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf({ privateKey }: Pair, header: Json, claims: Json): string {
  const input = `${text(header)}.${text(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

const now = Math.floor(Date.now() / 1000);
const [current, previous, stranger] = [pair("current"), pair("previous"), pair("current")];
/** What stands where a certificate would: nothing reads it. */
const certificate = randomBytes(600).toString("base64");
const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;

interface Provider {
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly set: Json;
  readonly header: Json;
  readonly claims: Json;
  /** Claims of tokens that are somebody else's, each with the code that refuses it. */
  readonly foreign: readonly [claims: Json, code: string][];
}

/** The members that a provider's keys have besides those of the key itself. */
const keys = (members: (kid: unknown) => Json): Json[] =>
  [current, previous].map(({ jwk }) => ({ ...jwk, ...members(jwk["kid"]) }));

const pool = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI";
const tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const team = "https://team.cloudflareaccess.com";
const times = (seconds: number): Json => ({ iat: now - 5, exp: now + seconds });

const PROVIDERS: Record<string, Provider> = {
  Auth0: {
    url: "https://tenant.eu.auth0.com/.well-known/jwks.json",
    headers: { "cache-control": "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400" },
    set: { keys: keys((kid) => ({ use: "sig", alg: "RS256", x5t: `x5t-${kid}`, x5c: [certificate] })) },
    header: { alg: "RS256", typ: "JWT", kid: "current" },
    claims: {
      iss: "https://tenant.eu.auth0.com/",
      sub: "auth0|507f1f77bcf86cd799439011",
      aud: ["https://api.example", "https://tenant.eu.auth0.com/userinfo"],
      ...times(86_400),
      azp: "my_client_id",
      scope: "openid profile",
      permissions: ["read:things"],
    },
    foreign: [
      [{ aud: ["https://tenant.eu.auth0.com/userinfo"] }, "ERR_AUDIENCE_MISMATCH"],
      [{ iss: "https://tenant.eu.auth0.com" }, "ERR_ISSUER_MISMATCH"],
    ],
  },
  Clerk: {
    url: "https://clerk.app.example/.well-known/jwks.json",
    set: { keys: keys(() => ({ use: "sig", alg: "RS256" })) },
    header: { alg: "RS256", cat: "cl_B7d4PD111AAA", kid: "current", typ: "JWT" },
    claims: {
      azp: "https://app.example",
      iss: "https://clerk.app.example",
      sub: "user_2GyvK",
      sid: "sess_2GyvL",
      sts: "active",
      v: 2,
      fva: [0, -1],
      nbf: now - 10,
      ...times(60),
    },
    foreign: [
      [{ azp: "https://other.example" }, "ERR_CLAIM_MISMATCH"],
      [{ azp: undefined }, "ERR_CLAIM_MISSING"],
    ],
  },
  "Amazon Cognito": {
    url: `${pool}/.well-known/jwks.json`,
    set: { keys: keys(() => ({ alg: "RS256", use: "sig" })) },
    // No `typ`.
    header: { kid: "current", alg: "RS256" },
    claims: {
      sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      "cognito:groups": ["admin"],
      iss: pool,
      version: 2,
      client_id: "1example23456789",
      origin_jti: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      event_id: "64f513be-32db-42b0-b78e-b02127b4f463",
      token_use: "access",
      scope: "aws.cognito.signin.user.admin",
      auth_time: now - 5,
      jti: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
      username: "alice",
      ...times(3600),
    },
    foreign: [
      [{ token_use: "id" }, "ERR_CLAIM_MISMATCH"],
      [{ client_id: "another" }, "ERR_CLAIM_MISMATCH"],
      [{ iss: `${pool}x` }, "ERR_ISSUER_MISMATCH"],
    ],
  },
  Google: {
    url: "https://www.googleapis.com/oauth2/v3/certs",
    headers: {
      "cache-control": "public, max-age=19845, must-revalidate, no-transform",
      "content-type": "application/json; charset=UTF-8",
      age: "1200",
    },
    set: { keys: keys(() => ({ use: "sig", alg: "RS256" })) },
    header: { alg: "RS256", kid: "current", typ: "JWT" },
    claims: {
      iss: "https://accounts.google.com",
      azp: "1234567890-abc.apps.googleusercontent.com",
      aud: "1234567890-abc.apps.googleusercontent.com",
      sub: "110169484474386276334",
      email: "alice@example.com",
      email_verified: true,
      nbf: now - 300,
      jti: "161803398874d",
      ...times(3600),
    },
    foreign: [
      [{ aud: "another.apps.googleusercontent.com" }, "ERR_AUDIENCE_MISMATCH"],
      [{ email: undefined }, "ERR_CLAIM_MISSING"],
    ],
  },
  "Microsoft Entra ID": {
    url: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
    set: {
      // No `alg`.
      keys: keys((kid) => ({
        use: "sig",
        x5t: kid,
        x5c: [certificate],
        cloud_instance_name: "microsoftonline.com",
        issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
      })),
    },
    header: { typ: "JWT", alg: "RS256", kid: "current" },
    claims: {
      aud: "00001111-aaaa-2222-bbbb-3333cccc4444",
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      nbf: now - 5,
      aio: "AXQAi/8TAAAA",
      azp: "22223333-cccc-4444-dddd-5555eeee6666",
      oid: "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb",
      rh: "0.AX0A",
      scp: "access_as_user",
      sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
      tid: tenant,
      uti: "fqiBqXLPj0eQa82S-IYFAA",
      ver: "2.0",
      ...times(3600),
    },
    foreign: [
      [{ aud: "api://00001111-aaaa-2222-bbbb-3333cccc4444" }, "ERR_AUDIENCE_MISMATCH"],
      [{ tid: "another" }, "ERR_CLAIM_MISMATCH"],
      [{ iss: `https://sts.windows.net/${tenant}/` }, "ERR_ISSUER_MISMATCH"],
    ],
  },
};

let server: KeyServer;
const real = globalThis.fetch;
const asked: string[] = [];

before(async () => {
  server = await startKeyServer();
  globalThis.fetch = (url, init) => {
    asked.push(`${url as string}`);
    return real(`${server.url}/sets/provider`, init);
  };
});
after(async () => {
  globalThis.fetch = real;
  await server.close();
});

/** What the server publishes from now on. */
async function publish(set: Json, headers: Record<string, string> = {}): Promise<void> {
  asked.length = 0;
  const body = JSON.stringify([{ body: JSON.stringify(set), headers }]);
  await (await real(`${server.url}/script/provider`, { method: "POST", body })).text();
}

/** The recipe under a heading. */
function recipe(heading: string): Block {
  const document = readFileSync("docs/providers.md", "utf8");
  const [, section = ""] = document.split(`\n## ${heading}\n`);
  const found = blocks("docs/providers.md").find(({ code }) => section.split("\n## ")[0]!.includes(code));
  assert.ok(found, heading);
  return found;
}

const bearer = (token: string): Request =>
  new Request("https://api.example/", { headers: { authorization: `Bearer ${token}` } });

for (const [name, { url, headers, set, header, claims, foreign }] of Object.entries(PROVIDERS)) {
  test(`${name}: a token of yours is accepted, and no other`, async () => {
    await publish(set, headers);
    const { verifier } = await run<{ verifier: Verifier }>(recipe(name));
    assert.deepEqual(asked, []);
    const accepted = await verifier.authenticate(bearer(tokenOf(current, header, claims)));
    assert.deepEqual(accepted.claims, claims);
    await verifier.verifyAsync(tokenOf(previous, { ...header, kid: "previous" }, claims));
    for (const [changes, code] of foreign) {
      const token = tokenOf(current, header, JSON.parse(JSON.stringify({ ...claims, ...changes })) as Json);
      await assert.rejects(verifier.verifyAsync(token), { code }, JSON.stringify(changes));
    }
    await assert.rejects(verifier.verifyAsync(tokenOf(stranger, header, claims)), { code: "ERR_SIGNATURE_INVALID" });
    const none = `${text({ ...header, alg: "none" })}.${text(claims)}.`;
    await assert.rejects(verifier.verifyAsync(none), { name: "WaxsealError" });
    assert.deepEqual(asked, [url], "one fetch, of the documented address");
  });
}

test("Clerk: the session cookie is read, and not from another site's page", async () => {
  const { set, header, claims } = PROVIDERS["Clerk"]!;
  await publish(set);
  const { verifier } = await run<{ verifier: Verifier }>({ ...recipe("Clerk"), name: "clerk-cookie" });
  const headers = { cookie: `__session=${tokenOf(current, header, claims)}` };
  assert.equal((await verifier.authenticate({ method: "GET", headers })).source, "cookie");
  const evil = { ...headers, origin: "https://evil.example" };
  await assert.rejects(verifier.authenticate({ method: "POST", headers: evil }), { code: "ERR_CROSS_SITE" });
});

test("Google: the other way to write its issuer is accepted", async () => {
  const { set, header, claims } = PROVIDERS["Google"]!;
  await publish(set);
  const { verifier } = await run<{ verifier: Verifier }>({ ...recipe("Google"), name: "google-issuer" });
  await verifier.verifyAsync(tokenOf(current, header, { ...claims, iss: "accounts.google.com" }));
});

test("Cloudflare Access: the header's token says who it is, for people and for service tokens", async () => {
  const certs = ["current", "previous"].map((kid) => ({ kid, cert: pem }));
  await publish({
    keys: keys(() => ({ alg: "RS256", use: "sig" })),
    public_cert: certs[0],
    public_certs: certs,
  });
  assert.throws(() => new X509Certificate(pem), "nothing may depend on what is no certificate");
  const { visitor } = await run<{ visitor(request: Request): Promise<string | undefined> }>(
    recipe("Cloudflare Access"),
  );
  const header = { kid: "current", alg: "RS256", typ: "JWT" };
  const claims: Json = {
    aud: ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"],
    email: "alice@example.com",
    ...times(86_400),
    nbf: now - 5,
    iss: team,
    type: "app",
    identity_nonce: "1zx1zx1zx1zx",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "PT",
  };
  const ask = (token?: string): Promise<string | undefined> =>
    visitor(
      new Request("https://app.example/", token === undefined ? {} : { headers: { "Cf-Access-Jwt-Assertion": token } }),
    );
  assert.equal(await ask(tokenOf(current, header, claims)), "alice@example.com");
  const { email: _, ...service } = claims;
  const named = { ...service, common_name: "e367826f93b8d71185e03fe518aff3b4.access", sub: "" };
  assert.equal(await ask(tokenOf(previous, { ...header, kid: "previous" }, named)), named.common_name);
  await assert.rejects(ask(tokenOf(current, header, { ...claims, aud: ["other"] })), { code: "ERR_AUDIENCE_MISMATCH" });
  await assert.rejects(ask(), { code: "ERR_TOKEN_MALFORMED" });
  assert.deepEqual(asked, [`${team}/cdn-cgi/access/certs`]);
});

test("several providers: the issuer chooses the set", async () => {
  const { set, header, claims } = PROVIDERS["Google"]!;
  await publish(set);
  const { verifier } = await run<{ verifier: Verifier }>(recipe("Several providers"));
  await verifier.verifyAsync(tokenOf(current, header, claims));
  assert.deepEqual(asked, [PROVIDERS["Google"]!.url]);
});
