// The right-hand side of the token view: the verdict with its seal, the steps, header and claims.

import type { ExplainedStep } from "waxseal";
import { announce, byId, icon, make, setProse, setText } from "../dom.js";
import { showJson } from "../json-view.js";
import { setPeek } from "../peek.js";
import { duration } from "../time.js";
import { adviceFor } from "./advice.js";
import { type Expectations, type Report, STEPS } from "./check.js";

const OUTCOMES = { passed: "passed", failed: "failed", skipped: "skipped", "not-reached": "not reached" } as const;

interface Verdict {
  state: "idle" | "open" | "valid" | "refused";
  title: string;
  text: string;
  code?: string | undefined;
  /** What is said aloud: without what changes every second. */
  aloud: string;
}

/** A step on the page. Its nodes stay, so that a selection, the focus and the reading position survive every second. */
interface Row {
  item: HTMLLIElement;
  mark: HTMLElement;
  outcome: HTMLElement;
  message: HTMLElement;
  code: HTMLElement;
  advice: HTMLElement;
  shown: string;
}

const rows: readonly Row[] = STEPS.map(({ step, title }) => {
  const item = make("li", { class: "step", "data-step": step });
  const row: Row = {
    item,
    mark: make("span", { class: "step-mark" }),
    outcome: make("span", { class: "step-outcome" }),
    message: make("p"),
    code: make("code", { class: "code-name" }),
    advice: make("p", { class: "advice" }),
    shown: "",
  };
  const head = make("div", { class: "step-head" }, make("h3", {}, title), row.outcome);
  item.append(row.mark, head, make("div", { class: "step-body" }, row.message, row.code, row.advice));
  return row;
});

export function showReport(report: Report | undefined, expectations: Expectations, now: number): void {
  const list = byId("steps", HTMLOListElement);
  if (list.childElementCount === 0) list.append(...rows.map(({ item }) => item));
  for (const [index, row] of rows.entries()) {
    const about = STEPS[index];
    if (about !== undefined)
      showStep(
        row,
        about.about,
        report?.steps.find(({ step }) => step === about.step),
      );
  }
  showVerdict(report === undefined ? IDLE : verdict(report, expectations, now));
  showJson(byId("header-json", HTMLElement), report?.header);
  showJson(byId("claims-json", HTMLElement), report?.claims, now);
  const trust = signatureVerified(report) ? "signature verified" : "not verified";
  setText(byId("claims-trust", HTMLElement), report?.claims === undefined ? "" : trust);
}

function showStep(row: Row, about: string, report: ExplainedStep | undefined): void {
  setProse(row.message, report?.message || about);
  const outcome = report?.outcome ?? "not-reached";
  const key = `${report === undefined ? "waiting" : outcome} ${report?.code ?? ""}`;
  if (row.shown === key) return;
  row.shown = key;
  row.item.dataset.outcome = report === undefined ? "waiting" : outcome;
  row.mark.replaceChildren(icon(outcome));
  row.outcome.textContent = report === undefined ? "" : OUTCOMES[outcome];
  row.code.textContent = report?.code ?? "";
  const advice = adviceFor(report?.code);
  row.advice.replaceChildren(...(advice === undefined ? [] : [advice.text]));
  if (advice?.field !== undefined) row.advice.append(" ", fieldButton(advice.field));
}

function signatureVerified(report: Report | undefined): boolean {
  return report?.steps.some(({ step, outcome }) => step === "signature" && outcome === "passed") ?? false;
}

function fieldButton(field: string): HTMLButtonElement {
  const button = make("button", { type: "button", class: "link" }, "Go to the field");
  button.addEventListener("click", () => {
    const target = byId(field, HTMLElement);
    target.closest("details")?.setAttribute("open", "");
    target.focus();
  });
  return button;
}

const IDLE: Verdict = {
  state: "idle",
  title: "Nothing to check yet",
  text: "Paste a token, or make an example.",
  aloud: "",
};

function verdict(report: Report, expectations: Expectations, now: number): Verdict {
  const { problem } = report;
  if (problem?.field === "settings") return open("Not checked", problem.message, problem.code);
  const [first, ...others] = report.steps.filter(({ outcome }) => outcome === "failed");
  if (first !== undefined) return refused(first, others.length);
  if (problem !== undefined) return open("The key cannot be used", problem.message, problem.code);
  if (signatureVerified(report)) {
    const found = "Signature, claims and policy are in order.";
    return {
      state: "valid",
      title: "The seal is whole",
      text: `${found} ${remarks(report, expectations, now)}`,
      aloud: found,
    };
  }
  return open(
    "The signature is not checked yet",
    "Add the key it should be signed with. Until then its claims are only claims.",
  );
}

function open(title: string, text: string, code?: string): Verdict {
  return { state: "open", title, text, code, aloud: text };
}

function refused(first: ExplainedStep, others: number): Verdict {
  const step = STEPS.find((one) => one.step === first.step)?.title.toLowerCase() ?? first.step;
  const aloud = `Refused at the step “${step}”.`;
  const more = others === 0 ? "" : ` ${others === 1 ? "Another step fails" : "Other steps fail"} as well.`;
  const title = adviceFor(first.code)?.title ?? "Refused";
  return { state: "refused", title, text: `${aloud} ${first.message}${more}`, code: first.code, aloud };
}

/** What is good to know about a token that passed: how long it lasts, and what nobody looked at. */
function remarks(report: Report, expectations: Expectations, now: number): string {
  const exp = report.claims?.exp;
  const life = typeof exp === "number" && exp > now ? `It expires in ${duration(exp - now)}.` : "";
  const open = [
    ...(expectations.issuer === null ? ["issuer"] : []),
    ...(expectations.audience === null ? ["audience"] : []),
  ];
  const unchecked = open.length === 0 ? "" : `Not checked: ${open.join(" and ")}.`;
  return [life, unchecked].filter((sentence) => sentence !== "").join(" ");
}

function showVerdict({ state, title, text, code, aloud }: Verdict): void {
  const card = byId("verdict", HTMLElement);
  if (card.dataset.state !== state) card.dataset.state = state;
  setText(byId("verdict-title", HTMLElement), title);
  setProse(byId("verdict-text", HTMLElement), text);
  setText(byId("verdict-code", HTMLElement), code ?? "");
  const tone = { idle: "open", open: "open", valid: "good", refused: "bad" } as const;
  setPeek(card, state === "idle" ? undefined : { text: title, state: tone[state] });
  announce(state === "idle" ? "" : `${title}. ${aloud}`);
}
