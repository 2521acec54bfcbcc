// Starts the page: loads the library, prepares the three views, and shows the one that the address names.

import { init } from "waxseal";
import { startCookieView } from "./cookie/view.js";
import { alarm, byId, messageOf, wireCopyButtons } from "./dom.js";
import { startKeysView } from "./keys/view.js";
import { showPeek, startPeek } from "./peek.js";
import { setKey, startTokenView } from "./token/view.js";

const TITLES: Readonly<Record<string, string>> = {
  token: "Waxseal: check a token",
  cookie: "Waxseal: build a cookie",
  keys: "Waxseal: make keys",
};

// Whatever goes wrong is said above the page; the page itself, and what was typed into it, stays.
addEventListener("error", (event) => alarm(`Something went wrong in this page: ${event.message}`));
addEventListener("unhandledrejection", (event) =>
  alarm(`Something went wrong in this page: ${messageOf(event.reason)}`),
);

function route(moveFocus: boolean): void {
  const asked = location.hash.slice(1);
  const name = Object.hasOwn(TITLES, asked) ? asked : "token";
  for (const view of Object.keys(TITLES)) byId(`view-${view}`, HTMLElement).hidden = view !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  showPeek();
  document.title = TITLES[name] ?? "Waxseal";
  if (moveFocus) {
    scrollTo(0, 0);
    byId(`${name}-title`, HTMLElement).focus({ preventScroll: true });
  }
}

addEventListener("hashchange", () => route(true));
route(false);
wireCopyButtons();
startPeek(["verdict", "cookie-result", "keys-results"]);
// A plain link to #main would be taken for the name of a view.
byId("skip", HTMLAnchorElement).addEventListener("click", (event) => {
  event.preventDefault();
  byId("main", HTMLElement).focus();
});

try {
  await init();
  startTokenView();
  startCookieView();
  startKeysView(setKey);
  document.documentElement.dataset.ready = "true";
} catch (error) {
  alarm(`Waxseal could not be loaded, so nothing can be checked here: ${messageOf(error)}`);
}
