/**
 * Takes options apart: what only JavaScript can hold (functions, stores, CryptoKeys, Dates) stays here, all the rest goes
 * to the core, which reads, checks and refuses it by name.
 */
import { unawaited } from "./deadline.js";
import { optionInvalid, WaxsealError } from "./error.js";

/** The options with some members set aside. */
export interface Parts {
  /** The members set aside. */
  taken: Record<string, unknown>;
  /** A shallow copy of all others. */
  rest: Record<string, unknown>;
}

/** Reads an options object once, own enumerable members only, and sets aside the members with the given names. */
export function take(options: unknown, names: readonly string[], label = "options"): Parts {
  if (!isObject(options)) throw optionInvalid(`${label} must be an object.`);
  // No prototype: a polluted Object.prototype must not supply an option that was not given.
  const taken: Record<string, unknown> = Object.create(null);
  const rest: Record<string, unknown> = Object.create(null);
  try {
    for (const name of Object.keys(options)) {
      const value: unknown = Reflect.get(options, name);
      if (names.includes(name)) taken[name] = value;
      else rest[name] = value;
    }
  } catch {
    throw optionInvalid(`Reading ${label} threw an exception.`);
  }
  return { taken, rest };
}

/**
 * A copy of data that is read again when an instance is replaced, so that what the caller changes meanwhile has no effect.
 * What cannot be copied is no data, and is given back for the core to refuse.
 */
export function snapshot<T>(data: T): T {
  try {
    return structuredClone(data);
  } catch {
    return data;
  }
}

/** A copy of the options in which a `Date` under `name` is seconds. */
export function withSeconds(options: unknown, name: string): Record<string, unknown> {
  const { rest } = take(options, []);
  if (rest[name] !== undefined) rest[name] = seconds(rest[name]);
  return rest;
}

/** A `Date` as seconds; anything else as it is, for the core to judge. */
export function seconds(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    // Works for a Date of another realm too (Jest, node:vm), and throws for whatever only calls itself one.
    return Date.prototype.getTime.call(value) / 1000;
  } catch {
    return value;
  }
}

/** Whether a value can have named members. */
export function isObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  try {
    return !Array.isArray(value);
  } catch {
    // A revoked proxy is not even asked what it is.
    return false;
  }
}

/** The options of a function of which the core sees none: those of the given names, and no other is let pass. */
export function onlyOptions(options: unknown, names: readonly string[]): Record<string, unknown> {
  const { taken, rest } = take(options, names);
  const [unknown] = Object.keys(rest);
  if (unknown === undefined) return taken;
  throw optionInvalid(`${JSON.stringify(unknown)} is not an option here; there are: ${names.join(", ")}.`);
}

/** A member of anything; `undefined` also of what cannot be asked for it. */
export function member(value: unknown, name: string): unknown {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  try {
    return Reflect.get(value, name);
  } catch {
    return undefined;
  }
}

/** Whether an object has methods of these names. */
export function hasMethods(value: unknown, names: readonly string[]): boolean {
  return typeof value === "object" && names.every((name) => typeof member(value, name) === "function");
}

/** More than these are no keys, and would only take long to copy. */
const MAX_LIST = 20_000;

/** What an array holds, or a single value as a list of one. */
export function listOf(value: unknown, name: string): unknown[] {
  try {
    return Array.isArray(value) && value.length <= MAX_LIST ? [...(value as unknown[])] : [value];
  } catch {
    throw optionInvalid(`Reading ${name} threw an exception.`);
  }
}

/** What kind of host object a value is, whatever realm made it; empty where that cannot be asked. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return "";
  }
}

/** An option that must be a function, if it is given. */
export function optionalFunction<F>(value: unknown, name: string): F | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "function") throw optionInvalid(`${name} must be a function.`);
  return value as F;
}

/** Reads the time, in seconds: `Date.now`, or the `clock` option in its place. */
export type Clock = () => unknown;

/** The clock to use. What it returns is judged by the core; that it throws is judged here. */
export function clockFrom(option: unknown): Clock {
  const clock = optionalFunction<() => unknown>(option, "clock");
  if (clock === undefined) return () => Date.now() / 1000;
  return () => {
    try {
      return seconds(unawaited(clock()));
    } catch {
      throw new WaxsealError({ code: "ERR_CLOCK_INVALID", message: "The clock option threw an exception." });
    }
  };
}

/** What a call with a `now` option gives to the core: the options without `Date`s, and the clock's time if it is needed. */
export function callOptions(options: unknown, clock: Clock): [options: unknown, clock: unknown] {
  if (options === undefined) return [undefined, clock()];
  const plain = withSeconds(options, "now");
  return [plain, plain.now === undefined ? clock() : undefined];
}
