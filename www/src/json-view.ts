// JSON as a developer wants to read it: indented, coloured, and with NumericDates explained beside their number.

import { make } from "./dom.js";
import { describe } from "./time.js";

const NUMERIC_DATES = new Set(["exp", "nbf", "iat", "auth_time", "updated_at"]);

/** Shows an object in a `pre`; the plain text goes to `data-raw`, which is what the copy button takes. */
export function showJson(place: HTMLElement, value: Record<string, unknown> | undefined, now?: number): void {
  const raw = value === undefined ? "" : JSON.stringify(value, null, 2);
  if (place.dataset.raw !== raw) {
    place.dataset.raw = raw;
    place.replaceChildren(...(value === undefined ? [] : render(value, now !== undefined)));
    const copy = document.querySelector<HTMLButtonElement>(`button[data-copy="${place.id}"]`);
    if (copy) copy.hidden = value === undefined;
  }
  if (now !== undefined) refreshDates(place, now);
}

/** Brings "expired 12 minutes ago" up to date without touching anything else, so that a selection survives. */
function refreshDates(place: HTMLElement, now: number): void {
  for (const note of place.querySelectorAll<HTMLElement>("[data-seconds]")) {
    const text = describe(note.dataset.member ?? "", Number(note.dataset.seconds), now);
    if (note.textContent !== text) note.textContent = text;
  }
}

/** A line of the text: how deep it is indented, and what stands in it. */
interface Line {
  depth: number;
  nodes: Node[];
}

/** Lines are blocks of their own, so that a long value wraps under itself and not under the margin. */
function render(value: unknown, dates: boolean): Node[] {
  return linesOf(value, 0, [], [], dates).map(({ depth, nodes }) => {
    const line = make("span", { class: "j-line" }, ...nodes);
    line.style.setProperty("--depth", String(depth));
    return line;
  });
}

/** The lines of a value: `before` stands ahead of it on its first line, `after` behind it on its last. */
function linesOf(value: unknown, depth: number, before: Node[], after: Node[], dates: boolean): Line[] {
  if (typeof value !== "object" || value === null) {
    const kind = typeof value === "string" ? "j-string" : "j-other";
    return [{ depth, nodes: [...before, make("span", { class: kind }, JSON.stringify(value)), ...after] }];
  }
  const array = Array.isArray(value);
  const members: [name: string, member: unknown][] = Object.entries(value);
  const [open, close] = array ? "[]" : "{}";
  if (members.length === 0) return [{ depth, nodes: [...before, text(`${open}${close}`), ...after] }];
  const inner = members.flatMap(([name, member], index) => {
    const label = array ? [] : [make("span", { class: "j-name" }, JSON.stringify(name)), text(": ")];
    const comma = index < members.length - 1 ? [text(",")] : [];
    return linesOf(member, depth + 1, label, [...comma, ...(dates ? dateNote(name, member) : [])], false);
  });
  return [{ depth, nodes: [...before, text(`${open}`)] }, ...inner, { depth, nodes: [text(`${close}`), ...after] }];
}

function dateNote(name: string, value: unknown): Node[] {
  if (typeof value !== "number" || !NUMERIC_DATES.has(name)) return [];
  return [text(" "), make("span", { class: "j-date", "data-member": name, "data-seconds": String(value) })];
}

function text(content: string): Text {
  return document.createTextNode(content);
}
