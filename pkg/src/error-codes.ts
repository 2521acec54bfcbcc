// Written by `cargo xtask codes` from src/error.rs. Do not edit.

/** The name of an error. It does not change between versions; messages may. */
export type ErrorCode =
  /** An option is missing, misspelt, of the wrong type or out of range; the message names it. */
  | "ERR_OPTION_INVALID"
  /** A key could not be read: not a JWK, JWK Set or PEM, or its members contradict one another. */
  | "ERR_KEY_INVALID"
  /** A key is well formed but of a kind that is not supported. */
  | "ERR_KEY_UNSUPPORTED"
  /** An RSA key is shorter than 2048 or longer than 4096 bits, or its exponent is unusable. */
  | "ERR_KEY_WEAK"
  /** A private key was given where a public key is meant. */
  | "ERR_KEY_PRIVATE"
  /** No usable key is in the key set. */
  | "ERR_KEY_SET_EMPTY"
  /** The request carries no token. */
  | "ERR_CREDENTIALS_MISSING"
  /** The Authorization header is not a single well-formed Bearer credential. */
  | "ERR_AUTHORIZATION_MALFORMED"
  /** The request carries two cookies of the name that holds the token. */
  | "ERR_COOKIE_DUPLICATE"
  /** The Cookie header is longer than what is read. */
  | "ERR_COOKIE_HEADER_INVALID"
  /** A request that is authenticated by cookie came from another site, or does not say where it came from. */
  | "ERR_CROSS_SITE"
  /** The token is longer than the limit. */
  | "ERR_TOKEN_TOO_LARGE"
  /** The token is not three segments of unpadded base64url. */
  | "ERR_TOKEN_MALFORMED"
  /** The protected header is not a strict JSON object with members of the right types. */
  | "ERR_HEADER_INVALID"
  /** The protected header asks for an extension that the caller has not allowed. */
  | "ERR_HEADER_CRITICAL"
  /** The token's type (typ) is not the expected one. */
  | "ERR_TOKEN_TYPE"
  /** The token's algorithm is not allowed, or is not the one of the key. */
  | "ERR_ALGORITHM_NOT_ALLOWED"
  /** No key fits the token's kid and algorithm. */
  | "ERR_KEY_NOT_FOUND"
  /** More than one key fits the token. */
  | "ERR_KEY_AMBIGUOUS"
  /** The key set of the token's issuer could not be fetched; the message names its host and says why. */
  | "ERR_KEY_SET_UNAVAILABLE"
  /** A synchronous call cannot fetch the key set that it needs; call verifyAsync, or ready before. */
  | "ERR_KEY_SET_NEEDS_ASYNC"
  /** The token was not issued by any of the configured issuers. */
  | "ERR_ISSUER_UNKNOWN"
  /** The signature does not verify. */
  | "ERR_SIGNATURE_INVALID"
  /** The claims set is not a strict JSON object. */
  | "ERR_CLAIMS_INVALID"
  /** A claim has the wrong type or an unusable value. */
  | "ERR_CLAIM_INVALID"
  /** A required claim is absent. */
  | "ERR_CLAIM_MISSING"
  /** The token has expired. */
  | "ERR_TOKEN_EXPIRED"
  /** The token is not valid yet. */
  | "ERR_TOKEN_NOT_YET_VALID"
  /** The token says that it was issued in the future. */
  | "ERR_TOKEN_ISSUED_IN_FUTURE"
  /** The token was issued longer ago than the policy allows. */
  | "ERR_TOKEN_TOO_OLD"
  /** The token was issued by another issuer. */
  | "ERR_ISSUER_MISMATCH"
  /** The token is meant for another audience. */
  | "ERR_AUDIENCE_MISMATCH"
  /** A claim does not have the value that the policy asks for. */
  | "ERR_CLAIM_MISMATCH"
  /** The token lives longer than the revocation entries that could end it. */
  | "ERR_TOKEN_LIFETIME"
  /** The token, its session or its subject was revoked. */
  | "ERR_TOKEN_REVOKED"
  /** The revocation store did not give a usable answer in time. */
  | "ERR_REVOCATION_UNAVAILABLE"
  /** A synchronous call cannot ask the revocation store; call verifyAsync. */
  | "ERR_REVOCATION_NEEDS_ASYNC"
  /** The session is not there any more: it was ended, its refresh token was used before, or it never was. */
  | "ERR_SESSION_ENDED"
  /** No refresh token of the request belongs to the session of its access token. */
  | "ERR_SESSION_MISMATCH"
  /** The application's own check refused the claims. */
  | "ERR_CLAIMS_REFUSED"
  /** The session store did not give a usable answer in time. */
  | "ERR_STORE_UNAVAILABLE"
  /** The claims do not fit the schema of the application. */
  | "ERR_SCHEMA_MISMATCH"
  /** The schema threw, did not answer in time, or answered something that is no result. */
  | "ERR_SCHEMA_FAILED"
  /** A synchronous call cannot wait for an asynchronous schema; call verifyAsync. */
  | "ERR_SCHEMA_NEEDS_ASYNC"
  /** The claims to issue are not usable: a reserved name, a wrong type, or not JSON. */
  | "ERR_ISSUE_CLAIMS"
  /** The host's signing callback failed or returned something that is not a signature. */
  | "ERR_SIGNER_FAILED"
  /** A cookie attribute is not allowed by RFC 6265bis, or contradicts another one. */
  | "ERR_COOKIE_INVALID"
  /** A cookie is larger than browsers store. */
  | "ERR_COOKIE_TOO_LARGE"
  /** The library was used before its WebAssembly module was loaded; call init first. */
  | "ERR_NOT_INITIALIZED"
  /** The runtime lacks something that the library needs. */
  | "ERR_RUNTIME_UNSUPPORTED"
  /** The handle was disposed of. */
  | "ERR_DISPOSED"
  /** The host gave no random bytes, or the same ones twice. */
  | "ERR_RANDOM_UNAVAILABLE"
  /** The clock gave something that is not a time. */
  | "ERR_CLOCK_INVALID"
  /** The WebAssembly module failed; the next call gets a new instance. Please report it. */
  | "ERR_INTERNAL";

