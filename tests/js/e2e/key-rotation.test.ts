/** docs/key-rotation.md: keys are really replaced, by its own code, and nobody is signed out before it says so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createVerifier,
  decodeUnverified,
  generateKeyPair,
  type Issuer,
  type JWK,
  type JwkSet,
  type Sessions,
  type SessionStore,
  publicJwk,
  type SignedIn,
} from "waxseal";
import { memoryStore } from "waxseal/stores/memory";
import { blocks, cookiesOf, run } from "./documents.js";

const [publishing, issuing, signing] = blocks("docs/key-rotation.md");
const { serveJwks } = await run<{ serveJwks(source: { jwks(): JwkSet }): Response }>(publishing!);
const { stages, issuerWith } = await run<{
  stages(old: JWK, next: JWK): JWK[][];
  issuerWith(key: JWK[]): Promise<Issuer>;
}>(issuing!);
const { sessionsWith } = await run<{
  sessionsWith(keys: JWK[], refreshKeys: JWK[], store: SessionStore): Promise<Sessions>;
}>(signing!);

const privateKey = async (): Promise<JWK> => (await generateKeyPair("ES256")).privateKey;
const kidOf = (token: string): unknown => decodeUnverified(token).header["kid"];

/** A service elsewhere, with a copy of the set that it has fetched. */
async function verifierOf(issuer: Issuer) {
  const keys = (await serveJwks(issuer).json()) as JwkSet;
  return createVerifier({ keys, issuer: "https://id.example", audience: "https://api.example" });
}

test("the published set has kid, use and alg, nothing private, and headers for caches", async () => {
  const [old, next] = [await privateKey(), await privateKey()];
  const response = serveJwks(await issuerWith([next, old]));
  assert.equal(response.headers.get("content-type"), "application/jwk-set+json");
  assert.equal(response.headers.get("cache-control"), "public, max-age=300");
  const { keys } = (await response.json()) as JwkSet;
  for (const [at, { kid }] of [next, old].entries()) {
    const { use, alg, d } = keys[at]!;
    assert.deepEqual([keys[at]?.kid, use, alg, d], [kid, "sig", "ES256", undefined]);
  }
});

test("tokens of both keys verify at every stage, by sets of one stage before, until the old key is gone", async () => {
  const [old, next] = [await privateKey(), await privateKey()];
  const issuers = await Promise.all(stages(old, next).map(issuerWith));
  const tokens = await Promise.all(issuers.map((issuer) => issuer.issue({ sub: "alice" })));
  assert.deepEqual(tokens.map(kidOf), [old.kid, old.kid, next.kid, next.kid]);
  for (const [stage, issuer] of issuers.entries()) {
    const fresh = await verifierOf(issuer);
    const stale = await verifierOf(issuers[Math.max(stage - 1, 0)]!);
    // What is issued at a stage is accepted by who has the set of that stage, or still the one before.
    for (const verifier of [fresh, stale]) assert.equal(verifier.verify(tokens[stage]!).claims.sub, "alice");
    if (stage < 3) assert.equal(fresh.verify(tokens[0]!).claims.sub, "alice");
    else assert.throws(() => fresh.verify(tokens[0]!), { code: "ERR_KEY_NOT_FOUND" });
  }
  // Without the first stage, a service with the old set refuses new tokens: that is what it is for.
  const hasty = await verifierOf(issuers[0]!);
  assert.throws(() => hasty.verify(tokens[2]!), { code: "ERR_KEY_NOT_FOUND" });
});

test("of the old key an issuer needs the public half alone", async () => {
  const { publicKey: old } = await generateKeyPair("ES256");
  const issuer = await issuerWith([await privateKey(), old]);
  assert.equal(issuer.jwks().keys[1]?.kid, old.kid);
});

const ORIGIN = "https://app.example";
const withCookies = (cookie: string) =>
  new Request(ORIGIN, { method: "POST", headers: { cookie, origin: ORIGIN, "sec-fetch-site": "same-origin" } });
const held = (signedIn: SignedIn, before = ""): string => cookiesOf(signedIn.headers.getSetCookie(), before);

test("sessions go on through every stage, and only who never came back has to sign in", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-22T10:00:00Z") });
  const keys = stages(await privateKey(), await privateKey());
  const refreshKeys = stages(await privateKey(), await privateKey());
  const store = memoryStore();
  // From the second stage on, the old private keys are gone.
  const at = (stage: number) => {
    const [access, refresh] = [keys[stage]!, refreshKeys[stage]!].map((all) =>
      all.map((key, place) => (stage === 2 && place > 0 ? publicJwk(key) : key)),
    );
    return sessionsWith(access!, refresh!, store);
  };
  const login = async () =>
    held(await (await at(0)).login("alice", { request: new Request(ORIGIN, { headers: { origin: ORIGIN } }) }));

  let [active, idle] = [await login(), await login()];
  const kids: unknown[] = [];
  for (const stage of [0, 1, 2]) {
    const sessions = await at(stage);
    for (const cookies of [active, idle]) {
      assert.equal((await sessions.authenticate(withCookies(cookies))).claims.sub, "alice");
    }
    t.mock.timers.tick(60_000);
    const refreshed = await sessions.refresh(withCookies(active));
    active = held(refreshed, active);
    kids.push(kidOf(refreshed.accessToken), kidOf(refreshed.refreshToken));
  }
  const [[old], , [next]] = keys as [JWK[], unknown, JWK[]];
  const [[oldRefresh], , [nextRefresh]] = refreshKeys as [JWK[], unknown, JWK[]];
  const before = [old?.kid, oldRefresh?.kid];
  assert.deepEqual(kids, [...before, ...before, next?.kid, nextRefresh?.kid]);

  const last = await at(3);
  assert.equal((await last.authenticate(withCookies(active))).claims.sub, "alice");
  t.mock.timers.tick(60_000);
  active = held(await last.refresh(withCookies(active)), active);
  assert.equal((await last.authenticate(withCookies(active))).claims.sub, "alice");
  await assert.rejects(last.authenticate(withCookies(idle)), { code: "ERR_KEY_NOT_FOUND" });
  await assert.rejects(last.refresh(withCookies(idle)), { status: 401 });
});

test("a leaked key of access tokens, replaced at once, signs out browsers, and no client with a refresh token of its own", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-22T10:00:00Z") });
  const [leaked, next, refresh] = [await privateKey(), await privateKey(), await privateKey()];
  const store = memoryStore();
  const signedIn = await (await sessionsWith([leaked], [refresh], store)).login("alice");
  const sessions = await sessionsWith([next], [refresh], store);
  t.mock.timers.tick(60_000);
  await assert.rejects(sessions.authenticate(withCookies(held(signedIn))), { code: "ERR_KEY_NOT_FOUND" });
  await assert.rejects(sessions.refresh(withCookies(held(signedIn))), { status: 401 });
  const { accessToken } = await sessions.refresh({ refreshToken: signedIn.refreshToken });
  assert.equal(kidOf(accessToken), next.kid);
});
