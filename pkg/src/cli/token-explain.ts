/** `waxseal token explain`. */
import { type ExplainedStep, explain, generateKeyPair } from "../entry/inline.js";
import { adviceFor, type Facts } from "./advice.js";
import type { Command } from "./command.js";
import { print } from "./files.js";
import { readVerifyingKeys, type Unusable } from "./key-files.js";
import { compact, dateOf, durationOf, printable, type Style, wrapped } from "./text.js";
import { POLICY, policy, readToken, TOKEN, VISIBLE } from "./token-input.js";

export const explainToken: Command = {
  name: "token explain",
  summary: "Walks through every step of verification, and says what to do about those that fail",
  notes: [
    "Exit code 0 means that every step passed, the signature among them. Give what you know: what is not given is not checked.",
    VISIBLE,
  ],
  takes: TOKEN,
  count: [1, 1],
  options: POLICY,
  examples: [
    "waxseal token explain token.jwt --jwks jwks.json --issuer https://id.example --audience https://api.example",
    "waxseal token explain - --jwks https://id.example/.well-known/jwks.json < token.jwt",
    "waxseal token explain token.jwt --jwks jwks.json --at 2026-11-22T10:00:00Z",
  ],
  async run(call) {
    const sources = call.texts("jwks");
    const token = await readToken(call);
    const given = sources.length === 0 ? undefined : await readVerifyingKeys(sources);
    const time = call.time("at");
    const now = time ?? Math.floor(Date.now() / 1000);
    const [issuer, audience] = [call.text("issuer"), call.texts("audience")];
    // The library explains no token without a key: it is given one, and what it says of it is replaced.
    const keys = given?.sources ?? (await generateKeyPair("ES256")).publicKey;
    const explained = await explain(token, { ...policy(call), keys, now });
    const { header = {}, claims = {} } = explained;
    const steps = given === undefined ? withoutKeys(explained.steps) : explained.steps;
    const isNow = time === undefined;
    const facts: Facts = { token, header, claims, keys: given?.usable, issuer, audience, now, isNow };
    const advised: Advised[] = [];
    for (const step of steps) {
      advised.push({ ...step, advice: step.outcome === "failed" ? await adviceFor(step, facts) : [] });
    }
    const accepted = steps.every(({ step, outcome }) => outcome === "passed" || step === "revocation");
    const { usable = [], unusable = [] } = given ?? {};
    if (call.flag("json")) {
      const listed = usable.map(({ kid, alg }) => ({ kid, alg }));
      const keysShown = given === undefined ? null : { usable: listed, unusable };
      print(compact({ accepted, now, header, claims, keys: keysShown, steps: advised }));
    } else {
      print(rendered(advised, facts, unusable, accepted, call.style));
    }
    return accepted ? 0 : 1;
  },
};

type Advised = ExplainedStep & { advice: string[] };

/** The steps, of which those that need a key were skipped if they were reached. */
function withoutKeys(steps: readonly ExplainedStep[]): ExplainedStep[] {
  const said: Record<string, string> = {
    key: "No keys were given: --jwks <file|url>.",
    signature: "Not checked without keys.",
  };
  const isReached = steps.some(({ step, outcome }) => step === "key" && outcome !== "not-reached");
  return steps.map((given) => {
    const message = said[given.step];
    return isReached && message !== undefined ? { step: given.step, outcome: "skipped", message } : given;
  });
}

const MARKS = { passed: "✓", failed: "✗", skipped: "–", "not-reached": "·" } as const;

/** More members than this are not shown. */
const MOST_MEMBERS = 20;

function rendered(
  steps: readonly Advised[],
  facts: Facts,
  unusable: readonly Unusable[],
  accepted: boolean,
  style: Style,
): string {
  const { dim, red, green, yellow, width } = style;
  const paint = { passed: green, failed: red, skipped: dim, "not-reached": dim };
  const lines = [
    ...members("header", facts.header, facts.now, style),
    ...members("claims", facts.claims, facts.now, style),
  ];
  if (lines.length > 0) lines.push(`        ${dim("This is what the token says of itself.")}`, "");
  for (const { step, outcome, code, message, advice } of steps) {
    const text = wrapped(printable(message), 14, width);
    const isPlain = outcome === "passed" || outcome === "failed";
    lines.push(`${paint[outcome](MARKS[outcome])} ${step.padEnd(12)}${isPlain ? text : dim(text)}`);
    if (code !== undefined) lines.push(`              ${red(code)}`);
    for (const sentence of advice) {
      lines.push(`              ${yellow("→")} ${wrapped(printable(sentence), 16, width)}`);
    }
  }
  for (const { kid, code, message } of unusable) {
    const name = kid === undefined ? "a key without kid" : `the key “${printable(kid)}”`;
    lines.push(dim(wrapped(`  Of the set, ${name} cannot be used: ${printable(message)} (${code})`, 2, width)));
  }
  return [...lines, "", verdict(steps, facts, accepted, style)].join("\n");
}

function verdict(steps: readonly Advised[], facts: Facts, accepted: boolean, style: Style): string {
  const { bold, red, green, yellow } = style;
  const failed = steps.find(({ outcome }) => outcome === "failed");
  const when = facts.isNow ? "now" : `at ${dateOf(facts.now)}`;
  if (failed !== undefined) return `${red(bold("Refused"))} ${when}: ${failed.code}`;
  if (!accepted) return `${yellow(bold("Undecided"))}: without keys nobody knows who wrote it. Give --jwks.`;
  const unchecked = [facts.issuer === undefined && "--issuer", facts.audience.length === 0 && "--audience"];
  const missing = unchecked.filter((name) => name !== false).join(" and ");
  return `${green(bold("Accepted"))} ${when}${missing === "" ? "." : `, but not checked for lack of ${missing}.`}`;
}

/** The members of the header or of the claims set, one on a line. */
function members(title: string, part: Readonly<Record<string, unknown>>, now: number, { bold, dim }: Style): string[] {
  const entries = Object.entries(part);
  const names = entries.slice(0, MOST_MEMBERS).map(([name]) => cut(printable(name), 20));
  const column = Math.max(0, ...names.map((name) => name.length));
  const lines = entries.slice(0, MOST_MEMBERS).map(([name, value], at) => {
    const label = at === 0 ? bold(title) : " ".repeat(title.length);
    return `${label}  ${dim((names[at] as string).padEnd(column))}  ${brief(name, value, now)}`;
  });
  if (entries.length > MOST_MEMBERS) lines.push(`        ${dim(`and ${entries.length - MOST_MEMBERS} more`)}`);
  return lines;
}

/** A value, short; times as dates. */
function brief(name: string, value: unknown, now: number): string {
  if (typeof value === "number" && ["exp", "iat", "nbf", "auth_time"].includes(name) && value < 1e11) {
    const apart = durationOf(value - now);
    return `${dateOf(value)}, ${value > now ? `in ${apart}` : `${apart} ago`}`;
  }
  return cut(printable(JSON.stringify(value)), 60);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
