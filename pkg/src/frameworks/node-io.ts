/** Requests and responses of `node:http`, as far as they are used here: Express and Fastify have the same underneath. */
import { optionInvalid, type WaxsealError } from "../error.js";
import { hasMethods, member } from "../options.js";
import {
  type Answer,
  type Authenticated,
  type Authenticator,
  bodyOf,
  type PlainAuthenticator,
  refused,
} from "./answer.js";

/** A request of plain `http` or `http2`, of Express, or `request.raw` of Fastify. */
export interface NodeRequest {
  /** The method, in capitals. */
  method?: string | undefined;
  /** The headers, one value each. */
  headers: { readonly [name: string]: string | readonly string[] | undefined };
  /** Names and values in turn, as they came: the only place that has every `Authorization` field. */
  rawHeaders?: readonly string[];
}

/** A response of plain `http` or `http2`, or of Express. */
export interface NodeResponse {
  /** The status of the answer. */
  statusCode: number;
  /** Whether the answer has begun. */
  readonly headersSent: boolean;
  /** Whether a header is set. */
  hasHeader(name: string): boolean;
  /** Sets a header. */
  setHeader(name: string, value: string | readonly string[]): unknown;
  /** Ends the answer. */
  end(text?: string): unknown;
  /** Breaks the connection off. */
  destroy(error?: Error): unknown;
}

/** Headers as Node takes them: each `Set-Cookie` is a line of its own. @internal */
export function* headerLines(headers: Headers): Generator<[name: string, value: string | string[]]> {
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) yield ["Set-Cookie", cookies];
  for (const [name, value] of headers) if (name !== "set-cookie") yield [name, value];
}

/** @internal */
export function send(response: NodeResponse, answer: Answer): void {
  const text = bodyOf(answer);
  response.statusCode = answer.status;
  for (const [name, value] of headerLines(answer.headers)) response.setHeader(name, value);
  response.end(text);
}

/**
 * Answers a refused request: the error's status, `WWW-Authenticate`, `Retry-After` and `Cache-Control: no-store`, and
 * `{ "error": code }`. For your own error handler, where what handlers call may be refused; see {@link isRefusal}.
 *
 * @param response A `ServerResponse`; `reply.raw` of Fastify would do, but there `refusal(error)` fits better.
 * @param error The refusal.
 */
export function sendRefusal(response: NodeResponse, error: WaxsealError): void {
  if (!hasMethods(response, ["setHeader", "end"])) throw optionInvalid("response must be a ServerResponse.");
  send(response, refused(error));
}

/** @internal */
export function accept(request: object, authenticated: unknown): void {
  Reflect.set(request, "waxseal", authenticated);
}

/**
 * What the guard in front of this handler has found out: claims, header, source, and of sessions `sessionId`. The same is in
 * `request.waxseal`.
 *
 * @param request The request of `http`, Express or Fastify.
 * @throws WaxsealError `ERR_OPTION_INVALID` when no guard has let this request pass: a handler that forgot its guard fails.
 *
 * @example
 * ```ts
 * app.get("/me", (request, response) => response.json({ subject: authOf(request).claims.sub }));
 * ```
 */
export function authOf<G extends Authenticator = PlainAuthenticator>(request: object): Authenticated<G> {
  const found = member(request, "waxseal");
  if (typeof found === "object" && found !== null) return found as Authenticated<G>;
  throw optionInvalid("This request passed no guard: put one in front of the handler that reads who sent it.");
}
