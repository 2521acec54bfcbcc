/**
 * The suite on every runtime: `run-matrix.ts [name...]`, by default all of them; on Node with the command line as well, whose tests
 * start it by the Node that stands first in PATH. Prints for each its version and how many cases it ran.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { findChromium } from "./harness/chromium.js";
import { breakable } from "./harness/breakable.js";
import { startKeyServer } from "./harness/key-server.js";
import { type Counts, missing, report, RESULTS, tapCounts } from "./harness/report.js";
import type { Outcome } from "./harness/run-suites.js";

/** Where scripts/install-packaging.sh puts them. */
const TOOLS = resolve("tests/packaging/tools/node_modules");
const wanted = process.argv.slice(2);
/** Of these runtimes alone: `make test` has several of these programs at once. */
const OUT = resolve("target/packed/run/matrix", wanted.join("-"));
/** Milliseconds for one program. */
const LIMIT = 900_000;

/** What is run, and how its version is read. */
interface Runtime {
  /** What must be there. */
  readonly program: string;
  /** Its version; null where it does not say. */
  version(): string | null;
  suite(name: string): Promise<Counts>;
  commandLine?(): Promise<Counts>;
}

const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** A runtime that reads the package from node_modules, how it is told to run a file, and how its version is asked for. */
function host(program: string, flags: string[], asking: string[]): Runtime {
  return {
    program,
    version: () => printed(program, asking),
    async suite(name) {
      const output = `${OUT}/${name}.json`;
      const { code } = await ended(program, [...flags, `${OUT}/host.mjs`, keys.url, output]);
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
      const outcomes = JSON.parse(readFileSync(output, "utf8")) as Outcome[];
      await report(name, outcomes);
      const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
      for (const { status } of outcomes) counts[status] += 1;
      return counts;
    },
  };
}

function node(program: string): Runtime {
  return { ...host(program, [], ["--print", "process.versions.node"]), commandLine: () => commandLine(program) };
}

/** A runtime with a runner of its own, which leaves its counts in a file of this name. */
function runner(name: string, file: string, program: string, version: () => string | null): Runtime {
  return {
    program,
    version,
    async suite() {
      const results = join(RESULTS, `${name}.json`);
      rmSync(results, { force: true });
      const { code } = await ended(process.execPath, ["scripts/run.mjs", file]);
      if (!existsSync(results)) throw new Error(`${name} ended with ${code}`);
      return JSON.parse(readFileSync(results, "utf8")) as Counts;
    },
  };
}

/** The tests of the program `waxseal`, but for those that are about Chromium. */
async function commandLine(program: string): Promise<Counts> {
  const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env["PATH"]}` };
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of readdirSync("tests/cli").filter(
    (name) => name.endsWith(".test.ts") && !name.includes("browser"),
  )) {
    const { code, output } = await ended(program, ["scripts/run.mjs", "--test", `tests/cli/${file}`], env);
    const found = tapCounts(output);
    // A crash, or a run in which nothing was tested, is a failure too.
    if (found.failed === 0 && (code !== 0 || found.passed === 0)) found.failed = 1;
    if (found.failed > 0) console.log(output);
    counts = add(counts, found);
  }
  return counts;
}

/** Runs a program to its end. With an environment of its own its output is kept. */
async function ended(
  program: string,
  parameters: string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, parameters, { stdio: ["ignore", env ? "pipe" : "inherit", "inherit"], env });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  return { code, output };
}

function printed(program: string, parameters: string[]): string {
  return execFileSync(program, parameters, { encoding: "utf8" }).trim();
}

const chromium = findChromium() ?? "";
const workerd = resolve("node_modules/workerd/package.json");
const RUNTIMES: Record<string, Runtime> = {
  "node-20": node(process.execPath),
  "node-22": node(`${TOOLS}/node22/bin/node`),
  "node-24": node(`${TOOLS}/node24/bin/node`),
  "node-26": node(`${TOOLS}/node26/bin/node`),
  deno: host(
    `${TOOLS}/.bin/deno`,
    ["run", "--quiet", "--no-remote", "--node-modules-dir=manual", "--allow-all"],
    ["eval", "--print", "Deno.version.deno"],
  ),
  bun: host(`${TOOLS}/.bin/bun`, ["run"], ["--print", "Bun.version"]),
  workerd: runner("workerd", "tests/js/run-workerd.ts", workerd, () => {
    return (JSON.parse(readFileSync(workerd, "utf8")) as { version: string }).version;
  }),
  chromium: runner("chromium", "tests/js/run-browser.ts", chromium, () => {
    return /\d+(\.\d+)+/.exec(printed(chromium, ["--version"]))?.[0] ?? null;
  }),
};

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
const rows: string[] = [];
await breakable();
const keys = await startKeyServer();
let failed = false;
for (const name of wanted.length > 0 ? wanted : Object.keys(RUNTIMES)) {
  const runtime = RUNTIMES[name];
  if (runtime === undefined) throw new Error(`no such runtime: ${name}; there are ${Object.keys(RUNTIMES).join(", ")}`);
  if (!existsSync(runtime.program)) {
    await missing(name, "it could not be installed", { optional: true });
    rows.push(`${name.padEnd(9)} not installed`);
    continue;
  }
  const start = performance.now();
  const suite = await runtime.suite(name);
  const program = await runtime.commandLine?.();
  const all = program === undefined ? suite : add(suite, program);
  failed ||= all.failed > 0;
  const counts = [
    suite.passed,
    program?.passed ?? "",
    all.failed,
    all.skipped,
    Math.round((performance.now() - start) / 1000),
  ];
  const cells = counts.map((count) => String(count).padStart(8));
  rows.push(`${name.padEnd(9)} ${(runtime.version() ?? "").padEnd(15)}${cells.join("")}`);
}
await keys.close();
console.log(`\nruntime   version            suite     cli  failed skipped seconds\n${rows.join("\n")}`);
process.exitCode = failed ? 1 : 0;
