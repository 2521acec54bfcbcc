/**
 * Rounds: in each one every peer is measured once, one after another, so that all of them meet the same noise; who comes
 * first changes from round to round. A ratio is of two times of one round.
 */
import type { Runtime, Timed } from "./runtimes/runtime.js";
import { median, round, type Summary, summary } from "./statistics.js";

/** A peer in one runtime, with one algorithm, on so many CPUs, with so many in flight. */
export interface Row {
  readonly peer: string;
  /** Microseconds for one verification. */
  readonly elapsedUs: Summary;
  readonly cpuUs: Summary | undefined;
  /** jose's time through this peer's time. */
  readonly ratio: Summary;
  readonly cpuRatio: Summary | undefined;
  /** How many verifications a round has. */
  readonly count: number;
  readonly warmUp: WarmUp;
}

export interface WarmUp {
  readonly verifications: number;
  readonly ms: number;
  /** False when the time was over before the last batches took the same time. */
  readonly steady: boolean;
}

export interface Plan {
  readonly peers: readonly string[];
  readonly inFlight: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** How many distinct tokens there are. */
  readonly pool: number;
  /** Whether a peer remembers tokens, and may meet one more than once in a round. */
  readonly remembers: (peer: string) => boolean;
}

/** The peer that ratios are to. */
export const REFERENCE = "jose";

/** Warm-up ends when the medians of the last three batches and of the three before are this close. */
const STEADY = 0.05;
const WARM_UP_BATCH_MS = 20;

export async function measure(runtime: Runtime, plan: Plan): Promise<Row[]> {
  const contestants = [];
  for (const peer of plan.peers)
    contestants.push({ peer, times: [] as Timed[], ...(await warmUp(runtime, plan, peer)) });
  for (let turn = 0; turn < plan.rounds; turn++) {
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(turn + i) % contestants.length];
      if (contestant === undefined) continue;
      const { peer, count, times } = contestant;
      // Begins elsewhere each time, so that every token has its turn.
      const first = (turn * count) % plan.pool;
      const { elapsedMs, cpuMs } = await runtime.batch({ peer, first, count, inFlight: plan.inFlight });
      times.push({ elapsedMs: elapsedMs / count, cpuMs: cpuMs === undefined ? undefined : cpuMs / count });
    }
  }
  const reference = contestants.find(({ peer }) => peer === REFERENCE)?.times ?? [];
  return contestants.map(({ peer, times, count, warmUp }) => {
    const cpu = times.flatMap(({ cpuMs }) => cpuMs ?? []);
    const referenceCpu = reference.flatMap(({ cpuMs }) => cpuMs ?? []);
    const hasCpu = cpu.length === plan.rounds && referenceCpu.length === plan.rounds;
    const elapsed = times.map(({ elapsedMs }) => elapsedMs);
    const ratio = ratios(
      reference.map(({ elapsedMs }) => elapsedMs),
      elapsed,
    );
    return {
      peer,
      elapsedUs: summary(elapsed.map((ms) => ms * 1000)),
      cpuUs: hasCpu ? summary(cpu.map((ms) => ms * 1000)) : undefined,
      ratio: summary(ratio),
      cpuRatio: hasCpu ? summary(ratios(referenceCpu, cpu)) : undefined,
      count,
      warmUp,
    };
  });
}

function ratios(reference: readonly number[], times: readonly number[]): number[] {
  return times.map((time, turn) => (reference[turn] ?? Number.NaN) / time);
}

async function warmUp(runtime: Runtime, plan: Plan, peer: string): Promise<{ count: number; warmUp: WarmUp }> {
  const { inFlight, pool } = plan;
  const most = plan.remembers(peer) ? Number.MAX_SAFE_INTEGER : pool;
  const size = (ms: number, each: number): number => Math.max(64, Math.min(most, Math.round(ms / each)));
  const each: number[] = [];
  let verifications = 0;
  let ms = 0;
  let steady = false;
  let count = 64;
  // So long also when nothing seems to change: compilers work in the background, and take over when they are done.
  const least = plan.warmUpMs / 5;
  while (ms < plan.warmUpMs && !(steady && ms >= least)) {
    const { elapsedMs } = await runtime.batch({ peer, first: verifications % pool, count, inFlight });
    verifications += count;
    ms += elapsedMs;
    each.push(Math.max(elapsedMs, 1e-3) / count);
    const [now, before] = [median(each.slice(-3)), median(each.slice(-6, -3))];
    steady = each.length >= 6 && Math.abs(now / before - 1) <= STEADY;
    count = size(WARM_UP_BATCH_MS, now);
  }
  return {
    count: size(plan.roundMs, median(each.slice(-3))),
    warmUp: { verifications, ms: round(ms), steady },
  };
}
