// A hostile or broken host: objects that throw when they are looked at, a stack that is full, listeners that fail later.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import {
  AUDIENCE,
  ISSUER,
  NOW,
  claims,
  ec,
  makeIssuer,
  makeVerifier,
  otherEc,
  rsa,
  signed,
  type VerifierOptions,
} from "./support.js";

const thrown = (): never => {
  throw new Error("hunter2");
};

/** Makes every text fail on its way into the module, which ends the call there like a trap. */
export function trapping<T>(call: () => T): T {
  const { charCodeAt } = String.prototype;
  const { encodeInto, encode } = TextEncoder.prototype;
  try {
    String.prototype.charCodeAt = thrown;
    TextEncoder.prototype.encodeInto = thrown;
    TextEncoder.prototype.encode = thrown;
    return call();
  } finally {
    String.prototype.charCodeAt = charCodeAt;
    TextEncoder.prototype.encodeInto = encodeInto;
    TextEncoder.prototype.encode = encode;
  }
}

export const hostile: Suite = (h, lib) => {
  /** Calls a function at every depth near the end of the stack, and counts what came of it. */
  const withFullStack = (call: () => unknown): { worked: number; strange: string[] } => {
    let worked = 0;
    const strange: string[] = [];
    let left = 20_000;
    const descend = (): void => {
      try {
        descend();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
      // On the way back up there is a little more room each time; where there is enough, the rest would prove nothing.
      if (left-- <= 0 || worked >= 20) return;
      try {
        call();
        worked += 1;
      } catch (error) {
        const isOwn = error instanceof lib.WaxsealError || error instanceof RangeError;
        if (!isOwn && strange.length < 5) strange.push(String(error));
      }
    };
    descend();
    return { worked, strange };
  };

  h.test("calls made with the stack nearly full fail or succeed, and the next ones work: verify", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    const { worked, strange } = withFullStack(() => verifier.verify(token));
    deepEqual(strange, []);
    ok(worked > 0, "at some depth there is room enough");
    deepEqual(verifier.verify(token).claims, claims());
    throws(() => verifier.verify(`${token}=`), "ERR_TOKEN_MALFORMED");
    verifier.dispose();
  });

  h.test(
    "calls made with the stack nearly full fail or succeed, and the next ones work: cookies and decoding",
    async () => {
      await lib.init();
      const token = await signed(await ec());
      const calls: [string, () => unknown][] = [
        ["serializeSetCookie", () => lib.serializeSetCookie({ name: "a", value: "b" })],
        ["parseCookie", () => lib.parseCookie("a=b; c=d")],
        ["decodeUnverified", () => lib.decodeUnverified(token)],
      ];
      for (const [what, call] of calls) {
        const before = JSON.stringify(call());
        const { worked, strange } = withFullStack(call);
        deepEqual(strange, [], what);
        ok(worked > 0, what);
        equal(JSON.stringify(call()), before, what);
      }
    },
  );

  h.test("a verifier made before the stack was full still verifies, and an issuer still issues", async () => {
    const [verifier, issuer] = [await makeVerifier(lib), await makeIssuer(lib)];
    const token = await issuer.issue({ sub: "alice" });
    withFullStack(() => issuer.jwks());
    withFullStack(() => verifier.verify(token));
    equal(verifier.verify(await issuer.issue({ sub: "bob" })).claims.sub, "bob");
    equal(verifier.verify(token).claims.sub, "alice");
  });

  h.test("a call that fails within the module gets ERR_INTERNAL, and the instance is replaced", async () => {
    const events: string[] = [];
    const verifier = await makeVerifier(lib, { onEvent: ({ type }: { type: string }) => events.push(type) });
    const token = await signed(await ec());
    throws(() => trapping(() => verifier.verify(token)), { code: "ERR_INTERNAL", status: 503, step: "runtime" });
    deepEqual(events, ["instance-replaced", "rejected"]);
    deepEqual(verifier.verify(token).claims, claims());
    throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");
    throws(() => trapping(() => lib.decodeUnverified(token)), "ERR_INTERNAL");
    deepEqual(lib.parseCookie("a=b").pairs, [["a", "b"]]);
    deepEqual(verifier.verify(token).claims, claims());
    verifier.dispose();
    throws(() => verifier.verify(token), "ERR_DISPOSED");
  });

  h.test(
    "where the host refuses a new instance for the moment, the call fails as any other and a later one tries again",
    async () => {
      const verifier = await makeVerifier(lib);
      const token = await signed(await ec());
      const { Instance } = WebAssembly;
      try {
        WebAssembly.Instance = thrown as never;
        throws(() => trapping(() => verifier.verify(token)), "ERR_INTERNAL");
      } finally {
        WebAssembly.Instance = Instance;
      }
      deepEqual(verifier.verify(token).claims, claims());
    },
  );

  h.test(
    "an instance is replaced a hundred times, and every verifier and issuer made before works after each",
    async () => {
      const [verifier, issuer] = [await makeVerifier(lib), await makeIssuer(lib)];
      for (let i = 0; i < 100; i++) {
        throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");
        equal(verifier.verify(await issuer.issue({ sub: `u${i}` })).claims.sub, `u${i}`);
      }
    },
  );

  h.test(
    "a verifier and an issuer are made again from what they were given at first, not from what became of it",
    async () => {
      const { publicJwk, privateJwk } = await ec();
      const given = { keys: [{ ...publicJwk }], issuer: [ISSUER], audience: [AUDIENCE], clock: () => NOW };
      const key = { ...privateJwk };
      const verifier = await lib.createVerifier(given as unknown as VerifierOptions);
      const issuer = await makeIssuer(lib, { key });
      given.issuer[0] = "https://evil.example";
      given.audience.length = 0;
      given.keys.pop();
      Object.assign(key, (await otherEc()).privateJwk);
      throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");
      equal(verifier.verify(await issuer.issue({ sub: "bob" })).claims.sub, "bob");
    },
  );

  h.test(
    "a check of revocation that is under way when the instance is replaced ends in an error, and not in a pass",
    async () => {
      let answer: (value: null) => void = () => undefined;
      const store = { get: () => new Promise<null>((resolve) => (answer = resolve)) };
      const verifier = await makeVerifier(lib, { revocation: { store } });
      const token = await signed(await ec(), claims({ sid: undefined, sub: undefined }));
      const pending = verifier.verifyAsync(token);
      await Promise.resolve();
      throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");
      answer(null);
      await rejects(pending, "ERR_INTERNAL");
      const next = verifier.verifyAsync(token);
      await Promise.resolve();
      answer(null);
      equal((await next).revocation, "clear");
    },
  );

  h.test(
    "a call whose arguments' getters make the module fail gets an error, and not the text of another memory",
    async () => {
      const [verifier, issuer] = [await makeVerifier(lib), await makeIssuer(lib)];
      const claimsToIssue = {
        get sub(): string {
          throws(() => trapping(() => lib.parseCookie("a=b; c=d")), "ERR_INTERNAL");
          return "alice";
        },
      };
      await rejects(issuer.issue(claimsToIssue), "ERR_INTERNAL");
      equal(verifier.verify(await issuer.issue({ sub: "bob" })).claims.sub, "bob");
    },
  );

  h.test("an issuer disposed of by a getter among the claims it reads ends in a token or in an error", async () => {
    const issuer = await makeIssuer(lib);
    const claimsToIssue = {
      get sub(): string {
        issuer.dispose();
        return "alice";
      },
    };
    const [outcome] = await Promise.allSettled([issuer.issue(claimsToIssue)]);
    ok(outcome?.status === "fulfilled" || outcome?.reason instanceof lib.WaxsealError);
    await rejects(async () => issuer.issue({}), "ERR_DISPOSED");
    ok(await (await makeIssuer(lib)).issue({ sub: "bob" }));
  });

  h.test("a further key that looks like a promise is not waited for, but judged as a key", async () => {
    const { publicJwk } = await ec();
    const { privateKey } = await lib.generateKeyPair("ES256");
    for (const key of [
      { ...publicJwk, then: thrown },
      Object.assign(() => undefined, { then: thrown }),
      new Proxy(() => undefined, { get: thrown }),
    ]) {
      await rejects(makeIssuer(lib, { key: [privateKey, key] }), "ERR_OPTION_INVALID");
    }
  });

  const stores: [string, () => object][] = [
    ["whose get is a getter that throws", () => Object.defineProperty({}, "get", { get: thrown, enumerable: true })],
    ["that is a proxy which throws at every touch", () => new Proxy({}, { get: thrown, ownKeys: thrown, has: thrown })],
    [
      "that is a revoked proxy",
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
  ];
  for (const [what, store] of stores) {
    h.test(`a store ${what} is refused when the verifier is made`, async () => {
      const error = await rejects(makeVerifier(lib, { revocation: { store: store() } }), "ERR_OPTION_INVALID");
      ok(!error.message.includes("hunter2"));
    });
  }

  h.test("a store whose other methods are getters that throw fails like one that is down", async () => {
    const store = new MemoryStore();
    Object.defineProperty(store, "getMany", { get: thrown, configurable: true });
    const verifier = await makeVerifier(lib, { revocation: { store } });
    await rejects(verifier.verifyAsync(await signed(await ec())), "ERR_REVOCATION_UNAVAILABLE");
    Object.defineProperty(store, "getMany", { value: undefined });
    Object.defineProperty(store, "put", { get: thrown });
    await rejects(async () => verifier.revokeSession("s"), "ERR_REVOCATION_UNAVAILABLE");
    equal((await verifier.verifyAsync(await signed(await ec()))).revocation, "clear");
  });

  h.test("a store that loses its method get after construction fails like one that is down", async () => {
    const store: { get?: unknown } = { get: async () => null };
    const verifier = await makeVerifier(lib, { revocation: { store } });
    delete store.get;
    await rejects(verifier.verifyAsync(await signed(await ec())), "ERR_REVOCATION_UNAVAILABLE");
  });

  h.test("a listener whose promise rejects later changes no outcome and leaves no rejection behind", async () => {
    const verifier = await makeVerifier(lib, { onEvent: async () => thrown() });
    const token = await signed(await ec());
    deepEqual(verifier.verify(token).claims, claims());
    throws(() => verifier.verify("nonsense"), "ERR_TOKEN_MALFORMED");
    ok(await verifier.verifyAsync(token));
    // Node ends the process on an unhandled rejection, once the queue of tasks has run.
    await new Promise((resolve) => setTimeout(resolve, 5));
  });

  h.test("a listener that returns a thenable which throws changes no outcome", async () => {
    const verifier = await makeVerifier(lib, { onEvent: () => Object.defineProperty({}, "then", { get: thrown }) });
    deepEqual(verifier.verify(await signed(await ec())).claims, claims());
  });

  h.test("a signer that changes its own key object while it signs does not change what is checked", async () => {
    const keys = await rsa();
    const key = {
      alg: "RS256",
      kid: "kms",
      publicKey: { ...keys.publicJwk } as Record<string, unknown>,
      sign: async (bytes: Uint8Array<ArrayBuffer>) => {
        key.publicKey["n"] = "AQAB";
        key.alg = "none";
        return new Uint8Array(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", keys.cryptoPrivate, bytes));
      },
    };
    const issuer = await makeIssuer(lib, { key });
    const token = await issuer.issue({ sub: "alice" });
    equal((await makeVerifier(lib, { keys: issuer.jwks() })).verify(token).claims.sub, "alice");
  });

  h.test(
    "an issuer disposed of while its signer works ends that call in an error or a token, and not in a crash",
    async () => {
      const keys = await rsa();
      const key = {
        alg: "RS256",
        kid: "kms",
        publicKey: keys.publicJwk,
        sign: async (bytes: Uint8Array<ArrayBuffer>) => {
          issuer.dispose();
          return new Uint8Array(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", keys.cryptoPrivate, bytes));
        },
      };
      const issuer = await makeIssuer(lib, { key });
      const [outcome] = await Promise.allSettled([issuer.issue({ sub: "alice" })]);
      ok(outcome?.status === "fulfilled" || (outcome?.reason as { code?: string }).code === "ERR_DISPOSED");
      await rejects(async () => issuer.issue({}), "ERR_DISPOSED");
    },
  );

  h.test("data without a prototype, and with accessors for members, is read as data", async () => {
    const { publicJwk } = await ec();
    const jwk = Object.create(null) as Record<string, unknown>;
    for (const [name, value] of Object.entries(publicJwk))
      Object.defineProperty(jwk, name, { get: () => value, enumerable: true });
    ok((await makeVerifier(lib, { keys: jwk })).verify(await signed(await ec())));
  });

  h.test("replaced built-ins do not change a decision", async () => {
    const verifier = await makeVerifier(lib);
    const forged = `${(await signed(await ec())).slice(0, -86)}${"A".repeat(86)}`;
    const expired = await signed(await ec(), claims({ exp: NOW }));
    const originals = [Array.prototype.includes, String.prototype.startsWith, Number.isFinite] as const;
    let codes: string[] = [];
    try {
      Array.prototype.includes = () => true;
      String.prototype.startsWith = () => true;
      Number.isFinite = () => true;
      codes = [forged, expired].map((token) => {
        try {
          verifier.verify(token);
          return "accepted";
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
    } finally {
      [Array.prototype.includes, String.prototype.startsWith, Number.isFinite] = originals;
    }
    deepEqual(codes, ["ERR_SIGNATURE_INVALID", "ERR_TOKEN_EXPIRED"]);
  });

  h.test(
    "an object that only calls itself a Date is refused wherever a time is taken, and nothing is replaced",
    async () => {
      const fake = { [Symbol.toStringTag]: "Date" };
      const events: string[] = [];
      const store = new MemoryStore();
      const verifier = await makeVerifier(lib, {
        revocation: { store },
        onEvent: ({ type }: { type: string }) => events.push(type),
      });
      const now = fake as unknown as Date;
      const token = await signed(await ec());
      await rejects(verifier.verifyAsync(token, { now }), "ERR_OPTION_INVALID");
      await rejects(verifier.revokeSubject("alice", { before: now }), "ERR_OPTION_INVALID");
      throws(() => lib.serializeSetCookie({ name: "a", value: "b", expires: now }), "ERR_OPTION_INVALID");
      const clocked = await makeVerifier(lib, { clock: () => fake });
      throws(() => clocked.verify(token), "ERR_CLOCK_INVALID");
      ok(!events.includes("instance-replaced"));
    },
  );

  h.test("an object that only calls itself a CryptoKey is refused as a key", async () => {
    const tag = { [Symbol.toStringTag]: "CryptoKey" };
    const dressed = { ...tag, algorithm: { name: "ECDSA", namedCurve: "P-256" }, usages: ["sign"], extractable: true };
    for (const key of [tag, { ...tag, algorithm: null }, dressed]) {
      await rejects(makeIssuer(lib, { key }), "ERR_KEY_UNSUPPORTED");
    }
  });

  h.test("an identifier of a megabyte is refused without being copied into the module", async () => {
    const verifier = await makeVerifier(lib, { revocation: { store: new MemoryStore() } });
    const long = "x".repeat(1 << 20);
    await rejects(verifier.revokeSession(long), "ERR_OPTION_INVALID");
    await rejects(verifier.revokeSubject(long), "ERR_OPTION_INVALID");
  });
};
