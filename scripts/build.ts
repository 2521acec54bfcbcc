/**
 * Makes `pkg/dist` from the output of wasm-bindgen and `pkg/src`:
 *
 *     waxseal.wasm           optimised, with its size printed and bounded
 *     instance.js .cjs       the loading mechanism and wasm-bindgen's glue: the one instance
 *     index.js .cjs          the facade
 *     bytes.js .cjs          the module as text, for the entry points that have it inside
 *     error.js .cjs          the error class, which the stores throw too
 *     <entry point>.js .cjs  one per host; see pkg/src/entry
 *     store-<name>.js .cjs   one per session store; see pkg/src/stores
 *     fetch, hono, node      glue for servers, .js and .cjs; see pkg/src/frameworks
 *     testing.js .cjs        the conformance suite for session stores
 *     cli.js                 the program `waxseal`; see pkg/src/cli
 *     types/                 declarations, for ESM and CommonJS
 *
 * The shared ones are files of their own, so that all entry points of one format share one instance and one error class.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { optimise } from "./optimise.js";

const SOURCE = resolve("pkg/src");
const DIST = resolve("pkg/dist");
const WASM = join(DIST, "waxseal.wasm");

/** The limit on the gzipped module in bytes. */
const MAX_GZIP_BYTES = 151_500;

interface Entry {
  /** Its path in pkg/src. */
  readonly source: string;
  /** The formats in which it is published. */
  readonly formats: readonly ("esm" | "cjs")[];
  /** It has declarations of its own; those of the facade serve all hosts. */
  readonly declared?: true;
}

/** Published files by name; see the head comment of each source. */
const ENTRIES: Record<string, Entry> = {
  workerd: { source: "entry/workerd.ts", formats: ["esm"] },
  "edge-light": { source: "entry/edge-light.ts", formats: ["esm"] },
  inline: { source: "entry/inline.ts", formats: ["esm", "cjs"] },
  browser: { source: "entry/browser.ts", formats: ["esm", "cjs"] },
  slim: { source: "entry/slim.ts", formats: ["esm", "cjs"] },
  metrics: { source: "metrics.ts", formats: ["esm", "cjs"], declared: true },
  "store-memory": { source: "stores/memory.ts", formats: ["esm", "cjs"], declared: true },
  // Cloudflare's runtime alone has what it imports, and that takes ES modules alone.
  "store-durable-object": { source: "stores/durable-object.ts", formats: ["esm"], declared: true },
  "store-d1": { source: "stores/d1.ts", formats: ["esm", "cjs"], declared: true },
  "store-sqlite": { source: "stores/sqlite.ts", formats: ["esm", "cjs"], declared: true },
  "store-redis": { source: "stores/redis.ts", formats: ["esm", "cjs"], declared: true },
  "store-deno-kv": { source: "stores/deno-kv.ts", formats: ["esm", "cjs"], declared: true },
  fetch: { source: "frameworks/fetch.ts", formats: ["esm", "cjs"], declared: true },
  hono: { source: "frameworks/hono.ts", formats: ["esm", "cjs"], declared: true },
  node: { source: "frameworks/node.ts", formats: ["esm", "cjs"], declared: true },
  testing: { source: "testing/index.ts", formats: ["esm", "cjs"], declared: true },
  // A program, and nothing to import.
  cli: { source: "cli/main.ts", formats: ["esm"] },
};

/** Modules that become files of their own, by their path in pkg/src. */
const SHARED: Record<string, string> = {
  "load/state.ts": "instance",
  "load/bytes.ts": "bytes",
  "index.ts": "index",
  "error.ts": "error",
};

function printSize(): void {
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
        // Relative, for esbuild names it in a comment of what is published.
        path: relative(resolve("."), resolve(resolveDir, path.replace("?base64", ""))),
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
  const { outputFiles } = await build({
    entryPoints: [join(SOURCE, source)],
    outfile: join(DIST, `${name}${extension}`),
    bundle: true,
    format,
    // For "node", esbuild lists a CommonJS file's exports in the form that Node's `import` can read.
    platform: format === "esm" ? "neutral" : "node",
    target: "es2022",
    charset: "utf8",
    logLevel: "warning",
    external: ["cloudflare:workers", "node:*"],
    plugins: [published(name, extension)],
    write: false,
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, ownMembers(text));
  }
}

/** Lets esbuild's helpers go over own members alone: what others have put on `Object.prototype` would be exported with them. */
function ownMembers(text: string): string {
  const own = text.replaceAll("for (var name in all)", "for (var name of Object.keys(all))");
  if (/\bfor \((?:var|let|const) \w+ in /.test(own)) throw new Error("a bundle goes over inherited members");
  return own;
}

/** Declarations: those that the facade and the stores reach, once for `import` and once for `require`. */
function declarations(): void {
  const emitted = resolve("target/types");
  rmSync(emitted, { recursive: true, force: true });
  execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", "pkg/tsconfig.types.json"], {
    stdio: "inherit",
  });
  const declared = Object.values(ENTRIES).filter((entry) => entry.declared);
  const queue = ["index", ...declared.map(({ source }) => source.replace(/\.ts$/, ""))];
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
optimise(join(DIST, "wasm/waxseal_bg.wasm"), WASM, "target/waxseal.symbols");
printSize();
for (const format of ["esm", "cjs"] as const) {
  for (const [source, name] of Object.entries(SHARED)) await bundle(source, name, format);
}
for (const [name, { source, formats }] of Object.entries(ENTRIES)) {
  for (const format of formats) await bundle(source, name, format);
}
declarations();
