// What real verifiers and sessions report: every call is counted once, whatever becomes of it.

import { createMetrics, type Metrics } from "waxseal/metrics";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import {
  accepted,
  type Counts,
  EXPIRED,
  FORGED,
  ISSUED,
  PENDING,
  refreshed,
  rejected,
  reused,
  revoked,
} from "./series.js";
import { moved } from "./series.js";
import { AUDIENCE, ISSUER, NOW, claims, ec, makeVerifier, otherEc, signed } from "./support.js";
import type { Verifier } from "./support.js";

type SessionsOptions = Parameters<Library["createSessions"]>[0];
type Sessions = Awaited<ReturnType<Library["createSessions"]>>;

const ENDED = rejected("ERR_SESSION_ENDED", "session", 401);

export const counted: Suite = (h, lib) => {
  const watched = async (overrides: object = {}): Promise<[Verifier, Metrics<{ type: string }>]> => {
    const metrics = createMetrics();
    return [await makeVerifier(lib, { onEvent: metrics.onEvent, ...overrides }), metrics];
  };
  const bearer = (token: string): Parameters<Verifier["authenticate"]>[0] => ({
    method: "GET",
    headers: { authorization: `Bearer ${token}` },
  });
  const tampered = async (): Promise<string> => {
    const [header, , signature] = (await signed(await ec())).split(".");
    const [, payload] = (await signed(await ec(), claims({ sub: "mallory" }))).split(".");
    return `${header}.${payload}.${signature}`;
  };

  h.test("a good, an expired, a tampered and a malformed token are each counted once by every way in", async () => {
    const fates: [string, string][] = [
      [await signed(await ec()), ""],
      [await signed(await ec(), claims({ exp: NOW })), EXPIRED],
      [await tampered(), FORGED],
      ["nonsense", rejected("ERR_TOKEN_MALFORMED", "segments", 401)],
    ];
    const ways: [string, (verifier: Verifier, token: string) => unknown][] = [
      ["direct", (verifier, token) => verifier.verify(token)],
      ["direct", (verifier, token) => verifier.verifyAsync(token)],
      ["bearer", (verifier, token) => verifier.authenticate(bearer(token))],
      [
        "cookie",
        (verifier, token) => verifier.authenticate({ method: "GET", headers: { cookie: `__Host-access=${token}` } }),
      ],
    ];
    for (const [source, way] of ways) {
      const [verifier, metrics] = await watched({ cookie: "__Host-access" });
      const expected: Counts = {};
      for (const [index, [token, series]] of fates.entries()) {
        for (let i = 0; i <= index; i++) await Promise.allSettled([(async () => way(verifier, token))()]);
        expected[series || accepted(source)] = index + 1;
      }
      deepEqual(moved(metrics), expected, String(way));
    }
  });

  h.test("a token of another key is one invalid signature, or one key not found when it names its key", async () => {
    const [verifier, metrics] = await watched();
    const forged = await signed(await otherEc(), claims(), { alg: "ES256", kid: (await ec()).kid });
    throws(() => verifier.verify(forged), "ERR_SIGNATURE_INVALID");
    await rejects(async () => verifier.verifyAsync(await signed(await otherEc())), "ERR_KEY_NOT_FOUND");
    deepEqual(moved(metrics), { [FORGED]: 1, [rejected("ERR_KEY_NOT_FOUND", "key", 401)]: 1 });
  });

  h.test(
    "requests without credentials, from other sites, or twice the cookie are told apart from bad tokens",
    async () => {
      const [verifier, metrics] = await watched({ cookie: "__Host-access", origins: ["https://app.example"] });
      const cookie = `__Host-access=${await signed(await ec())}`;
      const origin = "https://evil.example";
      await rejects(verifier.authenticate({ method: "GET", headers: {} }), "ERR_CREDENTIALS_MISSING");
      await rejects(
        verifier.authenticate({ method: "GET", headers: { cookie: `${cookie}; ${cookie}` } }),
        "ERR_COOKIE_DUPLICATE",
      );
      await rejects(verifier.authenticate({ method: "POST", headers: { cookie, origin } }), "ERR_CROSS_SITE");
      throws(() => verifier.checkCrossSite({ method: "POST", headers: { origin } }), "ERR_CROSS_SITE");
      verifier.checkCrossSite({ method: "POST", headers: { origin: "https://app.example" } });
      deepEqual(moved(metrics), {
        [rejected("ERR_CREDENTIALS_MISSING", "request", 401)]: 1,
        [rejected("ERR_COOKIE_DUPLICATE", "request", 400)]: 1,
        [rejected("ERR_CROSS_SITE", "request", 403)]: 2,
      });
    },
  );

  h.test("a revocation, the refusal that follows, and a store that fails are each counted once", async () => {
    const store = new MemoryStore();
    const [verifier, metrics] = await watched({ revocation: { store } });
    const token = await signed(await ec());
    await verifier.authenticate(bearer(token));
    await verifier.revokeToken(claims() as never);
    await verifier.revokeSession("session-2");
    await verifier.revokeSubject("bob");
    await rejects(verifier.verifyAsync(token), "ERR_TOKEN_REVOKED");
    throws(() => verifier.verify(token), "ERR_REVOCATION_NEEDS_ASYNC");
    store.get = async () => {
      throw new Error("store down");
    };
    await rejects(verifier.verifyAsync(token), "ERR_REVOCATION_UNAVAILABLE");
    // The signature comes first: a forged token does not reach the store, and is no failure of it.
    await rejects(verifier.verifyAsync(await tampered()), "ERR_SIGNATURE_INVALID");
    deepEqual(moved(metrics), {
      [accepted("bearer", "clear")]: 1,
      'waxseal_revoked_total{kind="token"}': 1,
      'waxseal_revoked_total{kind="session"}': 1,
      'waxseal_revoked_total{kind="subject"}': 1,
      [rejected("ERR_TOKEN_REVOKED", "revocation", 401)]: 1,
      [rejected("ERR_REVOCATION_NEEDS_ASYNC", "revocation", 500)]: 1,
      [rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503)]: 1,
      [FORGED]: 1,
    });
  });

  h.test("a revocation that could not be written is counted as a failure, and not as a revocation", async () => {
    const down = async (): Promise<never> => {
      throw new Error("store down");
    };
    const [verifier, metrics] = await watched({ revocation: { store: { get: down, put: down } } });
    await rejects(verifier.revokeToken(claims() as never), "ERR_REVOCATION_UNAVAILABLE");
    await rejects(verifier.revokeSession("session-2"), "ERR_REVOCATION_UNAVAILABLE");
    await rejects(verifier.revokeSubject("bob"), "ERR_REVOCATION_UNAVAILABLE");
    deepEqual(moved(metrics), { [rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503)]: 3 });
  });

  h.test("a token that is accepted without an answer of the store shows as such", async () => {
    const store = { get: () => Promise.reject(new Error("store down")) };
    const [verifier, metrics] = await watched({ revocation: { store, onFailure: "accept" } });
    await verifier.verifyAsync(await signed(await ec()));
    deepEqual(moved(metrics), { [accepted("direct", "unavailable")]: 1 });
  });

  h.test("verifiers that share counters are counted together, also while they run at once", async () => {
    const [one, metrics] = await watched();
    const other = await makeVerifier(lib, { onEvent: metrics.onEvent });
    const [good, late] = [await signed(await ec()), await signed(await ec(), claims({ exp: NOW }))];
    await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? one : other).verifyAsync(i % 4 < 3 ? good : late)),
    );
    deepEqual(moved(metrics), { [accepted("direct")]: 150, [EXPIRED]: 50 });
  });

  /** Sessions whose clock the test moves, with what their listener got. */
  const life = async (
    overrides: Partial<SessionsOptions> = {},
  ): Promise<{
    sessions: Sessions;
    metrics: Metrics<{ type: string }>;
    events: object[];
    pass(seconds: number): void;
  }> => {
    let now = NOW;
    const clock = (): number => now;
    const events: object[] = [];
    const metrics = createMetrics({ onEvent: (event: { type: string }) => events.push(event) });
    const sessions = await lib.createSessions({
      keys: (await ec()).privateJwk,
      issuer: ISSUER,
      audience: AUDIENCE,
      origins: [],
      store: memoryStore({ clock }),
      revocation: { store: memoryRevocationStore({ clock }) },
      clock,
      onEvent: metrics.onEvent,
      ...overrides,
    });
    return { sessions, metrics, events, pass: (seconds) => void (now += seconds) };
  };

  h.test("a session that is stolen from is counted step by step, and the thief's token nowhere", async () => {
    const { sessions, metrics, events, pass } = await life();
    const first = await sessions.login("alice");
    await sessions.authenticate(bearer(first.accessToken));
    deepEqual(moved(metrics), { [ISSUED]: 1, [accepted("bearer", "clear")]: 1 });

    pass(60);
    const second = await sessions.refresh(first);
    pass(5);
    equal((await sessions.refresh(first)).refreshToken, second.refreshToken);
    const before = { [ISSUED]: 1, [accepted("bearer", "clear")]: 1, [refreshed(true)]: 1, [refreshed(false)]: 1 };
    deepEqual(moved(metrics), before);

    pass(60);
    await rejects(sessions.refresh(first), "ERR_SESSION_ENDED");
    const stolen = { ...before, [reused("previous")]: 1, [revoked("session")]: 1, [ENDED]: 1 };
    deepEqual(moved(metrics), stolen);

    await rejects(sessions.refresh(second), "ERR_SESSION_ENDED");
    await rejects(sessions.authenticate(bearer(second.accessToken)), "ERR_TOKEN_REVOKED");
    deepEqual(moved(metrics), { ...stolen, [ENDED]: 2, [rejected("ERR_TOKEN_REVOKED", "revocation", 401)]: 1 });
    ok(!JSON.stringify(events).includes("eyJ"));
    ok(!metrics.prometheus().includes("alice") && !metrics.prometheus().includes(first.sessionId));
  });

  h.test("an older refresh token is another kind of reuse than the previous one", async () => {
    const { sessions, metrics, pass } = await life();
    const first = await sessions.login("alice");
    pass(60);
    const second = await sessions.refresh(first);
    pass(60);
    await sessions.refresh(second);
    await rejects(sessions.refresh(first), "ERR_SESSION_ENDED");
    deepEqual(moved(metrics), {
      [ISSUED]: 1,
      [refreshed(true)]: 2,
      [reused("older")]: 1,
      [revoked("session")]: 1,
      [ENDED]: 1,
    });
  });

  h.test(
    "logout, logout everywhere and the end of one session are counted, and what ended nothing is not",
    async () => {
      const { sessions, metrics } = await life();
      const [one, two] = [await sessions.login("alice"), await sessions.login("alice")];
      await sessions.login("alice");
      equal((await sessions.logout(one)).ended, true);
      equal((await sessions.logout(one)).ended, false);
      equal((await sessions.end("alice", two.sessionId)).ended, true);
      equal((await sessions.end("alice", two.sessionId)).ended, false);
      await sessions.logoutEverywhere("alice");
      await sessions.list("alice");
      deepEqual(moved(metrics), { [ISSUED]: 3, [revoked("session")]: 2, [revoked("subject")]: 1 });
    },
  );

  h.test("expired and forged refresh tokens are counted under the codes that the alerts name", async () => {
    const { sessions, metrics, pass } = await life();
    const { refreshToken } = await sessions.login("alice");
    const [head, body, signature = ""] = refreshToken.split(".");
    const forged = `${head}.${body}.${signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`;
    await rejects(sessions.refresh({ refreshToken: forged }), "ERR_SIGNATURE_INVALID");
    pass(8 * 86_400);
    await rejects(sessions.refresh({ refreshToken }), "ERR_TOKEN_EXPIRED");
    await rejects(sessions.refresh({ method: "POST", headers: {} }), "ERR_CROSS_SITE");
    await rejects(
      sessions.refresh({ method: "POST", headers: { "sec-fetch-site": "same-origin" } }),
      "ERR_CREDENTIALS_MISSING",
    );
    deepEqual(moved(metrics), {
      [ISSUED]: 1,
      [FORGED]: 1,
      [EXPIRED]: 1,
      [rejected("ERR_CROSS_SITE", "request", 403)]: 1,
      [rejected("ERR_CREDENTIALS_MISSING", "request", 401)]: 1,
    });
  });

  h.test(
    "stores that fail are counted by which: of sessions, or of revocation, whose entry is then pending",
    async () => {
      const store = memoryStore();
      let [down, mute] = [false, false];
      const failing = async (): Promise<never> => {
        throw new Error("store down");
      };
      const entries = memoryRevocationStore();
      const { sessions, metrics } = await life({
        clock: () => Date.now() / 1000,
        store: {
          read: (key) => (down ? failing() : store.read(key)),
          compareAndSwap: (...swap) => (down ? failing() : store.compareAndSwap(...swap)),
        },
        revocation: {
          store: {
            get: (key) => entries.get(key),
            put: async (...entry) => (mute ? failing() : entries.put?.(...entry)),
          },
        },
      });
      const { refreshToken } = await sessions.login("alice");
      down = true;
      await rejects(sessions.logout({ refreshToken }), "ERR_STORE_UNAVAILABLE");
      [down, mute] = [false, true];
      await rejects(sessions.logout({ refreshToken }), "ERR_REVOCATION_UNAVAILABLE");
      deepEqual(moved(metrics), {
        [ISSUED]: 1,
        [rejected("ERR_STORE_UNAVAILABLE", "session", 503)]: 1,
        [revoked("session")]: 1,
        [PENDING]: 1,
        [rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503)]: 1,
      });
      mute = false;
      equal((await sessions.sweep("alice")).found, true);
      equal(moved(metrics)[PENDING], 1);
    },
  );

  h.test(
    "a planted refresh cookie is counted beside the refresh that it did not stop, and alone is a mismatch",
    async () => {
      const { sessions, metrics, pass } = await life();
      const [own, planted] = [await sessions.login("alice"), await sessions.login("mallory")];
      pass(60);
      const refresh = (...refreshTokens: string[]): ReturnType<Sessions["refresh"]> => {
        const cookies = refreshTokens.map((token) => `__Secure-refresh=${token}`);
        const cookie = [`__Host-access=${own.accessToken}`, ...cookies].join("; ");
        return sessions.refresh({ method: "POST", headers: { cookie, "sec-fetch-site": "same-origin" } });
      };
      equal((await refresh(planted.refreshToken, own.refreshToken)).sessionId, own.sessionId);
      await rejects(refresh(planted.refreshToken), "ERR_SESSION_MISMATCH");
      deepEqual(moved(metrics), {
        [ISSUED]: 2,
        [refreshed(true)]: 1,
        waxseal_duplicate_cookies_total: 1,
        [rejected("ERR_SESSION_MISMATCH", "session", 401)]: 1,
      });
    },
  );

  h.test("claims that the application refuses are counted once, by authenticate and by refresh", async () => {
    let active = true;
    const { sessions, metrics, pass } = await life({ validate: () => active });
    const signedIn = await sessions.login("alice");
    active = false;
    pass(60);
    await rejects(sessions.authenticate(bearer(signedIn.accessToken)), "ERR_CLAIMS_REFUSED");
    await rejects(sessions.refresh(signedIn), "ERR_CLAIMS_REFUSED");
    deepEqual(moved(metrics), { [ISSUED]: 1, [rejected("ERR_CLAIMS_REFUSED", "session", 401)]: 2 });
  });
};
