/**
 * Middleware and handlers for Hono 4, on every runtime that it has. Nothing of Hono is imported but types.
 *
 * @packageDocumentation
 */
import type { Context, MiddlewareHandler } from "hono";
import type { WaxsealError } from "../error.js";
import type { Sessions } from "../sessions/sessions.js";
import {
  type Answer,
  authenticate,
  type Authenticated,
  type Authenticator,
  type GuardSettings,
  type Identity,
  isRefusal,
  jwks,
  login,
  logout,
  logoutEverywhere,
  optionsOf,
  type PlainAuthenticator,
  refresh,
} from "./answer.js";
import { refusal, responseOf } from "./fetch.js";

export {
  type Authenticated,
  type Authenticator,
  type GuardSettings,
  type Identity,
  isRefusal,
  type PlainAuthenticator,
};
export type { Identified } from "./answer.js";
export { refusal };

/** What `c.get("waxseal")` and `c.var.waxseal` give behind a guard: `new Hono<WaxsealEnv<Sessions>>()`. */
export interface WaxsealEnv<G extends Authenticator = PlainAuthenticator> {
  Variables: { waxseal: Authenticated<G> };
}

/** A value, or how to get it: called for each request, so that on Workers it can be made from `c.env` by the first one. */
export type Source<T> = T | ((c: Context) => T | Promise<T>);

/** What to do about refusals. */
export interface RefusalOptions {
  /** Answers a refused request in place of {@link refusal}. What it throws reaches `app.onError`. */
  onRefused?: (error: WaxsealError, c: Context) => Response | Promise<Response>;
}

/** Options of {@link guard}. */
export interface GuardOptions extends GuardSettings, RefusalOptions {}

/**
 * Lets requests pass that the verifier, or the sessions, accept, with `c.get("waxseal")` set, and answers all others. Errors
 * of other kinds, and those of status 500, reach `app.onError`. A preflight carries no credentials: put `cors()` before.
 *
 * Where the handler sets no `Cache-Control`, the answer gets `no-store`.
 *
 * @param source A verifier or sessions, or a function that gives them.
 * @param options `strong` with sessions; `onRefused` to answer otherwise.
 *
 * @example
 * ```ts
 * app.use("/api/*", guard(verifier));
 * app.get("/api/me", (c) => c.json(c.get("waxseal").claims));
 * ```
 */
export function guard<G extends Authenticator>(
  source: Source<G>,
  options: GuardOptions = {},
): MiddlewareHandler<WaxsealEnv<G>> {
  const { onRefused = refusal, ...settings } = optionsOf(options, ["onRefused"], ["strong"]);
  return async (c, next) => {
    try {
      c.set("waxseal", await authenticate(await valueOf(source, c), c.req.raw, settings));
    } catch (error) {
      if (isRefusal(error)) return onRefused(error, c);
      throw error;
    }
    // Outside the try: what the handlers throw is theirs.
    await next();
    // 101 is the answer to a WebSocket, which no cache stores and which cannot be copied everywhere.
    if (c.res.status !== 101 && !c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    return undefined;
  };
}

/** Handlers for signing in and out. */
export interface SessionHandlers {
  /**
   * Signs in whoever `identify` names. Requests from other sites are refused before it is called.
   *
   * @param identify Says who it is: by a password, a passkey, an identity provider. What it throws reaches `app.onError`.
   */
  login<C extends Context>(identify: (c: C) => Identity | Promise<Identity>): (c: C) => Promise<Response>;
  /** Gives new tokens. Serve it at `refresh.path` of the sessions, by default `/auth/refresh`. */
  refresh(c: Context): Promise<Response>;
  /** Ends the session of the request and clears its cookies. */
  logout(c: Context): Promise<Response>;
  /** Ends every session of whoever asks. */
  logoutEverywhere(c: Context): Promise<Response>;
  /** The public keys of access tokens, for `/.well-known/jwks.json`. */
  jwks(c: Context): Promise<Response>;
}

/**
 * Handlers that sign in and out, with both cookies in the headers of their answers. Serve all but `jwks` under POST.
 *
 * A login or refresh answers `{ sessionId, expiresAt, refreshAfter }`, a logout `{ ended }`: no token is in a body.
 *
 * @param source Sessions, or a function that gives them.
 * @param options `onRefused` to answer otherwise. A logout that could not be written is answered as it is, for its answer has
 *   to clear the cookies.
 */
export function sessionHandlers(source: Source<Sessions>, options: RefusalOptions = {}): SessionHandlers {
  const { onRefused = refusal } = optionsOf(options, ["onRefused"]);
  type Run = (sessions: Sessions, request: Request) => Answer | Promise<Answer>;
  const answering = async (c: Context, run: Run): Promise<Response> => {
    try {
      return responseOf(await run(await valueOf(source, c), c.req.raw));
    } catch (error) {
      if (isRefusal(error)) return onRefused(error, c);
      throw error;
    }
  };
  return {
    login: (identify) => (c) => answering(c, (sessions, request) => login(sessions, request, () => identify(c))),
    refresh: (c) => answering(c, refresh),
    logout: (c) => answering(c, logout),
    logoutEverywhere: (c) => answering(c, logoutEverywhere),
    jwks: (c) => answering(c, jwks),
  };
}

function valueOf<T extends object>(source: Source<T>, c: Context): T | Promise<T> {
  return typeof source === "function" ? source(c) : source;
}
