// Every way in which a session ends: what is acknowledged, what the revocation store is told, and what comes after.

import type { SignedIn } from "waxseal";
import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore, entryKey } from "./memory-store.js";
import {
  ALICE,
  Browser,
  Records,
  accessCookie,
  post,
  serve,
  setCookies,
  withBearer,
  withCookies,
} from "./session-support.js";
import { ISSUER, NOW } from "./support.js";

/** A revocation store that is down until it is told otherwise, for writing alone. */
class Unwritable extends MemoryStore {
  down = true;

  override put(...given: Parameters<MemoryStore["put"]>): Promise<void> {
    return this.down ? Promise.reject(new Error("hunter2")) : super.put(...given);
  }
}

export const sessionsLogout: Suite = (h, lib) => {
  h.test("a logout ends the session, and its answer clears both cookies where they were set", async () => {
    const { sessions, clock } = await serve(lib);
    const browser = new Browser(clock);
    const held = browser.keep(await sessions.login(ALICE));
    // The refresh cookie is not sent to this path: the access cookie alone says which session it is.
    const { ended, headers } = browser.keep(await sessions.logout(browser.request("/auth/logout")));
    equal(ended, true);
    equal(headers.get("cache-control"), "no-store");
    for (const { value, attributes } of setCookies(headers)) {
      equal(value, "");
      for (const attribute of ["Max-Age=0", "Secure", "HttpOnly", "SameSite=Strict"])
        ok(attributes.includes(attribute));
    }
    deepEqual(browser.request("/auth/refresh"), { method: "POST", headers: { "sec-fetch-site": "same-origin" } });
    await rejects(sessions.refresh(withCookies(held)), { code: "ERR_SESSION_ENDED", status: 401 });
    await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED");
    await rejects(sessions.authenticate(withCookies(held), { strong: true }), "ERR_TOKEN_REVOKED");
    deepEqual(await sessions.list(ALICE), []);
  });

  const ways: [string, (held: SignedIn) => object][] = [
    ["by its cookies", withCookies],
    ["by its access cookie alone", (held) => post(accessCookie(held))],
    ["by a bearer token", ({ accessToken }) => withBearer(accessToken, "POST")],
    ["by its refresh token", ({ refreshToken }) => ({ refreshToken })],
  ];
  for (const [what, request] of ways) {
    h.test(`a session is found ${what}, once: a second logout ends nothing and succeeds`, async () => {
      const { sessions, revoked } = await serve(lib);
      const [held, elsewhere] = [await sessions.login(ALICE), await sessions.login(ALICE)];
      equal((await sessions.logout(request(held) as never)).ended, true);
      equal(revoked.entries.get(await entryKey("session", ISSUER, held.sessionId)), "wx1 revoked");
      const written = revoked.written.length;
      const again = await sessions.logout(request(held) as never);
      equal(again.ended, false);
      equal(setCookies(again.headers).length, 2);
      equal(revoked.written.length, written, "it is told once");
      ok(await sessions.authenticate(withCookies(elsewhere), { strong: true }), "other sessions live on");
    });
  }

  h.test("a logout with an access token that expired hours ago ends the session all the same", async () => {
    const { sessions, clock } = await serve(lib);
    const browser = new Browser(clock);
    const held = browser.keep(await sessions.login(ALICE));
    clock.now += 6 * 86_400;
    equal((await sessions.logout(browser.request("/auth/logout"))).ended, true);
    await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
  });

  h.test("who has no session is signed out already: no error, no look at a store, and cleared cookies", async () => {
    const { sessions, records, revoked } = await serve(lib);
    const held = await sessions.login(ALICE);
    const forged = `${accessCookie(held).slice(0, -8)}AAAAAAAA`;
    const asked = records.asked.length;
    const cookies = [
      undefined,
      "theme=dark",
      "__Host-access=",
      "__Host-access=x",
      forged,
      `__Host-access=${held.refreshToken}`,
      `${accessCookie(held)}; ${accessCookie(held)}`,
    ];
    for (const cookie of cookies) {
      const { ended, headers } = await sessions.logout(post(cookie));
      equal(ended, false, cookie?.slice(0, 20));
      equal(setCookies(headers).length, 2);
    }
    const other = { method: "POST", headers: { authorization: "Basic eA==", "sec-fetch-site": "same-origin" } };
    equal((await sessions.logout(other)).ended, false);
    deepEqual([records.asked.length, revoked.read.length], [asked, 0]);
  });

  h.test(
    "a refresh token that is none is refused by logout, which then has the clearing headers in its error",
    async () => {
      const { sessions, records } = await serve(lib);
      const held = await sessions.login(ALICE);
      const asked = records.asked.length;
      for (const refreshToken of ["x", held.accessToken, `${held.refreshToken.slice(0, -8)}AAAAAAAA`]) {
        const error = await sessions.logout({ refreshToken }).catch((thrown: unknown) => thrown);
        ok(error instanceof lib.WaxsealError && error.status === 401);
        equal(error.clearingHeaders?.getSetCookie().length, 2);
      }
      equal(records.asked.length, asked);
    },
  );

  h.test("logout everywhere ends every session of the user and of nobody else, and a login works at once", async () => {
    const { sessions, revoked } = await serve(lib);
    const all = [await sessions.login(ALICE), await sessions.login(ALICE), await sessions.login(ALICE)];
    const bob = await sessions.login("bob");
    deepEqual(await sessions.logoutEverywhere(ALICE), { ended: true });
    for (const each of all) {
      await rejects(sessions.refresh(withCookies(each)), "ERR_SESSION_ENDED");
      await rejects(sessions.authenticate(withCookies(each)), "ERR_TOKEN_REVOKED");
    }
    deepEqual(await sessions.list(ALICE), []);
    const next = await sessions.login(ALICE);
    equal((await sessions.authenticate(withCookies(next), { strong: true })).claims["ver"], 1);
    ok(await sessions.refresh(withCookies(next)));
    ok(await sessions.refresh(withCookies(bob)));
    equal(revoked.written.length, 3, "an entry for each session");
  });

  h.test("a login after logout everywhere works at once even where the revocation store shows old values", async () => {
    const stale = new MemoryStore();
    const shown = new Map<string, string>();
    const store = {
      get: async (key: string) => shown.get(key) ?? null,
      put: stale.put.bind(stale),
    };
    const { sessions } = await serve(lib, { revocation: { store } });
    const old = await sessions.login(ALICE);
    for (let i = 0; i < 3; i++) {
      await sessions.logoutEverywhere(ALICE);
      const next = await sessions.login(ALICE);
      ok(await sessions.authenticate(withCookies(next)), "with the store as it was before");
      for (const [key, entry] of stale.entries) shown.set(key, entry);
      ok(await sessions.authenticate(withCookies(next)), "and once it has caught up");
    }
    await rejects(sessions.authenticate(withCookies(old)), "ERR_TOKEN_REVOKED");
  });

  h.test("calls about somebody who never signed in find nothing and write nothing", async () => {
    const { sessions, records, revoked } = await serve(lib);
    deepEqual(await sessions.logoutEverywhere("nobody"), { ended: false });
    deepEqual(await sessions.end("nobody", "x"), { ended: false });
    deepEqual(await sessions.sweep("nobody"), { found: false });
    deepEqual(await sessions.list("nobody"), []);
    deepEqual([records.written.length, revoked.written.length], [0, 0]);
  });

  h.test("a session is ended by its identifier, by no other subject, and once", async () => {
    const { sessions } = await serve(lib);
    const [held, other] = [await sessions.login(ALICE), await sessions.login(ALICE)];
    deepEqual(await sessions.end("bob", held.sessionId), { ended: false });
    deepEqual(await sessions.end(ALICE, `${held.sessionId}x`), { ended: false });
    ok(await sessions.refresh(withCookies(held)), "so far it lives");
    deepEqual(await sessions.end(ALICE, held.sessionId), { ended: true });
    deepEqual(await sessions.end(ALICE, held.sessionId), { ended: false });
    await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
    ok(await sessions.refresh(withCookies(other)));
    for (const id of ["", undefined, null, 1, {}]) {
      await rejects(sessions.end(ALICE, id as never), "ERR_OPTION_INVALID", String(id));
    }
  });

  h.test("the list has the live sessions, the oldest first, with their times, and nothing that signs in", async () => {
    const { sessions, clock } = await serve(lib, { refresh: { expiresIn: 3600, absolute: 7200 } });
    const first = await sessions.login(ALICE, { label: "Firefox on Linux" });
    clock.now += 10;
    const second = await sessions.login(ALICE);
    clock.now += 10;
    const third = await sessions.login(ALICE, { label: "phone" });
    await sessions.end(ALICE, second.sessionId);
    clock.now += 1000;
    await sessions.refresh(withCookies(first));
    deepEqual(await sessions.list(ALICE), [
      {
        sessionId: first.sessionId,
        createdAt: NOW,
        refreshedAt: clock.now,
        expiresAt: clock.now + 3600,
        label: "Firefox on Linux",
      },
      {
        sessionId: third.sessionId,
        createdAt: NOW + 20,
        refreshedAt: NOW + 20,
        expiresAt: NOW + 20 + 3600,
        label: "phone",
      },
    ]);
    clock.now = NOW + 20 + 3600;
    deepEqual(
      (await sessions.list(ALICE)).map(({ label }) => label),
      ["Firefox on Linux"],
    );
    clock.now = NOW + 7200;
    deepEqual(await sessions.list(ALICE), []);
  });

  h.test(
    "an end that the revocation store could not be told of is no success, stays an end, and is told by a sweep",
    async () => {
      const revoked = new Unwritable();
      const { sessions, events } = await serve(lib, {}, { revoked });
      const held = await sessions.login(ALICE);
      const error = await sessions.logout(withCookies(held)).catch((thrown: unknown) => thrown);
      ok(error instanceof lib.WaxsealError);
      deepEqual([error.code, error.status, error.retryAfter], ["ERR_REVOCATION_UNAVAILABLE", 503, 1]);
      equal(error.clearingHeaders?.getSetCookie().length, 2, "the browser is signed out all the same");
      ok(events.some(({ type }) => type === "revocation-pending"));
      await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
      await rejects(sessions.authenticate(withCookies(held), { strong: true }), "ERR_SESSION_ENDED");
      ok(await sessions.authenticate(withCookies(held)), "this is what is still open");
      await rejects(sessions.sweep(ALICE), "ERR_REVOCATION_UNAVAILABLE");
      revoked.down = false;
      deepEqual(await sessions.sweep(ALICE), { found: true });
      deepEqual(await sessions.sweep(ALICE), { found: false });
      await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED");
    },
  );

  h.test("what waits is told by whatever is done next with the user's sessions", async () => {
    const next: [string, (server: Awaited<ReturnType<typeof serve>>, kept: SignedIn) => Promise<unknown>][] = [
      ["a login", ({ sessions }) => sessions.login(ALICE)],
      ["a refresh that rotates", ({ sessions }, kept) => sessions.refresh(withCookies(kept))],
      ["a logout", ({ sessions }, kept) => sessions.logout(withCookies(kept))],
      ["the end of another session", ({ sessions }, kept) => sessions.end(ALICE, kept.sessionId)],
      ["an end of a session that is unknown", ({ sessions }) => sessions.end(ALICE, "unknown")],
      ["a logout everywhere", ({ sessions }) => sessions.logoutEverywhere(ALICE)],
    ];
    for (const [what, act] of next) {
      const revoked = new Unwritable();
      const server = await serve(lib, {}, { revoked });
      const [kept, held] = [await server.sessions.login(ALICE), await server.sessions.login(ALICE)];
      await rejects(server.sessions.end(ALICE, held.sessionId), "ERR_REVOCATION_UNAVAILABLE");
      revoked.down = false;
      server.clock.now += 60;
      await act(server, kept);
      await rejects(server.sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED", what);
      deepEqual(await server.sessions.sweep(ALICE), { found: false }, what);
    }
  });

  h.test("an entry lives at least as long as what it must kill, and at least a minute", async () => {
    for (const expiresIn of [1, 900, 86_400]) {
      const { sessions, revoked } = await serve(lib, { access: { expiresIn } });
      const held = await sessions.login(ALICE);
      await sessions.logout(withCookies(held));
      const ttl = revoked.written[0]?.ttl ?? 0;
      ok(ttl >= expiresIn + 300 + 60 && Number.isInteger(ttl), `${ttl} for ${expiresIn}`);
    }
  });

  h.test(
    "without a revocation store an end is seen by refresh and strong at once, and otherwise when tokens expire",
    async () => {
      const { sessions, clock, records } = await serve(lib, { revocation: null });
      const held = await sessions.login(ALICE);
      equal((await sessions.logout(withCookies(held))).ended, true);
      deepEqual(records.asked, ["read", "swap", "read", "swap"], "there is nothing to announce");
      equal((await sessions.authenticate(withCookies(held))).revocation, "not-checked");
      await rejects(sessions.authenticate(withCookies(held), { strong: true }), "ERR_SESSION_ENDED");
      await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
      deepEqual(await sessions.sweep(ALICE), { found: false });
      clock.now += 900 + 6;
      await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_EXPIRED");
    },
  );

  h.test("ended sessions are remembered until none of their tokens could be accepted, and then forgotten", async () => {
    const records = new Records();
    const { sessions, clock } = await serve(lib, { refresh: { expiresIn: 3600, absolute: 3600 } }, { records });
    const held = await sessions.login(ALICE);
    await sessions.logout(withCookies(held));
    clock.now += 3599;
    await sessions.login(ALICE);
    equal((await records.of()).sessions.length, 2);
    clock.now += 3600 + 600;
    await sessions.login(ALICE);
    equal((await records.of()).sessions.length, 1);
  });

  h.test(
    "sessions of a user who signs in and out two hundred times do not make the record grow without end",
    async () => {
      const { sessions, records } = await serve(lib, { maxSessions: 10 });
      let longest = 0;
      for (let i = 0; i < 200; i++) {
        const held = await sessions.login(ALICE, { label: "x".repeat(100) });
        if (i % 2 === 0) await sessions.logout(withCookies(held));
        longest = Math.max(longest, ((await records.text()) ?? "").length);
      }
      ok(longest < 10_000, `${longest} characters`);
      equal((await sessions.list(ALICE)).length, 10);
    },
  );

  h.test("two hundred access cookies with one character changed end nobody's session", async () => {
    const { sessions, records } = await serve(lib);
    const held = await sessions.login(ALICE);
    const asked = records.asked.length;
    const cookie = accessCookie(held);
    for (let i = 0; i < 200; i++) {
      // The last character of a signature holds four bits that mean nothing, which must be 0: it is left alone.
      const at = "__Host-access=".length + ((i * 7) % (cookie.length - 15));
      const changed = cookie.slice(0, at) + (cookie[at] === "A" ? "B" : "A") + cookie.slice(at + 1);
      equal((await sessions.logout(post(changed))).ended, false);
    }
    equal(records.asked.length, asked);
    ok(await sessions.refresh(withCookies(held)));
  });
};
