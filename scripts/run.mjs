/**
 * Runs a TypeScript program of this repository: `node scripts/run.mjs [--cjs | --test] <file.ts> [arguments]`.
 *
 * esbuild bundles the repository's own files; packages stay imports. The bundle lies beside the installed tarball, so
 * that `import "waxseal"` means the packed package wherever `make test` has installed it, and the working directory is
 * the repository's root. With `--cjs` the bundle is CommonJS, with `--test` it runs under Node's test runner.
 */
import { spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const flags = new Set(process.argv.slice(2).filter((argument) => argument === "--cjs" || argument === "--test"));
const [file, ...rest] = process.argv.slice(2 + flags.size);
if (file === undefined) {
  console.error("usage: node scripts/run.mjs [--cjs | --test] <file.ts> [arguments]");
  process.exit(2);
}
const outfile = join(root, "target/packed/run", `${basename(file, ".ts")}.${flags.has("--cjs") ? "cjs" : "mjs"}`);
const { outputFiles } = await build({
  entryPoints: [file],
  outfile,
  write: false,
  bundle: true,
  platform: "node",
  target: "node20",
  format: flags.has("--cjs") ? "cjs" : "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
// In one step: the same program may be started twice at a time.
mkdirSync(dirname(outfile), { recursive: true });
writeFileSync(`${outfile}.${process.pid}`, outputFiles[0].contents);
renameSync(`${outfile}.${process.pid}`, outfile);
const runner = flags.has("--test") ? ["--test", "--test-reporter=tap"] : [];
const child = spawn(process.execPath, ["--enable-source-maps", ...runner, outfile, ...rest], {
  stdio: "inherit",
  cwd: root,
});
// The program decides what an interrupt means, and gets one from the terminal itself; this process ends with it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code) => process.exit(code ?? 1));
