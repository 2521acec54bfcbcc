/** The public types. Times are seconds since 1970-01-01T00:00:00Z, durations are whole seconds. */
import type { ErrorCode, ErrorStep } from "./error-codes.js";
import type { RemoteJwks } from "./remote/jwks.js";
import type { StandardSchema } from "./schema.js";

/** A signature algorithm (RFC 7518 section 3.1). The algorithm of a token is fixed by its key, never by its header. */
export type Algorithm = "ES256" | "RS256";

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A JSON Web Key (RFC 7517): P-256 (`kty: "EC"`) or RSA (`kty: "RSA"`). Other members are carried but not used. */
export interface JWK {
  /** The key type, `"EC"` or `"RSA"`. */
  kty: string;
  /** The curve of an EC key, `"P-256"`. */
  crv?: string;
  /** The x coordinate of an EC key: base64url of 32 bytes. */
  x?: string;
  /** The y coordinate of an EC key: base64url of 32 bytes. */
  y?: string;
  /** The modulus of an RSA key, 2048 to 4096 bits, base64url. */
  n?: string;
  /** The public exponent of an RSA key, 65537 or more, base64url. */
  e?: string;
  /** The private scalar or exponent, base64url. */
  d?: string;
  /** The first prime factor of a private RSA key. */
  p?: string;
  /** The second prime factor of a private RSA key. */
  q?: string;
  /** d mod (p - 1) of a private RSA key. */
  dp?: string;
  /** d mod (q - 1) of a private RSA key. */
  dq?: string;
  /** q^-1 mod p of a private RSA key. */
  qi?: string;
  /** The key's name; the RFC 7638 thumbprint where it has none. */
  kid?: string;
  /** What the key is for; `"sig"` where given. */
  use?: string;
  /** What may be done with the key. */
  key_ops?: string[];
  /** The one algorithm that the key is for. */
  alg?: string;
  [member: string]: unknown;
}

/** A JSON Web Key Set (RFC 7517 section 5). */
export interface JwkSet {
  /** The keys. Those that cannot be used here are skipped. */
  keys: readonly JWK[];
}

/** Public keys: a JWK, a JWK Set, PEM text (`PUBLIC KEY` or `CERTIFICATE`), an array of these, or a set at a URL. */
export type VerificationKeys = JWK | JwkSet | string | readonly (JWK | JwkSet | string)[] | RemoteJwks;

/** Where a copy of a remote key set is kept, so that a new process or isolate starts with it. A Workers KV namespace fits. */
export interface KeyStore {
  /** Reads an entry; `null` when there is none. */
  get(key: string): Promise<string | null>;
  /** Writes an entry that lives at least `expirationTtl` seconds (60 or more). */
  put(key: string, value: string, options: { expirationTtl: number }): Promise<unknown>;
}

