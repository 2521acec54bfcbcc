// Errors: their shape, and that nothing secret ever stands in one.

import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { NOW, claims, ec, makeIssuer, makeVerifier, otherEc, rsa, signed } from "./support.js";

interface Failure {
  code: string;
  step: string;
  status: number;
  message: string;
  stack?: string;
  wwwAuthenticate?: string;
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

export const errors: Suite = async (h, lib) => {
  const calls = await failures(lib);
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

  h.test("an error with 401 carries a challenge, and a failed server is not blamed on the client", async () => {
    const statuses = new Set<number>();
    for (const [what, call] of calls) {
      const error = (await caught(call)) as Failure;
      statuses.add(error.status);
      if (error.status === 401) ok(error.wwwAuthenticate?.startsWith("Bearer"), what);
      if (error.status === 403 || error.status >= 500) equal(error.wwwAuthenticate, undefined, what);
    }
    deepEqual([...statuses].sort(), [400, 401, 403, 500, 503]);
  });

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
