import { optionInvalid } from "./error.js";
import { Exchange } from "./exchange.js";
import { Observer } from "./observer.js";
import { callOptions, type Clock, clockFrom, snapshot, take, withSeconds } from "./options.js";
import { coreWithSets, RemoteKeys } from "./remote/keys.js";
import { requestParts } from "./request.js";
import { readEntries, storeFrom, writeEntry } from "./revocation-store.js";
import { type ClaimsOf, ClaimsCheck, type StandardSchema } from "./schema.js";
import type {
  AuthenticateResult,
  CacheFigures,
  Claims,
  ProtectedHeader,
  RequestLike,
  RevocationState,
  RevocationStore,
  VerifierEvent,
  VerifierOptions,
  VerifyAsyncResult,
  VerifyOptions,
  VerifyResult,
} from "./types.js";
import { type Core, Handle, load, Once } from "./wasm.js";

/**
 * Makes a verifier. Keys are read and checked here, so a mistake in the configuration shows at once, and verification
 * itself is synchronous.
 *
 * @param options Which issuer, audience and keys are trusted, and what else to check. `issuer` and `audience` must be
 *   given, or be `null` to say that they are not checked. An unknown option is refused by name.
 * @throws WaxsealError `ERR_OPTION_INVALID`, `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`, `ERR_KEY_PRIVATE`,
 *   `ERR_KEY_SET_EMPTY`, `ERR_RUNTIME_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const verifier = await createVerifier({ keys: jwks, issuer: "https://id.example", audience: "https://api.example" });
 * const { claims } = verifier.verify(token);
 * ```
 */
export function createVerifier<Schema extends StandardSchema>(
  options: VerifierOptions<Schema> & { schema: Schema },
): Promise<Verifier<Schema>>;
// The last one is what `ReturnType<typeof createVerifier>` means.
export function createVerifier(options: VerifierOptions): Promise<Verifier>;
export async function createVerifier(options: unknown): Promise<Verifier> {
  await load();
  return new Verifier(options);
}

/**
 * Verifies tokens by the rules that it was made with. Made by {@link createVerifier}.
 *
 * With the option `schema`, `claims` is what the schema gives, and has its type. Without it, the type argument of a call is
 * what its caller says that tokens carry: only the claims that policy names are looked at.
 */
export class Verifier<Schema extends StandardSchema | undefined = undefined> implements Disposable {
  readonly #core: Handle<Core.CoreVerifier>;
  readonly #clock: Clock;
  readonly #store: RevocationStore | undefined;
  readonly #observer: Observer<VerifierEvent>;
  readonly #remote: RemoteKeys | undefined;
  readonly #schema: ClaimsCheck<Schema>;
  #exchange: Exchange | undefined;

  /** @internal */
  constructor(options: unknown) {
    const { taken, rest } = take(options, ["clock", "onEvent", "revocation", "schema"]);
    this.#clock = clockFrom(taken.clock);
    this.#observer = new Observer(taken.onEvent);
    this.#schema = new ClaimsCheck(taken.schema);
    if (taken.revocation !== undefined) {
      const revocation = take(taken.revocation, ["store"], "revocation");
      this.#store = storeFrom(revocation.taken.store);
      rest.revocation = revocation.rest;
    }
    const made = coreWithSets(rest, snapshot, this.#observer.replaced);
    this.#core = made.core;
    const { replaced } = this.#observer;
    const caller = { clock: this.#clock, emit: (event: VerifierEvent) => this.#observer.emit(event), replaced };
    if (made.sets.length > 0) this.#remote = new RemoteKeys(made, caller);
  }

  /**
   * Verifies a token, synchronously and without I/O: size, form, header, key, signature, claims and policy.
   *
   * @param token The compact serialization, three segments of base64url.
   * @param options `now` replaces the clock for this call.
   * @throws WaxsealError with the code of the first step that failed; `ERR_REVOCATION_NEEDS_ASYNC` on a verifier with
   *   `revocation`, which only {@link verifyAsync} can check; `ERR_KEY_SET_NEEDS_ASYNC` (503) where a key set at a URL has to be
   *   fetched first: it is being fetched then; with `schema` also `ERR_SCHEMA_MISMATCH`, `ERR_SCHEMA_FAILED` (503), and
   *   `ERR_SCHEMA_NEEDS_ASYNC` where it answers with a promise.
   */
  verify<C = Claims>(token: string, options?: VerifyOptions): VerifyResult<ClaimsOf<Schema, C>> {
    return this.#observer.reported(() => {
      const now = this.#now(options);
      const remote = this.#remote;
      const verified = remote === undefined ? this.#verify(token, now) : remote.now(() => this.#verify(token, now));
      const result = this.#schema.checked<C, VerifyResult<unknown>>(verified);
      this.#observer.emit({ type: "accepted", revocation: "not-checked" });
      return result;
    });
  }

