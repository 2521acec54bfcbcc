// What random calls are made on: verifiers, issuers, sessions and stores, of which some have callbacks that answer anything;
// and the values that mean something to them.

import type { Issuer, Sessions, Verifier } from "waxseal";
import type { Library } from "../../harness/types.js";
import { MemoryStore } from "../memory-store.js";
import { APP, Records, cookiesOf, serve, withCookies } from "../session-support.js";
import { AUDIENCE, ISSUER, NOW, claims, ec, makeIssuer, makeVerifier, otherEc, rsa, signed } from "../support.js";
import { type Given, data, leaf } from "./values.js";

/** Everything that calls are made on. */
export interface Ground {
  readonly samples: readonly Given[];
  /** Arguments that a function takes, by the end of its recipe's name. */
  readonly fitting: Readonly<Record<string, readonly (readonly Given[])[]>>;
  /** What no message may contain a piece of. */
  readonly secrets: readonly string[];
  readonly verifier: Verifier;
  /** With a cookie, a schema, a cache, and a revocation store that works. */
  readonly full: Verifier;
  /** Whose clock, store, schema and listener answer anything. */
  readonly wild: Verifier;
  readonly issuer: Issuer;
  /** With keys that a callback of the caller's uses, in its own way. */
  readonly wildIssuer: Issuer;
  readonly sessions: Sessions;
  readonly wildSessions: Sessions;
  /** What a verifier has thrown. */
  readonly refusal: unknown;
  /** A token that verifies. */
  readonly token: string;
  /** How often an instance was replaced. */
  replaced(): number;
  dispose(): void;
}

/** What a callback of the caller's may do: answer as it should, answer anything, or throw. */
export type Anything = (usual: unknown) => unknown;

