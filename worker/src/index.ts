/** The Worker's routes. Each handler is a function from a request to a response; what it throws becomes JSON here. */

import type { Env } from "./config.js";
import { asset } from "./page.js";
import { errorResponse, HttpError, withoutBody } from "./responses.js";
import { jwks, login, logout, me } from "./session.js";

type Handler = (request: Request, env: Env) => Response | Promise<Response>;

/** Path, then method. HEAD is answered wherever GET is. */
const routes = new Map<string, Readonly<Record<string, Handler>>>([
  ["/", { GET: () => asset("index.html") }],
  ["/app.css", { GET: () => asset("app.css") }],
  ["/app.js", { GET: () => asset("app.js") }],
  ["/api/auth/login", { POST: login }],
  ["/api/auth/logout", { POST: logout }],
  ["/me", { GET: me }],
  ["/.well-known/jwks.json", { GET: jwks }],
]);

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
  const methods = routes.get(new URL(request.url).pathname);
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
