// Secrets in the memory of the module: where a private key is while it is in use, and that nothing of it is left behind.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { pem, pkcs8 } from "./der.js";
import { behindSignature, find, number, type Secrets, WINDOW } from "./memory.js";
import { serve, withCookies } from "./session-support.js";
import {
  bigEndian,
  concat,
  fromBase64url,
  generateKeys,
  type Keys,
  makeIssuer,
  makeVerifier,
  utf8,
} from "./support.js";

/** A pair of keys that no other test has. */
interface Fresh {
  readonly keys: Keys;
  /** The private half, as a number. */
  readonly d: bigint;
  /** The private half in PKCS#8. */
  readonly der: Uint8Array<ArrayBuffer>;
}

async function fresh(): Promise<Fresh> {
  const keys = await generateKeys("ES256", "fresh");
  const d = number(fromBase64url(keys.privateJwk["d"] as string));
  return { keys, d, der: await pkcs8(keys.cryptoPrivate) };
}

/** What is found of secrets, a line each. */
const found = (secrets: Secrets): string[] =>
  find(secrets).map(({ secret, form, address, length }) => `${secret}: ${form}, ${length} bytes at ${address}`);

type Form = (made: Fresh) => unknown;

/** Every form in which a private key is taken. */
const FORMS: Record<string, Form> = {
  "a JWK": ({ keys }) => keys.privateJwk,
  "the JSON text of a JWK": ({ keys }) => JSON.stringify(keys.privateJwk),
  "PKCS#8 in PEM": ({ der }) => pem("PRIVATE KEY", der),
  "PKCS#8 in PEM with CRLF": ({ der }) => pem("PRIVATE KEY", der, "\r\n"),
  "the bytes of the JSON text of a JWK": ({ keys }) => utf8(JSON.stringify(keys.privateJwk)),
  "the bytes of PKCS#8 in PEM": ({ der }) => utf8(pem("PRIVATE KEY", der)),
  "the bytes of PKCS#8 in DER": ({ der }) => der,
};

/** A JWK with some members replaced. */
const jwk =
  (change: (members: Keys["privateJwk"], d: string) => object): Form =>
  ({ keys: { privateJwk } }) => ({ ...privateJwk, ...change(privateJwk, privateJwk["d"] as string) });

const text =
  (change: (text: string) => string): Form =>
  ({ der }) =>
    change(pem("PRIVATE KEY", der));

/** Keys that have a secret, and something wrong with them. */
const SPOILT: Record<string, Form> = {
  "another public half": jwk(({ x, y }) => ({ x: y, y: x })),
  "the point of another key": jwk(() => ({
    // The generator (SEC 2 section 2.4.2).
    x: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
    y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
  })),
  "another curve": jwk(() => ({ crv: "P-384" })),
  "another kind": jwk(() => ({ kty: "OKP" })),
  "no kind": jwk(() => ({ kty: undefined })),
  "another purpose": jwk(() => ({ use: "enc" })),
  "a secret of zeros behind it": jwk((_, d) => ({ d: `${d.slice(0, 42)}AAAAAAA` })),
  "a secret that is too long": jwk((_, d) => ({ d: `${d}AAAA` })),
  "a secret that is too short": jwk((_, d) => ({ d: d.slice(0, -4) })),
  "a secret of no alphabet at its end": jwk((_, d) => ({ d: `${d.slice(0, -1)}!` })),
  "a secret with a letter beyond ASCII": jwk((_, d) => ({ d: `${d}\u00e9` })),
  "a secret with half of a surrogate pair": jwk((_, d) => ({ d: `${d}\ud800` })),
  "a secret with padding": jwk((_, d) => ({ d: `${d}=` })),
  "a secret in a list": jwk((_, d) => ({ d: [d] })),
  "a secret elsewhere": jwk((_, d) => ({ d: undefined, p: d, oth: [{ r: d }] })),
  "a member that is no data, after the secret": jwk(() => ({ z: () => undefined })),
  "a member that throws, after the secret": ({ keys }) =>
    Object.defineProperty({ ...keys.privateJwk }, "z", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    }),
  "the kind of RSA": jwk(({ x }) => ({ kty: "RSA", n: x, e: "AQAB", crv: undefined })),
  "the kind of a symmetric key": jwk((_, d) => ({ kty: "oct", k: d })),
  "JSON with a member twice": ({ keys }) => JSON.stringify(keys.privateJwk).replace("{", '{"d":"AAAA",'),
  "JSON with an escape in the secret": ({ keys }) => JSON.stringify(keys.privateJwk).replace('"d":"', '"d":"\\u0041'),
  "JSON without an end": ({ keys }) => JSON.stringify(keys.privateJwk).slice(0, -1),
  "PEM that is SEC1": ({ der }) => pem("EC PRIVATE KEY", der.slice(26)),
  "PEM of another label": ({ der }) => pem("SECRET KEY", der),
  "PEM without an end": text((whole) => whole.slice(0, -10)),
  "PEM of no alphabet at its end": text((whole) => whole.replace("\n-----END", "!\n-----END")),
  "PEM with a letter beyond ASCII": text((whole) => `${whole}\u00e9`),
  "DER that ends too early": ({ der }) => pem("PRIVATE KEY", der.slice(0, -1)),
  "DER with another public half": ({ der }) =>
    pem("PRIVATE KEY", concat(der.slice(0, -1), Uint8Array.of((der.at(-1) as number) ^ 1))),
  "the bytes of DER that goes on": ({ der }) => concat(der, Uint8Array.of(0)),
  "bytes that are none of these": ({ der }) => concat(Uint8Array.of(0), der),
};

