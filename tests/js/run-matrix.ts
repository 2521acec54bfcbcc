/**
 * The suite on every runtime that reads the package from node_modules: `run-matrix.ts [name...]`, by default all of them.
 * Prints for each its version and how many cases it ran.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import { startKeyServer } from "./harness/key-server.js";
import { type Counts, missing, report } from "./harness/report.js";
import type { Outcome } from "./harness/run-suites.js";

/** Where scripts/install-packaging.sh puts them. */
const TOOLS = resolve("tests/packaging/tools/node_modules");
const OUT = resolve("target/packed/run/matrix");

/** A program, how it is told to run a file, and how its version is read. */
interface Runtime {
  readonly program: string;
  readonly flags: readonly string[];
  readonly version: string;
}

const node = (program: string): Runtime => ({ program, flags: [], version: "process.versions.node" });
const RUNTIMES: Record<string, Runtime> = {
  "node-20": node(process.execPath),
  "node-22": node(`${TOOLS}/node22/bin/node`),
  "node-24": node(`${TOOLS}/node24/bin/node`),
  "node-26": node(`${TOOLS}/node26/bin/node`),
  deno: {
    program: `${TOOLS}/.bin/deno`,
    flags: ["run", "--quiet", "--no-remote", "--node-modules-dir=manual", "--allow-all"],
    version: "Deno.version.deno",
  },
  bun: { program: `${TOOLS}/.bin/bun`, flags: ["run"], version: "Bun.version" },
};

function versionOf({ program, version }: Runtime): string {
  const asked = program.endsWith("deno") ? ["eval", "--print", version] : ["--print", version];
  return execFileSync(program, asked, { encoding: "utf8" }).trim();
}

/** Runs the suite in a runtime, and gives what became of each test. */
async function run(name: string, { program, flags }: Runtime, keyServer: string): Promise<Outcome[]> {
  const output = `${OUT}/${name}.json`;
  const child = spawn(program, [...flags, `${OUT}/host.mjs`, keyServer, output], { stdio: "inherit" });
  const timer = setTimeout(() => child.kill("SIGKILL"), 600_000);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(readFileSync(output, "utf8")) as Outcome[];
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
await build({
  entryPoints: ["tests/js/matrix-host.ts"],
  outfile: `${OUT}/host.mjs`,
  bundle: true,
  platform: "node",
  target: "es2022",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(RUNTIMES);
const rows: string[] = [];
const keys = await startKeyServer();
let failed = false;
for (const name of wanted) {
  const runtime = RUNTIMES[name];
  if (runtime === undefined) throw new Error(`no such runtime: ${name}; there are ${Object.keys(RUNTIMES).join(", ")}`);
  if (!existsSync(runtime.program)) {
    await missing(name, "scripts/install-packaging.sh could not install it", { optional: true });
    rows.push(`${name.padEnd(10)}  not installed`);
    continue;
  }
  const version = versionOf(runtime);
  const start = performance.now();
  const outcomes = await run(name, runtime, keys.url);
  await report(name, outcomes);
  failed ||= process.exitCode !== 0;
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { status } of outcomes) counts[status] += 1;
  const cells = [counts.passed, counts.failed, counts.skipped].map((count) => String(count).padStart(7));
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(8);
  rows.push(`${name.padEnd(10)}  ${version.padEnd(10)} ${cells.join(" ")} ${seconds}`);
}
await keys.close();
console.log(`\nruntime     version     passed  failed skipped  seconds\n${rows.join("\n")}`);
process.exitCode = failed ? 1 : 0;
