/** The public types of sessions. Times are seconds since 1970-01-01T00:00:00Z, durations are seconds. */
import type { SigningCallback } from "../issuer.js";
import type { SessionStore } from "../stores/store.js";
import type { AuthenticateResult, Claims, JWK, Json, RequestLike, RevocationStore, VerifierEvent } from "../types.js";

/** A private key that signs tokens of sessions, as `createIssuer` takes it. Its public half must be known. */
export type SessionKey = JWK | string | Uint8Array | CryptoKey | SigningCallback;

/** What sessions report to `onEvent`. Nothing personal is in an event beyond subject and session. */
export type SessionEvent =
  | VerifierEvent
  /** A login gave out tokens. */
  | { type: "issued"; subject: string; sessionId: string }
  /** A refresh gave out tokens; without `rotated` they are of the generation that is current already. */
  | { type: "refreshed"; subject: string; sessionId: string; rotated: boolean }
  /** A refresh token was used again, and its session ended. */
  | {
      type: "reuse-detected";
      kind: "previous" | "older" | "other-client" | "rolled-back";
      subject: string;
      sessionId: string;
    }
  /** A session, or every session of a subject, was ended. */
  | { type: "revoked"; kind: "session" | "subject"; subject: string; sessionId?: string }
  /** Something was ended that the revocation store could not be told of. A later call, or `sweep`, tries again. */
  | { type: "revocation-pending"; subject: string }
  /** A request carried a second refresh cookie, which was not of its session: somebody planted it. */
  | { type: "duplicate-cookie"; subject: string; sessionId: string };

/** The options of `createSessions`. */
export interface SessionsOptions {
  /**
   * The private key of access tokens, or several keys: the first signs, all verify, and `jwks()` publishes them. Of those
   * after the first the public half is enough, a JWK or PEM. The forms are those of {@link IssuerOptions.key}.
   */
  keys: SessionKey | readonly SessionKey[];
  /**
   * The same of refresh tokens; default `keys`. Keys of their own are recommended: nobody else verifies
   * refresh tokens, so no JWK Set need publish them.
   */
  refreshKeys?: SessionKey | readonly SessionKey[];
  /** The value of `iss`. */
  issuer: string;
  /** The value of `aud` of access tokens. */
  audience: string | readonly string[];
  /** The origins whose pages may call login, refresh and logout, besides the server's own; `[]` for none. */
  origins: readonly string[];
  /** Where sessions are kept, such as `durableObjectStore(env.SESSIONS)` or `sqliteStore(database)`. */
  store: SessionStore;
  /** Where revocation entries are kept, so that ended sessions are refused without asking `store`; `null`: nowhere. */
  revocation: SessionRevocationOptions | null;
  /** Access tokens. */
  access?: {
    /** How long they live, in seconds; default 900, 1 to 86400. */
    expiresIn?: number;
    /** By which share of that they may live shorter, so that they do not all expire at once; default 0.05, 0 to 0.1. */
    jitter?: number;
  };
  /** Refresh tokens, and how long sessions live. */
  refresh?: {
    /** How long a session lives without a refresh, in seconds; default 604800 (7 days), at most 31536000 (a year). */
    expiresIn?: number;
    /** How long a session lives at most, in seconds; default 2592000 (30 days), at most 34560000 (400 days). */
    absolute?: number;
    /**
     * For how many seconds after a rotation whoever presents the token before it, or the new one, gets the new one again;
     * default 10, 0 to 60. With 0 every second use of a token ends the session.
     */
    grace?: number;
    /** The path of the route that refreshes, to which alone the refresh cookie is sent; default `"/auth/refresh"`. */
    path?: string;
    /** The value of `aud` of refresh tokens; default the issuer and `#refresh`. */
    audience?: string;
  };
  /** The cookies. */
  cookies?: {
    /** When requests from other sites carry them; default `"Strict"`. */
    sameSite?: "Strict" | "Lax" | "None";
    /** Other names than `__Host-access` and `__Secure-refresh`; they must keep the prefixes. */
    names?: { access?: string; refresh?: string };
    /**
     * Drops `Secure` and the prefixes, for development over plain http on this machine. Refused when `issuer` or one of
     * `origins` is not on this machine.
     */
    insecureDevelopmentMode?: boolean;
  };
  /** How many sessions a subject may have; a login beyond ends the oldest. Default 50, 1 to 100. */
  maxSessions?: number;
  /** What the reuse of a refresh token ends: its session (default), or every session of the subject. */
  onReuse?: "end-session" | "end-all";
  /**
   * Says which client a request is of, such as by its user agent. The grace window is then for the same client alone:
   * within it any other text, or none, is another client and ends the session. Answer alike for the same client.
   */
  client?: (request: Request | RequestLike | RefreshInput) => string | undefined;
  /**
   * The application's own check of claims, such as whether the user is still active: called by `authenticate`, and by
   * `refresh` before anything is written. Anything but `true` refuses; what it throws is thrown. It has to end by itself:
   * `timeout` does not bound it.
   */
  validate?: (claims: SessionClaims) => boolean | Promise<boolean>;
  /** How long all waiting of a call for `store` and for keys outside the module may take, in seconds; default 3, at most 30. */
  timeout?: number;
  /** Told of every outcome. What it throws is ignored. */
  onEvent?: (event: SessionEvent) => void;
  /** Replaces the clock, for tests. */
  clock?: () => number | Date;
}

