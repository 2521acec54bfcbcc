/** Signing in, staying signed in, signing out: what each route does with the sessions. */

import type { IncomingMessage } from "node:http";
import { type Sessions, type SignedIn, WaxsealError } from "waxseal";
import { errorReply, HttpError, readJson, type Reply, type Routes } from "./http.js";
import { identify } from "./identity.js";

const MAX_LOGIN_BYTES = 4096;

export function routesOf(sessions: Sessions, demoPassword: string): Routes {
  /** Takes `{ "username", "password" }` and sets both cookies. */
  async function login(request: IncomingMessage): Promise<Reply> {
    // Without this, another site could sign its visitor in to an account of its own choosing.
    sessions.checkCrossSite(request);
    const { username, password } = credentials(await readJson(request, MAX_LOGIN_BYTES));
    const subject = identify(username, password, demoPassword);
    if (subject === null) {
      const message = "The user name or the password is wrong.";
      throw new HttpError(401, "CREDENTIALS_WRONG", message, [["WWW-Authenticate", "Bearer"]]);
    }
    return signedIn(await sessions.login(subject, { request, label: labelOf(request) }));
  }

  /** Needs both cookies, and gives new tokens. When it fails it clears none: another tab may just have succeeded. */
  async function refresh(request: IncomingMessage): Promise<Reply> {
    return signedIn(await sessions.refresh(request));
  }

  /** Ends the session, found by its access cookie whether that has expired or not. */
  async function logout(request: IncomingMessage): Promise<Reply> {
    try {
      const { headers, ended } = await sessions.logout(request);
      return { headers, body: { signedOut: true, ended } };
    } catch (error) {
      // The end could not be written, which the status tells; this browser is signed out all the same.
      if (error instanceof WaxsealError && error.status === 503) return errorReply(error, error.clearingHeaders);
      throw error;
    }
  }

  /** Ends every session of whoever asks. */
  async function logoutEverywhere(request: IncomingMessage): Promise<Reply> {
    const { claims } = await authenticated(request);
    const { ended } = await sessions.logoutEverywhere(claims.sub);
    // Their session has ended with the others: this only clears the cookies.
    const { headers } = await sessions.logout(request);
    return { headers, body: { signedOut: true, ended } };
  }

  /** The sessions of whoever asks, theirs marked. */
  async function list(request: IncomingMessage): Promise<Reply> {
    const { claims, sessionId } = await authenticated(request);
    const all = await sessions.list(claims.sub);
    return { body: { sessions: all.map((one) => ({ ...one, current: one.sessionId === sessionId })) } };
  }

  /** Ends one session of whoever asks. Nobody can name another's: their own subject goes with it. */
  async function end(request: IncomingMessage, sessionId: string): Promise<Reply> {
    const { claims } = await authenticated(request);
    const { ended } = await sessions.end(claims.sub, sessionId);
    if (!ended) throw new HttpError(404, "SESSION_NOT_FOUND", "You have no live session with this identifier.");
    return { body: { ended } };
  }

  /** The guarded route. Takes the cookie, or `Authorization: Bearer`. */
  async function me(request: IncomingMessage): Promise<Reply> {
    const { claims, sessionId, source, revocation } = await authenticated(request);
    const { sub, iat, exp } = claims;
    return { body: { subject: sub, sessionId, issuedAt: iat, expiresAt: exp, source, revocation } };
  }

  /** The public keys, for everybody else who verifies the access tokens. */
  function jwks(): Reply {
    const headers = {
      "Content-Type": "application/jwk-set+json", // RFC 7517 section 8.5.2
      // Public and the same for everybody. A new key should be published this long before it signs anything.
      "Cache-Control": "public, max-age=300",
      "Access-Control-Allow-Origin": "*",
    };
    return { headers, body: sessions.jwks() };
  }

  const authenticated = (request: IncomingMessage) => sessions.authenticate(request);

  return [
    [/^\/api\/auth\/login$/, { POST: login }],
    [/^\/api\/auth\/refresh$/, { POST: refresh }],
    [/^\/api\/auth\/logout$/, { POST: logout }],
    [/^\/api\/auth\/logout-everywhere$/, { POST: logoutEverywhere }],
    [/^\/sessions$/, { GET: list }],
    [/^\/sessions\/([\w-]{1,64})$/, { DELETE: end }],
    [/^\/me$/, { GET: me }],
    [/^\/\.well-known\/jwks\.json$/, { GET: jwks }],
  ];
}

/** What a client may know of its new session; the tokens are in the cookies alone, out of reach of scripts. */
function signedIn({ sessionId, expiresAt, refreshAfter, headers }: SignedIn): Reply {
  return { headers, body: { sessionId, expiresAt, refreshAfter } };
}

/** What a session is listed as: the browser as it names itself. */
function labelOf({ headers }: IncomingMessage): string {
  return (headers["user-agent"] ?? "unknown").replace(/[^ -~]/g, "").slice(0, 100);
}

function credentials(body: unknown): { username: string; password: string } {
  if (typeof body === "object" && body !== null && "username" in body && "password" in body) {
    const { username, password } = body;
    if (typeof username === "string" && typeof password === "string") return { username, password };
  }
  throw new HttpError(400, "BODY_INVALID", 'Send {"username": "...", "password": "..."}.');
}
