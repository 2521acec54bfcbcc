// Keys of vector files through the functions that read keys: as JWK, as PEM, public and private. Of files with signatures
// over bare messages this is the part that the package can be asked about.

import { deepEqual, equal } from "../harness/assert.js";
import type { Harness, Library } from "../harness/types.js";
import { Ledger } from "./ledger.js";
import { NOW, base64url, concat } from "./support.js";
import type { Issuer, Jwk, VerifierOptions } from "./support.js";
import { SIGNATURES, type SignatureCase, fromHex, p256Jwk, rsaJwk } from "./vectors-signatures.js";

/** What a call gives, or the code of the error that it throws. */
export function outcome<T>(lib: Library, call: () => T): { value?: T; code?: string } {
  try {
    return { value: call() };
  } catch (error) {
    if (error instanceof lib.WaxsealError && error.code !== "ERR_INTERNAL") return { code: error.code };
    throw error;
  }
}

/** Whether a key is taken. */
const isKey = (lib: Library, key: unknown): boolean =>
  outcome(lib, () => lib.publicJwk(key as never)).value !== undefined;

/** Keys as JWK and as PEM, which must agree; and no signature of the file is one of a token, which it was not made for. */
async function keysOfSignatures(
  h: Harness,
  lib: Library,
  file: string,
  cases: readonly SignatureCase[],
): Promise<void> {
  const ledger = new Ledger(`keys of ${file}`);
  let number = 0;
  for (const [key, signed] of byKey(cases)) {
    const fromJwk = outcome(lib, () => lib.thumbprint(key));
    const pem = signed[0]?.pem;
    if (pem !== undefined)
      deepEqual(
        outcome(lib, () => lib.thumbprint(pem)),
        fromJwk,
        "a key as JWK and as PEM",
      );
    ledger.case(number++, true, fromJwk.value !== undefined);
    if (fromJwk.value === undefined) continue;
    const verifier = await lib.createVerifier({
      keys: key,
      issuer: null,
      audience: null,
      clock: () => NOW,
    } as VerifierOptions);
    const alg = key.kty === "EC" ? "ES256" : "RS256";
    const input = `${base64url(JSON.stringify({ alg }))}.${base64url(JSON.stringify({ exp: NOW + 60 }))}`;
    for (const { id, signature } of signed) {
      const { code } = outcome(lib, () => verifier.verify(`${input}.${base64url(signature)}`));
      equal(code, "ERR_SIGNATURE_INVALID", `case ${id}`);
    }
    verifier.dispose();
  }
  h.verdicts(ledger.finish());
}

function byKey(cases: readonly SignatureCase[]): Map<Jwk, SignatureCase[]> {
  const groups = new Map<Jwk, SignatureCase[]>();
  for (const one of cases) groups.set(one.key, [...(groups.get(one.key) ?? []), one]);
  return groups;
}

/** `SubjectPublicKeyInfo` of a P-256 key around any octets, in PEM. The lengths here are below 128. */
function pemOfPoint(point: Uint8Array): string {
  const algorithm = fromHex("301306072a8648ce3d020106082a8648ce3d030107");
  const bits = concat(Uint8Array.of(0x03, point.length + 1, 0), point);
  const der = concat(Uint8Array.of(0x30, algorithm.length + bits.length), algorithm, bits);
  const text = btoa(String.fromCharCode(...der));
  return `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`;
}

interface Groups<T> {
  testGroups: { tests: (T & { tcId: number; result: string })[] }[];
}

function points(h: Harness, lib: Library, file: string, { testGroups }: Groups<{ public: string }>): void {
  const ledger = new Ledger(file);
  for (const { tcId, result, public: point } of testGroups.flatMap(({ tests }) => tests)) {
    ledger.case(tcId, result === "valid", isKey(lib, pemOfPoint(fromHex(point))));
  }
  h.verdicts(ledger.finish());
}

async function jwks(
  h: Harness,
  lib: Library,
  file: string,
  content: Groups<{ public: Jwk; private: Jwk }>,
): Promise<void> {
  const ledger = new Ledger(file);
  for (const test of content.testGroups.flatMap(({ tests }) => tests)) {
    const accepted = isKey(lib, test.public);
    if (accepted) (await lib.createIssuer({ key: test.private, issuer: "i", audience: "a" } as never)).dispose();
    ledger.case(test.tcId, test.result === "valid", accepted);
  }
  h.verdicts(ledger.finish());
}

