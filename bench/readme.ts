/** The README's section on speed, between its markers. */
import { readFileSync, writeFileSync } from "node:fs";
import { joseControl } from "./peers/jose.js";
import type { RuntimeName } from "./peers/peer.js";
import type { Results, Throughput } from "./results.js";
import { SUITES } from "./tokens.js";

const README = "README.md";
const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";
const RUNTIMES = ["node", "workerd", "chromium"] as const;

export function writeReadme(results: Results): void {
  const { throughput, parameters } = results;
  const missing = SUITES.flatMap(({ name }) =>
    RUNTIMES.filter((runtime) => tableOf(throughput, name, runtime) === undefined),
  );
  if (parameters.quick || missing.length > 0) {
    throw new Error("the README wants a complete run: no --quick, --only or --alg, and one CPU by taskset");
  }
  const text = readFileSync(README, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${README} lacks the lines ${BEGIN} and ${END}`);
  writeFileSync(README, `${text.slice(0, begin + BEGIN.length)}\n\n${section(results)}\n${text.slice(end)}`);
}

function tableOf(tables: readonly Throughput[], suite: string, runtime: RuntimeName): Throughput | undefined {
  return tables.find(
    (table) => table.suite === suite && table.runtime === runtime && table.cpus === "one" && table.inFlight === 1,
  );
}

function section({ date, machine, versions, throughput, starts, sizes }: Results): string {
  const columns = SUITES.flatMap(({ name }) => RUNTIMES.map((runtime) => ({ suite: name, runtime })));
  const tables = columns.flatMap(({ suite, runtime }) => tableOf(throughput, suite, runtime) ?? []);
  const all = tables.flatMap(({ rows }) => rows.map(({ peer }) => peer)).filter((peer) => peer !== joseControl.name);
  // What caches give is not what the others do.
  const [hits, others] = [true, false].map((hit) => all.filter((peer) => peer.includes("cache hit") === hit));
  const peers = [...new Set([...(others ?? []), ...(hits ?? [])])];
  const cell = (peer: string, { suite, runtime }: (typeof columns)[number]): string => {
    const time = tableOf(throughput, suite, runtime)?.rows.find((row) => row.peer === peer)?.cpuUs?.median;
    return time === undefined ? "" : time.toFixed(time < 9.95 ? 1 : 0);
  };
  const heads = { node: "Node", workerd: "workerd", chromium: "Chromium" };
  const names = columns.map(({ suite, runtime }) => `${suite}<br>${heads[runtime]}`);
  const start = (peer: string): string => {
    const row = starts.find((row) => row.runtime === "workerd" && row.suite === "ES256" && row.peer === peer);
    return row === undefined ? "-" : `${row.firstMs.median.toFixed(1)} ms`;
  };
  const { waxseal, jose } = sizes.workers;
  const kb = (bytes: number): string => `${(bytes / 1000).toFixed(0)} KB`;
  const ran = [...new Set(tables.map(({ version }) => version))].join(", ");
  return `Microseconds of CPU time for one verification on one CPU, one after another; the median of interleaved rounds, every token another
one, issuer, audience and times checked. \`crypto.subtle.verify\` is the signature alone; a cache hits when the token was verified before.

| | ${names.join(" | ")} |
|---|${columns.map(() => "--:").join("|")}|
${peers.map((peer) => `| ${peer.includes(".") ? `\`${peer}\`` : peer} | ${columns.map((column) => cell(peer, column)).join(" | ")} |`).join("\n")}

The first ES256 verification in a fresh isolate of workerd takes ${start("waxseal")}, with jose ${start("jose")}. In a Worker, Waxseal is
${kb(waxseal.js.gzip + waxseal.wasm.gzip)} after gzip, ${kb(waxseal.wasm.gzip)} of it WebAssembly; jose is ${kb(jose.js.gzip)}.

Measured on ${machine.cpu}, ${machine.cores} CPUs, ${date}, with ${ran};
jose ${versions["jose"]}, hono ${versions["hono"]}, aws-jwt-verify ${versions["aws-jwt-verify"]}, fast-jwt ${versions["fast-jwt"]}, jsonwebtoken ${versions["jsonwebtoken"]}. \`make bench\` measures again, with 64 in flight, all CPUs, CPU time, starts and memory:
[docs/benchmarks.md](docs/benchmarks.md).
`;
}