/** What was being done when an error arose, in the order in which the steps are taken. */
export type ErrorStep =
  | "configuration"
  | "request"
  | "size"
  | "segments"
  | "header"
  | "key"
  | "signature"
  | "claims"
  | "policy"
  | "revocation"
  | "session"
  | "schema"
  | "issue"
  | "cookie"
  | "runtime";

/** The HTTP status for a caller who answers a request; 500 marks a mistake in the program or its set-up. */
export type ErrorStatus = 400 | 401 | 403 | 500 | 503;

/** The status and the step of every code. */
export const ERROR_CODES: { readonly [C in ErrorCode]: readonly [ErrorStatus, ErrorStep] } = {
  ERR_OPTION_INVALID: [500, "configuration"],
  ERR_KEY_INVALID: [500, "configuration"],
  ERR_KEY_UNSUPPORTED: [500, "configuration"],
  ERR_KEY_WEAK: [500, "configuration"],
  ERR_KEY_PRIVATE: [500, "configuration"],
  ERR_KEY_SET_EMPTY: [500, "configuration"],
  ERR_CREDENTIALS_MISSING: [401, "request"],
  ERR_AUTHORIZATION_MALFORMED: [400, "request"],
  ERR_COOKIE_DUPLICATE: [400, "request"],
  ERR_COOKIE_HEADER_INVALID: [400, "request"],
  ERR_CROSS_SITE: [403, "request"],
  ERR_TOKEN_TOO_LARGE: [401, "size"],
  ERR_TOKEN_MALFORMED: [401, "segments"],
  ERR_HEADER_INVALID: [401, "header"],
  ERR_HEADER_CRITICAL: [401, "header"],
  ERR_TOKEN_TYPE: [401, "header"],
  ERR_ALGORITHM_NOT_ALLOWED: [401, "key"],
  ERR_KEY_NOT_FOUND: [401, "key"],
  ERR_KEY_AMBIGUOUS: [401, "key"],
  ERR_KEY_SET_UNAVAILABLE: [503, "key"],
  ERR_KEY_SET_NEEDS_ASYNC: [503, "key"],
  ERR_ISSUER_UNKNOWN: [401, "key"],
  ERR_SIGNATURE_INVALID: [401, "signature"],
  ERR_CLAIMS_INVALID: [401, "claims"],
  ERR_CLAIM_INVALID: [401, "claims"],
  ERR_CLAIM_MISSING: [401, "policy"],
  ERR_TOKEN_EXPIRED: [401, "policy"],
  ERR_TOKEN_NOT_YET_VALID: [401, "policy"],
  ERR_TOKEN_ISSUED_IN_FUTURE: [401, "policy"],
  ERR_TOKEN_TOO_OLD: [401, "policy"],
  ERR_ISSUER_MISMATCH: [401, "policy"],
  ERR_AUDIENCE_MISMATCH: [401, "policy"],
  ERR_CLAIM_MISMATCH: [401, "policy"],
  ERR_TOKEN_LIFETIME: [401, "policy"],
  ERR_TOKEN_REVOKED: [401, "revocation"],
  ERR_REVOCATION_UNAVAILABLE: [503, "revocation"],
  ERR_REVOCATION_NEEDS_ASYNC: [500, "revocation"],
  ERR_SESSION_ENDED: [401, "session"],
  ERR_SESSION_MISMATCH: [401, "session"],
  ERR_CLAIMS_REFUSED: [401, "session"],
  ERR_STORE_UNAVAILABLE: [503, "session"],
  ERR_SCHEMA_MISMATCH: [401, "schema"],
  ERR_SCHEMA_FAILED: [503, "schema"],
  ERR_SCHEMA_NEEDS_ASYNC: [500, "schema"],
  ERR_ISSUE_CLAIMS: [500, "issue"],
  ERR_SIGNER_FAILED: [503, "issue"],
  ERR_COOKIE_INVALID: [500, "cookie"],
  ERR_COOKIE_TOO_LARGE: [500, "cookie"],
  ERR_NOT_INITIALIZED: [500, "runtime"],
  ERR_RUNTIME_UNSUPPORTED: [500, "runtime"],
  ERR_DISPOSED: [500, "runtime"],
  ERR_RANDOM_UNAVAILABLE: [503, "runtime"],
  ERR_CLOCK_INVALID: [503, "runtime"],
  ERR_INTERNAL: [503, "runtime"],
};
