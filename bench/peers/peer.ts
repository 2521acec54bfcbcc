/** What a library has to be for the benchmark: the same adapter runs on Node, workerd and in Chromium. */

export type RuntimeName = "node" | "workerd" | "chromium";

/** A token, and what raw WebCrypto is spared: finding and decoding the signature. */
export interface Token {
  readonly compact: string;
  /** The bytes that are signed. */
  readonly input: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Its `sub`, which no other token of the pool has: a verification that gives another one has failed. */
  readonly subject: string;
}

export interface PublicJwk {
  readonly kty: string;
  readonly kid: string;
  readonly alg: "ES256" | "RS256";
  readonly use: "sig";
  readonly [member: string]: string;
}

/** What a verifier is made from. */
export interface Trust {
  readonly runtime: RuntimeName;
  readonly alg: "ES256" | "RS256";
  readonly jwks: { readonly keys: PublicJwk[] };
  readonly issuer: string;
  readonly audience: string;
  /** How many tokens there are. */
  readonly tokens: number;
}

/** A verifier that is ready: its key is imported, or will be by the first call. */
export interface Prepared {
  /** The call that is timed. It throws, or its promise rejects, when the token is refused; or `subject` says so. */
  verify(token: Token): unknown;
  /** The `sub` that the result tells; undefined if it is a refusal. */
  subject(result: unknown, token: Token): string | undefined;
  /** The call gives a promise. */
  readonly promise: boolean;
  /** How many tokens have not been remembered, where a cache tells: none may be added by what is timed. */
  misses?(): number | undefined;
}

export interface Peer {
  readonly name: string;
  /** It decides on issuer, audience and expiry too. */
  readonly checksClaims: boolean;
  /** It remembers tokens: every token was verified before it is timed, and is verified again many times. */
  readonly remembers?: true;
  prepare(trust: Trust): Promise<Prepared>;
}

/** The subject of a result that is an object of claims. */
export function subjectOfClaims(claims: unknown): string | undefined {
  return (claims as { sub?: string }).sub;
}

/** For caches that are to hold all tokens: with room, for some hold less than they are told when keys fall unevenly. */
export function cacheSize({ tokens }: Trust): number {
  return 2 * tokens;
}

export function onlyKey({ jwks }: Trust): PublicJwk {
  const [key, ...others] = jwks.keys;
  if (key === undefined || others.length > 0) throw new Error("this adapter is for sets of one key");
  return key;
}

export function importKey(trust: Trust): Promise<CryptoKey> {
  return crypto.subtle.importKey("jwk", onlyKey(trust), parameters(trust.alg), false, ["verify"]);
}

/** WebCrypto's words for an algorithm, for both `importKey` and `verify`. */
export function parameters(alg: Trust["alg"]): { name: string; hash: string; namedCurve?: string } {
  return alg === "ES256"
    ? { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" }
    : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
}
