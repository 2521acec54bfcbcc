/**
 * Mixed traffic against the real servers, at full speed, with stores that fail: `make load`, for LOAD_SECONDS (600) on each.
 * Prints what was seen, and ends with 1 if a session was lost or forked, an ended one lived, anything but 503 was the answer to a
 * fault, or memory or file descriptors grew.
 */
import { load } from "./load.js";
import { HAS_NODE, nodeExample, type Target, worker } from "./servers.js";

const seconds = Number(process.env["LOAD_SECONDS"] ?? 600);
const targets: Record<string, (grace: number) => Promise<Target>> = { worker, node: nodeExample };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets);
for (const name of wanted) {
  const start = targets[name];
  if (start === undefined) throw new Error(`no such server: ${name}; there are ${Object.keys(targets).join(", ")}`);
  if (name === "node" && !HAS_NODE) {
    console.log("# SKIP no Node has node:sqlite: scripts/install-stores.sh installs one");
    continue;
  }
  const { lines, wrong } = await load(start, seconds);
  console.log(lines.join("\n"));
  if (wrong.length > 0) process.exitCode = 1;
}
