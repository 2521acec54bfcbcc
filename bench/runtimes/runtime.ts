import type { Batch } from "../lab.js";
import type { RuntimeName } from "../peers/peer.js";
import { median } from "../statistics.js";
import type { Fixture } from "../tokens.js";
import type { Cpus } from "./cpu.js";

/** What a batch took. */
export interface Timed {
  readonly elapsedMs: number;
  /** Of all threads of the runtime together; undefined where the machine does not tell. */
  readonly cpuMs: number | undefined;
}

/** A runtime that has been started in processes of its own. */
export interface Runtime {
  readonly name: RuntimeName;
  readonly version: string;
  /** Prepares the peers, and gives their names. */
  load(fixture: Fixture): Promise<readonly string[]>;
  /** Runs a batch. What it costs to ask for one is not in the times. */
  batch(batch: Batch): Promise<Timed>;
  close(): Promise<void>;
}

/** Starts a runtime on these CPUs, with or without jose's second self; gives a reason where it cannot be had. */
export type Start = (cpus: Cpus, control: boolean) => Promise<Runtime | { readonly missing: string }>;

const EMPTY: Batch = { peer: "", first: 0, count: 0, inFlight: 1 };
const EMPTY_BATCHES = 25;

/** Takes away from the times of batches what it costs to ask for one: the median of the last empty ones. */
export class Asking {
  readonly #run: (batch: Batch) => Promise<Timed>;
  #empty: Timed[] = [];

  constructor(run: (batch: Batch) => Promise<Timed>) {
    this.#run = run;
  }

  /** Makes enough empty batches for a median. */
  async settle(): Promise<void> {
    for (let i = 0; i < 2 * EMPTY_BATCHES; i++) await this.#ask();
  }

  async batch(batch: Batch): Promise<Timed> {
    // One more each time, for the machine does not stay as it was.
    await this.#ask();
    const { elapsedMs, cpuMs } = await this.#run(batch);
    const empty = this.#empty.map((timed) => timed.cpuMs ?? 0);
    return {
      elapsedMs: elapsedMs - median(this.#empty.map((timed) => timed.elapsedMs)),
      cpuMs: cpuMs === undefined ? undefined : cpuMs - median(empty),
    };
  }

  async #ask(): Promise<void> {
    this.#empty = [...this.#empty.slice(1 - EMPTY_BATCHES), await this.#run(EMPTY)];
  }
}
