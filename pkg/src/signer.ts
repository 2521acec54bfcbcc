/** Keys that sign outside the WebAssembly module: WebCrypto and callbacks. RSA private keys are always among them. */
import { FAILED, within } from "./deadline.js";
import { optionInvalid, WaxsealError } from "./error.js";
import { isObject, tagOf, take } from "./options.js";
import { forget, isBytes, keyParts, type KeyParts } from "./key-parts.js";
import type { JWK } from "./types.js";
import { call } from "./wasm.js";

/** Signs bytes; what it returns is checked by the caller and by the core. */
export type Sign = (bytes: Uint8Array) => Promise<unknown>;

/** WebCrypto's parameters for a key that signs RS256. */
export type HostKey = { name: "RSASSA-PKCS1-v1_5"; hash: "SHA-256" };
/** With which every key in DER begins, and no text of one. */
const DER_SEQUENCE = 0x30;

export const RS256: HostKey = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** What the core must know of a key that it does not hold. */
export interface HostSigner {
  /** The key's algorithm, name and public half, for the core. */
  description: { alg: unknown; kid?: unknown; publicKey?: unknown };
  /** Signs with the key. */
  sign: Sign;
}

/** A key that signs: how it does so outside the module, or what the core reads it from, to be forgotten by who is given it. */
export type SigningKey = { host: HostSigner; parts?: never } | { host?: never; parts: KeyParts };

/** Finds out where a key signs. */
export async function signingKey(key: unknown): Promise<SigningKey> {
  const outside = await outsideSigner(key);
  if (outside !== undefined) return { host: outside };
  const parts = keyParts(key);
  let kept = false;
  try {
    const rsa = call((core) => core.host_key(parts));
    if (rsa !== undefined) return { host: await fromRsa(key, parts[1], rsa) };
    kept = true;
    return { parts };
  } finally {
    if (!kept) forget(parts);
  }
}

/**
 * What the core can take the public half from: of a key that it cannot read, what is known of it here. In a list, or what is given
 * for a key and has a `then` would be taken for a promise.
 */
export async function publishable(key: unknown): Promise<[unknown]> {
  const outside = await outsideSigner(key);
  if (outside === undefined) return [key];
  const { kid, publicKey } = outside.description;
  if (!isObject(publicKey)) {
    const message = "The public half of a key is not known: give publicKey beside sign, or an extractable key.";
    throw new WaxsealError({ code: "ERR_KEY_UNSUPPORTED", message });
  }
  return [kid === undefined ? publicKey : { ...take(publicKey, []).rest, kid }];
}

/** The keys that are no data: a CryptoKey and a callback. */
async function outsideSigner(key: unknown): Promise<HostSigner | undefined> {
  if (!isObject(key) || isBytes(key)) return undefined;
  if (tagOf(key) === "CryptoKey") return fromCryptoKey(key as CryptoKey);
  const { taken, rest } = take(key, ["sign"], "key");
  return taken.sign === undefined ? undefined : fromCallback(key, taken.sign, rest as HostSigner["description"]);
}

function fromCallback(key: object, sign: unknown, description: HostSigner["description"]): HostSigner {
  if (typeof sign !== "function") throw optionInvalid("key.sign must be a function.");
  return { description, sign: async (bytes) => Reflect.apply(sign, key, [bytes]) as unknown };
}

/** Throws `ERR_KEY_UNSUPPORTED` for a key of another kind, and for an object that only calls itself a `CryptoKey`. */
async function fromCryptoKey(key: CryptoKey): Promise<HostSigner> {
  try {
    const algorithm = key.algorithm as { name: string; namedCurve?: string; hash?: { name: string } };
    const isEc = algorithm.name === "ECDSA" && algorithm.namedCurve === "P-256";
    const isRsa = algorithm.name === "RSASSA-PKCS1-v1_5" && algorithm.hash?.name === "SHA-256";
    if ((isEc || isRsa) && key.usages.includes("sign")) {
      const parameters = isEc ? { name: "ECDSA", hash: "SHA-256" } : RS256;
      const description = { alg: isEc ? "ES256" : "RS256", ...(await publicHalf(key)) };
      return { description, sign: (bytes) => crypto.subtle.sign(parameters, key, bytes as BufferSource) };
    }
  } catch {
    // Refused below.
  }
  const message =
    "key must be a private CryptoKey for ECDSA P-256, or for RSASSA-PKCS1-v1_5 with SHA-256, with the usage sign.";
  throw new WaxsealError({ code: "ERR_KEY_UNSUPPORTED", message });
}

