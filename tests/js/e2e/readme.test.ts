/** The README's programs compile under strict settings, as do those of docs/, and do what the text says. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { transform } from "esbuild";
import { Miniflare } from "miniflare";
import { createIssuer, createVerifier, generateKeyPair, type Issuer, type JWK } from "waxseal";
import { bundle } from "../../../worker/demo/runtime.js";
import { startKeyServer } from "../harness/key-server.js";
import { NODE, needsNode } from "./node-server.js";
import { type Block, blocks, cookiesOf, DIRECTORY, run } from "./documents.js";

/** What the programs expect to find, and where the tests put it. */
const GIVEN: Record<string, string> = {
  jwks: 'import("waxseal").JwkSet',
  accessKey: 'import("waxseal").JWK',
  refreshKey: 'import("waxseal").JWK',
  sessions: 'import("waxseal").Sessions',
  identify: "(request: Request) => Promise<string>",
  findUser: "(body: unknown) => Promise<string | null>",
  users: "{ find(subject: string): Promise<{ active: boolean } | undefined> }",
  WaxsealError: 'typeof import("waxseal").WaxsealError',
  Deno: '{ openKv(): Promise<import("waxseal/stores/deno-kv").DenoKv> }',
};
const TYPES = ["SessionsOptions", "SignedIn", "WaxsealError"];

/** The types of Node 20 do not know what Node 24 has. */
const NODE_SQLITE = `declare module "node:sqlite" {
  export class DatabaseSync {
    constructor(path: string);
    exec(sql: string): void;
    prepare(sql: string): {
      run(...parameters: (string | number)[]): { changes: number | bigint };
      get(...parameters: (string | number)[]): unknown;
    };
    readonly isTransaction: boolean;
  }
}`;
const [guard, schema, worker, onNode, explained, replaced, ...more] = blocks("README.md");
const documented = readdirSync("docs")
  .filter((file) => file.endsWith(".md"))
  .flatMap((file) => blocks(join("docs", file)));

function emptied(directory: string): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** The programs of a host, with what is global for them, through the compiler. */
function compile(host: string, programs: Block[], compilerOptions: Record<string, unknown>): void {
  const directory = emptied(join(DIRECTORY, host));
  const globals = [
    "export {};",
    "declare global {",
    ...Object.entries(GIVEN).map(([name, type]) => `const ${name}: ${type};`),
    ...TYPES.map((name) => `type ${name} = import("waxseal").${name};`),
    "}",
  ];
  writeFileSync(join(directory, "globals.d.ts"), globals.join("\n"));
  if (host === "node") writeFileSync(join(directory, "sqlite.d.ts"), NODE_SQLITE);
  for (const { name, code } of programs) writeFileSync(join(directory, `${name}.ts`), `${code}\nexport {};\n`);
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  const common = { noEmit: true, strict: true, skipLibCheck: true, target: "es2022" };
  const options = { compilerOptions: { ...common, ...compilerOptions }, include: ["*.ts"] };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(options));
  const { status, stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", directory], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("the programs of the README and of docs/ compile under strict settings, with the published types", () => {
  assert.equal(more.length, 0);
  // Those that say in which file they stand are for recipes.test.ts.
  const all = [...blocks("README.md"), ...documented].filter(({ code }) => !/^\/\/ \S+\.ts\n/.test(code));
  const forWorkers = ({ code }: Block) =>
    /ExportedHandler|DurableObject|D1Database|cloudflare:workers|\benv\./.test(code);
  compile(
    "node",
    all.filter((block) => !forWorkers(block)),
    {
      module: "nodenext",
      lib: ["es2023", "dom"],
      types: ["node"],
    },
  );
  compile("workers", all.filter(forWorkers), {
    module: "esnext",
    moduleResolution: "bundler",
    customConditions: ["workerd"],
    lib: ["es2023"],
    types: ["@cloudflare/workers-types"],
  });
});

