/** What a user of the packed tarball meets before the first call: resolution, types, bundlers, what an import does. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { equal, ok } from "../js/harness/assert.js";
import { report } from "../js/harness/report.js";
import { runSuites } from "../js/harness/run-suites.js";
import type { Library, Suite } from "../js/harness/types.js";
import { consumers, EXPECTED, IMPORT, ROUND } from "./consumers.js";

/** A project beside nothing else: what it imports comes from the tarball or is missing. */
const PROJECT = resolve("target/packaging");
const PACKAGE = join(PROJECT, "node_modules/waxseal");

/** Enough of the library to show that it was loaded and works. */
const PROGRAM = `
const header = "a=1; b=2";
const { pairs } = parseCookie(header);
if (pairs.length !== 2) throw new Error("parseCookie does not work");
`;

function write(file: string, text: string): string {
  const path = join(PROJECT, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function node(file: string, ...flags: string[]): string {
  return execFileSync(process.execPath, [...flags, file], { cwd: PROJECT, encoding: "utf8" });
}

/** The subpaths for session stores and frameworks that both module systems can import. */
const STORES = [
  "stores/memory",
  "stores/d1",
  "stores/sqlite",
  "stores/redis",
  "stores/deno-kv",
  "testing",
  "hono",
  "node",
];

function typecheck(file: string, text: string, options: Record<string, unknown>): void {
  write(file, text);
  write(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, target: "ES2022", types: [], skipLibCheck: false, ...options },
      files: [file],
    }),
  );
  execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", PROJECT], { stdio: "inherit" });
}

