// How old a key set may become: what the endpoint says, within the caller's bounds, and what holds while the endpoint fails.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { KeyAnswer } from "../harness/key-server.js";
import type { Suite } from "../harness/types.js";
import { outcome, published, type Reading, reading, setOf, until, WHEN } from "./remote-support.js";
import { ec, otherEc, signed } from "./support.js";

const cached = (body: string, cacheControl: string, more: Record<string, string> = {}): KeyAnswer => ({
  body,
  headers: { "cache-control": cacheControl, ...more },
});

export const remoteFresh: Suite = (h, lib) => {
  const check = async ({ verifier }: Reading): Promise<string> =>
    outcome(verifier.verifyAsync(await signed(await ec()), WHEN));

  const lifetimes: [string, KeyAnswer, object, number][] = [
    ["no Cache-Control: maxAge", { body: "" }, {}, 600],
    ["a max-age between the bounds", cached("", "public, max-age=300, must-revalidate"), {}, 300],
    ["a max-age above maxAge", cached("", "public, max-age=19845, must-revalidate, no-transform"), {}, 600],
    ["a max-age under minAge", cached("", "max-age=1"), { minAge: 45 }, 45],
    ["no-store: minAge", cached("", "no-store"), {}, 60],
    ["a max-age of which a cache on the way has used some", cached("", "max-age=300", { age: "120" }), {}, 180],
  ];
  for (const [name, answer, options, lifetime] of lifetimes) {
    h.test(`a set is fetched again when it is ${lifetime} seconds old: ${name}`, async () => {
      const set = await published(h, { ...answer, body: setOf(await ec()) });
      const read = await reading(lib, set, { cooldown: 3600, ...options });
      equal(await check(read), "accepted");
      // The cooldown keeps the last fifth from being used for a refresh in the background: a fetch has just been made.
      read.clock.now += lifetime - 1;
      equal(await check(read), "accepted");
      equal(await set.fetches(), 1);
      read.clock.now += 1;
      equal(await check(read), "accepted");
      equal(await set.fetches(), 2);
    });
  }

  h.test("a set in the last fifth of its life is fetched in the background, by synchronous calls as well", async () => {
    const set = await published(h, setOf(await ec()), { body: setOf(await ec()), delay: 30 });
    const waiting: Promise<unknown>[] = [];
    const read = await reading(lib, set, { waitUntil: (promise) => waiting.push(promise) });
    equal(await check(read), "accepted");
    read.clock.now += 479;
    equal(await check(read), "accepted");
    equal(waiting.length, 1);
    read.clock.now += 1;
    ok(read.verifier.verify(await signed(await ec()), WHEN));
    equal(waiting.length, 2);
    await Promise.all(waiting);
    equal(await set.fetches(), 2);
    // Young again.
    read.clock.now += 479;
    ok(read.verifier.verify(await signed(await ec()), WHEN));
    equal(waiting.length, 2);
  });

  h.test("an ETag is sent back, and 304 makes the set fresh again with the keys that are known", async () => {
    const body = setOf(await ec());
    const notModified = { status: 304, headers: { etag: '"v1"', "cache-control": "max-age=100" } };
    const set = await published(h, cached(body, "max-age=300", { etag: '"v1"' }), notModified);
    const read = await reading(lib, set, { cooldown: 3600 });
    for (const seconds of [0, 300, 99]) {
      read.clock.now += seconds;
      equal(await check(read), "accepted");
    }
    equal(await set.fetches(), 2, "304 counts for 100 seconds");
    const seen = (await set.seen()).map((headers) => headers["if-none-match"]);
    deepEqual(seen, [undefined, '"v1"']);
    read.clock.now += 1;
    equal(await check(read), "accepted");
    equal(await set.fetches(), 3);
    deepEqual(read.of("keys-failed"), []);
  });

  h.test("304 to a request without an ETag is a failure", async () => {
    const set = await published(h, { status: 304 });
    const { verifier } = await reading(lib, set);
    const error = await rejects(verifier.ready(), "ERR_KEY_SET_UNAVAILABLE");
    includes(error.message, "status 304");
  });

  h.test("keys are used while the endpoint fails, to the end of staleIfError and not beyond it", async () => {
    const set = await published(h, setOf(await ec()), { status: 503 });
    const read = await reading(lib, set, { maxAge: 600, staleIfError: 1000 });
    equal(await check(read), "accepted");
    deepEqual(read.of("keys-stale"), []);
    read.clock.now += 600;
    for (let i = 0; i < 5; i++) equal(await check(read), "accepted");
    // After a failure there is a pause, and nobody waits.
    equal(await set.fetches(), 2);
    ok(read.verifier.verify(await signed(await ec()), WHEN), "synchronously too");
    deepEqual(read.of("keys-failed"), [{ type: "keys-failed", host: set.host, reason: "status" }]);
    deepEqual(read.of("keys-stale").length, 6);
    deepEqual(read.of("keys-stale")[0], { type: "keys-stale", host: set.host });
    read.clock.now += 999;
    equal(await check(read), "accepted");
    read.clock.now += 1;
    const error = await rejects(read.verifier.verifyAsync(await signed(await ec()), WHEN), {
      code: "ERR_KEY_SET_UNAVAILABLE",
      status: 503,
    });
    includes(error.message, `The key set of ${set.host} was answered with status 503.`);
    throws(() => read.verifier.verify("a.b.c"), "ERR_TOKEN_MALFORMED");
  });

  h.test("with staleIfError 0 keys end with their life", async () => {
    const set = await published(h, setOf(await ec()), { status: 503 });
    const read = await reading(lib, set, { maxAge: 600, staleIfError: 0 });
    equal(await check(read), "accepted");
    read.clock.now += 600;
    equal(await check(read), "ERR_KEY_SET_UNAVAILABLE");
  });

  h.test("an endpoint that comes back is used again, after pauses that grow", async () => {
    const set = await published(h, { status: 500 });
    const read = await reading(lib, set, { cooldown: 30 });
    const times: number[] = [];
    let fetches = 0;
    for (let second = 0; second < 100; second++) {
      equal(await check(read), "ERR_KEY_SET_UNAVAILABLE");
      const now = await set.fetches();
      if (now > fetches) times.push(second);
      fetches = now;
      read.clock.now += 1;
    }
    deepEqual(times, [0, 1, 3, 7, 15, 31, 61, 91]);
    await set.answers(setOf(await ec()));
    read.clock.now += 30;
    equal(await check(read), "accepted");
  });

  h.test(
    "a key that is known waits no longer than a second for an endpoint that hangs, and then not at all",
    async () => {
      const set = await published(h, setOf(await ec()), { fault: "hang" });
      // The real clock, some hours ahead once the set is there.
      let ahead = 0;
      const clock = (): number => Date.now() / 1000 + ahead;
      const { verifier } = await reading(lib, set, { timeout: 15 }, { clock });
      ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
      ahead = 3600;
      const times: number[] = [];
      for (let i = 0; i < 6; i++) {
        const start = Date.now();
        ok(await verifier.verifyAsync(await signed(await ec()), WHEN));
        times.push(Date.now() - start);
      }
      // A busy machine takes its time; waiting for the endpoint would take all of `timeout`, and a second each.
      const [first = Infinity, ...later] = times;
      ok(first < 12_000 && Math.min(...later) < 900, JSON.stringify(times));
      equal(await set.fetches(), 2);
    },
  );

  h.test("a process that was idle does not decide by keys past their life while the endpoint is well", async () => {
    const set = await published(h, setOf(await ec()), setOf(await otherEc()));
    const read = await reading(lib, set, { maxAge: 600, staleIfError: 86_400 });
    const token = await signed(await ec());
    equal(await check(read), "accepted");
    read.clock.now += 3600;
    throws(() => read.verifier.verify(token, WHEN), "ERR_KEY_SET_NEEDS_ASYNC");
    await until(async () => (await set.fetches()) === 2);
    equal(await check(read), "ERR_KEY_NOT_FOUND");
  });

  h.test("a clock that is set back makes no set last longer", async () => {
    const set = await published(h, setOf(await ec()), { status: 500 });
    const read = await reading(lib, set, { maxAge: 600, staleIfError: 0 });
    equal(await check(read), "accepted");
    read.clock.now -= 600;
    equal(await check(read), "ERR_KEY_SET_UNAVAILABLE");
  });
};
