/** Bindings in, ready-made sessions out: built at the first request of an isolate and then reused. */

import { createSessions, type JWK, type SessionEvent, type Sessions } from "waxseal";
import { durableObjectStore, type SessionRecords } from "waxseal/stores/durable-object";
import { HttpError } from "./responses.js";

/** What `wrangler.jsonc` and `wrangler secret put` bind. Optional, because whoever deploys may have forgotten one. */
export interface Env {
  /** Secret: the private JWK, as JSON, that signs access tokens. Its public half is published. */
  WAXSEAL_PRIVATE_KEY?: string;
  /** Secret: the private JWK, as JSON, that signs refresh tokens. Nothing of it is published. */
  WAXSEAL_REFRESH_KEY?: string;
  /** Secret: the password of the demonstration accounts; goes away together with identity.ts. */
  DEMO_PASSWORD?: string;
  /** Durable Objects that hold the sessions, one object for each user. */
  SESSIONS?: DurableObjectNamespace<SessionRecords>;
  /** Workers KV namespace that holds the revocation entries. */
  REVOKED?: KVNamespace;
  /** The `iss` of the tokens. */
  ISSUER?: string;
  /** The `aud` of the access tokens. */
  AUDIENCE?: string;
  /** The origins whose pages may sign in, refresh and sign out, such as `["https://app.example"]`. */
  ORIGINS?: string[];
  /** Seconds that an access token lives; 900 when absent. */
  ACCESS_TOKEN_LIFETIME?: number | string;
  /** Seconds for which tabs that refresh together get the same token; 10 when absent. */
  REFRESH_GRACE?: number | string;
}

/** The route that refreshes: the only one to which browsers send the refresh cookie. */
export const REFRESH_PATH = "/api/auth/refresh";

let sessions: Sessions | undefined;

/**
 * The sessions of this isolate.
 *
 * What is kept is the result and never the promise: on Workers, a promise made by one request may not settle for
 * another. Should several first requests arrive together, each builds its own and one of them stays.
 */
export async function sessionsOf(env: Env): Promise<Sessions> {
  sessions ??= await createSessions({
    keys: privateKey(env, "WAXSEAL_PRIVATE_KEY"),
    refreshKeys: privateKey(env, "WAXSEAL_REFRESH_KEY"),
    issuer: required(env, "ISSUER", "vars in wrangler.jsonc"),
    audience: required(env, "AUDIENCE", "vars in wrangler.jsonc"),
    origins: required(env, "ORIGINS", "vars in wrangler.jsonc"),
    store: durableObjectStore(required(env, "SESSIONS", "durable_objects in wrangler.jsonc")),
    revocation: { store: required(env, "REVOKED", "kv_namespaces in wrangler.jsonc") },
    access: { expiresIn: seconds(env, "ACCESS_TOKEN_LIFETIME", 900) },
    refresh: { path: REFRESH_PATH, grace: seconds(env, "REFRESH_GRACE", 10) },
    onEvent: log,
  });
  return sessions;
}

/** Reads a binding, or says where it is set. */
export function required<Name extends keyof Env>(env: Env, name: Name, where: string): NonNullable<Env[Name]> {
  const value = env[name];
  if (value === undefined || value === null || value === "") {
    throw new HttpError(500, "MISCONFIGURED", `${name} is not set: ${where}. See worker/README.md.`);
  }
  return value;
}

function privateKey(env: Env, name: "WAXSEAL_PRIVATE_KEY" | "WAXSEAL_REFRESH_KEY"): JWK {
  const json = required(env, name, `npx wrangler secret put ${name}`);
  try {
    return JSON.parse(json) as JWK;
  } catch {
    // The parser's own message quotes its input, which here is a private key.
    throw new HttpError(500, "MISCONFIGURED", `${name} is not JSON: set it to a private JWK on one line.`);
  }
}

/** A number, or the text of one, as the dashboard gives it. Whether it is in range is for Waxseal to say. */
function seconds(env: Env, name: "ACCESS_TOKEN_LIFETIME" | "REFRESH_GRACE", otherwise: number): number {
  const value = env[name] ?? otherwise;
  if (!/^\d+$/.test(String(value))) {
    throw new HttpError(500, "MISCONFIGURED", `${name} is not a whole number of seconds: vars in wrangler.jsonc.`);
  }
  return Number(value);
}

/**
 * One line of JSON for each event but the most frequent, for Workers Logs to search and to alert on. It names subject and
 * session, and nothing else of a person. Counters in memory would be those of one isolate among many.
 */
function log(event: SessionEvent): void {
  if (event.type !== "accepted") console.log(JSON.stringify({ event }));
}
