/**
 * `make proof`, its part on the interface in JavaScript: random calls of everything that the package exports, with arguments
 * of every type. `WAXSEAL_CALLS` (1,000,000) says how many on Node, `WAXSEAL_CALLS_SECONDS` (300) for how long on workerd
 * and in Chromium each; `calls.ts [node] [workerd] [chromium]` runs some of them. `WAXSEAL_PROOF_SEED` sets the seed that is
 * printed; with it and `WAXSEAL_CALLS_FROM` a call that failed is the first one.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as lib from "waxseal";
import { bundle } from "../js/harness/bundle.js";
import { findChromium } from "../js/harness/chromium.js";
import { askWorker, withPage, withWorker } from "../js/harness/hosts.js";
import { missing } from "../js/harness/report.js";
import { SUBPATHS } from "../js/suite/calls/exports.js";
import { type Calls, runCalls } from "../js/suite/calls/run.js";

const COUNT = Number(process.env["WAXSEAL_CALLS"] ?? 1_000_000);
const SECONDS = Number(process.env["WAXSEAL_CALLS_SECONDS"] ?? 300);
const SEED = Number(process.env["WAXSEAL_PROOF_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const FROM = Number(process.env["WAXSEAL_CALLS_FROM"] ?? 0);

/** Calls that are asked for at a time. */
const PORTION = 10_000;
const PAGE = 65_536;
const OUT = "target/proof/run";

type Portion = (from: number, count: number) => Promise<Calls>;

/** Every subpath of the package that can be imported has its calls. */
function checkSubpaths(): void {
  const { exports } = JSON.parse(readFileSync("target/packed/node_modules/waxseal/package.json", "utf8")) as {
    exports: Record<string, unknown>;
  };
  const known = new Set(Object.keys(SUBPATHS).map((path) => `./${path}`));
  // The first three are the main one again; the fourth is of Workers, and called there; the others are no modules.
  const others = [".", "./workerd", "./slim", "./stores/durable-object", "./waxseal.wasm", "./package.json"];
  const unknown = Object.keys(exports).filter((path) => !known.has(path) && !others.includes(path));
  if (unknown.length > 0) throw new Error(`no calls are made of ${unknown.join(", ")}`);
}

/** Makes portions of calls until there are enough, or the time is over, and prints what came of them. */
async function judge(runtime: string, count: number, seconds: number, portion: Portion): Promise<boolean> {
  const [start, length] = [performance.now(), seconds * 1000];
  const by: Calls["by"] = {};
  const failures: string[] = [];
  let [calls, replaced, warm, last] = [0, 0, 0, 0];
  while (calls < count && performance.now() < start + length && failures.length === 0) {
    const found = await portion(FROM + calls, Math.min(PORTION, count - calls));
    calls += found.calls;
    replaced += found.replaced;
    failures.push(...found.failures);
    for (const [name, [called, succeeded]] of Object.entries(found.by)) {
      const sum = (by[name] ??= [0, 0]);
      sum[0] += called;
      sum[1] += succeeded;
    }
    // The first quarter is the warm-up: what the longest arguments need is allocated, and memory never shrinks.
    if (warm === 0 || (calls <= count / 4 && performance.now() < start + length / 4)) warm = found.memory[1];
    last = found.memory[1];
  }
  const succeeded = Object.values(by).reduce((sum, [, count_]) => sum + count_, 0);
  console.log(
    `${runtime}: ${calls} calls of ${Object.keys(by).length} functions, ${succeeded} gave a result, ${failures.length} failures, ` +
      `${replaced} instances replaced, memory ${warm / PAGE} pages after warm-up, ${last / PAGE} at the end`,
  );
  if (replaced > 0) failures.push("an instance was replaced");
  if (last - warm > PAGE) failures.push("memory has grown by more than a page");
  // A function whose calls all fail is not tried beyond its first check; a few need what chance seldom brings.
  const never = Object.entries(by).filter(([, [called, succeeded]]) => called > 1000 && succeeded === 0);
  if (never.length > 0) console.log(`${runtime}: without a result: ${never.map(([name]) => name).join(", ")}`);
  for (const failure of failures) console.log(`${runtime}: seed ${SEED}: ${failure}`);
  return failures.length === 0;
}

async function onNode(): Promise<boolean> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return judge("node", COUNT, Infinity, async (from, count) => {
    // Objects that nobody disposes of are freed in the module when the engine collects them, which it does when it likes.
    collect();
    await new Promise((collected) => setTimeout(collected, 20));
    return runCalls({ lib, seed: SEED, from, count });
  });
}

async function onWorkerd(): Promise<boolean> {
  await bundle({
    entry: "tests/proof/calls-worker.ts",
    outfile: `${OUT}/calls-worker.js`,
    conditions: ["workerd", "worker", "browser"],
    expected: "workerd.js",
  });
  const parts = {
    script: readFileSync(`${OUT}/calls-worker.js`, "utf8"),
    wasm: { "waxseal.wasm": readFileSync(`${OUT}/waxseal.wasm`) },
  };
  return withWorker(parts, (worker) =>
    judge("workerd", Infinity, SECONDS, (from, count) =>
      askWorker<Calls>(worker, `?seed=${SEED}&from=${from}&count=${count}`),
    ),
  );
}

async function inChromium(executable: string): Promise<boolean> {
  await bundle({
    entry: "tests/proof/calls-page.ts",
    outfile: `${OUT}/calls-page.js`,
    conditions: ["browser", "module"],
    expected: "browser.js",
  });
  const script = readFileSync(`${OUT}/calls-page.js`, "utf8");
  return withPage({ executable, script, flags: ["--js-flags=--expose-gc"] }, (page) =>
    judge("chromium", Infinity, SECONDS, (from, count) =>
      page.evaluate(
        ([seed, first, many]) =>
          (Reflect.get(globalThis, "portion") as (...all: unknown[]) => Promise<Calls>)(seed, first, many),
        [SEED, from, count] as const,
      ),
    ),
  );
}

checkSubpaths();
mkdirSync(OUT, { recursive: true });
console.log(`random calls, seed ${SEED}`);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ["node", "workerd", "chromium"];
const chromium = findChromium();
const results: boolean[] = [];
if (wanted.includes("node")) results.push(await onNode());
if (wanted.includes("workerd")) results.push(await onWorkerd());
if (wanted.includes("chromium")) {
  if (chromium === undefined) await missing("calls-chromium", "Chromium is not installed");
  else results.push(await inChromium(chromium));
}
process.exit(results.every((good) => good) ? (process.exitCode ?? 0) : 1);
