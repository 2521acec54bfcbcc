/** The one place that holds the WebAssembly instance: how it is called, what its errors become, and how it is replaced. */
import { isErrorDetails, WaxsealError } from "./error.js";
import { forget, type KeyParts } from "./key-parts.js";
import * as loader from "./load/state.js";
import type { InitInput } from "./load/input.js";
import type * as Core from "../dist/wasm/waxseal.js";

export type { Core };

/** Grows by one whenever an instance is replaced, so that a failure of an old instance does not end the new one. */
let generation = 0;

/** Whether the instance has trapped and is still to be replaced: on a stack that is full not even that succeeds. */
let trapped = false;

/** What is set in the instance itself and not in an object of it; an instance that replaces another is given it anew. */
let setting: ((module: typeof Core) => unknown) | undefined;

/** Told by every call that fails because the instance was replaced: which one it is now. */
export type ReplacedListener = (generation: number) => void;

/** Loads the module if that has not happened yet. */
export async function load(input?: InitInput): Promise<void> {
  try {
    await loader.ensure(input);
  } catch (thrown) {
    throw loadError(thrown);
  }
}

/** The loaded module; loads it on the spot where the host allows that. */
function core(): typeof Core {
  if (trapped) {
    try {
      replace();
    } catch {
      throw internal();
    }
  }
  try {
    return loader.ensureSync();
  } catch (thrown) {
    throw loadError(thrown);
  }
}

function loadError(thrown: unknown): WaxsealError {
  if (thrown instanceof loader.NotLoadedError) {
    return new WaxsealError({ code: "ERR_NOT_INITIALIZED", message: thrown.message });
  }
  if (thrown instanceof loader.ModuleInputError) {
    return new WaxsealError({ code: "ERR_OPTION_INVALID", message: thrown.message });
  }
  const message = thrown instanceof Error ? thrown.message : "the WebAssembly module did not load";
  return new WaxsealError({ code: "ERR_RUNTIME_UNSUPPORTED", message });
}

/** Calls the core. Its errors become `WaxsealError`s; a trap replaces the instance, so that the next call succeeds. */
export function call<T>(run: (module: typeof Core) => T, replaced?: ReplacedListener): T {
  const module = core();
  return within(generation, () => run(module), replaced);
}

/** Keeps what was set last, for instances to come. */
export function keepSetting(apply: (module: typeof Core) => unknown): void {
  setting = apply;
}

/** Runs something in the instance of a generation. */
function within<T>(of: number, run: () => T, replaced?: ReplacedListener): T {
  let result: T;
  try {
    result = run();
  } catch (thrown) {
    if (of !== generation) throw overtakenWithin(replaced);
    const error = translate(thrown, of);
    if (of !== generation) replaced?.(generation);
    throw error;
  }
  if (of !== generation) throw overtakenWithin(replaced);
  return result;
}

/**
 * The error of a call within which the instance was replaced: a getter among its arguments has called the library, and that
 * call has trapped. The old instance has gone on with the glue of the new one: what it gave back was read from another memory,
 * and what it let go of were values that the new one holds. So that one is replaced as well.
 */
function overtakenWithin(replaced: ReplacedListener | undefined): WaxsealError {
  abandon();
  return overtaken(replaced);
}

function replace(): void {
  loader.reset();
  setting?.(loader.ensureSync());
  trapped = false;
}

function translate(thrown: unknown, of: number): WaxsealError {
  if (isErrorDetails(thrown)) return new WaxsealError(thrown);
  if (thrown instanceof WaxsealError) return thrown;
  // Anything else is a trap, or a call to an object of an instance that trapped before.
  if (of === generation) abandon();
  return internal();
}

/** Puts a new instance in the place of one that cannot be trusted any more. */
function abandon(): void {
  generation += 1;
  trapped = true;
  try {
    replace();
  } catch {
    // The next call tries again.
  }
}

/** The error of a call whose instance was replaced meanwhile, by another one's failure. */
function overtaken(replaced: ReplacedListener | undefined): WaxsealError {
  replaced?.(generation);
  return internal();
}

function internal(): WaxsealError {
  return new WaxsealError({
    code: "ERR_INTERNAL",
    message: "The WebAssembly module failed. It has been replaced, and the next call will work; please report this.",
  });
}

/** The error of a call to what was disposed of. */
export function disposedOf(): WaxsealError {
  return new WaxsealError({ code: "ERR_DISPOSED", message: "This object was disposed of and cannot be used again." });
}

/** An object that lives in the instance. */
interface CoreObject {
  free(): void;
}

/**
 * An object in the instance together with what makes it again: after a trap it is made anew in the new instance when it
 * is next used.
 */
export class Handle<T extends CoreObject> {
  #make: ((module: typeof Core) => T) | undefined;
  #value: T | undefined;
  #generation = -1;
  readonly #replaced: ReplacedListener | undefined;
  readonly #keys: readonly (KeyParts | undefined)[];

  /** `keys` are what `make` makes it from: they are overwritten with it, also when it cannot be made. */
  constructor(
    make: (module: typeof Core) => T,
    replaced?: ReplacedListener,
    keys: readonly (KeyParts | undefined)[] = [],
  ) {
    this.#make = make;
    this.#replaced = replaced;
    this.#keys = keys;
    try {
      this.#current(replaced);
    } catch (thrown) {
      keys.forEach(forget);
      throw thrown;
    }
  }

  #current(replaced: ReplacedListener | undefined): T {
    if (this.#make === undefined) throw disposedOf();
    if (this.#value === undefined || this.#generation !== generation) {
      const make = this.#make;
      this.#value = call(make, replaced);
      this.#generation = generation;
    }
    return this.#value;
  }

  /** Uses the object, on behalf of its own listener or of another one; see {@link call}. */
  use<R>(run: (value: T) => R, replaced = this.#replaced): R {
    const value = this.#current(replaced);
    return within(this.#generation, () => run(value), replaced);
  }

  /** Frees the object's memory and forgets how to make it; a second call does nothing. */
  dispose(): void {
    this.#make = undefined;
    const value = this.#value;
    this.#value = undefined;
    if (value !== undefined) free(value, this.#generation, this.#replaced);
    this.#keys.forEach(forget);
  }
}

/** An object that serves one operation; it is not made again. */
export class Once<T extends CoreObject> {
  readonly #value: T;
  readonly #generation = generation;
  readonly #replaced: ReplacedListener | undefined;

  constructor(value: T, replaced?: ReplacedListener) {
    this.#value = value;
    this.#replaced = replaced;
  }

  /** Uses the object; see {@link call}. */
  use<R>(run: (value: T) => R): R {
    if (this.#generation !== generation) throw overtaken(this.#replaced);
    return within(this.#generation, () => run(this.#value), this.#replaced);
  }

  /** Frees the object's memory. */
  dispose(): void {
    free(this.#value, this.#generation, this.#replaced);
  }
}

function free(value: CoreObject, of: number, replaced: ReplacedListener | undefined): void {
  // Of an instance that is gone the memory is gone as well.
  if (of !== generation) return;
  try {
    within(of, () => value.free(), replaced);
  } catch {
    // Now that one is gone too, and the caller has what it wanted.
  }
}