function pkv(
  h: Harness,
  lib: Library,
  file: string,
  content: { tests: { qx: string; qy: string; result: string }[] },
): void {
  const ledger = new Ledger(file);
  for (const [id, { qx, qy, result }] of content.tests.entries()) {
    ledger.case(id, result.startsWith("P"), isKey(lib, p256Jwk(qx, qy)));
  }
  h.verdicts(ledger.finish());
}

/** A private key of a file issues a token, and its public half, as the file has it, verifies that token. */
async function issues(lib: Library, key: unknown, publicKey: Jwk): Promise<boolean> {
  const options = { issuer: "i", audience: "a", clock: () => NOW };
  let issuer: Issuer;
  try {
    issuer = await lib.createIssuer({ ...options, key, expiresIn: 60 } as never);
  } catch (error) {
    if (error instanceof lib.WaxsealError && error.code.startsWith("ERR_KEY_")) return false;
    throw error;
  }
  const verifier = await lib.createVerifier({ ...options, keys: publicKey } as VerifierOptions);
  const { claims } = verifier.verify(await issuer.issue({ sub: "alice" }));
  issuer.dispose();
  verifier.dispose();
  return claims.sub === "alice";
}

interface NistPrivate {
  tests: { d: string; qx: string; qy: string }[];
}

interface WycheproofPrivate {
  testGroups: { privateKeyPkcs8: string; privateKey: { modulus: string; publicExponent: string } }[];
}

async function nistPrivate(h: Harness, lib: Library, file: string, { tests }: NistPrivate): Promise<void> {
  const ledger = new Ledger(`private keys of ${file}`);
  for (const [id, { d, qx, qy }] of tests.entries()) {
    const key = p256Jwk(qx, qy);
    ledger.case(id, true, await issues(lib, { ...key, d: base64url(fromHex(d)) }, key));
  }
  h.verdicts(ledger.finish());
}

async function rsaPrivate(h: Harness, lib: Library, file: string, { testGroups }: WycheproofPrivate): Promise<void> {
  const ledger = new Ledger(`private keys of ${file}`);
  for (const [id, { privateKeyPkcs8, privateKey }] of testGroups.entries()) {
    const lines = btoa(String.fromCharCode(...fromHex(privateKeyPkcs8)));
    const pem = `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
    ledger.case(id, true, await issues(lib, pem, rsaJwk(privateKey.modulus, privateKey.publicExponent)));
  }
  h.verdicts(ledger.finish());
}

type Try = (h: Harness, lib: Library, file: string, content: never) => void | Promise<void>;

const READ = "keys are read alike from JWK and PEM, and no signature of the file is taken for one of a token";
const ISSUE = "private keys issue tokens that the public ones verify";

/** What is done with each file, by the sentence that it proves. */
export const KEY_FILES: Record<string, Record<string, Try>> = {
  ...Object.fromEntries(
    Object.entries(SIGNATURES).map(([file, read]): [string, Record<string, Try>] => [
      file,
      { [READ]: (h, lib, name, content) => keysOfSignatures(h, lib, name, read(content)) },
    ]),
  ),
  "wycheproof/ecdh_secp256r1_ecpoint_test.json": {
    "points are read from PEM uncompressed and on the curve alone": points,
  },
  "wycheproof/ecdh_secp256r1_webcrypto_test.json": {
    "points are read from JWKs on the curve alone, and the private keys beside them can sign": jwks,
  },
  "nist_ecdsa_p256_pkv.json": { "public keys are taken where NIST says that they are valid": pkv },
};

/** The files with private keys. */
export const PRIVATE_KEY_FILES: Record<string, Record<string, Try>> = {
  "nist_ecdsa_p256_sha256_siggen.json": { [ISSUE]: nistPrivate },
  "wycheproof/rsa_pkcs1_2048_sig_gen_test.json": { [ISSUE]: rsaPrivate },
};
