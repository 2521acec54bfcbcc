// The module traps all the same: in every entry point, in its first function, in its last and in between, in every way that an
// engine knows. A call fails typed, the next one works, and so does everything that was made before.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Harness, Library, Suite } from "../harness/types.js";
import { type Breakable, breaking, TRAPS } from "./breaking.js";
import { MemoryStore } from "./memory-store.js";
import { published, until } from "./remote-support.js";
import { ALICE, post, serve, withBearer, withCookies } from "./session-support.js";
import { AUDIENCE, claims, ec, ISSUER, makeIssuer, makeVerifier, NOW, rsa, signed } from "./support.js";

/** One way into the module. */
interface Entry {
  readonly what: string;
  /** Once before the traps. */
  prepare(world: World): Promise<Call> | Call;
}

/** A call that can be made again and again. */
interface Call {
  /** Puts the world where the call begins; it is not made to trap. */
  readonly before?: () => unknown;
  readonly run: () => unknown;
  /** Whose listener must be told; nobody's if the call has none. */
  readonly events?: { type: string }[];
  /** The caller has what it wanted, trap or not: what traps happens behind it. */
  readonly quiet?: true;
}

type World = Awaited<ReturnType<typeof worldOf>>;

/** What exists before anything traps. */
async function worldOf(h: Harness, lib: Library) {
  const events = { verifier: [] as { type: string }[], revoking: [] as { type: string }[] };
  const onEvent = (list: { type: string }[]) => (event: { type: string }) => void list.push(event);
  const store = new MemoryStore();
  const verifier = await makeVerifier(lib, { onEvent: onEvent(events.verifier) });
  const revoking = await makeVerifier(lib, { revocation: { store }, onEvent: onEvent(events.revoking) });
  const issuer = await makeIssuer(lib);
  const { cryptoPrivate } = await rsa();
  const outside = await makeIssuer(lib, { key: cryptoPrivate });
  const server = await serve(lib);
  const login = await server.sessions.login(ALICE);
  const token = await signed(await ec());
  return { h, lib, events, onEvent, verifier, revoking, issuer, outside, server, login, token };
}

/** A verifier of its own whose set is fetched anew by every call. */
async function remoteCall({ h, lib, token, onEvent }: World, background: boolean): Promise<Call> {
  const set = await published(h);
  const events: { type: string }[] = [];
  let keys: ReturnType<Library["remoteJwks"]>;
  let verifier: Awaited<ReturnType<Library["createVerifier"]>>;
  const fetched = (): boolean => events.some(({ type }) => type === "keys-fetched" || type === "instance-replaced");
  return {
    events,
    before: async () => {
      verifier?.dispose();
      keys?.dispose();
      keys = lib.remoteJwks(set.url);
      verifier = await makeVerifier(lib, { keys, onEvent: onEvent(events) });
      if (background) throws(() => verifier.verify(token), "ERR_KEY_SET_NEEDS_ASYNC");
      events.length = 0;
    },
    run: background ? () => until(fetched) : () => verifier.verifyAsync(token),
    ...(background && { quiet: true }),
  };
}

