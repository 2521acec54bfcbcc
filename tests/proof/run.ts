/**
 * `make proof`, its part on WebAssembly: the release build, with the arithmetic exported (feature `proof`), against
 * `node:crypto` on as many cases as `WAXSEAL_PROOF_CASES` says for each algorithm, by each path.
 *
 * Cases are determined by a seed that is printed; `WAXSEAL_PROOF_SEED` sets it.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { proveP256 } from "./p256.js";
import { Random } from "./random.js";
import { proveRsa } from "./rsa.js";
import { proveVectors } from "./vectors.js";
import { type Mismatch, type ProofModule, Tally } from "./types.js";

const CASES = Number(process.env["WAXSEAL_PROOF_CASES"] ?? 1_000_000);
const SEED = process.env["WAXSEAL_PROOF_SEED"] ?? randomBytes(8).toString("hex");

/** Cases that a thread takes at a time; each portion has a seed of its own. */
const PORTION = 8192;

const PROVERS = { p256: proveP256, rsa: proveRsa };
type Prover = keyof typeof PROVERS;

interface Portion {
  readonly prover: Prover;
  readonly number: number;
  readonly count: number;
}

interface Outcome {
  readonly counts: Tally["counts"];
  readonly mismatch: Mismatch | undefined;
}

async function proofModule(): Promise<ProofModule> {
  const glue = (await import(pathToFileURL(resolve("target/proof/waxseal.js")).href)) as ProofModule & {
    initSync(input: { module: Uint8Array }): void;
  };
  glue.initSync({ module: readFileSync("target/proof/waxseal.wasm") });
  return glue;
}

async function work(): Promise<void> {
  const module = await proofModule();
  parentPort?.on("message", ({ prover, number, count }: Portion) => {
    const tally = new Tally();
    const random = new Random(`${workerData as string} ${prover} ${number}`);
    const mismatch = PROVERS[prover](module, random, count, tally);
    parentPort?.postMessage({ counts: tally.counts, mismatch } satisfies Outcome);
  });
  parentPort?.postMessage(undefined);
}

async function direct(): Promise<void> {
  const published = new Tally();
  const mismatch = await proveVectors(await proofModule(), published);
  if (mismatch !== undefined) throw new Error(`${mismatch.path}: not as the file has it: ${mismatch.case}`);
  print(published);
  const portions: Portion[] = [];
  for (const prover of Object.keys(PROVERS) as Prover[]) {
    for (let number = 0; number * PORTION < CASES; number++) {
      portions.push({ prover, number, count: Math.min(PORTION, CASES - number * PORTION) });
    }
  }
  const tally = new Tally();
  console.log(`release build against node:crypto: ${CASES} cases for each algorithm and path, seed ${SEED}`);
  const threads = Array.from({ length: availableParallelism() }, async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: SEED });
    let portion: Portion | undefined;
    await new Promise<void>((done, fail) => {
      worker.on("error", fail);
      worker.on("message", (outcome: Outcome | undefined) => {
        if (outcome !== undefined) tally.merge(outcome.counts);
        if (outcome?.mismatch !== undefined) {
          const { path, case: which } = outcome.mismatch;
          fail(new Error(`${portion?.prover}, ${path}: not as node:crypto has it, seed ${SEED}: ${which}`));
          return;
        }
        portion = portions.shift();
        if (portion === undefined) done();
        else worker.postMessage(portion);
      });
    });
    await worker.terminate();
  });
  await Promise.all(threads);
  print(tally);
  for (const what of Object.keys(tally.counts)) {
    if (tally.total(what) < CASES) throw new Error(`${what}: fewer cases than were asked for`);
  }
  if (Object.keys(tally.counts).length !== 4) throw new Error("a path was not tried");
}

function print(tally: Tally): void {
  for (const [what, outcomes] of Object.entries(tally.counts)) {
    const parts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    console.log(`${what}: ${tally.total(what)} agree (${parts.join(", ")})`);
  }
}

await (isMainThread ? direct() : work());
