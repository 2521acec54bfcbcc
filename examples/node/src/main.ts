/** Starts the server: settings, database, sessions, listener. */

import { createServer } from "node:http";
import { join } from "node:path";
import { createSessions } from "waxseal";
import { createMetrics } from "waxseal/metrics";
import { sqliteRevocationStore, sqliteStore } from "waxseal/stores/sqlite";
import { DATA, HOST, INSECURE_COOKIES, METRICS_PORT, ORIGIN, PORT, readSecrets } from "./config.js";
import { openDatabase } from "./database.js";
import { listener } from "./http.js";
import { routesOf } from "./routes.js";

const { accessKeys, refreshKeys, demoPassword } = await readSecrets();
const database = await openDatabase(join(DATA, "sessions.db"));
const metrics = createMetrics();

const sessions = await createSessions({
  keys: accessKeys,
  // Keys of their own, published nowhere: nobody but this server verifies refresh tokens.
  refreshKeys,
  issuer: ORIGIN,
  audience: ORIGIN,
  origins: [ORIGIN],
  store: sqliteStore(database),
  // In the same file, so that what was ended is refused from that moment on.
  revocation: { store: sqliteRevocationStore(database) },
  refresh: { path: "/api/auth/refresh" },
  cookies: { insecureDevelopmentMode: INSECURE_COOKIES },
  onEvent: metrics.onEvent,
});

const server = createServer({ requestTimeout: 10_000 }, listener(routesOf(sessions, demoPassword)));
server.listen(PORT, HOST, () => console.log(`${ORIGIN} is served on ${HOST}:${PORT}.`));

// A port of its own that only this machine reaches: how often you are attacked is for nobody else to read.
const observed = createServer(
  listener([
    [/^\/metrics$/, { GET: () => ({ headers: { "Content-Type": metrics.contentType }, body: metrics.prometheus() }) }],
  ]),
).listen(METRICS_PORT, "127.0.0.1");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    observed.close();
    // Requests that run are finished, then the file is closed.
    server.close(() => database.close());
    server.closeIdleConnections();
  });
}
