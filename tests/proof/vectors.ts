/** Wycheproof and NIST vectors in the release build, each by both paths, with the verdict of the file as expectation. */
import { createHash } from "node:crypto";
import { vectors } from "../js/harness/report.js";
import type { Mismatch, ProofModule, Tally } from "./types.js";

interface Case {
  readonly name: string;
  readonly message: string;
  readonly signature: string;
  readonly valid: boolean;
}

interface P256Group {
  publicKey: { uncompressed: string };
  tests: { tcId: number; msg: string; sig: string; result: string }[];
}

interface RsaGroup {
  publicKey: { modulus: string; publicExponent: string };
  tests: { tcId: number; msg: string; sig: string; result: string }[];
}

interface NistP256 {
  tests: { msg: string; qx: string; qy: string; r: string; s: string; result: string }[];
}

interface NistRsa {
  tests: { msg: string; n: string; e: string; s: string; result: string }[];
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const sha256 = (message: Buffer): Buffer => createHash("sha256").update(message).digest();

/** Of an integer in hexadecimal, the octets without leading zeros. */
function minimal(text: string): Buffer {
  const digits = text.replace(/^0+/, "");
  return hex(digits.length % 2 === 0 ? digits : `0${digits}`);
}

/** What a valid RSA signature is a root of (RFC 8017 section 9.2), put together here a second time. */
function encodedMessage(message: Buffer, length: number): Buffer {
  const info = Buffer.concat([hex("3031300d060960864801650304020105000420"), sha256(message)]);
  return Buffer.concat([hex("0001"), Buffer.alloc(length - 3 - info.length, 0xff), hex("00"), info]);
}

class VectorProof {
  constructor(
    readonly module: ProofModule,
    readonly tally: Tally,
  ) {}

  p256(file: string, x: Buffer, y: Buffer, cases: readonly Case[]): Mismatch | undefined {
    for (const path of ["cold", "hot"] as const) {
      for (const { name, message, signature, valid } of cases) {
        const whole = hex(signature);
        // The length is judged before the arithmetic; tests of tokens have it.
        if (whole.length !== 64) continue;
        const verdicts = this.module.prove_p256(path === "hot", x, y, Buffer.concat([sha256(hex(message)), whole]));
        if (verdicts === undefined || verdicts[0] !== Number(valid)) return { path, case: `${file}, ${name}` };
        this.tally.add(`${file}, ${path}`, valid ? "valid" : "invalid");
      }
    }
    return undefined;
  }

  rsa(file: string, modulus: Buffer, exponent: Buffer, cases: readonly Case[]): Mismatch | undefined {
    for (const path of ["simd", "scalar"] as const) {
      for (const { name, message, signature, valid } of cases) {
        const whole = hex(signature);
        // So are the length, and whether the signature is below the modulus.
        if (whole.length !== modulus.length || whole.compare(modulus) >= 0) continue;
        const power = this.module.prove_rsa(path === "simd", modulus, exponent, whole);
        if (power === undefined) {
          // Moduli from 2048 to 4096 bits and exponents from 65537 are taken; no other key is refused here.
          const weak = modulus.length < 256 || modulus.length > 512 || exponent.compare(hex("010001")) < 0;
          if (exponent.length >= 3 && exponent.length <= 4 && !weak) return { path, case: `${file}, ${name}` };
          continue;
        }
        const verdict = encodedMessage(hex(message), modulus.length).equals(power);
        if (verdict !== valid) return { path, case: `${file}, ${name}` };
        this.tally.add(`${file}, ${path}`, valid ? "valid" : "invalid");
      }
    }
    return undefined;
  }
}

/** Tries every file that is there, and names the others. */
export async function proveVectors(module: ProofModule, tally: Tally): Promise<Mismatch | undefined> {
  const proof = new VectorProof(module, tally);
  for (const [file, prove] of Object.entries(FILES)) {
    const content = await vectors(file);
    if (content === undefined) console.log(`skipped: ${file} is not there`);
    const mismatch = content === undefined ? undefined : prove(proof, file, content);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}

type Prove = (proof: VectorProof, file: string, content: unknown) => Mismatch | undefined;

const wycheproofP256: Prove = (proof, file, content) => {
  for (const { publicKey, tests } of (content as { testGroups: P256Group[] }).testGroups) {
    const point = hex(publicKey.uncompressed);
    const cases = tests.map(({ tcId, msg, sig, result }) => ({
      name: `case ${tcId}`,
      message: msg,
      signature: sig,
      valid: result === "valid",
    }));
    const mismatch = proof.p256(file, point.subarray(1, 33), point.subarray(33), cases);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
};

const wycheproofRsa: Prove = (proof, file, content) => {
  for (const { publicKey, tests } of (content as { testGroups: RsaGroup[] }).testGroups) {
    const cases = tests.map(({ tcId, msg, sig, result }) => ({
      name: `case ${tcId}`,
      message: msg,
      signature: sig,
      // "Acceptable" is an encoding that whoever compares the whole encoded message does not accept.
      valid: result === "valid",
    }));
    const mismatch = proof.rsa(file, minimal(publicKey.modulus), minimal(publicKey.publicExponent), cases);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
};

const nistP256: Prove = (proof, file, content) => {
  for (const [index, { msg, qx, qy, r, s, result }] of (content as NistP256).tests.entries()) {
    const signature = r.padStart(64, "0") + s.padStart(64, "0");
    const one = { name: `test ${index + 1}`, message: msg, signature, valid: result.startsWith("P") };
    const mismatch = proof.p256(file, hex(qx.padStart(64, "0")), hex(qy.padStart(64, "0")), [one]);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
};

const nistRsa: Prove = (proof, file, content) => {
  for (const [index, { msg, n, e, s, result }] of (content as NistRsa).tests.entries()) {
    const modulus = minimal(n);
    const signature = s.padStart(2 * modulus.length, "0");
    const one = { name: `test ${index + 1}`, message: msg, signature, valid: result.startsWith("P") };
    const mismatch = proof.rsa(file, modulus, minimal(e), [one]);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
};

const FILES: Record<string, Prove> = {
  "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json": wycheproofP256,
  "wycheproof/rsa_signature_2048_sha256_test.json": wycheproofRsa,
  "wycheproof/rsa_signature_3072_sha256_test.json": wycheproofRsa,
  "wycheproof/rsa_signature_4096_sha256_test.json": wycheproofRsa,
  "nist_ecdsa_p256_sha256_sigver.json": nistP256,
  "nist_rsa_pkcs1v15_sha256_sigver.json": nistRsa,
};
