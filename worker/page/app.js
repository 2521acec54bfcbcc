// @ts-check
// What the page shows. How it stays signed in is in client.js.

import { ask, events, forget, known, refresh, send, signIn, start } from "./client.js";

/** @typedef {{ subject: string, sessionId: string, expiresAt: number, source: string, revocation: string }} Me */
/** @typedef {{ sessionId: string, label?: string, createdAt: number, refreshedAt: number, current: boolean }} Listed */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** How many requests are shown. */
const MAX_LOG = 40;

const form = /** @type {HTMLFormElement} */ (byId("login"));
const password = /** @type {HTMLInputElement} */ (byId("password"));

/**
 * Makes an element.
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} content
 */
function element(tag, className, ...content) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content);
  return made;
}

events.addEventListener("answer", (event) => {
  const { title, ok, status, answer } = /** @type {CustomEvent} */ (event).detail;
  const entry = element(
    "li",
    "",
    element("span", "", title),
    element("span", `status ${ok ? "good" : "bad"}`, String(status)),
  );
  if (answer.error !== undefined) {
    entry.append(element("span", "detail", `${answer.error.code}: ${answer.error.message}`));
  }
  const log = byId("log");
  log.prepend(entry);
  if (log.childElementCount > MAX_LOG) log.lastElementChild?.remove();
});

events.addEventListener("signed-in", async () => {
  const signedInHere = form.contains(document.activeElement);
  await showSession();
  if (signedInHere) byId("signed-in-title").focus();
});

events.addEventListener("refreshed", showTimes);

events.addEventListener("signed-out", () => {
  byId("visible-hint").textContent = "Sign in and look again.";
  show(false);
});

/** Asks who is signed in, and where. */
async function showSession() {
  const [me, list] = await Promise.all([ask("GET", "/me"), ask("GET", "/sessions")]);
  const failed = [me, list].find(({ ok }) => !ok);
  if (failed !== undefined) return complain("failure", failed.answer.error.message);
  showMe(me.answer);
  byId("sessions").replaceChildren(...list.answer.sessions.map(sessionItem));
  show(true);
}

/** @param {Me} me */
function showMe(me) {
  byId("subject").textContent = me.subject;
  byId("session").textContent = me.sessionId;
  byId("source").textContent = me.source === "cookie" ? "a cookie, added by the browser" : me.source;
  byId("revocation").textContent = me.revocation === "clear" ? "none found" : me.revocation;
  byId("visible-hint").textContent =
    "You are signed in, and the script still sees neither cookie: they are HttpOnly. Whatever runs in this page cannot carry them away.";
}

/** @param {Listed} session */
function sessionItem({ sessionId, label = "Unnamed", createdAt, refreshedAt, current }) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "small", "End"));
  button.type = "button";
  button.setAttribute("aria-label", `End ${label}${current ? ", this session" : ""}`);
  button.addEventListener("click", () => {
    void during(button, "failure", async () => {
      const { ok, answer, status } = await ask("DELETE", `/sessions/${sessionId}`);
      if (answer.signedOut) forget();
      else if (ok || status === 404) await showSession();
      else complain("failure", answer.error.message);
    });
  });
  const name = element("span", "name", label);
  if (current) name.append(" ", element("span", "badge", "this one"));
  const times = `since ${date(createdAt)}` + (refreshedAt > createdAt ? `, refreshed ${date(refreshedAt)}` : "");
  return element("li", "", element("span", "", name, element("span", "quiet times", times)), button);
}

/** @param {number} seconds */
function date(seconds) {
  return new Date(seconds * 1000).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}

/** @param {number} seconds */
function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

/** @param {boolean} signedIn */
function show(signedIn) {
  for (const id of ["signed-in", "sessions-card"]) byId(id).hidden = !signedIn;
  byId("signed-out").hidden = signedIn;
  byId("problem").hidden = true;
  byId("failure").hidden = true;
  byId("visible").textContent = document.cookie === "" ? '""' : JSON.stringify(document.cookie);
  showTimes();
}

function showTimes() {
  const session = known();
  if (session === undefined) return;
  const now = Date.now() / 1000;
  byId("expires").textContent = `${clock(session.expiresAt)}, in ${duration(session.expiresAt - now)}`;
  byId("refreshes").textContent = `by itself, in ${duration(session.refreshAt / 1000 - now)}`;
}

/** @param {number} seconds */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Shows why something did not work.
 * @param {"problem" | "failure"} id
 * @param {string} message
 */
function complain(id, message) {
  byId(id).textContent = message;
  byId(id).hidden = false;
}

/**
 * Keeps a button from being pressed twice, and tells when the Worker cannot be reached.
 * @param {HTMLButtonElement} button
 * @param {"problem" | "failure"} place
 * @param {() => Promise<void>} action
 */
async function during(button, place, action) {
  button.disabled = true;
  try {
    await action();
  } catch {
    complain(place, "The Worker did not answer.");
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {string} id
 * @param {() => Promise<void>} action
 */
function onClick(id, action) {
  byId(id).addEventListener("click", (event) => {
    void during(/** @type {HTMLButtonElement} */ (event.currentTarget), "failure", action);
  });
}

/** @param {string} path */
async function signOut(path) {
  const { ok, status, answer } = await send("POST", path);
  if (!ok && status !== 401) return complain("failure", answer.error.message);
  forget();
  password.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  void during(button, "problem", async () => {
    const { ok, answer } = await signIn(Object.fromEntries(new FormData(form)));
    if (!ok) {
      complain("problem", answer.error.message);
      password.select();
      return;
    }
    form.reset();
  });
});

onClick("again", showSession);
onClick("refresh", async () => {
  const { ok, answer } = await refresh();
  if (ok) await showSession();
  else complain("failure", answer.error.message);
});
onClick("logout", () => signOut("/api/auth/logout"));
onClick("logout-everywhere", () => signOut("/api/auth/logout-everywhere"));

setInterval(showTimes, 1000);
start().then(
  ({ ok, status, answer }) => {
    if (ok || status === 401) return;
    show(false);
    complain("problem", answer.error.message);
  },
  () => {
    show(false);
    complain("problem", "The Worker did not answer.");
  },
);
