import { unawaited } from "../deadline.js";
import { optionInvalid, WaxsealError } from "../error.js";
import { forget, type KeyParts } from "../key-parts.js";
import { publicJwks } from "../keys.js";
import { Observer } from "../observer.js";
import { callOptions, clockFrom, isObject, listOf, optionalFunction, snapshot, take, type Clock } from "../options.js";
import { requestParts } from "../request.js";
import { readEntries, storeFrom, writable } from "../revocation-store.js";
import { publishable, type Sign, signingKey } from "../signer.js";
import type { Claims, JWK, JwkSet, ProtectedHeader, RequestLike, RevocationState } from "../types.js";
import { type Core, Handle, load, Once } from "../wasm.js";
import { drive, type Host, sessionStoreFrom, type Timeouts } from "./drive.js";
import type {
  ListedSession,
  LoginOptions,
  RefreshInput,
  SessionAuthenticateOptions,
  SessionAuthenticateResult,
  SessionClaims,
  SessionEvent,
  SessionsOptions,
  SignedIn,
  SignedOut,
} from "./types.js";

/**
 * Signs users in, and out again: access and refresh tokens in cookies, rotation with reuse detection, revocation.
 *
 * @param options Keys, names, and where sessions are kept. An unknown option is refused by name.
 * @throws WaxsealError `ERR_OPTION_INVALID`, also for a store that cannot compare and swap, such as a Workers KV namespace;
 *   `ERR_COOKIE_INVALID` for names and a path that no cookie can have; `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`,
 *   `ERR_KEY_WEAK`, `ERR_RUNTIME_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const sessions = await createSessions({
 *   keys: privateJwk,
 *   issuer: "https://app.example",
 *   audience: "https://app.example",
 *   origins: ["https://app.example"],
 *   store: durableObjectStore(env.SESSIONS),
 *   revocation: { store: env.REVOKED },
 * });
 * const { headers } = await sessions.login(userId, { request });
 * ```
 */
export async function createSessions(options: SessionsOptions): Promise<Sessions> {
  await load();
  const { taken, rest } = take(options, [
    "keys",
    "refreshKeys",
    "store",
    "revocation",
    "client",
    "validate",
    "onEvent",
    "clock",
  ]);
  const store = sessionStoreFrom(taken.store);
  let revocation: Host["revocation"];
  if (isObject(taken.revocation)) {
    const parts = take(taken.revocation, ["store"], "revocation");
    revocation = writable(storeFrom(parts.taken.store));
    rest.revocation = parts.rest;
  } else {
    rest.revocation = taken.revocation;
  }
  const parts: Omit<Parts, "host"> = {
    clock: clockFrom(taken.clock),
    client: optionalFunction(taken.client, "client"),
    validate: optionalFunction(taken.validate, "validate"),
    observer: new Observer(taken.onEvent),
  };
  const plain = snapshot(rest);
  const access = await keysOf(taken.keys, "keys");
  let refresh: Keys | undefined;
  try {
    if (taken.refreshKeys !== undefined) refresh = await keysOf(taken.refreshKeys, "refreshKeys");
  } catch (thrown) {
    forget(access.parts);
    throw thrown;
  }
  const core = new Handle(
    (module) => new module.CoreSessions(plain, access.pairs, refresh?.pairs ?? []),
    parts.observer.replaced,
    [access.parts, refresh?.parts],
  );
  const sign = [access.sign, refresh === undefined ? access.sign : refresh.sign] as const;
  return new Sessions(core, { ...parts, host: { store, revocation, sign } });
}

/** Keys as the core takes them: the first signs. */
interface Keys {
  pairs: [key: KeyParts | undefined, host: unknown][];
  /** What is secret of the first, where it signs in the module. */
  parts: KeyParts | undefined;
  /** How it signs outside of it. */
  sign: Sign | undefined;
}

/** Of each key what the core may see of it, and how the first signs if it does so outside the module. */
async function keysOf(option: unknown, name: string): Promise<Keys> {
  const list = listOf(option, name);
  if (option === undefined || list.length === 0) throw optionInvalid(`${name} is required: a private key, or several.`);
  const [first, ...others] = list;
  // The others verify: whether they could sign as well is not even looked at.
  const halves = publicJwks((await Promise.all(others.map(publishable))).flat() as JWK[]).keys;
  const { host, parts } = await signingKey(first);
  const pairs: Keys["pairs"] = [[parts, snapshot(host?.description)]];
  for (const publicKey of halves) pairs.push([undefined, { alg: publicKey.alg, kid: publicKey.kid, publicKey }]);
  return { pairs, parts, sign: host?.sign };
}