/** Everything that is given keys, with none of them in use at its end. The last five are meant for public ones. */
function uses(lib: Library): Record<string, (key: never) => unknown> {
  const { publicJwk, publicJwks, thumbprint, toJwk, toPem } = lib;
  return {
    createIssuer: async (key) => (await makeIssuer(lib, { key })).dispose(),
    createSessions: async (key) => (await serve(lib, { keys: key })).sessions.dispose(),
    "createSessions, for refresh tokens": async (key) => (await serve(lib, { refreshKeys: key })).sessions.dispose(),
    "createIssuer, to be published": async (key) => {
      const { privateKey } = await lib.generateKeyPair("ES256");
      (await makeIssuer(lib, { key: [privateKey, key] })).dispose();
    },
    "createIssuer, with a wrong option": async (key) => makeIssuer(lib, { key, nosuch: 1 }),
    publicJwk,
    publicJwks: (key) => publicJwks([key]),
    "publicJwks, in a set": (key) => publicJwks({ keys: [key] }),
    thumbprint,
    toJwk,
    toPem,
    createVerifier: async (key) => makeVerifier(lib, { keys: key }),
    "createVerifier, in a set": async (key) => makeVerifier(lib, { keys: { keys: [key] } }),
    "createVerifier, with a wrong option": async (key) => makeVerifier(lib, { keys: key, nosuch: 1 }),
    "createVerifier, beside what is no data": async (key) => makeVerifier(lib, { keys: [key, () => undefined] }),
    explain: async (key) => lib.explain("a.b.c", { keys: key, issuer: null, audience: null }),
  };
}

/** Makes a call that may be refused, but must not fail in any other way. */
async function refusable(lib: Library, call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof lib.WaxsealError) || error.code === "ERR_INTERNAL") throw error;
  }
}