/** Revocation as sessions write and check it. */
export interface SessionRevocationOptions {
  /** Where the entries are; a Workers KV namespace fits as it is. */
  store: RevocationStore;
  /** What `authenticate` does when the store fails: `"reject"` (default) or `"accept"`. */
  onFailure?: "reject" | "accept";
  /** How long all reads, or all writes, of a call may take together, in seconds; default 1, at most 30. */
  timeout?: number;
}

/** What the application is asked about: the session, and the claims that it was begun with. */
export interface SessionClaims {
  /** The subject. */
  sub: string;
  /** The session. */
  sid: string;
  [name: string]: unknown;
}

/** Options of a login. */
export interface LoginOptions {
  /**
   * The request that signs in. It must not come from another site, and a session that it carries is ended. Leave it out
   * for clients without cookies.
   */
  request?: Request | RequestLike;
  /** Claims for the access tokens of the session. Names that the session sets are refused. */
  claims?: { [name: string]: Json };
  /** What the session is listed as, such as the name of a device: at most 100 bytes in UTF-8. */
  label?: string;
}

/** A refresh token of a client without cookies. */
export interface RefreshInput {
  /** The token that the last login or refresh gave. */
  refreshToken: string;
}

/** What a login or a refresh gives. */
export interface SignedIn {
  /** The access token. */
  accessToken: string;
  /** The refresh token. */
  refreshToken: string;
  /** The session. */
  sessionId: string;
  /** When the access token expires. */
  expiresAt: number;
  /** After how many seconds the client should refresh: spread, so that clients do not come all at once. */
  refreshAfter: number;
  /**
   * `Set-Cookie` for both cookies, and `Cache-Control: no-store`. The refresh cookie is left out when the client has
   * presented this very token: an answer that comes late must not put it in the place of a newer one.
   */
  headers: Headers;
}

/** A request whose session is accepted. Its claims have `sub` and `sid` always. */
export interface SessionAuthenticateResult<C = Claims> extends AuthenticateResult<C & SessionClaims> {
  /** The session. */
  sessionId: string;
}

/** Options of {@link Sessions.authenticate}. */
export interface SessionAuthenticateOptions {
  /**
   * Asks the session store as well: a session that was ended is refused from that moment, and not only once the revocation
   * store shows it everywhere. Costs a read of the store.
   */
  strong?: boolean;
  /** The time; default now. */
  now?: number | Date;
}

/** What a logout gives. */
export interface SignedOut {
  /** `Set-Cookie` headers that clear both cookies, and `Cache-Control: no-store`. */
  headers: Headers;
  /** Whether the request carried a session that was live until now. */
  ended: boolean;
}

/** A session as it is listed. */
export interface ListedSession {
  /** Its identifier, for `end`. */
  sessionId: string;
  /** The time of the login. */
  createdAt: number;
  /** The time of the last rotation. */
  refreshedAt: number;
  /** When it ends unless it is refreshed. */
  expiresAt: number;
  /** What the login called it. */
  label?: string;
}
