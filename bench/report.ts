/** The tables of the terminal. */
import { besidesSignature, PARTS } from "./profile/profile.js";
import type { Results, Throughput } from "./results.js";
import { REFERENCE, type Row } from "./rounds.js";
import type { Summary } from "./statistics.js";

const NAME = 24;

export function print(results: Results): void {
  const { date, machine, versions, parameters, notes, throughput, starts, sizes, profiles } = results;
  console.log(
    `${machine.cpu}, ${machine.cores} CPUs, ${machine.system}, ${date}, load at the beginning ${machine.load}`,
  );
  console.log(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  );
  console.log(
    `${parameters.rounds} interleaved rounds of at most ${parameters.roundMs} ms for each; microseconds for one verification, ` +
      `the median and in parentheses the\nminimum; "x" is ${REFERENCE}'s time of the same round through this one's, the median of all rounds.`,
  );
  if (parameters.quick) console.log("Quick: these figures say little about speed.");
  for (const [, tables] of grouped(throughput, ({ suite, cpus }) => `${suite} ${cpus}`))
    printTables(tables, parameters.quick);
  for (const [suite, rows] of grouped(starts, ({ suite }) => suite)) {
    console.log(`\n${suite}: fresh starts\n`);
    console.log(
      line(
        "",
        [
          "import ms",
          "first ms",
          "its CPU ms",
          "hot after",
          "hot at ms",
          "then us",
          "resident KiB",
          "heap KiB",
          "Wasm KiB",
        ],
        13,
      ),
    );
    for (const { runtime, peer, importMs, firstMs, firstCpuMs, hot, memory } of rows) {
      const wasm = "wasm" in memory ? [kib(memory.heap), kib(memory.wasm)] : ["", ""];
      const start = [importMs, firstMs, firstCpuMs].map(({ median }) =>
        Number.isFinite(median) ? median.toFixed(2) : "-",
      );
      const path = [`${hot.verifications}`, hot.ms.toFixed(1), hot.steadyUs.toFixed(1)];
      console.log(line(`${runtime}, ${peer}`, [...start, ...path, kib(memory.resident), ...wasm], 13));
    }
  }
  if (profiles.length > 0) {
    console.log("\nWhere the time of waxseal goes, on Node, us (by a sampling profiler)\n");
    console.log(line("", ["verification", ...PARTS, "all but arithmetic"], 20));
    for (const each of profiles) {
      const parts = PARTS.map((part) => each.partsUs[part]);
      const cells = [each.totalUs, ...parts, besidesSignature(each)].map((us) => us.toFixed(1));
      console.log(line(each.suite, cells, 20));
    }
  }
  console.log(`\nSize of a Worker with the library, KB (and after gzip)\n`);
  for (const [name, { js, wasm }] of Object.entries(sizes.workers)) {
    const text = ({ raw, gzip }: { raw: number; gzip: number }): string =>
      raw === 0 ? "" : `${(raw / 1000).toFixed(1)} (${(gzip / 1000).toFixed(1)})`;
    console.log(line(name, [`${text(js)} JavaScript`, wasm.raw === 0 ? "" : `${text(wasm)} WebAssembly`], 28));
  }
  for (const note of notes) console.log(`\n${note}`);
  console.log("\nEvery sample is in target/bench/results.json; docs/benchmarks.md says how they are taken.");
}

/** One table for the runtimes that measured an algorithm on so many CPUs. */
function printTables(tables: readonly Throughput[], quick: boolean): void {
  const [head] = tables;
  if (head === undefined) return;
  console.log(`\n${head.suite}, ${head.cpus === "one" ? "one CPU" : "all CPUs"}\n`);
  const width = COLUMNS.reduce((sum, [, columns]) => sum + columns, 0);
  console.log(
    `${"".padEnd(NAME)}${["one after another", "64 in flight"].map((mode) => mode.padStart(width)).join("")}`,
  );
  console.log("".padEnd(NAME) + [...COLUMNS, ...COLUMNS].map(([name, columns]) => name.padStart(columns)).join(""));
  for (const [, pair] of grouped(tables, ({ runtime }) => runtime)) {
    console.log(pair[0]?.version);
    const peers = pair[0]?.rows.map(({ peer }) => peer) ?? [];
    for (const peer of peers) {
      const cells = pair.flatMap(({ rows }) => rowCells(rows.find((row) => row.peer === peer)));
      console.log(`  ${peer.padEnd(NAME - 2)}${cells.join("")}`);
    }
    const restless = pair.flatMap(({ rows, inFlight }) =>
      rows.filter(({ warmUp }) => !warmUp.steady).map(({ peer }) => `${peer} (${inFlight})`),
    );
    if (restless.length > 0 && !quick) console.log(`  not steady when measured: ${restless.join(", ")}`);
  }
}

/** The columns for each number in flight, with their widths. */
const COLUMNS = [
  ["elapsed us", 19],
  ["x", 7],
  ["CPU us", 17],
  ["x", 7],
] as const;

function rowCells(row: Row | undefined): string[] {
  const cells = [time(row?.elapsedUs), times(row?.ratio), time(row?.cpuUs), times(row?.cpuRatio)];
  return cells.map((cell, i) => cell.padStart(COLUMNS[i]?.[1] ?? 0));
}

function times(summary: Summary | undefined): string {
  return summary === undefined ? "-" : summary.median.toFixed(2);
}

function time(summary: Summary | undefined): string {
  return summary === undefined ? "-" : `${summary.median.toFixed(1)} (${summary.min.toFixed(1)})`;
}

export function printTargets({ targets }: Results): void {
  console.log("\nTargets\n");
  for (const { what, goals, value, reached } of targets) {
    const verdicts = goals.map((goal, i) => `${goal}: ${reached[i] ? "reached" : "not reached"}`);
    const figure = value === undefined ? "-" : Number.isInteger(value) ? `${value}` : value.toFixed(2);
    console.log(
      `${what.padEnd(64)}${figure.padStart(8)}   ${value === undefined ? "not measured" : verdicts.join(", ")}`,
    );
  }
}

function line(name: string, cells: readonly string[], width: number): string {
  return name.padEnd(NAME) + cells.map((cell) => cell.padStart(width)).join("");
}

/** "-" for what the system does not tell. */
function kib(bytes: number): string {
  return bytes === 0 ? "-" : (bytes / 1024).toFixed(0);
}

/** In the order in which each key is met first. */
export function grouped<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}
