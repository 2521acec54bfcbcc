/** Bundles a suite together with the packed library, resolved as a bundler for that host resolves it. */
import { copyFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

/** Where scripts/pack.ts has installed the tarball. */
export const PACKED = resolve("target/packed");

export interface BundleOptions {
  readonly entry: string;
  readonly outfile: string;
  /** Export conditions besides `import`, which every host has. */
  readonly conditions: string[];
  /** The file of the package that these conditions must lead to, such as `workerd.js`. */
  readonly expected: string;
}

export async function bundle({ entry, outfile, conditions, expected }: BundleOptions): Promise<void> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions,
    // Cloudflare's runtime has it as one of its own.
    external: ["cloudflare:workers"],
    metafile: true,
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [packedLibrary(dirname(outfile))],
  });
  const entryPoint = `target/packed/node_modules/waxseal/dist/${expected}`;
  if (!Object.hasOwn(metafile.inputs, entryPoint)) {
    throw new Error(`the conditions ${conditions.join(", ")} do not lead to ${expected}`);
  }
}

export function packedLibrary(outdir: string): Plugin {
  return {
    name: "packed library",
    setup(build) {
      build.onResolve({ filter: /^waxseal(\/|$)/ }, ({ path, kind, resolveDir }) =>
        resolveDir === PACKED ? undefined : build.resolve(path, { kind, resolveDir: PACKED }),
      );
      // As bundlers for Workers do: the module goes beside the bundle, and the import stays.
      build.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        if (path === "./breakable.wasm") return { path, external: true };
        copyFileSync(join(resolveDir, path), join(outdir, "waxseal.wasm"));
        return { path: "./waxseal.wasm", external: true };
      });
    },
  };
}
