/** The Worker's routes. Each handler is a function from a request to a response; what it throws becomes JSON here. */

import { type Env, REFRESH_PATH } from "./config.js";
import { asset } from "./page.js";
import { errorResponse, HttpError, withoutBody } from "./responses.js";
import { endSession, jwks, listSessions, login, logout, logoutEverywhere, me, refresh } from "./session.js";

/** The class of the Durable Objects that hold the sessions; wrangler.jsonc binds it. */
export { SessionRecords } from "waxseal/stores/durable-object";

type Handler = (request: Request, env: Env) => Response | Promise<Response>;
type Methods = Readonly<Record<string, Handler>>;

/** Path, then method. HEAD is answered wherever GET is. */
const routes = new Map<string, Methods>([
  ["/", { GET: () => asset("index.html") }],
  ["/app.css", { GET: () => asset("app.css") }],
  ["/app.js", { GET: () => asset("app.js") }],
  ["/client.js", { GET: () => asset("client.js") }],
  ["/api/auth/login", { POST: login }],
  [REFRESH_PATH, { POST: refresh }],
  ["/api/auth/logout", { POST: logout }],
  ["/api/auth/logout-everywhere", { POST: logoutEverywhere }],
  ["/me", { GET: me }],
  ["/sessions", { GET: listSessions }],
  ["/.well-known/jwks.json", { GET: jwks }],
]);

/** One session, whose identifier is base64url. */
const sessionPath = /^\/sessions\/[\w-]{1,64}$/;
const sessionMethods: Methods = { DELETE: endSession };

export default {
  async fetch(request, env): Promise<Response> {
    let response: Response;
    try {
      response = await handlerFor(request)(request, env);
    } catch (error) {
      response = errorResponse(error);
    }
    return request.method === "HEAD" ? withoutBody(response) : response;
  },
} satisfies ExportedHandler<Env>;

function handlerFor(request: Request): Handler {
  const { pathname } = new URL(request.url);
  const methods = sessionPath.test(pathname) ? sessionMethods : routes.get(pathname);
  if (methods === undefined) {
    throw new HttpError(404, "NOT_FOUND", "There is nothing at this path.");
  }
  const method = request.method === "HEAD" ? "GET" : request.method;
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined) {
    const allowed = Object.keys(methods)
      .flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]))
      .join(", ");
    // No CORS preflight is answered either: this interface is for pages of its own origin.
    throw new HttpError(405, "METHOD_NOT_ALLOWED", `Use ${allowed}.`, { Allow: allowed });
  }
  return handler;
}
