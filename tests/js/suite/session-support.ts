// What the tests of sessions share: a server with a clock and stores of its own, and browsers that talk to it.

import type { RequestLike, SessionEvent, SessionStore, Sessions, SignedIn } from "waxseal";
import type { Library } from "../harness/types.js";
import { MemoryStore, entryKey } from "./memory-store.js";
import { AUDIENCE, ISSUER, NOW, ec, otherEc } from "./support.js";

export const APP = "https://app.example";
export const ALICE = "alice";

/** A session as its record has it. */
export interface RecordedSession {
  sid: string;
  gen: number;
  born: number;
  at: number;
  exp: number;
  end: number;
  ver: number;
  ended?: number;
  pending?: boolean;
  client?: string;
  label?: string;
}

/** What is stored of a subject. */
export interface Recorded {
  wx: number;
  version: number;
  sessions: RecordedSession[];
}

/** A session store in memory that remembers what it was asked. */
export class Records implements SessionStore {
  readonly texts = new Map<string, string>();
  readonly asked: ("read" | "swap")[] = [];
  readonly written: { key: string; text: string; expiresAt: number }[] = [];

  async read(key: string): Promise<string | null> {
    this.asked.push("read");
    return this.texts.get(key) ?? null;
  }

  async compareAndSwap(key: string, expected: string | null, next: string, expiresAt: number): Promise<boolean> {
    this.asked.push("swap");
    if ((this.texts.get(key) ?? null) !== expected) return false;
    this.texts.set(key, next);
    this.written.push({ key, text: next, expiresAt });
    return true;
  }

  /** The text of a subject's record. */
  async text(subject = ALICE): Promise<string | undefined> {
    return this.texts.get(await entryKey("sessions", ISSUER, subject));
  }

  /** The record of a subject, which must be there. */
  async of(subject = ALICE): Promise<Recorded> {
    return JSON.parse((await this.text(subject)) ?? "null") as Recorded;
  }

  /** A store with the same records, to try something that must leave these alone. */
  copy(): Records {
    const copy = new Records();
    for (const [key, text] of this.texts) copy.texts.set(key, text);
    return copy;
  }
}

/** An operation of a store. */
export type Operation = "read" | "swap" | "get" | "put";

/** Comes around every operation of both stores. What it returns, throws or never answers is what the library sees. */
export type Around = (operation: Operation, run: () => Promise<unknown>) => unknown;

/** Both stores as the library is given them, with something around every operation; `on` may be given others later. */
export function around(
  on: { readonly records: Records; readonly revoked: MemoryStore },
  wrap: Around,
): { store: object; revocation: object } {
  return {
    store: {
      read: (key: string) => wrap("read", () => on.records.read(key)),
      compareAndSwap: (...given: Parameters<Records["compareAndSwap"]>) =>
        wrap("swap", () => on.records.compareAndSwap(...given)),
    },
    revocation: {
      get: (key: string) => wrap("get", () => on.revoked.get(key)),
      put: (...given: Parameters<MemoryStore["put"]>) => wrap("put", () => on.revoked.put(...given)),
    },
  };
}

/** A server. */
export interface Server {
  readonly sessions: Sessions;
  readonly records: Records;
  readonly revoked: MemoryStore;
  readonly events: SessionEvent[];
  /** Its time, which stands still until it is set. */
  readonly clock: { now: number };
}

/** What a server may have from another one, so that two of them are two isolates of one deployment. */
type Shared = Partial<Pick<Server, "records" | "revoked" | "clock">>;

/** A server with ES256 keys, other ones for refresh tokens, and options added or replaced; wrong ones on purpose too. */
export async function serve(lib: Library, overrides: object = {}, shared: Shared = {}): Promise<Server> {
  const { records = new Records(), revoked = new MemoryStore(), clock = { now: NOW } } = shared;
  const events: SessionEvent[] = [];
  const options = {
    keys: (await ec()).privateJwk,
    refreshKeys: (await otherEc()).privateJwk,
    issuer: ISSUER,
    audience: AUDIENCE,
    origins: [APP],
    store: records,
    revocation: { store: revoked },
    clock: () => clock.now,
    onEvent: (event: SessionEvent) => void events.push(event),
    ...overrides,
  };
  return { sessions: await lib.createSessions(options as never), records, revoked, events, clock };
}

