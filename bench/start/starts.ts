/** What a fresh process of Node and a fresh isolate of workerd take, and hold, until they verify at full speed. */
import { resolve } from "node:path";
import { bundle, type Bundled } from "../bundle.js";
import type { Settings } from "../options.js";
import type { RuntimeName } from "../peers/peer.js";
import { canPin, type Cpus } from "../runtimes/cpu.js";
import { runNode, writeFixture } from "../runtimes/process.js";
import type { Timed } from "../runtimes/runtime.js";
import { startWorker } from "../runtimes/workerd.js";
import { median, medians, round, type Summary, summary } from "../statistics.js";
import type { Fixture } from "../tokens.js";
import type { Memory, Started } from "./node-child.js";

export const LIBRARIES = ["waxseal", "jose"] as const;

export type Library = (typeof LIBRARIES)[number];

export interface StartRow {
  readonly runtime: RuntimeName;
  readonly suite: string;
  readonly peer: Library;
  /** On Node, the time of the import; on workerd, the CPU time of the start beyond that of a Worker without library. */
  readonly importMs: Summary;
  /** Makes the verifier and verifies the first token. */
  readonly firstMs: Summary;
  /** The CPU time of that, compilers in other threads included. */
  readonly firstCpuMs: Summary;
  readonly hot: HotPath;
  /** On Node the growth of one process in its parts; on workerd the growth of the process beyond that without library. */
  readonly memory: Memory | { readonly resident: number };
}

/** When verification has become as fast as it gets, on the median of all starts. */
export interface HotPath {
  /** How many verifications came before. */
  readonly verifications: number;
  /** How long they took, with the making of the verifier. */
  readonly ms: number;
  /** What each one takes from then on, in microseconds. */
  readonly steadyUs: number;
}

/** A verification is at full speed when it and its neighbours take at most so much more than the last ones. */
export const HOT = 1.2;

/** How many verifications there are in each request to a fresh isolate; the last size goes on until there are enough. */
const REQUESTS = [1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 16, 32, 32, 64];

/** How many distinct tokens there are; no library remembers them here. */
const TOKENS = 512;

export async function starts(
  settings: Settings,
  fixtures: readonly Fixture[],
  progress: (text: string) => void,
): Promise<StartRow[]> {
  const cpus = canPin() ? "one" : "all";
  const rows: StartRow[] = [];
  for (const { tokens, ...rest } of fixtures) {
    // More would fill the memory that is looked at.
    const fixture = { ...rest, tokens: tokens.slice(0, TOKENS) };
    for (const [runtime, start] of [["node", onNode] as const, ["workerd", onWorkerd] as const]) {
      if (!settings.runtimes.includes(runtime)) continue;
      progress(`fresh starts, ${runtime}, ${fixture.suite}`);
      rows.push(...(await start(settings, fixture, cpus)));
    }
  }
  return rows;
}

/** Every library is started as often, in turns. */
async function inTurns<K extends string, T>(
  names: readonly K[],
  times: number,
  start: (name: K) => Promise<T>,
): Promise<Map<K, T[]>> {
  const results = new Map<K, T[]>(names.map((name) => [name, []]));
  for (let turn = 0; turn < times; turn++) {
    for (const name of turn % 2 === 0 ? names : names.toReversed()) results.get(name)?.push(await start(name));
  }
  return results;
}

async function onNode(settings: Settings, fixture: Fixture, cpus: Cpus): Promise<StartRow[]> {
  const { file: program } = await bundle("node", { entry: "start/node-child" });
  const fixtureFile = writeFixture(fixture);
  const modules = new Map<string, string>();
  for (const name of LIBRARIES) {
    const contents = `export { ${name} as peer } from "./peers/${name}.js";`;
    modules.set(name, resolve((await bundle("node", { contents, name: `peer-${name}` })).file));
  }
  const child = async <T>(name: string, count: number, mode?: "memory"): Promise<T> => {
    const flags = mode === "memory" ? ["--expose-gc"] : [];
    const args = [...flags, program, modules.get(name) ?? "", fixtureFile, `${count}`, ...(mode ? [mode] : [])];
    return await runNode<T>(args, cpus);
  };
  const { starts, startVerifications, memoryVerifications, quick } = settings.parameters;
  const times = await inTurns(LIBRARIES, starts, (name) => child<Started>(name, startVerifications));
  const memories = await inTurns(LIBRARIES, quick ? 1 : 3, (name) =>
    child<Memory>(name, memoryVerifications, "memory"),
  );
  return LIBRARIES.map((peer) => {
    const samples = times.get(peer) ?? [];
    const memory = memories.get(peer) ?? [];
    const of = (member: keyof Memory): number => median(memory.map((sample) => sample[member]));
    if (peer === "waxseal" && of("wasm") === 0) throw new Error("no memory of WebAssembly was seen");
    const first = samples.map(({ firstMs }) => firstMs);
    const each = medians(samples.map(({ eachUs }) => eachUs));
    return {
      runtime: "node",
      suite: fixture.suite,
      peer,
      importMs: summary(samples.map(({ importMs }) => importMs)),
      firstMs: summary(first),
      firstCpuMs: summary(samples.map(({ firstCpuMs }) => firstCpuMs)),
      hot: hotPath(each, median(first)),
      memory: {
        resident: of("resident"),
        heap: of("heap"),
        external: of("external"),
        wasm: of("wasm"),
        leaked: of("leaked"),
      },
    };
  });
}

