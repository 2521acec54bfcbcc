/**
 * `waxseal/metrics`: counts what verifiers and sessions report to `onEvent`, and writes the counters as Prometheus text.
 *
 * The series are fixed when the counters are made. Each stands at 0 from the start, because a rate over a series that
 * appears with its first event misses that event. No event can add another: label values come from the closed sets below,
 * never from a subject, a session or anything else that a client sends. That is also why nothing here needs escaping.
 *
 * @packageDocumentation
 */
import { optionInvalid } from "./error.js";
import { ERROR_CODES } from "./error-codes.js";
import { optionalFunction, take } from "./options.js";
import type { SessionEvent } from "./sessions/types.js";
import type { AuthenticateResult, KeySetFailure, RevocationState, VerifierEvent } from "./types.js";

/** Any event, of this version of the library or of another one. */
export interface AnyEvent {
  /** What happened. */
  readonly type: string;
}

/** The options of {@link createMetrics}. */
export interface MetricsOptions<E extends AnyEvent> {
  /** A listener of your own: called with each event after it was counted. */
  onEvent?: (event: E) => void;
}

/** Counters, from 0 when they were made. Its members work without it, so they can be handed on as they are. */
export interface Metrics<E extends AnyEvent> {
  /** Counts an event. To be given as `onEvent`, to as many verifiers and sessions as are to be counted together. */
  readonly onEvent: (event: E) => void;
  /** All counters in Prometheus' text exposition format, version 0.0.4. */
  readonly prometheus: () => string;
  /** The `Content-Type` under which to serve what {@link prometheus} gives. */
  readonly contentType: string;
  /** All counters by their series as Prometheus names them, such as `waxseal_refreshed_total{rotated="true"}`. */
  readonly counts: () => Record<string, number>;
}

/** An event as it came: a program in JavaScript may call with anything. */
type Given = Readonly<Record<string, unknown>>;

interface Counter {
  readonly name: string;
  /** What is counted, for people. */
  readonly help: string;
  /** The names of the series, by the key that an event has. */
  readonly series: ReadonlyMap<string, string>;
  /** The series for events with any other key: a value from a later version, say, must not hide its event. */
  readonly other: string;
  /** The key of an event. May throw. */
  readonly key: (event: Given) => string;
}

/** The kinds that an event of a type may have. */
type Kinds<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T; kind: string }>["kind"];

// Records rather than lists: the compiler refuses one that lacks a member of the union.
const SOURCES: Record<AuthenticateResult["source"] | "direct", true> = { bearer: true, cookie: true, direct: true };
const REVOCATION: Record<RevocationState, true> = { "not-checked": true, clear: true, unavailable: true };
const REVOKED: Record<Kinds<"revoked">, true> = { token: true, session: true, subject: true };
const REUSE: Record<Kinds<"reuse-detected">, true> = {
  previous: true,
  older: true,
  "other-client": true,
  "rolled-back": true,
};
const FETCHED: Record<Extract<VerifierEvent, { type: "keys-fetched" }>["source"], true> = {
  endpoint: true,
  store: true,
};
const FAILURES: Record<KeySetFailure, true> = {
  timeout: true,
  network: true,
  "too-large": true,
  redirect: true,
  status: true,
  "not-json": true,
  "not-a-set": true,
  "too-many-keys": true,
  private: true,
  unusable: true,
};
const BOOLEAN = { true: true, false: true };

const COUNTERS: Record<SessionEvent["type"], Counter> = {
  accepted: counter(
    "waxseal_accepted_total",
    "Tokens accepted, by where they were found and what revocation said.",
    combinations({ source: SOURCES, revocation: REVOCATION }),
    ({ source, revocation }) => `${source ?? "direct"} ${revocation}`,
  ),
  rejected: counter(
    "waxseal_rejected_total",
    "Calls refused, by code with its step and the HTTP status to answer with.",
    Object.entries(ERROR_CODES).map(([code, [status, step]]) => [code, { code, step, status: `${status}` }]),
    ({ code }) => `${code}`,
  ),
  issued: counter("waxseal_issued_total", "Sessions begun by a login."),
  refreshed: counter(
    "waxseal_refreshed_total",
    "Sessions refreshed, by whether the refresh token was rotated or the current one given again.",
    combinations({ rotated: BOOLEAN }),
    ({ rotated }) => `${rotated}`,
  ),
  "reuse-detected": counter(
    "waxseal_reuse_detected_total",
    "Refresh tokens presented that had been used up, by what gave them away.",
    combinations({ kind: REUSE }),
    ({ kind }) => `${kind}`,
  ),
  revoked: counter(
    "waxseal_revoked_total",
    "Tokens, sessions and subjects revoked.",
    combinations({ kind: REVOKED }),
    ({ kind }) => `${kind}`,
  ),
  "revocation-pending": counter(
    "waxseal_revocations_pending_total",
    "Calls that ended something and could not write its revocation entry.",
  ),
  "duplicate-cookie": counter(
    "waxseal_duplicate_cookies_total",
    "Refresh cookies that were not of the session of their request.",
  ),
  "keys-fetched": counter(
    "waxseal_keys_fetched_total",
    "Remote key sets that were fetched, by whether the endpoint or a store gave them.",
    combinations({ source: FETCHED }),
    ({ source }) => `${source}`,
  ),
  "keys-failed": counter(
    "waxseal_keys_failed_total",
    "Fetches of remote key sets that failed, by reason.",
    combinations({ reason: FAILURES }),
    ({ reason }) => `${reason}`,
  ),
  "keys-stale": counter(
    "waxseal_keys_stale_total",
    "Tokens that were accepted by keys that should have been fetched again and could not.",
  ),
  "instance-replaced": counter(
    "waxseal_instances_replaced_total",
    "WebAssembly instances that failed and were replaced.",
  ),
};

