// Counters: every event is counted once, none can break or grow them, and what Prometheus reads is what was counted.

import type { SessionEvent, VerifierEvent } from "waxseal";
import { createMetrics, type Metrics } from "waxseal/metrics";
import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import {
  accepted,
  type Counts,
  EXPIRED,
  FORGED,
  ISSUED,
  PENDING,
  refreshed,
  rejected,
  reused,
  revoked,
} from "./series.js";
import { moved, total } from "./series.js";
import { claims, ec, makeVerifier, signed } from "./support.js";

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
  [{ type: "issued", ...SUBJECT }, ISSUED],
  [{ type: "refreshed", ...SUBJECT, rotated: true }, refreshed(true)],
  [{ type: "refreshed", ...SUBJECT, rotated: false }, refreshed(false)],
  ...["previous", "older", "other-client", "rolled-back"].map((kind): [object, string] => [
    { type: "reuse-detected", ...SUBJECT, kind },
    reused(kind),
  ]),
  [{ type: "revoked", kind: "token" }, revoked("token")],
  [{ type: "revoked", ...SUBJECT, kind: "session" }, revoked("session")],
  [{ type: "revoked", subject: SUBJECT.subject, kind: "subject" }, revoked("subject")],
  [{ type: "revocation-pending", subject: SUBJECT.subject }, PENDING],
  [{ type: "duplicate-cookie", ...SUBJECT }, "waxseal_duplicate_cookies_total"],
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
  [{ type: "revoked", kind: "planet" }, 'waxseal_revoked_total{kind="other"}'],
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
    equal(counts[ISSUED], 0);
    counts[ISSUED] = 99;
    deepEqual(moved(metrics), { [ISSUED]: 1 });
  });

  h.test("counters made apart count apart", () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.onEvent({ type: "issued" });
    deepEqual([total(one.counts()), total(other.counts())], [1, 0]);
  });

  h.test("members work without the object that they were taken from", () => {
    const { onEvent, counts, prometheus } = createMetrics();
    onEvent({ type: "issued" });
    equal(parse(prometheus()).counts[ISSUED], 1);
    equal(counts()[ISSUED], 1);
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

  h.test("counters accept the listener's types: any event without one, its own with one", () => {
    type Listener = (event: SessionEvent) => void;
    const any: Listener & ((event: VerifierEvent) => void) = createMetrics().onEvent;
    let sessions: string | undefined;
    const own: Metrics<SessionEvent> = createMetrics({
      onEvent: (event) => (sessions = event.type === "issued" ? event.sessionId : undefined),
    });
    const verifiers: (event: VerifierEvent) => void = own.onEvent;
    // @ts-expect-error A listener for verifiers alone must not be given to sessions, which report more.
    const narrow: Listener = createMetrics({ onEvent: (_event: VerifierEvent) => undefined }).onEvent;
    for (const listener of [any, own.onEvent, narrow]) listener({ type: "issued", subject: "s", sessionId: "sid" });
    equal(sessions, "sid");
    verifiers({ type: "instance-replaced" });
    equal(total(own.counts()), 2);
  });
};
