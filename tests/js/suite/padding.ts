// What an RSA signature may be a power of: one encoding and no other (RFC 8017 section 9.2). The encodings here are
// signed with the real private key, so that nothing but the comparison of the padding stands between them and a pass;
// CVE-2006-4339 and its relatives forge them without it where a verifier parses what it should compare.

import { equal, ok, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { bigEndian, claims, concat, fromBase64url, makeVerifier, rsa, withSignature } from "./support.js";
import type { Keys, Verifier } from "./support.js";

type Bytes = Uint8Array<ArrayBuffer>;
/** Makes an encoding from the hash, as long as the modulus. */
type Encoding = (hash: Bytes, length: number) => Bytes;

const hex = (text: string): Bytes =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
const bytes = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const number = (raw: Bytes): bigint => raw.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** DigestInfo up to the hash: SHA-256 with the parameters NULL. */
const SHA_256 = hex("30 31 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 20");

/** As RFC 8017 pads, with other content or other bytes in places. */
function padded(content: Bytes, length: number, { first = 0, type = 1, filler = 0xff, end = 0 } = {}): Bytes {
  return concat(Uint8Array.of(first, type), bytes(length - 3 - content.length, filler), Uint8Array.of(end), content);
}

const digestInfo =
  (prefix: string): Encoding =>
  (hash, length) =>
    padded(concat(hex(prefix), hash), length);
const standard: Encoding = (hash, length) => padded(concat(SHA_256, hash), length);
const variant =
  (options: Parameters<typeof padded>[2]): Encoding =>
  (hash, length) =>
    padded(concat(SHA_256, hash), length, options);

const LAX: [string, Encoding][] = [
  [
    "with rubbish after the hash and padding of eight bytes",
    (hash, length) => {
      const start = concat(hex("00 01"), bytes(8, 0xff), hex("00"), SHA_256, hash);
      return concat(start, bytes(length - start.length, 0x2a));
    },
  ],
  [
    "with rubbish between padding and digest",
    (hash, length) => {
      const [start, content] = [concat(hex("00 01"), bytes(8, 0xff), hex("00")), concat(SHA_256, hash)];
      return concat(start, bytes(length - start.length - content.length, 0x2a), content);
    },
  ],
  [
    "with no padding at all",
    (hash, length) => {
      const content = concat(SHA_256, hash);
      return concat(hex("00 01 00"), content, bytes(length - 3 - content.length, 0));
    },
  ],
  ["with a first byte of one", variant({ first: 1 })],
  ["with padding of type 0", variant({ type: 0, filler: 0 })],
  ["with padding of type 2", variant({ type: 2 })],
  ["with padding of fe", variant({ filler: 0xfe })],
  ["with padding of 00", variant({ filler: 0 })],
  ["whose padding does not end", variant({ end: 0xff })],
  [
    "with one byte of its padding changed",
    (hash, length) => {
      const encoded = standard(hash, length);
      encoded[100] = 0xfe;
      return encoded;
    },
  ],
  ["without the parameters of the hash", digestInfo("30 2f 30 0b 06 09 60 86 48 01 65 03 04 02 01 04 20")],
  [
    "with rubbish for the parameters of the hash",
    digestInfo("30 41 30 1d 06 09 60 86 48 01 65 03 04 02 01 04 10 2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a 04 20"),
  ],
  [
    "with a length in two bytes, as BER may write it",
    digestInfo("30 81 31 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 20"),
  ],
  ["with a length of the hash in two bytes", digestInfo("30 32 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 81 20")],
  ["with a NULL in three bytes", digestInfo("30 32 30 0e 06 09 60 86 48 01 65 03 04 02 01 05 81 00 04 20")],
  ["with the name of SHA-1", digestInfo("30 2d 30 09 06 05 2b 0e 03 02 1a 05 00 04 20")],
  ["with the name of SHA-512", digestInfo("30 31 30 0d 06 09 60 86 48 01 65 03 04 02 03 05 00 04 20")],
  ["of the hash alone", (hash, length) => padded(hash, length)],
  [
    "of the hash's first byte",
    (hash, length) =>
      padded(concat(hex("30 12 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 01"), hash.slice(0, 1)), length),
  ],
  ["of no hash", (_, length) => padded(hex("30 11 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 04 00"), length)],
  ["with a zero after the hash", (hash, length) => padded(concat(SHA_256, hash, hex("00")), length)],
  ["of the hash in reverse", (hash, length) => standard(hash.slice().reverse(), length)],
];

export const padding: Suite = (h, lib) => {
  /** base ** exponent % modulus */
  const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
    let result = 1n;
    for (const bit of exponent.toString(2)) {
      result = (result * result) % modulus;
      if (bit === "1") result = (result * base) % modulus;
    }
    return result;
  };

  const sign = async (keys: Keys, encoding: Encoding): Promise<string> => {
    const [n = 0n, d = 0n] = ["n", "d"].map((name) => number(fromBase64url(keys.privateJwk[name] as string)));
    return withSignature({ alg: "RS256", kid: keys.kid }, claims(), async (input) => {
      const encoded = encoding(new Uint8Array(await crypto.subtle.digest("SHA-256", input)), 256);
      equal(encoded.length, 256);
      return bigEndian(power(number(encoded), d, n), 256);
    });
  };
  const verifier = async (keys: Keys): Promise<Verifier> => makeVerifier(lib, { keys: keys.publicJwk });

  h.test("the encoding of RFC 8017 section 9.2, signed by hand, is accepted", async () => {
    const keys = await rsa();
    ok((await verifier(keys)).verify(await sign(keys, standard)));
  });

  for (const [what, encoding] of LAX) {
    h.test(`an encoding ${what} is refused, though the private key signed it`, async () => {
      const keys = await rsa();
      const [token, strict] = [await sign(keys, encoding), await verifier(keys)];
      throws(() => strict.verify(token), "ERR_SIGNATURE_INVALID");
    });
  }
};
