/** What can be said on the command line: `make bench ARGS="--quick --only node"`. */
import { parseArgs } from "node:util";
import type { RuntimeName } from "./peers/peer.js";
import { type Suite, SUITES } from "./tokens.js";

/** How long and how often; these are part of the results. */
export interface Parameters {
  readonly rounds: number;
  /** How long each peer is measured in a round, in milliseconds; the pool of tokens may end it sooner. */
  readonly roundMs: number;
  /** How long a peer may take to become steady, in milliseconds. */
  readonly warmUpMs: number;
  /** How many fresh processes and isolates, of each kind. */
  readonly starts: number;
  /** How many verifications each of them gets to become fast. */
  readonly startVerifications: number;
  /** How many there are before memory is looked at. */
  readonly memoryVerifications: number;
  /** How long the profiler watches, in milliseconds. */
  readonly profileMs: number;
  readonly quick: boolean;
}

export interface Settings {
  readonly runtimes: readonly RuntimeName[];
  readonly suites: readonly Suite[];
  readonly parameters: Parameters;
  readonly control: boolean;
  readonly targets: boolean;
  readonly readme: boolean;
  /** The table is made from the last run. */
  readonly again: boolean;
}

const RUNTIMES: readonly RuntimeName[] = ["node", "workerd", "chromium"];

const HELP = `make bench ARGS="..."

Verification beside its peers, on Node, workerd and in Chromium. The table goes to the terminal, and with every sample to
target/bench/results.json. It takes about ten minutes; nothing else should run meanwhile.

  --only RUNTIME   node, workerd or chromium; may be given more than once
  --alg NAME       ${SUITES.map(({ name }) => name).join(", ")}; may be given more than once
  --rounds N       how often each peer is measured (default 9)
  --quick          few, short rounds on one CPU: says whether everything works, and little about speed
  --control        adds a second jose, whose ratio to the first shows the noise
  --targets        says which of the targets of this repository are reached
  --readme         writes the README's section on speed too
  --again          measures nothing: prints the table, targets and README from the results of the last run
  --help`;

/** Undefined when there is nothing to run: help was wanted, or an option is wrong. */
export function readOptions(args: readonly string[]): Settings | undefined {
  try {
    return parse(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exitCode = 2;
    return undefined;
  }
}

function parse(args: readonly string[]): Settings | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      alg: { type: "string", multiple: true },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      control: { type: "boolean", default: false },
      targets: { type: "boolean", default: false },
      readme: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const { quick, control, targets, readme, again } = values;
  const suites = chosen("--alg", SUITES, values.alg, ({ name }) => name);
  const rounds = Number(values.rounds ?? (quick ? 3 : 9));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds is a number of rounds");
  return {
    runtimes: chosen("--only", RUNTIMES, values.only, (name) => name),
    suites: quick ? suites.map((suite) => ({ ...suite, pool: suite.pool / 8 })) : suites,
    parameters: {
      rounds,
      roundMs: quick ? 20 : 50,
      warmUpMs: quick ? 100 : 1500,
      starts: quick ? 1 : 9,
      startVerifications: quick ? 400 : 3000,
      memoryVerifications: quick ? 400 : 10_000,
      profileMs: quick ? 400 : 4000,
      quick,
    },
    control,
    targets,
    readme,
    again,
  };
}

function chosen<T>(
  option: string,
  all: readonly T[],
  names: readonly string[] | undefined,
  name: (value: T) => string,
): readonly T[] {
  if (names === undefined) return all;
  const known = all.map(name);
  for (const wanted of names) {
    if (!known.includes(wanted)) throw new Error(`${option} is one of ${known.join(", ")}, not ${wanted}`);
  }
  return all.filter((value) => names.includes(name(value)));
}
