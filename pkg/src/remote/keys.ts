/** The remote sets of one verifier: what each verification does about them. */
import { optionInvalid } from "../error.js";
import { isObject, take } from "../options.js";
import { type Core, Handle, type ReplacedListener } from "../wasm.js";
import { type Caller, Need, RemoteJwks, ROUNDS } from "./jwks.js";

/** How long a token whose key is known waits for a set that is past its life, in seconds. See `src/remote/mod.rs`. */
const PATIENCE = 1;

/** A verifier in the instance, and the sets that its keys come from. */
export interface CoreWithSets {
  readonly core: Handle<Core.CoreVerifier>;
  readonly sets: readonly RemoteJwks[];
}

/** Makes the verifier that the options describe. Remote sets among them are taken out, for they are no data. */
export function coreWithSets(
  options: Record<string, unknown>,
  snapshot: (data: Record<string, unknown>) => Record<string, unknown>,
  replaced?: ReplacedListener,
): CoreWithSets {
  const sets: RemoteJwks[] = [];
  const issuers: number[] = [];
  const rest = (from: Record<string, unknown>, place: number): Record<string, unknown> => {
    const { keys, ...others } = from;
    if (isList(keys) && keys.some(RemoteJwks.is)) {
      throw optionInvalid("keys must not have a set of remoteJwks in an array; give each issuer its own keys.");
    }
    if (!RemoteJwks.is(keys)) return from;
    sets.push(keys);
    issuers.push(place);
    return others;
  };
  const data = rest(options, 0);
  if (isList(data.issuers)) {
    data.issuers = data.issuers.map((entry, place) =>
      isObject(entry) ? rest(take(entry, [], `issuers[${place}]`).rest, place) : entry,
    );
  }
  const kept = snapshot(data);
  const core = new Handle((module) => {
    const verifier = new module.CoreVerifier(kept, new Uint32Array(issuers));
    sets.forEach((set, index) => set.attach(verifier, issuers[index] as number));
    return verifier;
  }, replaced);
  return { core, sets };
}

function isList(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value) && value.length >= 0;
  } catch {
    // The core refuses what cannot be read.
    return false;
  }
}

/** See the head of this file. */
export class RemoteKeys {
  readonly #core: Handle<Core.CoreVerifier>;
  readonly #sets: readonly RemoteJwks[];
  readonly #caller: Caller;

  constructor({ core, sets }: CoreWithSets, caller: Caller) {
    this.#core = core;
    this.#sets = sets;
    this.#caller = caller;
  }

  /** Loads every set that is missing or stale. */
  async ready(): Promise<void> {
    await Promise.all(this.#sets.map((set) => set.ready(this.#caller)));
  }

  /** Runs a verification that cannot wait. What it would have to wait for is fetched for the next one. */
  now<T>(run: () => T): T {
    const { outcome, need, set, stale } = this.#attempt(run);
    if (need !== Need.nothing) set?.refresh(this.#lacking(), this.#caller);
    if (need >= Need.wait) {
      this.#core.use((verifier) => {
        throw verifier.needs_async();
      });
    }
    return this.#decided(outcome, stale);
  }

  /** Runs a verification, as often as sets have to be fetched for it. */
  async loaded<T>(run: () => T, discard: (result: T) => void = () => undefined): Promise<T> {
    for (let round = 0; ; round++) {
      const { outcome, need, set, stale } = this.#attempt(run);
      if (need === Need.refresh) set?.refresh(undefined, this.#caller);
      if (need < Need.wait || round === ROUNDS) return this.#decided(outcome, stale);
      const lacking = this.#lacking();
      if ("result" in outcome) discard(outcome.result);
      await set?.load(lacking, this.#caller, need === Need.wait ? PATIENCE : undefined);
    }
  }

  /** Explains a token with the keys that there are. */
  explain(token: string, options: unknown, clock: unknown): unknown {
    const now = this.#caller.clock();
    return this.#core.use((verifier) => {
      verifier.renew(verifier.time(undefined, now));
      return verifier.explain(token, options, clock);
    });
  }

  #attempt<T>(run: () => T): Attempt<T> {
    const clock = this.#caller.clock();
    const now = this.#core.use((verifier) => {
      const time = verifier.time(undefined, clock);
      verifier.renew(time);
      return time;
    });
    let outcome: Outcome<T>;
    try {
      outcome = { result: run() };
    } catch (error) {
      outcome = { error };
    }
    const bits = this.#core.use((verifier) => verifier.need(now));
    const set = this.#sets[bits >> 3];
    return { outcome, need: bits & 3, set, stale: (bits & 4) === 0 ? undefined : set };
  }

  #decided<T>(outcome: Outcome<T>, stale: RemoteJwks | undefined): T {
    if (!("result" in outcome)) throw outcome.error;
    if (stale !== undefined) this.#caller.emit({ type: "keys-stale", host: stale.host(this.#caller) });
    return outcome.result;
  }

  #lacking(): string | undefined {
    return this.#core.use((verifier) => verifier.lacking());
  }
}

type Outcome<T> = { readonly result: T } | { readonly error: unknown };

interface Attempt<T> {
  readonly outcome: Outcome<T>;
  readonly need: number;
  readonly set: RemoteJwks | undefined;
  /** The set, if its keys are stale. */
  readonly stale: RemoteJwks | undefined;
}
