/** Chromium signs in to the Worker on workerd: what the browser stores, sends and hides, and what it is refused. */

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { findChromium, launch } from "../harness/chromium.js";
import { ACCESS, REFRESH } from "../../../worker/demo/browser.js";
import { Client, PASSWORD, REFRESH_PATH, type Running, SESSION_LIFETIME, startPacked, SUBJECT } from "./support.js";
import { signIn, signedIn, signedOut } from "./page-support.js";

const executable = findChromium();
const mayBeMissing = process.env["CI"] !== "true";
/** A path above that of the refresh route, so that the planted cookie does not replace the right one. */
const PLANTED_PATH = "/api";
const skip = executable === undefined && mayBeMissing ? "Chromium is not installed" : false;

describe("a browser", { skip }, () => {
  let running: Running;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let attacker: Server;
  const complaints: string[] = [];

  before(async () => {
    assert.ok(executable !== undefined, "Chromium is not installed");
    running = await startPacked();
    attacker = await serveAttacks(running.address);
    browser = await launch(executable);
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // The page asks /me before anybody has signed in; that it is told 401 is no complaint. Nor are the tests' own errors.
      if (message.type() === "error" && !/40[14]/.test(message.text())) complaints.push(message.text());
    });
  });

  after(async () => {
    await browser?.close();
    attacker?.close();
    await running?.stop();
  });

  const cookieOf = async (wanted: string) => (await context.cookies()).find(({ name }) => name === wanted);
  const accessCookie = () => cookieOf(ACCESS);
  const statusOfMe = (on = page) => on.evaluate(async () => (await fetch("/me")).status);

  /** The address at which another host name or port serves the attacking forms. */
  const attackFrom = (host: string) => `http://${host}:${(attacker.address() as AddressInfo).port}`;

  test("is refused with a wrong password, and stores nothing", async () => {
    await page.goto(running.address);
    await signIn(page, "wrong");
    await page.getByText("The user name or the password is wrong.", { exact: true }).waitFor();
    assert.deepEqual(await context.cookies(), []);
  });

  test("signs in on the page", async () => {
    await signIn(page, PASSWORD);
    await signedIn(page);
    assert.equal(await page.locator("#subject").textContent(), SUBJECT);
  });

  test("has stored both cookies as HttpOnly, Secure, SameSite=Strict, for this host, one for all paths and one for one", async () => {
    const cookies = await context.cookies();
    assert.deepEqual(cookies.map(({ name }) => name).sort(), [ACCESS, REFRESH]);
    for (const { name, httpOnly, secure, sameSite, path, domain, expires } of cookies) {
      // A domain without a leading dot is host-only: subdomains do not get the cookie.
      assert.deepEqual(
        { httpOnly, secure, sameSite, path, domain },
        {
          httpOnly: true,
          secure: true,
          sameSite: "Strict",
          path: name === ACCESS ? "/" : REFRESH_PATH,
          domain: "localhost",
        },
      );
      assert.ok(Math.abs(expires - Date.now() / 1000 - SESSION_LIFETIME) < 30);
    }
  });

  test("keeps both cookies from the page's script, which can neither read nor replace nor delete them", async () => {
    const before = [await cookieOf(ACCESS), await cookieOf(REFRESH)].map((cookie) => cookie?.value ?? "");
    const seen = await page.evaluate(
      async ([access, refresh]) => {
        for (const [name, path] of [
          [access, "/"],
          [refresh, "/api/auth/refresh"],
        ]) {
          document.cookie = `${name}=planted; Path=${path}; Secure; Max-Age=900`;
          document.cookie = `${name}=; Path=${path}; Secure; Max-Age=0`;
        }
        const store = (globalThis as unknown as { cookieStore?: { getAll(): Promise<unknown[]> } }).cookieStore;
        return {
          cookie: document.cookie,
          cookieStore: JSON.stringify(await store?.getAll()),
          storage: JSON.stringify([localStorage, sessionStorage]),
          page: document.documentElement.outerHTML,
        };
      },
      [ACCESS, REFRESH],
    );
    assert.equal(seen.cookie, "");
    assert.equal(seen.cookieStore, "[]");
    for (const token of before) {
      assert.ok(token.length > 100);
      assert.ok(!JSON.stringify(seen).includes(token.split(".")[1] ?? token));
    }
    const after = [await cookieOf(ACCESS), await cookieOf(REFRESH)].map((cookie) => cookie?.value);
    assert.deepEqual(after, before);
  });

  test("sends the refresh cookie to the route that refreshes and nowhere else", async () => {
    const sentTo = async (method: string, path: string) => {
      const [request] = await Promise.all([
        page.waitForRequest((sent) => sent.url().endsWith(path)),
        page.evaluate(([m, p]) => fetch(p ?? "", { method: m ?? "" }).then(({ status }) => status), [method, path]),
      ]);
      return (await request.allHeaders())["cookie"]?.split("; ").map((pair) => pair.split("=")[0]);
    };
    assert.deepEqual((await sentTo("POST", REFRESH_PATH))?.sort(), [ACCESS, REFRESH]);
    for (const path of ["/me", "/sessions", `${REFRESH_PATH}ed`]) assert.deepEqual(await sentTo("GET", path), [ACCESS]);
  });

  test("sends the cookie back by itself", async () => {
    const [request, answer] = await Promise.all([
      page.waitForRequest((sent) => sent.url().endsWith("/me")),
      page.evaluate(async () => (await fetch("/me")).json()),
    ]);
    const headers = await request.allHeaders();
    assert.equal(headers["authorization"], undefined);
    assert.equal(headers["cookie"], `__Host-access=${(await accessCookie())?.value}`);
    assert.equal(answer.subject, SUBJECT);
    assert.equal(answer.source, "cookie");
  });

  test("is still signed in after a reload, and in a second tab", async () => {
    await page.reload();
    await signedIn(page);
    const tab = await context.newPage();
    await tab.goto(running.address);
    assert.equal(await statusOfMe(tab), 200);
    await tab.close();
  });

  test("sends a form of another site without the cookie, and the Worker refuses it", async () => {
    const { status, code, cookie } = await submitForm(context, attackFrom("127.0.0.1"), "logout");
    assert.equal(cookie, undefined, "SameSite=Strict keeps it back");
    assert.equal(status, 403);
    assert.equal(code, "ERR_CROSS_SITE");
    assert.equal(await statusOfMe(), 200);
  });

  test("sends a form of the same host's other port with the cookie, and the Worker refuses it all the same", async () => {
    const { status, code, cookie } = await submitForm(context, attackFrom("localhost"), "logout");
    assert.match(
      cookie ?? "",
      /__Host-access=/,
      "a port does not make another site, so SameSite is no protection here",
    );
    assert.equal(status, 403);
    assert.equal(code, "ERR_CROSS_SITE");
    assert.equal(await statusOfMe(), 200);
  });

  test("cannot be signed in to another account by another site", async () => {
    const { status, code } = await submitForm(context, attackFrom("127.0.0.1"), "login");
    assert.equal(status, 403);
    assert.equal(code, "ERR_CROSS_SITE");
  });

  test("does not let another origin's script read who is signed in", async () => {
    const tab = await context.newPage();
    await tab.goto(attackFrom("localhost"));
    const outcome = await tab.evaluate(
      (me) =>
        fetch(me, { credentials: "include" }).then(
          () => "read",
          () => "blocked",
        ),
      `${running.address}/me`,
    );
    assert.equal(outcome, "blocked");
    await tab.close();
  });

  test("is not taken over by a refresh cookie that another server of the same host plants, and the plant is reported", async () => {
    const mallory = await new Client(running.address).signedIn("grace");
    const tab = await context.newPage();
    await tab.goto(`${attackFrom("localhost")}/plant?${mallory.token(REFRESH)}`);
    await tab.close();
    assert.equal((await context.cookies()).filter(({ name }) => name === REFRESH).length, 2, "the browser took it");

    const seen = running.events.length;
    const [request, sessionId] = await Promise.all([
      page.waitForRequest((sent) => sent.url().endsWith(REFRESH_PATH)),
      page.evaluate(async (path) => (await (await fetch(path, { method: "POST" })).json()).sessionId, REFRESH_PATH),
    ]);
    assert.equal((await request.allHeaders())["cookie"]?.split(`${REFRESH}=`).length, 3, "and sends both");
    const [reported] = await running.events.since(seen, "duplicate-cookie");
    assert.deepEqual(reported, { type: "duplicate-cookie", subject: SUBJECT, sessionId });
    assert.equal(await page.evaluate(async () => (await (await fetch("/me")).json()).subject), SUBJECT);
    await context.clearCookies({ name: REFRESH, path: PLANTED_PATH });
  });

  test("loses both cookies by signing out, and the cookie put back is refused as revoked", async () => {
    const cookie = await accessCookie();
    assert.ok(cookie !== undefined);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await signedOut(page);
    assert.deepEqual(await context.cookies(), []);

    await context.addCookies([cookie]);
    assert.equal((await accessCookie())?.value, cookie.value);
    const replayed = await page.evaluate(async () => {
      const response = await fetch("/me");
      return { status: response.status, body: await response.json() };
    });
    assert.equal(replayed.status, 401);
    assert.equal(replayed.body.error.code, "ERR_TOKEN_REVOKED");

    const elsewhere = await new Client(running.address).me(cookie.value);
    assert.equal(elsewhere.json?.error?.code, "ERR_TOKEN_REVOKED");
  });

  test("signs in again after that", async () => {
    await page.reload();
    await signIn(page, PASSWORD);
    await signedIn(page);
    assert.equal(await statusOfMe(), 200);
  });

  test("has found nothing to complain about: no error in a script, nothing against the page's own policy", () => {
    assert.deepEqual(complaints, []);
  });
});

