/** The server of these tests in Express, in Fastify and in plain `http`. */
import express, { type ErrorRequestHandler, type Request } from "express";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { IncomingMessage, RequestListener } from "node:http";
import type { Sessions, Verifier } from "waxseal";
import {
  authOf,
  expressGuard,
  expressSessions,
  fastifyGuard,
  fastifySessions,
  httpGuard,
  httpSessions,
} from "waxseal/node";
import { APP, identityOf, type World } from "./world.js";

const paused = (ms: unknown) => new Promise((resolve) => setTimeout(resolve, Number(ms)));
const apiAnswer = (request: object) => {
  const { claims, header, source } = authOf<Verifier>(request);
  return { sub: claims.sub, alg: header.alg, source };
};
const sessionAnswer = (request: object) => {
  const { claims, sessionId, source } = authOf<Sessions>(request);
  return { sub: claims.sub, role: claims["role"], sessionId, source };
};
const shown = (error: unknown) => ({ app: (error as Error).name, message: (error as Error).message });
const allowed = { "Access-Control-Allow-Origin": APP };

export function expressApp({ verifier, sessions, broken, set }: World): RequestListener {
  const app = express();
  app.get("/control", (request, response) => {
    set(new URL(request.url, APP).searchParams);
    response.end();
  });

  app.use("/cors", (request, response, next) => {
    response.set(allowed);
    if (request.method === "OPTIONS") response.sendStatus(204);
    else next();
  });
  app.get("/cors/me", expressGuard(verifier), (_request, response) => void response.send("seen"));

  app.use("/api", expressGuard(verifier));
  app.all("/api/me", (request, response) => void response.json(apiAnswer(request)));
  app.get("/api/slow", async (request, response) => {
    await paused(request.query["ms"]);
    response.json({ sub: request.waxseal?.claims.sub });
  });
  app.get(
    "/api/cached",
    (_request, response) => void response.set("Cache-Control", "private, max-age=60").send("kept"),
  );
  app.get("/api/broken", async () => {
    throw new Error("the handler broke");
  });
  app.get("/api/refuses", () => verifier.checkCrossSite({ headers: {} }));

  app.all("/session/me", expressGuard(sessions), (request, response) => void response.json(sessionAnswer(request)));
  app.get("/session/strong", expressGuard(sessions, { strong: true }), (request, response) => {
    response.json({ sub: authOf(request).claims.sub });
  });
  app.get("/misconfigured", expressGuard(broken));
  app.get("/unguarded", (request, response) => void response.json(authOf(request)));
  app.get("/hooked", expressGuard(verifier, { onRefused: (error, _request, _response, next) => next(error) }));

  const auth = expressSessions(sessions);
  app.post(
    "/auth/login",
    express.json(),
    auth.login((request: Request) => identityOf(request.body)),
  );
  app.post("/auth/refresh", auth.refresh);
  app.post("/auth/logout", auth.logout);
  app.all("/auth/logout-everywhere", auth.logoutEverywhere);
  app.get("/.well-known/jwks.json", auth.jwks);

  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    if (request.path === "/hooked") {
      response.status(418).set("WWW-Authenticate", error.wwwAuthenticate).send(`hooked ${error.code}`);
    } else response.status(500).json(shown(error));
  };
  app.use(onError);
  return app;
}

