/**
 * ES256 in the release build, each case by the cold and by the hot path, against `node:crypto` (OpenSSL).
 *
 * A third of the signatures is made by OpenSSL; for the others the nonce and the private key are chosen, which are small,
 * near the group's order, or sparse, so that the multiples u1·G and u2·Q meet table entries, each other and the point at
 * infinity. Half of all is then spoilt. The expectation is always OpenSSL's verdict, never ours.
 */
import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Random } from "./random.js";
import { toBytes, toInteger } from "./random.js";
import type { Mismatch, ProofModule, Tally } from "./types.js";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Verifications of one key. A hot key's tables are built once for all of them. */
const CASES_PER_KEY = 512;

const BOUNDARIES = [0n, 1n, 2n, N - 2n, N - 1n, N, N + 1n, P - 1n, P, P + 1n, 2n ** 256n - 1n];

/** A scalar from 1 to n - 1 that is often special. */
function scalar(random: Random): bigint {
  const value = [
    (): bigint => random.integer(256),
    (): bigint => BigInt(1 + random.below(300)),
    (): bigint => N - BigInt(1 + random.below(300)),
    (): bigint => 2n ** BigInt(random.below(256)),
    (): bigint => 2n ** BigInt(random.below(256)) - 1n,
    (): bigint => random.integer(1 + random.below(256)),
    // Long runs of zeros and ones, which carries of recoded digits run through.
    (): bigint => (random.integer(256) << BigInt(random.below(200))) | (2n ** BigInt(random.below(200)) - 1n),
  ];
  const scalar = random.pick(value)() % N;
  return scalar === 0n ? 1n : scalar;
}

/** The inverse modulo the group's order, by Fermat's theorem. */
function inverse(value: bigint): bigint {
  let [power, base, exponent] = [1n, value % N, N - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) power = (power * base) % N;
    base = (base * base) % N;
  }
  return power;
}

/** The x and y coordinates of a multiple of the generator. */
function multiple(factor: bigint): [x: Buffer, y: Buffer] {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(toBytes(factor, 32));
  const point = ecdh.getPublicKey();
  return [point.subarray(1, 33), point.subarray(33)];
}

interface Key {
  readonly secret: bigint;
  readonly x: Buffer;
  readonly y: Buffer;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function makeKey(random: Random): Key {
  const secret = scalar(random);
  const [x, y] = multiple(secret);
  const jwk = { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
  const d = toBytes(secret, 32).toString("base64url");
  return {
    secret,
    x,
    y,
    publicKey: createPublicKey({ key: jwk, format: "jwk" }),
    privateKey: createPrivateKey({ key: { ...jwk, d }, format: "jwk" }),
  };
}

function signature(random: Random, key: Key, message: Buffer): Buffer {
  if (random.below(3) === 0) return sign("sha256", message, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  // With a chosen nonce: r is the x coordinate of k·G, and s = (e + r·d)/k (FIPS 186-5 section 6.4.1).
  const nonce = scalar(random);
  const r = toInteger(multiple(nonce)[0]) % N;
  const e = toInteger(createHash("sha256").update(message).digest());
  const s = (((e + r * key.secret) % N) * inverse(nonce)) % N;
  return Buffer.concat([toBytes(r, 32), toBytes(s, 32)]);
}

/** Changes a signature, or the message, so that it most likely does not verify. */
function spoil(random: Random, message: Buffer, made: Buffer): void {
  const half = random.below(2) * 32;
  const ways = [
    (): void => void (made[random.below(64)]! ^= 1 << random.below(8)),
    (): void => void (message[random.below(message.length)]! ^= 1 << random.below(8)),
    (): void => void made.set(toBytes(random.pick(BOUNDARIES), 32), half),
    // r and s in each other's place; the negative of s, which is as valid as s.
    (): void => made.set(Buffer.concat([made.subarray(32), made.subarray(0, 32)])),
    (): void => made.set(toBytes((N - toInteger(made.subarray(32))) % N, 32), 32),
  ];
  random.pick(ways)();
}

/** Verifies `count` signatures by both paths. */
export function proveP256(module: ProofModule, random: Random, count: number, tally: Tally): Mismatch | undefined {
  for (let done = 0; done < count; done += CASES_PER_KEY) {
    const key = makeKey(random);
    const cases = Buffer.alloc(CASES_PER_KEY * 96);
    const expected = new Uint8Array(CASES_PER_KEY);
    for (let i = 0; i < CASES_PER_KEY; i++) {
      const message = random.bytes(1 + random.below(64));
      const made = signature(random, key, message);
      if (random.below(2) === 0) spoil(random, message, made);
      cases.set(createHash("sha256").update(message).digest(), i * 96);
      cases.set(made, i * 96 + 32);
      expected[i] = Number(verify("sha256", message, { key: key.publicKey, dsaEncoding: "ieee-p1363" }, made));
    }
    for (const path of ["cold", "hot"] as const) {
      const verdicts = module.prove_p256(path === "hot", key.x, key.y, cases);
      if (verdicts?.length !== CASES_PER_KEY) return { path, case: "not all cases were answered" };
      for (const [i, verdict] of verdicts.entries()) {
        if (verdict !== expected[i]) {
          const at = cases.subarray(i * 96, i * 96 + 96).toString("hex");
          return { path, case: `x ${key.x.toString("hex")} y ${key.y.toString("hex")} digest, r, s ${at}` };
        }
        tally.add(`ES256 ${path}`, verdict === 1 ? "valid" : "invalid");
      }
    }
  }
  return undefined;
}
