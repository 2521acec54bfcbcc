/** The figures that are given for a series of samples. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  /** All of them, in the order of the rounds. */
  readonly samples: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function summary(samples: readonly number[]): Summary {
  return { median: round(median(samples)), min: round(Math.min(...samples)), samples: samples.map(round) };
}

/** Position by position, the median of several series: what all of them went through, without the noise of each. */
export function medians(series: readonly (readonly number[])[]): number[] {
  return (series[0] ?? []).map((_, index) => median(series.map((values) => values[index] ?? Number.NaN)));
}

/** Four significant digits, and whole numbers as they are: more would be noise in the file of results. */
export function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
