/** Signing in, asking who is signed in, signing out, and the public key for everybody else who verifies the tokens. */

import { serializeClearCookie, serializeSetCookie, WaxsealError } from "waxseal";
import { readJson } from "./body.js";
import { ACCESS_COOKIE, ACCESS_TOKEN_LIFETIME, authOf, type Env } from "./config.js";
import { identify } from "./identity.js";
import { errorResponse, HttpError, json } from "./responses.js";

const MAX_LOGIN_BYTES = 4096;

/** `POST /api/auth/login` with `{ "username", "password" }`: sets the access cookie. */
export async function login(request: Request, env: Env): Promise<Response> {
  const { verifier, issuer } = await authOf(env);
  // Without this, another site could sign its visitor in to an account of its own choosing.
  verifier.checkCrossSite(request);

  const { username, password } = credentials(await readJson(request, MAX_LOGIN_BYTES));
  const subject = await identify(username, password, env);
  if (subject === null) {
    throw new HttpError(401, "CREDENTIALS_WRONG", "The user name or the password is wrong.", {
      "WWW-Authenticate": "Bearer",
    });
  }

  // `iss`, `aud`, `iat`, `exp` and a random `jti` are the issuer's.
  const token = await issuer.issue({ sub: subject, sid: crypto.randomUUID() });
  const cookie = serializeSetCookie({ ...ACCESS_COOKIE, value: token, maxAge: ACCESS_TOKEN_LIFETIME });
  return json({ subject, expiresIn: ACCESS_TOKEN_LIFETIME }, { headers: { "Set-Cookie": cookie } });
}

/** `GET /me`: the guarded route. Takes the cookie, or `Authorization: Bearer`. */
export async function me(request: Request, env: Env): Promise<Response> {
  const { verifier } = await authOf(env);
  const { claims, source, revocation } = await verifier.authenticate(request);
  return json({
    subject: claims.sub,
    session: claims.sid,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    source,
    revocation,
  });
}

/** `POST /api/auth/logout`: writes the revocation entries and clears the cookie. */
export async function logout(request: Request, env: Env): Promise<Response> {
  const { verifier } = await authOf(env);
  // Before anything else, so that another site cannot sign its visitor out.
  verifier.checkCrossSite(request);

  const headers = { "Set-Cookie": serializeClearCookie(ACCESS_COOKIE) };
  try {
    const { claims } = await verifier.authenticate(request);
    await Promise.all([verifier.revokeToken(claims), verifier.revokeSession(String(claims.sid))]);
  } catch (error) {
    // No token, or one that is expired or revoked already: there is nothing to end, and signing out succeeds. Any other
    // failure is told, because the token still works for whoever has a copy of it.
    const nothingToEnd = error instanceof WaxsealError && error.status === 401;
    if (!nothingToEnd) {
      return errorResponse(error, headers);
    }
  }
  return json({ signedOut: true }, { headers });
}

/** `GET /.well-known/jwks.json`: the public half of the signing key. */
export async function jwks(_request: Request, env: Env): Promise<Response> {
  const { issuer } = await authOf(env);
  return json(issuer.jwks(), {
    headers: {
      "Content-Type": "application/jwk-set+json", // RFC 7517 section 8.5.2
      // Public and the same for everybody. A new key should be published this long before it signs anything.
      "Cache-Control": "public, max-age=300",
      "Access-Control-Allow-Origin": "*",
    },
  });
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
