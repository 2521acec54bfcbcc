/** JSON answers and JSON errors. Nothing that depends on a cookie may be stored by a cache, so `no-store` is the rule. */

import { WaxsealError } from "waxseal";

const DEFAULTS = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
} as const;

/** An error of this Worker's own; the codes of WaxsealError begin with `ERR_`, these do not. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** A JSON response; `headers` add to the defaults above or replace them. */
export function json(body: unknown, headers: HeadersInit = {}, status = 200): Response {
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(DEFAULTS)) if (!all.has(name)) all.set(name, value);
  return new Response(JSON.stringify(body), { status, headers: all });
}

/**
 * Turns whatever was thrown into `{ "error": { code, message, claim?, reason? } }`.
 *
 * Messages of WaxsealError and HttpError never contain token, cookie or key text, so they can be answered and logged as
 * they are. Of an unexpected error the client learns nothing.
 *
 * @param cookies Headers that clear the cookies, where the answer is to do that in spite of the error.
 */
export function errorResponse(error: unknown, cookies?: Headers): Response {
  const { status, body, headers } = describe(error);
  if (status >= 500) {
    console.error(JSON.stringify({ status, ...body, ...(isExpected(error) ? {} : { cause: String(error) }) }));
  }
  const all = new Headers(cookies);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return json({ error: body }, all, status);
}

/** The same response without its body: the answer to HEAD. */
export function withoutBody(response: Response): Response {
  return new Response(null, response);
}

function isExpected(error: unknown): error is WaxsealError | HttpError {
  return error instanceof WaxsealError || error instanceof HttpError;
}

function describe(error: unknown): { status: number; body: object; headers: Record<string, string> } {
  if (error instanceof WaxsealError) {
    const { code, message, claim, reason, status, wwwAuthenticate, retryAfter } = error;
    const headers = {
      // RFC 6750 section 3: the challenge says why a token was refused.
      ...(wwwAuthenticate === undefined ? {} : { "WWW-Authenticate": wwwAuthenticate }),
      // RFC 9110 section 10.2.3
      ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
    };
    // JSON.stringify leaves out what is undefined.
    return { status, body: { code, message, claim, reason }, headers };
  }
  if (error instanceof HttpError) {
    return { status: error.status, body: { code: error.code, message: error.message }, headers: error.headers };
  }
  return { status: 500, body: { code: "INTERNAL", message: "Something went wrong." }, headers: {} };
}