/** The bundle of a Worker that has one library in it, or none. */
export async function workerWith(name: Library | "nothing"): Promise<Bundled> {
  const imported = name === "nothing" ? "" : `import { ${name} as peer } from "./peers/${name}.js";`;
  const contents = `import { worker } from "./start/worker.js"; ${imported}
    export default worker(${name === "nothing" ? "undefined" : "peer"});`;
  return await bundle("workerd", { contents, name: `worker-${name}` });
}

async function onWorkerd(settings: Settings, fixture: Fixture, cpus: Cpus): Promise<StartRow[]> {
  const names = [...LIBRARIES, "nothing"] as const;
  const bundles = new Map<string, Bundled>();
  for (const name of names) bundles.set(name, await workerWith(name));
  const sizes = [...REQUESTS];
  for (let total = sum(sizes); total < settings.parameters.startVerifications; total += 64) sizes.push(64);
  const samples = await inTurns(names, settings.parameters.starts, async (name) => {
    const worker = await startWorker(bundles.get(name) as Bundled, cpus);
    try {
      const startCpuMs = worker.cpu.now() ?? Number.NaN;
      await worker.ask("/", { fixture });
      const ask = (first: number, count: number): Promise<Timed> => worker.ask("/", { first, count });
      const empty: Timed[] = [];
      for (let i = 0; i < 15; i++) empty.push(await ask(0, 0));
      const asking = {
        elapsedMs: median(empty.slice(5).map(({ elapsedMs }) => elapsedMs)),
        cpuMs: median(empty.slice(5).map(({ cpuMs }) => cpuMs ?? Number.NaN)),
      };
      const requests: number[] = [];
      let firstCpuMs = Number.NaN;
      let first = 0;
      for (const count of sizes) {
        const { elapsedMs, cpuMs } = await ask(first, count);
        if (first === 0) firstCpuMs = (cpuMs ?? Number.NaN) - asking.cpuMs;
        requests.push(elapsedMs - asking.elapsedMs);
        first += count;
      }
      return { startCpuMs, firstCpuMs, requests, resident: worker.cpu.residentKiB() * 1024 };
    } finally {
      await worker.close();
    }
  });
  const nothing = samples.get("nothing") ?? [];
  const emptyStart = median(nothing.map(({ startCpuMs }) => startCpuMs));
  const emptyResident = median(nothing.map(({ resident }) => resident));
  return LIBRARIES.map((peer) => {
    const all = samples.get(peer) ?? [];
    const first = all.map(({ requests }) => requests[0] ?? Number.NaN);
    // A request of many verifications stands for each of them.
    const each = medians(all.map(({ requests }) => requests)).flatMap((ms, i) => {
      const count = sizes[i] ?? 1;
      return new Array<number>(count).fill((ms * 1000) / count);
    });
    return {
      runtime: "workerd",
      suite: fixture.suite,
      peer,
      importMs: summary(all.map(({ startCpuMs }) => startCpuMs - emptyStart)),
      firstMs: summary(first),
      firstCpuMs: summary(all.map(({ firstCpuMs }) => firstCpuMs)),
      hot: hotPath(each, median(first)),
      memory: { resident: median(all.map(({ resident }) => resident)) - emptyResident },
    };
  });
}

/** From the time of each verification, the first one's without the making of the verifier. */
function hotPath(eachUs: readonly number[], firstMs: number): HotPath {
  const steadyUs = median(eachUs.slice(-Math.ceil(eachUs.length / 6)));
  // The median of some neighbours, for a collection of garbage is no step back.
  const near = 16;
  let verifications = 0;
  while (verifications < eachUs.length - near) {
    if (median(eachUs.slice(verifications, verifications + near)) <= steadyUs * HOT) break;
    verifications++;
  }
  const us = sum(eachUs.slice(1, Math.max(verifications, 1)));
  return { verifications, ms: round(firstMs + us / 1000), steadyUs: round(steadyUs) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
