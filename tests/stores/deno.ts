/** Real Deno KV, in memory or in a file: `deno.ts memory` or `deno.ts file`. Runs the cases in Deno and reports them here. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { equal } from "../js/harness/assert.js";
import { missing, report } from "../js/harness/report.js";
import { bundle } from "./harness/bundle.js";
import { type Outcome, runCases } from "./harness/run-cases.js";

/** Where scripts/install-stores.sh puts Deno. */
const DENO = resolve("tests/stores/tools/deno/node_modules/@deno/linux-x64-glibc/deno");

const where = process.argv[2] ?? "";
if (where !== "memory" && where !== "file") throw new Error("usage: deno.ts memory | file");
const name = `store-deno-kv-${where}`;

/** Runs the program in Deno, which prints JSON. */
function deno(program: string, ...parameters: string[]): unknown {
  const flags = ["run", "--quiet", "--no-config", "--unstable-kv", "--allow-read", "--allow-write", "--allow-env"];
  const { status, stdout, stderr } = spawnSync(DENO, [...flags, program, ...parameters], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    timeout: 300_000,
  });
  if (status !== 0) throw new Error(`Deno ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

if (!existsSync(DENO)) {
  await missing(name, "Deno is not installed");
} else {
  const program = await bundle("deno/store-deno", ["deno", "import"]);
  const directory = mkdtempSync(join(tmpdir(), "waxseal-deno-"));
  try {
    const outcomes = deno(program, "cases", where === "memory" ? ":memory:" : join(directory, "cases")) as Outcome[];
    const restarts = await runCases("own", [
      {
        name: "records survive the end of the process",
        async run() {
          const file = join(directory, "kept");
          equal(deno(program, "swap", file, "key", "", "first"), true);
          equal(deno(program, "swap", file, "key", "first", "second"), true);
          equal(deno(program, "read", file, "key"), "second");
          equal(deno(program, "swap", file, "key", "first", "third"), false);
        },
      },
    ]);
    await report(name, [...outcomes, ...restarts]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
