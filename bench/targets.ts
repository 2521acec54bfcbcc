/** The targets of this repository, for those who work on it: what there is to reach, and whether it was. */
import type { RuntimeName } from "./peers/peer.js";
import { REFERENCE, type Row } from "./rounds.js";
import type { Measured } from "./results.js";
import { median, round } from "./statistics.js";

export interface Target {
  readonly what: string;
  /** At least this ratio, or at most this number of bytes; the second step is where to push. */
  readonly goals: readonly number[];
  /** Missing when it was not measured. */
  readonly value: number | undefined;
  readonly reached: readonly boolean[];
}

/** jose's time through ours, on one CPU, one after another. */
const RATIOS: Record<string, Record<RuntimeName, readonly number[]>> = {
  ES256: { node: [3, 4], workerd: [2.3, 3], chromium: [3, 3.5] },
  "RS256-2048": { node: [1.2, 1.4], workerd: [0.75, 0.9], chromium: [1.1, 1.3] },
  "RS256-4096": { node: [1], workerd: [0.65], chromium: [0.8] },
};

/** The time of fast-jwt without its cache through ours, on Node. */
const FAST_JWT: Record<string, readonly number[]> = { ES256: [2.3], "RS256-2048": [0.8, 1] };

const WASM_GZIP_BYTES = [90_000, 75_000];

export function judge({ throughput, starts, sizes }: Measured): Target[] {
  const ratio = (runtime: RuntimeName, suite: string, slow: string, fast: string): number | undefined => {
    const table = throughput.find(
      (table) => table.runtime === runtime && table.suite === suite && table.cpus === "one" && table.inFlight === 1,
    );
    const [their, our] = [slow, fast].map((peer) => table?.rows.find((row) => row.peer === peer));
    return their === undefined || our === undefined ? undefined : timesAsFast(their, our);
  };
  const first = (suite: string): number | undefined => {
    const [our, their] = ["waxseal", REFERENCE].map(
      (peer) => starts.find((row) => row.runtime === "workerd" && row.suite === suite && row.peer === peer)?.firstMs,
    );
    return our === undefined || their === undefined ? undefined : their.median / our.median;
  };
  const targets: Target[] = [];
  for (const [suite, runtimes] of Object.entries(RATIOS)) {
    for (const [runtime, goals] of Object.entries(runtimes)) {
      const value = ratio(runtime as RuntimeName, suite, REFERENCE, "waxseal");
      targets.push(atLeast(`${suite} on ${runtime}, jose / waxseal`, goals, value));
    }
  }
  for (const [suite, goals] of Object.entries(FAST_JWT)) {
    const value = ratio("node", suite, "fast-jwt", "waxseal");
    targets.push(atLeast(`${suite} on node, fast-jwt / waxseal`, goals, value));
  }
  for (const suite of Object.keys(RATIOS)) {
    const hit = ratio("node", suite, "fast-jwt, cache hit", "waxseal, cache hit");
    targets.push(atLeast(`${suite} on node, cache hits, fast-jwt / waxseal`, [1], hit));
    targets.push(atLeast(`${suite}, first verification in a fresh isolate, jose / waxseal`, [1], first(suite)));
  }
  const { gzip } = sizes.workers.waxseal.wasm;
  const reached = WASM_GZIP_BYTES.map((limit) => gzip <= limit);
  targets.push({ what: "waxseal.wasm, bytes after gzip", goals: WASM_GZIP_BYTES, value: gzip, reached });
  return targets;
}

/** The median of the ratios of each round. */
export function timesAsFast(slow: Row, fast: Row): number {
  const other = fast.elapsedUs.samples;
  return median(slow.elapsedUs.samples.map((time, turn) => time / (other[turn] ?? Number.NaN)));
}

function atLeast(what: string, goals: readonly number[], value: number | undefined): Target {
  return {
    what,
    goals,
    value: value === undefined ? undefined : round(value),
    reached: goals.map((goal) => value !== undefined && value >= goal),
  };
}
