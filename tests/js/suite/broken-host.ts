// A host whose clock or source of random bytes is broken. Nobody is signed in by a time that is none, nothing is issued with
// identifiers that repeat, and once the host is mended everything made before works on.

import { equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { published, reading, WHEN } from "./remote-support.js";
import { ALICE, codeOf, serve, withBearer, withCookies } from "./session-support.js";
import { ec, makeIssuer, makeVerifier, NOW, read, rsa, signed } from "./support.js";

const YEAR = 365 * 86_400;

/** Runs something while a member of the global scope is another. */
async function withGlobal<T>(on: object, name: string, value: unknown, run: () => Promise<T>): Promise<T> {
  const own = Object.getOwnPropertyDescriptor(on, name);
  Object.defineProperty(on, name, { value, configurable: true, writable: true });
  try {
    return await run();
  } finally {
    if (own === undefined) Reflect.deleteProperty(on, name);
    else Object.defineProperty(on, name, own);
  }
}

export const brokenHost: Suite = (h, lib) => {
  const times: [string, () => unknown][] = [
    ["NaN", () => Number.NaN],
    ["Infinity", () => Number.POSITIVE_INFINITY],
    ["minus Infinity", () => Number.NEGATIVE_INFINITY],
    ["a time before 1970", () => -1],
    ["a text", () => String(NOW)],
    ["milliseconds", () => NOW * 1000],
    ["nothing", () => undefined],
    [
      "an exception",
      () => {
        throw new Error("no clock");
      },
    ],
  ];
  for (const [what, broken] of times) {
    h.test(
      `a clock that gives ${what} begins, refreshes, accepts and ends no session, and ends none by accident`,
      async () => {
        let clock: () => unknown = () => NOW;
        const server = await serve(lib, { clock: () => clock() });
        const { sessions, records } = server;
        const login = await sessions.login(ALICE);
        const before = await records.text();
        clock = broken;
        const expected = { code: "ERR_CLOCK_INVALID", status: 503 };
        await rejects(sessions.login(ALICE), expected);
        await rejects(sessions.refresh(withCookies(login)), expected);
        await rejects(sessions.authenticate(withBearer(login.accessToken)), expected);
        await rejects(sessions.logout(withCookies(login)), expected);
        await rejects(sessions.logoutEverywhere(ALICE), expected);
        await rejects(sessions.list(ALICE), expected);
        equal(await records.text(), before);
        clock = () => NOW + 1;
        ok(await sessions.refresh(withCookies(login)));
      },
    );
  }

  h.test(
    "a clock that stands still keeps nobody from refreshing: they are in the window for ever, and get one token",
    async () => {
      const { sessions } = await serve(lib);
      const seen = new Set<string>();
      let last = await sessions.login(ALICE);
      for (let i = 0; i < 20; i++) {
        last = await sessions.refresh(withCookies(last));
        seen.add(last.refreshToken);
      }
      equal(seen.size, 1);
      equal((await sessions.authenticate(withBearer(last.accessToken))).claims.sub, ALICE);
    },
  );

  for (const back of [1, 60, YEAR]) {
    h.test(
      `a clock that goes back by ${back} seconds ends no session, and does not let a used token pass for a fresh one`,
      async () => {
        const server = await serve(lib);
        const { sessions, clock } = server;
        const first = await sessions.login(ALICE);
        clock.now += 30;
        const second = await sessions.refresh(withCookies(first));
        clock.now -= back;
        // Whether what is of the future is accepted is for the rules of tokens to say; it is no end of the session.
        const code = await codeOf(lib, sessions.refresh(withCookies(second)));
        ok(code === undefined || code === "ERR_TOKEN_ISSUED_IN_FUTURE", code);
        clock.now = NOW + 60;
        const [session] = (await server.records.of()).sessions;
        equal(session?.ended, undefined, "the session lives");
        // The token of the login was used half a minute ago, whatever the clock said in between.
        const replayed = await codeOf(lib, sessions.refresh(withCookies(first)));
        equal(replayed, "ERR_SESSION_ENDED");
      },
    );
  }

  h.test(
    "a clock that jumps by a year refuses what has expired, and when it is right again nobody was signed out",
    async () => {
      const { sessions, clock, records } = await serve(lib);
      const login = await sessions.login(ALICE);
      const before = await records.text();
      clock.now += YEAR;
      await rejects(sessions.authenticate(withBearer(login.accessToken)), "ERR_TOKEN_EXPIRED");
      await rejects(sessions.refresh(withCookies(login)), "ERR_TOKEN_EXPIRED");
      equal(await records.text(), before);
      clock.now -= YEAR;
      equal((await sessions.authenticate(withBearer(login.accessToken))).claims.sub, ALICE);
      ok(await sessions.refresh(withCookies(login)));
    },
  );

  h.test(
    "a clock that goes back and forth by a year makes a key set be fetched anew, and not again and again",
    async () => {
      const set = await published(h);
      const { verifier, clock } = await reading(lib, set);
      const token = await signed(await ec());
      for (const at of [NOW, NOW + YEAR, NOW - YEAR, NOW - YEAR + 1, NOW, NOW + YEAR]) {
        clock.now = at;
        for (let i = 0; i < 5; i++) ok(await verifier.verifyAsync(token, WHEN));
      }
      ok((await set.fetches()) <= 6, `${await set.fetches()} fetches`);
    },
  );

  h.test(
    "a clock that is broken while a key set is fetched fails that call typed, and the next one fetches",
    async () => {
      let time: unknown = NOW;
      const set = await published(h);
      const keys = lib.remoteJwks(set.url, {
        fetch: async (url: string) => {
          time = Number.NaN;
          return fetch(url);
        },
      } as never);
      const verifier = await makeVerifier(lib, { keys, clock: () => time });
      const token = await signed(await ec());
      await rejects(verifier.verifyAsync(token, WHEN), "ERR_CLOCK_INVALID");
      const mended = lib.remoteJwks(set.url);
      ok(await (await makeVerifier(lib, { keys: mended })).verifyAsync(token));
      time = NOW;
      const code = await codeOf(lib, verifier.verifyAsync(token, WHEN));
      ok(code === "ERR_CLOCK_INVALID" || code === undefined, code);
    },
  );

  const sources: [string, unknown][] = [
    [
      "throws",
      () => {
        throw new Error("no entropy");
      },
    ],
    ["leaves zeros", (bytes: Uint8Array) => bytes.fill(0)],
    ["writes nothing", (bytes: Uint8Array) => bytes],
    ["gives the same bytes each time", (bytes: Uint8Array) => bytes.fill(7)],
    ["is no function", 7],
    ["is missing", undefined],
  ];
  for (const [what, source] of sources) {
    h.test(`a source of random bytes that ${what}: nothing is issued, and nothing is replaced`, async () => {
      const events: { type: string }[] = [];
      const onEvent = (event: { type: string }): void => void events.push(event);
      const [issuer, outside] = [await makeIssuer(lib), await makeIssuer(lib, { key: (await rsa()).cryptoPrivate })];
      const { sessions, records } = await serve(lib, { onEvent });
      const login = await sessions.login(ALICE);
      const before = await records.text();
      const expected = { code: "ERR_RANDOM_UNAVAILABLE", status: 503 };
      await withGlobal(crypto, "getRandomValues", source, async () => {
        await rejects(async () => issuer.issue({ sub: ALICE }), expected);
        await rejects(async () => outside.issue({ sub: ALICE }), expected);
        await rejects(sessions.login(ALICE), expected);
        await rejects(sessions.refresh(withCookies(login)), expected);
        await rejects(async () => lib.generateKeyPair("ES256"), expected);
        await rejects(makeVerifier(lib, { cache: { max: 10 } }), expected);
        equal((await sessions.authenticate(withBearer(login.accessToken))).claims.sub, ALICE, "which draws nothing");
      });
      equal(await records.text(), before);
      ok(!events.some(({ type }) => type === "instance-replaced"));
      ok(await sessions.refresh(withCookies(login)));
      ok(await issuer.issue({ sub: ALICE }));
    });
  }

  h.test("a host without crypto issues nothing and verifies all the same", async () => {
    const [issuer, verifier, { sessions }] = [await makeIssuer(lib), await makeVerifier(lib), await serve(lib)];
    const token = await signed(await ec());
    await withGlobal(globalThis, "crypto", undefined, async () => {
      await rejects(async () => issuer.issue({}), { code: "ERR_RANDOM_UNAVAILABLE", status: 503 });
      await rejects(sessions.login(ALICE), "ERR_RANDOM_UNAVAILABLE");
      ok(verifier.verify(token));
    });
    ok(await issuer.issue({}));
  });

  h.test("a thousand tokens and a hundred sessions have identifiers of which no two are alike", async () => {
    const [issuer, { sessions }] = [await makeIssuer(lib), await serve(lib, { maxSessions: 100 })];
    const seen: unknown[] = [];
    for (let i = 0; i < 1000; i++) seen.push(read(await issuer.issue({})).claims["jti"]);
    for (let i = 0; i < 100; i++) {
      const { accessToken, sessionId } = await sessions.login(ALICE);
      seen.push(sessionId, read(accessToken).claims["jti"]);
    }
    equal(new Set(seen).size, seen.length);
  });
};
