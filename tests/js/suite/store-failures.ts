// A store that fails in any way is never taken for "not revoked", and never holds a request up.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { NOW, claims, ec, makeVerifier, signed } from "./support.js";
import type { Verifier } from "./support.js";

type Claims = Parameters<Verifier["revokeToken"]>[0];

const thrown = (): never => {
  throw new Error("store down");
};

export const storeFailures: Suite = (h, lib) => {
  const make = (store: object, overrides: object = {}, options: object = {}): Promise<Verifier> =>
    makeVerifier(lib, { revocation: { store, timeout: 0.05, ...overrides }, ...options });
  const token = async (overrides: object = {}): Promise<string> => signed(await ec(), claims(overrides as never));

  const broken: [string, (key: string) => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("store down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("store down"))],
    [
      "throws null",
      () => {
        throw null;
      },
    ],
    ["never answers", () => new Promise(() => undefined)],
    ["answers a number", () => 1],
    ["answers true", () => true],
    ["answers an object", () => ({ value: "wx1 revoked" })],
    ["answers undefined", () => undefined],
    ["answers bytes", () => new Uint8Array(3)],
    ["answers a String object", () => new String("wx1 revoked")],
    ["answers an empty string", () => ""],
    ["answers a text that is no entry", () => "revoked"],
    ["answers an entry of a version to come", () => "wx2 revoked"],
    ["answers a text with a lone surrogate", () => "wx1 \ud800"],
    ["answers a text of a megabyte", () => "wx1 ".padEnd(1 << 20, "x")],
    ["answers a function", () => () => null],
    ["answers a symbol", () => Symbol("s")],
    ["answers a thenable that never settles", () => ({ then: () => undefined })],
    [
      "answers a thenable that throws",
      () => ({
        then: () => {
          throw new Error("then");
        },
      }),
    ],
  ];
  for (const [what, get] of broken) {
    h.test(`a store that ${what} means 503 within the timeout, and the next request works`, async () => {
      let down = true;
      const memory = new MemoryStore();
      const store = { get: (key: string) => (down ? get(key) : memory.get(key)) };
      const verifier = await make(store);
      const request = { method: "GET", headers: { authorization: `Bearer ${await token()}` } };
      const started = Date.now();
      const expected = { code: "ERR_REVOCATION_UNAVAILABLE", status: 503, step: "revocation" };
      const error = await rejects(verifier.authenticate(request), expected);
      ok(Date.now() - started < 2000, "within the timeout");
      ok(!error.message.includes("store down"), "the store's own message is not passed on");
      down = false;
      equal((await verifier.authenticate(request)).revocation, "clear");
    });

    h.test(
      `with onFailure accept, a store that ${what} lets the token pass, and the result says unavailable`,
      async () => {
        const verifier = await make({ get }, { onFailure: "accept" });
        equal((await verifier.verifyAsync(await token())).revocation, "unavailable");
      },
    );
  }

  h.test("one answer that fails is enough, whichever of the three it is", async () => {
    for (const failing of ["token", "session", "subject"]) {
      const store = {
        get: async (key: string) => (key.includes(`:${failing}:`) ? Promise.reject(new Error("down")) : null),
      };
      await rejects((await make(store)).verifyAsync(await token()), "ERR_REVOCATION_UNAVAILABLE", failing);
    }
  });

  h.test("revoked beats failure under either policy, whichever of the entries is the one that answers", async () => {
    for (const onFailure of ["reject", "accept"]) {
      for (const answering of ["token", "session"]) {
        const store = {
          get: async (key: string) =>
            key.includes(`:${answering}:`) ? "wx1 revoked" : Promise.reject(new Error("down")),
        };
        await rejects((await make(store, { onFailure })).verifyAsync(await token()), "ERR_TOKEN_REVOKED", answering);
      }
    }
  });

  h.test("an entry of the wrong kind under a key is a failure and not an answer", async () => {
    const subject = { get: async (key: string) => (key.includes(":subject:") ? "wx1 revoked" : null) };
    await rejects((await make(subject)).verifyAsync(await token()), "ERR_REVOCATION_UNAVAILABLE");
    const session = { get: async (key: string) => (key.includes(":session:") ? `wx1 after=${NOW}` : null) };
    await rejects((await make(session)).verifyAsync(await token()), "ERR_REVOCATION_UNAVAILABLE");
  });

  h.test("getMany is used where it exists, once for all keys, in their order", async () => {
    const memory = new MemoryStore();
    const asked: string[][] = [];
    const store = {
      get: () => {
        throw new Error("not get");
      },
      getMany: async (keys: string[]) => {
        asked.push(keys);
        return Promise.all(keys.map((key) => memory.get(key)));
      },
      put: memory.put.bind(memory),
    };
    const verifier = await make(store);
    equal((await verifier.verifyAsync(await token())).revocation, "clear");
    equal(asked.length, 1);
    equal(asked[0]?.length, 3);
    await verifier.revokeSession("session-1");
    await rejects(verifier.verifyAsync(await token()), "ERR_TOKEN_REVOKED");
  });

  const lists: [string, (keys: string[]) => unknown][] = [
    ["too few", (keys) => keys.slice(1).map(() => null)],
    ["none", () => []],
    ["too many", (keys) => [...keys, "x"].map(() => null)],
    ["null", () => null],
    ["a Map, as KV's own get gives", (keys) => new Map(keys.map((key) => [key, null]))],
    ["a string", () => "wx1 revoked"],
    ["an object with a length", (keys) => ({ length: keys.length })],
    ["a sparse array", (keys) => new Array(keys.length)],
    ["numbers", (keys) => keys.map(() => 0)],
    [
      "a proxy of an array that throws",
      (keys) => new Proxy(keys, { get: (_, name) => (name === "then" ? undefined : thrown()) }),
    ],
    ["nothing in time", () => new Promise(() => undefined)],
  ];
  for (const [what, getMany] of lists) {
    h.test(`getMany that answers ${what} is a failure`, async () => {
      const verifier = await make({ get: async () => null, getMany });
      await rejects(verifier.verifyAsync(await token()), "ERR_REVOCATION_UNAVAILABLE");
    });
  }

  h.test(
    "writing fails with 503 when the store throws, hangs or refuses, and nothing is said to be revoked",
    async () => {
      for (const put of [
        () => {
          throw new Error("down");
        },
        () => Promise.reject(new Error("down")),
        () => new Promise(() => undefined),
      ]) {
        const events: string[] = [];
        const verifier = await make(
          { get: async () => null, put },
          {},
          { onEvent: (event: { type: string }) => events.push(event.type) },
        );
        await rejects(verifier.revokeToken(claims() as Claims), { code: "ERR_REVOCATION_UNAVAILABLE", status: 503 });
        await rejects(verifier.revokeSession("session-1"), "ERR_REVOCATION_UNAVAILABLE");
        await rejects(verifier.revokeSubject("alice"), "ERR_REVOCATION_UNAVAILABLE");
        ok(!events.includes("revoked"));
      }
    },
  );

  h.test("a subject whose earlier entry cannot be read is not revoked by halves", async () => {
    const store = new MemoryStore();
    const verifier = await make({ get: async () => Promise.reject(new Error("down")), put: store.put.bind(store) });
    await rejects(verifier.revokeSubject("alice", { version: 1 }), "ERR_REVOCATION_UNAVAILABLE");
    deepEqual(store.written, []);
  });
};
