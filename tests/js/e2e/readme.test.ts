/** The README's programs, taken out of it: each compiles under strict settings and does what the text says. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createIssuer, generateKeyPair } from "waxseal";

// Beside the installed tarball, so that `import "waxseal"` means the packed package.
const DIRECTORY = resolve("target/packed/readme");

/** What the programs expect to find, and where the tests put it. */
const GIVEN: Record<string, string> = {
  jwks: 'import("waxseal").JwkSet',
  privateJwk: 'import("waxseal").JWK',
  kv: 'import("waxseal").RevocationStore',
};

const programs = [...readFileSync("README.md", "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

before(() => {
  mkdirSync(DIRECTORY, { recursive: true });
  const given = Object.entries(GIVEN).map(([name, type]) => `declare const ${name}: ${type};`);
  programs.forEach((code, index) =>
    writeFileSync(join(DIRECTORY, `program${index}.ts`), `${given.join("\n")}\n${code}`),
  );
});

/** Strips the types and imports the program, with its surroundings as globals. */
async function run<T>(index: number, given: Record<string, unknown> = {}): Promise<T> {
  Object.assign(globalThis, given);
  const { transform } = await import("esbuild");
  const { code } = await transform(readFileSync(join(DIRECTORY, `program${index}.ts`), "utf8"), { loader: "ts" });
  const file = join(DIRECTORY, `program${index}.mjs`);
  writeFileSync(file, code);
  return (await import(pathToFileURL(file).href)) as T;
}

test("the README's programs compile under strict settings, with the published types", () => {
  assert.equal(programs.length, 3);
  const compilerOptions = {
    noEmit: true,
    strict: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2023", "dom"],
    types: [],
  };
  writeFileSync(join(DIRECTORY, "package.json"), '{ "type": "module" }');
  writeFileSync(join(DIRECTORY, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { status, stdout } = spawnSync(resolve("node_modules/.bin/tsc"), ["-p", DIRECTORY], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

test("the guard lets a token of its identity provider pass and challenges a request without one", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const provider = { key: privateKey, issuer: "https://id.example", audience: "https://api.example" };
  const token = await (await createIssuer(provider)).issue({ sub: "alice" });
  const { handle } = await run<{ handle(request: Request): Promise<Response> }>(0, { jwks: { keys: [publicKey] } });
  const authorization = `Bearer ${token}`;
  const welcome = await handle(new Request("https://api.example/", { headers: { authorization } }));
  assert.equal(await welcome.text(), "Hello, alice");
  const refusal = await handle(new Request("https://api.example/"));
  assert.equal(refusal.status, 401);
  assert.equal(refusal.headers.get("www-authenticate"), "Bearer");
  assert.deepEqual(await refusal.json(), { error: "ERR_CREDENTIALS_MISSING" });
});

test("the sign-in sets a cookie that logout takes back", async () => {
  const entries = new Map<string, string>();
  const kv = {
    get: async (key: string) => entries.get(key) ?? null,
    put: async (key: string, value: string) => void entries.set(key, value),
  };
  const { privateKey } = await generateKeyPair("ES256");
  const program = await run<{
    login(request: Request, user: string): Promise<Response>;
    logout(request: Request): Promise<Response>;
  }>(1, { privateJwk: privateKey, kv });
  const post = (headers: Record<string, string>) => new Request("https://app.example/", { method: "POST", headers });
  const own = { "sec-fetch-site": "same-origin" };

  const signedIn = await program.login(post(own), "alice");
  const [cookie = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
  assert.match(cookie, /^__Host-access=eyJ/);
  await assert.rejects(program.login(post({ origin: "https://evil.example" }), "mallory"), { code: "ERR_CROSS_SITE" });
  await assert.rejects(program.logout(post({ cookie, origin: "https://evil.example" })), { code: "ERR_CROSS_SITE" });

  const signedOut = await program.logout(post({ ...own, cookie }));
  assert.match(signedOut.headers.get("set-cookie") ?? "", /^__Host-access=; Max-Age=0/);
  assert.equal(entries.size, 1);
  await assert.rejects(program.logout(post({ ...own, cookie })), { code: "ERR_TOKEN_REVOKED" });
});

test("the explanation names the step at fault and its code", async (t) => {
  const lines: string[] = [];
  t.mock.method(console, "log", (...parts: unknown[]) => lines.push(parts.join(" ")));
  await run(2);
  assert.equal(lines.length, 8);
  const failed = lines.filter((line) => line.includes(" failed "));
  assert.equal(failed.length, 1, lines.join("\n"));
  assert.match(failed[0] ?? "", /^policy failed ERR_TOKEN_EXPIRED .*expired/);
});