/** Pages of another origin with a form that aims at the Worker, `/logout` and `/login`, and one that plants a cookie. */
async function serveAttacks(address: string): Promise<Server> {
  const forms: Record<string, string> = {
    "/logout": `<form method="post" action="${address}/api/auth/logout"><button>Go</button></form>`,
    // A text/plain form can write something that looks like JSON.
    "/login": `<form method="post" enctype="text/plain" action="${address}/api/auth/login">
      <input type="hidden" name='{"username":"ada","password":"${PASSWORD}","x":"' value='"}'><button>Go</button></form>`,
  };
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    const [path, token] = request.url?.split("?") ?? [];
    if (path === "/plant") response.setHeader("Set-Cookie", `${REFRESH}=${token}; Secure; Path=${PLANTED_PATH}`);
    response.end(`<!doctype html><title>Another origin</title>${forms[request.url ?? ""] ?? ""}`);
  });
  // Both names of this machine lead here.
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** Opens an attacking page, sends its form and says what went out and what came back. */
async function submitForm(context: BrowserContext, origin: string, name: "login" | "logout") {
  const tab = await context.newPage();
  try {
    await tab.goto(`${origin}/${name}`);
    const [response] = await Promise.all([
      tab.waitForResponse((received) => received.request().method() === "POST"),
      tab.getByRole("button").click(),
    ]);
    const { cookie } = await response.request().allHeaders();
    const { error } = JSON.parse((await tab.locator("body").textContent()) ?? "{}");
    return { status: response.status(), code: error?.code as string | undefined, cookie };
  } finally {
    await tab.close();
  }
}