test("the guard lets a token of its identity provider pass and challenges a request without one", async (t) => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const provider = { key: privateKey, issuer: "https://id.example", audience: "https://api.example" };
  const token = await (await createIssuer(provider)).issue({ sub: "alice" });
  const { handle } = await run<{ handle(request: Request): Promise<Response> }>(guard!);
  // The provider's host leads to a server of the test's.
  const server = await startKeyServer();
  const answers = JSON.stringify([{ body: JSON.stringify({ keys: [publicKey] }) }]);
  await (await fetch(`${server.url}/script/id`, { method: "POST", body: answers })).text();
  const asked: unknown[] = [];
  const { fetch: real } = globalThis;
  t.mock.method(globalThis, "fetch", (url: unknown, init: RequestInit) => {
    asked.push(url);
    return real(`${server.url}/sets/id`, init);
  });
  t.after(() => server.close());
  const authorization = `Bearer ${token}`;
  const welcome = await handle(new Request("https://api.example/", { headers: { authorization } }));
  assert.equal(await welcome.text(), "Hello, alice");
  const refusal = await handle(new Request("https://api.example/"));
  assert.equal(refusal.status, 401);
  assert.equal(refusal.headers.get("www-authenticate"), "Bearer");
  assert.deepEqual(await refusal.json(), { error: "ERR_CREDENTIALS_MISSING" });
  assert.deepEqual(asked, ["https://id.example/.well-known/jwks.json"]);
});

test("the schema gives the claims that it names, and refuses others without showing them", async (t) => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const issuer = await createIssuer({ key: privateKey, issuer: "https://id.example", audience: "https://api.example" });
  const { role } = await run<{ role(token: string): Promise<string> }>(schema!);
  t.mock.method(globalThis, "fetch", async () => Response.json({ keys: [publicKey] }));
  assert.equal(await role(await issuer.issue({ sub: "alice", role: "admin" })), "admin");
  const refused = role(await issuer.issue({ sub: "alice", role: "made-up" }));
  await assert.rejects(refused, { code: "ERR_SCHEMA_MISMATCH", claim: "role", status: 401 });
  await assert.rejects(refused, (error: Error) => !error.message.includes("made-up"));
});

