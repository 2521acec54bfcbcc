// What every file of the suite needs: keys and tokens made by WebCrypto, the implementation that shares no code with
// the library under test, and a fixed moment, so that no test depends on the clock of the machine it runs on.

import type { Library } from "../harness/types.js";

/** The moment at which the tests take place, in seconds. */
export const NOW = 1_800_000_000;
export const ISSUER = "https://issuer.example";
export const AUDIENCE = "https://api.example";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Members = { [name: string]: Json };
export type Jwk = Members & { kty: string };

/** A pair of keys as WebCrypto holds it and as JWKs. */
export interface Keys {
  readonly alg: "ES256" | "RS256";
  readonly kid: string;
  readonly cryptoPrivate: CryptoKey;
  readonly cryptoPublic: CryptoKey;
  /** The public JWK with `kid`, `use` and `alg`, as an identity provider publishes it. */
  readonly publicJwk: Jwk;
  /** The private JWK with `kid` and `alg`. */
  readonly privateJwk: Jwk;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(text));
}

export function base64url(data: Uint8Array | ArrayBuffer | string): string {
  const bytes = typeof data === "string" ? utf8(data) : data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function bigEndian(value: bigint, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Generates a pair of keys with WebCrypto. */
export async function generateKeys(alg: "ES256" | "RS256", kid: string, modulusLength = 2048): Promise<Keys> {
  const algorithm =
    alg === "ES256"
      ? { name: "ECDSA", namedCurve: "P-256" }
      : { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const clean = (jwk: JsonWebKey): Jwk => {
    const members: Jwk = { ...(jwk as unknown as Jwk), kid, alg };
    delete members["ext"];
    delete members["key_ops"];
    return members;
  };
  return {
    alg,
    kid,
    cryptoPrivate: pair.privateKey,
    cryptoPublic: pair.publicKey,
    publicJwk: { ...clean(await crypto.subtle.exportKey("jwk", pair.publicKey)), use: "sig" },
    privateJwk: clean(await crypto.subtle.exportKey("jwk", pair.privateKey)),
  };
}

const kept = new Map<string, Keys>();

async function keep(alg: "ES256" | "RS256", kid: string): Promise<Keys> {
  // The keys are kept, not the promise: on Workers a promise of one request may not be awaited in another.
  let keys = kept.get(kid);
  if (!keys) {
    keys = await generateKeys(alg, kid);
    kept.set(kid, keys);
  }
  return keys;
}

/** The ES256 keys that most tests use. */
export const ec = (): Promise<Keys> => keep("ES256", "ec-1");
/** Other ES256 keys, which no verifier trusts unless the test says so. */
export const otherEc = (): Promise<Keys> => keep("ES256", "ec-2");
/** The RS256 keys, 2048 bits. */
export const rsa = (): Promise<Keys> => keep("RS256", "rsa-1");

/** Signs bytes with WebCrypto: 64 bytes r || s for ES256, as long as the modulus for RS256. */
export async function rawSignature(keys: Keys, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = keys.alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : { name: "RSASSA-PKCS1-v1_5" };
  return new Uint8Array(await crypto.subtle.sign(algorithm, keys.cryptoPrivate, message));
}

/** Checks a token's signature with WebCrypto. */
export async function verifiesWithWebCrypto(keys: Keys, token: string): Promise<boolean> {
  const at = token.lastIndexOf(".");
  const algorithm = keys.alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : { name: "RSASSA-PKCS1-v1_5" };
  const signature = fromBase64url(token.slice(at + 1));
  return crypto.subtle.verify(algorithm, keys.cryptoPublic, signature, utf8(token.slice(0, at)));
}

/** The claims of an ordinary access token at [`NOW`]; a member given as `undefined` is left out. */
export function claims(overrides: { [name: string]: Json | undefined } = {}): Members {
  const all: { [name: string]: Json | undefined } = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "alice",
    iat: NOW - 10,
    exp: NOW + 600,
    jti: "token-1",
    sid: "session-1",
    ...overrides,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Members;
}

/** Text or bytes stand as they are; anything else becomes JSON. */
export type Part = string | Uint8Array | Members;

function segment(part: Part): string {
  return base64url(typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part));
}

/** A compact JWS signed by WebCrypto. Without a header, the plain one for the keys. */
export async function signed(keys: Keys, payload: Part = claims(), header?: Part): Promise<string> {
  const input = `${segment(header ?? { alg: keys.alg, kid: keys.kid, typ: "JWT" })}.${segment(payload)}`;
  return `${input}.${base64url(await rawSignature(keys, utf8(input)))}`;
}

/** A compact JWS whose signature the caller chooses, from the signing input. */
export async function withSignature(
  header: Part,
  payload: Part,
  sign: (input: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>,
): Promise<string> {
  const input = `${segment(header)}.${segment(payload)}`;
  return `${input}.${base64url(await sign(utf8(input)))}`;
}

/** Puts one claim into the payload's text exactly as written, for what `JSON.stringify` cannot write. */
export function claimsWith(name: string, text: string): string {
  const others = JSON.stringify(claims({ [name]: undefined }));
  return `${others.slice(0, -1)},${JSON.stringify(name)}:${text}}`;
}

/** A small generator of reproducible numbers (mulberry32) in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type VerifierOptions = Parameters<Library["createVerifier"]>[0];
export type Verifier = Awaited<ReturnType<Library["createVerifier"]>>;
export type IssuerOptions = Parameters<Library["createIssuer"]>[0];
export type Issuer = Awaited<ReturnType<Library["createIssuer"]>>;

/** A verifier that trusts the ES256 keys, with options added or replaced; wrong types may be given on purpose. */
export async function makeVerifier(lib: Library, overrides: object = {}): Promise<Verifier> {
  const options = { keys: (await ec()).publicJwk, issuer: ISSUER, audience: AUDIENCE, clock: () => NOW, ...overrides };
  return lib.createVerifier(options as unknown as VerifierOptions);
}

/** An issuer that signs with the ES256 keys, with options added or replaced. */
export async function makeIssuer(lib: Library, overrides: object = {}): Promise<Issuer> {
  const options = { key: (await ec()).privateJwk, issuer: ISSUER, audience: AUDIENCE, clock: () => NOW, ...overrides };
  return lib.createIssuer(options as unknown as IssuerOptions);
}

/** Reads a token that was issued, without the library. */
export function read(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header, claims] = token
    .split(".", 2)
    .map((part) => JSON.parse(new TextDecoder().decode(fromBase64url(part))) as Record<string, unknown>);
  return { header: header as Record<string, unknown>, claims: claims as Record<string, unknown> };
}
