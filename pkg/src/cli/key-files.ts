/** Keys from files and URLs. What makes a key usable is the library's to say. */
import { createVerifier, type JWK, publicJwk, WaxsealError } from "../entry/inline.js";
import { UsageError } from "./command.js";
import { named, readText } from "./files.js";
import { fetchText, isUrl } from "./key-url.js";
import { printable } from "./text.js";

/** Said wherever a certificate is read. */
export const CERTIFICATE =
  "Of a certificate nothing but the key is read: its dates, issuer and signature are not judged.";

/** What a file holds. */
export interface KeyFile {
  /** Its name in messages. */
  readonly name: string;
  /** JWKs and PEM texts. */
  readonly keys: readonly (JWK | string)[];
}

/** A key of a set that cannot be used to verify, and why. */
export interface Unusable {
  readonly kid?: string;
  readonly code: string;
  readonly message: string;
}

/** Reads a JWK, a JWK Set, an array of JWKs, or PEM: one block or several. */
export async function readKeys(source: string): Promise<KeyFile> {
  return parseKeys({ name: named(source), text: await readText(source) });
}

/** Reads a file that must hold one key. */
export async function readKey(source: string): Promise<{ name: string; key: JWK | string }> {
  const { name, keys } = await readKeys(source);
  const [key] = keys;
  if (key === undefined) throw new UsageError(`${name}: an empty key set`);
  if (keys.length > 1) throw new UsageError(`${name}: holds ${keys.length} keys, and one is wanted`);
  return { name, key };
}

function parseKeys({ name, text }: { name: string; text: string }): KeyFile {
  if (/^\s*[[{]/.test(text)) {
    const json = parseJson(name, text) as unknown[] | { keys?: unknown };
    const keys = Array.isArray(json) ? json : Array.isArray(json.keys) ? (json.keys as unknown[]) : [json];
    const isKey = (key: unknown): boolean => typeof key === "object" && key !== null && !Array.isArray(key);
    if (!keys.every(isKey)) throw new UsageError(`${name}: holds something that is not a JWK`);
    return { name, keys: keys as JWK[] };
  }
  // Tools such as openssl print text around the blocks.
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g);
  if (blocks === null) throw new UsageError(`${name}: neither a JWK, a JWK Set nor PEM`);
  if (blocks.some((block) => block.startsWith("-----BEGIN CERTIFICATE-----"))) {
    process.stderr.write(`waxseal: note: ${name}: ${CERTIFICATE}\n`);
  }
  return { name, keys: blocks };
}

/** Reads JSON. What JavaScript says of a fault would show a part of the text, which may be secret. */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError(`${name}: not JSON`);
  }
}

/** Whether the key can sign. */
export function isPrivate(key: JWK | string): boolean {
  return typeof key === "string" ? key.includes("PRIVATE KEY-----") : "d" in key || "k" in key;
}

/** Says whose fault an error of the library is. */
export async function of<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof WaxsealError)) throw error;
    throw new UsageError(`${name}: ${printable(error.message)} (${error.code})`);
  }
}

/** Keys to verify with: files or URLs of public keys. */
export interface VerifyingKeys {
  /** All that can be used, as JWKs with `kid` and `alg`. */
  readonly usable: readonly JWK[];
  /** The same as they were given: a key without a `kid` of its own takes tokens of any. */
  readonly sources: readonly (JWK | string)[];
  readonly unusable: readonly Unusable[];
}

/**
 * Reads the keys to verify with. A private key is refused, in a set as well: whoever published it has a leak to close.
 * Other keys of a set that cannot be used are named, and skipped as the library skips them.
 */
export async function readVerifyingKeys(sources: readonly string[]): Promise<VerifyingKeys> {
  const usable: JWK[] = [];
  const kept: (JWK | string)[] = [];
  const unusable: Unusable[] = [];
  for (const source of sources) {
    const { name, keys } = isUrl(source) ? parseKeys(await fetchText(source)) : await readKeys(source);
    for (const key of keys) {
      try {
        (await createVerifier({ keys: key, issuer: null, audience: null })).dispose();
        kept.push(key);
        usable.push(publicJwk(key));
      } catch (error) {
        if (!(error instanceof WaxsealError)) throw error;
        if (error.code === "ERR_KEY_PRIVATE") {
          const public_ = isUrl(source) ? "take it down" : `make its public half: waxseal keys public ${name}`;
          throw new UsageError(`${name}: a private key, where a public one is meant; ${public_}`);
        }
        if (keys.length === 1) throw new UsageError(`${name}: ${printable(error.message)} (${error.code})`);
        const kid = typeof key === "object" && typeof key.kid === "string" ? { kid: key.kid } : {};
        unusable.push({ ...kid, code: error.code, message: error.message });
      }
    }
    if (kept.length === 0)
      throw new UsageError(`${name}: holds no usable key: a public P-256 or RSA key for signatures`);
  }
  return { usable, sources: kept, unusable };
}
