/** The server of these tests in Hono, for Node and for Workers. */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { Sessions, Verifier } from "waxseal";
import { guard, refusal, sessionHandlers, type WaxsealEnv } from "waxseal/hono";
import { APP, identityOf, type World } from "./world.js";

export function honoApp(worldOf: (c: Context) => Promise<World>): Hono {
  const verifier = async (c: Context): Promise<Verifier> => (await worldOf(c)).verifier;
  const sessions = async (c: Context): Promise<Sessions> => (await worldOf(c)).sessions;

  const api = new Hono<WaxsealEnv<Verifier>>();
  api.use(guard(verifier));
  api.on(["GET", "POST"], "/me", (c) => {
    const { claims, header, source } = c.get("waxseal");
    return c.json({ sub: claims.sub, alg: header.alg, source });
  });
  api.get("/slow", async (c) => {
    await new Promise((resolve) => setTimeout(resolve, Number(c.req.query("ms"))));
    return c.json({ sub: c.var.waxseal.claims.sub });
  });
  api.get("/cached", (c) => c.text("kept", 200, { "Cache-Control": "private, max-age=60" }));
  api.get("/broken", () => {
    throw new Error("the handler broke");
  });
  api.get("/refuses", async (c) => {
    (await worldOf(c)).verifier.checkCrossSite({ headers: {} });
    return c.text("");
  });

  const mine = new Hono<WaxsealEnv<Sessions>>();
  mine.on(["GET", "POST"], "/me", guard(sessions), (c) => {
    const { claims, sessionId, source } = c.get("waxseal");
    return c.json({ sub: claims.sub, role: claims["role"], sessionId, source });
  });
  mine.get("/strong", guard(sessions, { strong: true }), (c) => c.json({ sub: c.get("waxseal").claims.sub }));

  const auth = sessionHandlers(sessions);
  const app = new Hono();
  app.onError((error, c) => c.json({ app: error.name, message: error.message }, 500));
  app.get("/control", async (c) => {
    (await worldOf(c)).set(new URL(c.req.url).searchParams);
    return c.text("");
  });
  app.use("/cors/*", cors({ origin: APP }));
  app.use("/cors/*", guard(verifier));
  app.get("/cors/me", (c) => c.text("seen"));
  app.route("/api", api);
  app.route("/session", mine);
  app.get(
    "/misconfigured",
    guard(async (c) => (await worldOf(c)).broken),
  );
  app.get(
    "/hooked",
    guard(verifier, {
      onRefused: (error, c) => {
        const answer = refusal(error);
        return c.text(`hooked ${error.code}`, 418, {
          "WWW-Authenticate": answer.headers.get("WWW-Authenticate") ?? "",
        });
      },
    }),
  );
  app.post(
    "/auth/login",
    auth.login(async (c) => identityOf(await c.req.json())),
  );
  app.post("/auth/refresh", auth.refresh);
  app.post("/auth/logout", auth.logout);
  app.on(["GET", "POST"], "/auth/logout-everywhere", auth.logoutEverywhere);
  app.get("/.well-known/jwks.json", auth.jwks);
  return app;
}
