// The option schema: claims by zod, valibot, arktype, and by schemas that misbehave.

import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { NOW, claims, ec, makeVerifier, otherEc, signed } from "./support.js";

const SECRET = "value-that-must-not-show";

/** The same three rules in three libraries: a role out of two, scopes that are texts, and a level that becomes a number. */
const LIBRARIES = {
  zod: z.object({
    sub: z.string(),
    role: z.enum(["admin", "reader"]),
    scopes: z.array(z.string()),
    level: z.string().transform(Number),
  }),
  valibot: v.object({
    sub: v.string(),
    role: v.picklist(["admin", "reader"]),
    scopes: v.array(v.string()),
    level: v.pipe(v.string(), v.transform(Number)),
  }),
  arktype: type({
    "+": "delete",
    sub: "string",
    role: "'admin' | 'reader'",
    scopes: "string[]",
    level: "string.numeric.parse",
  }),
};

const ASYNC = {
  zod: z.object({ sub: z.string().refine(async (sub) => sub === "alice") }),
  valibot: v.objectAsync({
    sub: v.pipeAsync(
      v.string(),
      v.checkAsync(async (sub) => sub === "alice"),
    ),
  }),
};

/** A schema of our own that answers as it is told. */
function answering(validate: (value: unknown) => unknown): object {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

const good = { role: "reader", scopes: ["a", "b"], level: "7" };
const bearer = (token: string) => ({ method: "GET", headers: { authorization: `Bearer ${token}` } });

/** What each way of verification throws. */
async function everyWay(lib: Library, schema: object, token: string): Promise<(() => Promise<unknown>)[]> {
  const plain = await makeVerifier(lib, { schema });
  const revoking = await makeVerifier(lib, { schema, revocation: { store: new MemoryStore() } });
  return [
    async () => plain.verify(token),
    () => plain.verifyAsync(token),
    () => plain.authenticate(bearer(token)),
    () => revoking.verifyAsync(token),
    () => revoking.authenticate(bearer(token)),
  ];
}

export const schema: Suite = (h, lib) => {
  for (const [name, given] of Object.entries(LIBRARIES)) {
    h.test(`${name}: claims that fit come as the schema gives them, by every way of verification`, async () => {
      for (const way of await everyWay(lib, given, await signed(await ec(), claims(good)))) {
        const { claims: found, header } = (await way()) as { claims: unknown; header: { alg: string } };
        deepEqual(found, { sub: "alice", role: "reader", scopes: ["a", "b"], level: 7 });
        equal(header.alg, "ES256");
      }
    });

    h.test(`${name}: claims that do not fit are refused with the path of the fault and without its value`, async () => {
      const token = await signed(await ec(), claims({ ...good, role: SECRET }));
      for (const way of await everyWay(lib, given, token)) {
        const expected = { code: "ERR_SCHEMA_MISMATCH", claim: "role", reason: "check_failed", status: 401 };
        const error = await rejects(way, { ...expected, step: "schema" });
        includes(error.message, "role");
        ok(!`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes(SECRET));
        includes(String(Reflect.get(error, "wwwAuthenticate")), 'error="invalid_token"');
      }
      const nested = await signed(await ec(), claims({ ...good, scopes: ["a", 2] }));
      const verifier = await makeVerifier(lib, { schema: given });
      throws(() => verifier.verify(nested), { code: "ERR_SCHEMA_MISMATCH", claim: "scopes[1]" });
    });
  }

  for (const [name, given] of Object.entries(ASYNC)) {
    h.test(`${name}: verify refuses an asynchronous schema and names verifyAsync, which waits for it`, async () => {
      const verifier = await makeVerifier(lib, { schema: given });
      const token = await signed(await ec());
      includes(throws(() => verifier.verify(token), "ERR_SCHEMA_NEEDS_ASYNC").message, "verifyAsync");
      deepEqual((await verifier.verifyAsync(token)).claims, { sub: "alice" });
      const other = await signed(await ec(), claims({ sub: "bob" }));
      await rejects(verifier.verifyAsync(other), { code: "ERR_SCHEMA_MISMATCH", claim: "sub" });
    });
  }

  h.test("the schema runs after every other check: a token that fails before is not shown to it", async () => {
    let calls = 0;
    const spy = answering((value) => ((calls += 1), { value }));
    const store = new MemoryStore();
    const verifier = await makeVerifier(lib, { schema: spy, revocation: { store }, subject: "alice" });
    const token = await signed(await ec());
    await verifier.verifyAsync(token);
    equal(calls, 1);
    const expired = await signed(await ec(), claims({ exp: NOW - 1 }));
    const stranger = await signed(await ec(), claims({ sub: "mallory" }));
    const forged = await signed(await otherEc(), claims(), { alg: "ES256", kid: "ec-1" });
    await rejects(verifier.verifyAsync(expired), "ERR_TOKEN_EXPIRED");
    await rejects(verifier.verifyAsync(stranger), "ERR_CLAIM_MISMATCH");
    await rejects(verifier.verifyAsync(forged), "ERR_SIGNATURE_INVALID");
    await verifier.revokeSession("session-1");
    await rejects(verifier.verifyAsync(token), "ERR_TOKEN_REVOKED");
    await rejects(verifier.authenticate(bearer(token)), "ERR_TOKEN_REVOKED");
    equal(calls, 1);
  });

  h.test("a schema that lets everything pass replaces no other check", async () => {
    const verifier = await makeVerifier(lib, { schema: answering(() => ({ value: { exp: 9e9, sub: "root" } })) });
    throws(() => verifier.verify("a.b.c"), "ERR_TOKEN_MALFORMED");
    const token = signed(await ec(), claims({ aud: "https://other.example" }));
    await rejects(verifier.verifyAsync(await token), "ERR_AUDIENCE_MISMATCH");
  });

  h.test("a schema that throws or lies is ERR_SCHEMA_FAILED, and shows nothing of what it threw", async () => {
    const token = await signed(await ec());
    const unreadable = new Proxy(
      {},
      {
        get: () => {
          throw new Error(SECRET);
        },
      },
    );
    const faults: ((value: unknown) => unknown)[] = [
      () => {
        throw new Error(SECRET);
      },
      () => undefined,
      () => null,
      () => true,
      () => ({}),
      () => ({ valid: true }),
      () => unreadable,
    ];
    for (const fault of faults) {
      for (const way of await everyWay(lib, answering(fault), token)) {
        const error = await rejects(way, { code: "ERR_SCHEMA_FAILED", status: 503, step: "schema" });
        ok(!`${error.message} ${error.stack}`.includes(SECRET));
        equal(Reflect.get(error, "retryAfter"), 1);
      }
    }
    for (const promised of [Promise.reject.bind(Promise, new Error(SECRET)), async () => undefined]) {
      const verifier = await makeVerifier(lib, { schema: answering(promised) });
      throws(() => verifier.verify(token), "ERR_SCHEMA_NEEDS_ASYNC");
      const error = await rejects(verifier.verifyAsync(token), "ERR_SCHEMA_FAILED");
      ok(!error.message.includes(SECRET));
    }
  });

  h.test("issues refuse whatever stands beside them", async () => {
    const token = await signed(await ec());
    for (const issues of [[], [{}], [{ message: "no" }], null, "no", [{ message: "no", path: 7 }], new Set([1])]) {
      const verifier = await makeVerifier(lib, { schema: answering((value) => ({ value, issues })) });
      throws(() => verifier.verify(token), "ERR_SCHEMA_MISMATCH");
    }
  });

  h.test("a path shows names alone, eight at most, and no text that a token put in a name's place", async () => {
    const verifier = async (path: unknown): Promise<string | undefined> => {
      const given = answering(() => ({ issues: [{ message: SECRET, path }] }));
      const made = await makeVerifier(lib, { schema: given });
      const error = throws(() => made.verify(token), "ERR_SCHEMA_MISMATCH");
      ok(!error.message.includes(SECRET));
      return Reflect.get(error, "claim") as string | undefined;
    };
    const token = await signed(await ec());
    equal(await verifier(["https://app.example/roles", 0, { key: "name" }]), "https://app.example/roles[0].name");
    equal(await verifier(["a\r\nSet-Cookie: x", "b"]), "(unnamed).b");
    equal(await verifier(["x".repeat(65), Symbol("s")]), "(unnamed).(unnamed)");
    equal(await verifier(Array.from({ length: 100 }, (_, at) => at)), "[0][1][2][3][4][5][6][7]");
    const endless = { length: Infinity, [Symbol.iterator]: () => ({ next: () => ({ value: 1 }) }) };
    equal(await verifier(endless), undefined);
    equal(await verifier(undefined), undefined);
  });

  h.test("a schema that never answers is given up after five seconds", async () => {
    const verifier = await makeVerifier(lib, { schema: answering(() => new Promise(() => undefined)) });
    const start = Date.now();
    await rejects(verifier.verifyAsync(await signed(await ec())), "ERR_SCHEMA_FAILED");
    ok(Date.now() - start >= 4_900, "not before");
  });

  h.test("what a schema does to the claims does not show the next time, and events tell of its refusals", async () => {
    const events: unknown[] = [];
    let first = true;
    const vandal = answering((value) => {
      if (first) Reflect.set(value as object, "sub", "mallory");
      first = false;
      return (value as { sub: string }).sub === "alice" ? { value } : { issues: [{ message: "no", path: ["sub"] }] };
    });
    const verifier = await makeVerifier(lib, {
      schema: vandal,
      cache: { max: 4 },
      onEvent: (e: unknown) => events.push(e),
    });
    const token = await signed(await ec());
    throws(() => verifier.verify(token), "ERR_SCHEMA_MISMATCH");
    equal(verifier.verify(token).claims.sub, "alice");
    deepEqual(events, [
      { type: "rejected", code: "ERR_SCHEMA_MISMATCH", step: "schema" },
      { type: "accepted", revocation: "not-checked" },
    ]);
  });

  h.test("what is no schema is refused when the verifier is made", async () => {
    for (const wrong of [null, 7, "zod", {}, [], () => true, { "~standard": {} }, { "~standard": { version: 1 } }]) {
      const error = await rejects(makeVerifier(lib, { schema: wrong }), "ERR_OPTION_INVALID");
      includes(error.message, "schema");
    }
    const later = { "~standard": { version: 2, vendor: "test", validate: () => ({ value: 1 }) } };
    includes((await rejects(makeVerifier(lib, { schema: later }), "ERR_OPTION_INVALID")).message, "version 1");
    const throwing = {
      get "~standard"() {
        throw new Error(SECRET);
      },
    };
    const error = await rejects(makeVerifier(lib, { schema: throwing }), "ERR_OPTION_INVALID");
    ok(!error.message.includes(SECRET));
  });
};