/** The options of `remoteJwks`. Durations are seconds. */
export interface RemoteJwksOptions {
  /** How long a fetch may take, with its body; default 5, at most 60. */
  timeout?: number;
  /** The least time between two fetches for keys that the set does not have; default 30, 1 to 86400. */
  cooldown?: number;
  /** An answer counts as fresh at least so long, whatever it says; default 60, 1 to `maxAge`. */
  minAge?: number;
  /** An answer counts as fresh at most so long, also if it does not say how long; default 600, 1 to 86400. */
  maxAge?: number;
  /** How much longer its keys are used while no better answer can be had; default 14400, 0 to 86400. */
  staleIfError?: number;
  /** The longest answer, in bytes; default 262144, at most 1048576. */
  maxBytes?: number;
  /** The most keys of an answer, usable or not; default 100, at most 1000. */
  maxKeys?: number;
  /** Further headers of the request. */
  headers?: HeadersInit;
  /** Replaces `fetch`. It must not follow redirects. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Keeps a copy for processes and isolates that start later. */
  cache?: {
    /** Where. Who can write it can choose the keys, unless there is a `secret`. */
    store: KeyStore;
    /** Authenticates the copy: at least 32 characters drawn at random, which the store does not know. */
    secret?: string;
  };
  /**
   * Keeps a host alive until a promise has settled. On Workers: `waitUntil` of `cloudflare:workers`, which knows the request
   * that is being served; without it a fetch ends with the request that began it.
   */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/** The claims of a token (RFC 7519 section 4). Registered claims have been checked for their types. */
export interface Claims {
  /** Who issued the token. */
  iss?: string;
  /** Whom it is about. */
  sub?: string;
  /** Whom it is for. */
  aud?: string | string[];
  /** When it expires. A verified token has it always. */
  exp: number;
  /** Before when it is not valid. */
  nbf?: number;
  /** When it was issued. */
  iat?: number;
  /** Its own identifier. */
  jti?: string;
  [name: string]: unknown;
}

/** The protected header of a token (RFC 7515 section 4). */
export interface ProtectedHeader {
  /** The algorithm, equal to the key's. */
  alg: Algorithm;
  /** The name of the key. */
  kid?: string;
  /** The media type of the token, such as `"JWT"` or `"at+jwt"`. */
  typ?: string;
  [name: string]: unknown;
}

/** Where a token may come from: who issues it, for whom, and with which keys. */
export interface TrustedIssuer {
  /** The accepted values of `iss`, compared exactly; `null` says that it is not checked. */
  issuer: string | readonly string[] | null;
  /** The accepted values of `aud`, one of which must be among the token's; `null` says that it is not checked. */
  audience: string | readonly string[] | null;
  /** The keys with which its tokens are verified. */
  keys: VerificationKeys;
}

/**
 * Where revocation entries are kept. A Workers KV namespace fits as it is. A call that throws, takes longer than the
 * timeout or answers something else than an entry or `null` counts as a failure, never as "not revoked".
 */
export interface RevocationStore {
  /** Reads an entry; `null` when there is none. */
  get(key: string): Promise<string | null>;
  /** Reads several entries at once, in the order of the keys; used instead of {@link get} where it exists. */
  getMany?(keys: string[]): Promise<readonly (string | null)[]>;
  /** Writes an entry that lives at least `expirationTtl` seconds (60 or more). Needed by the `revoke` calls alone. */
  put?(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  /** How old an answer may be, "not found" included, in seconds. Workers KV: 60 and more. For people; nothing reads it. */
  readonly staleness?: number;
}

/** Revocation as a verifier checks it. */
export interface RevocationOptions {
  /** Where the entries are. */
  store: RevocationStore;
  /**
   * What happens when the store fails: `"reject"` (default) answers `ERR_REVOCATION_UNAVAILABLE` (503); `"accept"` lets
   * the token pass, and the result's `revocation` says `"unavailable"`.
   */
  onFailure?: "reject" | "accept";
  /** How long all reads of one check may take together, in seconds; default 1, at most 60. */
  timeout?: number;
  /**
   * The longest lifetime of a token that is accepted, in seconds; default 86400. It decides how long entries for a session
   * or subject are kept; a token that would outlive them is refused with `ERR_TOKEN_LIFETIME`.
   */
  tokenLifetime?: number;
}

/**
 * The cache of verified signatures. A token that comes again is decided on as if it had not come before: its form, claims,
 * time, policy and revocation are checked each time, and only the arithmetic of its signature is saved.
 *
 * An entry is a keyed hash of the whole token and of its key, under a random secret of this verifier alone. It holds no
 * claims, and is used no longer than until the token's `exp`, and only while the verifier has that key, which is chosen anew
 * for every token.
 */
export interface CacheOptions {
  /** How many signatures are remembered, 1 to 65536. Each takes some 40 bytes, from when it is needed. */
  max: number;
}

/** What a cache of verified signatures has done so far. */
export interface CacheFigures {
  /** How many signatures it remembers. */
  size: number;
  /** How often a signature was remembered. */
  hits: number;
  /** How often one had to be verified, whatever came of it. */
  misses: number;
}

/** What a verifier reports to `onEvent`. No event contains token, cookie or key text. */
export type VerifierEvent =
  | { type: "accepted"; source?: "bearer" | "cookie"; revocation: RevocationState }
  | { type: "rejected"; code: ErrorCode; step: ErrorStep }
  | { type: "revoked"; kind: "token" | "session" | "subject" }
  | { type: "keys-fetched"; host: string; source: "endpoint" | "store"; keys: number }
  | { type: "keys-failed"; host: string; reason: KeySetFailure }
  | { type: "keys-stale"; host: string }
  | { type: "instance-replaced" };

/** Why a remote key set could not be had. Keys that were known before stay in use. */
export type KeySetFailure =
  | "timeout"
  | "network"
  | "too-large"
  | "redirect"
  | "status"
  | "not-json"
  | "not-a-set"
  | "too-many-keys"
  | "private"
  | "unusable";

/** Checks beyond issuer and audience, and what surrounds them. */
export interface CommonVerifierOptions<Schema extends StandardSchema | undefined = undefined> {
  /** The algorithms that are accepted; default both. */
  algorithms?: readonly Algorithm[];
  /** The required `typ` of the header, compared as a media type. Without it any type but `rt+jwt` is accepted. */
  typ?: string;
  /** The required `sub`. */
  subject?: string;
  /** How far clocks may be apart, in seconds; default 0, at most 300. */
  clockTolerance?: number;
  /** How long ago a token may have been issued, in seconds; needs `iat` in the token. */
  maxTokenAge?: number;
  /** Names of claims that must be present. */
  requiredClaims?: readonly string[];
  /** Exact values that claims must have. */
  claims?: { readonly [name: string]: Json };
  /**
   * What the claims must look like, by a schema of zod, valibot, arktype or another library of Standard Schema
   * (https://standardschema.dev). It runs after every other check, and what it gives is what `claims` is.
   */
  schema?: Schema;
  /** Critical header extensions that the caller understands and handles (RFC 7515 section 4.1.11). */
  crit?: readonly string[];
  /** The longest token that is looked at, in characters; default 8192, at most 65536. */
  maxTokenLength?: number;
  /** Revocation entries to check with {@link Verifier.verifyAsync} and {@link Verifier.authenticate}. */
  revocation?: RevocationOptions;
  /** Remembers which signatures have been verified. Without it every signature is verified each time. */
  cache?: CacheOptions;
  /** The cookie that may hold the token, for {@link Verifier.authenticate}. Without it only `Authorization` is read. */
  cookie?: string;
  /** The origins whose pages may send unsafe requests that are authenticated by cookie, such as `"https://app.example"`. */
  origins?: readonly string[];
  /** Told of every outcome. What it throws is ignored. */
  onEvent?: (event: VerifierEvent) => void;
  /** Replaces the clock, for tests. */
  clock?: () => number | Date;
}

/** The options of `createVerifier`: one issuer, or several of them under `issuers`. */
export type VerifierOptions<Schema extends StandardSchema | undefined = undefined> = CommonVerifierOptions<Schema> &
  (
    | (TrustedIssuer & { issuers?: never })
    | { issuers: readonly TrustedIssuer[]; issuer?: never; audience?: never; keys?: never }
  );

/** Options of a single verification. */
export interface VerifyOptions {
  /** The time to verify at; default now. */
  now?: number | Date;
}

/** What revocation said: no store was given, no entry was found, or the store failed and the policy was to accept. */
export type RevocationState = "not-checked" | "clear" | "unavailable";

/** A token that passed every step but revocation. */
export interface VerifyResult<C = Claims> {
  /** The claims. */
  claims: C;
  /** The protected header. */
  header: ProtectedHeader;
}

/** A token that passed every step. */
export interface VerifyAsyncResult<C = Claims> extends VerifyResult<C> {
  /** What revocation said. */
  revocation: RevocationState;
}

/** A request whose token passed every step. */
export interface AuthenticateResult<C = Claims> extends VerifyAsyncResult<C> {
  /** Where the token was found. */
  source: "bearer" | "cookie";
}

/**
 * A request: a Fetch `Request`, or anything with its method and headers, such as Node's `IncomingMessage`, whose `rawHeaders`
 * are asked for `Authorization` fields that its `headers` leave out.
 */
export interface RequestLike {
  /** The method, in capitals. */
  method?: string | undefined;
  /** The headers. */
  headers: Headers | { readonly [name: string]: string | readonly string[] | undefined };
}
