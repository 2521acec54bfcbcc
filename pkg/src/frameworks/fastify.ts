/** Fastify 5. */
import type { WaxsealError } from "../error.js";
import type { Sessions } from "../sessions/sessions.js";
import type { RequestLike } from "../types.js";
import {
  type Answer,
  authenticate,
  type Authenticator,
  bodyOf,
  type GuardSettings,
  type Identity,
  isRefusal,
  jwks,
  login,
  logout,
  logoutEverywhere,
  optionsOf,
  refresh,
  refused,
} from "./answer.js";
import { accept, headerLines, type NodeRequest } from "./node-io.js";

/** A `FastifyRequest`, as far as it is used here. */
export interface FastifyRequestLike {
  /** The request of `node:http`. */
  readonly raw: NodeRequest;
}

/** A `FastifyReply`, as far as it is used here. */
export interface FastifyReplyLike {
  /** Sets the status. */
  code(status: number): unknown;
  /** Sets a header. */
  header(name: string, value: string | string[]): unknown;
  /** Whether a header is set. */
  hasHeader(name: string): boolean;
  /** Answers. */
  send(payload?: unknown): unknown;
}

/** A `FastifyInstance`, as far as it is used here. */
export interface FastifyLike {
  /** Whether requests have a member of this name. */
  hasRequestDecorator(name: string): boolean;
  /** Gives requests a member. */
  decorateRequest(name: string, value: null): unknown;
  /** Adds a hook. */
  addHook(name: "onRequest", hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>): unknown;
}

/** What Fastify does about refusals. */
export interface FastifyRefusals {
  /**
   * Answers a refused request with `reply.send`, in place of what is answered by default. What it throws goes to Fastify's
   * error handler: `(error) => { throw error; }` hands refusals to yours.
   */
  onRefused?: (error: WaxsealError, request: FastifyRequestLike, reply: FastifyReplyLike) => unknown;
}

/**
 * A plugin for Fastify that guards every route of the scope in which it is registered: requests pass that the verifier, or
 * the sessions, accept, with {@link authOf} and `request.waxseal` set, and all others are answered before their body is read.
 * Errors of other kinds, and those of status 500, go to Fastify's error handler. A preflight carries no credentials:
 * register `@fastify/cors` before.
 *
 * Where the handler sets no `Cache-Control`, the answer gets `no-store`.
 *
 * @param authenticator A verifier or sessions.
 * @param options `strong` with sessions; `onRefused` to answer otherwise.
 *
 * @example
 * ```ts
 * app.register(async (api) => {
 *   api.register(fastifyGuard(verifier));
 *   api.get("/me", async (request) => ({ subject: authOf(request).claims.sub }));
 * });
 * ```
 */
export function fastifyGuard(
  authenticator: Authenticator,
  options: GuardSettings & FastifyRefusals = {},
): (instance: FastifyLike) => Promise<void> {
  const { onRefused = byItself, ...settings } = optionsOf(options, ["onRefused"], ["strong"]);
  const plugin = async (instance: FastifyLike): Promise<void> => {
    // Requests get the member when they are made, and keep one shape.
    if (!instance.hasRequestDecorator("waxseal")) instance.decorateRequest("waxseal", null);
    instance.addHook("onRequest", async (request, reply) => {
      try {
        accept(request, await authenticate(authenticator, request.raw, settings));
        if (!reply.hasHeader("Cache-Control")) reply.header("Cache-Control", "no-store");
        return undefined;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await onRefused(error, request, reply);
        // Fastify takes a hook that gives the reply for one that has answered.
        return reply;
      }
    });
  };
  // Without this, the hook would be for routes inside the plugin alone, of which there are none.
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "waxseal",
  });
}

/** A handler of a Fastify route. */
export type FastifyHandler = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>;

/** Handlers for signing in and out, of Fastify. */
export interface FastifySessionHandlers {
  /**
   * Signs in whoever `identify` names. Requests from other sites are refused before it is called.
   *
   * @param identify Says who it is: by a password, a passkey, an identity provider.
   */
  login<R extends FastifyRequestLike>(
    identify: (request: R) => Identity | Promise<Identity>,
  ): (request: R, reply: FastifyReplyLike) => Promise<unknown>;
  /** Gives new tokens. Serve it at `refresh.path` of the sessions, by default `/auth/refresh`. */
  refresh: FastifyHandler;
  /** Ends the session of the request and clears its cookies. */
  logout: FastifyHandler;
  /** Ends every session of whoever asks. */
  logoutEverywhere: FastifyHandler;
  /** The public keys of access tokens, for `/.well-known/jwks.json`. */
  jwks: FastifyHandler;
}

/**
 * Handlers for Fastify that sign in and out, as those of {@link expressSessions}; errors go to Fastify's error handler.
 *
 * @param sessions The sessions.
 * @param options `onRefused` to answer otherwise, but for a logout that could not be written.
 */
export function fastifySessions(sessions: Sessions, options: FastifyRefusals = {}): FastifySessionHandlers {
  const { onRefused = byItself } = optionsOf(options, ["onRefused"]);
  const respond = async (
    request: FastifyRequestLike,
    reply: FastifyReplyLike,
    run: (head: RequestLike) => Answer | Promise<Answer>,
  ): Promise<unknown> => {
    try {
      sendReply(reply, await run(request.raw));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await onRefused(error, request, reply);
    }
    return reply;
  };
  const route =
    (run: (sessions: Sessions, head: RequestLike) => Answer | Promise<Answer>): FastifyHandler =>
    (request, reply) =>
      respond(request, reply, (head) => run(sessions, head));
  return {
    login: (identify) => (request, reply) =>
      respond(request, reply, (head) => login(sessions, head, () => identify(request))),
    refresh: route(refresh),
    logout: route(logout),
    logoutEverywhere: route(logoutEverywhere),
    jwks: route(jwks),
  };
}

function byItself(error: WaxsealError, _request: FastifyRequestLike, reply: FastifyReplyLike): void {
  sendReply(reply, refused(error));
}

function sendReply(reply: FastifyReplyLike, answer: Answer): void {
  const text = bodyOf(answer);
  reply.code(answer.status);
  for (const [name, value] of headerLines(answer.headers)) reply.header(name, value);
  reply.send(text);
}
