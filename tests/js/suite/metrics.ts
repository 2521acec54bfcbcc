// Counters: every event is counted once, none can break or grow them, and what Prometheus reads is what was counted.

import { createMetrics, type Metrics } from "waxseal/metrics";
import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { NOW, claims, ec, makeVerifier, otherEc, signed } from "./support.js";
import type { Verifier } from "./support.js";

type Counts = Record<string, number>;

/** Reads the text format as its grammar says (version 0.0.4): a counter's HELP and TYPE, then its samples. */
function parse(text: string): { counts: Counts; types: Record<string, string> } {
  const counts: Counts = {};
  const types: Record<string, string> = {};
  let helped = "";
  ok(text.endsWith("\n"), "the last line ends");
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP ([a-z_]+) [^\\]+$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (counter)$/.exec(line);
    const sample = /^(([a-z_]+)(?:\{[a-z]+="[\w-]+"(?:,[a-z]+="[\w-]+")*\})?) (\d+)$/.exec(line);
    if (help) {
      helped = help[1] as string;
      ok(!Object.hasOwn(types, helped), `${helped} comes in one piece`);
    } else if (type) {
      equal(type[1], helped, "TYPE follows HELP");
      types[helped] = type[2] as string;
    } else {
      ok(sample, `a sample: ${line}`);
      equal(sample[2], helped, "a sample stands under its counter");
      ok(Object.hasOwn(types, helped) && !Object.hasOwn(counts, sample[1] as string), `once, after TYPE: ${line}`);
      counts[sample[1] as string] = Number(sample[3]);
    }
  }
  return { counts, types };
}

/** The series that are not 0. */
function moved(metrics: { counts(): Counts }): Counts {
  return Object.fromEntries(Object.entries(metrics.counts()).filter(([, count]) => count !== 0));
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const rejected = (code: string, step: string, status: number): string =>
  `waxseal_rejected_total{code="${code}",step="${step}",status="${status}"}`;
const accepted = (source: string, revocation = "not-checked"): string =>
  `waxseal_accepted_total{source="${source}",revocation="${revocation}"}`;

const EXPIRED = rejected("ERR_TOKEN_EXPIRED", "policy", 401);
const FORGED = rejected("ERR_SIGNATURE_INVALID", "signature", 401);
const UNRECOGNIZED = "waxseal_unrecognized_events_total";

const SUBJECT = { subject: "alice@example.com", sessionId: "c2Vzc2lvbi1vZi1hbGljZQ" };

/** Every kind of event, and the one series that it moves. */
const EVENTS: [object, string][] = [
  [{ type: "accepted", revocation: "not-checked" }, accepted("direct")],
  [{ type: "accepted", source: undefined, revocation: "clear" }, accepted("direct", "clear")],
  [{ type: "accepted", source: "bearer", revocation: "clear" }, accepted("bearer", "clear")],
  [{ type: "accepted", source: "cookie", revocation: "unavailable" }, accepted("cookie", "unavailable")],
  [{ type: "rejected", code: "ERR_TOKEN_EXPIRED", step: "policy" }, EXPIRED],
  [{ type: "rejected", code: "ERR_SIGNATURE_INVALID", step: "signature" }, FORGED],
  [
    { type: "rejected", code: "ERR_REVOCATION_UNAVAILABLE", step: "revocation" },
    rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503),
  ],
  [{ type: "issued", ...SUBJECT }, "waxseal_issued_total"],
  [{ type: "refreshed", ...SUBJECT, rotated: true }, 'waxseal_refreshed_total{rotated="true"}'],
  [{ type: "refreshed", ...SUBJECT, rotated: false }, 'waxseal_refreshed_total{rotated="false"}'],
  ...["previous", "older", "other-client", "rolled-back"].map((kind): [object, string] => [
    { type: "reuse-detected", ...SUBJECT, kind },
    `waxseal_reuse_detected_total{kind="${kind}"}`,
  ]),
  [{ type: "revoked", kind: "token" }, 'waxseal_revoked_total{kind="token",pending="false"}'],
  [
    { type: "revoked", ...SUBJECT, kind: "session", pending: true },
    'waxseal_revoked_total{kind="session",pending="true"}',
  ],
  [
    { type: "revoked", ...SUBJECT, kind: "subject", pending: false },
    'waxseal_revoked_total{kind="subject",pending="false"}',
  ],
  [{ type: "duplicate-cookie" }, "waxseal_duplicate_cookies_total"],
  [{ type: "instance-replaced" }, "waxseal_instances_replaced_total"],
];

