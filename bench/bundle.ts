/** Bundles the parts of the benchmark that run elsewhere, each with the packed package and its peers. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { packedLibrary } from "../tests/js/harness/bundle.js";
import type { RuntimeName } from "./peers/peer.js";

/** Beside the installed tarball, so that a program of Node finds the package there as an import. */
export const OUT = "target/packed/run/bench";

/** As bundlers for these hosts resolve packages; on Node they stay imports, as its users have them. */
const HOSTS: Record<RuntimeName, BuildOptions> = {
  node: { platform: "node", target: "node20", packages: "external" },
  workerd: { platform: "browser", target: "es2022", conditions: ["workerd", "worker", "browser"] },
  chromium: { platform: "browser", target: "es2022", conditions: ["browser", "module"] },
};

/** The path of a program's entry in bench/, without its extension, or the text of one. */
export type Source = { readonly entry: string } | { readonly contents: string; readonly name: string };

export interface Bundled {
  readonly file: string;
  /** The bundle needs waxseal.wasm, which is beside it. */
  readonly wasm: boolean;
}

export async function bundle(runtime: RuntimeName, source: Source): Promise<Bundled> {
  const name = "entry" in source ? source.entry.replaceAll("/", "-") : source.name;
  const outdir = join(OUT, runtime);
  const file = join(outdir, `${name}.mjs`);
  // The plugin copies waxseal.wasm before anything is written.
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    ...("entry" in source
      ? { entryPoints: [`bench/${source.entry}.ts`] }
      : { stdin: { contents: source.contents, resolveDir: "bench", loader: "ts" } }),
    ...HOSTS[runtime],
    outfile: file,
    bundle: true,
    format: "esm",
    // As it is deployed.
    minify: runtime !== "node",
    metafile: true,
    logLevel: "warning",
    plugins: runtime === "node" ? [] : [packedLibrary(outdir)],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return { file, wasm: imports.some(({ path }) => path.endsWith("waxseal.wasm")) };
}
