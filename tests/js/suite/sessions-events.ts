// Events: every outcome once, in order, with exactly the documented members, and no listener changes any outcome.

import type { SessionEvent, SignedIn } from "waxseal";
import { createMetrics } from "waxseal/metrics";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import {
  ALICE,
  type Server,
  accessCookie,
  around,
  codeOf,
  cookiesOf,
  post,
  refreshCookie,
  serve,
  withBearer,
  withCookies,
} from "./session-support.js";
import { NOW } from "./support.js";

const rejected = (code: string, step: string): object => ({ type: "rejected", code, step });
const ENDED = rejected("ERR_SESSION_ENDED", "session");

/** A call, and what it reports. What comes before it is reported too, but not looked at. */
interface Story {
  readonly what: string;
  readonly options?: object;
  readonly prepare?: (server: Server, held: SignedIn) => Promise<unknown>;
  readonly call: (server: Server, held: SignedIn) => Promise<unknown>;
  readonly events: (held: SignedIn, result: SignedIn | undefined) => object[];
}

const about = ({ sessionId }: SignedIn): object => ({ subject: ALICE, sessionId });
const later = async ({ clock }: Server): Promise<void> => void (clock.now += 60);
const put = (): Promise<never> => Promise.reject(new Error("down"));
const UNWRITABLE = { revocation: { store: { get: async () => null, put } } };

