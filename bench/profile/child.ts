/**
 * The process that is profiled: `child.mjs <fixture.json> <milliseconds> [<file for the profile>]`. It verifies until all
 * code is compiled, then as long without the profiler, for a time that it does not lengthen, and with it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Profiler, Session } from "node:inspector/promises";
import { Lab } from "../lab.js";
import { waxseal } from "../peers/waxseal.js";
import type { Fixture } from "../tokens.js";

export interface Profiled {
  /** Microseconds of CPU for one verification while nobody watches. */
  readonly totalUs: number;
  /** How often the profiler has looked. */
  readonly samples: number;
  /** How often it found a function at work, by its name. */
  readonly functions: readonly { readonly name: string; readonly hits: number }[];
}

const INTERVAL_US = 100;

const [fixtureFile = "", time = "1000", profileFile] = process.argv.slice(2);
const fixture = JSON.parse(readFileSync(fixtureFile, "utf8")) as Fixture;
const lab = new Lab("node", [waxseal]);
await lab.load(fixture);

/** Microseconds of CPU for one verification, over so many milliseconds. */
async function verifyFor(ms: number): Promise<number> {
  const count = 256;
  const cpu = process.cpuUsage();
  const start = performance.now();
  let verified = 0;
  while (performance.now() - start < ms) {
    await lab.batch({ peer: waxseal.name, first: verified % fixture.tokens.length, count, inFlight: 1 });
    verified += count;
  }
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / verified;
}

await verifyFor(Number(time));
const totalUs = await verifyFor(Number(time));
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
await session.post("Profiler.start");
await verifyFor(Number(time));
const { profile } = await session.post("Profiler.stop");
session.disconnect();

const hits = new Map<string, number>();
for (const { callFrame, hitCount } of profile.nodes as Profiler.ProfileNode[]) {
  hits.set(callFrame.functionName, (hits.get(callFrame.functionName) ?? 0) + (hitCount ?? 0));
}
const functions = [...hits].filter(([, count]) => count > 0).map(([name, hits]) => ({ name, hits }));
const samples = functions.reduce((sum, entry) => sum + entry.hits, 0);
// For Chromium's developer tools.
if (profileFile !== undefined) writeFileSync(profileFile, JSON.stringify(profile));
console.log(JSON.stringify({ totalUs, samples, functions } satisfies Profiled));
