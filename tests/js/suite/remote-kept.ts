// The copy of a key set in a store: a later start is warm by it, and what is not a good copy of that set is not believed.

import { deepEqual, equal, ok, throws } from "../harness/assert.js";
import type { Harness, Suite } from "../harness/types.js";
import { trapping } from "./hostile.js";
import { MemoryStore } from "./memory-store.js";
import { outcome, type Published, published, type RemoteOptions, reading, setOf, WHEN } from "./remote-support.js";
import { base64url, ec, NOW, otherEc, signed, utf8 } from "./support.js";

const SECRET = "a secret of at least thirty-two characters";

type Store = NonNullable<RemoteOptions["cache"]>["store"];

/** The documented key of a copy, by WebCrypto. */
async function keyOf(url: string): Promise<string> {
  return `wxjwks1:${base64url(await crypto.subtle.digest("SHA-256", utf8(url)))}`;
}

/** A copy as it is documented, by WebCrypto. */
async function copyOf(url: string, body: string, fetched: number, { secret = "", etag = "" } = {}): Promise<string> {
  const text = `${url}\n${fetched} 600\n${etag}\n${body}`;
  const hash = { name: "HMAC", hash: "SHA-256" };
  // WebCrypto takes no empty key; a block of zeros is the same (RFC 2104 section 2).
  const bytes = secret === "" ? new Uint8Array(64) : utf8(secret);
  const key = await crypto.subtle.importKey("raw", bytes, hash, false, ["sign"]);
  return `wxjwks1 ${base64url(await crypto.subtle.sign("HMAC", key, utf8(text)))}\n${text}`;
}