const STORIES: Story[] = [
  {
    what: "a login",
    call: ({ sessions }) => sessions.login(ALICE),
    events: (_, result) => [{ type: "issued", ...about(result as SignedIn) }],
  },
  {
    what: "a login that replaces the session of its request",
    call: ({ sessions }, held) => sessions.login(ALICE, { request: withCookies(held) }),
    events: (held, result) => [
      { type: "revoked", kind: "session", ...about(held) },
      { type: "issued", ...about(result as SignedIn) },
    ],
  },
  {
    what: "a login that replaces the session of somebody else",
    call: ({ sessions }, held) => sessions.login("bob", { request: withCookies(held) }),
    events: (held, result) => [
      { type: "revoked", kind: "session", ...about(held) },
      { type: "issued", subject: "bob", sessionId: (result as SignedIn).sessionId },
    ],
  },
  {
    what: "a login beyond maxSessions",
    options: { maxSessions: 1 },
    call: ({ sessions }) => sessions.login(ALICE),
    events: (held, result) => [
      { type: "revoked", kind: "session", ...about(held) },
      { type: "issued", ...about(result as SignedIn) },
    ],
  },
  {
    what: "a login whose claims are refused",
    call: ({ sessions }) => sessions.login(ALICE, { claims: { sub: "x" } }),
    events: () => [rejected("ERR_ISSUE_CLAIMS", "issue")],
  },
  {
    what: "a login from another site",
    call: ({ sessions }) => sessions.login(ALICE, { request: { method: "POST", headers: {} } }),
    events: () => [rejected("ERR_CROSS_SITE", "request")],
  },
  {
    what: "a refresh that rotates",
    prepare: later,
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: (held) => [{ type: "refreshed", rotated: true, ...about(held) }],
  },
  {
    what: "a refresh inside the window",
    call: ({ sessions }, held) => sessions.refresh({ refreshToken: held.refreshToken }),
    events: (held) => [{ type: "refreshed", rotated: false, ...about(held) }],
  },
  {
    what: "a refresh with two cookies planted beside the real one",
    call: ({ sessions }, held) => sessions.refresh(post(`__Secure-refresh=x; ${cookiesOf(held)}; __Secure-refresh=y`)),
    events: (held) => [
      { type: "duplicate-cookie", ...about(held) },
      { type: "duplicate-cookie", ...about(held) },
      { type: "refreshed", rotated: false, ...about(held) },
    ],
  },
  {
    what: "a refresh with a token that was used before",
    prepare: async (server, held) => {
      await later(server);
      await server.sessions.refresh(withCookies(held));
      await later(server);
    },
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: (held) => [
      { type: "reuse-detected", kind: "previous", ...about(held) },
      { type: "revoked", kind: "session", ...about(held) },
      ENDED,
    ],
  },
  {
    what: "a refresh with a token that was used before, with onReuse end-all",
    options: { onReuse: "end-all", refresh: { grace: 0 } },
    prepare: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: (held) => [
      { type: "reuse-detected", kind: "previous", ...about(held) },
      { type: "revoked", kind: "subject", subject: ALICE },
      ENDED,
    ],
  },
  {
    what: "a refresh of an ended session",
    prepare: ({ sessions }, held) => sessions.end(ALICE, held.sessionId),
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: () => [ENDED],
  },
  {
    what: "a refresh with an expired token",
    prepare: async ({ clock }) => void (clock.now += 8 * 86_400),
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: () => [rejected("ERR_TOKEN_EXPIRED", "policy")],
  },
  {
    what: "a refresh with a forged token",
    call: ({ sessions }, held) => sessions.refresh({ refreshToken: `${held.refreshToken.slice(0, -8)}AAAAAAAA` }),
    events: () => [rejected("ERR_SIGNATURE_INVALID", "signature")],
  },
  {
    what: "a refresh with the cookie of another session",
    call: async ({ sessions, events }, held) => {
      const other = await sessions.login("bob");
      events.length = 0;
      return sessions.refresh(post(`${accessCookie(held)}; ${refreshCookie(other)}`));
    },
    events: () => [rejected("ERR_SESSION_MISMATCH", "session")],
  },
  {
    what: "a refresh that validate refuses",
    options: { validate: () => false },
    call: ({ sessions }, held) => sessions.refresh(withCookies(held)),
    events: () => [rejected("ERR_CLAIMS_REFUSED", "session")],
  },
  {
    what: "a logout",
    call: ({ sessions }, held) => sessions.logout(withCookies(held)),
    events: (held) => [{ type: "revoked", kind: "session", ...about(held) }],
  },
  {
    what: "a logout of who is signed out",
    call: ({ sessions }) => sessions.logout(post(undefined)),
    events: () => [],
  },
  {
    what: "a logout that the revocation store could not be told of",
    options: UNWRITABLE,
    call: ({ sessions }, held) => sessions.logout(withCookies(held)),
    events: (held) => [
      { type: "revoked", kind: "session", ...about(held) },
      { type: "revocation-pending", subject: ALICE },
      rejected("ERR_REVOCATION_UNAVAILABLE", "revocation"),
    ],
  },
  {
    what: "a logout everywhere",
    prepare: ({ sessions }) => sessions.login(ALICE),
    call: ({ sessions }) => sessions.logoutEverywhere(ALICE),
    events: () => [{ type: "revoked", kind: "subject", subject: ALICE }],
  },
  {
    what: "an end by its identifier",
    call: ({ sessions }, held) => sessions.end(ALICE, held.sessionId),
    events: (held) => [{ type: "revoked", kind: "session", ...about(held) }],
  },
  {
    what: "a second end",
    prepare: ({ sessions }, held) => sessions.end(ALICE, held.sessionId),
    call: ({ sessions }, held) => sessions.end(ALICE, held.sessionId),
    events: () => [],
  },
  {
    what: "a sweep that fails again",
    options: UNWRITABLE,
    prepare: ({ sessions }, held) => sessions.end(ALICE, held.sessionId).catch(() => undefined),
    call: ({ sessions }) => sessions.sweep(ALICE),
    events: () => [
      { type: "revocation-pending", subject: ALICE },
      rejected("ERR_REVOCATION_UNAVAILABLE", "revocation"),
    ],
  },
  { what: "a list", call: ({ sessions }) => sessions.list(ALICE), events: () => [] },
  {
    what: "authenticate by cookie",
    call: ({ sessions }, held) => sessions.authenticate(withCookies(held)),
    events: () => [{ type: "accepted", revocation: "clear", source: "cookie" }],
  },
  {
    what: "authenticate by bearer token without a revocation store",
    options: { revocation: null },
    call: ({ sessions }, held) => sessions.authenticate(withBearer(held.accessToken), { strong: true }),
    events: () => [{ type: "accepted", revocation: "not-checked", source: "bearer" }],
  },
  {
    what: "authenticate after the end",
    prepare: ({ sessions }, held) => sessions.end(ALICE, held.sessionId),
    call: ({ sessions }, held) => sessions.authenticate(withCookies(held)),
    events: () => [rejected("ERR_TOKEN_REVOKED", "revocation")],
  },
  {
    what: "strong authenticate after an end that the revocation store does not show",
    options: UNWRITABLE,
    prepare: ({ sessions }, held) => sessions.end(ALICE, held.sessionId).catch(() => undefined),
    call: ({ sessions }, held) => sessions.authenticate(withCookies(held), { strong: true }),
    events: () => [ENDED],
  },
  {
    what: "authenticate with an expired token",
    prepare: async ({ clock }) => void (clock.now += 3600),
    call: ({ sessions }, held) => sessions.authenticate(withCookies(held)),
    events: () => [rejected("ERR_TOKEN_EXPIRED", "policy")],
  },
  {
    what: "checkCrossSite that refuses",
    call: async ({ sessions }) => sessions.checkCrossSite({ method: "POST", headers: {} }),
    events: () => [rejected("ERR_CROSS_SITE", "request")],
  },
  { what: "jwks", call: async ({ sessions }) => sessions.jwks(), events: () => [] },
];

