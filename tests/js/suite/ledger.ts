// Verdicts against a vector file, by the rules of tests/support/ledger.rs and from the same tables: what is meant to differ
// stands in tests/vectors/divergences.json or wpt_divergences.json, how many cases come out how in tests/vectors/verdicts.json.

import divergences from "../../vectors/divergences.json" with { type: "json" };
import counted from "../../vectors/verdicts.json" with { type: "json" };
import cookieDivergences from "../../vectors/wpt_divergences.json" with { type: "json" };
import { deepEqual, equal } from "../harness/assert.js";
import type { Verdicts } from "../harness/types.js";

interface Row {
  readonly file: string;
  readonly reason: string;
  /** The cases that differ. */
  readonly cases?: readonly (string | number)[];
  /** Or how many: all of them accepted by the file and refused here. */
  readonly refused?: number;
}

const ROWS: readonly Row[] = [...(divergences.divergences as Row[]), ...cookieDivergences.divergences];

/** The verdicts on one file, or on one way to try it. */
export class Ledger {
  readonly #file: string;
  readonly #byCase = new Map<string, string>();
  readonly #wholesale: Row | undefined;
  readonly #diverged = new Map<string, number>();
  readonly #unexpected: string[] = [];
  #accepted = 0;
  #refused = 0;

  constructor(file: string) {
    this.#file = file;
    for (const row of ROWS.filter((each) => each.file === file)) {
      if (row.refused !== undefined) {
        equal(this.#wholesale, undefined, `${file}: two rows without cases`);
        this.#wholesale = row;
      }
      for (const id of row.cases ?? []) {
        equal(this.#byCase.has(String(id)), false, `${file}: case ${id} stands in two rows`);
        this.#byCase.set(String(id), row.reason);
      }
    }
  }

  /** Books one case: what the file expects and what we did. */
  case(id: string | number, expected: boolean, accepted: boolean): void {
    if (accepted) this.#accepted += 1;
    else this.#refused += 1;
    const reason = this.#byCase.get(String(id));
    this.#byCase.delete(String(id));
    if (expected === accepted) {
      if (reason !== undefined) this.#unexpected.push(`case ${id}: does not diverge, but has a row`);
      return;
    }
    const because = reason ?? (expected ? this.#wholesale?.reason : undefined);
    if (because === undefined) this.#unexpected.push(`case ${id}: expected ${expected}, got ${accepted}`);
    else this.#diverged.set(because, (this.#diverged.get(because) ?? 0) + 1);
  }

  /** The verdicts; fails on each that is not meant, on a row that was not met, and on counts other than the written ones. */
  finish(): Verdicts {
    deepEqual(this.#unexpected, [], this.#file);
    deepEqual([...this.#byCase.keys()], [], `${this.#file}: rows for cases that do not exist`);
    if (this.#wholesale !== undefined) {
      equal(this.#diverged.get(this.#wholesale.reason), this.#wholesale.refused, this.#wholesale.reason);
    }
    const verdicts: Verdicts = {
      file: this.#file,
      cases: this.#accepted + this.#refused,
      accepted: this.#accepted,
      refused: this.#refused,
      divergent: [...this.#diverged.values()].reduce((sum, count) => sum + count, 0),
    };
    const { where: _where, ...written } = counted.verdicts.find(({ file }) => file === this.#file) ?? { where: [] };
    deepEqual(verdicts, written, `the row of ${this.#file} in tests/vectors/verdicts.json`);
    return verdicts;
  }
}
