// Scenes in which every error arises, each with secrets within reach of its author.

import { Published } from "./remote-support.js";
import type { Harness, Library } from "../harness/types.js";
import { trapping } from "./hostile.js";
import { accessCookie, post, refreshCookie, serve, withCookies } from "./session-support.js";
import { AUDIENCE, claims, ec, makeIssuer, makeVerifier, NOW, otherEc, rsa, signed } from "./support.js";

/** What must not stand in any error: the distinctive part of each secret that the calls below are given. */
export const MARK = "hunter2";

/** A call that must fail, and what is wrong with it. */
type Scene = [what: string, call: () => unknown];

/** Calls that must fail, each with secrets within reach of the error's author. */
async function failures(lib: Library): Promise<Scene[]> {
  const { privateJwk, publicJwk } = await ec();
  const verifier = await makeVerifier(lib, { cookie: "session", origins: ["https://app.example"] });
  const hunter = claims({ sub: MARK, [MARK]: MARK });
  const token = await signed(await ec(), hunter);
  const ask =
    (headers: Record<string, string>, method = "GET") =>
    () =>
      verifier.authenticate({ method, headers });
  const verifying =
    (overrides: object, text = token) =>
    async () =>
      (await makeVerifier(lib, overrides)).verify(text);
  const store = {
    get: async () => {
      throw new Error(MARK);
    },
  };
  const issuer = await makeIssuer(lib, {
    key: {
      alg: "RS256",
      kid: "k",
      sign: () => {
        throw new Error(MARK);
      },
      publicKey: (await rsa()).publicJwk,
    },
  });
  const cookie = { name: "session", value: MARK };
  return [
    ["malformed", () => verifier.verify(`${MARK}.${MARK}.${MARK}=`)],
    ["malformed header", () => verifier.verify(`${btoa(MARK).replaceAll("=", "")}.e30.`)],
    [
      "wrong signature",
      async () => verifier.verify(await signed(await otherEc(), hunter, { alg: "ES256", kid: "ec-1" })),
    ],
    ["unknown kid", async () => verifier.verify(await signed(await otherEc(), hunter, { alg: "ES256", kid: MARK }))],
    ["unknown algorithm", async () => verifier.verify(await signed(await ec(), hunter, { alg: MARK }))],
    [
      "unknown critical member",
      async () => verifier.verify(await signed(await ec(), hunter, { alg: "ES256", crit: [MARK], [MARK]: 1 })),
    ],
    ["wrong type", verifying({ typ: "x" }, await signed(await ec(), hunter, { alg: "ES256", typ: MARK }))],
    ["expired", verifying({ clock: () => NOW + 1e6 })],
    ["wrong issuer", verifying({ issuer: "x" }, await signed(await ec(), claims({ iss: MARK })))],
    ["wrong audience", verifying({ audience: "x" }, await signed(await ec(), claims({ aud: MARK })))],
    ["wrong subject", verifying({ subject: "x" })],
    ["wrong claim", verifying({ claims: { sub: "x" } })],
    ["wrong claim value expected", verifying({ claims: { iss: MARK } })],
    ["claim of the wrong type", async () => verifier.verify(await signed(await ec(), claims({ exp: MARK })))],
    ["not a claims set", async () => verifier.verify(await signed(await ec(), MARK))],
    ["too large", () => verifier.verify(MARK.repeat(2000))],
    ["not a string", () => verifier.verify([token] as never)],
    ["revoked store", async () => (await makeVerifier(lib, { revocation: { store } })).verifyAsync(token)],
    ["needs async", verifying({ revocation: { store } })],
    ["bearer", ask({ authorization: `Bearer ${token} ${MARK}` })],
    ["basic", ask({ authorization: `Basic ${MARK}` })],
    ["no credentials", ask({ cookie: `other=${MARK}` })],
    ["two cookies", ask({ cookie: `session=${token}; session=${MARK}` })],
    ["cross-site", ask({ cookie: `session=${token}`, origin: `https://${MARK}.example` }, "POST")],
    ["cookie value", () => lib.serializeSetCookie({ ...cookie, value: `${MARK};` })],
    ["cookie too large", () => lib.serializeSetCookie({ ...cookie, value: MARK.repeat(600) })],
    ["cookie prefix", () => lib.serializeSetCookie({ ...cookie, name: "__Host-a", domain: "example.com" })],
    ["cookie header", () => lib.parseCookie(MARK.repeat(20_000))],
    ["decode", () => lib.decodeUnverified(`${MARK}.${MARK}`)],
    ["private key for a verifier", () => makeVerifier(lib, { keys: { ...privateJwk, kid: MARK } })],
    ["key off the curve", () => makeVerifier(lib, { keys: { ...publicJwk, y: publicJwk["x"], kid: MARK } })],
    [
      "key of no known form",
      () => makeVerifier(lib, { keys: `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----` }),
    ],
    ["unusable signing key", () => makeIssuer(lib, { key: { ...privateJwk, d: MARK } })],
    ["unusable PEM", () => makeIssuer(lib, { key: `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----` })],
    ["failing signer", () => issuer.issue({ sub: MARK })],
    ["reserved claim", () => issuer.issue({ exp: MARK } as never)],
    ["unusable claim", () => issuer.issue({ x: [MARK, Number.NaN] } as never)],
    [
      "failing clock",
      verifying({
        clock: () => {
          throw new Error(MARK);
        },
      }),
    ],
    ["option with a secret", () => makeVerifier(lib, { subject: [MARK] })],
    [
      "option from a getter",
      () =>
        makeVerifier(lib, {
          claims: {
            get x() {
              throw new Error(MARK);
            },
          },
        }),
    ],
    ["not a key pair", () => lib.generateKeyPair(MARK as never)],
    ["not a thumbprint", () => lib.thumbprint({ kty: "EC", crv: "P-256", x: MARK, y: MARK })],
  ];
}

