/** Bindings in, ready-made verifier and issuer out: built at the first request of an isolate and then reused. */

import { createIssuer, createVerifier, type Issuer, type JWK, type Verifier } from "waxseal";
import { HttpError } from "./responses.js";

/** What `wrangler.jsonc` and `wrangler secret put` bind. Optional, because whoever deploys may have forgotten one. */
export interface Env {
  /** Secret: the private JWK, as JSON, that signs access tokens. */
  WAXSEAL_PRIVATE_KEY?: string;
  /** Secret: the password of the demonstration account; goes away together with identity.ts. */
  DEMO_PASSWORD?: string;
  /** Workers KV namespace that holds the revocation entries. */
  REVOKED?: KVNamespace;
  /** The `iss` of the tokens. */
  ISSUER?: string;
  /** The `aud` of the tokens. */
  AUDIENCE?: string;
  /** The origins whose pages may sign in and out, such as `["https://app.example"]`. */
  ORIGINS?: string[];
}

/** The parts that handlers need. */
export interface Auth {
  verifier: Verifier;
  issuer: Issuer;
}

/** Seconds that an access token lives. Revocation on Workers KV takes about a minute to be seen, so minutes, not days. */
export const ACCESS_TOKEN_LIFETIME = 15 * 60;

/** Seconds by which the clocks of two data centres may differ. */
const CLOCK_TOLERANCE = 5;

/** The cookie that holds the access token, described once: clearing a cookie must repeat what it was set with. */
export const ACCESS_COOKIE = {
  name: "__Host-access",
  httpOnly: true,
  secure: true,
  sameSite: "Strict",
  path: "/",
} as const;

let auth: Auth | undefined;

/**
 * The verifier and issuer of this isolate.
 *
 * What is kept is the result and never the promise: on Workers, a promise made by one request may not settle for
 * another. Should several first requests arrive together, each builds its own and one of them stays.
 */
export async function authOf(env: Env): Promise<Auth> {
  auth ??= await createAuth(env);
  return auth;
}

async function createAuth(env: Env): Promise<Auth> {
  const issuerName = required(env, "ISSUER", "vars in wrangler.jsonc");
  const audience = required(env, "AUDIENCE", "vars in wrangler.jsonc");
  const origins = required(env, "ORIGINS", "vars in wrangler.jsonc");
  const store = required(env, "REVOKED", "kv_namespaces in wrangler.jsonc");

  const issuer = await createIssuer({
    key: readKey(required(env, "WAXSEAL_PRIVATE_KEY", "npx wrangler secret put WAXSEAL_PRIVATE_KEY")),
    issuer: issuerName,
    audience,
    expiresIn: ACCESS_TOKEN_LIFETIME,
    typ: "at+jwt",
  });
  const verifier = await createVerifier({
    keys: issuer.jwks(),
    issuer: issuerName,
    audience,
    typ: "at+jwt",
    requiredClaims: ["sub", "sid", "jti", "iat"],
    clockTolerance: CLOCK_TOLERANCE,
    cookie: ACCESS_COOKIE.name,
    origins,
    revocation: { store, onFailure: "reject", tokenLifetime: ACCESS_TOKEN_LIFETIME + CLOCK_TOLERANCE },
  });
  return { verifier, issuer };
}

/** Reads a binding, or says where it is set. */
export function required<Name extends keyof Env>(env: Env, name: Name, where: string): NonNullable<Env[Name]> {
  const value = env[name];
  if (value === undefined || value === null || value === "") {
    throw new HttpError(500, "MISCONFIGURED", `${name} is not set: ${where}. See worker/README.md.`);
  }
  return value;
}

function readKey(json: string): JWK {
  try {
    return JSON.parse(json) as JWK;
  } catch {
    // The parser's own message quotes its input, which here is a private key.
    throw new HttpError(500, "MISCONFIGURED", "WAXSEAL_PRIVATE_KEY is not JSON: set it to a private JWK on one line.");
  }
}
