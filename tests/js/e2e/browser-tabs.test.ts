/** Several tabs of one Chromium, and several browsers, stay signed in to the Worker on real Durable Objects. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { claimsOf, REFRESH } from "../../../worker/demo/browser.js";
import { findChromium, launch } from "../harness/chromium.js";
import { signedIn, signedOut, signIn } from "./page-support.js";
import { Client, PASSWORD, REFRESH_PATH, type Running, startPacked } from "./support.js";

const GRACE = 3;
/** So that pages refresh by themselves every three seconds. */
const SHORT_LIFE = 4;
/** By how much clocks may differ: for so long a token that has expired is still taken. */
const CLOCK_SKEW = 5;

/** Durable Objects that fail once, and from then on keep what they are given. */
const FLAKY = `
  #failed = false;
  read() {
    if (!this.#failed) { this.#failed = true; throw new Error("down"); }
    return this.ctx.storage.kv.get("record") ?? null;
  }
  compareAndSwap(expected, next) {
    if ((this.ctx.storage.kv.get("record") ?? null) !== expected) return false;
    this.ctx.storage.kv.put("record", next);
    return true;
  }`;

const executable = findChromium();
const mayBeMissing = process.env["CI"] !== "true";
const skip = executable === undefined && mayBeMissing ? "Chromium is not installed" : false;

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

