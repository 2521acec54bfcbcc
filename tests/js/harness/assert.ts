/** Assertions without dependencies, for code that also runs in browsers and Workers. */

export class AssertionError extends Error {
  override name = "AssertionError";
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const text = typeof value === "string" ? JSON.stringify(value) : (stringify(value) ?? String(value));
  return text.length > 500 ? `${text.slice(0, 500)}...` : text;
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, member) => (typeof member === "bigint" ? `${member}n` : member));
  } catch {
    return undefined;
  }
}

function fail(message: string | undefined, detail: string): never {
  throw new AssertionError(message === undefined ? detail : `${message}: ${detail}`);
}

/** The value is truthy. */
export function ok(value: unknown, message?: string): asserts value {
  if (!value) fail(message, `expected a true value, got ${show(value)}`);
}

/** The values are the same (`Object.is`). */
export function equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!Object.is(actual, expected)) fail(message, `expected ${show(expected)}, got ${show(actual)}`);
}

/** The values have the same structure: own enumerable members, prototypes, array lengths, bytes. */
export function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  const path = difference(actual, expected, "value");
  if (path !== undefined) fail(message, `${path} differs: expected ${show(expected)}, got ${show(actual)}`);
}

/** Where two values differ, or undefined. */
function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  // Compared by name: an object may come from another realm, whose Object.prototype is not ours.
  if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return path;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return `the set of members of ${path}`;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return `${path}.${key}`;
    const found = difference(Reflect.get(a, key), Reflect.get(b, key), `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What an error must look like: each member given here is compared with the error's. */
export interface ExpectedError {
  code: string;
  claim?: string;
  reason?: string;
  status?: number;
  step?: string;
}

function check(error: unknown, expected: string | ExpectedError, message: string | undefined): void {
  const wanted = typeof expected === "string" ? { code: expected } : expected;
  if (!(error instanceof Error) || error.name !== "WaxsealError") {
    fail(message, `expected a WaxsealError with ${wanted.code}, got ${show(error)}`);
  }
  for (const [key, value] of Object.entries(wanted)) {
    const found: unknown = Reflect.get(error, key);
    if (!Object.is(found, value)) {
      fail(message, `expected ${key} ${show(value)}, got ${show(found)} (${error.message})`);
    }
  }
}

/** The call throws a `WaxsealError` with this code (and claim, reason, status, step where given). Returns the error. */
export function throws(fn: () => unknown, expected: string | ExpectedError, message?: string): Error {
  let value: unknown;
  try {
    value = fn();
  } catch (error) {
    check(error, expected, message);
    return error as Error;
  }
  return fail(message, `expected ${show(expected)} to be thrown, got the result ${show(value)}`);
}

/** The promise (or the promise that the call returns) rejects with a `WaxsealError` like this. Returns the error. */
export async function rejects(
  promise: Promise<unknown> | (() => Promise<unknown>),
  expected: string | ExpectedError,
  message?: string,
): Promise<Error> {
  let value: unknown;
  try {
    value = await (typeof promise === "function" ? promise() : promise);
  } catch (error) {
    check(error, expected, message);
    return error as Error;
  }
  return fail(message, `expected a rejection with ${show(expected)}, got the result ${show(value)}`);
}

/** The text contains the part. */
export function includes(text: string, part: string, message?: string): void {
  if (!text.includes(part)) fail(message, `expected ${show(text)} to contain ${show(part)}`);
}