/** Counts where the library and its counters are of different versions, or where something else calls `onEvent`. */
const UNRECOGNIZED = counter("waxseal_unrecognized_events_total", "Events of a type that is not counted.");

/**
 * Makes counters.
 *
 * @param options `onEvent`: a listener of your own, since a verifier takes only one.
 * @throws WaxsealError `ERR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * const metrics = createMetrics();
 * const verifier = await createVerifier({ keys, issuer, audience, onEvent: metrics.onEvent });
 * // In the handler of GET /metrics:
 * response.setHeader("Content-Type", metrics.contentType).end(metrics.prometheus());
 * ```
 */
export function createMetrics(): Metrics<AnyEvent>;
export function createMetrics<E extends AnyEvent = SessionEvent>(options: MetricsOptions<E>): Metrics<E>;
export function createMetrics(options: unknown = {}): Metrics<AnyEvent> {
  const { taken, rest } = take(options, ["onEvent"]);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw optionInvalid(`${JSON.stringify(unknown)} is not an option here; the only option is onEvent.`);
  }
  const listener = optionalFunction<(event: AnyEvent) => void>(taken.onEvent, "onEvent");

  const counters = [...Object.values(COUNTERS), UNRECOGNIZED];
  const counts = new Map(counters.flatMap(names).map((name) => [name, 0]));
  return {
    onEvent: (event) => {
      const name = seriesOf(event);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      // What it returns or throws is for the caller to judge, as if the listener had been given to it directly.
      return listener?.(event);
    },
    prometheus: () =>
      counters
        .flatMap((counter) => [
          `# HELP ${counter.name} ${counter.help}\n`,
          `# TYPE ${counter.name} counter\n`,
          ...names(counter).map((name) => `${name} ${counts.get(name)}\n`),
        ])
        .join(""),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    counts: () => Object.fromEntries(counts),
  };
}

/** The series that an event belongs to: always one of those that {@link names} gives. */
function seriesOf(event: unknown): string {
  try {
    const given = event as Given;
    const { type } = given;
    if (typeof type === "string" && Object.hasOwn(COUNTERS, type)) {
      const { series, other, key } = COUNTERS[type as SessionEvent["type"]];
      return series.get(key(given)) ?? other;
    }
  } catch {
    // No object, or one that cannot be read.
  }
  return UNRECOGNIZED.name;
}

function names({ series, other }: Counter): string[] {
  return [...new Set([...series.values(), other])];
}

type Labels = Readonly<Record<string, string>>;

/** A counter with its series: one for each row of labels and one for anything else, or a single one without labels. */
function counter(
  name: string,
  help: string,
  rows: readonly (readonly [key: string, labels: Labels])[] = [],
  key: Counter["key"] = () => "",
): Counter {
  const series = new Map(rows.map(([key, labels]) => [key, seriesName(name, labels)]));
  const labels = Object.keys(rows[0]?.[1] ?? {});
  return {
    name,
    help,
    series,
    other: seriesName(name, Object.fromEntries(labels.map((label) => [label, "other"]))),
    key,
  };
}

function seriesName(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

/** All combinations of label values, each with the values and spaces between them as its key. */
function combinations(values: Readonly<Record<string, object>>): [string, Labels][] {
  let rows: Labels[] = [{}];
  for (const [label, set] of Object.entries(values)) {
    rows = rows.flatMap((row) => Object.keys(set).map((value) => ({ ...row, [label]: value })));
  }
  return rows.map((row) => [Object.values(row).join(" "), row]);
}
