// Handles of sessions and their end, and an instance that is replaced while calls are under way.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { trapping } from "./hostile.js";
import { MemoryStore } from "./memory-store.js";
import { ALICE, type Operation, Records, type Server, around, codeOf, serve, withCookies } from "./session-support.js";
import { ec } from "./support.js";

/** A server whose next operation waits until it is let go. */
class Gate {
  readonly #server: Promise<Server>;
  readonly #waiting: (() => void)[] = [];
  #holds: Operation | undefined;

  constructor(make: (wrap: Parameters<typeof around>[1]) => Promise<Server>) {
    this.#server = make((operation, run) =>
      operation === this.#holds ? new Promise((resolve) => this.#waiting.push(() => resolve(run()))) : run(),
    );
  }

  get server(): Promise<Server> {
    return this.#server;
  }

  hold(operation: Operation): void {
    this.#holds = operation;
  }

  release(): void {
    this.#holds = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }
}

export const sessionsLifecycle: Suite = (h, lib) => {
  const gated = async (): Promise<{ gate: Gate; server: Server }> => {
    const ground = { records: new Records(), revoked: new MemoryStore() };
    const gate = new Gate((wrap) => {
      const { store, revocation } = around(ground, wrap);
      return serve(lib, { store, revocation: { store: revocation } }, ground);
    });
    return { gate, server: await gate.server };
  };
  const trap = (): unknown => throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");

  h.test(
    "sessions made before an instance was replaced work after it, with the same keys and the same records",
    async () => {
      const { sessions, clock } = await serve(lib);
      let held = await sessions.login(ALICE, { claims: { role: "admin" } });
      for (let i = 0; i < 20; i++) {
        trap();
        clock.now += 60;
        held = await sessions.refresh(withCookies(held));
        trap();
        equal((await sessions.authenticate(withCookies(held), { strong: true })).claims["role"], "admin");
      }
      trap();
      equal((await sessions.logout(withCookies(held))).ended, true);
    },
  );

  h.test("sessions are made again from what they were given at first, not from what became of it", async () => {
    const key = { ...(await ec()).privateJwk };
    const origins = ["https://app.example"];
    const { sessions } = await serve(lib, { keys: [key], origins });
    const held = await sessions.login(ALICE);
    delete key["d"];
    origins[0] = "https://evil.example";
    trap();
    ok(await sessions.refresh(withCookies(held)));
    const request = { method: "POST", headers: { origin: "https://evil.example" } };
    await rejects(sessions.login(ALICE, { request }), "ERR_CROSS_SITE");
  });

  for (const operation of ["read", "swap"] as const) {
    h.test(
      `a refresh under way at its ${operation} when the instance is replaced ends in an error, and a retry signs in`,
      async () => {
        const { gate, server } = await gated();
        const { sessions, clock, records } = server;
        const held = await sessions.login(ALICE);
        clock.now += 60;
        gate.hold(operation);
        const pending = sessions.refresh(withCookies(held));
        await Promise.resolve();
        trap();
        gate.release();
        await rejects(pending, { code: "ERR_INTERNAL", status: 503 });
        const retried = await sessions.refresh(withCookies(held));
        equal((await records.of()).sessions[0]?.gen, 1, "rotated once, whoever did it");
        ok(await sessions.authenticate(withCookies(retried), { strong: true }));
      },
    );

    h.test(
      `a logout under way at its ${operation} when the instance is replaced is no success, and a retry is one`,
      async () => {
        const { gate, server } = await gated();
        const { sessions } = server;
        const held = await sessions.login(ALICE);
        gate.hold(operation);
        const pending = sessions.logout(withCookies(held));
        await Promise.resolve();
        trap();
        gate.release();
        await rejects(pending, "ERR_INTERNAL");
        ok(await sessions.logout(withCookies(held)));
        await rejects(sessions.authenticate(withCookies(held)), "ERR_TOKEN_REVOKED");
        await rejects(sessions.refresh(withCookies(held)), "ERR_SESSION_ENDED");
        deepEqual(await sessions.sweep(ALICE), { found: false });
      },
    );

    h.test(
      `sessions disposed of while a call waits for its ${operation} end that call in its result or in an error`,
      async () => {
        const { gate, server } = await gated();
        const { sessions, clock } = server;
        const held = await sessions.login(ALICE);
        clock.now += 60;
        gate.hold(operation);
        const pending = codeOf(lib, sessions.refresh(withCookies(held)));
        await Promise.resolve();
        sessions.dispose();
        gate.release();
        ok([undefined, "ERR_DISPOSED"].includes(await pending));
        await rejects(sessions.list(ALICE), "ERR_DISPOSED");
        const next = await serve(lib, {}, server);
        ok(await next.sessions.refresh(withCookies(held)), "the session itself is not touched by that");
      },
    );
  }

  h.test(
    "a check of revocation under way when the instance is replaced ends in an error, and not in a pass",
    async () => {
      const { gate, server } = await gated();
      const held = await server.sessions.login(ALICE);
      gate.hold("get");
      const pending = server.sessions.authenticate(withCookies(held));
      await Promise.resolve();
      trap();
      gate.release();
      await rejects(pending, "ERR_INTERNAL");
      ok(await server.sessions.authenticate(withCookies(held)));
    },
  );

  h.test("a login during which the instance is replaced fails, is reported, and has written nothing", async () => {
    const { sessions, events, records } = await serve(lib);
    const label = (): string => {
      trap();
      return "x";
    };
    const options = { claims: Object.defineProperty({}, "x", { get: label, enumerable: true }) };
    await rejects(sessions.login(ALICE, options), "ERR_INTERNAL");
    deepEqual(records.written, []);
    deepEqual(
      events.map(({ type }) => type),
      ["instance-replaced", "rejected"],
    );
    ok(await sessions.login(ALICE));
  });

  h.test("callbacks may use the same sessions again", async () => {
    const server: Server = await serve(lib, {
      clock: () => {
        server.sessions.jwks();
        return server.clock.now;
      },
      client: () => {
        server.sessions.jwks();
        return "client";
      },
      validate: async () => (await server.sessions.list("bob")).length === 0,
      onEvent: () => void server.sessions.list("carol").catch(() => undefined),
    });
    const held = await server.sessions.login(ALICE);
    ok(await server.sessions.refresh(withCookies(held)));
    ok(await server.sessions.authenticate(withCookies(held)));
  });

  h.test("a store may use the same sessions from within its own methods", async () => {
    const records = new Records();
    const server: Server = await serve(lib, {
      store: {
        read: async (key: string) => {
          server.sessions.jwks();
          return records.read(key);
        },
        compareAndSwap: async (...given: Parameters<Records["compareAndSwap"]>) => {
          await server.sessions.list("bob");
          return records.compareAndSwap(...given);
        },
      },
    });
    ok(await server.sessions.refresh(withCookies(await server.sessions.login(ALICE))));
  });

  h.test("a handle of sessions shows nothing of its keys when it is printed", async () => {
    const { sessions } = await serve(lib);
    const { privateJwk } = await ec();
    const text = [JSON.stringify(sessions), String(sessions), ...Object.values(sessions).map(String)].join();
    ok(!text.includes(privateJwk["d"] as string));
  });

  h.test("two hundred handles made and disposed of leave the library working, and the others alone", async () => {
    const { sessions } = await serve(lib);
    const held = await sessions.login(ALICE);
    for (let i = 0; i < 200; i++) {
      const other = await serve(lib);
      if (i % 50 === 0) ok(await other.sessions.login(ALICE));
      other.sessions.dispose();
    }
    ok(await sessions.refresh(withCookies(held)));
  });

  h.test("Symbol.dispose does what dispose does", async () => {
    const { sessions } = await serve(lib);
    if (typeof Symbol.dispose !== "symbol") equal(typeof sessions.dispose, "function");
    else {
      sessions[Symbol.dispose]();
      throws(() => sessions.jwks(), "ERR_DISPOSED");
    }
  });
};
