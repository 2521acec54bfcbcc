/**
 * Express 5, Fastify 5 and plain `http`. Nothing of them is imported.
 *
 * @packageDocumentation
 */
import type { Authenticated } from "./answer.js";

export {
  type Authenticated,
  type Authenticator,
  type GuardSettings,
  type Identified,
  type Identity,
  isRefusal,
  type PlainAuthenticator,
} from "./answer.js";
export {
  expressGuard,
  type ExpressRefusals,
  expressSessions,
  httpGuard,
  type HttpRefusals,
  httpSessions,
  type Middleware,
  type Next,
  type NodeHandler,
  type NodeSessionHandlers,
} from "./express.js";
export {
  fastifyGuard,
  type FastifyHandler,
  type FastifyLike,
  type FastifyRefusals,
  type FastifyReplyLike,
  type FastifyRequestLike,
  fastifySessions,
  type FastifySessionHandlers,
} from "./fastify.js";
export { authOf, type NodeRequest, type NodeResponse, sendRefusal } from "./node-io.js";

declare global {
  namespace Express {
    interface Request {
      /** What `expressGuard` has found out. `authOf` gives the same and fails where there is no guard. */
      waxseal?: Authenticated;
    }
  }
}