/** Calls of a type that is counted, with members that are not. */
const STRANGE: [object, string][] = [
  [{ type: "accepted" }, accepted("other", "other")],
  [{ type: "accepted", source: "telepathy", revocation: "clear" }, accepted("other", "other")],
  [{ type: "rejected", code: "ERR_OF_TOMORROW" }, 'waxseal_rejected_total{code="other",step="other",status="other"}'],
  [{ type: "rejected", code: "__proto__" }, 'waxseal_rejected_total{code="other",step="other",status="other"}'],
  [{ type: "rejected" }, 'waxseal_rejected_total{code="other",step="other",status="other"}'],
  [{ type: "refreshed", rotated: 1 }, 'waxseal_refreshed_total{rotated="other"}'],
  [{ type: "reuse-detected", kind: "constructor" }, 'waxseal_reuse_detected_total{kind="other"}'],
  [{ type: "revoked", kind: "planet" }, 'waxseal_revoked_total{kind="other",pending="other"}'],
];

/** What is no event at all. */
const MALFORMED: unknown[] = [
  undefined,
  null,
  0,
  "accepted",
  [],
  {},
  () => "accepted",
  { type: undefined },
  { type: "" },
  { type: "__proto__" },
  { type: "constructor" },
  { type: "toString" },
  { type: ["accepted"] },
  { type: { toString: () => "issued" } },
  { type: "something-new", subject: "alice" },
  { type: "rejected", code: Symbol("code") },
  { type: "rejected", code: Object.create(null) },
  {
    get type() {
      throw new Error("type");
    },
  },
  {
    type: "reuse-detected",
    get kind() {
      throw new Error("kind");
    },
  },
  new Proxy(
    {},
    {
      get: () => {
        throw new Error("proxy");
      },
    },
  ),
];

export const metrics: Suite = (h, lib) => {
  h.test("every counter stands at 0 from the start, in Prometheus' text format", () => {
    const metrics = createMetrics();
    const { counts, types } = parse(metrics.prometheus());
    equal(metrics.contentType, "text/plain; version=0.0.4; charset=utf-8");
    equal(total(counts), 0);
    for (const [, series] of [...EVENTS, ...STRANGE]) ok(Object.hasOwn(counts, series), series);
    ok(Object.hasOwn(counts, UNRECOGNIZED));
    ok(Object.keys(types).every((name) => /^waxseal_[a-z_]+_total$/.test(name)));
  });

  h.test("what counts gives is what Prometheus reads, before and after events", () => {
    const metrics = createMetrics();
    deepEqual(metrics.counts(), parse(metrics.prometheus()).counts);
    EVENTS.forEach(([event], index) => {
      for (let i = 0; i <= index; i++) metrics.onEvent(event as never);
    });
    deepEqual(metrics.counts(), parse(metrics.prometheus()).counts);
    equal(total(metrics.counts()), (EVENTS.length * (EVENTS.length + 1)) / 2);
  });

  for (const [event, series] of EVENTS) {
    const shown = JSON.stringify({ ...event, subject: undefined, sessionId: undefined });
    h.test(`${shown} is one ${series}`, () => {
      const metrics = createMetrics();
      metrics.onEvent(event as never);
      deepEqual(moved(metrics), { [series]: 1 });
    });
  }

  h.test("an event with a value that is not known is counted all the same, under one label value", () => {
    for (const [event, series] of STRANGE) {
      const metrics = createMetrics();
      metrics.onEvent(event as never);
      deepEqual(moved(metrics), { [series]: 1 }, JSON.stringify(event));
    }
  });

  h.test("what is no event neither throws nor moves anything but the counter of such", () => {
    const metrics = createMetrics();
    for (const event of MALFORMED) metrics.onEvent(event as never);
    deepEqual(moved(metrics), { [UNRECOGNIZED]: MALFORMED.length });
  });

  h.test("ten thousand different events add no series, and no subject or session appears in the text", () => {
    const metrics = createMetrics();
    const before = Object.keys(metrics.counts());
    for (let i = 0; i < 10_000; i++) {
      const [event] = EVENTS[i % EVENTS.length] as [object, string];
      const mark = `mark-${i}`;
      metrics.onEvent({ ...event, subject: mark, sessionId: mark } as never);
      metrics.onEvent({ ...event, kind: mark, code: mark, source: mark, revocation: mark, rotated: mark } as never);
      metrics.onEvent({ type: mark } as never);
    }
    deepEqual(Object.keys(metrics.counts()), before);
    equal(total(metrics.counts()), 30_000);
    ok(!metrics.prometheus().includes("mark-"));
  });

  h.test("a snapshot of the counts stays as it was, and changing it changes no counter", () => {
    const metrics = createMetrics();
    const counts = metrics.counts();
    metrics.onEvent({ type: "issued" });
    equal(counts["waxseal_issued_total"], 0);
    counts["waxseal_issued_total"] = 99;
    deepEqual(moved(metrics), { waxseal_issued_total: 1 });
  });

  h.test("counters made apart count apart", () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.onEvent({ type: "issued" });
    deepEqual([total(one.counts()), total(other.counts())], [1, 0]);
  });

  h.test("members work without the object that they were taken from", () => {
    const { onEvent, counts, prometheus } = createMetrics();
    onEvent({ type: "issued" });
    equal(parse(prometheus()).counts["waxseal_issued_total"], 1);
    equal(counts()["waxseal_issued_total"], 1);
  });

  h.test("a listener of the caller's own gets the same event, already counted", async () => {
    const seen: [object, number][] = [];
    const metrics = createMetrics({ onEvent: (event) => seen.push([event, total(metrics.counts())]) });
    const event = { type: "instance-replaced" } as const;
    metrics.onEvent(event);
    equal(seen.length, 1);
    ok(seen[0]?.[0] === event);
    equal(seen[0]?.[1], 1);
  });

  h.test("a listener that throws or rejects loses no count and changes no outcome", async () => {
    for (const onEvent of [
      () => {
        throw new Error("observer");
      },
      () => Promise.reject(new Error("observer")),
    ]) {
      const metrics = createMetrics({ onEvent });
      const verifier = await makeVerifier(lib, { onEvent: metrics.onEvent });
      deepEqual(verifier.verify(await signed(await ec())).claims, claims());
      throws(() => verifier.verify("nonsense"), "ERR_TOKEN_MALFORMED");
      await rejects(async () => verifier.authenticate({ method: "GET", headers: {} }), "ERR_CREDENTIALS_MISSING");
      equal(total(metrics.counts()), 3);
    }
  });

  h.test("options are checked by name and type, with the library's own error class", () => {
    const wrong: unknown[] = [
      null,
      1,
      "x",
      [],
      () => undefined,
      { onEvent: 1 },
      { onEvent: null },
      { onEvents: () => 1 },
    ];
    for (const options of wrong) {
      const error = throws(() => createMetrics(options as never), "ERR_OPTION_INVALID", JSON.stringify(options));
      ok(error instanceof lib.WaxsealError);
    }
    includes(throws(() => createMetrics({ onEvents: 1 } as never), "ERR_OPTION_INVALID").message, '"onEvents"');
    for (const options of [undefined, {}, { onEvent: undefined }]) ok(createMetrics(options as never));
  });

  h.test("counters accept the listener's types: any event without one, its own with one", async () => {
    type Login = { type: "issued"; subject: string; sessionId: string };
    type Wider = Parameters<NonNullable<Parameters<Library["createVerifier"]>[0]["onEvent"]>>[0] | Login;
    const any: (event: Wider) => void = createMetrics().onEvent;
    const own: Metrics<Wider> = createMetrics({ onEvent: (_event: Wider) => undefined });
    // @ts-expect-error A listener for logins alone must not be given to what reports more.
    const narrow: (event: Wider) => void = createMetrics({ onEvent: (_event: Login) => undefined }).onEvent;
    for (const listener of [any, own.onEvent, narrow]) listener({ type: "issued", subject: "s", sessionId: "s" });
    equal(total(own.counts()), 1);
  });

  realVerifier(h, lib);
};

