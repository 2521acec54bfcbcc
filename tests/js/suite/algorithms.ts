// The attacks on the choice of algorithm and key, and on the form of signatures (RFC 8725): each with the code it gets.

import { ok, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { derSignature, pem, spki } from "./der.js";
import {
  bigEndian,
  claims,
  concat,
  ec,
  fromBase64url,
  makeVerifier,
  otherEc,
  rawSignature,
  rsa,
  signed,
  utf8,
  withSignature,
} from "./support.js";
import type { Keys, Members, Part } from "./support.js";

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

async function hmac(
  secret: Uint8Array<ArrayBuffer>,
  input: Uint8Array<ArrayBuffer>,
  hash = "SHA-256",
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, input));
}

export const algorithms: Suite = (h, lib) => {
  const refuse = async (token: string, code: string, overrides: object = {}): Promise<void> => {
    const verifier = await makeVerifier(lib, overrides);
    throws(() => verifier.verify(token), code);
  };

  for (const alg of ["none", "None", "NONE", "nOnE", "none ", " none", "none\u0000", "nоne", ""]) {
    h.test(
      `alg ${JSON.stringify(alg)} is refused, with a signature of random bytes, an empty one, and the real one`,
      async () => {
        const header = { alg, kid: "ec-1" };
        const keys = await ec();
        await refuse(
          await withSignature(header, claims(), () => new Uint8Array(64).fill(7)),
          "ERR_ALGORITHM_NOT_ALLOWED",
        );
        await refuse(await signed(keys, claims(), header), "ERR_ALGORITHM_NOT_ALLOWED");
        await refuse(await withSignature(header, claims(), () => new Uint8Array(0)), "ERR_ALGORITHM_NOT_ALLOWED");
      },
    );
  }

  h.test("a token whose signature was cut off is refused under every algorithm", async () => {
    for (const keys of [await ec(), await rsa()]) {
      const token = await signed(keys);
      await refuse(token.slice(0, token.lastIndexOf(".") + 1), "ERR_SIGNATURE_INVALID", { keys: keys.publicJwk });
      await refuse(token.slice(0, token.lastIndexOf(".")), "ERR_TOKEN_MALFORMED", { keys: keys.publicJwk });
    }
  });

  const secrets: [string, (keys: Keys) => Promise<Uint8Array<ArrayBuffer>>][] = [
    ["the PEM text of the public key", async (keys) => utf8(pem("PUBLIC KEY", await spki(keys.cryptoPublic)))],
    ["the SPKI of the public key", (keys) => spki(keys.cryptoPublic)],
    ["the JSON text of the public JWK", async (keys) => utf8(JSON.stringify(keys.publicJwk))],
    [
      "the modulus or the x coordinate",
      async (keys) => fromBase64url((keys.publicJwk["n"] ?? keys.publicJwk["x"]) as string),
    ],
  ];
  for (const [what, secret] of secrets) {
    for (const [alg, hash] of [
      ["HS256", "SHA-256"],
      ["HS384", "SHA-384"],
      ["HS512", "SHA-512"],
    ] as const) {
      h.test(`${alg} keyed with ${what} is refused for ES256 and RS256 keys, given as JWK and as PEM`, async () => {
        for (const keys of [await ec(), await rsa()]) {
          const mac = await secret(keys);
          const token = await withSignature({ alg, kid: keys.kid }, claims(), (input) => hmac(mac, input, hash));
          await refuse(token, "ERR_ALGORITHM_NOT_ALLOWED", { keys: keys.publicJwk });
          await refuse(token, "ERR_ALGORITHM_NOT_ALLOWED", { keys: pem("PUBLIC KEY", await spki(keys.cryptoPublic)) });
        }
      });
    }
  }

  for (const alg of [
    "es256",
    "ES256 ",
    "ES256K",
    "ES384",
    "ES512",
    "RS384",
    "RS512",
    "PS256",
    "EdDSA",
    "Ed25519",
    "RSA1_5",
    "dir",
    "__proto__",
    "constructor",
  ]) {
    h.test(`alg ${JSON.stringify(alg)} is refused although the signature under it is a good ES256 one`, async () => {
      await refuse(await signed(await ec(), claims(), { alg, kid: "ec-1" }), "ERR_ALGORITHM_NOT_ALLOWED");
    });
  }

  h.test("an EC key is not used for RS256 nor an RSA key for ES256, whatever the header says", async () => {
    const [ecKeys, rsaKeys] = [await ec(), await rsa()];
    await refuse(await signed(ecKeys, claims(), { alg: "RS256", kid: "ec-1" }), "ERR_ALGORITHM_NOT_ALLOWED");
    await refuse(await signed(rsaKeys, claims(), { alg: "RS256", kid: "ec-1" }), "ERR_ALGORITHM_NOT_ALLOWED");
    const onlyRsa = { keys: rsaKeys.publicJwk };
    await refuse(await signed(rsaKeys, claims(), { alg: "ES256", kid: "rsa-1" }), "ERR_ALGORITHM_NOT_ALLOWED", onlyRsa);
    await refuse(await signed(ecKeys, claims(), { alg: "ES256", kid: "rsa-1" }), "ERR_ALGORITHM_NOT_ALLOWED", onlyRsa);
    const both = { keys: { keys: [ecKeys.publicJwk, rsaKeys.publicJwk] } };
    await refuse(await signed(rsaKeys, claims(), { alg: "RS256", kid: "ec-1" }), "ERR_ALGORITHM_NOT_ALLOWED", both);
    await refuse(await signed(ecKeys, claims(), { alg: "ES256", kid: "rsa-1" }), "ERR_ALGORITHM_NOT_ALLOWED", both);
  });

  const zero = new Uint8Array(32);
  const forgeries: [string, (raw: Uint8Array, keys: Keys) => Uint8Array][] = [
    ["in DER, as X.509 and TLS write it", derSignature],
    ["of 64 zeros", () => new Uint8Array(64)],
    ["with r = 0", (raw) => concat(zero, raw.slice(32))],
    ["with s = 0", (raw) => concat(raw.slice(0, 32), zero)],
    ["with r = 0 and s = 1", () => concat(zero, bigEndian(1n, 32))],
    ["with r = s = 1", () => concat(bigEndian(1n, 32), bigEndian(1n, 32))],
    ["with r = n", (raw) => concat(bigEndian(P256_ORDER, 32), raw.slice(32))],
    ["with s = n", (raw) => concat(raw.slice(0, 32), bigEndian(P256_ORDER, 32))],
    ["with r = s = n", () => concat(bigEndian(P256_ORDER, 32), bigEndian(P256_ORDER, 32))],
    ["with r = p", (raw) => concat(bigEndian(P256_PRIME, 32), raw.slice(32))],
    ["of all ones", () => new Uint8Array(64).fill(255)],
    ["with r = the key's x", (raw, keys) => concat(fromBase64url(keys.publicJwk["x"] as string), raw.slice(32))],
    ["with r and s exchanged", (raw) => concat(raw.slice(32), raw.slice(0, 32))],
    ["of 63 bytes", (raw) => raw.slice(0, 63)],
    ["of 65 bytes, a zero before it", (raw) => concat(Uint8Array.of(0), raw)],
    ["of 65 bytes, a zero after it", (raw) => concat(raw, Uint8Array.of(0))],
    [
      "of 66 bytes, r and s of 33",
      (raw) => concat(Uint8Array.of(0), raw.slice(0, 32), Uint8Array.of(0), raw.slice(32)),
    ],
    ["of 32 bytes, r alone", (raw) => raw.slice(0, 32)],
    ["of 1 byte", () => Uint8Array.of(1)],
    ["of 128 bytes, itself twice", (raw) => concat(raw, raw)],
    ["of 256 bytes, as RS256 has", () => new Uint8Array(256).fill(1)],
  ];
  for (const [what, forge] of forgeries) {
    h.test(`an ES256 signature ${what} is refused`, async () => {
      const keys = await ec();
      const token = await withSignature({ alg: "ES256", kid: "ec-1" }, claims(), async (input) =>
        forge(await rawSignature(keys, input), keys),
      );
      await refuse(token, "ERR_SIGNATURE_INVALID");
    });
  }

  const modulus = (keys: Keys): bigint =>
    fromBase64url(keys.publicJwk["n"] as string).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const number = (raw: Uint8Array): bigint => raw.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const rsaForgeries: [string, (raw: Uint8Array, keys: Keys) => Uint8Array][] = [
    ["of 256 zeros", () => new Uint8Array(256)],
    ["that is the number 1", () => bigEndian(1n, 256)],
    ["that is the modulus", (_, keys) => bigEndian(modulus(keys), 256)],
    ["that is the modulus less 1", (_, keys) => bigEndian(modulus(keys) - 1n, 256)],
    ["that is the negative of a good one", (raw, keys) => bigEndian(modulus(keys) - number(raw), 256)],
    ["to which the modulus was added", (raw, keys) => bigEndian(number(raw) + modulus(keys), 257)],
    ["of 257 bytes, a zero before it", (raw) => concat(Uint8Array.of(0), raw)],
    ["of 257 bytes, a zero after it", (raw) => concat(raw, Uint8Array.of(0))],
    ["of 255 bytes, the first cut off", (raw) => raw.slice(1)],
    ["of 255 bytes, the last cut off", (raw) => raw.slice(0, -1)],
    ["of all ones", () => new Uint8Array(256).fill(255)],
    ["of 64 bytes, as ES256 has", (raw) => raw.slice(0, 64)],
    ["with its bytes in reverse", (raw) => raw.slice().reverse()],
  ];
  for (const [what, forge] of rsaForgeries) {
    h.test(`an RS256 signature ${what} is refused`, async () => {
      const keys = await rsa();
      const token = await withSignature({ alg: "RS256", kid: "rsa-1" }, claims(), async (input) =>
        forge(await rawSignature(keys, input), keys),
      );
      await refuse(token, "ERR_SIGNATURE_INVALID", { keys: keys.publicJwk });
    });
  }

  for (const [what, algorithm, parameters] of [
    ["SHA-1", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" }, { name: "RSASSA-PKCS1-v1_5" }],
    ["SHA-512", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, { name: "RSASSA-PKCS1-v1_5" }],
    ["PSS padding", { name: "RSA-PSS", hash: "SHA-256" }, { name: "RSA-PSS", saltLength: 32 }],
  ] as const) {
    h.test(`an RS256 signature made with ${what} is refused`, async () => {
      const keys = await rsa();
      const pkcs8 = (await crypto.subtle.exportKey("pkcs8", keys.cryptoPrivate)) as ArrayBuffer;
      const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
      const token = await withSignature(
        { alg: "RS256", kid: "rsa-1" },
        claims(),
        async (input) => new Uint8Array(await crypto.subtle.sign(parameters, key, input)),
      );
      await refuse(token, "ERR_SIGNATURE_INVALID", { keys: keys.publicJwk });
    });
  }

  h.test("a signature over the decoded text, and not over the segments, is refused", async () => {
    const keys = await ec();
    const header = { alg: "ES256", kid: "ec-1" };
    const decoded = utf8(`${JSON.stringify(header)}.${JSON.stringify(claims())}`);
    await refuse(await withSignature(header, claims(), () => rawSignature(keys, decoded)), "ERR_SIGNATURE_INVALID");
  });

  for (const kid of [
    "",
    "ec-1 ",
    "EC-1",
    "../../dev/null",
    "' OR '1'='1",
    "__proto__",
    "constructor",
    "0",
    "ec-1\u0000",
    "k".repeat(2000),
  ]) {
    const shown = kid.length > 40 ? `of ${kid.length} characters` : JSON.stringify(kid);
    h.test(`kid ${shown} finds no key in a set whose keys have other kids`, async () => {
      const token = await signed(await ec(), claims(), { alg: "ES256", kid });
      await refuse(token, "ERR_KEY_NOT_FOUND");
      await refuse(token, "ERR_KEY_NOT_FOUND", {
        keys: { keys: [(await ec()).publicJwk, (await otherEc()).publicJwk] },
      });
    });
  }

  const attacker = async (): Promise<[Keys, Members]> => [await otherEc(), (await otherEc()).publicJwk];
  const embeddings: [string, (jwk: Members) => Members][] = [
    ["jwk", (jwk) => ({ jwk })],
    ["jku", () => ({ jku: "https://attacker.invalid/jwks.json" })],
    ["x5u", () => ({ x5u: "https://attacker.invalid/cert.pem" })],
    ["x5c", () => ({ x5c: ["MIIB"] })],
    [
      "all of them at once",
      (jwk) => ({ jwk, jku: "https://attacker.invalid/", x5u: "https://attacker.invalid/", x5c: [] }),
    ],
  ];
  for (const [what, members] of embeddings) {
    h.test(`a key offered in the header by ${what} is not used, and does not hinder a good signature`, async () => {
      const [keys, jwk] = await attacker();
      const header = { alg: "ES256", kid: "ec-1", ...members(jwk) };
      await refuse(await signed(keys, claims(), header), "ERR_SIGNATURE_INVALID");
      const verifier = await makeVerifier(lib);
      ok(verifier.verify(await signed(await ec(), claims(), header)));
    });
  }

  const headers: [string, Part, string][] = [
    ["without alg", { kid: "ec-1" }, "ERR_HEADER_INVALID"],
    ["with alg null", { alg: null }, "ERR_HEADER_INVALID"],
    ["with alg a number", { alg: 256 }, "ERR_HEADER_INVALID"],
    ["with alg a list", { alg: ["ES256"] }, "ERR_HEADER_INVALID"],
    ["with alg an object", { alg: { toString: "ES256" } }, "ERR_HEADER_INVALID"],
    ["with kid a number", { alg: "ES256", kid: 1 }, "ERR_HEADER_INVALID"],
    ["with kid null", { alg: "ES256", kid: null }, "ERR_HEADER_INVALID"],
    ["with kid a list", { alg: "ES256", kid: ["ec-1"] }, "ERR_HEADER_INVALID"],
    ["with typ a number", { alg: "ES256", typ: 1 }, "ERR_HEADER_INVALID"],
    ["with typ null", { alg: "ES256", typ: null }, "ERR_HEADER_INVALID"],
    ["with alg twice", '{"alg":"ES256","alg":"none"}', "ERR_HEADER_INVALID"],
    ["with alg twice, once escaped", '{"alg":"ES256","\\u0061lg":"none"}', "ERR_HEADER_INVALID"],
    ["with kid twice", '{"alg":"ES256","kid":"ec-1","kid":"ec-2"}', "ERR_HEADER_INVALID"],
    ["with a member twice inside another", '{"alg":"ES256","x":{"a":1,"a":2}}', "ERR_HEADER_INVALID"],
    ["that is an array", "[]", "ERR_HEADER_INVALID"],
    ["that is a string", '"ES256"', "ERR_HEADER_INVALID"],
    ["that is null", "null", "ERR_HEADER_INVALID"],
    ["that is not JSON", "alg=ES256", "ERR_HEADER_INVALID"],
    ["with a trailing comma", '{"alg":"ES256",}', "ERR_HEADER_INVALID"],
    ["with a comment", '{"alg":"ES256"/**/}', "ERR_HEADER_INVALID"],
    ["with text behind it", '{"alg":"ES256"}{}', "ERR_HEADER_INVALID"],
    ["with a byte order mark", '\ufeff{"alg":"ES256"}', "ERR_HEADER_INVALID"],
    ["with half a surrogate pair", '{"alg":"ES256","x":"\\ud800"}', "ERR_HEADER_INVALID"],
    [
      "in invalid UTF-8",
      concat(utf8('{"alg":"ES256","x":"'), Uint8Array.of(0xc0, 0xaf), utf8('"}')),
      "ERR_HEADER_INVALID",
    ],
    [
      "in UTF-16",
      concat(...Array.from('{"alg":"ES256"}', (c) => Uint8Array.of(c.charCodeAt(0), 0))),
      "ERR_HEADER_INVALID",
    ],
    ["nested a thousand deep", `{"alg":"ES256","x":${"[".repeat(1000)}${"]".repeat(1000)}}`, "ERR_HEADER_INVALID"],
    ["of no bytes", "", "ERR_HEADER_INVALID"],
    ["with b64 false", { alg: "ES256", b64: false }, "ERR_HEADER_CRITICAL"],
    ["with b64 false, marked critical", { alg: "ES256", b64: false, crit: ["b64"] }, "ERR_HEADER_CRITICAL"],
    [
      "with an unknown critical member",
      { alg: "ES256", crit: ["http://example.invalid/x"], "http://example.invalid/x": true },
      "ERR_HEADER_CRITICAL",
    ],
    ["with a critical member that is absent", { alg: "ES256", crit: ["absent"] }, "ERR_HEADER_INVALID"],
    ["with an empty crit", { alg: "ES256", crit: [] }, "ERR_HEADER_INVALID"],
    ["with crit a string", { alg: "ES256", crit: "exp" }, "ERR_HEADER_INVALID"],
    ["with crit null", { alg: "ES256", crit: null }, "ERR_HEADER_INVALID"],
    ["with a number in crit", { alg: "ES256", crit: [1] }, "ERR_HEADER_INVALID"],
    ["with alg marked critical", { alg: "ES256", crit: ["alg"] }, "ERR_HEADER_INVALID"],
    ["with exp marked critical", { alg: "ES256", exp: 1, crit: ["exp"] }, "ERR_HEADER_CRITICAL"],
  ];
  for (const [what, header, code] of headers) {
    h.test(`a header ${what} is refused`, async () => {
      await refuse(await signed(await ec(), claims(), header), code);
    });
  }

  h.test("an extension that the crit option allows is accepted, and no other with it", async () => {
    const verifier = await makeVerifier(lib, { crit: ["x-tenant"] });
    const keys = await ec();
    ok(verifier.verify(await signed(keys, claims(), { alg: "ES256", "x-tenant": "t", crit: ["x-tenant"] })));
    for (const [header, code] of [
      [{ alg: "ES256", "x-tenant": "t", other: 1, crit: ["x-tenant", "other"] }, "ERR_HEADER_CRITICAL"],
      // RFC 7515 section 4.1.11: a name in crit must be a member of the header, and stand there once.
      [{ alg: "ES256", crit: ["x-tenant"] }, "ERR_HEADER_INVALID"],
      [{ alg: "ES256", "x-tenant": "t", crit: ["x-tenant", "x-tenant"] }, "ERR_HEADER_INVALID"],
    ] as [Members, string][]) {
      const token = await signed(keys, claims(), header);
      throws(() => verifier.verify(token), code, JSON.stringify(header));
    }
  });

  h.test("members of the header that mean nothing here are ignored", async () => {
    const verifier = await makeVerifier(lib);
    const header = { alg: "ES256", enc: "A128GCM", zip: "DEF", nonce: "n", cty: "JWT", x5t: "abc", iss: "elsewhere" };
    ok(verifier.verify(await signed(await ec(), claims(), header)));
  });
};
