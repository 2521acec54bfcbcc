/** `remoteJwks`: a key set at a URL. When to fetch and what an answer means is decided by the core (`src/remote/`). */
import { FAILED, unawaited, within } from "../deadline.js";
import { optionInvalid } from "../error.js";
import { type Clock, isObject, optionalFunction, snapshot, take } from "../options.js";
import type { KeySetFailure, KeyStore, RemoteJwksOptions, VerifierEvent } from "../types.js";
import { type Core, disposedOf, Handle } from "../wasm.js";
import { type Fetcher, fetchSet, IN_BROWSER } from "./fetch.js";
import { Flight } from "./flight.js";

/** How long a store may take, in seconds: it is there to be faster than a fetch. */
const STORE_TIMEOUT = 1;

/** How often a call may come back to a set: to give up a fetch that has died, to begin another, and to look once more. */
export const ROUNDS = 4;

/** What a token needs of a set, as the core says it. */
export const Need = { nothing: 0, refresh: 1, wait: 2, load: 3 } as const;

/** On whose behalf something is fetched. */
export interface Caller {
  /** Its clock. */
  readonly clock: Clock;
  /** Tells of what comes of it. */
  readonly emit: (event: VerifierEvent) => void;
  /** Tells that the instance had to be replaced, and which one it is now. */
  readonly replaced?: (instance: number) => void;
}

/**
 * Keys that an issuer publishes at a URL, for `keys` of `createVerifier`. Nothing is fetched by this call, nor by
 * `createVerifier`: the first token that needs a key does, or `verifier.ready()`.
 *
 * The set is fetched again when it is no longer fresh, by its `Cache-Control` between `minAge` and `maxAge`, and for a `kid`
 * that it does not have, at most once in `cooldown` seconds. While it cannot be fetched, known keys are used for
 * `staleIfError` seconds more. Redirects are not followed. Several verifiers may share one set.
 *
 * @param url Where the set is: `https`, or `http` on a loopback host; no user name, no fragment.
 * @param options Bounds, all optional. They are checked by `createVerifier`.
 * @throws WaxsealError `ERR_OPTION_INVALID` for what is no function, store or header; the rest when a verifier is made
 *
 * @example
 * ```ts
 * const keys = remoteJwks("https://id.example/.well-known/jwks.json");
 * const verifier = await createVerifier({ keys, issuer: "https://id.example", audience: "https://api.example" });
 * const { claims } = await verifier.verifyAsync(token);
 * ```
 */
export function remoteJwks(url: string | URL, options: RemoteJwksOptions = {}): RemoteJwks {
  return new RemoteJwks(url, options);
}

/** A key set at a URL. Made by {@link remoteJwks}. */
export class RemoteJwks implements Disposable {
  /** Where the set is. */
  readonly url: string;
  readonly #options: Record<string, unknown>;
  readonly #headers: Headers;
  readonly #fetch: Fetcher | undefined;
  readonly #store: KeyStore | undefined;
  readonly #waitUntil: ((promise: Promise<unknown>) => void) | undefined;
  #core: Handle<Core.CoreRemoteSet> | undefined;
  #disposed = false;
  #flight: Flight | undefined;
  /** What does not change in the life of a set. */
  #facts: ReturnType<Core.CoreRemoteSet["facts"]> | undefined;
  /** What was fetched last, for an instance that replaces one that has trapped. */
  #kept: { readonly text: string; readonly clock: Clock } | undefined;

  /** @internal */
  constructor(url: unknown, options: unknown) {
    this.url = hrefOf(url) as string;
    const { taken, rest } = take(options, ["headers", "fetch", "waitUntil", "cache"]);
    this.#headers = headersFrom(taken.headers);
    this.#fetch = optionalFunction(taken.fetch, "fetch");
    this.#waitUntil = optionalFunction(taken.waitUntil, "waitUntil");
    if (taken.cache !== undefined) {
      const cache = take(taken.cache, ["store"], "cache");
      this.#store = storeFrom(cache.taken.store);
      rest.cache = cache.rest;
    }
    this.#options = snapshot(rest);
  }