export function fastifyApp(
  { verifier, sessions, broken, set }: World,
  app: FastifyInstance = fastify(),
): FastifyInstance {
  app.setErrorHandler((error, request, reply) => {
    if (request.url !== "/hooked") return reply.code(500).send(shown(error));
    const { code, wwwAuthenticate } = error as unknown as { code: string; wwwAuthenticate: string };
    return reply.code(418).header("WWW-Authenticate", wwwAuthenticate).type("text/plain").send(`hooked ${code}`);
  });
  app.get("/control", async (request) => {
    set(new URL(request.url, APP).searchParams);
    return "";
  });
  app.register(async (cors) => {
    cors.addHook("onRequest", async (request, reply) => {
      reply.headers(allowed);
      if (request.method === "OPTIONS") return reply.code(204).send();
      return undefined;
    });
    cors.register(fastifyGuard(verifier));
    cors.get("/cors/me", async () => "seen");
    cors.options("/cors/me", async () => "");
  });
  app.register(
    async (api) => {
      api.register(fastifyGuard(verifier));
      api.route({ method: ["GET", "POST"], url: "/me", handler: async (request) => apiAnswer(request) });
      api.options("/me", async (request) => apiAnswer(request));
      api.get<{ Querystring: { ms: string } }>("/slow", async (request) => {
        await paused(request.query.ms);
        return { sub: authOf(request).claims.sub };
      });
      api.get("/cached", async (_request, reply) => reply.header("Cache-Control", "private, max-age=60").send("kept"));
      api.get("/broken", async () => {
        throw new Error("the handler broke");
      });
      api.get("/refuses", async () => verifier.checkCrossSite({ headers: {} }));
    },
    { prefix: "/api" },
  );
  app.register(async (mine) => {
    mine.register(fastifyGuard(sessions));
    mine.route({ method: ["GET", "POST"], url: "/session/me", handler: async (request) => sessionAnswer(request) });
  });
  app.register(async (mine) => {
    mine.register(fastifyGuard(sessions, { strong: true }));
    mine.get("/session/strong", async (request) => ({ sub: authOf(request).claims.sub }));
  });
  app.register(async (scope) => {
    scope.register(fastifyGuard(broken));
    scope.get("/misconfigured", async () => "");
  });
  app.register(async (scope) => {
    scope.register(
      fastifyGuard(verifier, {
        onRefused: (error) => {
          throw error;
        },
      }),
    );
    scope.get("/hooked", async () => "");
  });
  app.get("/unguarded", async (request) => authOf(request));

  const auth = fastifySessions(sessions);
  app.post(
    "/auth/login",
    auth.login((request: FastifyRequest) => identityOf(request.body)),
  );
  app.post("/auth/refresh", auth.refresh);
  app.post("/auth/logout", auth.logout);
  app.route({ method: ["GET", "POST"], url: "/auth/logout-everywhere", handler: auth.logoutEverywhere });
  app.get("/.well-known/jwks.json", auth.jwks);
  return app;
}

async function json(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

/** Errors that no handler deals with are in `errors`, which is where plain `http` has them logged. */
export function httpApp({ verifier, sessions, broken, set }: World, errors: unknown[]): RequestListener {
  const onError = (error: unknown): void => void errors.push(error);
  const auth = httpSessions(sessions, { onError });
  const guarded = (by: Verifier | Sessions, handler: RequestListener, options = {}) =>
    httpGuard(by, handler, { onError, ...options });
  const routes: Record<string, RequestListener> = {
    "/control": (request, response) => {
      set(new URL(request.url ?? "", APP).searchParams);
      response.end();
    },
    "/cors/me": (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", APP);
      if (request.method === "OPTIONS") response.writeHead(204).end();
      else void guarded(verifier, (_request, answer) => answer.end("seen"))(request, response);
    },
    "/api/me": guarded(verifier, (request, response) => response.end(JSON.stringify(apiAnswer(request)))),
    "/api/slow": guarded(verifier, async (request, response) => {
      await paused(new URL(request.url ?? "", APP).searchParams.get("ms"));
      response.end(JSON.stringify({ sub: authOf(request).claims.sub }));
    }),
    "/api/cached": guarded(verifier, (_request, response) => {
      // Not as a chain: on HTTP/2 setHeader gives nothing.
      response.setHeader("Cache-Control", "private, max-age=60");
      response.end("kept");
    }),
    "/api/broken": guarded(verifier, async () => {
      throw new Error("the handler broke");
    }),
    "/api/refuses": guarded(verifier, () => verifier.checkCrossSite({ headers: {} })),
    "/api/half": guarded(verifier, async (_request, response) => {
      response.write("half");
      await paused(20);
      throw new Error("the handler broke");
    }),
    "/session/me": guarded(sessions, (request, response) => response.end(JSON.stringify(sessionAnswer(request)))),
    "/session/strong": guarded(
      sessions,
      (request, response) => response.end(JSON.stringify({ sub: authOf(request).claims.sub })),
      { strong: true },
    ),
    "/misconfigured": guarded(broken, () => undefined),
    "/hooked": httpGuard(verifier, () => undefined, {
      onRefused: (error, _request, response) => {
        response.statusCode = 418;
        response.setHeader("WWW-Authenticate", error.wwwAuthenticate ?? "");
        response.end(`hooked ${error.code}`);
      },
    }),
    "/auth/login": auth.login(async (request: IncomingMessage) => identityOf(await json(request))),
    "/auth/refresh": auth.refresh,
    "/auth/logout": auth.logout,
    "/auth/logout-everywhere": auth.logoutEverywhere,
    "/.well-known/jwks.json": auth.jwks,
  };
  return (request, response) => {
    const route = routes[(request.url ?? "").split("?")[0] ?? ""];
    if (route === undefined) response.writeHead(404).end();
    else route(request, response);
  };
}
