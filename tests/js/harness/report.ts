/** What the runners on Node share: where vectors are, how results are printed and handed on. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import type { Outcome } from "./run-suites.js";
import type { Verdicts } from "./types.js";

/** Read by scripts/test.ts. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Where runners leave their counts. */
export const RESULTS = "target/test-results";

/** And their verdicts on vectors, a list for each runtime; native tests leave a file for each list of theirs. */
export const VERDICTS = `${RESULTS}/verdicts`;

/** Where vectors are that no package brings. */
export const VECTORS = process.env["WAXSEAL_VECTORS"] ?? "../shared/vectors";

/** The text of a file of vectors, or undefined when there is no such file. */
export async function readVectors(name: string): Promise<string | undefined> {
  const path = normalize(name);
  if (path.startsWith("..") || path.startsWith("/")) throw new Error(`not a file of vectors: ${name}`);
  const file = join(VECTORS, path);
  return existsSync(file) ? readFile(file, "utf8") : undefined;
}

/** The same, parsed. */
export async function vectors(name: string): Promise<unknown> {
  const text = await readVectors(name);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Prints the outcomes, leaves the counts for the summary and decides the exit code. */
export async function report(runtime: string, outcomes: Outcome[]): Promise<void> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [index, { suite, name, status, detail, verdicts = [] }] of outcomes.entries()) {
    counts[status] += 1;
    const skipped = status === "skipped" ? ` # SKIP ${detail ?? ""}` : "";
    console.log(`${status === "failed" ? "not ok" : "ok"} ${index + 1} - ${runtime}: ${suite}: ${name}${skipped}`);
    for (const { file, cases, accepted, refused, divergent } of verdicts) {
      console.log(`# ${file}: ${cases} cases, ${accepted} accepted, ${refused} refused, ${divergent} divergent`);
    }
    if (status === "failed") console.log((detail ?? "").replace(/^/gm, "    "));
  }
  console.log(
    `1..${outcomes.length}\n# ${runtime}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  );
  if (outcomes.length === 0) throw new Error(`${runtime}: no test ran`);
  await save(runtime, counts);
  await saveVerdicts(
    runtime,
    outcomes.flatMap(({ verdicts = [] }) => verdicts),
  );
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

/** The totals at the end of what Node's TAP reporter prints. */
export function tapCounts(output: string): Counts {
  const total = (label: string): number => Number(output.match(new RegExp(`^# ${label} (\\d+)$`, "m"))?.[1] ?? 0);
  return {
    passed: total("pass"),
    failed: total("fail") + total("cancelled"),
    skipped: total("skipped") + total("todo"),
  };
}

/** Leaves counts for the summary. */
export async function save(name: string, counts: Counts): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, `${name}.json`), JSON.stringify(counts));
}

/** Leaves verdicts for the table of them, `tests/vectors/table.ts`. */
export async function saveVerdicts(runtime: string, verdicts: readonly Verdicts[]): Promise<void> {
  await mkdir(VERDICTS, { recursive: true });
  await writeFile(join(VERDICTS, `${runtime}.json`), JSON.stringify(verdicts));
}

/**
 * Ends a runner whose program is missing: skipped by name, but a failure where nothing may be missing that is not
 * `optional`.
 */
export async function missing(runtime: string, reason: string, { optional = false } = {}): Promise<void> {
  const failed = process.env["CI"] === "true" && !optional;
  console.log(`${failed ? "not ok" : "ok"} - ${runtime} # SKIP ${reason}`);
  await save(runtime, { passed: 0, failed: failed ? 1 : 0, skipped: failed ? 0 : 1 });
  process.exitCode = failed ? 1 : 0;
}
