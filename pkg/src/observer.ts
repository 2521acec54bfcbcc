/** Tells a listener of what happens. An observer must not decide whether somebody is signed in. */
import { unawaited } from "./deadline.js";
import { WaxsealError } from "./error.js";
import { optionalFunction } from "./options.js";
import type { VerifierEvent } from "./types.js";

/** What is reported of every call that fails, and of an instance that had to be replaced. */
type CommonEvent = Extract<VerifierEvent, { type: "rejected" | "instance-replaced" }>;

/** Reports to an `onEvent` option. */
export class Observer<E> {
  readonly #listener: ((event: E | CommonEvent) => unknown) | undefined;
  /** The instance of which was told last. */
  #instance = 0;

  constructor(option: unknown) {
    this.#listener = optionalFunction(option, "onEvent");
  }

  /** Reports an event. */
  emit(event: E | CommonEvent): void {
    if (this.#listener === undefined) return;
    try {
      unawaited(this.#listener(event));
    } catch {
      // What a listener throws is ignored, as is the rejection of an asynchronous one.
    }
  }

  /** Given to what is called in the WebAssembly instance. Tells once of each, however many calls have failed with it. */
  readonly replaced = (instance: number): void => {
    if (instance === this.#instance) return;
    this.#instance = instance;
    this.emit({ type: "instance-replaced" });
  };

  /** Runs something, and reports that it threw. */
  reported<T>(run: () => T): T {
    try {
      return run();
    } catch (thrown) {
      this.#rejected(thrown);
      throw thrown;
    }
  }

  /** As {@link reported}, for what is asynchronous. */
  async reportedAsync<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      this.#rejected(thrown);
      throw thrown;
    }
  }

  #rejected(thrown: unknown): void {
    if (thrown instanceof WaxsealError) this.emit({ type: "rejected", code: thrown.code, step: thrown.step });
  }
}
