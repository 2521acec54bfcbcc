/** Bundles a program of the tests together with the packed library, as a bundler for that host does. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { PACKED } from "../../js/harness/bundle.js";

const packedLibrary: Plugin = {
  name: "packed library",
  setup(build) {
    build.onResolve({ filter: /^waxseal(\/|$)/ }, ({ path, kind, resolveDir }) =>
      resolveDir === PACKED ? undefined : build.resolve(path, { kind, resolveDir: PACKED }),
    );
  },
};

/** Bundles a file of tests/stores, given without its extension, and gives the path of the result. */
export async function bundle(name: string, conditions: string[]): Promise<string> {
  const outfile = join(PACKED, "run/stores", `${basename(name)}.js`);
  await build({
    entryPoints: [`tests/stores/${name}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions,
    // The Worker has the module as one of its own.
    external: ["cloudflare:workers", "*.wasm"],
    logLevel: "warning",
    plugins: [packedLibrary],
  });
  return outfile;
}

/** The text of such a bundle. */
export async function bundled(name: string, conditions: string[]): Promise<string> {
  return readFileSync(await bundle(name, conditions), "utf8");
}
