/** Express 5, plain `http`, and all else with `(request, response, next)`. */
import type { WaxsealError } from "../error.js";
import type { Sessions } from "../sessions/sessions.js";
import type { RequestLike } from "../types.js";
import {
  type Answer,
  authenticate,
  type Authenticator,
  type GuardSettings,
  type Identity,
  isRefusal,
  jwks,
  login,
  logout,
  logoutEverywhere,
  optionsOf,
  refresh,
} from "./answer.js";
import { accept, type NodeRequest, type NodeResponse, send, sendRefusal } from "./node-io.js";

/** Hands a request on, or an error to the framework's error path. */
export type Next = (error?: unknown) => void;

/** Middleware of Express, and of others with its form. */
export type Middleware = (request: NodeRequest, response: NodeResponse, next: Next) => Promise<void>;

/** What Express does about refusals. */
export interface ExpressRefusals {
  /**
   * Answers a refused request in place of {@link sendRefusal}. `next(error)` hands it to your error handler; Express's own
   * sets no `WWW-Authenticate` and no `Retry-After`, and shows the stack in development.
   */
  onRefused?: (error: WaxsealError, request: NodeRequest, response: NodeResponse, next: Next) => void;
}

/** What plain `http` does about refusals and errors. */
export interface HttpRefusals {
  /** Answers a refused request in place of {@link sendRefusal}. */
  onRefused?: (error: WaxsealError, request: NodeRequest, response: NodeResponse) => void;
  /**
   * Told of all that is no refusal, after status 500 was answered: errors of the handler, mistakes in the configuration.
   * Default `console.error`.
   */
  onError?: (error: unknown, request: NodeRequest) => void;
}

/**
 * Middleware for Express: lets requests pass that the verifier, or the sessions, accept, with {@link authOf} and
 * `request.waxseal` set, and answers all others. Errors of other kinds, and those of status 500, go to `next(error)`.
 * A preflight carries no credentials: put `cors()` before.
 *
 * Where the handler sets no `Cache-Control`, the answer gets `no-store`.
 *
 * @param authenticator A verifier or sessions.
 * @param options `strong` with sessions; `onRefused` to answer otherwise.
 *
 * @example
 * ```ts
 * app.use("/api", expressGuard(verifier));
 * ```
 */
export function expressGuard(authenticator: Authenticator, options: GuardSettings & ExpressRefusals = {}): Middleware {
  const { onRefused = byItself, ...settings } = optionsOf(options, ["onRefused"], ["strong"]);
  return async (request, response, next) => {
    try {
      accept(request, await authenticate(authenticator, request, settings));
      if (!response.hasHeader("Cache-Control")) response.setHeader("Cache-Control", "no-store");
    } catch (error) {
      return isRefusal(error) ? onRefused(error, request, response, next) : next(error);
    }
    // Outside the try: what the handlers throw is theirs.
    next();
  };
}

/** A handler of Express, or with no `next` a listener of plain `http`. */
export type NodeHandler<R, Rest extends unknown[]> = (
  request: R,
  response: NodeResponse,
  ...rest: Rest
) => Promise<void>;

/** Handlers for signing in and out. */
export interface NodeSessionHandlers<Rest extends unknown[]> {
  /**
   * Signs in whoever `identify` names. Requests from other sites are refused before it is called.
   *
   * @param identify Says who it is: by a password, a passkey, an identity provider.
   */
  login<R extends NodeRequest>(identify: (request: R) => Identity | Promise<Identity>): NodeHandler<R, Rest>;
  /** Gives new tokens. Serve it at `refresh.path` of the sessions, by default `/auth/refresh`. */
  refresh: NodeHandler<NodeRequest, Rest>;
  /** Ends the session of the request and clears its cookies. */
  logout: NodeHandler<NodeRequest, Rest>;
  /** Ends every session of whoever asks. */
  logoutEverywhere: NodeHandler<NodeRequest, Rest>;
  /** The public keys of access tokens, for `/.well-known/jwks.json`. */
  jwks: NodeHandler<NodeRequest, Rest>;
}

