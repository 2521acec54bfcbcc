/** What the chapters of the story share: the Worker's instances, those who talk to it, and how that is shown. */

import type { Answer } from "./http.js";
import { ACCESS, Browser, claimsOf, type Extra, REFRESH } from "./browser.js";
import type { EventLog, Logged } from "./events.js";
import { dim, say, type Walk } from "./terminal.js";

/** Seconds of the grace window, so that the story need not wait long for its end. */
export const GRACE = 2;

/** Seconds by which clocks may differ, and for which an access token is therefore still taken. */
const CLOCK_SKEW = 5;

/** The Worker, several times: on the same Durable Objects and the same KV namespace except where something is said. */
export interface Addresses {
  /** The Worker's issuer, its audience and its only origin. */
  address: string;
  /** Its access tokens live for a second. */
  hurried: string;
  /** Its KV shows no entry yet, as a data centre's may for a minute. */
  stale: string;
  /** Its KV never answers. */
  silentKv: string;
  /** Its Durable Objects never answer. */
  silentSessions: string;
}

export interface Stage extends Addresses {
  password: string;
  /** The Worker's KV namespace. */
  revoked: {
    list(): Promise<{ keys: { name: string; expiration?: number }[] }>;
    get(key: string): Promise<string | null>;
  };
  events: EventLog;
  walk: Walk;
}

/** Sends a request and shows it; what comes back is for the caller to show. */
export async function exchange(
  { walk }: Stage,
  browser: Browser,
  method: string,
  path: string,
  extra: Extra = {},
): Promise<Answer> {
  walk.sent(browser.name, `${method} ${path}`, credentials(browser, path, extra));
  return browser.send(path, { method, ...extra });
}

/** Signs Ada in and shows it. */
export async function loginShown({ walk, password }: Stage, browser: Browser): Promise<Answer> {
  walk.sent(browser.name, "POST /api/auth/login", "");
  const answer = await browser.login("ada", password);
  walk.answered(answer, 200, undefined, refreshTokenOf(browser));
  return answer;
}

/** Signs somebody in, before the story comes to it. */
export async function signIn(stage: Stage, name: string, user = "ada", at = stage.address): Promise<Browser> {
  const browser = new Browser(name, stage.address);
  const answer = await browser.login(user, stage.password, { at });
  if (answer.status !== 200) throw new Error(`${user} could not sign in: ${answer.status} ${answer.text}`);
  return browser;
}

/** Waits until what was refreshed last is older than the grace window. */
export async function leaveWindow(): Promise<void> {
  say(dim(`… ${GRACE} seconds pass, and the grace window with them`));
  await sleep(GRACE + 0.1);
}

/** Waits until an access token has expired for everybody. */
export async function leaveLife(token: string): Promise<void> {
  await sleep(claimsOf(token).exp + CLOCK_SKEW + 1 - Date.now() / 1000);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 * seconds)));
}

/** Shows an event. */
export function sayEvent(event: Logged | undefined): void {
  if (event === undefined) return;
  const { type, ...more } = event;
  sayObject(`event ${type}`, more);
}

/** Shows an object, with spaces at which it can be wrapped. */
export function sayObject(name: string, object: object): void {
  const members = Object.entries(object).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  say(dim(`${name} { ${members.join(", ")} }`), "·");
}

/** A refresh token in few words: whole tokens have no place in a terminal's history. */
export function refreshTokenOf(browser: Browser): string {
  const token = browser.token(REFRESH);
  return token === "" ? "no refresh token" : `refresh token ${claimsOf(token)["gen"]} …${token.slice(-6)}`;
}

function credentials(browser: Browser, path: string, { headers = {} }: Extra): string {
  if (headers["Authorization"] !== undefined) return "Authorization: Bearer";
  const cookies = headers["Cookie"] ?? browser.cookiesFor(path.split("?", 1)[0] ?? path);
  const named = [];
  if (cookies.includes(`${ACCESS}=`)) named.push("access cookie");
  for (const [, token = ""] of cookies.matchAll(new RegExp(`${REFRESH}=([^;]+)`, "g"))) {
    named.push(`refresh token ${claimsOf(token)["gen"]} …${token.slice(-6)}`);
  }
  return named.join(", ");
}
