/** From `node:http` to handlers and back: routes, bodies, JSON, errors. */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { WaxsealError } from "waxseal";

/** What a handler answers; a body that is not text goes out as JSON. */
export interface Reply {
  status?: number;
  headers?: Headers | Record<string, string>;
  body: unknown;
}

/** Answers a request; `part` is what the path's pattern captured. */
export type Handler = (request: IncomingMessage, part: string) => Reply | Promise<Reply>;

/** Patterns of whole paths, each with handlers by method. HEAD is answered wherever GET is. */
export type Routes = readonly (readonly [path: RegExp, methods: Readonly<Record<string, Handler>>])[];

/** An error of this server's own; the codes of WaxsealError begin with `ERR_`, these do not. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: readonly (readonly [name: string, value: string])[] = [],
  ) {
    super(message);
  }
}

const UNEXPECTED = { status: 500, code: "INTERNAL", message: "Something went wrong." };

/** What to give to `createServer`. */
export function listener(routes: Routes): RequestListener {
  return async (request, response) => {
    try {
      const [handler, part] = find(routes, request);
      send(response, await handler(request, part));
    } catch (error) {
      send(response, errorReply(error));
    }
  };
}

function find(routes: Routes, { method = "", url = "" }: IncomingMessage): [Handler, string] {
  const [path = ""] = url.split("?", 1);
  for (const [pattern, methods] of routes) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const wanted = method === "HEAD" ? "GET" : method;
    const handler = Object.hasOwn(methods, wanted) ? methods[wanted] : undefined;
    if (handler !== undefined) return [handler, match[1] ?? ""];
    const names = Object.keys(methods).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]));
    // No CORS preflight is answered either: this interface is for pages of its own origin.
    throw new HttpError(405, "METHOD_NOT_ALLOWED", `Use ${names.join(" or ")}.`, [["Allow", names.join(", ")]]);
  }
  throw new HttpError(404, "NOT_FOUND", "There is nothing at this path.");
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  // Nothing that depends on a cookie may be stored by a cache, so this is the rule.
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeaders(new Headers(headers));
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/**
 * Turns whatever was thrown into `{ "error": { code, message, claim?, reason? } }`. Messages of WaxsealError and HttpError
 * never contain token, cookie or key text. Of an unexpected error the client learns nothing.
 */
export function errorReply(error: unknown, headers = new Headers()): Reply {
  const known = error instanceof WaxsealError || error instanceof HttpError;
  const { status, code, message } = known ? error : UNEXPECTED;
  const { claim, reason, wwwAuthenticate, retryAfter }: Partial<WaxsealError> =
    error instanceof WaxsealError ? error : {};
  if (wwwAuthenticate !== undefined) headers.set("WWW-Authenticate", wwwAuthenticate); // RFC 6750 section 3
  if (retryAfter !== undefined) headers.set("Retry-After", `${retryAfter}`);
  if (error instanceof HttpError) for (const [name, value] of error.headers) headers.set(name, value);
  const body = { code, message, claim, reason };
  if (status >= 500) console.error(JSON.stringify({ status, ...body, ...(known ? {} : { cause: `${error}` }) }));
  return { status, headers, body: { error: body } };
}

/** Reads a JSON body. Insisting on its type keeps HTML forms of other sites out: a form cannot send it. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const mediaType = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new HttpError(415, "MEDIA_TYPE_UNSUPPORTED", "Send the body as Content-Type: application/json.");
  }
  const bytes = await readBytes(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the body, which may hold a password.
    throw new HttpError(400, "BODY_MALFORMED", "The body is not JSON in UTF-8.");
  }
}

/**
 * Content-Length may be absent or wrong; what arrives is counted, and what is too much is thrown away as it comes. The
 * answer waits for the end of it, or for the server's `requestTimeout`: closing a connection that still has something to
 * read resets it, and the client may never see why (RFC 9112 section 9.6).
 */
function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () => {
      if (length <= maxBytes) resolve(Buffer.concat(chunks));
      else reject(new HttpError(413, "BODY_TOO_LARGE", `The body may have ${maxBytes} bytes at most.`));
    });
    request.on("error", () => reject(new HttpError(400, "BODY_INCOMPLETE", "The body broke off.")));
  });
}
