/** What `waxseal cookie check` says of browsers is what Chromium does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { findChromium, launch } from "../js/harness/chromium.js";
import { line, secret, waxseal } from "./support.js";

await line("keys generate --out key.json");
secret("key.json");

/** The line that /set answers with. */
let setCookie = "";
const server = createServer((request, response) => {
  if (request.url?.endsWith("/set")) response.setHeader("Set-Cookie", setCookie);
  response.setHeader("Access-Control-Allow-Origin", "*").end(request.headers.cookie ?? "");
}).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const program = findChromium();
const browser =
  program === undefined ? undefined : await launch(program, `--host-resolver-rules=MAP *.example 127.0.0.1:${port}`);
after(async () => {
  await browser?.close();
  server.close().closeAllConnections();
});

const LOCAL = `http://localhost:${port}/account/set`;
const SITE = "http://app.example/account/set";
const cases: [text: string, url: string, to?: string][] = [
  ["__Host-id=x; Path=/; Secure; HttpOnly; SameSite=Lax", LOCAL],
  ["__Host-id=x; Secure; Path=/app", LOCAL],
  ["__Host-id=x; Secure; Path=/; Domain=localhost", LOCAL],
  ["__Host-id=x; Path=/", LOCAL],
  ["__secure-id=x; Path=/", LOCAL],
  ["id=x; SameSite=None", LOCAL],
  ["id=x; SameSite=None; Secure", LOCAL],
  ["id=x; SameSite=Sometimes", LOCAL],
  ["id=x; Partitioned", LOCAL],
  [`id=${"x".repeat(4093)}`, LOCAL],
  [`id=${"x".repeat(4095)}`, LOCAL],
  ["id=x; Max-Age=99999999", LOCAL],
  ["id=x; Max-Age=soon", LOCAL],
  ["id=x; Max-Age=0", LOCAL],
  ["id=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", LOCAL],
  ["id=x; Path=app", LOCAL],
  ["id=x; Path=/a; Path=/", LOCAL],
  ['id="a b"', LOCAL],
  ["id=x", SITE, "http://app.example/account/settings"],
  ["id=x", SITE, "http://app.example/elsewhere"],
  ["id=x", SITE, "http://api.app.example/account/settings"],
  ["id=x; Domain=app.example; Path=/", SITE, "http://api.app.example/"],
  ["id=x; Domain=.app.example; Path=/", SITE, "http://api.app.example/"],
  ["id=x; Domain=app.example; Path=/", SITE, "http://notapp.example/"],
  ["id=x; Domain=other.example; Path=/", SITE],
  ["id=x; Path=/acc", SITE],
  ["id=x; Path=/account", SITE],
  ["id=x; Secure; Path=/", SITE],
];

describe("Chromium", { skip: browser === undefined && "no Chromium here" }, () => {
  for (const [text, url, to = url.replace("/set", "/get")] of cases) {
    test(`does with ${text.slice(0, 60)} from ${new URL(url).pathname} what was said, towards ${to.replace(`:${port}`, "")}`, async () => {
      const { stdout } = await waxseal(["cookie", "check", `Set-Cookie: ${text}`, "--url", url, "--to", to, "--json"]);
      const [{ outcome, sent }] = JSON.parse(stdout).headers;
      setCookie = text;
      const context = await browser!.newContext();
      const page = await context.newPage();
      await page.goto(url);
      const isStored = (await context.cookies()).length > 0;
      await page.goto(to);
      const isSent = (await page.locator("body").innerText()) !== "";
      await context.close();
      const deletes = sent.why === "its time is over";
      assert.deepEqual(
        { isStored, isSent },
        { isStored: outcome !== "refused" && !deletes, isSent: sent.sent },
        sent.why,
      );
    });
  }
});
