// Handles and their end, the clock, events, and loading: what surrounds a decision must not change it.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { NOW, claims, ec, makeIssuer, makeVerifier, signed } from "./support.js";

const DISPOSED = { code: "ERR_DISPOSED", status: 500, step: "runtime" };

export const lifecycle: Suite = (h, lib) => {
  h.test("init may be called any number of times, together and again", async () => {
    await Promise.all([lib.init(), lib.init(), lib.init()]);
    equal(await lib.init(), undefined);
    ok(lib.serializeSetCookie({ name: "a", value: "b" }));
  });

  h.test("a disposed verifier answers every call with ERR_DISPOSED, and may be disposed of again", async () => {
    const store = { get: async () => null, put: async () => undefined };
    const verifier = await makeVerifier(lib, { revocation: { store } });
    const token = await signed(await ec());
    verifier.dispose();
    verifier.dispose();
    throws(() => verifier.verify(token), DISPOSED);
    await rejects(async () => verifier.verifyAsync(token), DISPOSED);
    await rejects(
      async () => verifier.authenticate({ method: "GET", headers: { authorization: `Bearer ${token}` } }),
      DISPOSED,
    );
    await rejects(async () => verifier.ready(), DISPOSED);
    await rejects(async () => verifier.revokeToken(claims() as never), DISPOSED);
    await rejects(async () => verifier.revokeSession("s"), DISPOSED);
    await rejects(async () => verifier.revokeSubject("s"), DISPOSED);
  });

  h.test("a disposed issuer answers every call with ERR_DISPOSED, also with a callback as its key", async () => {
    const { privateJwk, publicJwk } = await ec();
    const callback = {
      alg: "ES256",
      kid: "k",
      publicKey: publicJwk,
      sign: () => {
        throw new Error("called");
      },
    };
    for (const key of [privateJwk, callback]) {
      const issuer = await makeIssuer(lib, { key });
      issuer.dispose();
      issuer.dispose();
      await rejects(async () => issuer.issue({}), DISPOSED);
      throws(() => issuer.jwks(), DISPOSED);
    }
  });

  h.test("Symbol.dispose does what dispose does", async () => {
    if (typeof Symbol.dispose !== "symbol") {
      const verifier = await makeVerifier(lib);
      equal(typeof verifier.dispose, "function");
      return;
    }
    const [verifier, issuer] = [await makeVerifier(lib), await makeIssuer(lib)];
    verifier[Symbol.dispose]();
    issuer[Symbol.dispose]();
    throws(() => verifier.verify("a.b.c"), DISPOSED);
    throws(() => issuer.jwks(), DISPOSED);
  });

  h.test(
    "a verifier disposed of while a store is being asked ends that check in an error and not in a crash",
    async () => {
      let answer: (value: null) => void = () => undefined;
      const store = {
        get: () =>
          new Promise<null>((resolve) => {
            answer = resolve;
          }),
      };
      const verifier = await makeVerifier(lib, { revocation: { store } });
      const pending = verifier.verifyAsync(await signed(await ec(), claims({ sid: undefined, sub: undefined })));
      await Promise.resolve();
      verifier.dispose();
      answer(null);
      const [outcome] = await Promise.allSettled([pending]);
      ok(outcome?.status === "fulfilled" || (outcome?.reason as { code?: string }).code === "ERR_DISPOSED");
      ok((await makeVerifier(lib)).verify(await signed(await ec())));
    },
  );

  h.test("disposing of one verifier leaves the others alone", async () => {
    const [first, second] = [await makeVerifier(lib), await makeVerifier(lib)];
    first.dispose();
    ok(second.verify(await signed(await ec())));
  });

  h.test("five hundred verifiers made and disposed of in a row leave the library working", async () => {
    const token = await signed(await ec());
    for (let i = 0; i < 500; i++) {
      const verifier = await makeVerifier(lib);
      if (i % 100 === 0) ok(verifier.verify(token));
      verifier.dispose();
    }
    ok((await makeVerifier(lib)).verify(token));
  });

  const notTimes: [string, () => unknown][] = [
    ["NaN", () => Number.NaN],
    ["Infinity", () => Number.POSITIVE_INFINITY],
    ["undefined", () => undefined],
    ["null", () => null],
    ["a string", () => String(NOW)],
    ["a bigint", () => BigInt(NOW)],
    ["an object", () => ({})],
    ["an invalid Date", () => new Date(Number.NaN)],
    ["milliseconds", () => NOW * 1000],
    [
      "an exception",
      () => {
        throw new Error("no clock");
      },
    ],
    ["a promise", async () => NOW],
  ];
  for (const [what, clock] of notTimes) {
    h.test(`a clock that gives ${what} is refused with ERR_CLOCK_INVALID: no token is judged by it`, async () => {
      const verifier = await makeVerifier(lib, { clock });
      const issuer = await makeIssuer(lib, { clock });
      const token = await signed(await ec());
      const expected = { code: "ERR_CLOCK_INVALID", status: 503 };
      throws(() => verifier.verify(token), expected);
      await rejects(verifier.verifyAsync(token), expected);
      await rejects(async () => issuer.issue({}), expected);
      ok(verifier.verify(token, { now: NOW }), "now goes before the clock");
    });
  }

  h.test("a clock may give a Date, and is read for every call", async () => {
    let now = NOW;
    const verifier = await makeVerifier(lib, { clock: () => new Date(now * 1000) });
    const token = await signed(await ec());
    ok(verifier.verify(token));
    now += 600;
    throws(() => verifier.verify(token), "ERR_TOKEN_EXPIRED");
  });

  h.test("every outcome is told to onEvent, without any text of the token", async () => {
    const events: Record<string, unknown>[] = [];
    const store = { get: async () => null, put: async () => undefined };
    const options = { onEvent: (event: Record<string, unknown>) => events.push(event) };
    const plain = await makeVerifier(lib, options);
    plain.verify(await signed(await ec()));
    throws(() => plain.verify("nonsense"), "ERR_TOKEN_MALFORMED");
    await rejects(plain.verifyAsync(await signed(await ec(), claims({ exp: NOW }))), "ERR_TOKEN_EXPIRED");
    await plain.authenticate({ method: "GET", headers: { authorization: `Bearer ${await signed(await ec())}` } });
    const revoking = await makeVerifier(lib, { ...options, revocation: { store } });
    await revoking.revokeSession("session-1");
    deepEqual(
      events.map(({ type, code, step, source, kind }) => [type, code, step, source, kind]),
      [
        ["accepted", undefined, undefined, undefined, undefined],
        ["rejected", "ERR_TOKEN_MALFORMED", "segments", undefined, undefined],
        ["rejected", "ERR_TOKEN_EXPIRED", "policy", undefined, undefined],
        ["accepted", undefined, undefined, "bearer", undefined],
        ["revoked", undefined, undefined, undefined, "session"],
      ],
    );
    ok(!JSON.stringify(events).includes("alice") && !JSON.stringify(events).includes("eyJ"));
  });

  h.test("an onEvent that throws changes no outcome", async () => {
    const verifier = await makeVerifier(lib, {
      onEvent: () => {
        throw new Error("observer");
      },
    });
    deepEqual(verifier.verify(await signed(await ec())).claims, claims());
    throws(() => verifier.verify("nonsense"), "ERR_TOKEN_MALFORMED");
    ok(await verifier.verifyAsync(await signed(await ec())));
  });

  h.test("onEvent and clock may call the same verifier again", async () => {
    const token = await signed(await ec());
    let depth = 0;
    const again = (): void => {
      if (depth++ < 3) verifier.verify(token, { now: NOW });
    };
    const verifier = await makeVerifier(lib, {
      onEvent: again,
      clock: () => {
        again();
        return NOW;
      },
    });
    deepEqual(verifier.verify(token).claims, claims());
  });

  h.test("a getter among a call's options may call the same verifier again", async () => {
    const token = await signed(await ec());
    const verifier = await makeVerifier(lib);
    const options = {
      get now() {
        verifier.verify(token);
        return NOW;
      },
    };
    deepEqual(verifier.verify(token, options).claims, claims());
    const issuer = await makeIssuer(lib);
    const reentrant = {
      get sub() {
        void issuer.issue({});
        issuer.jwks();
        return "alice";
      },
    };
    equal(verifier.verify(await issuer.issue(reentrant)).claims.sub, "alice");
  });

  h.test(
    "disposing from within a callback of the same call ends in ERR_DISPOSED or in the result, and not in a crash",
    async () => {
      const token = await signed(await ec());
      const verifier = await makeVerifier(lib, {
        clock: () => {
          verifier.dispose();
          return NOW;
        },
      });
      throws(() => verifier.verify(token), DISPOSED);
      ok((await makeVerifier(lib)).verify(token));
    },
  );

  h.test("a thousand asynchronous verifications, good and bad, are each answered rightly", async () => {
    const verifier = await makeVerifier(lib);
    const good = await signed(await ec());
    const bad = `${good.slice(0, -86)}${"A".repeat(86)}`;
    const all = Array.from({ length: 1000 }, (_, i) => verifier.verifyAsync(i % 2 === 0 ? good : bad));
    const outcomes = await Promise.allSettled(all);
    ok(outcomes.every(({ status }, i) => status === (i % 2 === 0 ? "fulfilled" : "rejected")));
  });

  h.test(
    "handles cannot be made but by their functions, and a method torn off its handle fails without a crash",
    async () => {
      const verifier = await makeVerifier(lib);
      const { verify } = verifier;
      let thrown: unknown;
      try {
        verify("a.b.c");
      } catch (error) {
        thrown = error;
      }
      ok(thrown instanceof Error);
      ok(verifier.verify(await signed(await ec())));
    },
  );

  h.test("a handle shows nothing of its keys when it is printed", async () => {
    const issuer = await makeIssuer(lib);
    const { privateJwk } = await ec();
    const text = [
      JSON.stringify(issuer),
      String(issuer),
      ...Object.values(issuer).map(String),
      ...Object.keys(issuer),
    ].join();
    ok(!text.includes(privateJwk["d"] as string));
    includes(JSON.stringify({ issuer }), "{");
  });
};