/**
 * Handlers for Express that sign in and out, with both cookies in the headers of their answers. Serve all but `jwks` under POST.
 *
 * A login or refresh answers `{ sessionId, expiresAt, refreshAfter }`, a logout `{ ended }`: no token is in a body.
 *
 * @param sessions The sessions.
 * @param options `onRefused` to answer otherwise. A logout that could not be written is answered as it is, for its answer has
 *   to clear the cookies.
 */
export function expressSessions(sessions: Sessions, options: ExpressRefusals = {}): NodeSessionHandlers<[next: Next]> {
  const { onRefused = byItself } = optionsOf(options, ["onRefused"]);
  return handlers(sessions, async (request, response, [next], run) => {
    try {
      send(response, await run());
    } catch (error) {
      if (isRefusal(error)) onRefused(error, request, response, next);
      else next(error);
    }
  });
}

/**
 * Guards a listener of plain `http`. Refusals are answered; for errors, which have no other way to go there, status 500 is
 * answered and `onError` is told.
 *
 * @param authenticator A verifier or sessions.
 * @param handler Answers requests that are let pass; {@link authOf} says whose they are.
 * @param options `strong` with sessions; `onRefused` to answer otherwise, `onError` to log elsewhere.
 *
 * @example
 * ```ts
 * createServer(httpGuard(verifier, (request, response) => response.end(authOf(request).claims.sub))).listen(8080);
 * ```
 */
export function httpGuard<Q extends NodeRequest, S extends NodeResponse>(
  authenticator: Authenticator,
  handler: (request: Q, response: S) => unknown,
  options: GuardSettings & HttpRefusals = {},
): (request: Q, response: S) => Promise<void> {
  const {
    onRefused = byItself,
    onError = toConsole,
    ...settings
  } = optionsOf(options, ["onRefused", "onError"], ["strong"]);
  return async (request, response) => {
    try {
      try {
        accept(request, await authenticate(authenticator, request, settings));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        onRefused(error, request, response);
        return;
      }
      response.setHeader("Cache-Control", "no-store");
      await handler(request, response);
    } catch (error) {
      failed(response, error);
      onError(error, request);
    }
  };
}

/** The handlers of {@link expressSessions} for plain `http`, with errors as in {@link httpGuard}. */
export function httpSessions(sessions: Sessions, options: HttpRefusals = {}): NodeSessionHandlers<[]> {
  const { onRefused = byItself, onError = toConsole } = optionsOf(options, ["onRefused", "onError"]);
  return handlers(sessions, async (request, response, _rest, run) => {
    try {
      const answer = await run().catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        onRefused(error, request, response);
      });
      if (answer !== undefined) send(response, answer);
    } catch (error) {
      failed(response, error);
      onError(error, request);
    }
  });
}

type Respond<Rest extends unknown[]> = (
  request: NodeRequest,
  response: NodeResponse,
  rest: Rest,
  run: () => Promise<Answer>,
) => Promise<void>;

function handlers<Rest extends unknown[]>(sessions: Sessions, respond: Respond<Rest>): NodeSessionHandlers<Rest> {
  const route =
    (run: (sessions: Sessions, head: RequestLike) => Answer | Promise<Answer>) =>
    (request: NodeRequest, response: NodeResponse, ...rest: Rest): Promise<void> =>
      respond(request, response, rest, async () => run(sessions, request));
  return {
    login:
      (identify) =>
      (request, response, ...rest) =>
        respond(request, response, rest, () => login(sessions, request, () => identify(request))),
    refresh: route(refresh),
    logout: route(logout),
    logoutEverywhere: route(logoutEverywhere),
    jwks: route(jwks),
  };
}

function byItself(error: WaxsealError, _request: NodeRequest, response: NodeResponse): void {
  sendRefusal(response, error);
}

/** The client learns nothing of the error; of an answer that has begun, that it is not whole. */
function failed(response: NodeResponse, error: unknown): void {
  if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
  else
    send(response, { status: 500, headers: new Headers({ "Cache-Control": "no-store" }), body: { error: "INTERNAL" } });
}

function toConsole(error: unknown): void {
  console.error(error);
}
