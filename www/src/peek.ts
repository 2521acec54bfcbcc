// On narrow screens the result lies below the form. While it is out of sight, a bar at the foot of the page shows one line
// of it and leads there.

import { byId, setText } from "./dom.js";

export interface Peek {
  text: string;
  state: "good" | "bad" | "open";
}

const ICONS = { good: "#i-passed", bad: "#i-failed", open: "#i-skipped" } as const;

const lines = new Map<Element, Peek>();
let inSight: Element | undefined;

/** Watches the result of each view. A hidden view's result is neither in sight nor shown. */
export function startPeek(results: readonly string[]): void {
  const bar = byId("peek", HTMLButtonElement);
  const places = results.map((id) => byId(id, HTMLElement));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight = target;
      else if (inSight === target) inSight = undefined;
    }
    showPeek();
  });
  for (const place of places) observer.observe(place);
  bar.addEventListener("click", () => {
    const place = shownPlace();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place?.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
    if (place instanceof HTMLElement) place.focus({ preventScroll: true });
  });
}

/** Sets the line for a view's result. */
export function setPeek(place: Element, line: Peek | undefined): void {
  if (line === undefined) lines.delete(place);
  else lines.set(place, line);
  showPeek();
}

/** The result of the view that is on show. */
function shownPlace(): Element | undefined {
  return [...lines.keys()].find((place) => place.closest("[hidden]") === null);
}

/** Also to be called when another view comes on show. */
export function showPeek(): void {
  const bar = byId("peek", HTMLButtonElement);
  const place = shownPlace();
  const line = place === undefined ? undefined : lines.get(place);
  bar.hidden = line === undefined || place === inSight;
  if (line === undefined) return;
  bar.dataset.state = line.state;
  setText(bar.getElementsByTagName("span")[0] ?? bar, line.text);
  bar.getElementsByTagName("use")[0]?.setAttribute("href", ICONS[line.state]);
}