export const secrets: Suite = async (h, lib) => {
  await lib.init();

  h.test("the search finds a secret in every form, whole and in part", () => {
    const value = number(Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 3));
    const big = bigEndian(value, 32);
    const planted = new Uint8Array(4096);
    planted.set(big, 101);
    planted.set(big.slice(9, 9 + WINDOW).reverse(), 1003);
    planted.set(utf8(btoa(String.fromCharCode(1, 2, 3, 4, ...big))).slice(10, 30), 2001);
    deepEqual(
      find({ d: value }, planted).map(({ address, length }) => [address, length]),
      [
        [101, 32],
        [1003, WINDOW],
        [2001, 20],
      ],
    );
    planted.fill(0);
    planted.set(big.slice(0, WINDOW - 1));
    deepEqual(find({ d: value }, planted), []);
  });

  for (const [name, form] of Object.entries(FORMS)) {
    h.test(
      `a key given as ${name} stands in memory once while it is in use, and not at all after dispose`,
      async () => {
        const made = await fresh();
        const issuer = await makeIssuer(lib, { key: form(made) });
        const imported = found({ d: made.d });
        equal(imported.length, 1, imported.join("\n"));
        const token = await issuer.issue({ sub: "alice" });
        const behind: Secrets = { d: made.d, ...(await behindSignature(made.d, token)) };
        deepEqual(found(behind), imported);
        issuer.dispose();
        deepEqual(found(behind), []);
        await rejects(() => issuer.issue({}), "ERR_DISPOSED");
      },
    );
  }

  h.test("keys of sessions stand in memory once each, whatever they sign, and not at all after dispose", async () => {
    const [access, refresh] = [await fresh(), await fresh()];
    const { sessions } = await serve(lib, { keys: access.keys.privateJwk, refreshKeys: refresh.der });
    const behind: Secrets = { access: access.d, refresh: refresh.d };
    const held = found(behind);
    equal(held.length, 2, held.join("\n"));
    const first = await sessions.login("alice");
    const second = await sessions.refresh(withCookies(first));
    for (const [i, { accessToken, refreshToken }] of [first, second].entries()) {
      for (const [{ d }, token] of [
        [access, accessToken],
        [refresh, refreshToken],
      ] as const) {
        for (const [name, value] of Object.entries(await behindSignature(d, token))) {
          behind[`${name}, ${d === access.d ? "access" : "refresh"} token ${i}`] = value;
        }
      }
    }
    deepEqual(found(behind), held);
    sessions.dispose();
    deepEqual(found(behind), []);
    await rejects(() => sessions.login("alice"), "ERR_DISPOSED");
  });

  h.test("a key that was generated, or made a JWK of, is left nowhere", async () => {
    const { privateKey } = await lib.generateKeyPair("ES256");
    const { d, der } = await fresh();
    equal((await lib.toJwk(pem("PRIVATE KEY", der))).kty, "EC");
    deepEqual(found({ generated: number(fromBase64url(privateKey.d as string)), converted: d }), []);
  });

  for (const [what, use] of Object.entries(uses(lib))) {
    h.test(
      `${what}: nothing is left of a key, whether it is taken or refused, and whatever is wrong with it`,
      async () => {
        for (const [name, form] of Object.entries({ ...FORMS, ...SPOILT })) {
          const made = await fresh();
          const key = form(made);
          await refusable(lib, () => use(key as never));
          deepEqual(found({ [`${what}, ${name}`]: made.d }), []);
        }
      },
    );
  }

  h.test("nothing is left of an RSA private key, in any form and of any member", async () => {
    const keys = await generateKeys("RS256", "fresh-rsa");
    const der = await pkcs8(keys.cryptoPrivate);
    const parts: Secrets = {};
    for (const name of ["d", "p", "q", "dp", "dq", "qi"]) {
      const bytes = fromBase64url(keys.privateJwk[name] as string);
      for (let at = 0; at + 32 <= bytes.length; at += 32) parts[`${name}[${at}]`] = number(bytes.slice(at, at + 32));
    }
    for (const key of [
      keys.privateJwk,
      JSON.stringify(keys.privateJwk),
      pem("PRIVATE KEY", der),
      der,
      utf8(JSON.stringify(keys.privateJwk)),
      utf8(pem("PRIVATE KEY", der)),
    ]) {
      const issuer = await makeIssuer(lib, { key });
      const verifier = await makeVerifier(lib, { keys: issuer.jwks() });
      verifier.verify(await issuer.issue({ sub: "alice" }));
      deepEqual(found(parts), []);
      await refusable(lib, () => makeVerifier(lib, { keys: key }));
      deepEqual(found(parts), []);
      issuer.dispose();
    }
  });

  h.test(
    "bytes stay the caller's, who may overwrite them at once; the copies of the library are overwritten by dispose",
    async () => {
      const { keys, der } = await fresh();
      const encoded: Uint8Array[] = [];
      const { encode } = TextEncoder.prototype;
      let issuers: Awaited<ReturnType<typeof makeIssuer>>[];
      try {
        TextEncoder.prototype.encode = function (given) {
          const bytes = encode.call(this, given);
          encoded.push(bytes);
          return bytes;
        };
        issuers = [
          await makeIssuer(lib, { key: keys.privateJwk }),
          await makeIssuer(lib, { key: pem("PRIVATE KEY", der) }),
          await makeIssuer(lib, { key: der }),
        ];
      } finally {
        TextEncoder.prototype.encode = encode;
      }
      ok(
        der.some((byte) => byte !== 0),
        "the caller's bytes are as they were",
      );
      der.fill(0);
      for (const issuer of issuers) {
        const verifier = await makeVerifier(lib, { keys: issuer.jwks() });
        verifier.verify(await issuer.issue({ sub: "alice" }));
      }
      const d = utf8(keys.privateJwk["d"] as string);
      const copies = encoded.filter((bytes) => bytes.length >= d.length);
      ok(copies.length >= 2, "both texts were encoded");
      for (const issuer of issuers) issuer.dispose();
      ok(
        copies.every((bytes) => bytes.every((byte) => byte === 0)),
        "they are overwritten",
      );
    },
  );
};
