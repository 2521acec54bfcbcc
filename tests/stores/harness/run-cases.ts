/** Runs named cases inside the runtime under test; knows nothing about the machine outside of it. */
import type { SessionStore } from "waxseal/stores/memory";
import { storeConformance } from "waxseal/testing";
import { sessionCases } from "./sessions.js";

/** A test: its name is the sentence that it proves. */
export interface Case {
  readonly name: string;
  /** It mostly waits, so that all of these may run at the same time. */
  readonly waits?: boolean;
  run(): Promise<void>;
}

/** What became of a test, as tests/js/harness/report.ts takes it. */
export interface Outcome {
  readonly suite: string;
  readonly name: string;
  readonly status: "passed" | "failed";
  readonly detail?: string;
}

/** The conformance suite, sessions on the store, and what only this store has to prove. */
export async function runStore(
  makeStore: () => SessionStore | Promise<SessionStore>,
  own: Record<string, () => Promise<void>> = {},
): Promise<Outcome[]> {
  const store = await makeStore();
  const named = (cases: Record<string, () => Promise<void>>): Case[] =>
    Object.entries(cases).map(([name, run]) => ({ name, run }));
  return [
    ...(await runCases("conformance", storeConformance(makeStore))),
    ...(await runCases("sessions", named(sessionCases(() => store)))),
    ...(await runCases("own", named(own))),
  ];
}

/** A test that takes longer hangs. */
const TIMEOUT_MS = 90_000;

export async function runCases(suite: string, cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, waits, run } of cases) if (waits !== true) outcomes.push(await runCase(suite, name, run));
  const waiting = cases.filter(({ waits }) => waits === true);
  return [...outcomes, ...(await Promise.all(waiting.map(({ name, run }) => runCase(suite, name, run))))];
}

async function runCase(suite: string, name: string, run: () => Promise<void>): Promise<Outcome> {
  let expire = (): void => {};
  const limit = new Promise<never>((_resolve, reject) => {
    expire = () => reject(new Error(`no end within ${TIMEOUT_MS} ms`));
  });
  const timer = setTimeout(() => expire(), TIMEOUT_MS);
  try {
    await Promise.race([run(), limit]);
    return { suite, name, status: "passed" };
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : `thrown: ${String(error)}`;
    return { suite, name, status: "failed", detail };
  } finally {
    clearTimeout(timer);
  }
}

/** The promise rejects, with whatever; gives the reason. */
export async function fails(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`a rejection was expected, not ${String(value)}`);
}

/** A time that no test reaches, in seconds since 1970. */
export function later(): number {
  return Math.floor(Date.now() / 1000) + 3600;
}
