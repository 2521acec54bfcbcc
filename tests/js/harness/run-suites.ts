/** Runs the suites inside the runtime under test; knows nothing about the machine outside of it. */
import type { Harness, Library, Suite, Verdicts } from "./types.js";

/** What became of one test. */
export interface Outcome {
  readonly suite: string;
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** What went wrong, or why the test was skipped. */
  readonly detail?: string;
  /** What it found out about vector files. */
  readonly verdicts?: readonly Verdicts[];
}

/** A test that takes longer hangs: no single one does more than verify or issue some thousand tokens. */
const TEST_TIMEOUT_MS = 60_000;

/** What a runner gives a suite besides the functions that declare tests. */
export type Environment = Pick<Harness, "runtime" | "kv" | "keyServer" | "vectors"> &
  Partial<Pick<Harness, "breakable">>;

export async function runSuites(
  suites: Record<string, Suite>,
  lib: Library,
  environment: Environment,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [suite, declare] of Object.entries(suites)) {
    const tests: { name: string; fn: () => void | Promise<void> }[] = [];
    const before = outcomes.length;
    let verdicts: Verdicts[] = [];
    const add = (name: string, status: Outcome["status"], detail?: string): void => {
      outcomes.push({ suite, name, status, ...(detail === undefined ? {} : { detail }) });
    };
    const harness: Harness = {
      breakable: () => Promise.reject(new Error("this runner has no breakable module")),
      ...environment,
      test: (name, fn) => void tests.push({ name, fn }),
      skip: (name, reason) => add(name, "skipped", reason),
      verdicts: (found) => void verdicts.push(found),
    };
    try {
      await withTimeout(async () => declare(harness, lib));
    } catch (error) {
      add("the suite declares its tests", "failed", describe(error));
    }
    for (const { name, fn } of tests) {
      verdicts = [];
      try {
        await withTimeout(fn);
        outcomes.push({ suite, name, status: "passed", ...(verdicts.length > 0 && { verdicts }) });
      } catch (error) {
        add(name, "failed", describe(error));
      }
    }
    if (outcomes.length === before) add("the suite has tests", "failed", "it declared none");
  }
  return outcomes;
}

async function withTimeout(fn: () => void | Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${TEST_TIMEOUT_MS} ms`)), TEST_TIMEOUT_MS);
  });
  try {
    await Promise.race([fn(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  return error.stack?.includes(error.message) ? error.stack : `${error.name}: ${error.message}\n${error.stack ?? ""}`;
}
