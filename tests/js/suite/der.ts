// Just enough DER and PEM to make certificates and odd keys for the tests (X.690, RFC 7468, RFC 5280).

import { base64url, concat, fromBase64url, rawSignature } from "./support.js";
import type { Keys } from "./support.js";

/** One DER value: tag, length, content. */
export function der(tag: number, ...content: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(...content);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(tag, ...size), body);
}

/** An INTEGER from its bytes, most significant first: without needless zeros, never negative. */
export function derInteger(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const trimmed = bytes.slice(at);
  return der(2, (trimmed[0] as number) >= 0x80 ? concat(Uint8Array.of(0), trimmed) : trimmed);
}

/** An ECDSA signature as X.509 and TLS write it, from r || s. */
export function derSignature(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  return der(0x30, derInteger(raw.slice(0, 32)), derInteger(raw.slice(32)));
}

const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const ECDSA_WITH_SHA256 = der(0x30, hex("06082a8648ce3d040302"));
const SHA256_WITH_RSA = der(0x30, hex("06092a864886f70d01010b"), hex("0500"));

export async function spki(key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await crypto.subtle.exportKey("spki", key)) as ArrayBuffer);
}

export async function pkcs8(key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await crypto.subtle.exportKey("pkcs8", key)) as ArrayBuffer);
}

/** A self-signed X.509 certificate of version 3. */
export async function certificate(keys: Keys): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = keys.alg === "ES256" ? ECDSA_WITH_SHA256 : SHA256_WITH_RSA;
  const text = (tag: number, value: string): Uint8Array => der(tag, new TextEncoder().encode(value));
  const name = der(0x30, der(0x31, der(0x30, hex("0603550403"), text(0x0c, "issuer.example"))));
  const toBeSigned = der(
    0x30,
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(Uint8Array.of(0x7f, 1, 2, 3)),
    algorithm,
    name,
    der(0x30, text(0x17, "250101000000Z"), text(0x17, "350101000000Z")),
    name,
    await spki(keys.cryptoPublic),
  );
  const raw = await rawSignature(keys, toBeSigned);
  const signature = keys.alg === "ES256" ? derSignature(raw) : raw;
  return der(0x30, toBeSigned, algorithm, der(3, Uint8Array.of(0), signature));
}

/** Bytes as PEM under a label (RFC 7468 section 3). */
export function pem(label: string, bytes: Uint8Array, lineEnd = "\n"): string {
  const base64 = base64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  const padded = base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
  const lines = padded.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join(lineEnd);
}

/** The PKCS#1 form of an RSA public key, which is not SPKI. */
export function pkcs1(keys: Keys): Uint8Array<ArrayBuffer> {
  const integer = (name: string): Uint8Array => derInteger(fromBase64url(keys.publicJwk[name] as string));
  return der(0x30, integer("n"), integer("e"));
}
