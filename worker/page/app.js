// @ts-check
// The page never holds a token: it asks /me who is signed in, and the browser adds the cookie by itself.

/** @typedef {{ subject: string, session: string, expiresAt: number, source: string, revocation: string }} Me */
/** @typedef {{ error?: { code: string, message: string } }} Failure */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const form = /** @type {HTMLFormElement} */ (byId("login"));
const password = /** @type {HTMLInputElement} */ (byId("password"));

/** Seconds since 1970 at which the token expires, or undefined when nobody is signed in. @type {number | undefined} */
let expiresAt;

/**
 * Sends a request, writes it into the log and gives the answer.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
async function ask(method, path, body) {
  /** @type {RequestInit} */
  const init = { method, cache: "no-store" };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  const answer = await response.json();
  record(`${method} ${path}`, response, answer);
  return { ok: response.ok, answer };
}

/**
 * @param {string} title
 * @param {Response} response
 * @param {Failure} answer
 */
function record(title, response, answer) {
  const entry = document.createElement("li");
  entry.append(
    textElement("span", "", title),
    textElement("span", `status ${response.ok ? "good" : "bad"}`, String(response.status)),
  );
  if (answer.error !== undefined) {
    entry.append(textElement("span", "detail", `${answer.error.code}: ${answer.error.message}`));
  }
  byId("log").prepend(entry);
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function textElement(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

async function refresh() {
  const { ok, answer } = await ask("GET", "/me");
  if (ok) {
    showSignedIn(answer);
  } else {
    showSignedOut();
  }
}

/** @param {Me} me */
function showSignedIn(me) {
  expiresAt = me.expiresAt;
  byId("subject").textContent = me.subject;
  byId("session").textContent = me.session;
  byId("source").textContent = me.source === "cookie" ? "a cookie, added by the browser" : me.source;
  byId("revocation").textContent = me.revocation === "clear" ? "none found" : me.revocation;
  const expires = new Date(me.expiresAt * 1000);
  const time = /** @type {HTMLTimeElement} */ (byId("expires"));
  time.dateTime = expires.toISOString();
  time.textContent = expires.toLocaleTimeString();
  byId("visible-hint").textContent =
    "You are signed in, and the script still cannot read the cookie: it is HttpOnly. Whatever runs in this page cannot carry it away.";
  show("signed-in");
}

function showSignedOut() {
  expiresAt = undefined;
  byId("visible-hint").textContent = "Sign in and look again.";
  show("signed-out");
}

/** @param {"signed-in" | "signed-out"} section */
function show(section) {
  byId("signed-in").hidden = section !== "signed-in";
  byId("signed-out").hidden = section !== "signed-out";
  byId("problem").hidden = true;
  byId("failure").hidden = true;
  byId("visible").textContent = document.cookie === "" ? '""' : JSON.stringify(document.cookie);
  tick();
}

function tick() {
  const seconds = expiresAt === undefined ? 0 : Math.max(0, Math.round(expiresAt - Date.now() / 1000));
  const minutes = Math.floor(seconds / 60);
  byId("remaining").textContent = `in ${minutes}:${String(seconds % 60).padStart(2, "0")}`;
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

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  void during(button, "problem", async () => {
    const { ok, answer } = await ask("POST", "/api/auth/login", Object.fromEntries(new FormData(form)));
    if (!ok) {
      complain("problem", answer.error.message);
      password.select();
      return;
    }
    form.reset();
    await refresh();
    byId("signed-in-title").focus();
  });
});

byId("logout").addEventListener("click", (event) => {
  void during(/** @type {HTMLButtonElement} */ (event.currentTarget), "failure", async () => {
    const { ok, answer } = await ask("POST", "/api/auth/logout");
    if (!ok) {
      complain("failure", answer.error.message);
      return;
    }
    await refresh();
    password.focus();
  });
});

byId("again").addEventListener("click", (event) => {
  void during(/** @type {HTMLButtonElement} */ (event.currentTarget), "failure", refresh);
});

setInterval(tick, 1000);
refresh().catch(() => {
  showSignedOut();
  complain("problem", "The Worker did not answer.");
});