/** What belongs to the application. @internal */
interface Parts {
  host: Host;
  clock: Clock;
  client: SessionsOptions["client"];
  validate: SessionsOptions["validate"];
  observer: Observer<SessionEvent>;
}

/** Sessions by the options that they were made with. Made by {@link createSessions}. */
export class Sessions implements Disposable {
  readonly #core: Handle<Core.CoreSessions>;
  readonly #parts: Parts;
  readonly #timeouts: Timeouts;

  /** @internal */
  constructor(core: Handle<Core.CoreSessions>, parts: Parts) {
    this.#parts = parts;
    this.#core = core;
    const seconds = (name: "store_timeout" | "revocation_timeout"): number => this.#core.use((core) => core[name]());
    this.#timeouts = { store: seconds("store_timeout"), revocation: seconds("revocation_timeout") };
  }

  /**
   * Begins a session. Call it once the user's identity is known, and send its `headers` with the answer.
   *
   * @param subject Who signs in: an identifier that never changes, not an e-mail address.
   * @param options The request, claims for the access tokens, and what the session is listed as.
   * @throws WaxsealError `ERR_CROSS_SITE`; `ERR_STORE_UNAVAILABLE`, `ERR_SIGNER_FAILED`, `ERR_REVOCATION_UNAVAILABLE` (503);
   *   `ERR_ISSUE_CLAIMS`, `ERR_COOKIE_TOO_LARGE` when the claims cannot be put into tokens, or these into cookies
   */
  async login(subject: string, options: LoginOptions = {}): Promise<SignedIn> {
    return this.#observed(async () => {
      const { taken, rest } = take(options, ["request"]);
      const request = taken.request as LoginOptions["request"];
      const parts = request === undefined ? undefined : requestParts(request);
      const client = this.#client(request);
      const now = this.#parts.clock();
      return this.#signIn((core) => core.login(subject, rest, parts, client, now));
    });
  }

  /**
   * Finds the access token of a request, in `Authorization: Bearer` or in its cookie, and verifies it: signature, claims,
   * revocation, and the application's own `validate`. An unsafe request with a cookie must not come from another site.
   *
   * A session that was ended is refused as soon as the revocation store shows it: with Workers KV after about a minute,
   * and at once with `strong`.
   *
   * @throws WaxsealError as `Verifier.authenticate`; with `strong` also `ERR_SESSION_ENDED`, `ERR_STORE_UNAVAILABLE` (503);
   *   `ERR_CLAIMS_REFUSED`
   */
  async authenticate<C = Claims>(
    request: Request | RequestLike,
    options: SessionAuthenticateOptions = {},
  ): Promise<SessionAuthenticateResult<C>> {
    return this.#observed(async () => {
      const { taken, rest } = take(options, ["strong"]);
      if (taken.strong !== undefined && typeof taken.strong !== "boolean") {
        throw optionInvalid("strong must be true or false.");
      }
      const [plain, clock] = callOptions(rest, this.#parts.clock);
      const parts = requestParts(request);
      const pending = this.#once(this.#core.use((core) => core.authenticate(parts, plain, clock)));
      try {
        const { revocation } = this.#parts.host;
        const keys = pending.use((check) => check.keys());
        const answers = revocation === undefined ? [] : await readEntries(revocation, keys, this.#timeouts.revocation);
        const [claimsText, header, state, source] = pending.use((check) => check.decide(answers));
        if (taken.strong === true) await this.#drive(() => pending.use((check) => check.check()));
        const claims = JSON.parse(claimsText) as C & SessionClaims;
        await this.#validate(claims);
        const result = { revocation: state as RevocationState, source: source as "bearer" | "cookie" };
        this.#parts.observer.emit({ type: "accepted", ...result });
        return { claims, header: JSON.parse(header) as ProtectedHeader, sessionId: claims.sid, ...result };
      } finally {
        pending.dispose();
      }
    });
  }

  /**
   * Gives new tokens for a refresh token, and ends the session if the token was used before. Inside the grace window
   * every caller gets the same new refresh token, so tabs that refresh at once all stay signed in.
   *
   * A refresh that fails clears no cookie, and should not: `error.clearingHeaders` has the headers for who wants them.
   *
   * @param request A request with both cookies of a session, or `{ refreshToken }` of a client without cookies.
   * @throws WaxsealError `ERR_CROSS_SITE`, `ERR_CREDENTIALS_MISSING`, `ERR_SESSION_MISMATCH`, `ERR_SESSION_ENDED`,
   *   `ERR_TOKEN_EXPIRED`, `ERR_CLAIMS_REFUSED` and the codes of verification; `ERR_STORE_UNAVAILABLE` (503, with
   *   `retryAfter`), after which the same refresh may be tried again
   */
  async refresh(request: Request | RequestLike | RefreshInput): Promise<SignedIn> {
    return this.#observed(async () => {
      const client = this.#client(request);
      const token = refreshTokenOf(request);
      const parts = token === undefined ? requestParts(request) : undefined;
      const now = this.#parts.clock();
      return this.#signIn((core) =>
        parts === undefined ? core.refresh_with(token, client, now) : core.refresh(parts, client, now),
      );
    });
  }

  /**
   * Ends the session of a request, found by its access token, which may have expired. A request without a session is signed
   * out already: that is no error.
   *
   * @param request A request with an access token, or `{ refreshToken }` of a client without cookies.
   * @returns The headers that clear both cookies.
   * @throws WaxsealError `ERR_CROSS_SITE`; `ERR_STORE_UNAVAILABLE` when the end may not have been written, and
   *   `ERR_REVOCATION_UNAVAILABLE` when it was but access tokens may live on until they expire (503): send
   *   `error.clearingHeaders` with the answer all the same
   */
  async logout(request: Request | RequestLike | RefreshInput): Promise<SignedOut> {
    return this.#observed(async () => {
      const token = refreshTokenOf(request);
      const parts = token === undefined ? requestParts(request) : undefined;
      const now = this.#parts.clock();
      const call = this.#core.use((core) =>
        parts === undefined ? core.logout_with(token, now) : core.logout(parts, now),
      );
      const ended = call === undefined ? false : await this.#end(() => call);
      return { headers: this.#clearing(), ended };
    });
  }

  /**
   * Ends every session of a subject. No refresh succeeds from this moment; access tokens are refused as soon as the
   * revocation store shows it, and at once by `authenticate` with `strong`. A login that follows works at once.
   *
   * @returns Whether the subject had ever signed in.
   * @throws WaxsealError `ERR_STORE_UNAVAILABLE`, `ERR_REVOCATION_UNAVAILABLE` (503): not everything may have been done
   */
  async logoutEverywhere(subject: string): Promise<{ ended: boolean }> {
    return this.#observed(async () => {
      const now = this.#parts.clock();
      return { ended: await this.#end((core) => core.end_all(subject, now)) };
    });
  }

  /**
   * Ends one session of a subject.
   *
   * @param subject Whose session it is. Check that it is the caller's own.
   * @param sessionId As in {@link list}.
   * @returns Whether there was such a session, live until now.
   * @throws WaxsealError as {@link logoutEverywhere}
   */
  async end(subject: string, sessionId: string): Promise<{ ended: boolean }> {
    return this.#observed(async () => {
      const now = this.#parts.clock();
      return { ended: await this.#end((core) => core.end(subject, sessionId, now)) };
    });
  }

  /**
   * Writes the revocation entries of a subject that could not be written when something was ended. Every other call of the
   * subject tries that too.
   *
   * @returns Whether there were any.
   * @throws WaxsealError as {@link logoutEverywhere}
   */
  async sweep(subject: string): Promise<{ found: boolean }> {
    return this.#observed(async () => {
      const now = this.#parts.clock();
      return { found: await this.#end((core) => core.sweep(subject, now)) };
    });
  }

  /**
   * The live sessions of a subject, the oldest first.
   *
   * @throws WaxsealError `ERR_STORE_UNAVAILABLE`
   */
  async list(subject: string): Promise<ListedSession[]> {
    return this.#observed(async () => {
      const now = this.#parts.clock();
      const end = await this.#drive((core) => core.list(subject, now));
      return end[0] === "sessions" ? (JSON.parse(end[1]) as ListedSession[]) : [];
    });
  }

  /** As `Verifier.checkCrossSite`; login, refresh and logout ask by themselves. */
  checkCrossSite(request: Request | RequestLike): void {
    this.#parts.observer.reported(() => {
      const parts = requestParts(request);
      this.#core.use((core) => core.check_cross_site(parts));
    });
  }

  /** The public keys of access tokens, with `kid`, `use` and `alg`: what to serve at `/.well-known/jwks.json`. */
  jwks(): JwkSet {
    return JSON.parse(this.#core.use((core) => core.jwks())) as JwkSet;
  }

  /** Overwrites the keys, here and in the module, and frees the memory; every later call throws `ERR_DISPOSED`. */
  dispose(): void {
    this.#core.dispose();
  }

  /** As {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async #signIn(begin: (core: Core.CoreSessions) => Core.CoreCall): Promise<SignedIn> {
    const end = await this.#drive(begin);
    if (end[0] !== "released") throw new WaxsealError({ code: "ERR_INTERNAL", message: "A login gave no tokens." });
    const [, accessToken, refreshToken, sessionId, expiresAt, refreshAfter, setCookies] = end;
    return { accessToken, refreshToken, sessionId, expiresAt, refreshAfter, headers: headersWith(setCookies) };
  }

  async #end(begin: (core: Core.CoreSessions) => Core.CoreCall): Promise<boolean> {
    const end = await this.#drive(begin);
    return end[0] === "ended" && end[1];
  }

  async #drive(begin: (core: Core.CoreSessions) => Core.CoreCall): ReturnType<typeof drive> {
    const call = this.#once(this.#core.use(begin));
    try {
      const claims = call.use((running) => running.claims());
      if (claims !== undefined) await this.#validate(JSON.parse(claims) as SessionClaims);
      return await drive(call, this.#parts.host, this.#timeouts);
    } finally {
      for (const event of this.#events(call)) this.#parts.observer.emit(event);
      call.dispose();
    }
  }

  /** What a call has to report; nothing when its instance was replaced. */
  #events(call: Once<Core.CoreCall>): SessionEvent[] {
    try {
      return JSON.parse(call.use((running) => running.events())) as SessionEvent[];
    } catch {
      return [];
    }
  }

  async #validate(claims: SessionClaims): Promise<void> {
    const { validate } = this.#parts;
    if (validate === undefined || (await validate(claims)) === true) return;
    throw new WaxsealError({
      code: "ERR_CLAIMS_REFUSED",
      message: "The option validate did not answer true.",
      wwwAuthenticate:
        'Bearer error="invalid_token", error_description="The application\'s own check refused the claims."',
    });
  }

  #client(request: Request | RequestLike | RefreshInput | undefined): string | undefined {
    return request === undefined ? undefined : unawaited(this.#parts.client?.(request));
  }

  #once<T extends { free(): void }>(value: T): Once<T> {
    return new Once(value, this.#parts.observer.replaced);
  }

  #clearing(): Headers {
    return headersWith(this.#core.use((core) => core.clearing()));
  }

  #attachClearing(error: { clearingHeaders?: Headers }): void {
    try {
      error.clearingHeaders = this.#clearing();
    } catch {
      // Disposed of, or without an instance: the error says that itself.
    }
  }

  /** Reports what fails, and says with it how to clear the cookies. */
  async #observed<T>(run: () => Promise<T>): Promise<T> {
    return this.#parts.observer.reportedAsync(async () => {
      try {
        return await run();
      } catch (thrown) {
        if (thrown instanceof WaxsealError) this.#attachClearing(thrown);
        throw thrown;
      }
    });
  }
}

function refreshTokenOf(request: unknown): unknown {
  try {
    return isObject(request) && Object.hasOwn(request, "refreshToken")
      ? Reflect.get(request, "refreshToken")
      : undefined;
  } catch {
    throw optionInvalid("Reading the request threw an exception.");
  }
}

function headersWith(setCookies: string[]): Headers {
  const headers = new Headers();
  for (const line of setCookies) headers.append("Set-Cookie", line);
  // A shared cache that keeps this answer would hand one user's session to another (RFC 9111 section 5.2.2.5).
  headers.set("Cache-Control", "no-store");
  return headers;
}
