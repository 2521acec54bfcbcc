import { optionInvalid, WaxsealError } from "./error.js";
import { isBytes, type KeyParts, withKeys } from "./key-parts.js";
import { isObject, listOf, take } from "./options.js";
import { pemContent, RS256 } from "./signer.js";
import type { JWK, JwkSet } from "./types.js";
import { call, load } from "./wasm.js";

/**
 * A key in any form, public or private: a JWK or its JSON text, PEM text (`PUBLIC KEY`, `CERTIFICATE`, `PRIVATE KEY`), or the
 * bytes of one of these or of SPKI or PKCS#8 DER. Of a certificate nothing but the key is read: its dates, issuer and signature
 * are not judged.
 */
export type AnyKey = JWK | string | Uint8Array;

/** The options of {@link generateKeyPair}. */
export interface KeyPairOptions {
  /** The size of an RS256 key in bits: 2048 (the default), 3072 or 4096. */
  modulusLength?: 2048 | 3072 | 4096;
}

/** What {@link generateKeyPair} gives. Keep `privateKey` secret. */
export interface KeyPair {
  /** The public key with `kid`, `use` and `alg`. */
  publicKey: JWK;
  /** The private key, with the same `kid`. */
  privateKey: JWK;
}

/**
 * Generates a key pair. ES256 keys are made from the host's random bytes inside the module, RS256 keys by WebCrypto.
 *
 * @param alg `"ES256"` or `"RS256"`; ES256 keys and tokens are smaller, and quicker to sign with.
 * @param options `modulusLength`, for RS256.
 * @returns Both halves as JWKs; the `kid` is the RFC 7638 thumbprint.
 * @throws WaxsealError `ERR_OPTION_INVALID`, `ERR_RANDOM_UNAVAILABLE`
 */
export async function generateKeyPair(alg: "ES256" | "RS256", options: KeyPairOptions = {}): Promise<KeyPair> {
  await load();
  const { taken, rest } = take(options, ["modulusLength"]);
  for (const name of Object.keys(rest)) throw optionInvalid(`Unknown option ${name}.`);
  const made = call((core) => core.generate_key_pair(alg));
  if (made !== undefined) {
    if (taken.modulusLength !== undefined) throw optionInvalid("modulusLength is for RS256 alone.");
    const [publicKey, privateKey] = made;
    return { publicKey: JSON.parse(publicKey) as JWK, privateKey: JSON.parse(privateKey) as JWK };
  }
  const modulusLength = taken.modulusLength ?? 2048;
  if (modulusLength !== 2048 && modulusLength !== 3072 && modulusLength !== 4096) {
    throw optionInvalid("modulusLength must be 2048, 3072 or 4096.");
  }
  const pair = await crypto.subtle.generateKey(
    { ...RS256, modulusLength, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  );
  const privateKey = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return { publicKey: publicJwk(privateKey as JWK), privateKey: withSecret(privateKey) };
}

/**
 * The RFC 7638 thumbprint of a key, base64url of 32 bytes: the same for a private key and its public half.
 *
 * @throws WaxsealError `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`
 */
export function thumbprint(key: AnyKey): string {
  return withKeys([key], ([parts]) => call((core) => core.thumbprint(parts as KeyParts)));
}

/**
 * The public half of a key, as it is published: with `use`, `alg` and a `kid`, which is the thumbprint where the key has none.
 *
 * @throws WaxsealError `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`
 */
export function publicJwk(key: AnyKey): JWK {
  return publicJwks([key]).keys[0] as JWK;
}

/**
 * The JWK Set to publish of one or more keys, public or private: of every key its public half alone.
 *
 * @param keys A key, a JWK Set, or an array of these. Unlike in a set to verify with, a key that cannot be used is an error.
 * @throws WaxsealError `ERR_KEY_INVALID`, also for two keys of one `kid`; `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`
 *
 * @example
 * ```ts
 * Response.json(publicJwks([next, old]), {
 *   headers: { "Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=300" },
 * });
 * ```
 */
export function publicJwks(keys: AnyKey | JwkSet | readonly (AnyKey | JwkSet)[]): JwkSet {
  return JSON.parse(
    withKeys(listOf(keys, "keys").flatMap(keysOf), (parts) => call((core) => core.public_jwks(parts))),
  ) as JwkSet;
}

/** The keys of a set, or the one key that something is. */
function keysOf(source: unknown): unknown[] {
  if (!isObject(source) || isBytes(source)) return [source];
  const { keys } = take(source, ["keys"], "keys").taken;
  return Array.isArray(keys) ? listOf(keys, "keys") : [source];
}

/**
 * A key in PEM as a JWK with `kid`, `use` and `alg`: the private JWK of `PRIVATE KEY`, the public one of `PUBLIC KEY` and
 * `CERTIFICATE`. PEM has no place for a `kid`, so it is the thumbprint.
 *
 * @throws WaxsealError `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`
 */
export async function toJwk(pem: string): Promise<JWK> {
  await load();
  if (typeof pem !== "string") throw optionInvalid("pem must be text.");
  const publicKey = publicJwk(pem);
  if (!pem.includes("-----BEGIN PRIVATE KEY-----")) return publicKey;
  const made = withKeys([pem], ([parts]) => call((core) => core.private_jwk(parts as KeyParts)));
  if (made !== undefined) return JSON.parse(made) as JWK;
  return converted(async () => {
    const imported = await crypto.subtle.importKey("pkcs8", pemContent(pem), RS256, true, ["sign"]);
    return withSecret(await crypto.subtle.exportKey("jwk", imported));
  });
}

/**
 * A JWK as PEM: SPKI (`PUBLIC KEY`) of a public key, PKCS#8 (`PRIVATE KEY`, not encrypted) of a private one. Its `kid` is
 * lost: PEM has no place for it.
 *
 * @throws WaxsealError `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`
 */
export async function toPem(jwk: JWK): Promise<string> {
  await load();
  if (!isObject(jwk)) throw optionInvalid("jwk must be a JWK.");
  // A copy: WebCrypto is given the members that the core has judged. What the key is for is left out of it.
  const { rest } = take(jwk, []);
  publicJwk(rest as JWK);
  const { kty, crv, x, y, n, e, d, p, q, dp, dq, qi } = rest as JsonWebKey;
  const algorithm = kty === "EC" ? { name: "ECDSA", namedCurve: "P-256" } : RS256;
  const [usage, format, label] =
    d === undefined ? (["verify", "spki", "PUBLIC KEY"] as const) : (["sign", "pkcs8", "PRIVATE KEY"] as const);
  return converted(async () => {
    const members = { kty, crv, x, y, n, e, d, p, q, dp, dq, qi } as JsonWebKey;
    const key = await crypto.subtle.importKey("jwk", members, algorithm, true, [usage]);
    const bytes = new Uint8Array(await crypto.subtle.exportKey(format, key));
    const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g) ?? [];
    return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
  });
}

/** The private JWK of an RSA key that WebCrypto has exported. */
function withSecret(exported: JsonWebKey): JWK {
  const { d, p, q, dp, dq, qi } = exported;
  return { ...publicJwk(exported as JWK), d, p, q, dp, dq, qi } as JWK;
}

async function converted<T>(convert: () => Promise<T>): Promise<T> {
  try {
    return await convert();
  } catch {
    throw new WaxsealError({ code: "ERR_KEY_INVALID", message: "WebCrypto does not accept the private key." });
  }
}
