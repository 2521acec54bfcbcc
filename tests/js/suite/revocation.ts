// Revocation: what each kind of entry ends, what is written, and when the store is asked at all.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore, entryKey } from "./memory-store.js";
import { ISSUER, NOW, claims, ec, makeIssuer, makeVerifier, otherEc, signed } from "./support.js";
import type { Verifier } from "./support.js";

type Claims = Parameters<Verifier["revokeToken"]>[0];

export const revocation: Suite = (h, lib) => {
  const make = (store: object, overrides: object = {}, options: object = {}): Promise<Verifier> =>
    makeVerifier(lib, { revocation: { store, timeout: 0.05, ...overrides }, ...options });
  const token = async (overrides: object = {}): Promise<string> => signed(await ec(), claims(overrides as never));

  h.test("a token that nothing revokes passes, and the result says that the store was asked", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    equal((await verifier.verifyAsync(await token())).revocation, "clear");
    deepEqual(store.read.sort(), [
      await entryKey("session", ISSUER, "session-1"),
      await entryKey("subject", ISSUER, "alice"),
      await entryKey("token", ISSUER, "token-1"),
    ]);
  });

  h.test("revoking a token ends it and no other", async () => {
    const verifier = await make(new MemoryStore());
    const doomed = await token();
    await verifier.revokeToken((await verifier.verifyAsync(doomed)).claims);
    await rejects(verifier.verifyAsync(doomed), {
      code: "ERR_TOKEN_REVOKED",
      status: 401,
      step: "revocation",
      claim: "jti",
    });
    equal((await verifier.verifyAsync(await token({ jti: "token-2" }))).revocation, "clear");
  });

  h.test(
    "a revoked token is refused in its other spelling too, for entries are keyed by jti and not by text",
    async () => {
      const verifier = await make(new MemoryStore());
      await verifier.revokeToken(claims() as Claims);
      // A second signature over the same claims: ECDSA by WebCrypto is randomised.
      await rejects(verifier.verifyAsync(await token()), "ERR_TOKEN_REVOKED");
    },
  );

  h.test("revoking a session ends all of its tokens, and none of another session", async () => {
    const verifier = await make(new MemoryStore());
    await verifier.revokeSession("session-1");
    for (const jti of ["token-1", "token-2"]) {
      await rejects(verifier.verifyAsync(await token({ jti })), { code: "ERR_TOKEN_REVOKED", claim: "sid" });
    }
    ok(await verifier.verifyAsync(await token({ sid: "session-2" })));
    ok(await verifier.verifyAsync(await token({ sid: undefined })));
  });

  h.test("revoking a subject before a time refuses what was issued up to and including that second", async () => {
    const verifier = await make(new MemoryStore());
    await verifier.revokeSubject("alice", { before: NOW - 100 });
    for (const iat of [NOW - 200, NOW - 100, NOW - 99.5]) {
      await rejects(verifier.verifyAsync(await token({ iat })), { code: "ERR_TOKEN_REVOKED", claim: "sub" });
    }
    await rejects(verifier.verifyAsync(await token({ iat: undefined })), "ERR_TOKEN_REVOKED");
    ok(await verifier.verifyAsync(await token({ iat: NOW - 99 })));
    ok(await verifier.verifyAsync(await token({ iat: NOW - 200, sub: "bob" })));
    ok(await verifier.verifyAsync(await token({ iat: NOW - 200, sub: undefined })));
  });

  h.test("revoking a subject without a time ends everything issued until now", async () => {
    const verifier = await make(new MemoryStore());
    await verifier.revokeSubject("alice");
    await rejects(verifier.verifyAsync(await token({ iat: NOW })), "ERR_TOKEN_REVOKED");
    equal((await verifier.verifyAsync(await token({ iat: NOW + 1 }), { now: NOW + 1 })).revocation, "clear");
  });

  h.test("revoking a subject under a version refuses lower versions, other types and none", async () => {
    const verifier = await make(new MemoryStore());
    await verifier.revokeSubject("alice", { version: 3 });
    for (const ver of [0, 2, 2.9, -1, "3", null, [3], undefined]) {
      await rejects(verifier.verifyAsync(await token({ ver })), "ERR_TOKEN_REVOKED", JSON.stringify(ver));
    }
    for (const ver of [3, 4]) ok(await verifier.verifyAsync(await token({ ver })));
  });

  h.test("a later, weaker revocation of a subject takes nothing back", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    await verifier.revokeSubject("alice", { before: new Date((NOW - 50) * 1000), version: 5 });
    await verifier.revokeSubject("alice", { before: NOW - 500 });
    await verifier.revokeSubject("alice", { version: 2 });
    deepEqual([...store.entries.values()], [`wx1 after=${NOW - 50} version=5`]);
    await rejects(verifier.verifyAsync(await token({ iat: NOW - 50, ver: 9 })), "ERR_TOKEN_REVOKED");
    await rejects(verifier.verifyAsync(await token({ iat: NOW - 1, ver: 4 })), "ERR_TOKEN_REVOKED");
    ok(await verifier.verifyAsync(await token({ iat: NOW - 1, ver: 5 })));
  });

  h.test("entries live longer than anything that they must end", async () => {
    const store = new MemoryStore();
    const verifier = await make(store, { timeout: 1, tokenLifetime: 3600 });
    await verifier.revokeToken(claims() as Claims);
    await verifier.revokeSession("session-1");
    await verifier.revokeSubject("alice");
    const margin = 300 + 60 + 1;
    deepEqual(
      store.written.map(({ ttl }) => ttl),
      [600 + margin, 3600 + margin, 3600 + margin],
    );
    await verifier.revokeToken(claims({ exp: NOW - 1000 }) as Claims);
    ok((store.written.at(-1)?.ttl ?? 0) >= 60, "Workers KV takes no expiry under 60 s");
  });

  h.test("keys are as documented, of fixed length, and show neither address nor identifier", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    const sub = `${"x".repeat(3000)}@mail.example`;
    await verifier.revokeSubject(sub);
    await verifier.revokeSession("s");
    await verifier.revokeToken(claims({ jti: "päss" }) as Claims);
    deepEqual(
      store.written.map(({ key }) => key),
      [
        await entryKey("subject", ISSUER, sub),
        await entryKey("session", ISSUER, "s"),
        await entryKey("token", ISSUER, "päss"),
      ],
    );
    ok(store.written.every(({ key }) => key.length < 60));
  });

  h.test("the same identifier of another issuer has other entries", async () => {
    const store = new MemoryStore();
    const { publicJwk } = await ec();
    const one = { audience: null, keys: publicJwk };
    const verifier = await make(
      store,
      {},
      {
        keys: undefined,
        issuer: undefined,
        audience: undefined,
        issuers: [
          { ...one, issuer: "https://a.example" },
          { ...one, issuer: "https://b.example" },
        ],
      },
    );
    await verifier.revokeSession("session-1", { issuer: "https://a.example" });
    await verifier.revokeSubject("bob", { issuer: "https://b.example" });
    await rejects(verifier.verifyAsync(await token({ iss: "https://a.example" })), "ERR_TOKEN_REVOKED");
    ok(await verifier.verifyAsync(await token({ iss: "https://b.example" })));
    ok(await verifier.verifyAsync(await token({ iss: "https://a.example", sub: "bob", sid: "other" })));
    await rejects(verifier.verifyAsync(await token({ iss: "https://b.example", sub: "bob" })), "ERR_TOKEN_REVOKED");
    await rejects(verifier.revokeSession("session-1"), "ERR_OPTION_INVALID", "which issuer's?");
  });

  h.test("the store's methods are called on the store", async () => {
    class Bound extends MemoryStore {
      override async get(key: string): Promise<string | null> {
        if (!(this instanceof Bound)) throw new TypeError("Illegal invocation");
        return super.get(key);
      }
    }
    equal((await (await make(new Bound())).verifyAsync(await token())).revocation, "clear");
  });

  h.test("no store is read for a token that fails before: signature, claims or policy", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    const refused: [string, string][] = [
      ["nonsense", "ERR_TOKEN_MALFORMED"],
      [await signed(await otherEc(), claims(), { alg: "ES256", kid: "ec-1" }), "ERR_SIGNATURE_INVALID"],
      [await signed(await otherEc(), claims(), { alg: "none", kid: "ec-1" }), "ERR_ALGORITHM_NOT_ALLOWED"],
      [await token({ exp: NOW }), "ERR_TOKEN_EXPIRED"],
      [await token({ aud: "other" }), "ERR_AUDIENCE_MISMATCH"],
      [await token({ jti: undefined }), "ERR_CLAIM_MISSING"],
    ];
    for (const [text, code] of refused) await rejects(verifier.verifyAsync(text), code);
    await rejects(verifier.authenticate({ method: "GET", headers: {} }), "ERR_CREDENTIALS_MISSING");
    deepEqual(store.read, []);
  });

  h.test("verify refuses to work synchronously on a verifier with revocation, whatever the token", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    const good = await token();
    throws(() => verifier.verify(good), { code: "ERR_REVOCATION_NEEDS_ASYNC", status: 500, step: "revocation" });
    deepEqual(store.read, []);
  });

  h.test("a token without jti is refused where tokens can be revoked", async () => {
    const verifier = await make(new MemoryStore());
    await rejects(verifier.verifyAsync(await token({ jti: undefined })), {
      code: "ERR_CLAIM_MISSING",
      claim: "jti",
      reason: "missing",
    });
  });

  h.test("sid must be a string where sessions can be revoked", async () => {
    const verifier = await make(new MemoryStore());
    for (const sid of [1, null, ["session-1"], {}]) {
      await rejects(verifier.verifyAsync(await token({ sid })), { code: "ERR_CLAIM_INVALID", claim: "sid" });
    }
  });

  h.test("a token that would outlive the entries that end it is refused", async () => {
    const verifier = await make(new MemoryStore(), { tokenLifetime: 600 });
    ok(await verifier.verifyAsync(await token({ iat: NOW - 10, exp: NOW + 590 })));
    await rejects(verifier.verifyAsync(await token({ iat: NOW - 10, exp: NOW + 591 })), {
      code: "ERR_TOKEN_LIFETIME",
      claim: "exp",
    });
    const usual = await make(new MemoryStore());
    ok(await usual.verifyAsync(await token({ iat: NOW, exp: NOW + 86_400 })));
    await rejects(usual.verifyAsync(await token({ iat: NOW, exp: NOW + 86_401 })), "ERR_TOKEN_LIFETIME");
  });

  h.test("revoking without a store, or with one that cannot write, is misuse", async () => {
    const without = await makeVerifier(lib);
    await rejects(async () => without.revokeSession("s"), "ERR_OPTION_INVALID");
    await rejects(async () => without.revokeToken(claims() as Claims), "ERR_OPTION_INVALID");
    const readOnly = await make({ get: async () => null });
    includes((await rejects(async () => readOnly.revokeSession("s"), "ERR_OPTION_INVALID")).message, "put");
  });

  h.test("revoking nothing in particular is misuse", async () => {
    const store = new MemoryStore();
    const verifier = await make(store);
    for (const value of [undefined, null, 1, "", {}, [], Symbol("s")]) {
      await rejects(async () => verifier.revokeSession(value as never), "ERR_OPTION_INVALID", String(value));
      await rejects(async () => verifier.revokeSubject(value as never), "ERR_OPTION_INVALID", String(value));
    }
    for (const value of [undefined, null, 1, "token", [], {}, { jti: 1 }]) {
      await rejects(async () => verifier.revokeToken(value as never), "ERR_OPTION_INVALID", JSON.stringify(value));
    }
    for (const options of [
      { version: -1 },
      { version: 1.5 },
      { version: "3" },
      { before: "now" },
      { before: Number.NaN },
      { before: NOW * 1000 },
    ]) {
      await rejects(
        async () => verifier.revokeSubject("alice", options as never),
        "ERR_OPTION_INVALID",
        JSON.stringify(options),
      );
    }
    deepEqual(store.written, []);
  });

  h.test("two hundred checks at once, each with its own entry, do not mix their answers", async () => {
    const store = new MemoryStore();
    const verifier = await make(
      {
        get: async (key: string) => {
          await Promise.resolve();
          return store.get(key);
        },
        put: store.put.bind(store),
      },
      { timeout: 10 },
    );
    for (let i = 0; i < 200; i += 3) await verifier.revokeSession(`s${i}`);
    const tokens = await Promise.all(Array.from({ length: 200 }, (_, i) => token({ sid: `s${i}` })));
    const results = await Promise.allSettled(tokens.map((each) => verifier.verifyAsync(each)));
    deepEqual(
      results.map(({ status }) => status === "fulfilled"),
      tokens.map((_, i) => i % 3 !== 0),
    );
  });

  if (h.kv === undefined) {
    h.skip("against a real KV namespace", `${h.runtime} has none`);
    return;
  }
  const { kv } = h;
  h.test("a real KV namespace is a store as it is: token, session and subject are revoked in it", async () => {
    const issuer = await makeIssuer(lib, { expiresIn: 60 });
    const verifier = await make(kv, { timeout: 5 });
    const doomed = await issuer.issue({ sub: "kv-alice", sid: "kv-session" });
    const { claims: first } = await verifier.verifyAsync(doomed);
    await verifier.revokeToken(first);
    await rejects(verifier.verifyAsync(doomed), { code: "ERR_TOKEN_REVOKED", claim: "jti" });
    const second = await issuer.issue({ sub: "kv-alice", sid: "kv-session" });
    equal((await verifier.verifyAsync(second)).revocation, "clear");
    await verifier.revokeSession("kv-session");
    await rejects(verifier.verifyAsync(second), { code: "ERR_TOKEN_REVOKED", claim: "sid" });
    const third = await issuer.issue({ sub: "kv-alice", sid: "kv-other" });
    await verifier.revokeSubject("kv-alice");
    await rejects(verifier.verifyAsync(third), { code: "ERR_TOKEN_REVOKED", claim: "sub" });
    equal(await kv.get(await entryKey("session", ISSUER, "kv-session")), "wx1 revoked");
  });
  h.test("an entry in a real KV namespace that somebody else wrote is a failure", async () => {
    await kv.put(await entryKey("token", ISSUER, "kv-garbage"), "true");
    const verifier = await make(kv, { timeout: 5 });
    await rejects(verifier.verifyAsync(await token({ jti: "kv-garbage" })), "ERR_REVOCATION_UNAVAILABLE");
  });
};
