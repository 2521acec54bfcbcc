// Files of signatures over bare messages. A message of theirs is not the first half of a token, so the package cannot be
// asked for the verdict: the release build with the feature `proof` is (tests/proof), by what is read here.

import { base64url } from "./support.js";
import type { Jwk } from "./support.js";

/** A key, a message, a signature, and what the file says about them. */
export interface SignatureCase {
  readonly id: string | number;
  readonly key: Jwk;
  /** The same key as the file has it in PEM. */
  readonly pem?: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

interface Group {
  publicKey: { uncompressed?: string; modulus: string; publicExponent: string };
  /** What a file with private keys has in the place of `publicKey`. */
  privateKey?: Group["publicKey"];
  publicKeyPem?: string;
  keyPem?: string;
  tests: { tcId: number; msg: string; sig: string; result: string }[];
}

interface Nist<T> {
  tests: T[];
}

/** The octets of hexadecimal text; a missing leading zero is supplied. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const pairs = (text.length % 2 === 0 ? text : `0${text}`).match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export function p256Jwk(x: string, y: string): Jwk {
  return { kty: "EC", crv: "P-256", x: base64url(fromHex(x)), y: base64url(fromHex(y)) };
}

/** Vector files write integers with a leading zero octet where the top bit is set. */
export function rsaJwk(modulus: string, exponent: string): Jwk {
  const minimal = (text: string): string => base64url(fromHex(text.replace(/^0+/, "")));
  return { kty: "RSA", n: minimal(modulus), e: minimal(exponent) };
}

function wycheproof({ testGroups }: { testGroups: Group[] }): SignatureCase[] {
  return testGroups.flatMap(({ publicKey, privateKey, publicKeyPem, keyPem, tests }) => {
    const { uncompressed, modulus, publicExponent } = privateKey ?? publicKey;
    const key =
      uncompressed === undefined
        ? rsaJwk(modulus, publicExponent)
        : p256Jwk(uncompressed.slice(2, 66), uncompressed.slice(66));
    const pem = publicKeyPem ?? keyPem;
    return tests.map(({ tcId, msg, sig, result }) => ({
      id: tcId,
      key,
      ...(pem !== undefined && { pem }),
      message: fromHex(msg),
      signature: fromHex(sig),
      // What a file calls acceptable counts as one to refuse.
      valid: result === "valid",
    }));
  });
}

/** Signatures that NIST generated have no verdict beside them: they are right. */
const passes = (result: string | undefined): boolean => result === undefined || result.startsWith("P");

type NistP256 = Nist<{ msg: string; qx: string; qy: string; r: string; s: string; result?: string }>;

const nistP256 = ({ tests }: NistP256): SignatureCase[] =>
  tests.map(({ msg, qx, qy, r, s, result }, id) => ({
    id,
    key: p256Jwk(qx, qy),
    message: fromHex(msg),
    signature: fromHex(r + s),
    valid: passes(result),
  }));

type NistRsa = Nist<{ msg: string; n: string; e: string; s: string; result: string }>;

const nistRsa = ({ tests }: NistRsa): SignatureCase[] =>
  tests.map(({ msg, n, e, s, result }, id) => ({
    id,
    key: rsaJwk(n, e),
    message: fromHex(msg),
    signature: fromHex(s),
    valid: passes(result),
  }));

/** The files, and how each is read. */
export const SIGNATURES: Record<string, (content: never) => SignatureCase[]> = {
  "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json": wycheproof,
  "wycheproof/ecdsa_secp256r1_sha256_test.json": wycheproof,
  "wycheproof/rsa_signature_2048_sha256_test.json": wycheproof,
  "wycheproof/rsa_signature_3072_sha256_test.json": wycheproof,
  "wycheproof/rsa_signature_4096_sha256_test.json": wycheproof,
  "wycheproof/rsa_signature_8192_sha256_test.json": wycheproof,
  "wycheproof/rsa_pkcs1_2048_sig_gen_test.json": wycheproof,
  "nist_ecdsa_p256_sha256_sigver.json": nistP256,
  "nist_ecdsa_p256_sha256_siggen.json": nistP256,
  "nist_rsa_pkcs1v15_sha256_sigver.json": nistRsa,
};
