/**
 * Runs a TypeScript program of this repository: `node scripts/run.mjs <file.ts> [arguments]`.
 *
 * esbuild bundles the repository's own files; packages stay imports. The bundle lies beside the installed tarball, so
 * that `import "waxseal"` means the packed package wherever `make test` has installed it, and the working directory is
 * the repository's root.
 */
import { spawn } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/run.mjs <file.ts> [arguments]");
  process.exit(2);
}
const outfile = join(root, "target/packed/run", `${basename(file, ".ts")}.mjs`);
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
const child = spawn(process.execPath, ["--enable-source-maps", outfile, ...rest], { stdio: "inherit", cwd: root });
// The program decides what an interrupt means; this process ends with it.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
