/**
 * Tells what was found out about vector files by whichever runs came last (`make test`, `make proof`, `make matrix`, or a
 * single one of their programs): for each file the counts, and the runtimes on which they were found. Fails where a runtime
 * found other counts than tests/vectors/verdicts.json has, or misses a file that is there; what did not run is named.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VECTORS, VERDICTS } from "../js/harness/report.js";
import type { Verdicts } from "../js/harness/types.js";
import written from "./verdicts.json" with { type: "json" };

/** Where native tests leave theirs. */
export const NATIVE = `${VERDICTS}/native`;

const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
const filesOf = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith(".json")) : [];

/** What each runtime has found: native tests leave a file for each account, the others one list. */
function found(): Map<string, Verdicts[]> {
  const all = new Map<string, Verdicts[]>();
  const native = filesOf(NATIVE).map((file) => read(`${NATIVE}/${file}`) as Verdicts);
  if (native.length > 0) all.set("native", native);
  for (const file of filesOf(VERDICTS)) all.set(file.replace(/\.json$/, ""), read(`${VERDICTS}/${file}`) as Verdicts[]);
  return all;
}

/** Which way of trying a runtime stands for. */
const kindOf = (runtime: string): string =>
  runtime === "native" ? "native" : runtime.startsWith("proof-") ? "proof" : "package";

/** Whether there is the file that an account is of: a part of some, and of others a package's. */
function isThere(account: string): boolean {
  const [file] = /\S+\.json/.exec(account) ?? [];
  return file === undefined || existsSync(join(VECTORS, file));
}

/** Prints the table, and says whether nothing is wrong. */
export function printVerdicts(): boolean {
  const runs = found();
  const wrong: string[] = [];
  const widths = [6, 9, 8, 10] as const;
  const row = (file: string, cells: readonly (string | number)[], where: string): string =>
    `${file.padEnd(66)}${cells.map((cell, at) => String(cell).padStart(widths[at] ?? 0)).join("")}  ${where}`;
  console.log(row("vector file", ["cases", "accepted", "refused", "divergent"], "wrong verdicts: none, on"));
  for (const { file, cases, accepted, refused, divergent, where } of written.verdicts) {
    const on: string[] = [];
    for (const [runtime, verdicts] of runs) {
      const verdict = verdicts.find((each) => each.file === file);
      const counts = [verdict?.cases, verdict?.accepted, verdict?.refused, verdict?.divergent];
      if (verdict === undefined) {
        if (where.includes(kindOf(runtime)) && verdicts.length > 0 && isThere(file)) wrong.push(`${runtime} did not try ${file}`);
      } else if (counts.join() === [cases, accepted, refused, divergent].join()) on.push(runtime);
      else wrong.push(`${runtime}: ${file}: ${counts.join(", ")}`);
    }
    console.log(row(file, [cases, accepted, refused, divergent], on.join(", ") || "not run"));
  }
  for (const kind of ["native", "package", "proof"]) {
    const names = [...runs.keys()].filter((runtime) => kindOf(runtime) === kind);
    const files = written.verdicts.filter(({ where }) => where.includes(kind));
    const cases = files.reduce((sum, each) => sum + each.cases, 0);
    console.log(`${kind}: ${files.length} accounts, ${cases} cases, on ${names.join(", ") || "nothing: not run"}`);
  }
  for (const each of wrong) console.log(`wrong: ${each}`);
  return wrong.length === 0;
}
