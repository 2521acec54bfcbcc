import { ERROR_CODES, type ErrorCode, type ErrorStatus, type ErrorStep } from "./error-codes.js";

/** Why a claim or header member was at fault: absent, of a wrong type, or not what the policy asks for. */
export type ErrorReason = "missing" | "invalid" | "check_failed";

/** What the core says of an error; the facade adds nothing. @internal */
export interface ErrorDetails {
  code: ErrorCode;
  message: string;
  claim?: string;
  reason?: string;
  wwwAuthenticate?: string;
  retryAfter?: number;
}

/**
 * The one error that Waxseal throws. It never contains text of a token, cookie or key, so it can be logged as it is.
 *
 * @example
 * ```ts
 * try {
 *   verifier.verify(token);
 * } catch (error) {
 *   if (error instanceof WaxsealError && error.code === "ERR_TOKEN_EXPIRED") await refresh();
 *   else throw error;
 * }
 * ```
 */
export class WaxsealError extends Error {
  /** Always `"WaxsealError"`: safe to compare where `instanceof` is not (several copies of a package, other realms). */
  override readonly name = "WaxsealError";
  /** The stable code. Codes do not change between versions; messages may. */
  readonly code: ErrorCode;
  /** The step at which it arose. */
  readonly step: ErrorStep;
  /** The HTTP status to answer with: 400, 401, 403, 503, or 500 for a mistake in the program or its configuration. */
  readonly status: ErrorStatus;
  /** The claim or header member at fault, where one was. */
  readonly claim?: string;
  /** Why the claim was at fault, where one was. */
  readonly reason?: ErrorReason;
  /** The value of a `WWW-Authenticate` header for the response (RFC 6750 section 3), where one belongs there. */
  readonly wwwAuthenticate?: string;
  /** The value of a `Retry-After` header for the response, in seconds, with status 503. */
  readonly retryAfter?: number;
  /**
   * On errors of sessions: `Set-Cookie` headers that clear both cookies, and `Cache-Control: no-store`. Nothing sends them
   * by itself: a refresh that fails late must not sign out a user who has just signed in again.
   */
  readonly clearingHeaders?: Headers;

  /** @internal */
  constructor(details: ErrorDetails) {
    super(details.message);
    const [status, step] = ERROR_CODES[details.code];
    this.code = details.code;
    this.step = step;
    this.status = status;
    if (details.claim !== undefined) this.claim = details.claim;
    if (details.reason !== undefined) this.reason = details.reason as ErrorReason;
    if (details.wwwAuthenticate !== undefined) this.wwwAuthenticate = details.wwwAuthenticate;
    // The core says it of its own errors; those that only JavaScript can see are to be tried again as soon.
    if (status === 503) this.retryAfter = details.retryAfter ?? 1;
  }
}

/** Whether something thrown is the plain object with which the core reports an error. @internal */
export function isErrorDetails(thrown: unknown): thrown is ErrorDetails {
  if (typeof thrown !== "object" || thrown === null || thrown instanceof Error) return false;
  const code: unknown = Reflect.get(thrown, "code");
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}

/** Misuse that only JavaScript can see, such as an option that must be a function. @internal */
export function optionInvalid(message: string): WaxsealError {
  return new WaxsealError({ code: "ERR_OPTION_INVALID", message });
}
