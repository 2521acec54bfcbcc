/** The file of results. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, release } from "node:os";
import type { Parameters } from "./options.js";
import type { Profile } from "./profile/profile.js";
import type { RuntimeName } from "./peers/peer.js";
import type { Row } from "./rounds.js";
import type { Cpus } from "./runtimes/cpu.js";
import type { Sizes } from "./start/sizes.js";
import type { StartRow } from "./start/starts.js";
import type { Target } from "./targets.js";

export interface Throughput {
  readonly runtime: RuntimeName;
  readonly version: string;
  readonly suite: string;
  readonly cpus: Cpus;
  readonly inFlight: number;
  readonly rows: readonly Row[];
}

export interface Measured {
  readonly throughput: readonly Throughput[];
  readonly starts: readonly StartRow[];
  readonly sizes: Sizes;
  readonly profiles: readonly Profile[];
}

export interface Environment {
  /** The day, as YYYY-MM-DD. */
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly system: string;
    /** How many programs were running when it began; more than a few tenths disturb. */
    readonly load: number;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly parameters: Parameters;
}

export interface Results extends Environment, Measured {
  /** What was left out, and why. */
  readonly notes: readonly string[];
  readonly targets: readonly Target[];
}

const PACKAGES = ["jose", "hono", "aws-jwt-verify", "fast-jwt", "jsonwebtoken", "miniflare", "playwright-core"];

export function environment(parameters: Parameters): Environment {
  const installed = PACKAGES.map((name) => [name, version(`node_modules/${name}/package.json`)] as const);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      system: `${platform()} ${release()} ${arch()}`,
      load: loadavg()[0] ?? Number.NaN,
    },
    versions: {
      waxseal: version("target/packed/node_modules/waxseal/package.json"),
      commit: commit(),
      node: process.versions.node,
      v8: process.versions.v8,
      openssl: process.versions.openssl ?? "",
      ...Object.fromEntries(installed),
    },
    parameters,
  };
}

function version(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** Empty outside of a repository. */
function commit(): string {
  try {
    const args = ["describe", "--always", "--dirty"];
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
