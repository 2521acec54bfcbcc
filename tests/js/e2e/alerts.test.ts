/** The alert rules, evaluated by Prometheus' own promtool over the series that the counters really have. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { createMetrics } from "waxseal/metrics";
import { needsPrometheus, promtool, RULES } from "./prometheus.js";

const rules = readFileSync(RULES, "utf8");
const START = Object.keys(createMetrics().counts());

/** A series as selector and as the text format has it: its name and labels. */
function parse(selector: string): { name: string; matchers: [label: string, operator: string, value: string][] } {
  const [, name = "", inner = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(selector) ?? [];
  const matchers = [...inner.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(
    ([, label = "", operator = "", value = ""]): [string, string, string] => [label, operator, value],
  );
  return { name, matchers };
}

test("every counter, label and label value that the rules name is rendered from the start", () => {
  const expressions = [...rules.matchAll(/^ +expr: (?:>-\n)?((?:.|\n(?! +\w+: ))*)/gm)].map(([, text = ""]) => text);
  assert.equal(expressions.length, rules.match(/- alert:/g)?.length);
  for (const expression of expressions) {
    const selectors = expression.match(/waxseal_\w+(\{[^}]*\})?/g) ?? [];
    assert.ok(selectors.length > 0, expression);
    for (const selector of selectors) {
      const { name, matchers } = parse(selector);
      const series = START.map(parse).filter((one) => one.name === name);
      assert.ok(series.length > 0, `${name} is rendered`);
      for (const [label, operator, value] of matchers) {
        assert.match(operator, /^!?=$/, "regular expressions would need a test of their own");
        const values = series.map(({ matchers }) => matchers.find(([one]) => one === label)?.[2]);
        assert.ok(values.includes(value), `${selector}: ${label} can be "${value}"`);
      }
      const selected = series.filter(({ matchers: labels }) =>
        matchers.every(([label, operator, value]) =>
          labels.some(([one, , other]) => one === label && (other === value) === (operator === "=")),
        ),
      );
      assert.ok(selected.length > 0, `${selector} selects something`);
    }
  }
});

test("promtool accepts the rules, and the text of the counters with them", needsPrometheus, () => {
  const checked = promtool(["check", "rules", "--lint-fatal", RULES]);
  assert.equal(checked.status, 0, checked.output);
  assert.ok(checked.output.includes(`${rules.match(/- alert:/g)?.length} rules found`), checked.output);

  const metrics = createMetrics();
  metrics.onEvent({ type: "issued" });
  const text = promtool(["check", "metrics"], metrics.prometheus());
  assert.deepEqual(text, { status: 0, output: "" });
  assert.notEqual(promtool(["check", "metrics"], metrics.prometheus().replace("} 0", " 0")).status, 0);
});

/** Scrapes are 15 s apart. */
const PER_MINUTE = 4;
const MINUTES = 20;

type Values = number[];
const values = (at: (scrape: number) => number): Values =>
  Array.from({ length: MINUTES * PER_MINUTE }, (_, scrape) => at(scrape));

/** As many in every minute, as evenly as whole numbers can be. */
const steadily = (count: number): Values => values((scrape) => Math.floor((scrape * count) / PER_MINUTE));
/** That many within one minute, and nothing before or after. */
const burst = (count: number, fromMinute: number): Values =>
  values((scrape) =>
    Math.floor((count * Math.min(Math.max(scrape - fromMinute * PER_MINUTE, 0), PER_MINUTE)) / PER_MINUTE),
  );

const rejected = (code: string, step: string, status = 401): string =>
  `waxseal_rejected_total{code="${code}",step="${step}",status="${status}"}`;
const reuse = (kind: string): string => `waxseal_reuse_detected_total{kind="${kind}"}`;

const MALFORMED = rejected("ERR_TOKEN_MALFORMED", "segments");
const UNKNOWN_KEY = rejected("ERR_KEY_NOT_FOUND", "key");
const EXPIRED = rejected("ERR_TOKEN_EXPIRED", "policy");
const FORGED = rejected("ERR_SIGNATURE_INVALID", "signature");
const ANONYMOUS = rejected("ERR_CREDENTIALS_MISSING", "request");
const UNAVAILABLE = rejected("ERR_REVOCATION_UNAVAILABLE", "revocation", 503);
const SKIPPED = 'waxseal_accepted_total{source="cookie",revocation="unavailable"}';
const PENDING = "waxseal_revocations_pending_total";
const REVOKED = 'waxseal_revoked_total{kind="session"}';
const STALE = "waxseal_keys_stale_total";
const REPLACED = "waxseal_instances_replaced_total";

/** Something that happens at an instance: which one, the series and how it goes. */
type Load = [instance: string, series: string, values: Values];

interface Case {
  readonly name: string;
  /** What happens while all other counters stand still; or that there are no counters. */
  readonly load: Load[] | "none";
  /** Which alerts are firing, and no others, at each minute that is looked at. */
  readonly firing: Record<number, string[]>;
  /** Seconds between scrapes; 15 unless told. */
  readonly interval?: number;
}

/** The four limits: just at the limit nothing fires, one event more in a minute does. */
const limits: [alert: string, perMinute: number, series: string[]][] = [
  ["WaxsealVerificationFailures", 100, [MALFORMED, UNKNOWN_KEY]],
  ["WaxsealRefreshReuse", 10, [reuse("older"), reuse("previous")]],
  ["WaxsealExpiredTokens", 500, [EXPIRED, EXPIRED]],
  ["WaxsealInvalidSignatures", 50, [FORGED, FORGED]],
];

const cases: Case[] = [
  ...limits.flatMap(([alert, limit, [one = "", other = ""]]): Case[] => [
    {
      name: `${alert} is silent at ${limit} a minute, summed over instances`,
      load: [
        ["a", one, steadily(limit - 5)],
        ["b", other, steadily(5)],
      ],
      firing: { 5: [], 19: [] },
    },
    {
      name: `${alert} fires at ${limit + 1} a minute, summed over instances`,
      load: [
        ["a", one, steadily(limit - 5)],
        ["b", other, steadily(6)],
      ],
      firing: { 5: [alert], 19: [alert] },
    },
    {
      name: `${alert} fires for a burst of ${limit + 1} in one minute, and for five minutes after it`,
      load: [["a", one, burst(limit + 1, 4)]],
      firing: { 4: [], 5: [alert], 9: [alert], 12: [] },
    },
    {
      name: `${alert} adds up one job, and not two`,
      load: [
        ["a", one, steadily(limit)],
        ["other job", one, steadily(limit)],
      ],
      firing: { 5: [], 19: [] },
    },
    {
      name: `${alert} sees the first events of a process, and a restart that sets it back to 0`,
      load: [["a", one, values((scrape) => (scrape < 20 ? 0 : scrape < 24 ? limit + 1 : 0))]],
      firing: { 4: [], 6: [alert], 15: [] },
    },
  ]),
  {
    name: "expired tokens and visitors who are not signed in are no verification failures",
    load: [
      ["a", EXPIRED, steadily(500)],
      ["a", ANONYMOUS, steadily(100_000)],
      ["a", UNKNOWN_KEY, steadily(100)],
    ],
    firing: { 5: [], 19: [] },
  },
  {
    name: "invalid signatures over the limit of failures fire both alerts",
    load: [["a", FORGED, steadily(101)]],
    firing: { 5: ["WaxsealInvalidSignatures", "WaxsealVerificationFailures"] },
  },
  {
    name: "a store that fails for two minutes fires, a single failure does not",
    load: [["a", UNAVAILABLE, values((scrape) => (scrape < 20 ? 0 : scrape < 40 ? 1 : scrape))]],
    firing: { 6: [], 10: [], 11: [], 13: ["WaxsealUnavailable"], 19: ["WaxsealUnavailable"] },
  },
  {
    name: "tokens accepted without an answer of the store for two minutes fire",
    load: [["a", SKIPPED, steadily(1)]],
    firing: { 1: [], 5: ["WaxsealRevocationSkipped"] },
  },
  {
    name: "one session whose revocation entry was not written fires, a thousand written ones do not",
    load: [
      ["a", PENDING, burst(1, 9)],
      ["a", REVOKED, steadily(1000)],
    ],
    firing: { 5: [], 10: ["WaxsealRevocationPending"], 19: [] },
  },
  {
    name: "keys past their life fire after five minutes, and not when the next fetch succeeds",
    load: [["a", STALE, values((scrape) => (scrape < 8 ? scrape : scrape < 40 ? 8 : scrape))]],
    firing: { 5: [], 9: [], 14: [], 19: ["WaxsealKeySetStale"] },
  },
  {
    name: "one replaced instance fires",
    load: [["a", REPLACED, burst(1, 9)]],
    firing: { 5: [], 10: ["WaxsealInstanceReplaced"], 19: [] },
  },
  {
    name: "a quiet service fires nothing",
    load: [],
    firing: { 1: [], 6: [], 19: [] },
  },
  {
    name: "a scrape every 30 seconds sees a limit exceeded",
    load: [["a", FORGED, values((scrape) => scrape * 26)]],
    interval: 30,
    firing: { 6: ["WaxsealInvalidSignatures"], 19: ["WaxsealInvalidSignatures"] },
  },
  ...[45, 60].map((interval) => ({
    name: `a scrape every ${interval} seconds is too rare for the other rules, and is reported`,
    load: [],
    interval,
    firing: { 1: [], 19: ["WaxsealMetricsMissing"] },
  })),
  {
    name: "counters that are not there are reported",
    load: "none",
    firing: { 1: [], 6: ["WaxsealMetricsMissing"] },
  },
];

const SEVERITY = new Map(
  [...rules.matchAll(/- alert: (\w+)\n(?:.|\n)*?severity: (\w+)/g)].map(([, alert = "", severity = ""]) => [
    alert,
    severity,
  ]),
);

/** One of promtool's unit tests, which are YAML, and so JSON: every series that a process renders, from every instance. */
function unitTest({ load, firing, interval = 60 / PER_MINUTE }: Case): object {
  const loads = load === "none" ? [] : load;
  const instances = new Set(load === "none" ? [] : ["a", ...loads.map(([instance]) => instance)]);
  const input_series = [...instances].flatMap((instance) => {
    const job = instance === "other job" ? "other" : "api";
    return START.map((series) => {
      const [name, labels] = series.endsWith("}") ? [series.slice(0, -1), ","] : [series, "{"];
      const given = loads.find(([one, which]) => one === instance && which === series)?.[2] ?? values(() => 0);
      return { series: `${name}${labels}job="${job}",instance="${instance}"}`, values: given.join(" ") };
    });
  });
  const promql_expr_test = Object.entries(firing).map(([minute, alerts]) => ({
    expr: 'ALERTS{alertstate="firing"}',
    eval_time: `${minute}m`,
    exp_samples: alerts.map((alert) => {
      const job = load === "none" ? "" : ',job="api"';
      return {
        labels: `ALERTS{alertname="${alert}",alertstate="firing",severity="${SEVERITY.get(alert)}"${job}}`,
        value: 1,
      };
    }),
  }));
  return {
    rule_files: [RULES],
    evaluation_interval: "15s",
    tests: [{ interval: `${interval}s`, input_series, promql_expr_test }],
  };
}

const DIRECTORY = resolve("target/alerts");
mkdirSync(DIRECTORY, { recursive: true });

cases.forEach((one, index) =>
  test(one.name, needsPrometheus, () => {
    const file = `${DIRECTORY}/case${index}.json`;
    writeFileSync(file, JSON.stringify(unitTest(one)));
    const { status, output } = promtool(["test", "rules", file]);
    assert.equal(status, 0, output);
  }),
);
