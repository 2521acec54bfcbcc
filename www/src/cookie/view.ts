// The cookie view: the form's values as options of `serializeSetCookie`, and what the library says of them.

import { type CookieReport, checkCookie, type SetCookieOptions, WaxsealError } from "waxseal";
import { announce, byId, icon, make, setProse, setText } from "../dom.js";
import { setPeek } from "../peek.js";
import { duration, fromField } from "../time.js";
import { type CookieForm, PRESETS } from "./presets.js";

/** What browsers store of a name and a value together. */
const LIMIT = 4096;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
type Complaint = CookieReport["complaints"][number];

type SameSite = "Strict" | "Lax" | "None";
type Priority = "Low" | "Medium" | "High";

const controls = new Map<string, Control>();

export function startCookieView(): void {
  const form = byId("cookie-form", HTMLFormElement);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  for (const control of form.querySelectorAll<Control>("[data-attribute]")) {
    controls.set(control.dataset.attribute ?? "", control);
  }
  for (const button of form.querySelectorAll<HTMLButtonElement>("button[data-preset]")) {
    const preset = PRESETS[button.dataset.preset ?? ""];
    if (preset !== undefined) button.addEventListener("click", () => fill(preset));
  }
  if (PRESETS.session !== undefined) fill(PRESETS.session);
}

function fill(preset: CookieForm): void {
  for (const [name, control] of controls) {
    const value = preset[name];
    if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value === true;
    else control.value = typeof value === "string" ? value : "";
  }
  update();
}

const text = (name: string): string => controls.get(name)?.value ?? "";
const ticked = (name: string): boolean => (controls.get(name) as HTMLInputElement | undefined)?.checked ?? false;

/** The form as options. What is left out of the header is `null` or `false`, because leaving out an option means its default. */
function readOptions(): SetCookieOptions {
  const expires = fromField(text("expires"));
  return {
    name: text("name"),
    value: text("value"),
    path: text("path") === "" ? null : text("path"),
    ...(text("domain") === "" ? {} : { domain: text("domain") }),
    sameSite: text("sameSite") === "" ? null : (text("sameSite") as SameSite),
    httpOnly: ticked("httpOnly"),
    secure: ticked("secure"),
    partitioned: ticked("partitioned"),
    ...(text("maxAge") === "" ? {} : { maxAge: Number(text("maxAge")) }),
    ...(expires === undefined ? {} : { expires }),
    ...(text("priority") === "" ? {} : { priority: text("priority") as Priority }),
  };
}

function update(): void {
  const options = readOptions();
  setText(byId("c-maxage-text", HTMLElement), lifetime());
  setText(byId("c-code", HTMLElement), snippet(options));
  const { header, size, complaints } = checked(options);
  showHeader(header);
  showSize(size);
  showComplaints(complaints);
}

/** What the library says; an option that is out of its type's range is a complaint like any other here. */
function checked(options: SetCookieOptions): CookieReport {
  try {
    return checkCookie(options);
  } catch (error) {
    if (!(error instanceof WaxsealError)) throw error;
    const { name, value } = options;
    // The message begins with the option's name.
    const attribute = /^`?(\w+)/.exec(error.message)?.[1] ?? "";
    return {
      size: checkCookie({ name, value }).size,
      complaints: [{ code: error.code, message: error.message, attribute }],
    };
  }
}

function lifetime(): string {
  if (text("maxAge") === "") return text("expires") === "" ? "until the browser closes" : "Expires decides";
  const seconds = Number(text("maxAge"));
  return seconds > 0 ? duration(seconds) : "removes the cookie";
}

function showHeader(header: string | undefined): void {
  const place = byId("c-header", HTMLElement);
  setText(byId("c-state", HTMLElement), header === undefined ? "cannot be sent" : "");
  place.classList.toggle("absent", header === undefined);
  place.dataset.raw = header ?? "";
  byId("c-copy", HTMLButtonElement).hidden = header === undefined;
  if (header === undefined) {
    place.textContent = "No header: a browser would drop this cookie or misread it.";
    return;
  }
  const [pair = "", ...attributes] = header.split("; ");
  const equals = pair.indexOf("=");
  place.replaceChildren(
    make("span", { class: "seg-0" }, pair.slice(0, equals)),
    "=",
    make("span", { class: "seg-1" }, pair.slice(equals + 1)),
    ...attributes.flatMap((attribute) => ["; ", make("span", { class: "attribute" }, attribute)]),
  );
}

function showSize(size: number): void {
  setText(byId("c-size", HTMLElement), String(size));
  byId("c-bar", SVGRectElement).setAttribute("width", String(Math.min(size, LIMIT)));
  const gauge = byId("c-gauge", HTMLElement);
  gauge.setAttribute("aria-valuenow", String(Math.min(size, LIMIT)));
  gauge.setAttribute("aria-valuetext", `${size} of ${LIMIT} bytes`);
  gauge.dataset.level = size > LIMIT ? "over" : size > LIMIT * 0.75 ? "high" : "low";
}

function showComplaints(complaints: Complaint[]): void {
  const list = byId("c-complaints", HTMLUListElement);
  const count =
    complaints.length === 0
      ? "No complaints"
      : `${complaints.length} ${complaints.length === 1 ? "complaint" : "complaints"}`;
  setPeek(byId("cookie-result", HTMLElement), { text: count, state: complaints.length === 0 ? "good" : "bad" });
  for (const control of controls.values()) control.removeAttribute("aria-invalid");
  for (const { attribute } of complaints) controlFor(attribute)?.setAttribute("aria-invalid", "true");
  if (complaints.length === 0) {
    list.replaceChildren(
      make("li", { class: "none" }, icon("passed"), "None. This header breaks no rule of RFC 6265bis."),
    );
    announce(count);
    return;
  }
  list.replaceChildren(...complaints.map(complaintItem));
  announce(`${count}: ${complaints.map(({ message }) => message).join(". ")}`);
}

function complaintItem({ attribute, code, message }: Complaint): HTMLLIElement {
  const control = controlFor(attribute);
  const item = make("li", {}, icon("failed"));
  const body = make("div");
  if (control !== undefined) {
    const go = make("button", { type: "button", class: "link" }, labelOf(control));
    go.addEventListener("click", () => control.focus());
    body.append(go);
  } else if (attribute !== undefined) {
    body.append(make("b", {}, attribute));
  }
  const text = make("p");
  setProse(text, message);
  body.append(text, make("code", { class: "code-name" }, code));
  item.append(body);
  return item;
}

/** The field that a complaint is about; attributes are compared without case and hyphens, so `Max-Age` is `maxAge`. */
function controlFor(attribute: string | undefined): Control | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll("-", "");
  const wanted = plain(attribute ?? "");
  return [...controls].find(([name]) => plain(name) === wanted)?.[1];
}

function labelOf(control: Control): string {
  return control.labels?.[0]?.textContent?.trim() ?? control.id;
}

/** The call that makes this header, without what is the default anyway. */
function snippet(options: SetCookieOptions): string {
  const defaults: Record<string, unknown> = {
    path: "/",
    sameSite: "Lax",
    httpOnly: true,
    secure: true,
    partitioned: false,
  };
  const lines = Object.entries(options)
    .filter(([name, value]) => !Object.hasOwn(defaults, name) || defaults[name] !== value)
    .map(([name, value]) =>
      `  ${name}: ${name === "value" ? "value" : JSON.stringify(value)},`.replace("value: value", "value"),
    );
  return `import { serializeSetCookie } from "waxseal";\n\nserializeSetCookie({\n${lines.join("\n")}\n});`;
}
