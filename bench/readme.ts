/** The README's section on speed, between its markers. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Results } from "./results.js";

const README = "README.md";
const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";
const RUNTIMES = ["node", "workerd", "chromium"] as const;

export function writeReadme(results: Results): void {
  const { throughput, parameters } = results;
  const pinned = throughput.filter(({ cpus, inFlight }) => cpus === "one" && inFlight === 1);
  const measured = new Set(pinned.map(({ runtime }) => runtime));
  if (parameters.quick || RUNTIMES.some((runtime) => !measured.has(runtime))) {
    throw new Error("the README wants a complete run on one CPU: no --quick, no --only, and taskset");
  }
  const text = readFileSync(README, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${README} lacks the lines ${BEGIN} and ${END}`);
  writeFileSync(README, `${text.slice(0, begin + BEGIN.length)}\n\n${section(results)}\n${text.slice(end)}`);
}

function section({ date, machine, versions, throughput, starts, sizes }: Results): string {
  const tables = throughput.filter(({ cpus, inFlight }) => cpus === "one" && inFlight === 1);
  const suites = [...new Set(tables.map(({ suite }) => suite))];
  const columns = suites.flatMap((suite) => RUNTIMES.map((runtime) => ({ suite, runtime })));
  const peers = [...new Set(tables.flatMap(({ rows }) => rows.map(({ peer }) => peer)))];
  const cell = (peer: string, { suite, runtime }: (typeof columns)[number]): string => {
    const table = tables.find((table) => table.suite === suite && table.runtime === runtime);
    const row = table?.rows.find((row) => row.peer === peer);
    return row === undefined ? "" : row.elapsedUs.median.toFixed(row.elapsedUs.median < 9.95 ? 1 : 0);
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
  return `Microseconds for one verification on one CPU, one after another; the median of interleaved rounds, every token another one,
issuer, audience and times checked (\`crypto.subtle.verify\`: the signature alone).

| | ${names.join(" | ")} |
|---|${columns.map(() => "--:").join("|")}|
${peers.map((peer) => `| ${peer.includes(".") ? `\`${peer}\`` : peer} | ${columns.map((column) => cell(peer, column)).join(" | ")} |`).join("\n")}

The first ES256 verification in a fresh isolate of workerd takes ${start("waxseal")}, with jose ${start("jose")}. In a Worker, Waxseal is
${kb(waxseal.js.gzip + waxseal.wasm.gzip)} after gzip, ${kb(waxseal.wasm.gzip)} of it WebAssembly; jose is ${kb(jose.js.gzip)}.

${machine.cpu}, ${machine.cores} CPUs, ${date}. ${ran}; jose ${versions["jose"]}, hono ${versions["hono"]}, aws-jwt-verify ${versions["aws-jwt-verify"]}, fast-jwt
${versions["fast-jwt"]}, jsonwebtoken ${versions["jsonwebtoken"]}. \`make bench\` measures again, with 64 in flight, all CPUs, CPU time, starts and memory:
[docs/benchmarks.md](docs/benchmarks.md).
`;
}
