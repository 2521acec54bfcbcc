/** Tells a listener of what happens. An observer must not decide whether somebody is signed in. */
import { WaxsealError } from "./error.js";
import { optionalFunction } from "./options.js";
import type { VerifierEvent } from "./types.js";

/** What is reported of every call that fails, and of an instance that had to be replaced. */
type CommonEvent = Extract<VerifierEvent, { type: "rejected" | "instance-replaced" }>;

/** Reports to an `onEvent` option. */
export class Observer<E> {
  readonly #listener: ((event: E | CommonEvent) => unknown) | undefined;

  constructor(option: unknown) {
    this.#listener = optionalFunction(option, "onEvent");
  }

  /** Reports an event. */
  emit(event: E | CommonEvent): void {
    if (this.#listener === undefined) return;
    // What a listener throws is ignored, and so is the rejection of an asynchronous one: Node would end the process.
    try {
      const outcome: unknown = this.#listener(event);
      if (outcome instanceof Promise) outcome.catch(() => undefined);
    } catch {
      // Ignored, as said.
    }
  }

  /** Given to what is called in the WebAssembly instance. */
  readonly replaced = (): void => this.emit({ type: "instance-replaced" });

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
