/**
 * The public RSA operation in the release build, by the vector and by the scalar path, against `node:crypto` (OpenSSL):
 * the whole power is compared, bit for bit, not a verdict on it.
 *
 * OpenSSL raises to a power modulo any odd number, so the moduli need not be products of two primes. They are of every
 * length from 2048 to 4096 bits, random or with runs of digits at the ends of their range, where the bounds of
 * accumulators are reached.
 */
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import type { Random } from "./random.js";
import { toBytes } from "./random.js";
import type { Mismatch, ProofModule, Tally } from "./types.js";

const OPERANDS_PER_MODULUS = 64;

/** 65537 as nearly all keys have it, and others within what is accepted. */
const EXPONENTS = [65537n, 65537n, 65537n, 65537n, 65539n, 0x1234567n, 2n ** 31n + 1n, 2n ** 32n - 1n];

/** A number of so many bits with patterns that signed digits of 12, 13 and 28 bits find extreme. */
function patterned(random: Random, bits: number): bigint {
  const width = random.pick([12, 13, 13, 13, 26, 28, 32]);
  const extremes = [0n, 1n, 2n ** BigInt(width - 1) - 1n, 2n ** BigInt(width - 1), 2n ** BigInt(width) - 1n];
  const steady = random.pick(extremes);
  const mixed = random.below(3);
  let value = 0n;
  for (let i = 0; i * width < bits; i++) {
    const digit = mixed === 0 ? steady : mixed === 1 ? random.pick(extremes) : (i & 1) === 0 ? steady : extremes[3]!;
    value = (value << BigInt(width)) | digit;
  }
  return value & (2n ** BigInt(bits) - 1n);
}

function makeModulus(random: Random): bigint {
  const bits = random.pick([2048, 2048, 3072, 4096, 2048 + random.below(2049)]);
  const body = random.below(2) === 0 ? random.integer(bits) : patterned(random, bits);
  return body | (1n << BigInt(bits - 1)) | 1n;
}

function makeOperand(random: Random, modulus: bigint, bits: number): bigint {
  const ways = [
    (): bigint => random.integer(bits),
    (): bigint => random.integer(bits),
    (): bigint => patterned(random, bits),
    (): bigint => BigInt(random.below(3)),
    (): bigint => modulus - 1n - BigInt(random.below(3)),
    (): bigint => random.integer(1 + random.below(bits)),
  ];
  return random.pick(ways)() % modulus;
}

/** Raises `count` operands by both paths. */
export function proveRsa(module: ProofModule, random: Random, count: number, tally: Tally): Mismatch | undefined {
  for (let done = 0; done < count; done += OPERANDS_PER_MODULUS) {
    const modulus = makeModulus(random);
    const bits = modulus.toString(2).length;
    const length = Math.ceil(bits / 8);
    const n = toBytes(modulus, length);
    const exponent = random.pick(EXPONENTS);
    const e = Buffer.from(exponent.toString(16).padStart(exponent > 0xffffffn ? 8 : 6, "0"), "hex");
    const jwk = { kty: "RSA", n: n.toString("base64url"), e: e.toString("base64url") };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const operands = Buffer.concat(
      Array.from({ length: OPERANDS_PER_MODULUS }, () => toBytes(makeOperand(random, modulus, bits), length)),
    );
    const expected = Array.from({ length: OPERANDS_PER_MODULUS }, (_, i) =>
      publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, operands.subarray(i * length, (i + 1) * length)),
    );
    for (const path of ["simd", "scalar"] as const) {
      const powers = module.prove_rsa(path === "simd", n, e, operands);
      if (powers?.length !== OPERANDS_PER_MODULUS * length) return { path, case: "not all cases were answered" };
      for (const [i, power] of expected.entries()) {
        const [from, to] = [i * length, (i + 1) * length];
        if (!power.equals(powers.subarray(from, to))) {
          const operand = operands.subarray(from, to).toString("hex");
          return { path, case: `n ${n.toString("hex")} e ${exponent} s ${operand}` };
        }
        tally.add(`RSA ${path}`, `of ${bits > 3072 ? "3073 to 4096" : bits > 2048 ? "2049 to 3072" : "2048"} bits`);
      }
    }
  }
  return undefined;
}
