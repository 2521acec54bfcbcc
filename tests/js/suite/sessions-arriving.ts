// Requests that arrive at a login: the session that they carry, and the site that they come from.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { ALICE, APP, Browser, accessCookie, cookiesOf, post, serve, withCookies } from "./session-support.js";

export const sessionsArriving: Suite = (h, lib) => {
  h.test(
    "a login ends the session of the same user that the request carried, in one swap with the new one",
    async () => {
      const { sessions, records, clock } = await serve(lib);
      const browser = new Browser(clock);
      const first = browser.keep(await sessions.login(ALICE));
      const swaps = records.written.length;
      const second = browser.keep(await sessions.login(ALICE, { request: browser.request("/login") }));
      deepEqual(
        (await sessions.list(ALICE)).map(({ sessionId }) => sessionId),
        [second.sessionId],
      );
      const record = JSON.parse(records.written[swaps]?.text ?? "") as { sessions: { ended?: number }[] };
      deepEqual(
        record.sessions.map(({ ended }) => ended !== undefined),
        [true, false],
      );
      await rejects(sessions.refresh(withCookies(first)), "ERR_SESSION_ENDED");
      await rejects(sessions.authenticate(withCookies(first)), "ERR_TOKEN_REVOKED");
      ok(await sessions.refresh(browser.request("/auth/refresh")));
    },
  );

  h.test("a login ends the session of another user that the request carried, and leaves their other ones", async () => {
    const { sessions } = await serve(lib);
    const [bob, elsewhere] = [await sessions.login("bob"), await sessions.login("bob")];
    await sessions.login(ALICE, { request: withCookies(bob) });
    deepEqual(
      (await sessions.list("bob")).map(({ sessionId }) => sessionId),
      [elsewhere.sessionId],
    );
    await rejects(sessions.authenticate(withCookies(bob)), "ERR_TOKEN_REVOKED");
    ok(await sessions.authenticate(withCookies(elsewhere)));
  });

  h.test("a session is replaced though its access token has expired, and not by a token that was made up", async () => {
    const { sessions, clock } = await serve(lib);
    const old = await sessions.login(ALICE);
    clock.now += 3600;
    const forged = `${accessCookie(old).slice(0, -8)}AAAAAAAA`;
    for (const cookie of [forged, "__Host-access=x", `${accessCookie(old)}; ${accessCookie(old)}`]) {
      await sessions.login("carol", { request: post(cookie) });
    }
    equal((await sessions.list(ALICE)).length, 1, "none of these carries a session");
    await sessions.login("carol", { request: post(accessCookie(old)) });
    equal((await sessions.list(ALICE)).length, 0);
  });

  const crossSite: [string, Record<string, string>][] = [
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["a sibling host", { "sec-fetch-site": "same-site", origin: "https://blog.example" }],
    ["an opaque origin", { origin: "null" }],
    ["no origin at all", {}],
    ["an origin that only begins like ours", { origin: `${APP}.evil.example` }],
    ["another port", { origin: `${APP}:8443` }],
  ];
  for (const [what, headers] of crossSite) {
    h.test(`a login, a refresh and a logout from ${what} are refused, and no store is asked`, async () => {
      const { sessions, records, revoked } = await serve(lib);
      const signedIn = await sessions.login(ALICE);
      const [asked, text, entries] = [records.asked.length, await records.text(), revoked.read.length];
      for (const method of ["POST", "GET"]) {
        const request = { method, headers: { ...headers, cookie: cookiesOf(signedIn) } };
        const expected = { code: "ERR_CROSS_SITE", status: 403 };
        await rejects(sessions.login(ALICE, { request }), expected);
        await rejects(sessions.refresh(request), expected);
        await rejects(sessions.logout(request), expected);
      }
      deepEqual([records.asked.length, await records.text(), revoked.read.length], [asked, text, entries]);
    });
  }

  const sameSite: [string, Record<string, string>][] = [
    ["the server's own page", { "sec-fetch-site": "same-origin" }],
    ["the address bar", { "sec-fetch-site": "none" }],
    ["a configured origin", { origin: APP }],
    ["a configured origin of a sibling host", { "sec-fetch-site": "same-site", origin: APP }],
  ];
  for (const [what, headers] of sameSite) {
    h.test(`a login, a refresh and a logout from ${what} are welcome`, async () => {
      const { sessions } = await serve(lib);
      const signedIn = await sessions.login(ALICE, { request: { method: "POST", headers } });
      const request = { method: "POST", headers: { ...headers, cookie: cookiesOf(signedIn) } };
      ok(await sessions.refresh(request));
      equal((await sessions.logout(request)).ended, true);
    });
  }
};
