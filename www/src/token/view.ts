// The token view: reads the form, asks for a report, shows it; again whenever something changes or a second passes.

import { alarm, byId, messageOf, setProse } from "../dom.js";
import { fromField, toField } from "../time.js";
import { check, type Expectations } from "./check.js";
import { tokenEditor } from "./editor.js";
import { EXAMPLES, type ExampleName, makeExample } from "./examples.js";
import { acceptKeyFiles } from "./key-file.js";
import { parseKey } from "./key-text.js";
import { showReport } from "./report-view.js";

const field = (id: string): HTMLInputElement => byId(id, HTMLInputElement);

const editor = tokenEditor(
  byId("token-text", HTMLTextAreaElement),
  byId("token-colour", HTMLElement),
  byId("token-editor", HTMLElement),
);
const keyText = byId("key-text", HTMLTextAreaElement);

/** Prepares the view; what was typed before the library had loaded is checked at once. */
export function startTokenView(): void {
  const form = byId("token-form", HTMLFormElement);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => void update());
  expectationToggles();
  acceptKeyFiles(setKey, (message) => note("key-note", message, true));
  exampleButtons();
  byId("token-clear", HTMLButtonElement).addEventListener("click", clear);
  setInterval(() => {
    if (field("now-live").checked && !document.hidden) void update();
  }, 1000);
  void update();
}

/** Puts a key into the field, say one that another view has made. */
export function setKey(text: string): void {
  keyText.value = text;
  void update();
}

let latest = 0;
async function update(): Promise<void> {
  const now = currentTime();
  const token = editor.token();
  const key = parseKey(keyText.value);
  const expectations = readExpectations();
  const mine = ++latest;
  note("token-note", editor.leftOut());
  const report = token === "" ? undefined : await check(token, key, expectations, now);
  // A slower answer to an older question must not replace a newer one.
  if (mine !== latest) return;
  showReport(report, expectations, now);
  const problem = report?.problem;
  if (problem?.field === "key") note("key-note", problem.message, true);
  else if (key.state === "unreadable") note("key-note", key.message, true);
  else note("key-note", key.state === "read" ? key.summary : "");
  note("settings-note", problem?.field === "settings" ? problem.message : "", true);
}

/** The time to check at: the clock's, shown in the field each second, or the one that was set. */
function currentTime(): number {
  const clock = Math.floor(Date.now() / 1000);
  if (!field("now-live").checked) return fromField(field("now").value) ?? clock;
  const value = toField(clock);
  if (field("now").value !== value) field("now").value = value;
  return clock;
}

function readExpectations(): Expectations {
  const typ = field("typ").value.trim();
  const subject = field("subject").value;
  const required = words(field("required").value);
  const maxAge = field("max-age").value;
  return {
    issuer: field("issuer-off").checked ? null : words(field("issuer").value),
    audience: field("audience-off").checked ? null : words(field("audience").value),
    clockTolerance: Number(field("tolerance").value),
    ...(typ === "" ? {} : { typ }),
    ...(subject === "" ? {} : { subject }),
    ...(maxAge === "" ? {} : { maxTokenAge: Number(maxAge) }),
    ...(required.length === 0 ? {} : { requiredClaims: required }),
  };
}

/** Several values may be given, with commas or spaces between them. */
function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** Typing an issuer or an audience means that it is to be checked, emptying the field that it is not. */
function expectationToggles(): void {
  for (const name of ["issuer", "audience"]) {
    field(name).addEventListener("input", () => {
      field(`${name}-off`).checked = field(name).value.trim() === "";
    });
  }
  field("now").addEventListener("input", () => {
    field("now-live").checked = false;
  });
}

function exampleButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-example]")) {
    const name = EXAMPLES.find((one) => one === button.dataset.example);
    if (name === undefined) continue;
    button.addEventListener("click", () => {
      example(name).catch((error: unknown) => alarm(`The example could not be made: ${messageOf(error)}`));
    });
  }
}

async function example(name: ExampleName): Promise<void> {
  field("now-live").checked = true;
  const made = await makeExample(name, currentTime());
  alarm("");
  expect("issuer", made.issuer);
  expect("audience", made.audience);
  field("tolerance").value = "0";
  for (const id of ["typ", "subject", "max-age", "required"]) field(id).value = "";
  editor.set(made.token);
  setKey(made.key);
}

function expect(name: "issuer" | "audience", value: string): void {
  field(name).value = value;
  field(`${name}-off`).checked = value === "";
}

function clear(): void {
  byId("token-form", HTMLFormElement).reset();
  editor.set("");
  setKey("");
  byId("token-text", HTMLTextAreaElement).focus();
}

function note(id: string, text: string, wrong = false): void {
  const place = byId(id, HTMLElement);
  setProse(place, text);
  place.classList.toggle("wrong", wrong && text !== "");
}