/** Runs a story; gives what was reported, what had to be, and how the call ended. */
async function tell(lib: Library, story: Story, overrides: object = {}): Promise<[object[], object[], unknown]> {
  const server = await serve(lib, { ...story.options, ...overrides });
  const held = await server.sessions.login(ALICE);
  await story.prepare?.(server, held);
  server.events.length = 0;
  let result: SignedIn | undefined;
  const code = await codeOf(
    lib,
    (async () => {
      result = (await story.call(server, held)) as SignedIn;
    })(),
  );
  return [server.events, story.events(held, result ?? held), code];
}

export const sessionsEvents: Suite = (h, lib) => {
  for (const story of STORIES) {
    h.test(`${story.what} reports exactly what happened, once and in order`, async () => {
      const [reported, expected] = await tell(lib, story);
      deepEqual(reported, expected);
    });
  }

  h.test("no event has a token, a key or a cookie in it, whatever happens", async () => {
    const text: string[] = [];
    for (const story of STORIES) text.push(JSON.stringify((await tell(lib, story))[0]));
    ok(!/eyJ|__Host|__Secure|hunter2|down/.test(text.join()), "nothing but names, codes, subject and session");
  });

  const listeners: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("observer");
      },
    ],
    ["rejects", () => Promise.reject(new Error("observer"))],
    ["never answers", () => new Promise(() => undefined)],
  ];
  for (const [what, onEvent] of listeners) {
    h.test(`a listener that ${what} changes no outcome of any call`, async () => {
      for (const story of STORIES) {
        const [, , quiet] = await tell(lib, story);
        const [, , watched] = await tell(lib, story, { onEvent });
        equal(watched, quiet, story.what);
      }
    });
  }

  h.test("without a listener every call does the same", async () => {
    for (const story of STORIES) {
      equal((await tell(lib, story, { onEvent: undefined }))[2], (await tell(lib, story))[2], story.what);
    }
  });

  h.test("a swap that was lost to another writer is reported once, as what it became", async () => {
    const records = (await serve(lib)).records;
    let lose = false;
    const revoked = new MemoryStore();
    const { store } = around({ records, revoked }, async (operation, run) => {
      if (operation === "swap" && lose) {
        lose = false;
        return false;
      }
      return run();
    });
    const { sessions, events } = await serve(lib, { store }, { records, revoked });
    lose = true;
    const held = await sessions.login(ALICE);
    lose = true;
    await sessions.end(ALICE, held.sessionId);
    deepEqual(
      events.map(({ type }) => type),
      ["issued", "revoked"],
    );
  });

  h.test("counters given as the listener count a whole story, with the stores that the package brings", async () => {
    const metrics = createMetrics();
    const clock = { now: NOW };
    const options = {
      store: memoryStore({ clock: () => clock.now }),
      revocation: { store: memoryRevocationStore({ clock: () => clock.now }) },
      onEvent: (event: SessionEvent) => metrics.onEvent(event),
    };
    const { sessions } = await serve(lib, options, { clock });
    const first = await sessions.login(ALICE);
    await sessions.authenticate(withCookies(first));
    clock.now += 60;
    const second = await sessions.refresh(withCookies(first));
    await Promise.all([1, 2, 3].map(() => sessions.refresh(withCookies(second))));
    clock.now += 60;
    await rejects(sessions.refresh(withCookies(first)), "ERR_SESSION_ENDED");
    await rejects(sessions.authenticate(withCookies(second)), "ERR_TOKEN_REVOKED");
    const counts = Object.entries(metrics.counts()).filter(([, count]) => count > 0);
    deepEqual(counts.sort(), [
      ['waxseal_accepted_total{source="cookie",revocation="clear"}', 1],
      ["waxseal_issued_total", 1],
      ['waxseal_refreshed_total{rotated="false"}', 3],
      ['waxseal_refreshed_total{rotated="true"}', 1],
      ['waxseal_rejected_total{code="ERR_SESSION_ENDED",step="session",status="401"}', 1],
      ['waxseal_rejected_total{code="ERR_TOKEN_REVOKED",step="revocation",status="401"}', 1],
      ['waxseal_reuse_detected_total{kind="previous"}', 1],
      ['waxseal_revoked_total{kind="session"}', 1],
    ]);
  });
};
