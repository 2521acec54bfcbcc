// Keys: every form in which one may be given, what makes one unusable, how a set chooses, and RFC 7638 thumbprints.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { certificate, der, pem, pkcs1, pkcs8, spki } from "./der.js";
import {
  base64url,
  bigEndian,
  claims,
  concat,
  ec,
  fromBase64url,
  generateKeys,
  makeVerifier,
  otherEc,
  rsa,
  signed,
  utf8,
} from "./support.js";
import type { Json, Keys, Members } from "./support.js";

const RFC7638 = {
  kty: "RSA",
  n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
  e: "AQAB",
  alg: "RS256",
  kid: "2011-04-29",
};

/** The thumbprint of RFC 7638, by WebCrypto. */
async function thumbprintByWebCrypto(jwk: Members): Promise<string> {
  const names = jwk["kty"] === "EC" ? ["crv", "kty", "x", "y"] : ["e", "kty", "n"];
  const canonical = JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]])));
  return base64url(await crypto.subtle.digest("SHA-256", utf8(canonical)));
}

function without(jwk: Members, ...names: string[]): Members {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));
}

export const keys: Suite = (h, lib) => {
  const accepts = async (given: unknown, pair: Keys, header?: Members): Promise<void> => {
    const verifier = await makeVerifier(lib, { keys: given });
    deepEqual(verifier.verify(await signed(pair, claims(), header)).claims, claims());
  };
  const refuses = async (given: unknown, code: string, message?: string): Promise<Error> =>
    rejects(makeVerifier(lib, { keys: given }), { code, status: 500, step: "configuration" }, message);

  const forms: [string, (pair: Keys) => Promise<unknown>][] = [
    ["a JWK", async (pair) => pair.publicJwk],
    ["a JWK with its required members alone", async (pair) => without(pair.publicJwk, "kid", "use", "alg")],
    ["a JWK with members nobody knows", async (pair) => ({ ...pair.publicJwk, ext: true, "x-tenant": { a: [1] } })],
    ["a JWK with key_ops verify", async (pair) => ({ ...pair.publicJwk, key_ops: ["verify"] })],
    ["a JWK Set", async (pair) => ({ keys: [pair.publicJwk] })],
    ["an SPKI PEM", async (pair) => pem("PUBLIC KEY", await spki(pair.cryptoPublic))],
    ["an SPKI PEM with CRLF", async (pair) => pem("PUBLIC KEY", await spki(pair.cryptoPublic), "\r\n")],
    ["a certificate PEM", async (pair) => pem("CERTIFICATE", await certificate(pair))],
    ["an array of one JWK", async (pair) => [pair.publicJwk]],
    ["an array of one PEM", async (pair) => [pem("PUBLIC KEY", await spki(pair.cryptoPublic))]],
    ["an array of one JWK Set", async (pair) => [{ keys: [pair.publicJwk] }]],
  ];
  for (const [what, form] of forms) {
    h.test(`an ES256 and an RS256 key are each accepted as ${what}`, async () => {
      for (const pair of [await ec(), await rsa()]) await accepts(await form(pair), pair);
    });
  }

  h.test("an array may mix JWK, JWK Set and PEM, and every key of it verifies", async () => {
    const third = await generateKeys("ES256", "ec-3");
    const given = [
      (await ec()).publicJwk,
      { keys: [(await rsa()).publicJwk] },
      pem("PUBLIC KEY", await spki(third.cryptoPublic)),
    ];
    await accepts(given, await ec());
    await accepts(given, await rsa());
    await accepts(given, third);
  });

  h.test("entries of a JWK Set that cannot be used are skipped", async () => {
    const pair = await ec();
    const unusable: Json[] = [
      { kty: "oct", k: "c2VjcmV0", kid: "secret" },
      { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "ed" },
      { ...pair.publicJwk, crv: "P-384", kid: "p384" },
      { ...pair.publicJwk, use: "enc", kid: "enc" },
      { ...pair.publicJwk, y: pair.publicJwk["x"] as string, kid: "off the curve" },
      { kty: "RSA", e: "AQAB", kid: "no modulus" },
      { kid: "no kty" },
      {},
    ];
    await accepts({ keys: [...unusable, pair.publicJwk] }, pair);
    await refuses({ keys: unusable }, "ERR_KEY_SET_EMPTY");
  });

  const base = async (change: (jwk: Members, rsaJwk: Members) => Json): Promise<Json> =>
    change((await ec()).publicJwk, (await rsa()).publicJwk);
  const modulus = (bits: number): string => {
    const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xa5);
    bytes[0] = 0x80 >> ((8 - (bits % 8)) % 8);
    return base64url(bytes);
  };
  const unusable: [string, (jwk: Members, rsaJwk: Members) => Json, string][] = [
    ["an empty object", () => ({}), "ERR_KEY_INVALID"],
    ["kty oct", () => ({ kty: "oct", k: "c2VjcmV0" }), "ERR_KEY_PRIVATE"],
    [
      "kty OKP",
      () => ({ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
      "ERR_KEY_UNSUPPORTED",
    ],
    ["kty in small letters", (jwk) => ({ ...jwk, kty: "ec" }), "ERR_KEY_UNSUPPORTED"],
    ["kty a number", (jwk) => ({ ...jwk, kty: 1 }), "ERR_KEY_INVALID"],
    ["crv P-384", (jwk) => ({ ...jwk, crv: "P-384" }), "ERR_KEY_UNSUPPORTED"],
    ["crv secp256k1", (jwk) => ({ ...jwk, crv: "secp256k1" }), "ERR_KEY_UNSUPPORTED"],
    ["no crv", (jwk) => without(jwk, "crv"), "ERR_KEY_INVALID"],
    ["no y", (jwk) => without(jwk, "y"), "ERR_KEY_INVALID"],
    ["an empty x", (jwk) => ({ ...jwk, x: "" }), "ERR_KEY_INVALID"],
    ["x with padding", (jwk) => ({ ...jwk, x: `${jwk["x"]}=` }), "ERR_KEY_INVALID"],
    [
      "x a byte short",
      (jwk) => ({ ...jwk, x: base64url(fromBase64url(jwk["x"] as string).slice(1)) }),
      "ERR_KEY_INVALID",
    ],
    [
      "x with a zero before it",
      (jwk) => ({ ...jwk, x: base64url(concat(Uint8Array.of(0), fromBase64url(jwk["x"] as string))) }),
      "ERR_KEY_INVALID",
    ],
    ["a point off the curve", (jwk) => ({ ...jwk, y: jwk["x"] as string }), "ERR_KEY_INVALID"],
    [
      "the point 0, 0",
      (jwk) => ({ ...jwk, x: base64url(new Uint8Array(32)), y: base64url(new Uint8Array(32)) }),
      "ERR_KEY_INVALID",
    ],
    [
      "a coordinate beyond the field",
      (jwk) => ({ ...jwk, x: base64url(new Uint8Array(32).fill(255)) }),
      "ERR_KEY_INVALID",
    ],
    ["alg ES384 on P-256", (jwk) => ({ ...jwk, alg: "ES384" }), "ERR_KEY_UNSUPPORTED"],
    ["alg RS256 on an EC key", (jwk) => ({ ...jwk, alg: "RS256" }), "ERR_KEY_UNSUPPORTED"],
    ["alg PS256 on an RSA key", (_, rsaJwk) => ({ ...rsaJwk, alg: "PS256" }), "ERR_KEY_UNSUPPORTED"],
    ["use enc", (jwk) => ({ ...jwk, use: "enc" }), "ERR_KEY_UNSUPPORTED"],
    ["key_ops without verify", (jwk) => ({ ...jwk, key_ops: ["encrypt"] }), "ERR_KEY_UNSUPPORTED"],
    ["kid a number", (jwk) => ({ ...jwk, kid: 7 }), "ERR_KEY_INVALID"],
    ["a modulus of 1024 bits", (_, jwk) => ({ ...jwk, n: modulus(1024) }), "ERR_KEY_WEAK"],
    ["a modulus of 2047 bits", (_, jwk) => ({ ...jwk, n: modulus(2047) }), "ERR_KEY_WEAK"],
    ["a modulus of 4097 bits", (_, jwk) => ({ ...jwk, n: modulus(4097) }), "ERR_KEY_WEAK"],
    ["a modulus of 65536 bits", (_, jwk) => ({ ...jwk, n: modulus(65536) }), "ERR_KEY_WEAK"],
    [
      "an even modulus",
      (_, jwk) => ({ ...jwk, n: base64url(concat(fromBase64url(jwk["n"] as string).slice(0, -1), Uint8Array.of(2))) }),
      "ERR_KEY_INVALID",
    ],
    [
      "a modulus with a zero before it",
      (_, jwk) => ({ ...jwk, n: base64url(concat(Uint8Array.of(0), fromBase64url(jwk["n"] as string))) }),
      "ERR_KEY_INVALID",
    ],
    ["an empty modulus", (_, jwk) => ({ ...jwk, n: "" }), "ERR_KEY_INVALID"],
    ["no exponent", (_, jwk) => without(jwk, "e"), "ERR_KEY_INVALID"],
    ["exponent 0", (_, jwk) => ({ ...jwk, e: "AA" }), "ERR_KEY_INVALID"],
    ["exponent 1", (_, jwk) => ({ ...jwk, e: "AQ" }), "ERR_KEY_WEAK"],
    ["exponent 3", (_, jwk) => ({ ...jwk, e: "Aw" }), "ERR_KEY_WEAK"],
    ["exponent 65535", (_, jwk) => ({ ...jwk, e: base64url(bigEndian(65535n, 2)) }), "ERR_KEY_WEAK"],
    ["exponent 65538", (_, jwk) => ({ ...jwk, e: base64url(bigEndian(65538n, 3)) }), "ERR_KEY_WEAK"],
    ["exponent 2^32 + 1", (_, jwk) => ({ ...jwk, e: base64url(bigEndian(2n ** 32n + 1n, 5)) }), "ERR_KEY_WEAK"],
  ];
  for (const [what, change, code] of unusable) {
    h.test(`a JWK with ${what} is refused with ${code}, and skipped in a set`, async () => {
      const given = await base(change);
      await refuses(given, code);
      await refuses({ keys: [given] }, "ERR_KEY_SET_EMPTY");
      await accepts({ keys: [given, (await otherEc()).publicJwk] }, await otherEc());
    });
  }

  h.test("a private key where a public one is meant is refused in every form", async () => {
    for (const pair of [await ec(), await rsa()]) {
      await refuses(pair.privateJwk, "ERR_KEY_PRIVATE", `${pair.alg} JWK`);
      await refuses([pair.privateJwk], "ERR_KEY_PRIVATE", `${pair.alg} in an array`);
      await refuses(pem("PRIVATE KEY", await pkcs8(pair.cryptoPrivate)), "ERR_KEY_PRIVATE", `${pair.alg} PKCS#8`);
    }
  });

  const oddPems: [string, () => Promise<string>, string][] = [
    ["an empty string", async () => "", "ERR_KEY_INVALID"],
    ["words", async () => "secret", "ERR_KEY_INVALID"],
    ["JSON text", async () => JSON.stringify((await ec()).publicJwk), "ERR_KEY_INVALID"],
    ["a PEM without an end", async () => (await ecPem()).replace("-----END PUBLIC KEY-----", ""), "ERR_KEY_INVALID"],
    [
      "a PEM whose end has another label",
      async () => (await ecPem()).replace("END PUBLIC", "END PRIVATE"),
      "ERR_KEY_INVALID",
    ],
    ["a PEM with a character that is not base64", async () => (await ecPem()).replace("MF", "M*"), "ERR_KEY_INVALID"],
    ["a PEM of no bytes", async () => pem("PUBLIC KEY", new Uint8Array(0)), "ERR_KEY_INVALID"],
    [
      "a PEM cut short",
      async () => pem("PUBLIC KEY", (await spki((await ec()).cryptoPublic)).slice(0, -1)),
      "ERR_KEY_INVALID",
    ],
    [
      "a PEM with a byte too many",
      async () => pem("PUBLIC KEY", concat(await spki((await ec()).cryptoPublic), Uint8Array.of(0))),
      "ERR_KEY_INVALID",
    ],
    [
      "a PEM whose length lies",
      async () => pem("PUBLIC KEY", Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1)),
      "ERR_KEY_INVALID",
    ],
    [
      "a PEM of nested sequences",
      async () =>
        pem(
          "PUBLIC KEY",
          Array.from({ length: 200 }).reduce<Uint8Array<ArrayBuffer>>((inner) => der(0x30, inner), new Uint8Array(0)),
        ),
      "ERR_KEY_INVALID",
    ],
    [
      "a certificate under the label of a public key",
      async () => pem("PUBLIC KEY", await certificate(await ec())),
      "ERR_KEY_INVALID",
    ],
    [
      "a public key under the label of a certificate",
      async () => pem("CERTIFICATE", await spki((await ec()).cryptoPublic)),
      "ERR_KEY_INVALID",
    ],
    ["a PKCS#1 public key", async () => pem("RSA PUBLIC KEY", pkcs1(await rsa())), "ERR_KEY_UNSUPPORTED"],
    ["an encrypted private key", async () => pem("ENCRYPTED PRIVATE KEY", new Uint8Array(40)), "ERR_KEY_PRIVATE"],
    ["an SSH public key", async () => "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ user@host", "ERR_KEY_INVALID"],
  ];
  const ecPem = async (): Promise<string> => pem("PUBLIC KEY", await spki((await ec()).cryptoPublic));
  for (const [what, make, code] of oddPems) {
    h.test(`${what} is refused as a key with ${code}`, async () => {
      await refuses(await make(), code);
    });
  }

  h.test("a PEM key of another curve, and of Ed25519's algorithm, is refused as unsupported", async () => {
    const p384 = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    await refuses(pem("PUBLIC KEY", await spki(p384.publicKey)), "ERR_KEY_UNSUPPORTED");
    const ed25519 = der(0x30, der(0x30, Uint8Array.of(6, 3, 0x2b, 0x65, 0x70)), der(3, new Uint8Array(33)));
    await refuses(pem("PUBLIC KEY", ed25519), "ERR_KEY_UNSUPPORTED");
  });

  h.test("no key in an empty set, an empty array, or a set of none but secrets", async () => {
    await refuses({ keys: [] }, "ERR_KEY_SET_EMPTY");
    await refuses([], "ERR_KEY_SET_EMPTY");
    await refuses({ keys: [{ kty: "oct", k: "AA" }] }, "ERR_KEY_SET_EMPTY");
  });

  h.test("a JWK Set of more than a thousand entries is refused", async () => {
    const { publicJwk } = await ec();
    const many = Array.from({ length: 1001 }, (_, i) => ({ kty: "oct", k: "AA", kid: `k${i}` }) as Json);
    await refuses({ keys: [...many, publicJwk] }, "ERR_KEY_INVALID");
  });

  h.test("a header without kid takes the only key that fits its algorithm", async () => {
    const given = { keys: [(await ec()).publicJwk, (await rsa()).publicJwk] };
    await accepts(given, await ec(), { alg: "ES256" });
    await accepts(given, await rsa(), { alg: "RS256" });
  });

  h.test("a header without kid is ambiguous where two keys fit, and the set still serves tokens with kid", async () => {
    const given = { keys: [(await ec()).publicJwk, (await otherEc()).publicJwk] };
    const verifier = await makeVerifier(lib, { keys: given });
    const token = await signed(await ec(), claims(), { alg: "ES256" });
    throws(() => verifier.verify(token), { code: "ERR_KEY_AMBIGUOUS", step: "key", status: 401 });
    ok(verifier.verify(await signed(await otherEc())));
  });

  h.test("two usable keys of one kid and algorithm make its tokens ambiguous, and no others", async () => {
    const twin = { ...(await otherEc()).publicJwk, kid: "ec-1" };
    const verifier = await makeVerifier(lib, {
      keys: { keys: [(await ec()).publicJwk, twin, (await rsa()).publicJwk] },
    });
    const token = await signed(await ec());
    throws(() => verifier.verify(token), "ERR_KEY_AMBIGUOUS");
    ok(verifier.verify(await signed(await rsa())));
  });

  h.test("two keys of one kid and different algorithms are told apart by the algorithm", async () => {
    const shared = [
      { ...(await ec()).publicJwk, kid: "same" },
      { ...(await rsa()).publicJwk, kid: "same" },
    ];
    await accepts({ keys: shared }, await ec(), { alg: "ES256", kid: "same" });
    await accepts({ keys: shared }, await rsa(), { alg: "RS256", kid: "same" });
  });

  h.test("a key without a kid of its own is found by its thumbprint, before keys that merely lack a kid", async () => {
    const given = { keys: [without((await ec()).publicJwk, "kid"), without((await otherEc()).publicJwk, "kid")] };
    for (const pair of [await ec(), await otherEc()]) {
      await accepts(given, pair, { alg: "ES256", kid: await thumbprintByWebCrypto(pair.publicJwk) });
    }
  });

  h.test("the thumbprint of the key in RFC 7638 section 3.1 is the one printed there", () => {
    equal(lib.thumbprint(RFC7638), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  });

  h.test("thumbprints are those that WebCrypto computes, whatever else the JWK says", async () => {
    for (const { publicJwk } of [await ec(), await rsa()]) {
      const expected = await thumbprintByWebCrypto(publicJwk);
      equal(lib.thumbprint(publicJwk), expected);
      equal(lib.thumbprint({ "x-other": 1, ...without(publicJwk, "kid", "use", "alg") } as never), expected);
    }
  });

  h.test("the thumbprint of something that is not a key is refused", async () => {
    throws(() => lib.thumbprint({ kty: "EC", crv: "P-256" }), "ERR_KEY_INVALID");
    throws(() => lib.thumbprint({ kty: "oct", k: "AA" } as never), "ERR_KEY_UNSUPPORTED");
    const error = throws(() => lib.thumbprint("jwk" as never), "ERR_KEY_INVALID");
    ok(!includesAny(error.message, ["undefined"]));
  });

  for (const alg of ["ES256", "RS256"] as const) {
    h.test(`generateKeyPair makes ${alg} keys that WebCrypto can use and that fit each other`, async () => {
      const pair = await lib.generateKeyPair(alg);
      const algorithm =
        alg === "ES256" ? { name: "ECDSA", namedCurve: "P-256" } : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      const parameters = alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : { name: "RSASSA-PKCS1-v1_5" };
      const privateKey = await crypto.subtle.importKey("jwk", pair.privateKey as JsonWebKey, algorithm, false, [
        "sign",
      ]);
      const publicKey = await crypto.subtle.importKey("jwk", pair.publicKey as JsonWebKey, algorithm, false, [
        "verify",
      ]);
      const signature = await crypto.subtle.sign(parameters, privateKey, utf8("message"));
      ok(await crypto.subtle.verify(parameters, publicKey, signature, utf8("message")));
      const { publicKey: jwk, privateKey: secret } = pair as unknown as Record<string, Members>;
      equal(jwk?.["alg"], alg);
      equal(jwk?.["use"], "sig");
      equal(jwk?.["kid"], lib.thumbprint(pair.publicKey));
      equal(secret?.["kid"], jwk?.["kid"]);
      ok(typeof secret?.["d"] === "string" && jwk?.["d"] === undefined, "d stands in the private key alone");
      if (alg === "RS256") equal(fromBase64url(jwk?.["n"] as string).length, 256);
    });
  }

  h.test("generateKeyPair never makes the same key twice", async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => lib.generateKeyPair("ES256")));
    equal(new Set(made.map((pair) => lib.thumbprint(pair.publicKey))).size, 20);
  });

  h.test("generateKeyPair refuses what is not one of the two algorithms", async () => {
    for (const alg of ["HS256", "es256", "", "none", undefined, null, 1, {}, "__proto__"]) {
      await rejects(() => lib.generateKeyPair(alg as never), "ERR_OPTION_INVALID", String(alg));
    }
  });

  h.test("a message about a key does not contain the key", async () => {
    const { publicJwk, privateJwk } = await ec();
    const error = await refuses(privateJwk, "ERR_KEY_PRIVATE");
    ok(!includesAny(error.message, [privateJwk["d"] as string, publicJwk["x"] as string]));
    includes(error.message, "private");
  });
};

function includesAny(text: string, parts: string[]): boolean {
  return parts.some((part) => text.includes(part));
}
