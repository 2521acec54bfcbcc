// Promises that are rejected and that nobody waits for: Node ends the process for one.

interface Host {
  addEventListener?(type: string, listener: (event: PromiseRejectionEvent) => void): void;
  removeEventListener?(type: string, listener: (event: PromiseRejectionEvent) => void): void;
  process?: {
    on?(type: string, listener: (reason: unknown) => void): void;
    off?(type: string, listener: (reason: unknown) => void): void;
  };
}

/** Watches for them until it is told to stop, in both ways that hosts tell of them; Bun has both, and one that works. */
export class Rejections {
  readonly #host = globalThis as unknown as Host;
  #seen: unknown[] = [];
  readonly #told = (reason: unknown): void => void this.#seen.push(reason);
  readonly #heard = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    this.#seen.push(event.reason);
  };

  constructor() {
    this.#host.process?.on?.("unhandledRejection", this.#told);
    this.#host.addEventListener?.("unhandledrejection", this.#heard);
  }

  /** What came since it was asked last. Hosts tell of it when the queue of microtasks has run. */
  async since(milliseconds = 0): Promise<unknown[]> {
    await new Promise((done) => setTimeout(done, milliseconds));
    return this.#seen.splice(0);
  }

  stop(): void {
    this.#host.process?.off?.("unhandledRejection", this.#told);
    this.#host.removeEventListener?.("unhandledrejection", this.#heard);
  }
}