test("the sessions on Workers run in workerd, bundled and bound as the README says", async (t) => {
  const [config] = blocks("README.md", "jsonc");
  const bindings = config!.code.replace(/^\/\/.*$/m, "").replace(/,\s*$/, "");
  const directory = emptied(join(DIRECTORY, "worker"));
  const identify = "const identify = async (request: Request) => (await request.json<{ user: string }>()).user;";
  writeFileSync(join(directory, "index.ts"), `${identify}\n${worker!.code}`);
  const project = '"name": "app", "main": "index.ts", "compatibility_date": "2026-04-01"';
  writeFileSync(join(directory, "wrangler.jsonc"), `{ ${project}, ${bindings} }`);
  const printed = await bundle(directory, join(directory, "out"));
  for (const binding of ["SESSIONS", "REVOKED"]) assert.match(printed, new RegExp(`env\\.${binding}`));

  const { durable_objects, migrations, kv_namespaces } = JSON.parse(`{ ${bindings} }`);
  assert.deepEqual(migrations[0].new_sqlite_classes, [durable_objects.bindings[0].class_name]);
  const out = readdirSync(join(directory, "out")).filter((name) => /\.(js|wasm)$/.test(name));
  // The runtime takes the first for the entry.
  out.sort((a, b) => Number(b === "index.js") - Number(a === "index.js"));
  const [accessKey, refreshKey] = [await generateKeyPair("ES256"), await generateKeyPair("ES256")];
  const miniflare = new Miniflare({
    modules: out.map((name) => ({
      type: name.endsWith(".js") ? ("ESModule" as const) : ("CompiledWasm" as const),
      path: name,
      contents: readFileSync(join(directory, "out", name)),
    })),
    compatibilityDate: "2026-04-01",
    durableObjects: {
      [durable_objects.bindings[0].name]: { className: durable_objects.bindings[0].class_name, useSQLite: true },
    },
    kvNamespaces: [kv_namespaces[0].binding],
    bindings: {
      ACCESS_KEY: JSON.stringify(accessKey.privateKey),
      REFRESH_KEY: JSON.stringify(refreshKey.privateKey),
    },
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
  });
  t.after(() => miniflare.dispose());
  const send = async (method: string, path: string, cookie = "", origin = "https://app.example", body?: unknown) => {
    const response = await miniflare.dispatchFetch(`https://app.example${path}`, {
      method,
      headers: { origin, ...(cookie === "" ? {} : { cookie }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, headers } = response;
    return { status, headers, text: await response.text(), cookie: cookiesOf(headers.getSetCookie()) };
  };
  const login = (origin?: string) => send("POST", "/auth/login", "", origin, { user: "alice" });

  const refused = await login("https://evil.example");
  assert.deepEqual([refused.status, refused.text, refused.cookie], [403, '{"error":"ERR_CROSS_SITE"}', ""]);
  const signedIn = await login();
  assert.match(signedIn.text, /^\{"refreshAfter":\d+\}$/);
  assert.equal(signedIn.headers.get("cache-control"), "no-store");
  const me = await send("GET", "/", signedIn.cookie);
  assert.deepEqual([me.text, me.headers.get("cache-control")], ["Hello, alice", "no-store"]);
  const refreshed = await send("POST", "/auth/refresh", signedIn.cookie);
  assert.equal(refreshed.status, 200, refreshed.text);
  // Inside the window the browser has its refresh cookie already, and only the access cookie is set.
  refreshed.cookie = cookiesOf(refreshed.headers.getSetCookie(), signedIn.cookie);
  assert.equal((await send("GET", "/", refreshed.cookie)).text, "Hello, alice");

  const signedOut = await send("POST", "/auth/logout", refreshed.cookie);
  assert.deepEqual([signedOut.status, signedOut.cookie], [200, "__Host-access=; __Secure-refresh="]);
  const late = await send("POST", "/auth/refresh", refreshed.cookie);
  assert.deepEqual([late.status, late.text, late.cookie], [401, '{"error":"ERR_SESSION_ENDED"}', ""]);
  assert.match(late.headers.get("www-authenticate") ?? "", /^Bearer error="invalid_token"/);

  const [one, two] = [await login(), await login()];
  const everywhere = await send("POST", "/auth/logout-everywhere", one.cookie);
  assert.deepEqual([everywhere.status, everywhere.cookie], [200, "__Host-access=; __Secure-refresh="]);
  for (const { cookie } of [one, two]) assert.equal((await send("POST", "/auth/refresh", cookie)).status, 401);
  assert.equal((await send("POST", "/auth/logout-everywhere", two.cookie)).text, '{"error":"ERR_TOKEN_REVOKED"}');
});

test("the sessions on Node run on a Node with SQLite, and outlive the process", needsNode, async () => {
  const [accessKey, refreshKey] = [await generateKeyPair("ES256"), await generateKeyPair("ES256")];
  const given = `const accessKey = ${JSON.stringify(accessKey.privateKey)};
    const refreshKey = ${JSON.stringify(refreshKey.privateKey)};`;
  const file = join(DIRECTORY, "on-node.mjs");
  const story = `
    const headers = { origin: "https://app.example" };
    const request = (cookies) => ({ method: "POST", headers: { ...headers, cookie: cookies.join("; ") } });
    const cookiesOf = ({ headers }) => headers.getSetCookie().map((line) => line.split(";")[0]);
    const [cookies] = process.argv.slice(2).map((text) => JSON.parse(text));
    if (cookies === undefined) console.log(JSON.stringify(cookiesOf(await sessions.login("alice", { request: { headers } }))));
    else {
      console.log((await sessions.authenticate(request(cookies), { strong: true })).claims.sub);
      const refreshed = [...cookiesOf(await sessions.refresh(request(cookies))), cookies[1]];
      console.log((await sessions.logout(request(refreshed))).ended);
      for (const call of ["authenticate", "refresh"]) {
        console.log(await sessions[call](request(refreshed)).catch((error) => error.code));
      }
    }`;
  writeFileSync(file, `${given}\n${(await transform(onNode!.code, { loader: "ts" })).code}\n${story}`);
  const execute = (...parameters: string[]) =>
    execFileSync(NODE, [file, ...parameters], { cwd: DIRECTORY, encoding: "utf8" }).trim();
  const cookies = execute();
  assert.deepEqual(execute(cookies).split("\n"), ["alice", "true", "ERR_TOKEN_REVOKED", "ERR_SESSION_ENDED"]);
});

test("the explanation names the step at fault and its code", async (t) => {
  const lines: string[] = [];
  t.mock.method(console, "log", (...parts: unknown[]) => lines.push(parts.join(" ")));
  await run(explained!);
  assert.equal(lines.length, 8);
  const failed = lines.filter((line) => line.includes(" failed "));
  assert.equal(failed.length, 1, lines.join("\n"));
  assert.match(failed[0] ?? "", /^policy failed ERR_TOKEN_EXPIRED .*expired/);
});

test("a key is replaced in three stages, in each of which every token that is not over yet verifies", async () => {
  const [old, next] = [(await generateKeyPair("ES256")).privateKey, (await generateKeyPair("ES256")).privateKey];
  const { issuerAt } = await run<{ issuerAt(stage: number, old: JWK, next: JWK): Promise<Issuer> }>(replaced!);
  const [published, signing, retired] = [
    await issuerAt(1, old, next),
    await issuerAt(2, old, next),
    await issuerAt(3, old, next),
  ];
  const [before, after] = [await published.issue({ sub: "alice" }), await signing.issue({ sub: "alice" })];
  const accepts = async (issuer: Issuer, token: string): Promise<boolean> => {
    const trust = { keys: issuer.jwks(), issuer: "https://id.example", audience: "https://api.example" };
    const verifier = await createVerifier(trust);
    return await verifier.verifyAsync(token).then(
      () => true,
      () => false,
    );
  };
  assert.deepEqual([await accepts(published, before), await accepts(published, after)], [true, true]);
  assert.deepEqual([await accepts(signing, before), await accepts(signing, after)], [true, true]);
  assert.deepEqual([await accepts(retired, before), await accepts(retired, after)], [false, true]);
});

test("the tables of stores say of each how often it is asked, as it does itself", () => {
  const exported = JSON.parse(readFileSync("pkg/package.json", "utf8")).exports as Record<string, unknown>;
  const stores = Object.keys(exported).flatMap((path) => /^\.\/stores\/(.+)$/.exec(path)?.[1] ?? []);
  const trips = stores.map((name) => {
    const source = readFileSync(`pkg/src/stores/${name}.ts`, "utf8");
    const [, read, swap] = /roundTrips: \{ read: (\d), compareAndSwap: (\d) \}/.exec(source) ?? [];
    return [name, Number(read), Number(swap)] as const;
  });
  const inReadme = readFileSync("README.md", "utf8").matchAll(/^\| `waxseal\/stores\/([\w-]+)` \|.*\| (\d) \|$/gm);
  const sums = trips.map(([name, read, swap]) => [name, `${read + swap}`]);
  assert.deepEqual([...inReadme].map(([, ...cells]) => cells).sort(), sums.sort());
  const named = Object.fromEntries(trips.map(([name, ...rest]) => [name, rest.join(", ")]));
  const inDocument = [
    ...readFileSync("docs/stores.md", "utf8").matchAll(/^\| \[.*\]\(#([\w-]+)\) \|.*\| (\d, \d) \|$/gm),
  ];
  assert.deepEqual(
    Object.fromEntries(inDocument.map(([, name = "", cell]) => [name.replace(/objects$/, "object"), cell])),
    named,
  );
});

test("a store in memory passes the suite, as docs/stores.md runs it", async () => {
  const shown = blocks("docs/stores.md").find(({ code }) => code.includes("storeConformance"))!;
  const file = join(DIRECTORY, "conformance.test.mjs");
  writeFileSync(file, (await transform(shown.code, { loader: "ts" })).code);
  // Not a part of this run: its results are its own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const printed = execFileSync(process.execPath, ["--test", "--test-reporter=tap", file], { encoding: "utf8", env });
  assert.match(printed, /^# fail 0$/m);
  assert.match(printed, /^# pass [1-9]\d$/m);
});

test("the SQLite file of docs/stores.md keeps what was written", needsNode, async () => {
  const sqlite = blocks("docs/stores.md").find(({ code }) => code.includes("new DatabaseSync"))!;
  const story = `
    const expiresAt = Math.floor(Date.now() / 1000) + 60;
    console.log(await store.compareAndSwap("key", null, "text", expiresAt), await store.read("key"));
    await revocation.store.put("key", "entry", { expirationTtl: 60 });
    console.log(await revocation.store.get("key"));`;
  const directory = emptied(join(DIRECTORY, "sqlite"));
  writeFileSync(join(directory, "program.mjs"), (await transform(sqlite.code + story, { loader: "ts" })).code);
  const printed = execFileSync(NODE, ["program.mjs"], { cwd: directory, encoding: "utf8" });
  assert.deepEqual(printed.trim().split("\n"), ["true text", "entry"]);
});

test("every test that SECURITY.md names is there", () => {
  const rows = readFileSync("SECURITY.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|"));
  const cells = rows.map((row) => row.split("|").at(-2) ?? "").filter((cell) => cell.includes("`tests/"));
  assert.ok(cells.length >= 25);
  for (const cell of cells) {
    let source = "";
    for (const [, name = ""] of cell.matchAll(/`([^`]+)`/g)) {
      if (/^(tests|src|model)\//.test(name)) source = readFileSync(name, "utf8");
      else assert.ok(source.includes(name), name);
    }
  }
});
