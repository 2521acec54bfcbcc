/** The page that is measured. */
import { type Batch, Lab } from "../lab.js";
import { everywhere } from "../peers/everywhere.js";
import type { Fixture } from "../tokens.js";

export interface Bench {
  load(fixture: Fixture, control: boolean): Promise<string[]>;
  /** Milliseconds. */
  batch(batch: Batch): Promise<number>;
}

let lab: Lab | undefined;

const bench: Bench = {
  async load(fixture, control) {
    lab ??= new Lab("chromium", everywhere(control));
    return await lab.load(fixture);
  },
  async batch(batch) {
    const start = performance.now();
    await lab?.batch(batch);
    return performance.now() - start;
  },
};

Object.assign(globalThis, { bench });
