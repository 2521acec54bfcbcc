/**
 * Runs every test, goes on after a failure, and ends with a table by runtime and a line of totals. The tarball is packed
 * and installed already (`make test` sees to it).
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Counts, RESULTS, tapCounts, VERDICTS } from "../tests/js/harness/report.js";
import { printVerdicts } from "../tests/vectors/found.js";

interface Stage {
  readonly name: string;
  readonly command: readonly string[];
  /** Takes the counts from what the command printed; otherwise the command leaves them in a file of the stage's name. */
  readonly counts?: (output: string) => Counts;
  /** It keeps a core busy and no more: another one like it may run beside it. */
  readonly beside?: true;
}

const script = (name: string, file: string, ...parameters: string[]): Stage => ({
  name,
  command: ["node", "scripts/run.mjs", file, ...parameters],
});

/** The suite on one runtime. */
const suite = (name: string, file: string, ...parameters: string[]): Stage => ({
  ...script(name, file, ...parameters),
  beside: true,
});

const stages: Stage[] = [
  { name: "native", command: ["cargo", "test", "--workspace"], counts: cargoCounts },
  suite("node-esm", "tests/js/run-node-esm.ts"),
  suite("node-cjs", "--cjs", "tests/js/run-node-cjs.ts"),
  suite("workerd", "tests/js/run-workerd.ts"),
  suite("chromium", "tests/js/run-browser.ts"),
  // The other versions of Node differ too little to be run each time: `make matrix` does.
  suite("deno", "tests/js/run-matrix.ts", "deno"),
  suite("bun", "tests/js/run-matrix.ts", "bun"),
  script("packaging", "tests/packaging/run.ts"),
  script("store-memory", "tests/stores/memory.ts"),
  script("store-durable-object", "tests/stores/workerd.ts", "durable-object"),
  script("store-d1", "tests/stores/workerd.ts", "d1"),
  script("store-node-sqlite", "tests/stores/sqlite.ts", "node:sqlite"),
  script("store-better-sqlite3", "tests/stores/sqlite.ts", "better-sqlite3"),
  script("store-ioredis", "tests/stores/redis.ts", "ioredis"),
  script("store-redis", "tests/stores/redis.ts", "redis"),
  script("store-deno-kv-memory", "tests/stores/deno.ts", "memory"),
  script("store-deno-kv-file", "tests/stores/deno.ts", "file"),
  script("store-planted", "tests/stores/planted.ts"),
  ...testFiles("tests/cli", "cli"),
  ...testFiles("tests/js/e2e", "e2e"),
];

/** Sums up the lines that cargo prints for every test binary. */
function cargoCounts(output: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return counts;
}

/** One stage for each file of tests that use Node's own test runner. */
function testFiles(directory: string, kind: string): Stage[] {
  return readdirSync(directory)
    .filter((file) => /\.test\.(ts|mjs)$/.test(file))
    .map((file) => ({
      name: `${kind}: ${file.replace(/\.test\.\w+$/, "")}`,
      command: file.endsWith(".mjs")
        ? ["node", "--test", "--test-reporter=tap", join(directory, file)]
        : ["node", "scripts/run.mjs", "--test", join(directory, file)],
      counts: tapCounts,
    }));
}

/** Runs a stage and prints what it does: as it comes, or for one that has another beside it at its end. */
async function execute({ command, counts, name, beside }: Stage): Promise<Counts> {
  const title = `\n# ${name}: ${command.join(" ")}\n`;
  if (!beside) process.stdout.write(title);
  const [program = "", ...rest] = command;
  // Where native tests leave what they find out about vectors.
  const env = { ...process.env, WAXSEAL_VERDICTS: resolve(VERDICTS, "native") };
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"], env });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    output += text;
    if (!beside) process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 1)));
  if (beside) process.stdout.write(title + output);
  const file = join(RESULTS, `${name}.json`);
  const found: Counts = counts?.(output) ?? {
    passed: 0,
    failed: 0,
    skipped: 0,
    ...(existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Counts) : {}),
  };
  // A crash, or a run in which nothing was tested, is a failure too.
  if (found.failed === 0 && (code !== 0 || found.passed + found.skipped === 0)) found.failed = 1;
  return found;
}

rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });
const rows: (Counts & { name: string; seconds: number })[] = [];
const queue = [...stages];

/** Takes stages from the queue, as long as they are for this one to take, and runs them one after another. */
async function work(takes: (stage: Stage) => boolean): Promise<void> {
  for (let stage = queue[0]; stage !== undefined && takes(stage); stage = queue[0]) {
    queue.shift();
    const start = performance.now();
    const counts = await execute(stage);
    rows.push({ name: stage.name, ...counts, seconds: (performance.now() - start) / 1000 });
  }
}

while (queue.length > 0) {
  await work(({ beside }) => !beside);
  await Promise.all([work(({ beside }) => beside === true), work(({ beside }) => beside === true)]);
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
console.log(`\n${"runtime".padEnd(24)}  passed  failed  skipped  seconds`);
for (const { name, passed, failed, skipped, seconds } of rows) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  const cells = [String(passed).padStart(6), String(failed).padStart(6), String(skipped).padStart(7)];
  console.log(`${name.padEnd(24)}  ${cells.join("  ")}  ${seconds.toFixed(1).padStart(7)}`);
}
console.log("");
if (!printVerdicts()) total.failed += 1;
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;
