/**
 * The benchmark: `make bench`, whose options `--help` tells. Method and terms: docs/benchmarks.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readOptions, type Settings } from "./options.js";
import { everywhere } from "./peers/everywhere.js";
import { fastJwtCacheHit } from "./peers/node.js";
import type { RuntimeName } from "./peers/peer.js";
import { type Profile, profile } from "./profile/profile.js";
import { writeReadme } from "./readme.js";
import { print, printTargets } from "./report.js";
import type { Results, Throughput } from "./results.js";
import { environment } from "./results.js";
import { measure } from "./rounds.js";
import { startChromium } from "./runtimes/chromium.js";
import { canPin, type Cpus } from "./runtimes/cpu.js";
import { startNode } from "./runtimes/node.js";
import type { Start } from "./runtimes/runtime.js";
import { startWorkerd } from "./runtimes/workerd.js";
import { sizes } from "./start/sizes.js";
import { starts } from "./start/starts.js";
import { judge } from "./targets.js";
import { type Fixture, makeFixture } from "./tokens.js";

const RESULTS = "target/bench/results.json";
const STARTS: Record<RuntimeName, Start> = { node: startNode, workerd: startWorkerd, chromium: startChromium };
const IN_FLIGHT = [1, 64] as const;

const remembering = new Set(
  [...everywhere(false), fastJwtCacheHit].filter(({ remembers }) => remembers).map(({ name }) => name),
);

/** One CPU comes first: those figures are about the least of noise. */
function cpuChoices({ quick }: Settings["parameters"], notes: Set<string>): Cpus[] {
  if (canPin()) return quick ? ["one"] : ["one", "all"];
  notes.add("Nothing is pinned to one CPU: that takes Linux and taskset.");
  return ["all"];
}

async function throughput(settings: Settings, fixtures: readonly Fixture[], notes: Set<string>): Promise<Throughput[]> {
  const tables: Throughput[] = [];
  for (const name of settings.runtimes) {
    for (const cpus of cpuChoices(settings.parameters, notes)) {
      const runtime = await STARTS[name](cpus, settings.control);
      if ("missing" in runtime) {
        notes.add(`${name} is left out: ${runtime.missing}.`);
        continue;
      }
      try {
        for (const fixture of fixtures) {
          const peers = await runtime.load(fixture);
          for (const inFlight of IN_FLIGHT) {
            progress(`${runtime.version}, ${fixture.suite}, ${cpus} CPU, ${inFlight} in flight`);
            const rows = await measure(runtime, {
              ...settings.parameters,
              peers,
              inFlight,
              pool: fixture.tokens.length,
              remembers: (peer) => remembering.has(peer),
            });
            tables.push({ runtime: name, version: runtime.version, suite: fixture.suite, cpus, inFlight, rows });
          }
        }
      } finally {
        await runtime.close();
      }
    }
  }
  return tables;
}

/** Where our own time goes, which cannot be seen from outside of the module. */
async function profiles({ runtimes, parameters }: Settings, fixtures: readonly Fixture[]): Promise<Profile[]> {
  const measured: Profile[] = [];
  for (const fixture of runtimes.includes("node") ? fixtures : []) {
    progress(`profile, ${fixture.suite}`);
    measured.push((await profile(fixture, parameters.profileMs, canPin() ? "one" : "all")).profile);
  }
  return measured;
}

async function run(settings: Settings): Promise<Results> {
  const notes = new Set<string>();
  const here = environment(settings.parameters);
  progress("making keys and tokens");
  const fixtures = settings.suites.map((suite) => makeFixture(suite));
  const measured = {
    sizes: await sizes(),
    throughput: await throughput(settings, fixtures, notes),
    starts: await starts(settings, fixtures, progress),
    profiles: await profiles(settings, fixtures),
  };
  progress("");
  return { ...here, notes: [...notes], ...measured, targets: judge(measured) };
}

/** A line that the next one replaces, on a terminal. */
function progress(text: string): void {
  const { isTTY } = process.stderr;
  if (isTTY || text !== "") process.stderr.write(isTTY ? `\r\u001b[K${text}` : `# ${text}\n`);
}

async function main(settings: Settings): Promise<void> {
  let results: Results;
  if (settings.again) {
    const last = JSON.parse(readFileSync(RESULTS, "utf8")) as Results;
    results = { ...last, targets: judge(last) };
  } else {
    results = await run(settings);
    mkdirSync("target/bench", { recursive: true });
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 1)}\n`);
  }
  print(results);
  if (settings.targets) printTargets(results);
  if (settings.readme) writeReadme(results);
}

const settings = readOptions(process.argv.slice(2));
if (settings !== undefined) await main(settings);