describe("tabs", { skip }, () => {
  let running: Running;
  let browser: Browser;
  /** The instance whose access tokens live for seconds. */
  let hurried: string;
  let flaky: string;
  /** Signed in to the hurried instance before all else, and no page open since then. */
  let asleep: BrowserContext;
  let asleepSince: number;

  before(async () => {
    assert.ok(executable !== undefined, "Chromium is not installed");
    running = await startPacked({
      vars: { REFRESH_GRACE: GRACE },
      others: (bindings) => ({
        hurried: { bindings: { ...bindings, ACCESS_TOKEN_LIFETIME: SHORT_LIFE } },
        flaky: { bindings, sessions: { classBody: FLAKY } },
      }),
    });
    hurried = (await Client.of(running, "hurried")).address;
    flaky = (await Client.of(running, "flaky")).address;
    browser = await launch(executable);
    asleep = await browser.newContext();
    const page = await open(asleep, hurried);
    await signIn(page, PASSWORD);
    await signedIn(page);
    await page.close();
    asleepSince = Date.now() / 1000;
  });

  after(async () => {
    await browser?.close();
    await running?.stop();
  });

  async function open(context: BrowserContext, address = running.address): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(address);
    return page;
  }

  /** A browser of its own with some tabs, signed in in the first of them. */
  async function tabsOf(count: number, { username = "ada", address = running.address } = {}) {
    const context = await browser.newContext();
    const [first, ...others] = await Promise.all(Array.from({ length: count }, () => open(context, address)));
    assert.ok(first !== undefined);
    await signIn(first, PASSWORD, username);
    await Promise.all([first, ...others].map(signedIn));
    return { context, first, tabs: [first, ...others] };
  }

  const statusOf = (page: Page, method: string, path: string) =>
    page.evaluate(([m, p]) => fetch(p ?? "", { method: m ?? "" }).then(({ status }) => status), [method, path]);

  async function refreshToken(context: BrowserContext): Promise<string> {
    return (await context.cookies(running.address + REFRESH_PATH)).find(({ name }) => name === REFRESH)?.value ?? "";
  }

  test("a login in one tab signs the others in", async () => {
    const { context, tabs } = await tabsOf(3);
    for (const tab of tabs) assert.equal(await tab.locator("#subject").textContent(), "user-1815");
    await context.close();
  });

  test("three that refresh at the same moment all stay signed in, with one rotation, window after window", async (t) => {
    const { context, tabs } = await tabsOf(3);
    const windows = 5;
    for (let generation = 1; generation <= windows; generation++) {
      await sleep(GRACE + 0.05);
      const seen = running.events.length;
      const at = Date.now() + 150;
      const statuses = await Promise.all(
        tabs.map((tab) =>
          tab.evaluate(
            async ([path, moment]) => {
              await new Promise((resolve) => setTimeout(resolve, moment - Date.now()));
              return (await fetch(path, { method: "POST" })).status;
            },
            [REFRESH_PATH, at] as const,
          ),
        ),
      );
      assert.deepEqual(statuses, [200, 200, 200]);
      const refreshed = await running.events.since(seen, "refreshed", 3);
      assert.equal(refreshed.filter(({ rotated }) => rotated === true).length, 1);
      assert.equal(refreshed.length, 3);
      assert.equal(claimsOf(await refreshToken(context))["gen"], generation);
      assert.deepEqual(await Promise.all(tabs.map((tab) => statusOf(tab, "GET", "/me?strong"))), [200, 200, 200]);
    }
    const alarms = await running.events.since(0, "reuse-detected", 0);
    assert.deepEqual(alarms, []);
    t.diagnostic(`3 tabs, ${windows} windows: ${3 * windows} refreshes, ${windows} rotations, 0 signed out, 0 alarms`);
    await context.close();
  });

  test("the page refreshes by itself in every tab, at the time that all of them know", async (t) => {
    const { context, tabs } = await tabsOf(3, { username: "grace", address: hurried });
    const seen = running.events.length;
    await sleep(3.5 * SHORT_LIFE);
    const refreshed = await running.events.since(seen, "refreshed");
    const rotations = refreshed.filter(({ rotated }) => rotated === true).length;
    assert.ok(rotations >= 3, `${rotations} rotations`);
    for (const tab of tabs) {
      assert.equal(await statusOf(tab, "GET", "/me?strong"), 200);
      assert.ok(await tab.getByRole("heading", { name: "Signed in", exact: true }).isVisible());
    }
    const alarms = await running.events.since(0, "reuse-detected", 0);
    assert.deepEqual(alarms, []);
    t.diagnostic(`3 pages, ${3.5 * SHORT_LIFE} s: ${refreshed.length} refreshes, ${rotations} rotations, 0 signed out`);
    await context.close();
  });

  test("signing out in one signs the others out, which then have no cookie to send", async () => {
    const { context, first, tabs } = await tabsOf(3);
    await first.getByRole("button", { name: "Sign out", exact: true }).click();
    await Promise.all(tabs.map(signedOut));
    assert.deepEqual(await context.cookies(running.address + REFRESH_PATH), []);
    for (const tab of tabs) {
      assert.equal(await statusOf(tab, "GET", "/me"), 401);
      assert.equal(await statusOf(tab, "POST", REFRESH_PATH), 401);
    }
    await context.close();
  });

  test("another browser that signs out everywhere signs out this one, whose page notices at its next refresh", async () => {
    const here = await tabsOf(2, { username: "grace", address: hurried });
    const there = await tabsOf(1, { username: "grace" });
    await there.first.getByRole("button", { name: "Sign out everywhere" }).click();
    await signedOut(there.first);
    assert.equal(await statusOf(here.first, "POST", REFRESH_PATH), 401);
    await Promise.all(here.tabs.map(signedOut));
    await Promise.all([here.context.close(), there.context.close()]);
  });

  test("a session ended in the list is over for the browser that it belongs to, and for that alone", async () => {
    const here = await tabsOf(1);
    const there = await tabsOf(1);
    const current = there.first.locator("#sessions li", { hasText: "this one" });
    assert.equal(await current.count(), 1);
    const sid = await here.first.locator("#session").textContent();
    await there.first.evaluate((id) => fetch(`/sessions/${id}`, { method: "DELETE" }), sid);
    assert.equal(await statusOf(here.first, "POST", REFRESH_PATH), 401);
    assert.equal(await statusOf(there.first, "GET", "/me?strong"), 200);

    await current.getByRole("button").click();
    await signedOut(there.first);
    await Promise.all([here.context.close(), there.context.close()]);
  });

  test("a page whose store fails once comes again after the time that the Worker says", async () => {
    const context = await browser.newContext();
    const page = await open(context, flaky);
    const answers: number[] = [];
    page.on("response", (response) => {
      if (response.request().method() === "POST") answers.push(response.status());
    });
    const started = performance.now();
    await signIn(page, PASSWORD);
    await signedIn(page);
    assert.deepEqual(answers, [503, 200]);
    assert.ok(performance.now() - started > 1000);
    await context.close();
  });

  test("a browser that is opened again with an expired access token refreshes, and is signed in", async () => {
    assert.equal((await asleep.cookies()).length, 2, "both cookies outlive the access token");
    await sleep(Math.max(0, asleepSince + SHORT_LIFE + CLOCK_SKEW + 1 - Date.now() / 1000));
    const page = await asleep.newPage();
    const answers: string[] = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (!pathname.endsWith(".js")) answers.push(`${pathname} ${response.status()}`);
    });
    await page.goto(hurried);
    await signedIn(page);
    const [, ...asked] = answers;
    assert.deepEqual(asked.filter((answer) => !/app\.css/.test(answer)).slice(0, 3), [
      "/me 401",
      `${REFRESH_PATH} 200`,
      "/me 200",
    ]);
  });
});
