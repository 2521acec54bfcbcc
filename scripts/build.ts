/**
 * Makes `pkg/dist` from the output of wasm-bindgen and `pkg/src`:
 *
 *     waxseal.wasm           optimised, with its size printed and bounded
 *     instance.js .cjs       the loading mechanism and wasm-bindgen's glue: the one instance
 *     index.js .cjs          the facade
 *     bytes.js .cjs          the module as text, for the entry points that have it inside
 *     <entry point>.js .cjs  one per host; see pkg/src/entry
 *     types/                 declarations, for ESM and CommonJS
 *
 * The first three are files of their own, so that all entry points of one format share one instance and one error class.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";

const SOURCE = resolve("pkg/src");
const DIST = resolve("pkg/dist");
const WASM = join(DIST, "waxseal.wasm");

/** The limit on the gzipped module in bytes. */
const MAX_GZIP_BYTES = 110_000;

/** Entry points with the formats in which they are published; see the head comment of each. */
const ENTRIES: Record<string, ("esm" | "cjs")[]> = {
  workerd: ["esm"],
  "edge-light": ["esm"],
  inline: ["esm", "cjs"],
  browser: ["esm", "cjs"],
  slim: ["esm", "cjs"],
};

/** Modules that become files of their own, by their path in pkg/src. */
const SHARED: Record<string, string> = {
  "load/state.ts": "instance",
  "load/bytes.ts": "bytes",
  "index.ts": "index",
};

/** `-Os` compresses best by a little; verification is no slower than with `-O3`, since rustc has done the inlining. */
function optimise(): void {
  const optimiser = resolve("node_modules/binaryen/bin/wasm-opt");
  execFileSync(
    process.execPath,
    [optimiser, "-Os", "--strip-debug", "--strip-producers", join(DIST, "wasm/waxseal_bg.wasm"), "-o", WASM],
    {
      stdio: "inherit",
    },
  );
  const raw = statSync(WASM).size;
  const gzip = gzipSync(readFileSync(WASM), { level: 9 }).length;
  console.log(`waxseal.wasm: ${raw} bytes, gzip ${gzip} bytes (limit ${MAX_GZIP_BYTES})`);
  if (gzip > MAX_GZIP_BYTES) throw new Error("waxseal.wasm is over its size limit");
}

/** Leaves shared modules as imports of their published files, and the host's own import of the .wasm as it is. */
function published(self: string, extension: string): Plugin {
  return {
    name: "published",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\?base64$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path.replace("?base64", "")),
        namespace: "base64",
      }));
      onLoad({ filter: /./, namespace: "base64" }, ({ path }) => ({
        contents: readFileSync(path).toString("base64"),
        loader: "text",
      }));
      onResolve({ filter: /^\.\/waxseal\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
      onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, resolveDir }) => {
        const target = relative(SOURCE, resolve(resolveDir, path.replace(/\.js$/, ".ts")));
        const shared = SHARED[target];
        return shared === undefined || shared === self
          ? undefined
          : { path: `./${shared}${extension}`, external: true };
      });
    },
  };
}

async function bundle(source: string, name: string, format: "esm" | "cjs"): Promise<void> {
  const extension = format === "esm" ? ".js" : ".cjs";
  await build({
    entryPoints: [join(SOURCE, source)],
    outfile: join(DIST, `${name}${extension}`),
    bundle: true,
    format,
    // For "node", esbuild lists a CommonJS file's exports in the form that Node's `import` can read.
    platform: format === "esm" ? "neutral" : "node",
    target: "es2022",
    charset: "utf8",
    logLevel: "warning",
    plugins: [published(name, extension)],
  });
}

/** Declarations: those that `index.d.ts` reaches, once for `import` and once for `require`. */
function declarations(): void {
  const emitted = resolve("target/types");
  rmSync(emitted, { recursive: true, force: true });
  execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", "pkg/tsconfig.types.json"], {
    stdio: "inherit",
  });
  const queue = ["index"];
  const seen = new Set(queue);
  for (const name of queue) {
    const text = readFileSync(join(emitted, `${name}.d.ts`), "utf8");
    for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)\.js"/g)) {
      const next = join(dirname(name), specifier as string);
      if (next.startsWith(".."))
        throw new Error(`public types of ${name}.ts reach ${specifier}, which is not published`);
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
    const file = join(DIST, "types", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.d.ts`, text);
    // The same text: only what it refers to is CommonJS.
    writeFileSync(`${file}.d.cts`, text.replace(/((?:from|import\()\s*"\.[^"]+)\.js"/g, '$1.cjs"'));
  }
}

for (const name of readdirSync(DIST)) if (name !== "wasm") rmSync(join(DIST, name), { recursive: true });
optimise();
for (const format of ["esm", "cjs"] as const) {
  for (const [source, name] of Object.entries(SHARED)) await bundle(source, name, format);
}
for (const [name, formats] of Object.entries(ENTRIES)) {
  for (const format of formats) await bundle(`entry/${name}.ts`, name, format);
}
declarations();