/** The same of sessions. */
async function sessionFailures(lib: Library): Promise<Scene[]> {
  const down = (): Promise<never> => Promise.reject(new Error(MARK));
  const { sessions } = await serve(lib, { validate: ({ sub }: { sub: string }) => sub !== "refused" });
  const held = await sessions.login(MARK, { claims: { [MARK]: MARK }, label: MARK });
  const [other, ended, refused] = [
    await sessions.login("other"),
    await sessions.login(MARK),
    await sessions.login("refused"),
  ];
  await sessions.end(MARK, ended.sessionId);
  const broken = await serve(lib, { store: { read: down, compareAndSwap: down } });
  const unwritable = await serve(lib, { revocation: { store: { get: async () => null, put: down } } });
  const unsigned = await serve(lib, {
    keys: { alg: "ES256", kid: MARK, publicKey: (await ec()).publicJwk, sign: down },
    refreshKeys: (await otherEc()).privateJwk,
  });
  const waiting = await unwritable.sessions.login(MARK);
  const making = (options: object) => () => serve(lib, options);
  return [
    ["a session that was ended", () => sessions.refresh(withCookies(ended))],
    ["a session that was revoked", () => sessions.authenticate(withCookies(ended))],
    ["cookies of two sessions", () => sessions.refresh(post(`${accessCookie(held)}; ${refreshCookie(other)}`))],
    ["claims that the application refuses", () => sessions.refresh(withCookies(refused))],
    ["a refresh without cookies", () => sessions.refresh(post(`other=${MARK}`))],
    ["a refresh from another site", () => sessions.refresh({ headers: { origin: `https://${MARK}.example` } })],
    ["a forged refresh token", () => sessions.refresh({ refreshToken: `${held.refreshToken.slice(0, -9)}${MARK}AA` })],
    ["a refresh token that is none", () => sessions.refresh({ refreshToken: MARK })],
    ["an access token as refresh token", () => sessions.refresh({ refreshToken: held.accessToken })],
    ["a session store that is down", () => broken.sessions.login(MARK)],
    [
      "a session store that is down for strong",
      () => broken.sessions.authenticate(withCookies(held), { strong: true }),
    ],
    ["a revocation store that cannot be written", () => unwritable.sessions.logout(withCookies(waiting))],
    ["a signer of sessions that fails", () => unsigned.sessions.login(MARK, { claims: { [MARK]: MARK } })],
    ["a reserved claim of a session", () => sessions.login(MARK, { claims: { sid: MARK } })],
    ["claims too large for a cookie", () => sessions.login(MARK, { claims: { x: MARK.repeat(600) } })],
    ["a label that is too long", () => sessions.login(MARK, { label: MARK.repeat(20) })],
    ["a KV namespace as session store", making({ store: { get: down, getWithMetadata: down, [MARK]: MARK } })],
    ["an audience for both tokens", making({ audience: MARK, refresh: { audience: MARK } })],
    ["a cookie name without its prefix", making({ cookies: { names: { access: MARK } } })],
    [
      "keys of sessions that are none",
      making({ keys: `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----` }),
    ],
  ];
}

