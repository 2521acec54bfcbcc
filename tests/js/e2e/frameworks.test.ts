/** Every server that waxseal/hono and waxseal/node are made for, started and talked to over HTTP: one table of cases for all. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { serve } from "@hono/node-server";
import { Miniflare } from "miniflare";
import { generateKeyPair } from "waxseal";
import { GUARDS, Running, SESSIONS, TWICE } from "../../frameworks/cases.js";
import { honoApp } from "../../frameworks/hono-app.js";
import { expressApp, fastifyApp, httpApp } from "../../frameworks/node-apps.js";
import { type Keys, worldOf } from "../../frameworks/world.js";
import { bundle, PACKED } from "../harness/bundle.js";

const key = async () => (await generateKeyPair("ES256")).privateKey;
const keys: Keys = { provider: await key(), access: await key(), refresh: await key() };
const errors: unknown[] = [];

async function listening(listener: RequestListener): Promise<Running> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Running.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}

const SERVERS: Record<string, () => Promise<Running>> = {
  "Hono on Node": async () => {
    const world = await worldOf(keys);
    const { fetch } = honoApp(async () => world);
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const started = serve({ fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(started));
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return Running.at(url, keys, async () => {
      await new Promise((resolve) => server.close(resolve));
    });
  },
  "Hono on workerd": async () => {
    const out = join(PACKED, "run/frameworks");
    mkdirSync(out, { recursive: true });
    await bundle({
      entry: "tests/frameworks/hono-worker.ts",
      outfile: join(out, "worker.js"),
      conditions: ["workerd", "worker", "browser"],
      expected: "workerd.js",
    });
    const miniflare = new Miniflare({
      modules: [
        { type: "ESModule", path: "worker.js", contents: readFileSync(join(out, "worker.js"), "utf8") },
        { type: "CompiledWasm", path: "waxseal.wasm", contents: readFileSync(join(out, "waxseal.wasm")) },
      ],
      compatibilityDate: "2026-04-01",
      bindings: { KEYS: JSON.stringify(keys) },
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
    });
    return Running.at((await miniflare.ready).origin, keys, () => miniflare.dispose());
  },
  Express: async () => listening(expressApp(await worldOf(keys))),
  Fastify: async () => {
    const app = fastifyApp(await worldOf(keys));
    return Running.at(await app.listen({ port: 0, host: "127.0.0.1" }), keys, () => app.close());
  },
  http: async () => listening(httpApp(await worldOf(keys), errors)),
};

for (const [name, start] of Object.entries(SERVERS)) {
  describe(name, () => {
    let server: Running;
    before(async () => {
      server = await start();
    });
    after(() => server.stop());
    for (const [sentence, run] of [...GUARDS, TWICE, ...SESSIONS]) test(sentence, () => run(server));

    if (name === "Express" || name === "Fastify") {
      test("authOf fails where no guard stands in front", async () => {
        const { status, json } = await server.ask("/unguarded", "GET", await server.bearer());
        assert.deepEqual([status, json["app"]], [500, "WaxsealError"]);
      });
    }
    if (name === "http") {
      test("errors of handlers are answered once, told to onError, and break off an answer that has begun", async () => {
        errors.length = 0;
        const { json } = await server.ask("/api/broken", "GET", await server.bearer());
        assert.deepEqual(json, { error: "INTERNAL" });
        await assert.rejects(server.ask("/api/half", "GET", await server.bearer()), /aborted|socket hang up/);
        assert.deepEqual(
          errors.map((error) => (error as Error).message),
          ["the handler broke", "the handler broke"],
        );
      });
    }
  });
}
