/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Waxseal verifies and issues ES256 and RS256 JSON Web Tokens, keeps users signed in with rotated refresh tokens, builds and
 * reads secure cookies, and checks revocation. The rules are Rust, compiled to WebAssembly; these files load it, read the
 * clock and do the I/O that it asks for.
 *
 * @packageDocumentation
 */
export {
  checkCookie,
  type CookieReport,
  type ParsedCookies,
  parseCookie,
  serializeClearCookie,
  serializeSetCookie,
  type SetCookieOptions,
} from "./cookies.js";
export { type ErrorReason, WaxsealError } from "./error.js";
export type { ErrorCode, ErrorStatus, ErrorStep } from "./error-codes.js";
export {
  createIssuer,
  type IssueClaims,
  type IssueOptions,
  type Issuer,
  type IssuerKey,
  type IssuerOptions,
  type SigningCallback,
} from "./issuer.js";
export {
  type AnyKey,
  generateKeyPair,
  type KeyPair,
  type KeyPairOptions,
  publicJwk,
  publicJwks,
  thumbprint,
  toJwk,
  toPem,
} from "./keys.js";
export { remoteJwks, type RemoteJwks } from "./remote/jwks.js";
export type { ClaimsOf, SchemaOutput, SchemaResult, StandardSchema } from "./schema.js";
export { createSessions, type Sessions } from "./sessions/sessions.js";
export type * from "./sessions/types.js";
export type { SessionStore, StoreDescription } from "./stores/store.js";
export {
  decodeUnverified,
  type ExplainedStep,
  type Explanation,
  explain,
  init,
  type TableMemory,
  tableMemory,
} from "./tools.js";
export type * from "./types.js";
export { createVerifier, type Verifier } from "./verifier.js";
export type { InitInput } from "./load/input.js";
