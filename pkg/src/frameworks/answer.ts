/** What a server answers, the same for every framework. Nothing is decided here: statuses and header values are the errors' own. */
import { optionInvalid, type WaxsealError } from "../error.js";
import { onlyOptions, optionalFunction, take } from "../options.js";
import type { ClaimsOf, StandardSchema } from "../schema.js";
import type { Sessions } from "../sessions/sessions.js";
import type { LoginOptions, SessionAuthenticateResult, SignedIn } from "../sessions/types.js";
import type { AuthenticateResult, Claims, RequestLike } from "../types.js";
import type { Verifier } from "../verifier.js";

/** Who authenticates a request: a verifier, with or without a schema, or sessions. */
export type Authenticator = Verifier<StandardSchema | undefined> | Sessions;

/** The same where nothing is said of a schema. */
export type PlainAuthenticator = Verifier | Sessions;

/** What is known of a request that a guard let pass; of one that sessions have authenticated, `sessionId` as well. */
export type Authenticated<G extends Authenticator = Verifier> = G extends Sessions
  ? SessionAuthenticateResult
  : G extends Verifier<infer Schema>
    ? AuthenticateResult<ClaimsOf<Schema, Claims>>
    : AuthenticateResult;

/** Whom a login is for. */
export interface Identified extends Pick<LoginOptions, "claims" | "label"> {
  /** An identifier that never changes, not an e-mail address. */
  subject: string;
}

/** An identifier, the same with claims and a label, or nobody: then the answer is 401 and `LOGIN_REFUSED`. */
export type Identity = string | Identified | null | undefined;

/** Settings of a guard of sessions. */
export interface GuardSettings {
  /** With sessions: asks the session store as well, as `sessions.authenticate` does with `strong`. Default false. */
  strong?: boolean;
}

/** A status, headers, and what goes out as JSON. @internal */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/**
 * Whether something thrown is a refusal, which has an answer: a `WaxsealError` with any status but 500. Status 500 is a mistake
 * in the program or its configuration, which belongs on the framework's error path, where it is logged.
 */
export function isRefusal(thrown: unknown): thrown is WaxsealError {
  return isOurs(thrown) && thrown.status !== 500;
}

/** By name, for a program may have this class twice, from its ES modules and from its CommonJS. */
function isOurs(thrown: unknown): thrown is WaxsealError {
  try {
    return thrown instanceof Error && thrown.name === "WaxsealError";
  } catch {
    // What cannot be asked what it is, is not ours.
    return false;
  }
}

/** The options of a guard or of handlers. One that is misspelt is refused: it may be `strong`, and its check left out. @internal */
export function optionsOf<T extends object>(
  options: T,
  functions: readonly string[],
  others: readonly string[] = [],
): T {
  const taken = onlyOptions(options, [...functions, ...others]);
  for (const name of functions) optionalFunction(taken[name], name);
  return taken as T;
}

/** The answer to a refused request. The message stays here: it is for developers, and may name hosts. @internal */
export function refused(error: WaxsealError, headers: Headers = new Headers()): Answer {
  if (!isOurs(error)) throw optionInvalid("Only a WaxsealError has an answer; isRefusal tells which error is one.");
  headers.set("Cache-Control", "no-store");
  if (error.wwwAuthenticate !== undefined) headers.set("WWW-Authenticate", error.wwwAuthenticate); // RFC 6750 section 3
  if (error.retryAfter !== undefined) headers.set("Retry-After", `${error.retryAfter}`);
  return { status: error.status, headers, body: { error: error.code } };
}

/** @internal */
export async function authenticate<G extends Authenticator>(
  guard: G,
  request: Request | RequestLike,
  { strong }: GuardSettings,
): Promise<Authenticated<G>> {
  // A verifier refuses the option by its name, rather than leaving a check out.
  const options = strong === undefined ? undefined : { strong };
  return (await guard.authenticate(request, options)) as Authenticated<G>;
}

/** @internal */
export async function login(
  sessions: Sessions,
  request: Request | RequestLike,
  identify: () => Identity | Promise<Identity>,
): Promise<Answer> {
  // Before passwords are looked at: another site must not even guess them by its visitors' browsers.
  sessions.checkCrossSite(request);
  const identity = await identify();
  if (identity === null || identity === undefined) {
    // RFC 9110 section 15.5.2: 401 needs a challenge.
    const headers = new Headers({ "Cache-Control": "no-store", "WWW-Authenticate": "Bearer" });
    return { status: 401, headers, body: { error: "LOGIN_REFUSED" } };
  }
  const { taken, rest } = take(
    typeof identity === "string" ? { subject: identity } : identity,
    ["subject"],
    "identity",
  );
  return signedIn(await sessions.login(taken.subject as string, { ...rest, request }));
}

/** @internal */
export async function refresh(sessions: Sessions, request: Request | RequestLike): Promise<Answer> {
  return signedIn(await sessions.refresh(request));
}

/** Clears the cookies also when the end could not be written, as `Sessions.logout` asks. @internal */
export async function logout(sessions: Sessions, request: Request | RequestLike): Promise<Answer> {
  try {
    const { headers, ended } = await sessions.logout(request);
    return { status: 200, headers, body: { ended } };
  } catch (error) {
    if (isRefusal(error) && error.status === 503) return refused(error, error.clearingHeaders);
    throw error;
  }
}

/** When not all could be ended the cookies stay: without them the user could not try again. @internal */
export async function logoutEverywhere(sessions: Sessions, request: Request | RequestLike): Promise<Answer> {
  const { claims, source } = await sessions.authenticate(request, { strong: true });
  // Whatever the method that this is served under.
  if (source === "cookie") sessions.checkCrossSite(request);
  const { ended } = await sessions.logoutEverywhere(claims.sub);
  // The session has ended with the others: this only clears its cookies.
  const answer =
    source === "cookie"
      ? await logout(sessions, request)
      : { status: 200, headers: new Headers({ "Cache-Control": "no-store" }), body: undefined };
  return answer.status === 200 ? { ...answer, body: { ended } } : answer;
}

/** Public and the same for everybody. A new key should be published for as long before it signs anything. @internal */
export function jwks(sessions: Sessions): Answer {
  const headers = new Headers({
    "Content-Type": "application/jwk-set+json", // RFC 7517 section 8.5.2
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
  });
  return { status: 200, headers, body: sessions.jwks() };
}

/** What a page may know of its session; the tokens are in the cookies alone, out of reach of scripts. */
function signedIn({ sessionId, expiresAt, refreshAfter, headers }: SignedIn): Answer {
  return { status: 200, headers, body: { sessionId, expiresAt, refreshAfter } };
}

/** The body as text, with its type among the headers unless it has one. @internal */
export function bodyOf({ headers, body }: Answer): string {
  if (!headers.has("Content-Type")) headers.set("Content-Type", "application/json");
  return JSON.stringify(body);
}