/** Makes it; callbacks of what is wild answer what `anything` gives at the time. */
export async function makeGround(lib: Library, anything: Anything): Promise<Ground> {
  const [keys, other, rsaKeys] = [await ec(), await otherEc(), await rsa()];
  let replaced = 0;
  const onEvent = ({ type }: { type: string }): void => {
    if (type === "instance-replaced") replaced += 1;
  };
  const wildEvent = (event: { type: string }): unknown => {
    onEvent(event);
    return anything(undefined);
  };
  const token = await signed(keys);
  const store = { get: async () => null, put: async () => undefined };
  const kept = new Records();
  const wildStore = {
    get: () => anything(null),
    put: () => anything(undefined),
    read: (key: string) => anything(kept.read(key)),
    compareAndSwap: (...given: Parameters<Records["compareAndSwap"]>) => anything(kept.compareAndSwap(...given)),
  };
  const standard = (validate: (value: unknown) => unknown): object => ({
    "~standard": { version: 1, vendor: "test", validate },
  });
  const verifier = await makeVerifier(lib, { onEvent });
  const full = await makeVerifier(lib, {
    onEvent,
    keys: [keys.publicJwk, rsaKeys.publicJwk],
    cookie: "session",
    origins: [APP],
    cache: { max: 16 },
    schema: standard((value) => ({ value })),
    revocation: { store, timeout: 0.01 },
  });
  const wild = await makeVerifier(lib, {
    onEvent: wildEvent,
    clock: () => anything(NOW),
    cookie: "session",
    schema: standard((value) => anything({ value })),
    revocation: { store: wildStore, timeout: 0.01, onFailure: "accept" },
  });
  const issuer = await makeIssuer(lib);
  const wildIssuer = await makeIssuer(lib, {
    key: { alg: "RS256", kid: "k", sign: () => anything(new Uint8Array(256)), publicKey: rsaKeys.publicJwk },
  });
  const { sessions } = await serve(lib, { timeout: 0.05, onEvent });
  const wilds = { onEvent: wildEvent, timeout: 0.01, store: wildStore, client: () => anything("client") };
  const wildSessions = (
    await serve(lib, {
      ...wilds,
      validate: () => anything(true),
      clock: () => anything(NOW),
      revocation: { store: wildStore, timeout: 0.01 },
    })
  ).sessions;

  const [held, second] = [await sessions.login("alice"), await sessions.login("bob", { claims: { role: "x" } })];
  const cookie = cookiesOf(held);
  const options = { issuer: ISSUER, audience: AUDIENCE, clock: () => NOW };
  const verifying = { ...options, keys: keys.publicJwk };
  const sessionOptions = {
    ...options,
    keys: keys.privateJwk,
    refreshKeys: other.privateJwk,
    origins: [APP],
    store: { read: async () => null, compareAndSwap: async () => true },
    revocation: null,
  };
  const remote = lib.remoteJwks("https://keys.example/set.json", {
    fetch: async () => Response.json({ keys: [keys.publicJwk] }),
  });
  const pem = await lib.toPem(keys.publicJwk);
  const privatePem = await lib.toPem(keys.privateJwk);
  const create = { ...options, key: keys.privateJwk, expiresIn: 60 };
  const cookieOptions = { name: "__Host-a", value: "b", maxAge: 60, sameSite: "Strict" };
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  const signedIn = { method: "POST", headers: { cookie, "sec-fetch-site": "same-origin" } };
  const presented = { refreshToken: held.refreshToken };
  const login = { claims: { role: "x" }, label: "phone" };
  const fits = (...lists: unknown[][]): Given[][] => lists.map((list) => list.map((one) => data(one)));
  const cookieCalls = fits([cookieOptions], [{ name: "a", value: "b", domain: "x.example", expires: NOW }]);
  const keyCalls = fits([keys.publicJwk], [rsaKeys.publicJwk], [keys.privateJwk], [pem]);
  const fitting: Ground["fitting"] = {
    createVerifier: fits([verifying], [{ ...verifying, revocation: { store, timeout: 0.01 }, cache: { max: 4 } }]),
    createIssuer: fits([create]),
    createSessions: fits([sessionOptions]),
    explain: fits([token, verifying]),
    remoteJwks: fits(["https://keys.example/", { maxAge: 60 }]),
    serializeSetCookie: cookieCalls,
    serializeClearCookie: cookieCalls,
    checkCookie: cookieCalls,
    parseCookie: fits([cookie], [`session=${token}; a=b`]),
    thumbprint: keyCalls,
    publicJwk: keyCalls,
    publicJwks: keyCalls,
    toJwk: fits([pem], [privatePem]),
    toPem: fits([keys.privateJwk], [keys.publicJwk]),
    decodeUnverified: fits([token]),
    tableMemory: fits([{ limit: 1 << 20 }]),
    generateKeyPair: fits(["ES256"]),
    verify: fits([token], [token, { now: NOW }]),
    verifyAsync: fits([token], [token, { now: NOW }]),
    authenticate: fits(
      [bearer],
      [{ headers: { cookie: `session=${token}` } }],
      [signedIn],
      [signedIn, { strong: true }],
    ),
    checkCrossSite: fits([signedIn], [bearer]),
    revokeToken: fits([claims()]),
    revokeSession: fits(["session-1"]),
    revokeSubject: fits(["alice", { before: NOW }], ["alice", { version: 2 }]),
    issue: fits([{ sub: "alice" }, { expiresIn: 60 }]),
    login: fits(["carol", login], ["carol"]),
    refresh: fits([presented], [signedIn]),
    logout: fits([presented], [signedIn]),
    logoutEverywhere: fits(["bob"]),
    end: fits(["alice", held.sessionId]),
    list: fits(["alice"]),
    sweep: fits(["alice"]),
    read: fits(["wx1:key"]),
    get: fits(["wx1:key"]),
    getMany: fits([["wx1:key", "wx1:other"]]),
    put: fits(["wx1:key", "entry", { expirationTtl: 60 }]),
    compareAndSwap: fits(["wx1:key", null, "next", NOW]),
    onEvent: fits([{ type: "rejected", code: "ERR_TOKEN_EXPIRED", step: "policy" }]),
    handler: fits([bearer]),
    handlers: fits([signedIn, "carol"]),
  };
  const samples = [
    ...[token, `Bearer ${token}`, `session=${token}`, cookie, held.refreshToken, second.accessToken, pem, privatePem],
    ...[await signed(rsaKeys), `__Host-access=${second.accessToken}; a=b; a=c`, "alice", held.sessionId],
    ...[keys.publicJwk, keys.privateJwk, rsaKeys.publicJwk, { keys: [keys.publicJwk, other.publicJwk] }],
    ...[verifying, { ...verifying, revocation: { store, timeout: 0.01 }, cache: { max: 4 }, cookie: "session" }],
    { clock: () => NOW, issuers: [{ issuer: ISSUER, audience: null, keys: keys.publicJwk }] },
    create,
    { alg: "ES256", kid: "k", publicKey: keys.publicJwk, sign: async () => new Uint8Array(64) },
    ...[sessionOptions, claims(), { sub: "alice", scope: "read" }, { expiresIn: 60, typ: "at+jwt" }, { now: NOW }],
    cookieOptions,
    { name: "a", value: "b", domain: "x.example", path: "/p", expires: NOW, partitioned: true, priority: "High" },
    signedIn,
    { method: "GET", headers: { cookie: `session=${token}` } },
    ...[bearer, presented, { ...login, request: withCookies(held) }, { strong: true }, { limit: 1 << 20 }],
    { type: "rejected", code: "ERR_TOKEN_EXPIRED", step: "policy" },
  ].map((sample) => data(sample));
  samples.push(
    leaf("Headers with a token", () => new Headers({ authorization: `Bearer ${token}` })),
    leaf("a Request with a token", () => new Request(APP, { headers: { authorization: `Bearer ${token}` } })),
    leaf("a Request with cookies", () => new Request(APP, { method: "POST", headers: { cookie, origin: APP } })),
    leaf("a remote set", () => remote),
    leaf("a verifier", () => verifier),
    leaf("sessions", () => sessions),
    leaf("a store", () => new MemoryStore()),
    leaf("a refusal", () => refusal),
  );
  const refusal: unknown = await verifier.verifyAsync("x").catch((error: unknown) => error);
  const privateMembers = [keys, other, rsaKeys].map(({ privateJwk }) => String(privateJwk["d"]));
  const tokens = [token, held.accessToken, held.refreshToken, second.accessToken, second.refreshToken];
  return {
    samples,
    fitting,
    // Of a token what is its own: its header is that of all others.
    secrets: [...privateMembers, ...tokens.flatMap((text) => text.split(".").slice(1)), privatePem.slice(28, -27)],
    verifier,
    full,
    wild,
    issuer,
    wildIssuer,
    sessions,
    wildSessions,
    refusal,
    token,
    replaced: () => replaced,
    dispose() {
      for (const each of [verifier, full, wild, issuer, wildIssuer, sessions, wildSessions, remote]) each.dispose();
    },
  };
}