  /**
   * Verifies a token as {@link verify} does, and asks the revocation store if there is one. The store is not read for a
   * token that fails before.
   *
   * @throws WaxsealError as {@link verify}; `ERR_TOKEN_REVOKED`; `ERR_REVOCATION_UNAVAILABLE` (503) when the store fails
   *   and the policy is to reject; `ERR_KEY_SET_UNAVAILABLE` (503), `ERR_KEY_SET_EMPTY` or `ERR_KEY_PRIVATE` when a key set at
   *   a URL could not be had; with `schema` also `ERR_SCHEMA_MISMATCH`, and `ERR_SCHEMA_FAILED` (503), at the latest after
   *   five seconds.
   */
  async verifyAsync<C = Claims>(
    token: string,
    options?: VerifyOptions,
  ): Promise<VerifyAsyncResult<ClaimsOf<Schema, C>>> {
    return this.#observer.reportedAsync(async () => {
      const now = this.#now(options);
      const store = this.#store;
      if (store === undefined) {
        const remote = this.#remote;
        const verified =
          remote === undefined ? this.#verify(token, now) : await remote.loaded(() => this.#verify(token, now));
        const { claims, header } = await this.#schema.checkedAsync<C, VerifyResult<unknown>>(verified);
        this.#observer.emit({ type: "accepted", revocation: "not-checked" });
        return { claims, header, revocation: "not-checked" };
      }
      const begin = (verifier: Core.CoreVerifier) => verifier.begin(this.#exchangeWith(verifier).write(token), now);
      const { source, ...result } = await this.#schema.checkedAsync<C, AuthenticateResult<unknown>>(
        await this.#decide(store, begin),
      );
      this.#observer.emit({ type: "accepted", revocation: result.revocation, source });
      return result;
    });
  }

  /**
   * Finds the token of a request, in `Authorization: Bearer` or in the configured cookie, and verifies it. An
   * `Authorization` header decides alone. An unsafe request that is authenticated by cookie must come from the same origin
   * or from one of `origins`.
   *
   * @param request A Fetch `Request`, or an object with `method` and `headers` such as Node's `IncomingMessage`.
   * @throws WaxsealError as {@link verifyAsync}; `ERR_CREDENTIALS_MISSING`, `ERR_AUTHORIZATION_MALFORMED`,
   *   `ERR_COOKIE_DUPLICATE`, `ERR_CROSS_SITE`. The error's `status` and `wwwAuthenticate` are what to answer.
   */
  async authenticate<C = Claims>(
    request: Request | RequestLike,
    options?: VerifyOptions,
  ): Promise<AuthenticateResult<ClaimsOf<Schema, C>>> {
    return this.#observer.reportedAsync(async () => {
      const now = this.#now(options);
      const parts = requestParts(request);
      const store = this.#store;
      const verified =
        store === undefined
          ? await this.#loaded(() => this.#authenticate(parts, now))
          : await this.#decide(store, (verifier) => verifier.begin_authenticate(parts, now));
      const result = await this.#schema.checkedAsync<C, AuthenticateResult<unknown>>(verified);
      const { revocation, source } = result;
      this.#observer.emit({ type: "accepted", revocation, source });
      return result;
    });
  }

  /**
   * Refuses a request that another site made the browser send. {@link authenticate} asks by itself, for unsafe requests
   * with a cookie. Ask at sign-in and sign-out: they change who is signed in, and do harm without a cookie too.
   *
   * The request must come from the same origin by its `Sec-Fetch-Site`, or from one of `origins` by its `Origin`.
   *
   * @param request As for {@link authenticate}. Its method does not matter.
   * @throws WaxsealError `ERR_CROSS_SITE`, also when the request does not say where it comes from
   */
  checkCrossSite(request: Request | RequestLike): void {
    this.#observer.reported(() => {
      const parts = requestParts(request);
      this.#core.use((verifier) => verifier.check_cross_site(parts));
    });
  }

  /**
   * Loads what has to be loaded before the first verification: key sets at URLs. Keys that were given as values need nothing.
   *
   * @throws WaxsealError `ERR_KEY_SET_UNAVAILABLE` (503), `ERR_KEY_SET_EMPTY`, `ERR_KEY_PRIVATE` for a set that could not be had
   */
  async ready(): Promise<void> {
    this.#core.use(() => undefined);
    await this.#remote?.ready();
  }

  /**
   * Revokes one token by its `jti`, until it would have expired.
   *
   * @param claims The claims of a verified token: `iss`, `jti` and `exp` are used.
   * @throws WaxsealError `ERR_REVOCATION_UNAVAILABLE` when the entry could not be written: then nothing is promised.
   */
  async revokeToken(claims: Claims): Promise<void> {
    await this.#revoke("token", () => {
      const now = this.#clock();
      return this.#core.use((verifier) => verifier.revoke_token(claims, now));
    });
  }

  /**
   * Revokes every token of a session, by their `sid`.
   *
   * @param sid The session's identifier.
   * @param options `issuer` says whose session it is, where the verifier trusts several issuers or checks none.
   * @throws WaxsealError `ERR_REVOCATION_UNAVAILABLE` when the entry could not be written.
   */
  async revokeSession(sid: string, options?: { issuer?: string }): Promise<void> {
    await this.#revoke("session", () => this.#core.use((verifier) => verifier.revoke_session(sid, options)));
  }

  /**
   * Revokes tokens of a subject: those issued up to a time, those of a lower token version (`ver`), or both. An earlier
   * entry is read first and never weakened.
   *
   * @param sub The subject.
   * @param options `before`: tokens whose `iat` is not later are refused (default now, unless `version` is given);
   *   `version`: tokens whose `ver` is lower are refused; `issuer` as with {@link revokeSession}.
   * @throws WaxsealError `ERR_REVOCATION_UNAVAILABLE` when the entry could not be read or written.
   */
  async revokeSubject(
    sub: string,
    options?: { before?: number | Date; version?: number; issuer?: string },
  ): Promise<void> {
    await this.#revoke("subject", async () => {
      const plain = options === undefined ? undefined : withSeconds(options, "before");
      const key = this.#core.use((verifier) => verifier.subject_key(sub, plain));
      const [existing] = await readEntries(this.#storeToWrite(), [key], this.#timeout());
      const now = this.#clock();
      return this.#core.use((verifier) => verifier.revoke_subject(sub, plain, existing, now));
    });
  }

  /**
   * What the cache of verified signatures has done, for operators to watch: how many signatures it remembers, how often one
   * was remembered, and how often one had to be verified. `undefined` without the option `cache`.
   */
  get cache(): CacheFigures | undefined {
    const figures = this.#core.use((verifier) => verifier.cache_figures());
    if (figures === undefined) return undefined;
    const [size, hits, misses] = figures;
    return { size, hits, misses };
  }

  /** Frees the verifier's memory; every later call throws `ERR_DISPOSED`. */
  dispose(): void {
    this.#core.dispose();
  }

  /** As {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The time of a call. Without options, which is most of the time, none are read. */
  #now(options: VerifyOptions | undefined): number {
    const [plain, clock] = callOptions(options, this.#clock);
    if (plain === undefined && typeof clock === "number") return clock;
    return this.#core.use((verifier) => verifier.time(plain, clock));
  }

  /** One call into the instance. No code of the caller's runs from the writing of the token to the reading of its claims. */
  #verify(token: string, now: number): VerifyResult<unknown> {
    const exchange = this.#core.use((verifier) => {
      const exchange = this.#exchangeWith(verifier);
      if (!verifier.verify(exchange.write(token), now)) throw verifier.fault();
      return exchange.answered();
    });
    return shown(exchange);
  }

  /** The same for the token of a request. */
  #authenticate(parts: ReturnType<typeof requestParts>, now: number): AuthenticateResult<unknown> {
    const exchange = this.#core.use((verifier) => {
      verifier.authenticate(parts, now);
      return this.#exchangeWith(verifier).answered();
    });
    const source = exchange.source() as "bearer" | "cookie";
    return { ...shown(exchange), revocation: "not-checked", source };
  }

  /** What is shared with the verifier in the instance, which is another one after a trap. */
  #exchangeWith(verifier: Core.CoreVerifier): Exchange {
    if (this.#exchange?.verifier !== verifier) this.#exchange = new Exchange(verifier);
    return this.#exchange;
  }

  async #decide(
    store: RevocationStore,
    begin: (verifier: Core.CoreVerifier) => Core.CorePending,
  ): Promise<AuthenticateResult<unknown>> {
    const begun = () => this.#core.use(begin);
    const pending = this.#once(await this.#loaded(begun, (unused) => this.#once(unused).dispose()));
    try {
      const keys = pending.use((check) => check.keys());
      const answers = await readEntries(store, keys, this.#timeout());
      const [claims, header, revocation, source] = pending.use((check) => check.decide(answers));
      return {
        claims: JSON.parse(claims),
        header: JSON.parse(header) as ProtectedHeader,
        revocation: revocation as RevocationState,
        source: source as "bearer" | "cookie",
      };
    } finally {
      pending.dispose();
    }
  }

  /** Runs a verification, after what it needs has been fetched. */
  async #loaded<T>(run: () => T, discard?: (result: T) => void): Promise<T> {
    return this.#remote === undefined ? run() : this.#remote.loaded(run, discard);
  }

  #timeout(): number {
    return this.#core.use((verifier) => verifier.store_timeout());
  }

  #storeToWrite(): RevocationStore {
    if (this.#store === undefined) throw optionInvalid("revocation.store is required to revoke.");
    return this.#store;
  }

  async #revoke(
    kind: "token" | "session" | "subject",
    plan: () => Core.EntryWrite | Promise<Core.EntryWrite>,
  ): Promise<void> {
    await this.#observer.reportedAsync(async () => {
      await writeEntry(this.#storeToWrite(), await plan(), this.#timeout());
      this.#observer.emit({ type: "revoked", kind });
    });
  }

  #once<T extends { free(): void }>(value: T): Once<T> {
    return new Once(value, this.#observer.replaced);
  }
}

/** What a caller is given of a token that was accepted. */
function shown(exchange: Exchange): VerifyResult<unknown> {
  return { claims: JSON.parse(exchange.claims()), header: exchange.header() };
}