/** The lines of `Set-Cookie`, each as its pair and its attributes. */
export function setCookies(headers: Headers): { name: string; value: string; attributes: string[] }[] {
  return headers.getSetCookie().map((line) => {
    const [pair = "", ...attributes] = line.split("; ");
    const at = pair.indexOf("=");
    return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes };
  });
}

/**
 * The cookies of a browser that got an answer, as a `Cookie` header has them. Where the answer sets no refresh cookie, the
 * browser has it already.
 */
export function cookiesOf({ headers, refreshToken }: { headers: Headers; refreshToken?: string }): string {
  const pairs = setCookies(headers).map(({ name, value }) => `${name}=${value}`);
  if (pairs.length === 1 && refreshToken !== undefined) pairs.push(`__Secure-refresh=${refreshToken}`);
  return pairs.join("; ");
}

/** A request that a page of the server itself makes. */
export function post(cookie: string | undefined, headers: Record<string, string> = {}): RequestLike {
  return { method: "POST", headers: { "sec-fetch-site": "same-origin", ...(cookie && { cookie }), ...headers } };
}

/** A request that carries both cookies of a session. */
export const withCookies = (answer: { headers: Headers; refreshToken?: string }): RequestLike =>
  post(cookiesOf(answer));

/** A request of a client without cookies. */
export const withBearer = (token: string, method = "GET"): RequestLike => ({
  method,
  headers: { authorization: `Bearer ${token}` },
});

export const accessCookie = ({ accessToken }: Pick<SignedIn, "accessToken">): string => `__Host-access=${accessToken}`;
export const refreshCookie = ({ refreshToken }: Pick<SignedIn, "refreshToken">): string =>
  `__Secure-refresh=${refreshToken}`;

/** A browser's cookies for one host: stored by name and path, sent where the path fits, gone when Max-Age is over. */
export class Browser {
  readonly #cookies = new Map<string, { name: string; value: string; path: string; until: number }>();
  readonly #clock: { now: number };

  constructor(clock: { now: number }) {
    this.#clock = clock;
  }

  /** Takes the cookies of an answer, and gives it back. */
  keep<T extends { headers: Headers }>(answer: T): T {
    for (const { name, value, attributes } of setCookies(answer.headers)) {
      const attribute = (prefix: string): string | undefined =>
        attributes.find((each) => each.startsWith(prefix))?.slice(prefix.length);
      const path = attribute("Path=") ?? "/";
      const until = this.#clock.now + Number(attribute("Max-Age=") ?? Number.POSITIVE_INFINITY);
      this.#cookies.set(`${name} ${path}`, { name, value, path, until });
    }
    return answer;
  }

  /** Makes a request from a page of the server itself. */
  request(path: string, method = "POST"): RequestLike {
    const fitting = [...this.#cookies.values()].filter(
      ({ path: own, until }) => this.#clock.now < until && (own === "/" || path === own || path.startsWith(`${own}/`)),
    );
    // RFC 6265bis section 5.8.3: cookies with longer paths come first.
    fitting.sort((a, b) => b.path.length - a.path.length);
    const cookie = fitting.map(({ name, value }) => `${name}=${value}`).join("; ");
    return { method, headers: { "sec-fetch-site": "same-origin", ...(cookie && { cookie }) } };
  }
}

/** What a call came to: the code of its error, or `undefined`. Anything but a `WaxsealError` is thrown on. */
export async function codeOf(lib: Library, call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof lib.WaxsealError) return error.code;
    throw error;
  }
}

/**
 * The refresh tokens that would sign somebody in at a moment, out of all that are given: each is presented to a copy of
 * the records, so that none is judged by what another one did.
 */
export async function accepted(
  lib: Library,
  { records, clock }: Pick<Server, "records" | "clock">,
  tokens: Iterable<string>,
  later: number,
): Promise<{ presented: string; given: string; sessionId: string }[]> {
  let copy = records;
  const store = {
    read: (key: string) => copy.read(key),
    compareAndSwap: (...given: Parameters<Records["compareAndSwap"]>) => copy.compareAndSwap(...given),
  };
  const { sessions } = await serve(lib, { store }, { clock: { now: clock.now + later } });
  const found: { presented: string; given: string; sessionId: string }[] = [];
  for (const presented of new Set(tokens)) {
    copy = records.copy();
    try {
      const { refreshToken, sessionId } = await sessions.refresh({ refreshToken: presented });
      found.push({ presented, given: refreshToken, sessionId });
    } catch (error) {
      if (!(error instanceof lib.WaxsealError)) throw error;
    }
  }
  sessions.dispose();
  return found;
}
