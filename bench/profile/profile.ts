/**
 * Where the time of a verification goes, on Node: the profiler looks at the published module ten thousand times a second.
 * The module has no names in it; its build leaves them beside it.
 */
import { readFileSync } from "node:fs";
import { bundle } from "../bundle.js";
import type { Cpus } from "../runtimes/cpu.js";
import { runNode, writeFixture } from "../runtimes/process.js";
import { round } from "../statistics.js";
import type { Fixture } from "../tokens.js";
import type { Profiled } from "./child.js";

const SYMBOLS = "target/waxseal.symbols";

export interface Profile {
  readonly suite: string;
  /** Microseconds of CPU for one verification, while no profiler runs. */
  readonly totalUs: number;
  /** The parts of it, in microseconds: by the share of the samples that hit them. */
  readonly partsUs: Readonly<Record<Part, number>>;
  readonly samples: number;
}

export type Part = (typeof PARTS)[number];

/** The first is the signature, and the others are everything but the signature. */
export const PARTS = ["arithmetic", "SHA-256", "rest of the module", "JavaScript"] as const;

export interface Work {
  readonly name: string;
  readonly part: Part;
  /** Of all samples. */
  readonly share: number;
}

export async function profile(
  fixture: Fixture,
  ms: number,
  cpus: Cpus,
  file?: string,
): Promise<{ profile: Profile; work: Work[] }> {
  const { file: program } = await bundle("node", { entry: "profile/child" });
  const args = [program, writeFixture(fixture), `${ms}`, ...(file === undefined ? [] : [file])];
  const { totalUs, samples, functions } = await runNode<Profiled>(args, cpus);
  const names = symbols();
  const work = functions.map(({ name, hits }): Work => {
    const index = /^wasm-function\[(\d+)\]$/.exec(name)?.[1];
    const named = index === undefined ? undefined : names.get(Number(index));
    if (index !== undefined && named === undefined) throw new Error(`${SYMBOLS} has no ${name}: build anew`);
    return {
      name: named ?? (name === "" ? "(anonymous)" : name),
      part: named === undefined ? "JavaScript" : partOf(named),
      share: hits / samples,
    };
  });
  work.sort((a, b) => b.share - a.share);
  const partsUs = Object.fromEntries(
    PARTS.map((part) => {
      const share = work.filter((each) => each.part === part).reduce((sum, each) => sum + each.share, 0);
      return [part, round(share * totalUs)];
    }),
  ) as Record<Part, number>;
  return { profile: { suite: fixture.suite, totalUs: round(totalUs), partsUs, samples }, work };
}

/** What the signature's arithmetic leaves: microseconds. */
export function besidesSignature({ partsUs }: Profile): number {
  return round(PARTS.slice(1).reduce((sum, part) => sum + partsUs[part], 0));
}

function partOf(name: string): Part {
  if (/\bwaxseal_arithmetic::/.test(name)) return "arithmetic";
  return /\bsha2::/.test(name) ? "SHA-256" : "rest of the module";
}

/** The names of the module's functions by their index. */
function symbols(): Map<number, string> {
  const lines = readFileSync(SYMBOLS, "utf8").trim().split("\n");
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      // Without the hash that rustc appends.
      return [Number(line.slice(0, colon)), line.slice(colon + 1).replace(/::h[0-9a-f]{16}$/, "")];
    }),
  );
}
