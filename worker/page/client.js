// @ts-check
// Keeps the page signed in, in any number of tabs. No token passes through here: the browser adds the cookies by itself.
// What the tabs share is when to refresh next. They need not agree on who does it: all that refresh at once get the same
// new token.

/** @typedef {{ sessionId: string, expiresAt: number, refreshAfter: number }} SignedIn */
/** @typedef {{ sessionId: string, expiresAt: number, refreshAt: number }} Known  Seconds since 1970, and milliseconds. */
/** @typedef {{ ok: boolean, status: number, answer: any }} Outcome */

const KEY = "session";
/** Seconds to wait before what failed is tried again, where the answer does not say. */
const RETRY = 5;

/** Tells of each `answer`, and that somebody was `signed-in`, `refreshed` or `signed-out`, in this tab or in another. */
export const events = new EventTarget();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Promise<Outcome> | undefined} */
let refreshing;

/** What is known of the session; undefined when nobody is signed in. @returns {Known | undefined} */
export function known() {
  const text = localStorage.getItem(KEY);
  return text === null ? undefined : JSON.parse(text);
}

/**
 * Sends a request. A store that fails answers 503, after which the same request may be tried again; once it is.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<Outcome>}
 */
export async function send(method, path, body) {
  const first = await sendOnce(method, path, body);
  if (first.status !== 503) return first;
  await new Promise((resolve) => setTimeout(resolve, 1000 * first.retryAfter));
  return sendOnce(method, path, body);
}

/**
 * As `send`, for what only a user may do: an access token that has expired is refreshed first.
 * @param {string} method
 * @param {string} path
 * @returns {Promise<Outcome>}
 */
export async function ask(method, path) {
  const outcome = await send(method, path);
  if (outcome.status !== 401) return outcome;
  if (outcome.answer.error.code !== "ERR_TOKEN_EXPIRED") {
    forget();
    return outcome;
  }
  const refreshed = await refresh();
  return refreshed.ok ? send(method, path) : refreshed;
}

/**
 * Signs in.
 * @param {unknown} credentials
 */
export async function signIn(credentials) {
  const outcome = await send("POST", "/api/auth/login", credentials);
  if (outcome.ok) keep(outcome.answer, "signed-in");
  return outcome;
}

/** Refreshes now. @returns {Promise<Outcome>} */
export function refresh() {
  refreshing ??= refreshOnce().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

/** To be called when the session was ended. */
export function forget() {
  localStorage.removeItem(KEY);
  changed("signed-out");
}

/** Finds out whether somebody is signed in; from then on a tab that was opened later, or reloaded, is as the others. */
export async function start() {
  const me = await ask("GET", "/me");
  if (!me.ok) return me;
  const { sessionId, expiresAt } = me.answer;
  if (known()?.sessionId === sessionId) {
    changed("signed-in");
  } else {
    // The hint of the Worker's is lost; any time before the end will do.
    keep({ sessionId, expiresAt, refreshAfter: 0.8 * Math.max(0, expiresAt - Date.now() / 1000) }, "signed-in");
  }
  return me;
}

async function refreshOnce() {
  const outcome = await send("POST", "/api/auth/refresh");
  if (outcome.ok) {
    keep(outcome.answer, "refreshed");
  } else if (outcome.status === 401) {
    // If another tab has signed in meanwhile, there are new cookies, and only the old ones were refused.
    const me = await send("GET", "/me?strong");
    if (me.ok) return me;
    forget();
  }
  return outcome;
}

async function refreshInTime() {
  const { ok, status } = await refresh().catch(() => ({ ok: false, status: 0 }));
  // The Worker was not reached, or its store was not: the cookies are as they were.
  if (!ok && status !== 401) timer = setTimeout(refreshInTime, 1000 * RETRY);
}

/**
 * @param {SignedIn} session
 * @param {"signed-in" | "refreshed"} type
 */
function keep({ sessionId, expiresAt, refreshAfter }, type) {
  localStorage.setItem(KEY, JSON.stringify({ sessionId, expiresAt, refreshAt: Date.now() + 1000 * refreshAfter }));
  changed(type);
}

/** @param {"signed-in" | "refreshed" | "signed-out"} type */
function changed(type) {
  clearTimeout(timer);
  const session = known();
  if (session !== undefined) timer = setTimeout(refreshInTime, Math.max(0, session.refreshAt - Date.now()));
  events.dispatchEvent(new Event(type));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 */
async function sendOnce(method, path, body) {
  /** @type {RequestInit} */
  const init = { method, cache: "no-store" };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  const { ok, status } = response;
  const answer = await response.json();
  events.dispatchEvent(new CustomEvent("answer", { detail: { title: `${method} ${path}`, ok, status, answer } }));
  return { ok, status, answer, retryAfter: Number(response.headers.get("Retry-After") ?? RETRY) };
}

// Other tabs of this origin tell of themselves by changing what is known.
addEventListener("storage", ({ key, oldValue, newValue }) => {
  if (key !== KEY) return;
  if (newValue === null) return changed("signed-out");
  const before = oldValue === null ? undefined : JSON.parse(oldValue).sessionId;
  changed(before === JSON.parse(newValue).sessionId ? "refreshed" : "signed-in");
});
