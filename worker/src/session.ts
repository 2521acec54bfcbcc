/** Signing in, staying signed in, signing out: each handler calls one method of the sessions and answers with the result. */

import { type SignedIn, WaxsealError } from "waxseal";
import { readJson } from "./body.js";
import { type Env, sessionsOf } from "./config.js";
import { deviceOf } from "./device.js";
import { identify } from "./identity.js";
import { errorResponse, HttpError, json } from "./responses.js";

const MAX_LOGIN_BYTES = 4096;
const SESSION_PATH = "/sessions/";

/** `POST /api/auth/login` with `{ "username", "password" }`: begins a session and sets both cookies. */
export async function login(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  // Asked before the password is: another site must learn nothing from the answer, and take none of the tries.
  sessions.checkCrossSite(request);
  const { username, password } = credentials(await readJson(request, MAX_LOGIN_BYTES));
  const subject = await identify(username, password, env);
  if (subject === null) {
    throw new HttpError(401, "CREDENTIALS_WRONG", "The user name or the password is wrong.", {
      "WWW-Authenticate": "Bearer",
    });
  }
  return signedIn(await sessions.login(subject, { request, label: deviceOf(request) }));
}

/**
 * `POST /api/auth/refresh`: new tokens for the refresh cookie. A failure clears no cookie: an answer that comes late must
 * not sign out somebody who has just signed in again.
 */
export async function refresh(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  return signedIn(await sessions.refresh(request));
}

/** `POST /api/auth/logout`: ends the session of the request, if it has one, and clears both cookies. */
export async function logout(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  try {
    const { headers } = await sessions.logout(request);
    return json({ signedOut: true }, headers);
  } catch (error) {
    // This browser is signed out even if a store could not be told. Another site's request clears nothing.
    const store = error instanceof WaxsealError && error.status === 503;
    return errorResponse(error, store ? error.clearingHeaders : undefined);
  }
}

/** `POST /api/auth/logout-everywhere`: ends every session of the user, and clears the cookies of this one. */
export async function logoutEverywhere(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  const { claims } = await sessions.authenticate(request, { strong: true });
  try {
    await sessions.logoutEverywhere(claims.sub);
  } catch (error) {
    // Then every session is ended, but access tokens may live on until they expire: logout tries again to write the entry.
    if (!(error instanceof WaxsealError && error.code === "ERR_REVOCATION_UNAVAILABLE")) throw error;
  }
  // Nothing is left to be ended here: what is wanted are the headers.
  return logout(request, env);
}

/** `GET /me`: the guarded route. Takes the cookie, or `Authorization: Bearer`; `/me?strong` asks the session store too. */
export async function me(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  const strong = new URL(request.url).searchParams.has("strong");
  const { claims, sessionId, source, revocation } = await sessions.authenticate(request, { strong });
  const { sub: subject, iat: issuedAt, exp: expiresAt } = claims;
  return json({ subject, sessionId, issuedAt, expiresAt, source, revocation, strong });
}

/** `GET /sessions`: where the user is signed in, the oldest first. */
export async function listSessions(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  // Strong, or whoever stole an access token would go on seeing this after its session was ended.
  const { claims, sessionId } = await sessions.authenticate(request, { strong: true });
  const list = await sessions.list(claims.sub);
  return json({ sessions: list.map((session) => ({ ...session, current: session.sessionId === sessionId })) });
}

/** `DELETE /sessions/<id>`: ends a session of the user. That of somebody else is not found, for it is not looked for. */
export async function endSession(request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  const { claims, sessionId } = await sessions.authenticate(request, { strong: true });
  const id = new URL(request.url).pathname.slice(SESSION_PATH.length);
  if (id === sessionId) {
    return logout(request, env);
  }
  const { ended } = await sessions.end(claims.sub, id);
  if (!ended) {
    throw new HttpError(404, "SESSION_NOT_FOUND", "You have no live session with this identifier.");
  }
  return json({ ended });
}

/** `GET /.well-known/jwks.json`: the public half of the key of access tokens. */
export async function jwks(_request: Request, env: Env): Promise<Response> {
  const sessions = await sessionsOf(env);
  return json(sessions.jwks(), {
    "Content-Type": "application/jwk-set+json", // RFC 7517 section 8.5.2
    // Public and the same for everybody. A new key should be published this long before it signs anything.
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
  });
}

function signedIn({ sessionId, expiresAt, refreshAfter, headers }: SignedIn): Response {
  return json({ sessionId, expiresAt, refreshAfter }, headers);
}

function credentials(body: unknown): { username: string; password: string } {
  if (typeof body === "object" && body !== null && "username" in body && "password" in body) {
    const { username, password } = body;
    if (typeof username === "string" && typeof password === "string") {
      return { username, password };
    }
  }
  throw new HttpError(400, "BODY_INVALID", 'Send {"username": "...", "password": "..."}.');
}
