/** What the build for proofs exports beside what is published; see src/bindings/proof.rs. */
export interface ProofModule {
  /** One byte, 0 or 1, for each case of a digest and a signature, 96 bytes; nothing for an unusable key. */
  prove_p256(hot: boolean, x: Uint8Array, y: Uint8Array, cases: Uint8Array): Uint8Array | undefined;
  /** The powers of operands as long as the modulus; nothing for an unusable key or operand. */
  prove_rsa(simd: boolean, modulus: Uint8Array, exponent: Uint8Array, operands: Uint8Array): Uint8Array | undefined;
}

/** A case in which two implementations disagree: all that is needed to try it again. */
export interface Mismatch {
  readonly path: string;
  readonly case: string;
}

/** Counts of cases by what was proven and how it came out. */
export class Tally {
  readonly counts: Record<string, Record<string, number>> = {};

  add(what: string, outcome: string, count = 1): void {
    const outcomes = (this.counts[what] ??= {});
    outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }

  merge(other: Record<string, Record<string, number>>): void {
    for (const [what, outcomes] of Object.entries(other)) {
      for (const [outcome, count] of Object.entries(outcomes)) this.add(what, outcome, count);
    }
  }

  total(what: string): number {
    return Object.values(this.counts[what] ?? {}).reduce((sum, count) => sum + count, 0);
  }
}
