/** Hosts and bundlers that users have, each with the packed tarball in a project of its own, and each really verifying. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { equal, ok } from "../js/harness/assert.js";
import { findChromium, launch } from "../js/harness/chromium.js";
import type { Suite } from "../js/harness/types.js";

/** Where scripts/install-packaging.sh puts bundlers and runtimes. */
export const TOOLS = resolve("tests/packaging/tools/node_modules");

/** Issues a token, verifies it, and has a changed one refused: what every consumer has to do. */
export const ROUND = `
const names = { issuer: "https://id.example", audience: "https://api.example" };
export async function round() {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const token = await (await createIssuer({ key: privateKey, ...names })).issue({ sub: "alice" });
  const verifier = await createVerifier({ keys: publicKey, ...names });
  const { claims } = verifier.verify(token);
  let code = "accepted";
  // The first character of the signature: all six of its bits count.
  const at = token.lastIndexOf(".") + 1;
  const forged = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
  try { verifier.verify(forged); } catch (error) { code = error instanceof WaxsealError ? error.code : String(error); }
  return claims.sub + " " + code;
}`;
export const IMPORT = 'import { createIssuer, createVerifier, generateKeyPair, WaxsealError } from "waxseal";';
const REQUIRE = 'const { createIssuer, createVerifier, generateKeyPair, WaxsealError } = require("waxseal");';
export const EXPECTED = "alice ERR_SIGNATURE_INVALID";
const PAGE =
  '<!doctype html><title>Waxseal</title><link rel="icon" href="data:,"><script type="module" src="./page.js"></script>';

/** How large a bundle of a verifier alone may be after gzip without the module, in bytes: 5 % above what it has. */
const VERIFIER_BUDGET = 14_000;
/** Texts that stand in the code of one part of the package alone, and outlive a minifier. */
const MARKERS = {
  sessions: "The option validate did not answer true.",
  "the SQLite store": "PRAGMA",
  "the conformance suite": "storeConformance",
};

