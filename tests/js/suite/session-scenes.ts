// Every call of sessions that asks a store, each with what there is before it.

import type { Sessions, SignedIn } from "waxseal";
import type { Library } from "../harness/types.js";
import { ALICE, type Server, serve, withCookies } from "./session-support.js";

/** What there is before the call, and what the call is. */
export interface Scene {
  /** The call. */
  readonly run: (sessions: Sessions) => Promise<unknown>;
  /** Every refresh token that was ever given out. */
  readonly released: string[];
  /** The one who holds the current tokens, and tries again. */
  readonly owner: SignedIn;
  /** Sessions that the call is to end. */
  readonly ends?: string[];
  /** A session that it may rotate. */
  readonly rotates?: string;
}

/** A call. */
export interface Flow {
  readonly name: string;
  readonly options?: Record<string, unknown>;
  /** How it ends when nothing fails. */
  readonly code?: string;
  /** Whether it promises that the revocation store knows. */
  readonly promises?: boolean;
  readonly prepare: (server: Server, lib: Library) => Promise<Scene>;
}

/** Signs in, and refreshes as often as asked, 20 seconds apart. */
async function signIn({ sessions, clock }: Server, refreshes: number, subject = ALICE): Promise<SignedIn[]> {
  const all = [await sessions.login(subject)];
  for (let i = 0; i < refreshes; i++) {
    clock.now += 20;
    all.push(await sessions.refresh(withCookies(all[i] as SignedIn)));
  }
  return all;
}

const tokensOf = (all: SignedIn[]): string[] => all.map(({ refreshToken }) => refreshToken);
const last = (all: SignedIn[]): SignedIn => all[all.length - 1] as SignedIn;

/** All of them. */
export const FLOWS: Flow[] = [
  {
    name: "login",
    prepare: async (server) => {
      const all = await signIn(server, 1);
      return { run: (sessions) => sessions.login(ALICE), released: tokensOf(all), owner: last(all) };
    },
  },
  {
    name: "login that replaces a session of the same user",
    prepare: async (server) => {
      const [old, kept] = [await signIn(server, 1), await signIn(server, 0)];
      const request = withCookies(last(old));
      return {
        run: (sessions) => sessions.login(ALICE, { request }),
        released: tokensOf([...old, ...kept]),
        owner: last(kept),
        ends: [last(old).sessionId],
      };
    },
  },
  {
    name: "login that replaces a session of another user",
    promises: true,
    prepare: async (server) => {
      const [old, kept] = [await signIn(server, 1), await signIn(server, 0)];
      const request = withCookies(last(old));
      return {
        run: (sessions) => sessions.login("bob", { request }),
        released: tokensOf([...old, ...kept]),
        owner: last(kept),
        ends: [last(old).sessionId],
      };
    },
  },
  {
    name: "refresh that rotates",
    prepare: async (server) => {
      const all = await signIn(server, 2);
      server.clock.now += 20;
      return {
        run: (sessions) => sessions.refresh(withCookies(last(all))),
        released: tokensOf(all),
        owner: last(all),
        rotates: last(all).sessionId,
      };
    },
  },
  {
    name: "refresh that gives the current token again",
    prepare: async (server) => {
      const all = await signIn(server, 2);
      server.clock.now += 2;
      return {
        run: (sessions) => sessions.refresh(withCookies(all[1] as SignedIn)),
        released: tokensOf(all),
        owner: last(all),
      };
    },
  },
  {
    name: "refresh with a token that was used before",
    code: "ERR_SESSION_ENDED",
    prepare: async (server) => {
      const all = await signIn(server, 2);
      return {
        run: (sessions) => sessions.refresh(withCookies(all[0] as SignedIn)),
        released: tokensOf(all),
        owner: last(all),
        ends: [last(all).sessionId],
      };
    },
  },
  {
    name: "refresh with a token that was used before, which ends every session",
    options: { onReuse: "end-all" },
    code: "ERR_SESSION_ENDED",
    prepare: async (server) => {
      const [other, all] = [await signIn(server, 0), await signIn(server, 2)];
      return {
        run: (sessions) => sessions.refresh(withCookies(all[0] as SignedIn)),
        released: tokensOf([...other, ...all]),
        owner: last(all),
        ends: [last(all).sessionId, last(other).sessionId],
      };
    },
  },
  {
    name: "logout",
    promises: true,
    prepare: async (server) => {
      const [other, all] = [await signIn(server, 0), await signIn(server, 1)];
      return {
        run: (sessions) => sessions.logout(withCookies(last(all))),
        released: tokensOf([...other, ...all]),
        owner: last(all),
        ends: [last(all).sessionId],
      };
    },
  },
  {
    name: "logoutEverywhere",
    promises: true,
    prepare: async (server) => {
      const [other, all] = [await signIn(server, 0), await signIn(server, 1)];
      return {
        run: (sessions) => sessions.logoutEverywhere(ALICE),
        released: tokensOf([...other, ...all]),
        owner: last(all),
        ends: [last(all).sessionId, last(other).sessionId],
      };
    },
  },
  {
    name: "end",
    promises: true,
    prepare: async (server) => {
      const [other, all] = [await signIn(server, 0), await signIn(server, 1)];
      return {
        run: (sessions) => sessions.end(ALICE, last(all).sessionId),
        released: tokensOf([...other, ...all]),
        owner: last(all),
        ends: [last(all).sessionId],
      };
    },
  },
  {
    name: "list",
    prepare: async (server) => {
      const all = await signIn(server, 1);
      return { run: (sessions) => sessions.list(ALICE), released: tokensOf(all), owner: last(all) };
    },
  },
  {
    name: "sweep of two sessions that the revocation store was not told of",
    promises: true,
    prepare: async (server, lib) => {
      const [one, other, kept] = [await signIn(server, 0), await signIn(server, 0), await signIn(server, 0)];
      const put = (): Promise<never> => Promise.reject(new Error("down"));
      const revocation = { store: { get: async () => null, put } };
      const cut = await serve(lib, { revocation }, server);
      for (const { sessionId } of [last(one), last(other)]) {
        await Promise.allSettled([cut.sessions.end(ALICE, sessionId)]);
      }
      return {
        run: (sessions) => sessions.sweep(ALICE),
        released: tokensOf([...one, ...other, ...kept]),
        owner: last(kept),
      };
    },
  },
  {
    name: "authenticate that asks both stores",
    promises: true,
    prepare: async (server) => {
      const all = await signIn(server, 1);
      return {
        run: (sessions) => sessions.authenticate(withCookies(last(all)), { strong: true }),
        released: tokensOf(all),
        owner: last(all),
      };
    },
  },
];
