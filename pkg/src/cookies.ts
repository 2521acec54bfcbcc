import type { ErrorCode } from "./error-codes.js";
import { withSeconds } from "./options.js";
import { call } from "./wasm.js";

/**
 * A cookie to set. Secure unless told otherwise: `HttpOnly`, `Secure`, `SameSite=Lax` and `Path=/` are on, and `false` or
 * `null` leaves one out where RFC 6265bis permits. Nothing is trimmed, encoded or clamped silently.
 */
export interface SetCookieOptions {
  /** The name, a token of RFC 9110. The prefixes `__Host-` and `__Secure-` bring their conditions with them. */
  name: string;
  /** The value: no white space, quotes, commas, semicolons, backslashes or control characters. */
  value: string;
  /** Keeps the cookie from scripts; default true. */
  httpOnly?: boolean;
  /** Sends the cookie over https alone; default true. */
  secure?: boolean;
  /** When requests from other sites carry the cookie; default `"Lax"`. `"None"` needs `secure`. */
  sameSite?: "Strict" | "Lax" | "None" | null;
  /** The path for which the cookie is sent; default `"/"`. `null` leaves the choice to the browser. */
  path?: string | null;
  /** The domain, with its subdomains, that receives the cookie; default the host alone. */
  domain?: string;
  /** Seconds until the cookie expires, 0 to 34560000 (400 days); 0 clears it. */
  maxAge?: number;
  /** When the cookie expires; `maxAge` wins where both are given. */
  expires?: Date | number;
  /** Keeps the cookie apart for each top-level site (CHIPS); needs `secure`. */
  partitioned?: boolean;
  /** Which cookies a browser drops first. */
  priority?: "Low" | "Medium" | "High";
}

/**
 * Writes the value of a `Set-Cookie` header.
 *
 * @throws WaxsealError `ERR_COOKIE_INVALID`, `ERR_COOKIE_TOO_LARGE`, `ERR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * serializeSetCookie({ name: "__Host-access", value: token, sameSite: "Strict", maxAge: 900 });
 * // "__Host-access=eyJ…; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Strict"
 * ```
 */
export function serializeSetCookie(options: SetCookieOptions): string {
  return call((core) => core.serialize_set_cookie(withSeconds(options, "expires")));
}

/**
 * Writes the value of a `Set-Cookie` header that clears a cookie. Browsers clear a cookie only when its attributes repeat
 * those that it was set with, so give the same options; the value may be left out.
 *
 * @throws WaxsealError as {@link serializeSetCookie}
 */
export function serializeClearCookie(options: Omit<SetCookieOptions, "value"> & { value?: string }): string {
  return call((core) => core.serialize_clear_cookie(withSeconds(options, "expires")));
}

/** What {@link checkCookie} found. */
export interface CookieReport {
  /** The value of the `Set-Cookie` header, when there is no complaint. */
  header?: string;
  /** The size of name and value together, in bytes; browsers store up to 4096. */
  size: number;
  /** Everything that is wrong, not only the first. */
  complaints: { code: ErrorCode; message: string; attribute?: string }[];
}

/**
 * Checks a cookie and reports everything that is wrong with it, for tools and tests.
 *
 * @throws WaxsealError `ERR_OPTION_INVALID` for a member of the wrong type
 */
export function checkCookie(options: SetCookieOptions): CookieReport {
  return call((core) => core.check_cookie(withSeconds(options, "expires"))) as CookieReport;
}

/** What {@link parseCookie} found. */
export interface ParsedCookies {
  /** Names and raw values in the order in which they stand. */
  pairs: [name: string, value: string][];
  /** Names that stand more than once; such a cookie should not be trusted. */
  duplicates: string[];
}

/**
 * Reads a `Cookie` request header. Values are raw: nothing is decoded, and quotes stay.
 *
 * @param header The header's value; `null` and `undefined` read as no cookies.
 * @throws WaxsealError `ERR_COOKIE_HEADER_INVALID` when it is not text or too large
 */
export function parseCookie(header: string | null | undefined): ParsedCookies {
  return call((core) => core.parse_cookie(header ?? "")) as ParsedCookies;
}