/** Tokens of every fate, each through every way in: a call is one event, whatever becomes of it. */
function realVerifier(h: Parameters<Suite>[0], lib: Library): void {
  const counted = async (overrides: object = {}): Promise<[Verifier, Metrics<{ type: string }>]> => {
    const metrics = createMetrics();
    return [await makeVerifier(lib, { onEvent: metrics.onEvent, ...overrides }), metrics];
  };
  const bearer = (token: string): Parameters<Verifier["authenticate"]>[0] => ({
    method: "GET",
    headers: { authorization: `Bearer ${token}` },
  });
  const tampered = async (): Promise<string> => {
    const [header, , signature] = (await signed(await ec())).split(".");
    const [, payload] = (await signed(await ec(), claims({ sub: "mallory" }))).split(".");
    return `${header}.${payload}.${signature}`;
  };

  h.test("a good, an expired, a tampered and a malformed token are each counted once by every way in", async () => {
    const fates: [string, string][] = [
      [await signed(await ec()), ""],
      [await signed(await ec(), claims({ exp: NOW })), EXPIRED],
      [await tampered(), FORGED],
      ["nonsense", rejected("ERR_TOKEN_MALFORMED", "segments", 401)],
    ];
    const ways: [string, (verifier: Verifier, token: string) => unknown][] = [
      ["direct", (verifier, token) => verifier.verify(token)],
      ["direct", (verifier, token) => verifier.verifyAsync(token)],
      ["bearer", (verifier, token) => verifier.authenticate(bearer(token))],
      [
        "cookie",
        (verifier, token) => verifier.authenticate({ method: "GET", headers: { cookie: `__Host-access=${token}` } }),
      ],
    ];
    for (const [source, way] of ways) {
      const [verifier, metrics] = await counted({ cookie: "__Host-access" });
      const expected: Counts = {};
      for (const [index, [token, series]] of fates.entries()) {
        for (let i = 0; i <= index; i++) await Promise.allSettled([(async () => way(verifier, token))()]);
        expected[series || accepted(source)] = index + 1;
      }
      deepEqual(moved(metrics), expected, String(way));
    }
  });

  h.test("a token of another key is one invalid signature, or one key not found when it names its key", async () => {
    const [verifier, metrics] = await counted();
    const forged = await signed(await otherEc(), claims(), { alg: "ES256", kid: (await ec()).kid });
    throws(() => verifier.verify(forged), "ERR_SIGNATURE_INVALID");
    await rejects(async () => verifier.verifyAsync(await signed(await otherEc())), "ERR_KEY_NOT_FOUND");
    deepEqual(moved(metrics), { [FORGED]: 1, [rejected("ERR_KEY_NOT_FOUND", "key", 401)]: 1 });
  });

  h.test(
    "requests without credentials, from other sites, or twice the cookie are told apart from bad tokens",
    async () => {
      const [verifier, metrics] = await counted({ cookie: "__Host-access", origins: ["https://app.example"] });
      const cookie = `__Host-access=${await signed(await ec())}`;
      const origin = "https://evil.example";
      await rejects(verifier.authenticate({ method: "GET", headers: {} }), "ERR_CREDENTIALS_MISSING");
      await rejects(
        verifier.authenticate({ method: "GET", headers: { cookie: `${cookie}; ${cookie}` } }),
        "ERR_COOKIE_DUPLICATE",
      );
      await rejects(verifier.authenticate({ method: "POST", headers: { cookie, origin } }), "ERR_CROSS_SITE");
      throws(() => verifier.checkCrossSite({ method: "POST", headers: { origin } }), "ERR_CROSS_SITE");
      verifier.checkCrossSite({ method: "POST", headers: { origin: "https://app.example" } });
      deepEqual(moved(metrics), {
        [rejected("ERR_CREDENTIALS_MISSING", "request", 401)]: 1,
        [rejected("ERR_COOKIE_DUPLICATE", "request", 400)]: 1,
        [rejected("ERR_CROSS_SITE", "request", 403)]: 2,
      });
    },
  );

  h.test("a revocation, the refusal that follows, and a store that fails are each counted once", async () => {
    const store = new MemoryStore();
    const [verifier, metrics] = await counted({ revocation: { store } });
    const token = await signed(await ec());
    await verifier.authenticate(bearer(token));
    await verifier.revokeToken(claims() as never);
    await verifier.revokeSession("session-2");
    await verifier.revokeSubject("bob");
    await rejects(verifier.verifyAsync(token), "ERR_TOKEN_REVOKED");
    throws(() => verifier.verify(token), "ERR_REVOCATION_NEEDS_ASYNC");
    store.get = async () => {
      throw new Error("store down");
    };
    await rejects(verifier.verifyAsync(token), "ERR_REVOCATION_UNAVAILABLE");
    // The signature comes first: a forged token does not reach the store, and is no failure of it.
    await rejects(verifier.verifyAsync(await tampered()), "ERR_SIGNATURE_INVALID");
    deepEqual(moved(metrics), {
      [accepted("bearer", "clear")]: 1,
      'waxseal_revoked_total{kind="token",pending="false"}': 1,
      'waxseal_revoked_total{kind="session",pending="false"}': 1,
      'waxseal_revoked_total{kind="subject",pending="false"}': 1,
      [rejected("ERR_TOKEN_REVOKED", "revocation", 401)]: 1,
      [rejected("ERR_REVOCATION_NEEDS_ASYNC", "revocation", 500)]: 1,
      [rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503)]: 1,
      [FORGED]: 1,
    });
  });

  h.test("a token that is accepted without an answer of the store shows as such", async () => {
    const store = { get: () => Promise.reject(new Error("store down")) };
    const [verifier, metrics] = await counted({ revocation: { store, onFailure: "accept" } });
    await verifier.verifyAsync(await signed(await ec()));
    deepEqual(moved(metrics), { [accepted("direct", "unavailable")]: 1 });
  });

  h.test("verifiers that share counters are counted together, also while they run at once", async () => {
    const [one, metrics] = await counted();
    const other = await makeVerifier(lib, { onEvent: metrics.onEvent });
    const [good, late] = [await signed(await ec()), await signed(await ec(), claims({ exp: NOW }))];
    await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? one : other).verifyAsync(i % 4 < 3 ? good : late)),
    );
    deepEqual(moved(metrics), { [accepted("direct")]: 150, [EXPIRED]: 50 });
  });
}
