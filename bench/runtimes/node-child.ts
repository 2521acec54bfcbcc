/** The process that is measured on Node. */
import { type Batch, Lab } from "../lab.js";
import { everywhere } from "../peers/everywhere.js";
import { fastJwt, fastJwtCacheHit, jsonwebtoken } from "../peers/node.js";
import type { Fixture } from "../tokens.js";
import type { Timed } from "./runtime.js";

export type Question = { readonly load: Fixture } | { readonly batch: Batch };
export type Answer = { readonly value: string[] | Timed } | { readonly error: string };

const lab = new Lab("node", [
  ...everywhere(process.argv.includes("--control")),
  fastJwt,
  fastJwtCacheHit,
  jsonwebtoken,
]);

async function timed(batch: Batch): Promise<Timed> {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await lab.batch(batch);
  const elapsedMs = Number(process.hrtime.bigint() - start) / 1e6;
  const { user, system } = process.cpuUsage(cpu);
  return { elapsedMs, cpuMs: (user + system) / 1000 };
}

process.on("message", async (question: Question) => {
  let answer: Answer;
  try {
    answer = { value: "load" in question ? await lab.load(question.load) : await timed(question.batch) };
  } catch (error) {
    answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(answer);
});