/** The public half of a CryptoKey, where the key may be exported. */
async function publicHalf(key: CryptoKey): Promise<{ publicKey?: JWK }> {
  if (!key.extractable) return {};
  const { kty, crv, x, y, n, e } = (await crypto.subtle.exportKey("jwk", key)) as JWK;
  return { publicKey: kty === "EC" ? { kty, crv, x, y } : { kty, n, e } } as { publicKey: JWK };
}

async function fromRsa(key: unknown, bytes: Uint8Array | undefined, publicKey: string): Promise<HostSigner> {
  const jwk = JSON.parse(publicKey) as JWK;
  try {
    const imported = await importRsa(isObject(key) && !isBytes(key) ? (key as JWK) : (bytes as Uint8Array));
    return {
      description: { alg: "RS256", kid: jwk.kid, publicKey: jwk },
      sign: (bytes) => crypto.subtle.sign(RS256, imported, bytes as BufferSource),
    };
  } catch {
    throw new WaxsealError({ code: "ERR_KEY_INVALID", message: "WebCrypto does not accept the private RSA key." });
  }
}

/** Imports what the core has read as an RSA key: a JWK, or the bytes of its text, of PEM or of DER. */
async function importRsa(key: JWK | Uint8Array): Promise<CryptoKey> {
  if (!isBytes(key)) return crypto.subtle.importKey("jwk", rsaMembers(key), RS256, false, ["sign"]);
  if (key[0] === DER_SEQUENCE) {
    return crypto.subtle.importKey("pkcs8", key as BufferSource, RS256, false, ["sign"]);
  }
  const text = new TextDecoder().decode(key);
  if (text.trimStart().startsWith("{")) return importRsa(JSON.parse(text) as JWK);
  const content = pemContent(text);
  try {
    return await crypto.subtle.importKey("pkcs8", content, RS256, false, ["sign"]);
  } finally {
    content.fill(0);
  }
}

/** The bytes of PEM text, which the core has read before. */
export function pemContent(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (character) => character.charCodeAt(0));
}

/** The members that make the key; use, key_ops and ext have been judged by the core and could only disagree with ours. */
function rsaMembers({ kty, n, e, d, p, q, dp, dq, qi }: JWK): JsonWebKey {
  return { kty, n, e, d, p, q, dp, dq, qi } as JsonWebKey;
}

/** How long a key outside the module may take, in seconds. Calls of sessions have a shorter time for everything. */
const TIMEOUT = 10;
/** The longest signature that there is, in bytes: that of an RSA key of 4096 bits. */
const LONGEST = 512;

/** Signs bytes with a key outside the module. */
export async function signed(sign: Sign, bytes: Uint8Array): Promise<Uint8Array> {
  const answer = await within(TIMEOUT, ({ attempt }) => attempt(async () => ({ signature: await sign(bytes) })));
  if (answer === FAILED) {
    const message = `The signing key threw an exception, rejected, or did not answer within ${TIMEOUT} seconds.`;
    throw new WaxsealError({ code: "ERR_SIGNER_FAILED", message });
  }
  const { signature } = answer;
  try {
    // Nothing but a buffer has a view, and of one that was transferred there is no copy.
    const view = isBytes(signature) ? signature : new Uint8Array(new DataView(signature as ArrayBuffer).buffer);
    // The core says what a length should have been; what no signature has is not copied to be told so.
    if (view.length <= LONGEST) return new Uint8Array(view);
  } catch {
    throw new WaxsealError({
      code: "ERR_SIGNER_FAILED",
      message: "sign(bytes) must resolve to a Uint8Array or ArrayBuffer.",
    });
  }
  throw new WaxsealError({
    code: "ERR_SIGNER_FAILED",
    message: "The signing key returned more bytes than any signature has.",
  });
}