const suite: Suite = (h) => {
  h.test("import and require give the same names", () => {
    const esm = node(write("names.mjs", 'console.log(Object.keys(await import("waxseal")).sort().join())'));
    const cjs = node(write("names.cjs", 'console.log(Object.keys(require("waxseal")).sort().join())'));
    ok(esm.includes("createVerifier"));
    // Node adds this name to what it imports from CommonJS alone; it must be in neither.
    equal(esm, cjs);
    ok(!esm.includes("default"));
  });

  h.test("an ES module and a CommonJS module of one program both work", () => {
    write("required.cjs", `const { parseCookie } = require("waxseal");${PROGRAM}`);
    node(write("both.mjs", `import { parseCookie } from "waxseal";import "./required.cjs";${PROGRAM}`));
  });

  for (const subpath of STORES) {
    h.test(`${subpath} gives the same names to import and require`, () => {
      const esm = node(
        write("names.mjs", `console.log(Object.keys(await import("waxseal/${subpath}")).sort().join())`),
      );
      const cjs = node(write("names.cjs", `console.log(Object.keys(require("waxseal/${subpath}")).sort().join())`));
      ok(esm.trim().length > 0);
      equal(esm, cjs);
    });
  }

  h.test("importing compiles nothing, draws no randomness and reads no clock", () => {
    write(
      "guard.cjs",
      `const refuse = (what) => () => { throw new Error("the import used " + what); };
       for (const name of ["Module", "Instance", "compile", "instantiate"]) WebAssembly[name] = refuse(name);
       Object.defineProperty(globalThis, "crypto", { get: refuse("crypto") });
       Math.random = refuse("Math.random");
       const now = Date.now;
       Date.now = refuse("Date.now");
       require("waxseal"); require("waxseal/slim");
       Date.now = now;`,
    );
    node(join(PROJECT, "guard.cjs"));
  });

  h.test("slim has no bytes inside, says so by its code, and works once it is given the module", () => {
    const text = readFileSync(join(PACKAGE, "dist/slim.js"), "utf8");
    ok(!text.includes("bytes"));
    node(
      write(
        "slim.mjs",
        `import { readFile } from "node:fs/promises";
         import { init, parseCookie } from "waxseal/slim";
         let code;
         try { parseCookie("a=1"); } catch (error) { code = error.code; }
         if (code !== "ERR_NOT_INITIALIZED") throw new Error("got " + code);
         await init(await readFile(new URL(import.meta.resolve("waxseal/waxseal.wasm"))));
         ${PROGRAM}`,
      ),
    );
  });

  // V8 has WebAssembly SIMD on x86-64 where the processor has SSE 4.1, and a flag that pretends it has not.
  if (process.arch === "x64") {
    h.test("a host without SIMD is told that by ERR_RUNTIME_UNSUPPORTED, whichever way the module comes", () => {
      write(
        "no-simd.mjs",
        `import { createVerifier, parseCookie } from "waxseal";
        import * as slim from "waxseal/slim";
        import { readFileSync } from "node:fs";
        const module = () => readFileSync("node_modules/waxseal/dist/waxseal.wasm");
        for (const attempt of [() => parseCookie("a=1"), () => createVerifier({}), () => slim.init(module())]) {
          const refused = await Promise.resolve().then(attempt).catch((error) => error);
          console.log(refused.code, /simd128/.test(refused.message));
        }`,
      );
      equal(node("no-simd.mjs", "--no-enable-sse4-1"), "ERR_RUNTIME_UNSUPPORTED true\n".repeat(3));
    });
  }

  h.test("all entry points share one instance and one error class", () => {
    node(
      write(
        "shared.mjs",
        `import * as whole from "waxseal";
         import * as slim from "waxseal/slim";
         if (whole.WaxsealError !== slim.WaxsealError) throw new Error("two error classes");
         slim.parseCookie("a=1");`,
      ),
    );
  });

  h.test("calls that load at the same time end with one instance", () => {
    node(
      write(
        "concurrent.mjs",
        `let instances = 0;
         const { instantiate } = WebAssembly;
         WebAssembly.instantiate = (...all) => { instances += 1; return instantiate(...all); };
         // By its file: Node itself would choose the condition "node", where loading never waits.
         const { init, parseCookie } = await import(new URL("node_modules/waxseal/dist/browser.js", import.meta.url));
         const first = init();
         let code;
         try { parseCookie("a=1"); } catch (error) { code = error.code; }
         if (code !== "ERR_NOT_INITIALIZED") throw new Error("got " + code);
         await Promise.all([first, init(), init()]);
         await init();
         if (instances !== 1) throw new Error(instances + " instances");
         ${PROGRAM}`,
      ),
    );
  });

  h.test("after a trap the same verifier works again, in a new instance", () => {
    node(
      write(
        "trap.mjs",
        // A trap cannot be reached through the interface; here any call into the module can be made to end in one.
        `let instances = 0;
         let trap = false;
         const { Instance, RuntimeError } = WebAssembly;
         const guarded = (call) => (...all) => {
           if (!trap) return call(...all);
           trap = false;
           throw new RuntimeError("unreachable");
         };
         WebAssembly.Instance = function (...all) {
           instances += 1;
           const entries = Object.entries(new Instance(...all).exports);
           return { exports: Object.fromEntries(
             entries.map(([name, value]) => [name, typeof value === "function" ? guarded(value) : value])) };
         };
         const { createIssuer, createVerifier, generateKeyPair } = await import("waxseal");
         const { publicKey, privateKey } = await generateKeyPair("ES256");
         const names = { issuer: "https://a.example", audience: "https://b.example" };
         const token = await (await createIssuer({ key: privateKey, ...names })).issue({ sub: "alice" });
         const verifier = await createVerifier({ keys: publicKey, ...names });
         verifier.verify(token);
         trap = true;
         let thrown;
         try { verifier.verify(token); } catch (error) { thrown = error; }
         if (thrown?.name !== "WaxsealError" || thrown.code !== "ERR_INTERNAL") throw new Error("got " + thrown);
         if (verifier.verify(token).claims.sub !== "alice") throw new Error("the verifier does not work");
         if (instances !== 2) throw new Error(instances + " instances");`,
      ),
    );
  });

  for (const [name, file, options] of [
    ["Node's ESM", "esm.mts", { module: "nodenext", lib: ["ES2022", "DOM"] }],
    ["Node's CommonJS", "cjs.cts", { module: "node20", lib: ["ES2022", "DOM"] }],
    ["bundlers", "bundled.ts", { module: "esnext", moduleResolution: "bundler", lib: ["ES2022", "DOM"] }],
    [
      "Workers",
      "worker.ts",
      { module: "esnext", moduleResolution: "bundler", customConditions: ["workerd"], lib: ["ES2022", "WebWorker"] },
    ],
  ] as const) {
    h.test(`the types work for ${name}, with the library's own declarations checked`, () => {
      const program = `import { createVerifier, parseCookie, WaxsealError } from "waxseal";
        const pairs: [string, string][] = parseCookie("a=1").pairs;
        export const verifier: ReturnType<typeof createVerifier> = createVerifier({ keys: "a PEM", issuer: null, audience: null });
        export const isExpired = (e: unknown): boolean => e instanceof WaxsealError && e.code === "ERR_TOKEN_EXPIRED";
        // @ts-expect-error: a misspelt code
        export const never = (e: WaxsealError): boolean => e.code === "ERR_TOKEN_EXPIERD";
        export { pairs };`;
      typecheck(file, program, options);
    });
  }

  h.test("edge-light leaves the import of the module to the host, marked with ?module", async () => {
    const entry = write("edge.mjs", 'export { parseCookie } from "waxseal";');
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      conditions: ["edge-light", "worker", "browser"],
      external: ["*.wasm?module"],
    });
    const text = outputFiles[0]?.text ?? "";
    ok(text.includes('from "./waxseal.wasm?module"'));
    ok(!text.includes("atob"));
  });

  h.test("a Worker that wrangler bundles runs on workerd without configuration", async () => {
    write(
      "worker.js",
      `${IMPORT}${ROUND}
       export default { async fetch() { return new Response(await round()); } };`,
    );
    write("wrangler.json", JSON.stringify({ name: "smoke", main: "worker.js", compatibility_date: "2026-04-01" }));
    const wrangler = resolve("node_modules/wrangler/bin/wrangler.js");
    execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", "out"], {
      cwd: PROJECT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const miniflare = new Miniflare({
      modules: true,
      rootPath: join(PROJECT, "out"),
      scriptPath: "worker.js",
      modulesRules: [
        { type: "ESModule", include: ["**/*.js"] },
        { type: "CompiledWasm", include: ["**/*.wasm"] },
      ],
      compatibilityDate: "2026-04-01",
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
    });
    try {
      equal(await (await miniflare.dispatchFetch("http://localhost/")).text(), EXPECTED);
    } finally {
      await miniflare.dispose();
    }
  });

  h.test("the tarball has the module once, no source and no test", () => {
    ok(existsSync(join(PACKAGE, "dist/waxseal.wasm")));
    for (const absent of ["src", "dist/wasm", "tsconfig.json"]) ok(!existsSync(join(PACKAGE, absent)), absent);
  });
};

rmSync(PROJECT, { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });
cpSync("target/packed/node_modules/waxseal", PACKAGE, { recursive: true });
write("package.json", JSON.stringify({ private: true }));
const outcomes = await runSuites({ tarball: suite, consumers: consumers(PROJECT) }, {} as Library, {
  runtime: "node-esm",
  keyServer: "",
  vectors: async () => undefined,
});
await report("packaging", outcomes);
