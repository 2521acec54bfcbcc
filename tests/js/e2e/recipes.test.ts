/**
 * The recipes of docs/frameworks.md for frameworks that are no development dependencies: each is put where it says that it stands,
 * in a project as its framework makes them, and checked against the framework's own types. SvelteKit's is built, started and talked to.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../../worker/demo/runtime.js";
import { type Answer, ask, Jar, type Sent } from "../../frameworks/client.js";
import { blocks } from "./documents.js";

/** Where scripts/install-packaging.sh puts them: SvelteKit whole, of the others the types. */
const TOOLS = resolve("tests/packaging/tools/node_modules");
const TYPES = resolve("tests/packaging/types/node_modules");
const NODE = join(TOOLS, "node24/bin/node");
const APP = "https://app.example";

const lacking = (path: string) => ({ skip: !existsSync(path) && "scripts/install-packaging.sh could not install it" });

/** The files of the document, by the path in their first line. */
const recipes = new Map(
  blocks(join("docs", "frameworks.md")).flatMap(({ code }) => {
    const [, path] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
    return path === undefined ? [] : [[path, code] as const];
  }),
);

/** A project beside the installed tarball, which finds everything else in `packages`. */
function project(name: string, packages: string, files: Record<string, unknown>, fromDocument: string[]): string {
  const directory = resolve("target/packed/recipes", name, "app");
  rmSync(dirname(directory), { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  symlinkSync(packages, join(dirname(directory), "node_modules"), "dir");
  const documented = fromDocument.map((path) => [path, recipes.get(path)] as const);
  for (const [path, content] of [...Object.entries(files), ...documented]) {
    assert.ok(content !== undefined, `${path} is not in docs/frameworks.md`);
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return directory;
}

function typecheck(directory: string): void {
  const { status, stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", directory], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

/** Sessions that need nothing outside the process. */
const SESSIONS = `
  import { createSessions, generateKeyPair } from "waxseal";
  import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
  export const sessions = await createSessions({
    keys: (await generateKeyPair("ES256")).privateKey,
    refreshKeys: (await generateKeyPair("ES256")).privateKey,
    issuer: "${APP}",
    audience: "${APP}",
    origins: ["${APP}"],
    store: memoryStore(),
    revocation: { store: memoryRevocationStore() },
  });`;

describe("Next.js", () => {
  for (const strict of [true, false]) {
    test(`its types fit, in a project that is ${strict ? "" : "not "}strict`, lacking(join(TYPES, "next")), () => {
      const compilerOptions = {
        ...{ target: "ES2017", lib: ["dom", "dom.iterable", "esnext"], module: "esnext", moduleResolution: "bundler" },
        ...{ strict, noEmit: true, skipLibCheck: true, isolatedModules: true, jsx: "react-jsx", types: [] },
      };
      const used = `
        import type { NextProxy, ProxyConfig } from "next/server";
        import { config, proxy } from "./proxy";
        proxy satisfies NextProxy;
        config satisfies ProxyConfig;
        // @ts-expect-error: nothing here is any
        proxy satisfies string;`;
      const files = { "tsconfig.json": { compilerOptions, include: ["**/*.ts"] }, "used.ts": used };
      typecheck(project("next", TYPES, files, ["proxy.ts"]));
    });
  }
});

describe("Astro", () => {
  test("its types fit", lacking(join(TYPES, "astro")), () => {
    const files = {
      "tsconfig.json": { extends: "astro/tsconfigs/strict", include: [".astro/types.d.ts", "src"] },
      // What Astro writes there.
      ".astro/types.d.ts": '/// <reference types="astro/client" />\n',
      "src/lib/sessions.ts": SESSIONS,
      "src/used.ts": `
        import type { APIContext, MiddlewareHandler } from "astro";
        import { onRequest } from "./middleware";
        onRequest satisfies MiddlewareHandler;
        export const GET = ({ locals }: APIContext): Response => new Response(locals.auth?.claims.sub);
        // @ts-expect-error: nothing here is any
        onRequest satisfies string;`,
    };
    typecheck(project("astro", TYPES, files, ["src/env.d.ts", "src/middleware.ts"]));
  });
});

describe("SvelteKit", lacking(join(TOOLS, "@sveltejs/kit")), () => {
  let url = "";
  let stop = (): void => undefined;
  let directory = "";
  const get = (path: string, headers: Sent = {}): Promise<Answer> => ask(`${url}${path}`, "GET", headers);
  const login = async (): Promise<Jar> => {
    const jar = new Jar();
    jar.take(await ask(`${url}/auth/login`, "POST", { origin: APP }));
    return jar;
  };

  before(async () => {
    const files = {
      "package.json": { type: "module", dependencies: { waxseal: "*" } },
      "vite.config.js": `
        import adapter from "@sveltejs/adapter-node";
        import { sveltekit } from "@sveltejs/kit/vite";
        export default { plugins: [sveltekit({ adapter: adapter(), paths: { origin: "${APP}" } })] };`,
      "src/app.html": "<!doctype html><head>%sveltekit.head%</head><body>%sveltekit.body%</body>",
      "src/lib/server/sessions.ts": SESSIONS,
      "src/routes/+page.svelte": "<p>public</p>",
      "src/routes/api/me/+server.ts": `
        import type { RequestHandler } from "./$types";
        export const GET: RequestHandler = ({ locals }) => Response.json({ sub: locals.auth?.claims.sub });
        export const POST = GET;`,
      "src/routes/auth/login/+server.ts": `
        import { sessions } from "../../../lib/server/sessions";
        import type { RequestHandler } from "./$types";
        export const POST: RequestHandler = async ({ request }) => {
          const { headers, refreshAfter } = await sessions.login("alice", { request });
          return Response.json({ refreshAfter }, { headers });
        };`,
    };
    directory = project("sveltekit", TOOLS, files, ["src/app.d.ts", "src/hooks.server.ts"]);
    const execute = (...parameters: string[]): unknown =>
      execFileSync(NODE, parameters, { cwd: directory, encoding: "utf8", stdio: "pipe", timeout: 120_000 });
    execute(join(TOOLS, "vite/bin/vite.js"), "build", "--logLevel", "error");
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, HOST: "127.0.0.1", PORT: `${port}` };
    const server = spawn(NODE, ["build"], { cwd: directory, env, stdio: ["ignore", "pipe", "inherit"] });
    stop = () => void server.kill();
    for await (const line of server.stdout) if (String(line).includes(String(port))) break;
  });
  after(() => stop());

  test("its types fit", () => {
    // Not before the build, in which SvelteKit would look at it with a TypeScript older than ours.
    writeFileSync(join(directory, "tsconfig.json"), '{ "extends": "$app/tsconfig", "include": ["src"] }');
    typecheck(directory);
  });

  test("a request without a token is refused with a challenge, and a page passes", async () => {
    const { status, json, headers } = await get("/api/me");
    assert.deepEqual([status, json], [401, { error: "ERR_CREDENTIALS_MISSING" }]);
    assert.deepEqual([headers["www-authenticate"], headers["cache-control"]], ["Bearer", "no-store"]);
    assert.equal((await get("/")).status, 200);
  });

  test("a login sets both cookies, and routes know whose requests these are", async () => {
    const jar = await login();
    assert.equal(jar.size, 2);
    const { status, json } = await get("/api/me", { cookie: jar.header });
    assert.deepEqual([status, json], [200, { sub: "alice" }]);
  });

  test("no other way to write the path leads around the guard", async () => {
    for (const path of ["/%61pi/me", "/api/%6De", "/api//me", "//api/me", "/./api/me", "/api/me/", "/api%2Fme"]) {
      const { status, text } = await get(path);
      assert.ok(status >= 300, `${path}: ${status} ${text}`);
      assert.doesNotMatch(text, /"sub"/, path);
    }
    // That it is a way.
    assert.equal((await get("/%61pi/me", { cookie: (await login()).header })).status, 200);
  });

  test("an unsafe request with cookies comes from the own site", async () => {
    const cookie = (await login()).header;
    // JSON, for SvelteKit itself refuses what a form could send.
    const post = (origin: string): Promise<Answer> => ask(`${url}/api/me`, "POST", { cookie, origin }, {});
    assert.equal((await post(APP)).status, 200);
    assert.deepEqual((await post("https://evil.example")).json, { error: "ERR_CROSS_SITE" });
  });
});

test("every file of a recipe is in one of these projects", () => {
  const names = ["proxy.ts", "src/app.d.ts", "src/env.d.ts", "src/hooks.server.ts", "src/middleware.ts"];
  assert.deepEqual([...recipes.keys()].sort(), names);
});