  /** Whether a value is a set of this copy of the library; asks nothing of the value. @internal */
  static is(value: unknown): value is RemoteJwks {
    return isObject(value) && #headers in value;
  }

  /** Makes a verifier use the set for one of its issuers. @internal */
  attach(verifier: Core.CoreVerifier, issuer: number): void {
    this.#use((core) => verifier.attach(issuer, core));
  }

  /** Leaves a fetch to itself. @internal */
  refresh(unknown: string | undefined, caller: Caller): void {
    // Nobody may ever wait for a fetch whose request has ended.
    if (this.#flight !== undefined && !this.#at(caller, (core, now) => core.overdue(now))) return;
    this.#begin(unknown, caller);
  }

  /** Fetches, or joins the fetch under way, and waits for its end or for so many seconds. @internal */
  async load(unknown: string | undefined, caller: Caller, seconds?: number): Promise<void> {
    const flight = this.#flight;
    const end = flight === undefined ? this.#begin(unknown, caller).ended : this.#join(flight, caller);
    if (seconds === undefined) return end;
    await within(seconds, ({ attempt }) => attempt(() => end));
  }

  /** Loads what is missing or stale; throws if there are no keys then. @internal */
  async ready(caller: Caller): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      if (this.#at(caller, (core, now) => core.need(now)) === Need.nothing) break;
      await this.load(undefined, caller);
    }
    this.#at(caller, (core, now) => core.check(now));
  }

  /** The host of the URL, for events. @internal */
  host(caller: Caller): string {
    return this.#known(caller)[0];
  }

  /** Frees the set's memory. Verifiers that use it keep the keys that they have, and can fetch no others. */
  dispose(): void {
    this.#disposed = true;
    this.#core?.dispose();
  }

  /** As {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The module need not be loaded when a set is named, so its half of the set is made when it is first used. */
  #use<R>(run: (core: Core.CoreRemoteSet) => R, caller?: Caller): R {
    if (this.#disposed) throw disposedOf();
    this.#core ??= new Handle((module) => {
      const core = new module.CoreRemoteSet(this.url, this.#options);
      if (this.#kept !== undefined) core.restore(this.#kept.text, this.#kept.clock());
      return core;
    });
    return this.#core.use(run, caller?.replaced);
  }

