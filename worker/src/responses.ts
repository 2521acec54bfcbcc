/** JSON answers and JSON errors. Nothing that depends on a cookie may be stored by a cache, so `no-store` is the rule. */

import { WaxsealError } from "waxseal";

const HEADERS = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
} as const;

interface ResponseParts {
  status?: number;
  headers?: Record<string, string>;
}

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
export function json(body: unknown, { status = 200, headers = {} }: ResponseParts = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...HEADERS, ...headers } });
}

/**
 * Turns whatever was thrown into `{ "error": { code, message, claim?, reason? } }`.
 *
 * Messages of WaxsealError and HttpError never contain token, cookie or key text, so they can be answered and logged as
 * they are. Of an unexpected error the client learns nothing.
 */
export function errorResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const { status, body, challenge } = describe(error);
  if (status >= 500) {
    console.error(JSON.stringify({ status, ...body, ...(isExpected(error) ? {} : { cause: String(error) }) }));
  }
  return json({ error: body }, { status, headers: { ...challenge, ...headers } });
}

/** The same response without its body: the answer to HEAD. */
export function withoutBody(response: Response): Response {
  return new Response(null, response);
}

function isExpected(error: unknown): error is WaxsealError | HttpError {
  return error instanceof WaxsealError || error instanceof HttpError;
}

function describe(error: unknown) {
  if (error instanceof WaxsealError) {
    const { code, message, claim, reason, status, wwwAuthenticate } = error;
    // RFC 6750 section 3: the challenge says why a token was refused.
    const challenge = wwwAuthenticate === undefined ? {} : { "WWW-Authenticate": wwwAuthenticate };
    // JSON.stringify leaves out what is undefined.
    return { status, body: { code, message, claim, reason }, challenge };
  }
  if (error instanceof HttpError) {
    return { status: error.status, body: { code: error.code, message: error.message }, challenge: error.headers };
  }
  return { status: 500, body: { code: "INTERNAL", message: "Something went wrong." }, challenge: {} };
}
