/** Numbers that a seed determines, so that a failure can be run again. */
import { createCipheriv, createHash } from "node:crypto";

const ZEROS = Buffer.alloc(1 << 16);

/** A stream of pseudorandom bytes: AES in counter mode under a key made from the seed. */
export class Random {
  readonly #cipher;
  #bytes = Buffer.alloc(0);

  constructor(seed: string) {
    this.#cipher = createCipheriv(
      "aes-128-ctr",
      createHash("sha256").update(seed).digest().subarray(0, 16),
      ZEROS.subarray(0, 16),
    );
  }

  bytes(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.concat([this.#bytes, this.#cipher.update(ZEROS)]);
    const taken = Buffer.from(this.#bytes.subarray(0, length));
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** A number from 0 to `limit` - 1, for limits far below 2^32. */
  below(limit: number): number {
    return this.bytes(4).readUInt32BE() % limit;
  }

  /** One of the list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** A number from 0 to 2^bits - 1. */
  integer(bits: number): bigint {
    const bytes = Math.ceil(bits / 8);
    return bytes === 0 ? 0n : toInteger(this.bytes(bytes)) >> BigInt(bytes * 8 - bits);
  }
}

export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** Big-endian, in so many bytes; the number must fit. */
export function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex");
}
