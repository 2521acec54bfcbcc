/**
 * What clients of databases answer, judged: what is neither of the expected answers is a failure, since nobody knows what
 * it means. No message names a key or a record.
 */

/** A text, or `null` where the client says that there is none. */
export function textOrNull(answer: unknown, client: string): string | null {
  if (answer === null || typeof answer === "string") return answer;
  throw new Error(`${client} answered a read with something else than text.`);
}

/** The same, where absence is `undefined` or a row is an object with the text under `value`. */
export function valueOrNull(row: unknown, client: string): string | null {
  if (row === undefined || row === null) return null;
  return textOrNull(typeof row === "object" ? (Reflect.get(row, "value") ?? undefined) : undefined, client);
}

/** Whether one row, and no more, was written. */
export function oneOrNone(count: unknown, client: string): boolean {
  if (count === 1 || count === 1n) return true;
  if (count === 0 || count === 0n) return false;
  throw new Error(`${client} did not say whether it has written.`);
}

/** Whether it was written, where the client says so itself. */
export function trueOrFalse(answer: unknown, client: string): boolean {
  if (typeof answer === "boolean") return answer;
  throw new Error(`${client} did not say whether it has written.`);
}
