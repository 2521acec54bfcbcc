// Errors: their shape, and that nothing secret ever stands in one.

import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { post, refreshCookie, serve, accessCookie, withCookies } from "./session-support.js";
import { NOW, claims, ec, makeIssuer, makeVerifier, otherEc, rsa, signed } from "./support.js";

interface Failure {
  code: string;
  step: string;
  status: number;
  message: string;
  stack?: string;
  wwwAuthenticate?: string;
  retryAfter?: number;
}

const STEPS = [
  "configuration",
  "request",
  "size",
  "segments",
  "header",
  "key",
  "signature",
  "claims",
  "policy",
  "revocation",
  "session",
  "schema",
  "issue",
  "cookie",
  "runtime",
];

/** What must not stand in any error: the distinctive part of each secret that the calls below are given. */
const MARK = "hunter2";

/** Calls that must fail, each with secrets within reach of the error's author. */
async function failures(lib: Library): Promise<[string, () => unknown][]> {
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

async function caught(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The error as a log would show it, in every way that is common. */
function shown(error: Failure): string {
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  const chain = Reflect.get(error, "cause");
  return [String(error), JSON.stringify(error), error.message, ...own, String(chain)].join("\n");
}

/** The same of sessions. */
async function sessionFailures(lib: Library): Promise<[string, () => unknown][]> {
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

export const errors: Suite = async (h, lib) => {
  const calls = [...(await failures(lib)), ...(await sessionFailures(lib))];
  for (const [what, call] of calls) {
    h.test(`the error for ${what} has a code, step and status, and shows nothing of what was given`, async () => {
      const error = (await caught(call)) as Failure;
      ok(error instanceof lib.WaxsealError, `a WaxsealError and not ${String(error)}`);
      ok(error instanceof Error);
      equal(error.name, "WaxsealError");
      ok(/^ERR_[A-Z_]+$/.test(error.code), error.code);
      ok(STEPS.includes(error.step), error.step);
      ok([400, 401, 403, 500, 503].includes(error.status), String(error.status));
      ok(error.message.length > 15, "a message that says something");
      ok(
        error.stack?.includes(error.code) || error.stack === undefined || error.stack.includes(error.message),
        "a stack of its own",
      );
      const text = shown(error);
      ok(!text.includes(MARK), `the secret stands in: ${text}`);
      const { privateJwk, publicJwk } = await ec();
      for (const member of [privateJwk["d"], publicJwk["x"], publicJwk["y"]] as string[])
        ok(!text.includes(member), "key material");
      ok(!/eyJ[\w-]{20,}/.test(text), "a piece of a token");
    });
  }

  h.test(
    "an error with 401 carries a challenge, one with 503 says when to try again, and no other does either",
    async () => {
      const statuses = new Set<number>();
      for (const [what, call] of calls) {
        const error = (await caught(call)) as Failure;
        statuses.add(error.status);
        if (error.status === 401) ok(error.wwwAuthenticate?.startsWith("Bearer"), what);
        if (error.status === 403 || error.status >= 500) equal(error.wwwAuthenticate, undefined, what);
        equal(error.retryAfter, error.status === 503 ? 1 : undefined, what);
      }
      deepEqual([...statuses].sort(), [400, 401, 403, 500, 503]);
    },
  );

  h.test("a challenge is a header value that a response accepts", async () => {
    for (const [what, call] of calls) {
      const { wwwAuthenticate } = (await caught(call)) as Failure;
      if (wwwAuthenticate === undefined) continue;
      equal(
        new Response(null, { headers: { "www-authenticate": wwwAuthenticate } }).headers.get("www-authenticate"),
        wwwAuthenticate,
        what,
      );
      ok(
        /^Bearer( error="(invalid_token|invalid_request)", error_description="[ -~]+")?$/.test(wwwAuthenticate),
        wwwAuthenticate,
      );
    }
  });

  h.test("nothing is written to the console, whatever fails", async () => {
    const names = ["log", "info", "warn", "error", "debug", "trace"] as const;
    const originals = names.map((name) => console[name]);
    let written = 0;
    try {
      for (const name of names)
        console[name] = () => {
          written += 1;
        };
      for (const [, call] of calls) await caught(call);
    } finally {
      for (const [i, name] of names.entries()) console[name] = originals[i] as () => void;
    }
    equal(written, 0);
  });

  h.test("the same failure gives the same message twice, and two signature failures cannot be told apart", async () => {
    const verifier = await makeVerifier(lib);
    const header = { alg: "ES256", kid: "ec-1" };
    const forged = await signed(await otherEc(), claims(), header);
    const other = await signed(await otherEc(), claims({ sub: "bob" }), header);
    const short = forged.slice(0, -42);
    const failed = (await Promise.all(
      [forged, forged, other, short].map((token) => caught(() => verifier.verify(token))),
    )) as Failure[];
    equal(new Set(failed.map((error) => `${error.code} ${error.message}`)).size, 1);
  });
};
