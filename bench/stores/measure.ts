/** Measures sessions on one store, in whatever runtime has it. */
import type { SessionStore } from "waxseal";
import { refreshAtOnce, somebody, watched } from "../../tests/stores/harness/sessions.js";

/** What was found. Times are milliseconds for one call, one call after another. */
export interface Figures {
  /** One read and one compare-and-swap of a record, past Waxseal. */
  readonly bare: number;
  /** A refresh that rotates: the same two operations, two signatures verified and two made. */
  readonly refresh: number;
  /** How often each call of sessions waits for the store. */
  readonly trips: Record<string, string>;
  /** Fifty refreshes of one token at once, outside the grace window. */
  readonly atOnce: { live: number; signedOut: number; rotations: number; tokens: number };
}

const ROUNDS = 9;
const CALLS = 24;

export async function measure(store: SessionStore): Promise<Figures> {
  const { sessions, counts, pass } = await watched(store);
  const subject = somebody();
  let { refreshToken } = await sessions.login(subject);
  const key = `wx1:sessions:${"x".repeat(7)}${crypto.randomUUID()}`;
  const expiresAt = Math.floor(Date.now() / 1000) + 3600;
  // As long as a record with one session.
  const text = (i: number): string => `{"sessions":[],"filler":"${"-".repeat(140)}${i}"}`;
  let written = 0;
  await store.compareAndSwap(key, null, text(0), expiresAt);

  const pair = async (): Promise<void> => {
    const expected = await store.read(key);
    await store.compareAndSwap(key, expected, text(++written), expiresAt);
  };
  const rotate = async (): Promise<void> => {
    pass(60);
    ({ refreshToken } = await sessions.refresh({ refreshToken }));
  };
  const round = async (call: () => Promise<void>): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) await call();
    return (performance.now() - start) / CALLS;
  };
  // One round each for the compilers to settle; then they alternate, so that both meet the same noise.
  await round(pair);
  await round(rotate);
  const times: [bare: number, refresh: number][] = [];
  for (let i = 0; i < ROUNDS; i++) times.push([await round(pair), await round(rotate)]);

  const trips: Record<string, string> = {};
  const count = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    const before = { ...counts };
    await call();
    trips[name] = `${counts.reads - before.reads} + ${counts.swaps - before.swaps}`;
  };
  await count("login", async () => ({ refreshToken } = await sessions.login(subject)));
  await count("refresh in the window", () => sessions.refresh({ refreshToken }));
  pass(60);
  const stale = refreshToken;
  await count("refresh", rotate);
  pass(60);
  await count("reuse", () => sessions.refresh({ refreshToken: stale }).catch(() => undefined));
  await count("list", () => sessions.list(subject));
  await count("logout everywhere", () => sessions.logoutEverywhere(subject));
  return {
    bare: median(times.map(([bare]) => bare)),
    refresh: median(times.map(([, refresh]) => refresh)),
    trips,
    atOnce: await refreshAtOnce(await watched(store), 50),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