  /** The same with the time, which is read before: the caller's clock may do anything, even dispose of the set. */
  #at<R>(caller: Caller, run: (core: Core.CoreRemoteSet, now: unknown) => R): R {
    const now = caller.clock();
    return this.#use((core) => run(core, now), caller);
  }

  #begin(unknown: string | undefined, caller: Caller): Flight {
    this.#at(caller, (core, now) => core.begin(unknown, now));
    const flight = new Flight(async () => {
      // Not before the flight is known to everybody.
      await Promise.resolve();
      try {
        await this.#fly(unknown, caller, () => this.#flight === flight);
      } finally {
        if (this.#flight === flight) {
          this.#flight = undefined;
          this.#use((core) => core.end(), caller);
        }
      }
    });
    this.#flight = flight;
    this.#outlive(flight.ended);
    return flight;
  }

  /** Asks the host to live until a promise has settled, and says whether it will. */
  #outlive(promise: Promise<unknown>): boolean {
    try {
      unawaited(this.#waitUntil?.(promise));
      return this.#waitUntil !== undefined;
    } catch {
      // No request is being served, say. The fetch goes on as if it had not been asked for.
      return false;
    }
  }

  /** Waits for a fetch that somebody else has begun. One that has died is given up; the core then says who fetches. */
  async #join(flight: Flight, caller: Caller): Promise<void> {
    if ((await flight.join()) || this.#flight !== flight) return;
    this.#flight = undefined;
    this.#at(caller, (core, now) => core.abandon(now));
  }

  async #fly(unknown: string | undefined, caller: Caller, current: () => boolean): Promise<void> {
    const { emit } = caller;
    const stored = await this.#restore(caller);
    if (!current()) return;
    if (stored?.[0] === true) this.#keep(caller);
    const etag = this.#at(caller, (core, now) => core.request(now));
    if (etag === undefined) {
      emit({ type: "keys-fetched", host: this.host(caller), source: "store", keys: stored?.[1] ?? 0 });
      return;
    }
    const headers = new Headers(this.#headers);
    // A browser has a cache of its own for that, and would ask the endpoint first whether it may send this header.
    if (etag !== "" && !IN_BROWSER) headers.set("If-None-Match", etag);
    const [, timeout, maxBytes] = this.#known(caller);
    const fetcher = this.#fetch ?? ((url, init) => globalThis.fetch(url, init));
    const answer = await fetchSet(fetcher, this.url, headers, { timeout, maxBytes });
    // What comes after others have given up on it counts for nothing: they have fetched for themselves.
    if (!current()) return;
    const outcome = this.#at(caller, (core, now) =>
      "timedOut" in answer ? core.failed(answer.timedOut, now) : core.answered(...answer, now),
    );
    if (typeof outcome === "string") {
      emit({ type: "keys-failed", host: this.host(caller), reason: outcome as KeySetFailure });
      return;
    }
    const [changed, keys] = outcome;
    this.#keep(caller);
    emit({ type: "keys-fetched", host: this.host(caller), source: "endpoint", keys });
    // Made-up kids must not make anybody write: what the store has is as good.
    if (changed || unknown === undefined || stored === undefined) await this.#save(caller);
  }

  #known(caller: Caller): ReturnType<Core.CoreRemoteSet["facts"]> {
    this.#facts ??= this.#use((core) => core.facts(), caller);
    return this.#facts;
  }

  #keep(caller: Caller): void {
    const copy = this.#use((core) => core.stored(true), caller);
    if (copy !== undefined) this.#kept = { text: copy[1], clock: caller.clock };
  }

  /** Reads the copy in the store: whether its keys are new here and how many there are, if it can be used at all. */
  async #restore(caller: Caller): Promise<[boolean, number] | undefined> {
    const store = this.#store;
    if (store === undefined) return undefined;
    const [, , , key] = this.#known(caller);
    const text = await within(STORE_TIMEOUT, ({ attempt }) => attempt(() => store.get(key)));
    const outcome = text === FAILED ? undefined : this.#at(caller, (core, now) => core.restore(text, now));
    return typeof outcome === "string" ? undefined : outcome;
  }

  /** Writes the copy to the store. A store that fails costs a later start its warmth, and nothing else. */
  async #save(caller: Caller): Promise<void> {
    const store = this.#store;
    const entry = store === undefined ? undefined : this.#use((core) => core.stored(false), caller);
    if (entry === undefined) return;
    const [key, text, expirationTtl] = entry;
    const written = within(STORE_TIMEOUT, ({ attempt }) => attempt(() => store?.put(key, text, { expirationTtl })));
    if (!this.#outlive(written)) await written;
  }
}

/** The text of a `URL`; anything else as it is, for the core to judge. */
function hrefOf(url: unknown): unknown {
  try {
    return url instanceof URL ? url.href : url;
  } catch {
    return url;
  }
}

function headersFrom(option: unknown): Headers {
  const headers = new Headers({ Accept: "application/json, application/jwk-set+json" });
  if (option === undefined) return headers;
  try {
    new Headers(option as HeadersInit).forEach((value, name) => headers.set(name, value));
    return headers;
  } catch {
    throw optionInvalid("headers must be Headers, or an object of header names and values.");
  }
}

function storeFrom(option: unknown): KeyStore {
  const store = isObject(option) ? (option as Partial<KeyStore>) : {};
  try {
    if (typeof store.get === "function" && typeof store.put === "function") return store as KeyStore;
  } catch {
    // A store that cannot be looked at is none.
  }
  throw optionInvalid(
    "cache.store must have methods get(key) and put(key, value, options), as a Workers KV namespace.",
  );
}
