// Refresh: what is given again and what is new, what counts as reuse, and what costs no look at a store.

import type { SignedIn } from "waxseal";
import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import {
  ALICE,
  Browser,
  type Server,
  codeOf,
  cookiesOf,
  post,
  serve,
  setCookies,
  withCookies,
} from "./session-support.js";
import { NOW, read } from "./support.js";

const GRACE = 10;
const ENDED = { code: "ERR_SESSION_ENDED", status: 401, step: "session" };

const generation = ({ refreshToken }: SignedIn): unknown => read(refreshToken).claims["gen"];
const reuse = ({ events }: Server): unknown[] =>
  events.filter(({ type }) => type === "reuse-detected").map((event) => (event as { kind: string }).kind);

export const sessionsRefresh: Suite = (h, lib) => {
  h.test("a refresh gives new tokens of the same session, with both cookies and no-store", async () => {
    const { sessions, clock, records } = await serve(lib);
    const first = await sessions.login(ALICE);
    clock.now += 60;
    const second = await sessions.refresh(withCookies(first));
    equal(second.sessionId, first.sessionId);
    equal(generation(second), 1);
    equal(read(second.refreshToken).claims["iat"], clock.now);
    deepEqual(
      setCookies(second.headers).map(({ name, value }) => [name, value]),
      [
        ["__Host-access", second.accessToken],
        ["__Secure-refresh", second.refreshToken],
      ],
    );
    equal(second.headers.get("cache-control"), "no-store");
    deepEqual(records.asked, ["read", "swap", "read", "swap"]);
    ok(read(second.accessToken).claims["jti"] !== read(first.accessToken).claims["jti"]);
    ok(read(second.refreshToken).claims["jti"] !== read(first.refreshToken).claims["jti"]);
  });

  h.test("a browser that refreshes for a month stays signed in, each time with what it was given last", async () => {
    const { sessions, clock } = await serve(lib);
    const browser = new Browser(clock);
    browser.keep(await sessions.login(ALICE));
    for (let day = 1; day < 30; day++) {
      clock.now = NOW + day * 86_400;
      equal(generation(browser.keep(await sessions.refresh(browser.request("/auth/refresh")))), day);
      ok(await sessions.authenticate(browser.request("/me", "GET"), { strong: true }));
    }
  });

  h.test("in the window the same token, and the one before it, give the new refresh token byte for byte", async () => {
    const server = await serve(lib);
    const { sessions, clock, records } = server;
    const first = await sessions.login(ALICE);
    clock.now += 60;
    const second = await sessions.refresh(withCookies(first));
    const written = records.written.length;
    for (const seconds of [0, 1, GRACE - 1]) {
      clock.now = NOW + 60 + seconds;
      for (const presented of [first, second]) {
        const again = await sessions.refresh(withCookies(presented));
        equal(again.refreshToken, second.refreshToken);
        equal(again.sessionId, first.sessionId);
      }
    }
    equal(records.written.length, written, "nothing is written");
    deepEqual(reuse(server), []);
  });

  h.test("what is given again inside the window rotates as soon as the window is over", async () => {
    const { sessions, clock } = await serve(lib);
    const first = await sessions.login(ALICE);
    clock.now += 60;
    const second = await sessions.refresh(withCookies(first));
    clock.now += GRACE - 1;
    const again = await sessions.refresh(withCookies(first));
    equal(again.refreshToken, second.refreshToken);
    clock.now += 1;
    equal(generation(await sessions.refresh(withCookies(again))), 2);
  });

  h.test("a session that has just begun is inside the window as well: its first refresh rotates nothing", async () => {
    const { sessions, clock } = await serve(lib);
    const first = await sessions.login(ALICE);
    clock.now += GRACE - 1;
    equal(generation(await sessions.refresh(withCookies(first))), 0);
    clock.now += 1;
    equal(generation(await sessions.refresh(withCookies(first))), 1);
  });

  h.test("exactly at the end of the window the token before is reuse, and the current one rotates", async () => {
    for (const [seconds, ends] of [
      [GRACE - 1, false],
      [GRACE, true],
    ] as const) {
      const { sessions, clock } = await serve(lib);
      const first = await sessions.login(ALICE);
      clock.now += 60;
      await sessions.refresh(withCookies(first));
      clock.now += seconds;
      const code = await codeOf(lib, sessions.refresh(withCookies(first)));
      equal(code, ends ? "ERR_SESSION_ENDED" : undefined, `${seconds} s`);
    }
  });

  const kinds: [string, object, (server: Server) => Promise<SignedIn>][] = [
    [
      "previous",
      {},
      async ({ sessions, clock }) => {
        const first = await sessions.login(ALICE);
        clock.now += 60;
        await sessions.refresh(withCookies(first));
        clock.now += 60;
        return first;
      },
    ],
    [
      "older",
      {},
      async ({ sessions, clock }) => {
        const first = await sessions.login(ALICE);
        clock.now += 60;
        const second = await sessions.refresh(withCookies(first));
        clock.now += 60;
        await sessions.refresh(withCookies(second));
        return first;
      },
    ],
    [
      "rolled-back",
      {},
      async ({ sessions, clock, records }) => {
        const first = await sessions.login(ALICE);
        const backup = [...records.texts];
        clock.now += 60;
        const second = await sessions.refresh(withCookies(first));
        for (const [key, text] of backup) records.texts.set(key, text);
        return second;
      },
    ],
  ];
  for (const [kind, options, prepare] of kinds) {
    h.test(`reuse (${kind}) ends the session for the thief and the owner alike, and only that one`, async () => {
      const server = await serve(lib, options);
      const { sessions, records } = server;
      const elsewhere = await sessions.login(ALICE);
      const stolen = await prepare(server);
      await rejects(sessions.refresh(withCookies(stolen)), ENDED);
      deepEqual(reuse(server), [kind]);
      equal((await records.of()).sessions.find(({ sid }) => sid === stolen.sessionId)?.ended, server.clock.now);
      await rejects(sessions.refresh(withCookies(stolen)), ENDED);
      deepEqual(reuse(server), [kind], "a session that is over tells nothing more");
      await rejects(sessions.authenticate(withCookies(stolen)), "ERR_TOKEN_REVOKED");
      ok(await sessions.refresh(withCookies(elsewhere)));
      ok(await sessions.login(ALICE));
    });
  }

  h.test("with onReuse end-all, reuse ends every session of the user, and of nobody else", async () => {
    const server = await serve(lib, { onReuse: "end-all" });
    const { sessions } = server;
    const [elsewhere, bob] = [await sessions.login(ALICE), await sessions.login("bob")];
    const stolen = await (kinds[0] as (typeof kinds)[number])[2](server);
    await rejects(sessions.refresh(withCookies(stolen)), ENDED);
    deepEqual(await sessions.list(ALICE), []);
    await rejects(sessions.refresh(withCookies(elsewhere)), ENDED);
    await rejects(sessions.authenticate(withCookies(elsewhere)), "ERR_TOKEN_REVOKED");
    ok(await sessions.refresh(withCookies(bob)));
  });

  h.test("with grace 0 every second use of a refresh token ends the session, at once", async () => {
    const server = await serve(lib, { refresh: { grace: 0 } });
    const first = await server.sessions.login(ALICE);
    const second = await server.sessions.refresh(withCookies(first));
    equal(generation(second), 1);
    await rejects(server.sessions.refresh(withCookies(first)), ENDED);
    deepEqual(reuse(server), ["previous"]);
    await rejects(server.sessions.refresh(withCookies(second)), ENDED);
  });

  h.test("with a client binding the window is for the same client alone, and rotation moves the binding", async () => {
    const client = (request: object): string | undefined =>
      (request as { headers?: Record<string, string> }).headers?.["user-agent"];
    const server = await serve(lib, { client });
    const { sessions, clock, records } = server;
    const from = (answer: SignedIn, agent: string) => post(cookiesOf(answer), { "user-agent": agent });
    const first = await sessions.login(ALICE, { request: post(undefined, { "user-agent": "Firefox 1" }) });
    clock.now += 60;
    const second = await sessions.refresh(from(first, "Firefox 2"));
    ok(!((await records.text()) ?? "").includes("Firefox"), "only a digest is kept");
    equal(generation(await sessions.refresh(from(first, "Firefox 2"))), 1, "the client that rotated, in the window");
    clock.now += 60;
    const third = await sessions.refresh(from(second, "Firefox 3"));
    await rejects(sessions.refresh(from(second, "curl")), ENDED);
    deepEqual(reuse(server), ["other-client"]);
    await rejects(sessions.refresh(from(third, "Firefox 3")), ENDED);
  });

  h.test("a client that says nothing of itself is held to no window of another", async () => {
    const { sessions, clock } = await serve(lib, { client: () => undefined });
    const first = await sessions.login(ALICE);
    clock.now += 60;
    await sessions.refresh({ refreshToken: first.refreshToken });
    ok(await sessions.refresh({ refreshToken: first.refreshToken }));
  });

  h.test(
    "a session ends when it is not refreshed for long enough, and then a login helps and nothing else",
    async () => {
      const { sessions, clock, records } = await serve(lib, { refresh: { expiresIn: 3600 } });
      const first = await sessions.login(ALICE);
      clock.now += 3500;
      const second = await sessions.refresh(withCookies(first));
      clock.now += 3599;
      ok(await sessions.authenticate(withCookies(second), { strong: true }).catch(() => "its access token is over"));
      clock.now += 1 + 5;
      const asked = records.asked.length;
      await rejects(sessions.refresh(withCookies(second)), { code: "ERR_TOKEN_EXPIRED", status: 401 });
      equal(records.asked.length, asked, "no store is asked about a token that has expired");
      deepEqual(await sessions.list(ALICE), []);
    },
  );

  h.test("the absolute end never moves: no token and no cookie outlives it, and no refresh passes it", async () => {
    const { sessions, clock } = await serve(lib, { refresh: { expiresIn: 3600, absolute: 5000 } });
    let held = await sessions.login(ALICE);
    const end = NOW + 5000;
    for (const at of [2000, 4000, 4900]) {
      clock.now = NOW + at;
      held = await sessions.refresh(withCookies(held));
      const expires = Math.min(clock.now + 3600, end);
      equal(read(held.refreshToken).claims["exp"], expires);
      ok(held.expiresAt <= expires);
      for (const { attributes } of setCookies(held.headers)) ok(attributes.includes(`Max-Age=${expires - clock.now}`));
    }
    clock.now = end;
    ok(
      ["ERR_TOKEN_EXPIRED", "ERR_SESSION_ENDED"].includes(
        (await codeOf(lib, sessions.refresh(withCookies(held)))) ?? "",
      ),
    );
    clock.now = end + 6;
    await rejects(sessions.refresh(withCookies(held)), "ERR_TOKEN_EXPIRED");
  });

  h.test("who presents the current token is not sent it again, so no late answer undoes a newer one", async () => {
    const { sessions, clock } = await serve(lib);
    const first = await sessions.login(ALICE);
    const names = ({ headers }: { headers: Headers }): string[] => setCookies(headers).map(({ name }) => name);
    const again = await sessions.refresh(withCookies(first));
    equal(again.refreshToken, first.refreshToken);
    deepEqual(names(again), ["__Host-access"]);
    clock.now += 60;
    const next = await sessions.refresh(withCookies(first));
    deepEqual(names(next), ["__Host-access", "__Secure-refresh"]);
    // The token before it gets the new one, which this client has not.
    deepEqual(names(await sessions.refresh(withCookies(first))), ["__Host-access", "__Secure-refresh"]);
    deepEqual(names(await sessions.refresh(withCookies(next))), ["__Host-access"]);
  });

  h.test("claims given at the login are in the access token of every later refresh", async () => {
    const { sessions, clock } = await serve(lib);
    const claims = { role: "admin", nested: { list: [1, null, "ü"] } };
    let held = await sessions.login(ALICE, { claims });
    for (let i = 0; i < 4; i++) {
      clock.now += i === 2 ? 1 : 60;
      held = await sessions.refresh(withCookies(held));
      const found = read(held.accessToken).claims;
      deepEqual([found["role"], found["nested"]], [claims.role, claims.nested]);
    }
  });

  h.test("unknown, ended and used again are one code, one status and one message", async () => {
    const messages = new Set<string>();
    const server = await serve(lib);
    const { sessions, records, clock } = server;
    const [ended, reused, unknown] = [
      await sessions.login(ALICE),
      await sessions.login("bob"),
      await sessions.login("carol"),
    ];
    await sessions.end(ALICE, ended.sessionId);
    clock.now += 60;
    await sessions.refresh(withCookies(reused));
    clock.now += 60;
    for (const [key, text] of [...records.texts]) {
      if (text.includes(unknown.sessionId)) records.texts.delete(key);
    }
    for (const held of [ended, reused, unknown]) {
      const error = await rejects(sessions.refresh(withCookies(held)), ENDED);
      messages.add(`${error.message} ${(error as { wwwAuthenticate?: string }).wwwAuthenticate}`);
    }
    equal(messages.size, 1);
  });

  h.test("a client without cookies refreshes by its token alone, from anywhere", async () => {
    const { sessions, clock } = await serve(lib, { origins: [] });
    const first = await sessions.login(ALICE);
    clock.now += 60;
    const second = await sessions.refresh({ refreshToken: first.refreshToken });
    equal(generation(second), 1);
    equal(second.sessionId, first.sessionId);
    for (const wrong of [undefined, null, 1, {}, "", "x"]) {
      const code = await codeOf(lib, sessions.refresh({ refreshToken: wrong } as never));
      ok(["ERR_TOKEN_MALFORMED", "ERR_OPTION_INVALID"].includes(code ?? ""), `${String(wrong)}: ${code}`);
    }
  });

  h.test("a refresh that fails sets no cookie; its error has the headers that would clear both", async () => {
    const { sessions, clock } = await serve(lib);
    const held = await sessions.login(ALICE);
    await sessions.end(ALICE, held.sessionId);
    const failing = [
      () => sessions.refresh(withCookies(held)),
      () => sessions.refresh(post(undefined)),
      () => sessions.refresh({ method: "POST", headers: {} }),
      () => sessions.refresh({ refreshToken: "x" }),
      () => sessions.authenticate(withCookies(held)),
    ];
    clock.now += 1;
    for (const call of failing) {
      const error = (await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )) as { clearingHeaders?: Headers };
      ok(error instanceof lib.WaxsealError);
      ok(!("headers" in error), "nothing that could be sent by mistake");
      ok(error.clearingHeaders instanceof Headers);
      const cleared = setCookies(error.clearingHeaders).map(({ name, value, attributes }) => [
        name,
        value,
        attributes.includes("Max-Age=0"),
        attributes.filter((each) => each.startsWith("Path=")).join(),
      ]);
      deepEqual(cleared, [
        ["__Host-access", "", true, "Path=/"],
        ["__Secure-refresh", "", true, "Path=/auth/refresh"],
      ]);
      equal(error.clearingHeaders.get("cache-control"), "no-store");
    }
  });

  h.test("fifty refreshes at once make one rotation, and fifty clients hold the same refresh token", async () => {
    const server = await serve(lib);
    const { sessions, clock, records } = server;
    const held = await sessions.login(ALICE);
    clock.now += 60;
    const swaps = records.written.length;
    const all = await Promise.all(Array.from({ length: 50 }, () => sessions.refresh(withCookies(held))));
    equal(records.written.length, swaps + 1);
    equal(new Set(all.map(({ refreshToken }) => refreshToken)).size, 1);
    equal((await records.of()).sessions[0]?.gen, 1);
    deepEqual(reuse(server), []);
    const rotated = server.events.filter((event) => event.type === "refreshed" && event.rotated);
    equal(rotated.length, 1);
    for (const each of all) ok(await sessions.authenticate(withCookies(each), { strong: true }));
  });
};
