// Key sets at URLs: when they are fetched, how often, and which tokens they decide on.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { forged, outcome, published, reading, setOf, until, WHEN } from "./remote-support.js";
import { AUDIENCE, claims, ec, generateKeys, ISSUER, otherEc, rsa, signed } from "./support.js";

export const remote: Suite = (h, lib) => {
  h.test("nothing is fetched before the first token, and then once for all that follow", async () => {
    const set = await published(h, setOf(await ec(), await rsa()));
    const { verifier, events } = await reading(lib, set);
    equal(await set.fetches(), 0);
    for (const keys of [await ec(), await rsa(), await ec()]) {
      equal((await verifier.verifyAsync(await signed(keys), WHEN)).claims.sub, "alice");
    }
    const request = { method: "GET", headers: { authorization: `Bearer ${await signed(await rsa())}` } };
    equal((await verifier.authenticate(request, WHEN)).source, "bearer");
    equal(await set.fetches(), 1);
    deepEqual(events[0], { type: "keys-fetched", host: set.host, source: "endpoint", keys: 2 });
    equal(events.length, 5);
  });

  h.test("a set is fetched where there is a revocation store as well, before the store is asked", async () => {
    const set = await published(h);
    const store = new MemoryStore();
    const { verifier } = await reading(lib, set, {}, { revocation: { store } });
    const token = await signed(await ec());
    equal((await verifier.verifyAsync(token, WHEN)).revocation, "clear");
    const headers = { authorization: `Bearer ${token}` };
    equal((await verifier.authenticate({ method: "GET", headers }, WHEN)).revocation, "clear");
    equal(await set.fetches(), 1);
    const asked = store.read.length;
    equal(await outcome(verifier.verifyAsync(await signed(await otherEc()), WHEN)), "ERR_KEY_NOT_FOUND");
    equal(store.read.length, asked);
  });

  h.test("fifty verifications at once share one fetch", async () => {
    const set = await published(h, { body: setOf(await ec()), delay: 50 });
    const { verifier } = await reading(lib, set);
    const token = await signed(await ec());
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(verifier.verifyAsync(token, WHEN))));
    deepEqual([...new Set(outcomes)], ["accepted"]);
    equal(await set.fetches(), 1);
  });

  h.test("verifiers that are given one set share it", async () => {
    const set = await published(h);
    const keys = lib.remoteJwks(new URL(set.url));
    equal(keys.url, set.url);
    const [one, two] = [await reading(lib, keys), await reading(lib, keys)];
    await one.verifier.ready();
    ok(two.verifier.verify(await signed(await ec()), WHEN));
    equal(await set.fetches(), 1);
    one.verifier.dispose();
    ok(two.verifier.verify(await signed(await ec()), WHEN));
  });

  h.test(
    "a synchronous call says what to do when it needs a fetch, and the fetch is made for the next one",
    async () => {
      const set = await published(h);
      const { verifier } = await reading(lib, set);
      const token = await signed(await ec());
      const error = throws(() => verifier.verify(token, WHEN), {
        code: "ERR_KEY_SET_NEEDS_ASYNC",
        status: 503,
        step: "key",
      });
      includes(error.message, set.host);
      includes(error.message, "verifyAsync, or ready()");
      await until(() => {
        try {
          return verifier.verify(token, WHEN).claims.sub === "alice";
        } catch {
          return false;
        }
      });
      equal(await set.fetches(), 1);
    },
  );

  h.test("synchronous calls alone keep a set young, and give up a fetch that has been lost", async () => {
    const set = await published(h);
    let lost = true;
    const flaky = (url: string, init: RequestInit): Promise<Response> =>
      lost ? new Promise(() => undefined) : fetch(url, init);
    // A timer that never comes, as that of a request that has ended on Workers.
    const read = await reading(lib, set, { fetch: flaky, timeout: 60 });
    const token = await signed(await ec());
    throws(() => read.verifier.verify(token, WHEN), "ERR_KEY_SET_NEEDS_ASYNC");
    await new Promise((resolve) => setTimeout(resolve, 20));
    lost = false;
    read.clock.now += 62;
    throws(() => read.verifier.verify(token, WHEN), "ERR_KEY_SET_NEEDS_ASYNC");
    await new Promise((resolve) => setTimeout(resolve, 50));
    equal(await set.fetches(), 0);
    read.clock.now += 1;
    throws(() => read.verifier.verify(token, WHEN), "ERR_KEY_SET_NEEDS_ASYNC");
    await until(() => read.of("keys-fetched").length === 1);
    for (let i = 2; i < 12; i++) {
      read.clock.now += 500;
      ok(read.verifier.verify(token, WHEN));
      await until(() => read.of("keys-fetched").length === i);
    }
  });

  h.test("ready loads ahead, and again does nothing", async () => {
    const set = await published(h);
    const { verifier } = await reading(lib, set);
    await verifier.ready();
    await verifier.ready();
    ok(verifier.verify(await signed(await ec()), WHEN));
    equal(await set.fetches(), 1);
  });

  h.test("a key that comes new is fetched at once, another one only after the cooldown", async () => {
    const [first, second, third] = [
      await ec(),
      await generateKeys("ES256", "second"),
      await generateKeys("ES256", "third"),
    ];
    const set = await published(h, setOf(first), setOf(first, second), setOf(second, third));
    const { verifier, clock } = await reading(lib, set, { cooldown: 30 });
    ok(await verifier.verifyAsync(await signed(first), WHEN));
    ok(await verifier.verifyAsync(await signed(second), WHEN));
    equal(await set.fetches(), 2);
    clock.now += 29;
    equal(await outcome(verifier.verifyAsync(await signed(third), WHEN)), "ERR_KEY_NOT_FOUND");
    equal(await set.fetches(), 2);
    clock.now += 1;
    ok(await verifier.verifyAsync(await signed(third), WHEN));
    equal(await set.fetches(), 3);
  });

  h.test("ten thousand tokens of unknown keys cause one fetch, and known keys pass meanwhile", async () => {
    const set = await published(h);
    const { verifier } = await reading(lib, set);
    const token = await signed(await ec());
    ok(await verifier.verifyAsync(token, WHEN));
    const refused = new Map<string, number>();
    const check = async (one: string): Promise<void> => {
      const code = await outcome(verifier.verifyAsync(one, WHEN));
      refused.set(code, (refused.get(code) ?? 0) + 1);
    };
    const tokens = forged(10_000);
    for (let batch = 0; batch < 100; batch++) {
      await Promise.all([...take(tokens, 100)].map(check));
      ok(await verifier.verifyAsync(token, WHEN));
    }
    deepEqual([...refused], [["ERR_KEY_NOT_FOUND", 10_000]]);
    const fetches = await set.fetches();
    console.log(`# ${h.runtime}: fetches for 10000 tokens with unknown kids: ${fetches - 1}`);
    equal(fetches, 2);
  });

  h.test("a kid that was looked for in vain is not looked for again, even after the cooldown", async () => {
    const set = await published(h);
    const { verifier, clock } = await reading(lib, set, { cooldown: 10, maxAge: 3600 });
    const [token] = [...forged(1)] as [string];
    for (let i = 0; i < 20; i++) {
      equal(await outcome(verifier.verifyAsync(token, WHEN)), "ERR_KEY_NOT_FOUND");
      clock.now += 11;
    }
    // One when nothing was known, and one for the kid.
    equal(await set.fetches(), 2);
  });

  h.test("what is refused without a key fetches nothing", async () => {
    const set = await published(h);
    const { verifier } = await reading(lib, set, {}, { typ: "at+jwt" });
    const token = await signed(await ec());
    for (const bad of ["", "a.b.c", token, token.replace(/^[^.]*/, btoa('{"alg":"none"}').replace(/=+$/, ""))]) {
      ok((await outcome(verifier.verifyAsync(bad, WHEN))).startsWith("ERR_"));
    }
    equal(await outcome(verifier.authenticate({ method: "GET", headers: {} })), "ERR_CREDENTIALS_MISSING");
    equal(await set.fetches(), 0);
  });

  h.test("of two issuers each has its own set, whose keys verify the other's tokens in no case", async () => {
    const [one, two] = [await generateKeys("ES256", "same-kid"), await generateKeys("ES256", "same-kid")];
    const [first, second] = [await published(h, setOf(one)), await published(h, setOf(two))];
    const other = "https://other.example";
    const { verifier } = await reading(
      lib,
      first,
      {},
      {
        keys: undefined,
        issuer: undefined,
        audience: undefined,
        issuers: [
          { issuer: ISSUER, audience: AUDIENCE, keys: lib.remoteJwks(first.url) },
          { issuer: other, audience: AUDIENCE, keys: lib.remoteJwks(second.url) },
        ],
      },
    );
    equal(await outcome(verifier.verifyAsync(await signed(one), WHEN)), "accepted");
    equal(await second.fetches(), 0, "the issuer of the token chooses the set");
    const foreign = claims({ iss: other });
    equal(await outcome(verifier.verifyAsync(await signed(two, foreign), WHEN)), "accepted");
    equal(await outcome(verifier.verifyAsync(await signed(one, foreign), WHEN)), "ERR_SIGNATURE_INVALID");
    equal(await outcome(verifier.verifyAsync(await signed(two), WHEN)), "ERR_SIGNATURE_INVALID");
    const unknown = claims({ iss: "https://nobody.example" });
    equal(await outcome(verifier.verifyAsync(await signed(one, unknown), WHEN)), "ERR_ISSUER_UNKNOWN");
    deepEqual([await first.fetches(), await second.fetches()], [1, 1]);
  });

  h.test("an issuer with a set and one with keys stand in one verifier", async () => {
    const set = await published(h);
    const other = "https://other.example";
    const issuers = [
      { issuer: other, audience: AUDIENCE, keys: (await otherEc()).publicJwk },
      { issuer: ISSUER, audience: AUDIENCE, keys: lib.remoteJwks(set.url) },
    ];
    const { verifier } = await reading(
      lib,
      set,
      {},
      { keys: undefined, issuer: undefined, audience: undefined, issuers },
    );
    ok(verifier.verify(await signed(await otherEc(), claims({ iss: other })), WHEN));
    equal(await set.fetches(), 0);
    ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
  });

  h.test("a key that has left the set verifies nothing any more, not even what the cache remembers", async () => {
    const [old, young] = [await ec(), await otherEc()];
    const set = await published(h, setOf(old, young), setOf(young));
    const { verifier, clock } = await reading(lib, set, { maxAge: 600 }, { cache: { max: 100 } });
    const [gone, stays] = [await signed(old), await signed(young)];
    for (const token of [gone, stays, gone, stays]) ok(await verifier.verifyAsync(token, WHEN));
    deepEqual(verifier.cache, { size: 2, hits: 2, misses: 2 });
    clock.now += 600;
    equal(await outcome(verifier.verifyAsync(gone, WHEN)), "ERR_KEY_NOT_FOUND");
    ok(await verifier.verifyAsync(stays, WHEN));
    const { hits } = verifier.cache!;
    throws(() => verifier.verify(gone, WHEN), "ERR_KEY_NOT_FOUND");
    equal(verifier.cache!.hits, hits);
  });

  h.test("a key that comes back under another key's kid does not hit what the cache remembers", async () => {
    const [one, two] = [await generateKeys("ES256", "k"), await generateKeys("ES256", "k")];
    const set = await published(h, setOf(one), setOf(two));
    const { verifier, clock } = await reading(lib, set, {}, { cache: { max: 100 } });
    const token = await signed(one);
    for (let i = 0; i < 2; i++) ok(await verifier.verifyAsync(token, WHEN));
    clock.now += 600;
    equal(await outcome(verifier.verifyAsync(token, WHEN)), "ERR_SIGNATURE_INVALID");
  });

  h.test("explain fetches the set, and names the key step when there is none", async () => {
    const good = await published(h);
    const bad = await published(h, { status: 500 });
    const token = await signed(await ec());
    for (const [set, code] of [
      [good, undefined],
      [bad, "ERR_KEY_SET_UNAVAILABLE"],
    ] as const) {
      const keys = lib.remoteJwks(set.url);
      const { steps } = await lib.explain(token, { keys, issuer: ISSUER, audience: AUDIENCE, ...WHEN });
      equal(steps.find(({ step }) => step === "key")?.code, code);
    }
  });

  h.test("options are refused by name, and so is what is no URL to fetch keys from", async () => {
    const set = await published(h);
    const refused: [string, object][] = [
      ["cooldwn", { cooldwn: 1 }],
      ["cooldown", { cooldown: 0 }],
      ["maxAge", { maxAge: 100_000 }],
      ["minAge", { minAge: 601 }],
      ["staleIfError", { staleIfError: -1 }],
      ["timeout", { timeout: 0 }],
      ["timeout", { timeout: "5" }],
      ["maxBytes", { maxBytes: 2 ** 21 }],
      ["maxKeys", { maxKeys: 0 }],
      ["headers", { headers: { "a b": "c" } }],
      ["fetch", { fetch: "fetch" }],
      ["waitUntil", { waitUntil: {} }],
      ["cache.store", { cache: {} }],
      ["cache.secret", { cache: { store: new MemoryStore(), secret: "short" } }],
      ["cache.ttl", { cache: { store: new MemoryStore(), ttl: 1 } }],
    ];
    for (const [name, options] of refused) {
      const error = await rejects(async () => reading(lib, set, options), "ERR_OPTION_INVALID", name);
      includes(error.message, name);
    }
    for (const url of [
      "http://id.example/jwks",
      "ftp://id.example/jwks",
      "https://user:secret@id.example/jwks",
      "https://id.example/jwks#keys",
      "https://id.example\\@evil.example/jwks",
      "https://id.example/a b",
      "/jwks",
      "",
      17,
      undefined,
    ]) {
      const error = await rejects(async () => reading(lib, lib.remoteJwks(url as string)), "ERR_OPTION_INVALID");
      includes(error.message, "url");
      ok(!error.message.includes("secret"));
    }
    const list = [lib.remoteJwks(set.url)] as never;
    await rejects(async () => reading(lib, list), "ERR_OPTION_INVALID");
  });

  h.test("headers of the options are sent", async () => {
    const set = await published(h);
    const { verifier } = await reading(lib, set, { headers: { "X-Client": "one" } });
    await verifier.ready();
    const [seen] = await set.seen();
    equal(seen?.["x-client"], "one");
    includes(seen?.["accept"] ?? "", "application/jwk-set+json");
  });

  h.test("a fetch of the caller's own is used, and bounded in time all the same", async () => {
    const set = await published(h);
    const urls: string[] = [];
    const good = (url: string): Promise<Response> => (urls.push(url), fetch(set.url));
    const { verifier } = await reading(lib, lib.remoteJwks("https://id.example/jwks", { fetch: good }));
    ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
    deepEqual(urls, ["https://id.example/jwks"]);
    const never = (): Promise<Response> => new Promise(() => undefined);
    const slow = await reading(lib, lib.remoteJwks("https://id.example/jwks", { fetch: never, timeout: 0.1 }));
    const error = await rejects(slow.verifier.ready(), "ERR_KEY_SET_UNAVAILABLE");
    includes(error.message, "id.example did not come in time");
  });

  h.test("a waitUntil that throws, as outside of a request, changes nothing", async () => {
    const set = await published(h);
    const waitUntil = (): never => {
      throw new Error("no request");
    };
    const { verifier } = await reading(lib, set, { waitUntil, cache: { store: new MemoryStore() } });
    ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
  });

  h.test("a set that was disposed of fetches nothing any more", async () => {
    const set = await published(h);
    const keys = lib.remoteJwks(set.url);
    const { verifier } = await reading(lib, keys);
    keys.dispose();
    keys.dispose();
    await rejects(verifier.verifyAsync(await signed(await ec()), WHEN), "ERR_DISPOSED");
    equal(await set.fetches(), 0);
  });
};

function* take<T>(from: Generator<T>, amount: number): Generator<T> {
  for (let i = 0; i < amount; i++) {
    const { value, done } = from.next();
    if (done) return;
    yield value;
  }
}
