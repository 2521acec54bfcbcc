/** The playground in Chromium, as it is deployed: the files of `www/dist` from a static server, and nothing else. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, extname, join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";

const DIST = "www/dist";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const FILES = ["/", "/main.css", "/main.js", "/seal.svg"];

const executablePath = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, name)))
  .find((path) => existsSync(path));
const skip = executablePath === undefined && process.env.CI !== "true" ? "Chromium is not installed" : false;

describe("the page", { skip }, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let address: string;
  /** Everything that should not have happened while a test ran. */
  let trouble: string[];

  before(async () => {
    execFileSync(process.execPath, ["www/build.mjs"], { stdio: "inherit" });
    server = createServer((request, response) => {
      const path = request.url === "/" ? "/index.html" : (request.url ?? "/");
      readFile(join(DIST, path)).then(
        (body) => response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(body),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      executablePath: executablePath ?? "chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    });
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  beforeEach(async () => {
    await page?.context().close();
    trouble = [];
    const context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => trouble.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) trouble.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== address || !FILES.includes(url.pathname)) trouble.push(`request: ${request.url()}`);
    });
  });

  async function open(view: string): Promise<void> {
    await page.goto(`${address}/#${view}`);
    await page.waitForSelector("html[data-ready]");
  }

  async function makeExample(name: string, verdict: "valid" | "refused"): Promise<void> {
    await open("token");
    await page.click(`[data-example=${name}]`);
    await page.waitForSelector(`#verdict[data-state=${verdict}]`);
  }

  const step = (name: string) => page.locator(`.step[data-step=${name}]`);
  const outcome = (name: string) => step(name).getAttribute("data-outcome");
  const text = (selector: string) => page.locator(selector).innerText();
  const quiet = () => assert.deepEqual(trouble, []);

  async function refusedAt(name: string, code: string): Promise<void> {
    assert.equal(await outcome(name), "failed");
    assert.match(await step(name).innerText(), new RegExp(`\\b${code}\\b`));
    assert.match(await text("#verdict"), new RegExp(`\\b${code}\\b`));
  }

  it("shows every step of a valid token as passed, and its claims with dates", async () => {
    await makeExample("valid", "valid");
    for (const name of ["size", "segments", "header", "key", "signature", "claims", "policy"]) {
      assert.equal(await outcome(name), "passed", name);
    }
    assert.equal(await outcome("revocation"), "skipped");
    assert.match(
      await text("#claims-json"),
      /"exp": \d+,?\s.*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, expires in 1[45] minutes/,
    );
    assert.match(await text("#header-json"), /"alg": "ES256"/);
    quiet();
  });

  it("refuses a tampered token at its signature", async () => {
    await makeExample("tampered", "refused");
    await refusedAt("signature", "ERR_SIGNATURE_INVALID");
    assert.match(await text("#claims-trust"), /not verified/);
    quiet();
  });

  it("refuses a token that names no algorithm", async () => {
    await makeExample("none", "refused");
    const failed = page.locator(".step[data-outcome=failed]");
    assert.ok((await failed.count()) > 0);
    assert.notEqual(await outcome("signature"), "passed");
    quiet();
  });

  it("refuses an expired token, one for another audience and one with milliseconds, each at its step", async () => {
    await makeExample("expired", "refused");
    await refusedAt("policy", "ERR_TOKEN_EXPIRED");
    assert.match(await text("#claims-json"), /expired 12 minutes ago/);
    await makeExample("audience", "refused");
    await refusedAt("policy", "ERR_AUDIENCE_MISMATCH");
    await makeExample("milliseconds", "refused");
    await refusedAt("claims", "ERR_CLAIM_INVALID");
    assert.equal(await outcome("signature"), "passed");
    assert.match(await text("#claims-json"), /looks like milliseconds/);
    quiet();
  });

  it("accepts an expired token at a time before its expiry", async () => {
    await makeExample("expired", "refused");
    const iat = /"iat": (\d+)/.exec(await text("#claims-json"))?.[1];
    await page.fill("#now", new Date((Number(iat) + 60) * 1000).toISOString().slice(0, 19));
    await page.waitForSelector("#verdict[data-state=valid]");
    quiet();
  });

  it("shows what a token says before there is a key, and does not call it verified", async () => {
    await makeExample("valid", "valid");
    await page.fill("#key-text", "");
    await page.waitForSelector("#verdict[data-state=open]");
    assert.equal(await outcome("signature"), "not-reached");
    assert.match(await text("#claims-json"), /"sub"/);
    assert.match(await text("#claims-trust"), /not verified/);
    quiet();
  });

  it("survives whatever is pasted: text that is no token, keys that are no keys, options out of range", async () => {
    await makeExample("valid", "valid");
    await page.fill("#tolerance", "301");
    await page.waitForFunction(() => document.querySelector("#settings-note")?.textContent?.includes("clockTolerance"));
    await page.fill("#tolerance", "0");
    for (const key of [
      "{",
      "hello",
      "{}",
      '{"keys":[]}',
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
      "null",
    ]) {
      await page.fill("#key-text", key);
      await page.waitForSelector("#key-note.wrong");
    }
    for (const token of [
      "x",
      "...",
      "a.b.c",
      "\u0000",
      "\ud800.e30.",
      ".".repeat(70_000),
      "<img src=x onerror=alert(1)>",
    ]) {
      await page.fill("#token-text", "");
      await page.waitForSelector("#verdict[data-state=idle]");
      await page.fill("#token-text", token);
      await page.waitForSelector("#verdict[data-state=refused]");
    }
    assert.equal(await page.locator("#alarm").isVisible(), false);
    assert.equal(await page.locator(".step").count(), 8);
    quiet();
  });

  it("takes a key from a PEM file, and a token that another program signed with RS256", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${part({ alg: "RS256" })}.${part({ sub: "somebody", exp: Math.floor(Date.now() / 1000) + 600 })}`;
    const token = `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
    await open("token");
    await page.fill("#token-text", token);
    const buffer = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
    await page.setInputFiles("#key-file", { name: "key.pem", mimeType: "text/plain", buffer });
    await page.waitForSelector("#verdict[data-state=valid]");
    assert.match(await text("#key-note"), /^PEM, public key$/);
    assert.match(await text("#verdict"), /Not checked: issuer and audience/);
    await page.click("#token-clear");
    await page.waitForSelector("#verdict[data-state=idle]");
    for (const field of ["#token-text", "#key-text", "#issuer"]) assert.equal(await page.inputValue(field), "");
    assert.equal(await text("#claims-json"), "");
    quiet();
  });

  it("colours the three segments and leaves the text as it was typed", async () => {
    await open("token");
    await page.fill("#token-text", "Bearer aaa.bbb.ccc");
    assert.deepEqual(await page.locator("#token-colour .seg-1").allInnerTexts(), ["bbb"]);
    assert.match(await text("#token-note"), /Bearer/);
    quiet();
  });

  it("shows the complaint about a __Host- cookie with a Domain, and the header again when it is gone", async () => {
    await open("cookie");
    assert.match(await text("#c-header"), /^__Host-access=.*; Secure/);
    await page.fill("#c-domain", "example.com");
    assert.match(await text("#c-complaints"), /Domain[\s\S]*ERR_COOKIE_INVALID/);
    assert.equal(await page.getAttribute("#c-domain", "aria-invalid"), "true");
    assert.doesNotMatch(await text("#c-header"), /__Host-/);
    await page.fill("#c-domain", "");
    assert.match(await text("#c-header"), /^__Host-access=/);
    quiet();
  });

  it("offers presets without complaints, and measures a cookie that is too large", async () => {
    await open("cookie");
    for (const preset of await page.locator("[data-preset]").all()) {
      await preset.click();
      assert.match(await text("#c-complaints"), /^None/);
    }
    await page.click("[data-preset=embedded]");
    assert.match(await text("#c-header"), /SameSite=None.*Partitioned|Partitioned.*SameSite=None/);
    await page.fill("#c-value", "x".repeat(5000));
    assert.match(await text("#c-complaints"), /ERR_COOKIE_TOO_LARGE/);
    assert.equal(await page.getAttribute("#c-gauge", "data-level"), "over");
    await page.fill("#c-maxage", "1.5");
    assert.match(await text("#c-complaints"), /Max-Age[\s\S]*ERR_OPTION_INVALID/);
    quiet();
  });

  it("makes key pairs of both algorithms, hides the private key, and checks a token with the public one", async () => {
    await open("keys");
    for (const [algorithm, member] of [
      ["ES256", '"crv": "P-256"'],
      ["RS256", '"kty": "RSA"'],
    ] as const) {
      await page.check(`input[value=${algorithm}]`);
      await page.click("#keys-make");
      await page.waitForFunction((part) => document.querySelector("#k-public")?.textContent?.includes(part), member);
      assert.match(await text("#k-thumb"), /^[\w-]{43}$/);
      assert.doesNotMatch(await text("#keys-results"), /"d":/);
    }
    await page.click("#k-reveal");
    assert.match(await text("#k-private"), /"d": "/);
    await page.fill(
      "#k-any",
      await page.locator("#k-public").evaluate((place: HTMLElement) => place.dataset.raw ?? ""),
    );
    assert.equal(await text("#k-any-note"), await text("#k-thumb"));
    await page.click("#k-use");
    await page.waitForSelector("#view-token:not([hidden])");
    assert.match(await page.inputValue("#key-text"), /"kty": "RSA"/);
    quiet();
  });

  it("keeps tokens out of the address and out of storage", async () => {
    await makeExample("valid", "valid");
    const kept = await page.evaluate(() => [
      location.href,
      document.cookie,
      localStorage.length,
      sessionStorage.length,
    ]);
    assert.deepEqual(kept, [`${address}/#token`, "", 0, 0]);
    quiet();
  });

  it("lets no script connect anywhere, not even to its own origin", async () => {
    await open("token");
    const blocked = await page.evaluate(() =>
      fetch("/main.css").then(
        () => false,
        () => true,
      ),
    );
    assert.ok(blocked);
  });

  it("fits screens from 360 pixels without scrolling sideways, in every view", async () => {
    for (const width of [360, 390, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      await makeExample("tampered", "refused");
      for (const view of ["token", "cookie", "keys"]) {
        await page.goto(`${address}/#${view}`);
        await page.waitForSelector(`#view-${view}:not([hidden])`);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(over <= 0, `${view} at ${width} pixels is ${over} too wide`);
      }
    }
    quiet();
  });

  it("keeps the verdict in sight on a narrow screen, and leads to it", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await makeExample("expired", "refused");
    await page.waitForSelector("#peek:not([hidden])");
    assert.equal(await text("#peek"), "Expired");
    await page.click("#peek");
    await page.waitForSelector("#peek", { state: "hidden" });
    assert.ok(await page.locator("#verdict").evaluate((place) => place === document.activeElement));
    quiet();
  });

  it("moves the focus to the heading of the view that the address names, and past the navigation on request", async () => {
    await open("token");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    await page.click("nav a[href='#keys']");
    await page.waitForFunction(() => document.activeElement?.id === "keys-title");
    assert.match(await page.title(), /keys/);
    quiet();
  });
});