export const consumers =
  (project: string): Suite =>
  (h) => {
    const directory = (name: string): string => {
      const made = join(project, "consumers", name);
      rmSync(made, { recursive: true, force: true });
      mkdirSync(made, { recursive: true });
      writeFileSync(join(made, "round.js"), `${IMPORT}${ROUND}`);
      writeFileSync(join(made, "page.js"), 'import { round } from "./round.js";globalThis.outcome = round();');
      writeFileSync(join(made, "main.js"), 'import { round } from "./round.js";console.log(await round());');
      writeFileSync(join(made, "index.html"), PAGE);
      writeFileSync(join(made, "package.json"), '{ "private": true, "type": "module" }');
      return made;
    };
    const run = (cwd: string, program: string, ...parameters: string[]): string =>
      execFileSync(program, parameters, { cwd, encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] });
    const tool = (name: string, files: string[], fn: (paths: string[]) => void | Promise<void>): void => {
      const paths = files.map((file) => join(TOOLS, file));
      if (paths.every((path) => existsSync(path))) h.test(name, () => fn(paths));
      else h.skip(name, "scripts/install-packaging.sh could not install what it needs");
    };

    /** What a page of a server says in Chromium. */
    async function inChromium(url: string): Promise<string> {
      const browser = await launch(findChromium() ?? "");
      try {
        const page = await browser.newPage();
        const failure = new Promise<never>((_, reject) => page.on("pageerror", reject));
        await page.goto(url);
        const outcome = page
          .waitForFunction(() => Reflect.get(globalThis, "outcome") !== undefined)
          .then(() => page.evaluate(() => Reflect.get(globalThis, "outcome") as Promise<string>));
        return await Promise.race([outcome, failure]);
      } finally {
        await browser.close();
      }
    }

    /** The same for files. */
    async function servedFrom(root: string): Promise<string> {
      const types: Record<string, string> = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
      const server = createServer((request, response) => {
        const path = new URL(request.url ?? "/", "http://localhost").pathname;
        const file = join(root, path === "/" ? "index.html" : path);
        if (!existsSync(file)) return void response.writeHead(404).end();
        response.setHeader("content-type", types[file.split(".").at(-1) ?? ""] ?? "text/plain");
        createReadStream(file).pipe(response);
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      try {
        return await inChromium(`http://localhost:${(server.address() as AddressInfo).port}/`);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }

    tool("Vite's build works in Chromium", ["vite/bin/vite.js"], async ([vite = ""]) => {
      const made = directory("vite");
      run(made, process.execPath, vite, "build", "--logLevel", "warn");
      equal(await servedFrom(join(made, "dist")), EXPECTED);
    });

    tool("Vite's development server works in Chromium", ["vite/bin/vite.js"], async ([vite = ""]) => {
      const made = directory("vite-dev");
      const server = spawn(process.execPath, [vite, "--host", "127.0.0.1", "--port", "0"], {
        cwd: made,
        env: { ...process.env, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      try {
        equal(await inChromium(await printedUrl(server)), EXPECTED);
      } finally {
        server.kill();
      }
    });

    tool("webpack's build works in Chromium, and on Node", ["webpack/lib/index.js"], async ([webpack = ""]) => {
      const made = directory("webpack");
      const script = `const webpack = require(${JSON.stringify(webpack)});
        const common = { mode: "production", context: __dirname, performance: false };
        const web = { ...common, entry: "./page.js", output: { path: __dirname + "/dist", filename: "page.js" } };
        const node = { ...common, target: "node20", entry: "./main.js", output: { path: __dirname + "/node", filename: "main.cjs" } };
        webpack([web, node], (error, stats) => {
          if (error || stats.hasErrors() || stats.hasWarnings()) { console.error(error ?? stats.toString()); process.exit(1); }
        });`;
      run(made, process.execPath, write(made, "build.cjs", script));
      write(join(made, "dist"), "index.html", PAGE);
      equal(await servedFrom(join(made, "dist")), EXPECTED);
      equal(run(made, process.execPath, "node/main.cjs").trim(), EXPECTED);
    });

    h.test("esbuild's build works in Chromium, and on Node", async () => {
      const made = directory("esbuild");
      const common = { absWorkingDir: made, bundle: true, format: "esm", minify: true, logLevel: "warning" } as const;
      await build({ ...common, entryPoints: ["page.js"], outfile: "dist/page.js" });
      await build({ ...common, entryPoints: ["main.js"], outfile: "main.mjs", platform: "node" });
      write(join(made, "dist"), "index.html", PAGE);
      equal(await servedFrom(join(made, "dist")), EXPECTED);
      equal(run(made, process.execPath, "main.mjs").trim(), EXPECTED);
    });

    tool("Jest runs it, as CommonJS and with its own globals", ["jest/bin/jest.js"], ([jest = ""]) => {
      const made = directory("jest");
      write(made, "package.json", '{ "private": true }');
      const text = `${REQUIRE}${ROUND.replace("export ", "")}
        test("verifies", async () => {
          expect(await round()).toBe("${EXPECTED}");
          const verifier = await createVerifier({ keys: (await generateKeyPair("ES256")).publicKey, ...names });
          expect(() => verifier.verify("a.b.c", { now: new Date() })).toThrow(WaxsealError);
        });`;
      write(made, "round.test.js", text);
      run(made, process.execPath, jest, "--ci", "--rootDir", made, "--testEnvironment", "node");
    });

    for (const [name, flags] of [
      ["Deno", ["run", "--quiet", "--no-prompt", "--no-remote", "--node-modules-dir=manual"]],
      ["Bun", ["run"]],
    ] as const) {
      tool(`${name} runs it without being allowed anything`, [`.bin/${name.toLowerCase()}`], ([program = ""]) => {
        const made = directory(name);
        // Deno looks for packages beside the project's package.json.
        symlinkSync(join(project, "node_modules"), join(made, "node_modules"), "dir");
        write(made, "package.json", '{ "private": true, "type": "module", "dependencies": { "waxseal": "*" } }');
        equal(run(made, program, ...flags, "main.js").trim(), EXPECTED);
      });
    }

    tool(
      "an edge sandbox takes the module that its host has compiled",
      ["@edge-runtime/vm/dist/index.js"],
      async ([vm = ""]) => {
        const made = directory("edge");
        const { outputFiles } = await build({
          absWorkingDir: made,
          stdin: { contents: `${IMPORT}${ROUND}\nglobalThis.outcome = round();`, resolveDir: made },
          bundle: true,
          write: false,
          // As Next does: what is imported with ?module is a WebAssembly.Module that the host gives.
          format: "iife",
          conditions: ["edge-light", "worker", "browser"],
          plugins: [
            {
              name: "module",
              setup(plugins) {
                plugins.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "module" }));
                plugins.onLoad({ filter: /.*/, namespace: "module" }, () => ({
                  contents: "export default globalThis.given;",
                }));
              },
            },
          ],
        });
        write(made, "bundle.js", outputFiles[0]?.text ?? "");
        const script = `const { EdgeVM } = require(${JSON.stringify(vm)});
        const { readFileSync } = require("node:fs");
        const vm = new EdgeVM();
        // As Next does: of the realm outside, so that it is no instance of the WebAssembly.Module inside.
        const bytes = readFileSync(${JSON.stringify(join(project, "node_modules/waxseal/dist/waxseal.wasm"))});
        vm.context.given = new WebAssembly.Module(bytes);
        if (vm.evaluate("given instanceof WebAssembly.Module")) throw new Error("the realms are one");
        vm.evaluate(readFileSync("bundle.js", "utf8"));
        vm.evaluate("outcome").then(console.log);`;
        equal(run(made, process.execPath, write(made, "host.cjs", script)).trim(), EXPECTED);
      },
    );

    h.test("a bundle of a verifier alone has no code of sessions, stores or tests, and keeps its budget", async () => {
      const made = directory("shaking");
      const bundled = async (contents: string): Promise<string> => {
        const { outputFiles } = await build({
          absWorkingDir: made,
          stdin: { contents, resolveDir: made },
          bundle: true,
          write: false,
          minify: true,
          format: "esm",
          conditions: ["workerd"],
          external: ["*.wasm"],
        });
        return outputFiles[0]?.text ?? "";
      };
      const alone = await bundled('import { createVerifier } from "waxseal";globalThis.made = createVerifier;');
      const all = await bundled(
        `import * as all from "waxseal"; import * as sqlite from "waxseal/stores/sqlite"; import * as suite from "waxseal/testing";
         globalThis.made = [all, sqlite, suite];`,
      );
      for (const [part, marker] of Object.entries(MARKERS)) {
        // That it is in the other bundle shows that it is looked for rightly.
        ok(all.includes(marker), `the marker of ${part} is in the bundle of everything`);
        ok(!alone.includes(marker), `the bundle of a verifier alone has code of ${part}`);
      }
      const [size, whole] = [gzipSync(alone).length, gzipSync(all).length];
      console.log(
        `# a verifier alone: ${size} bytes of JavaScript after gzip (limit ${VERIFIER_BUDGET}); everything: ${whole}`,
      );
      ok(size <= VERIFIER_BUDGET, `${size} bytes`);
    });

    h.test("no declaration of the package says any", () => {
      const says = (text: string): boolean =>
        /\bany\b/.test(text.replace(/\/\*[^]*?\*\/|\/\/.*$|"(?:[^"\\]|\\.)*"/gm, ""));
      // That it is seen where there is one.
      ok(says("export declare function f(x: any): void;") && !says('/** any */ type A = "any"; // any'));
      const types = join(project, "node_modules/waxseal/dist/types");
      const files = readdirSync(types, { recursive: true, encoding: "utf8" }).filter((file) => /\.d\.c?ts$/.test(file));
      ok(files.length > 20, `${files.length} files`);
      for (const file of files) ok(!says(readFileSync(join(types, file), "utf8")), file);
    });
  };

function write(directory: string, file: string, text: string): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, file), text);
  return join(directory, file);
}

/** The address that a development server prints once it listens. */
async function printedUrl(server: ChildProcess): Promise<string> {
  let printed = "";
  for await (const chunk of server.stdout ?? []) {
    printed += String(chunk);
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(printed)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`the server ended: ${printed}`);
}