const ENTRIES: Entry[] = [
  {
    what: "verify",
    prepare: ({ verifier, token, events }) => ({ run: () => verifier.verify(token), events: events.verifier }),
  },
  {
    what: "verify of a token that is refused",
    prepare: ({ verifier, token, events }) => ({
      run: () => {
        try {
          verifier.verify(token, { now: NOW + 6000 });
        } catch (error) {
          if ((error as { code?: string }).code !== "ERR_TOKEN_EXPIRED") throw error;
        }
      },
      events: events.verifier,
    }),
  },
  {
    what: "verifyAsync",
    prepare: ({ verifier, token, events }) => ({ run: () => verifier.verifyAsync(token), events: events.verifier }),
  },
  {
    what: "verifyAsync with revocation",
    prepare: ({ revoking, token, events }) => ({ run: () => revoking.verifyAsync(token), events: events.revoking }),
  },
  {
    what: "authenticate",
    prepare: ({ verifier, token, events }) => ({
      run: () => verifier.authenticate(withBearer(token)),
      events: events.verifier,
    }),
  },
  {
    what: "authenticate with revocation",
    prepare: ({ revoking, token, events }) => ({
      run: () => revoking.authenticate(withBearer(token)),
      events: events.revoking,
    }),
  },
  {
    what: "checkCrossSite",
    prepare: ({ verifier, events }) => ({ run: () => verifier.checkCrossSite(post("a=b")), events: events.verifier }),
  },
  {
    what: "revokeSubject",
    prepare: ({ revoking, events }) => ({ run: () => revoking.revokeSubject("mallory"), events: events.revoking }),
  },
  {
    what: "the making of a verifier",
    prepare: ({ lib, onEvent }) => {
      const events: { type: string }[] = [];
      return { run: async () => (await makeVerifier(lib, { onEvent: onEvent(events) })).dispose(), events };
    },
  },
  { what: "the making of an issuer", prepare: ({ lib }) => ({ run: async () => (await makeIssuer(lib)).dispose() }) },
  { what: "issue", prepare: ({ issuer }) => ({ run: () => issuer.issue({ sub: "alice" }) }) },
  { what: "issue with a key outside", prepare: ({ outside }) => ({ run: () => outside.issue({ sub: "alice" }) }) },
  { what: "jwks", prepare: ({ issuer }) => ({ run: () => issuer.jwks() }) },
  {
    what: "serializeSetCookie",
    prepare: ({ lib }) => ({ run: () => lib.serializeSetCookie({ name: "a", value: "b" }) }),
  },
  { what: "parseCookie", prepare: ({ lib }) => ({ run: () => lib.parseCookie("a=b; c=d") }) },
  { what: "checkCookie", prepare: ({ lib }) => ({ run: () => lib.checkCookie({ name: "a", value: "b" }) }) },
  { what: "decodeUnverified", prepare: ({ lib, token }) => ({ run: () => lib.decodeUnverified(token) }) },
  {
    what: "explain",
    prepare: async ({ lib, token }) => {
      const options = { keys: (await ec()).publicJwk, issuer: ISSUER, audience: AUDIENCE, clock: () => NOW };
      return { run: () => lib.explain(token, options as never) };
    },
  },
  { what: "generateKeyPair", prepare: ({ lib }) => ({ run: () => lib.generateKeyPair("ES256") }) },
  {
    what: "thumbprint",
    prepare: async ({ lib }) => ({ run: async () => lib.thumbprint((await ec()).publicJwk as never) }),
  },
  { what: "tableMemory", prepare: ({ lib }) => ({ run: () => lib.tableMemory() }) },
  {
    what: "sessions.login",
    prepare: ({ server }) => ({ run: () => server.sessions.login(ALICE), events: server.events }),
  },
  {
    what: "sessions.authenticate, strong",
    prepare: ({ server, login }) => ({
      run: () => server.sessions.authenticate(withBearer(login.accessToken), { strong: true }),
      events: server.events,
    }),
  },
  {
    // Within the window, so that it may be repeated however far the one that trapped has come.
    what: "sessions.refresh",
    prepare: ({ server, login }) => ({
      run: () => server.sessions.refresh(withCookies(login)),
      events: server.events,
    }),
  },
  {
    what: "sessions.logout",
    prepare: ({ server }) => {
      let login: Awaited<ReturnType<typeof server.sessions.login>>;
      return {
        before: async () => {
          login = await server.sessions.login("bob");
          await server.sessions.authenticate(withBearer(login.accessToken));
        },
        run: () => server.sessions.logout(withCookies(login)),
        events: server.events,
      };
    },
  },
  {
    what: "sessions.logoutEverywhere",
    prepare: ({ server }) => ({ run: () => server.sessions.logoutEverywhere("carol"), events: server.events }),
  },
  {
    what: "sessions.list",
    prepare: ({ server }) => ({ run: () => server.sessions.list(ALICE), events: server.events }),
  },
  { what: "a verification that fetches a key set", prepare: (world) => remoteCall(world, false) },
  { what: "a fetch of a key set in the background", prepare: (world) => remoteCall(world, true) },
  {
    what: "dispose",
    prepare: ({ lib, onEvent }) => {
      const events: { type: string }[] = [];
      let verifier: Awaited<ReturnType<typeof makeVerifier>>;
      return {
        before: async () => {
          verifier = await makeVerifier(lib, { onEvent: onEvent(events) });
          events.length = 0;
        },
        run: () => verifier.dispose(),
        events,
        quiet: true,
      };
    },
  },
];

