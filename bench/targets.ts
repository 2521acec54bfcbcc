/** The targets of this repository, for those who work on it: what there is to reach, and whether it was. */
import type { RuntimeName } from "./peers/peer.js";
import { besidesSignature } from "./profile/profile.js";
import { REFERENCE, type Row } from "./rounds.js";
import type { Measured } from "./results.js";
import { median, round } from "./statistics.js";

export interface Target {
  readonly what: string;
  /** At least this ratio, or at most this number of bytes or microseconds; the second step is where to push. */
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

/** All but the signature, for ES256: as a share of jose's time, since microseconds are of one machine. */
const BESIDES_SIGNATURE = { most: 5, whereJoseTakes: 108 };

const WASM_GZIP_BYTES = [90_000, 75_000];

export function judge({ throughput, starts, sizes, profiles }: Measured): Target[] {
  const row = (runtime: RuntimeName, suite: string, peer: string): Row | undefined =>
    throughput
      .find(
        (table) => table.runtime === runtime && table.suite === suite && table.cpus === "one" && table.inFlight === 1,
      )
      ?.rows.find((row) => row.peer === peer);
  const ratio = (runtime: RuntimeName, suite: string, slow: string, fast: string): number | undefined => {
    const [their, our] = [row(runtime, suite, slow), row(runtime, suite, fast)];
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
  const profile = profiles.find(({ suite }) => suite === "ES256");
  // The profile is of CPU time, which neighbours disturb less.
  const reference = row("node", "ES256", REFERENCE)?.cpuUs?.median;
  if (profile !== undefined && reference !== undefined) {
    const { most, whereJoseTakes } = BESIDES_SIGNATURE;
    const what = `everything but the signature, microseconds where jose takes ${whereJoseTakes}`;
    targets.push(atMost(what, [most], (besidesSignature(profile) * whereJoseTakes) / reference));
  }
  const { gzip } = sizes.workers.waxseal.wasm;
  targets.push(atMost("waxseal.wasm, bytes after gzip", WASM_GZIP_BYTES, gzip));
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

function atMost(what: string, goals: readonly number[], value: number): Target {
  return { what, goals, value: round(value), reached: goals.map((goal) => value <= goal) };
}