/** A schema of the application that answers, or fails, as it is told. */
const schema = (validate: () => unknown): object => ({ "~standard": { version: 1, vendor: MARK, validate } });

/** The rest: what needs a set at a URL, a host that fails, or an application of its own. */
async function otherFailures(h: Harness, lib: Library): Promise<Scene[]> {
  const { publicJwk } = await ec();
  const { kid: _kid, ...nameless } = publicJwk;
  const { kid: _other, ...alsoNameless } = (await otherEc()).publicJwk;
  const token = await signed(await ec(), claims({ sub: MARK, [MARK]: MARK }));
  const bare = await signed(await ec(), claims({ sub: MARK }), { alg: "ES256" });
  const verifying =
    (overrides: object, text = token) =>
    async () =>
      (await makeVerifier(lib, overrides)).verifyAsync(text);
  const timed = async (times: object): Promise<string> => signed(await ec(), claims({ sub: MARK, ...times }));
  const down = await new Published(h).answers({ status: 500, body: MARK });
  const remote = (path: string): object => ({ keys: lib.remoteJwks(`${down.url}?${path}=${MARK}`) });
  const verifier = await makeVerifier(lib);
  const issuer = await makeIssuer(lib);
  const disposed = await makeIssuer(lib);
  disposed.dispose();
  const throwing = (): never => {
    throw new Error(MARK);
  };
  return [
    ["a key of another kind", verifying({ keys: { kty: "OKP", crv: MARK, x: MARK, kid: MARK } })],
    ["a symmetric key to sign with", () => makeIssuer(lib, { key: { kty: "oct", k: MARK } })],
    ["a weak key", async () => makeVerifier(lib, { keys: { ...(await rsa()).publicJwk, e: "Aw", kid: MARK } })],
    ["a set of keys that nobody can use", verifying({ keys: { keys: [{ kty: MARK, kid: MARK }] } })],
    ["two keys that fit", verifying({ keys: [nameless, alsoNameless] }, bare)],
    ["a set that cannot be fetched", verifying(remote("a"))],
    ["a set that was not fetched", async () => (await makeVerifier(lib, remote("b"))).verify(token)],
    [
      "an issuer that nobody knows",
      verifying(
        {
          issuers: ["https://a.example", "https://b.example"].map((name) => ({
            issuer: name,
            audience: AUDIENCE,
            keys: publicJwk,
          })),
          keys: undefined,
          issuer: undefined,
          audience: undefined,
        },
        await signed(await ec(), claims({ iss: MARK })),
      ),
    ],
    ["a claim that is missing", verifying({ requiredClaims: ["role"] })],
    ["a token that is not valid yet", verifying({}, await timed({ nbf: NOW + 300 }))],
    ["a token from the future", verifying({}, await timed({ iat: NOW + 300 }))],
    ["a token that is too old", verifying({ maxTokenAge: 5 })],
    [
      "a token that outlives revocation",
      verifying({ revocation: { store: { get: async () => MARK }, tokenLifetime: 60 } }),
    ],
    [
      "a schema that does not fit",
      verifying({ schema: schema(() => ({ issues: [{ message: MARK, path: ["sub"] }] })) }),
    ],
    ["a schema that throws", verifying({ schema: schema(throwing) })],
    [
      "a schema that takes its time",
      async () => (await makeVerifier(lib, { schema: schema(async () => ({ value: MARK })) })).verify(token),
    ],
    ["something that was disposed of", () => disposed.issue({ sub: MARK })],
    [
      "a host without random bytes",
      async () => {
        const whole = Object.getOwnPropertyDescriptor(crypto, "getRandomValues");
        Object.defineProperty(crypto, "getRandomValues", { value: throwing, configurable: true });
        try {
          return await issuer.issue({ sub: MARK });
        } finally {
          if (whole === undefined) Reflect.deleteProperty(crypto, "getRandomValues");
          else Object.defineProperty(crypto, "getRandomValues", whole);
        }
      },
    ],
    ["a module that fails at a token", () => trapping(() => verifier.verify(token))],
    ["a module that fails at claims", () => trapping(() => lib.decodeUnverified(token))],
  ];
}

/** Every scene, by what is wrong in it. */
export async function scenes(h: Harness, lib: Library): Promise<Scene[]> {
  return [...(await failures(lib)), ...(await sessionFailures(lib)), ...(await otherFailures(h, lib))];
}