/** Where to trap and how: in the first function in every way, in the last ones, and in some between. */
function places(functions: number): [place: number, kind: number][] {
  const found = [1, functions - 3, functions - 2, functions - 1];
  for (let i = 1; i < 8; i++) found.push(Math.floor((i * functions) / 8));
  const inside = [...new Set(found)].filter((place) => place > 0 && place < functions);
  return [
    ...TRAPS.map((_, kind): [number, number] => [0, kind]),
    ...inside.map((place, index): [number, number] => [place, index % TRAPS.length]),
  ];
}

const replacements = (events: { type: string }[] | undefined): number =>
  events?.filter(({ type }) => type === "instance-replaced").length ?? 0;

/** Traps a call at a place, and checks all that must hold then. Says how the call ended. */
async function trapAt(
  world: World,
  call: Call,
  broken: Breakable,
  [place, kind]: [number, number],
): Promise<"failed" | "succeeded" | "not trapped"> {
  const { lib, verifier, issuer, outside, server, login, token } = world;
  await call.before?.();
  const [made, told] = [broken.made, replacements(call.events)];
  broken.arm(place, kind);
  const [outcome] = await Promise.allSettled([(async () => call.run())()]);
  const at = `${TRAPS[kind]} at ${place}`;
  if (broken.made === made) {
    // What an instance does differs by a few functions, with what it has done before: it ended before its time had come.
    ok(place > 0, "the call enters the module");
    broken.arm(-1);
    return "not trapped";
  }
  equal(broken.made, made + 1, `${at}: the instance is replaced once`);
  if (call.events !== undefined) equal(replacements(call.events), told + 1, `${at}: the listener is told once`);
  const failed = outcome?.status === "rejected";
  if (failed) {
    const { reason } = outcome as PromiseRejectedResult;
    ok(reason instanceof lib.WaxsealError, `${at}: ${String(reason)}`);
    deepEqual([reason.code, reason.status], ["ERR_INTERNAL", 503], at);
  }
  // The same call, and everything that was made before.
  if (call.quiet !== true) await call.run();
  deepEqual(verifier.verify(token).claims, claims(), at);
  equal(verifier.verify(await issuer.issue({ sub: "bob" })).claims.sub, "bob", at);
  equal(lib.decodeUnverified<{ sub: string }>(await outside.issue({ sub: "eve" })).claims.sub, "eve", at);
  equal((await server.sessions.authenticate(withBearer(login.accessToken))).claims.sub, ALICE, at);
  equal(broken.made, made + 1, `${at}: nothing else is replaced`);
  return failed ? "failed" : "succeeded";
}