export const remoteKept: Suite = (h, lib) => {
  const start = (set: Published, store: Store, options: RemoteOptions = {}) =>
    reading(lib, set, { ...options, cache: { store, ...options.cache } });

  const stores: [string, () => Store][] = [["in memory", () => new MemoryStore()]];
  if (h.kv !== undefined) stores.push(["in Workers KV", () => h.kv as NonNullable<Harness["kv"]>]);
  for (const [name, store] of stores) {
    h.test(`a later start takes its keys from the store and fetches nothing: ${name}`, async () => {
      const set = await published(h);
      const shared = store();
      const first = await start(set, shared);
      await first.verifier.ready();
      const later = await start(set, shared);
      later.clock.now += 300;
      ok(await later.verifier.verifyAsync(await signed(await ec()), WHEN));
      deepEqual(later.of("keys-fetched"), [{ type: "keys-fetched", host: set.host, source: "store", keys: 1 }]);
      equal(await set.fetches(), 1);
    });
  }

  h.test("the copy is what the documents say, under a key apart from those of revocation", async () => {
    const body = setOf(await ec());
    const set = await published(h, { body, headers: { etag: '"v1"' } });
    for (const secret of [undefined, SECRET]) {
      const store = new MemoryStore();
      const options = secret === undefined ? {} : { cache: { secret } as never };
      await (await start(set, store, options)).verifier.ready();
      const value = await copyOf(set.url, body, NOW, { etag: '"v1"', ...(secret !== undefined && { secret }) });
      deepEqual(store.written, [{ key: await keyOf(set.url), value, ttl: 15_000 }]);
      ok(!store.written[0]!.key.startsWith("wx1:"));
    }
  });

  h.test("a copy past its life is fetched anew, with its ETag, and used while that fails", async () => {
    const body = setOf(await ec());
    const set = await published(h, { status: 503 }, { status: 304 });
    const store = new MemoryStore();
    store.entries.set(await keyOf(set.url), await copyOf(set.url, body, NOW - 1000, { etag: '"v1"' }));
    const read = await start(set, store);
    const token = await signed(await ec());
    ok(await read.verifier.verifyAsync(token, WHEN));
    deepEqual([read.of("keys-failed").length, read.of("keys-stale").length], [1, 1]);
    read.clock.now += 60;
    ok(await read.verifier.verifyAsync(token, WHEN));
    // A browser's own cache has not seen it.
    const tag = h.runtime === "chromium" ? undefined : '"v1"';
    deepEqual(
      (await set.seen()).map((headers) => headers["if-none-match"]),
      [tag, tag],
    );
    equal(read.of("keys-stale").length, 1);
    equal(store.written.length, 1, "the copy is young again");
  });

  const refused: [string, (url: string, body: string) => Promise<string>, string?][] = [
    ["of another URL", (url, body) => copyOf(`${url}/`, body, NOW)],
    ["that was tampered with", async (url, body) => (await copyOf(url, body, NOW)).replace('"ES256"', '"ES25x"')],
    [
      "with a later time than it was written with",
      async (url, body) => (await copyOf(url, body, NOW - 90_000)).replace(`${NOW - 90_000}`, `${NOW}`),
    ],
    ["from the future", (url, body) => copyOf(url, body, NOW + 10)],
    ["a day old, whatever staleIfError says", (url, body) => copyOf(url, body, NOW - 86_400)],
    ["of another version", async (url, body) => (await copyOf(url, body, NOW)).replace("wxjwks1", "wxjwks2")],
    ["with a private key", async (url) => copyOf(url, JSON.stringify({ keys: [(await otherEc()).privateJwk] }), NOW)],
    ["without a usable key", (url) => copyOf(url, '{"keys":[]}', NOW)],
    ["that is not JSON", (url) => copyOf(url, "keys", NOW)],
    ["that is longer than a set may be", (url, body) => copyOf(url, body.padEnd(300_000), NOW)],
    ["that ends too soon", async (url, body) => (await copyOf(url, body, NOW)).slice(0, 60)],
    ["that is empty", async () => ""],
    ["without the secret", (url, body) => copyOf(url, body, NOW), SECRET],
    ["by another secret", (url, body) => copyOf(url, body, NOW, { secret: `${SECRET}!` }), SECRET],
  ];
  for (const [name, write, secret] of refused) {
    h.test(`a copy ${name} is refused, and the endpoint asked`, async () => {
      const set = await published(h);
      const store = new MemoryStore();
      // Its keys are not those of the endpoint: a token of theirs shows whether it was believed.
      store.entries.set(await keyOf(set.url), await write(set.url, setOf(await otherEc())));
      const options: RemoteOptions = { staleIfError: 86_400, maxAge: 86_400, minAge: 600 };
      const read = await start(set, store, secret === undefined ? options : { ...options, cache: { secret } as never });
      equal(await outcome(read.verifier.verifyAsync(await signed(await otherEc()), WHEN)), "ERR_KEY_NOT_FOUND");
      ok(await read.verifier.verifyAsync(await signed(await ec()), WHEN));
      deepEqual(
        read
          .of("keys-fetched")
          .map(({ source }) => source)
          .filter((source) => source === "store"),
        [],
      );
    });
  }

  h.test("the answer's no-store is heeded", async () => {
    const set = await published(h, { body: setOf(await ec()), headers: { "cache-control": "no-store" } });
    const store = new MemoryStore();
    await (await start(set, store)).verifier.ready();
    deepEqual(store.written, []);
  });

  h.test("a store that fails, hangs or answers nonsense costs nothing but time", async () => {
    const fail = async (): Promise<never> => {
      throw new Error("down");
    };
    const hang = (): Promise<never> => new Promise(() => undefined);
    for (const method of [fail, hang, async () => 7, async () => "wxjwks1 nonsense"]) {
      const set = await published(h);
      const { verifier } = await start(set, { get: method, put: method } as Store);
      ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
      equal(await set.fetches(), 1);
    }
  });

  h.test("a store is written in the background where the host can wait for it", async () => {
    const set = await published(h);
    let written: () => void = () => undefined;
    const store: Store = { get: async () => null, put: () => new Promise<void>((resolve) => (written = resolve)) };
    const waiting: Promise<unknown>[] = [];
    const { verifier } = await start(set, store, { waitUntil: (promise) => waiting.push(promise) });
    ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
    equal(waiting.length, 2, "the fetch, and the write");
    written();
    await Promise.all(waiting);
  });

  h.test("forged kids make nobody write", async () => {
    const set = await published(h);
    const store = new MemoryStore();
    const { verifier, clock } = await start(set, store);
    await verifier.ready();
    for (let i = 0; i < 5; i++) {
      const header = { alg: "ES256", kid: `forged-${i}` };
      equal(
        await outcome(verifier.verifyAsync(await signed(await ec(), undefined, header), WHEN)),
        "ERR_KEY_NOT_FOUND",
      );
      clock.now += 30;
    }
    equal(await set.fetches(), 6);
    equal(store.written.length, 1);
  });

  h.test("when an instance is replaced, its sets come back without a fetch, also in verifiers of several", async () => {
    const set = await published(h, setOf(await ec(), await otherEc()), { status: 500 });
    const keys = lib.remoteJwks(set.url);
    const [one, two] = [await reading(lib, keys), await reading(lib, keys)];
    await one.verifier.ready();
    for (let i = 0; i < 3; i++) {
      throws(() => trapping(() => lib.parseCookie("a=b")), "ERR_INTERNAL");
      for (const { verifier } of [two, one]) ok(verifier.verify(await signed(await ec()), WHEN));
    }
    throws(() => trapping(() => one.verifier.verify("a.b.c")), "ERR_INTERNAL");
    ok(await one.verifier.verifyAsync(await signed(await otherEc()), WHEN));
    equal(await set.fetches(), 1);
  });

  h.test("a key that another isolate has fetched is found in the store", async () => {
    const [old, young] = [await ec(), await otherEc()];
    const set = await published(h, setOf(old), setOf(old, young));
    const store = new MemoryStore();
    const [one, two] = [await start(set, store), await start(set, store)];
    await one.verifier.ready();
    await two.verifier.ready();
    one.clock.now += 10;
    ok(await one.verifier.verifyAsync(await signed(young), WHEN));
    two.clock.now += 20;
    ok(await two.verifier.verifyAsync(await signed(young), WHEN));
    equal(await set.fetches(), 2);
  });
};