export const brokenModule: Suite = (h, lib) => {
  for (const { what, prepare } of ENTRIES) {
    h.test(`a trap of any kind, at any place of ${what}, fails that call typed and nothing after it`, async () => {
      const world = await worldOf(h, lib);
      await breaking(h, lib, async (broken) => {
        const call = await prepare(world);
        // Counted in an instance as the traps will meet it: one that has just replaced another.
        await call.before?.();
        await call.run();
        await trapAt(world, call, broken, [0, 0]);
        await call.before?.();
        broken.arm(-1);
        await call.run();
        const all = places(broken.entered);
        const ends = { failed: 0, succeeded: 0, "not trapped": 0 };
        for (const place of all) ends[await trapAt(world, call, broken, place)] += 1;
        ok(ends["not trapped"] <= all.length / 2 && ends.failed >= (call.quiet === true ? 0 : 3), JSON.stringify(ends));
      });
    });
  }

  h.test(
    "a module that traps always: every call fails typed, with one new instance each, and it ends when the fault does",
    async () => {
      const { verifier, revoking, issuer, server, login, token, events } = await worldOf(h, lib);
      const calls: (() => Promise<unknown>)[] = [
        async () => verifier.verify(token),
        async () => verifier.verifyAsync(token),
        async () => revoking.authenticate(withBearer(token)),
        async () => issuer.issue({}),
        async () => lib.parseCookie("a=b"),
        async () => server.sessions.login(ALICE),
        async () => server.sessions.refresh(withCookies(login)),
        async () => makeVerifier(lib),
      ];
      await breaking(h, lib, async (broken) => {
        broken.arm(-1);
        // What its own start takes, and not one function more.
        throws(() => {
          broken.arm(0);
          lib.parseCookie("a=b");
        }, "ERR_INTERNAL");
        const starts = broken.entered;
        for (const allowed of [starts, 0]) {
          broken.allowed = allowed;
          broken.arm(0);
          for (const call of calls) {
            const made = broken.made;
            await rejects(call, { code: "ERR_INTERNAL", status: 503 });
            ok(broken.made - made <= 3, `${broken.made - made} instances for one call`);
          }
        }
        ok(replacements(events.verifier) > 0 && replacements(server.events) > 0);
        broken.allowed = -1;
        for (const call of calls) {
          const [outcome] = await Promise.allSettled([call()]);
          const { reason } = outcome as PromiseRejectedResult;
          // The first call may still meet the instance that is broken.
          ok(outcome?.status === "fulfilled" || (call === calls[0] && reason.code === "ERR_INTERNAL"), String(reason));
        }
      });
      deepEqual(verifier.verify(token).claims, claims());
    },
  );

  h.test("a new instance keeps the limit of the memory for tables", async () => {
    const { limit } = lib.tableMemory();
    try {
      lib.tableMemory({ limit: 400_000 });
      await breaking(h, lib, async (broken) => {
        equal(lib.tableMemory().limit, 400_000);
        broken.arm(0);
        throws(() => lib.parseCookie("a=b"), "ERR_INTERNAL");
        deepEqual(lib.tableMemory(), { limit: 400_000, used: 0, keys: 0 });
      });
      equal(lib.tableMemory().limit, 400_000);
    } finally {
      lib.tableMemory({ limit });
    }
  });

  h.test(
    "a check that waits for a store while another call traps fails typed, and both listeners are told",
    async () => {
      let answer: (value: null) => void = () => undefined;
      const store = { get: () => new Promise<null>((resolve) => (answer = resolve)) };
      const events: { type: string }[] = [];
      const waiting = await makeVerifier(lib, {
        revocation: { store },
        onEvent: (event: { type: string }) => void events.push(event),
      });
      const { verifier, events: others, token } = await worldOf(h, lib);
      await breaking(h, lib, async (broken) => {
        const pending = waiting.verifyAsync(await signed(await ec(), claims({ sid: undefined, sub: undefined })));
        await Promise.resolve();
        const told = [replacements(events), replacements(others.verifier)];
        broken.arm(0);
        throws(() => verifier.verify(token), "ERR_INTERNAL");
        answer(null);
        await rejects(pending, "ERR_INTERNAL");
        deepEqual([replacements(events), replacements(others.verifier)], [Number(told[0]) + 1, Number(told[1]) + 1]);
      });
    },
  );
};
