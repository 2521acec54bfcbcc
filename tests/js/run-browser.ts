/** The suite in headless Chromium. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { breakable } from "./harness/breakable.js";
import { bundle } from "./harness/bundle.js";
import { findChromium, launch } from "./harness/chromium.js";
import { startKeyServer } from "./harness/key-server.js";
import { missing, readVectors, report } from "./harness/report.js";
import type { Outcome } from "./harness/run-suites.js";

const SCRIPT = "target/packed/run/browser/page.js";

async function run(executable: string): Promise<Outcome[]> {
  await bundle({
    entry: "tests/js/harness/page.ts",
    outfile: SCRIPT,
    conditions: ["browser", "module"],
    expected: "browser.js",
  });
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(
        '<!doctype html><title>Waxseal</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      );
    } else if (path === "/page.js") {
      response.setHeader("content-type", "text/javascript; charset=utf-8");
      createReadStream(SCRIPT).pipe(response);
    } else if (path === "/breakable.wasm") {
      response.setHeader("content-type", "application/wasm");
      response.end(await breakable());
    } else {
      const text = path.startsWith("/vectors/") ? await readVectors(path.slice("/vectors/".length)) : undefined;
      response.statusCode = text === undefined ? 404 : 200;
      response.end(text);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const keys = await startKeyServer();
  const browser = await launch(executable);
  try {
    const page = await browser.newPage();
    page.on("console", (message) => console.log(`# ${message.type()}: ${message.text()}`));
    const failure = new Promise<never>((_resolve, reject) => {
      page.on("pageerror", reject);
      page.on("crash", () => reject(new Error("the page crashed")));
    });
    // A secure context, as WebCrypto wants one.
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/?keys=${keys.url}`);
    const outcomes = page.evaluate(() => Reflect.get(globalThis, "outcomes") as Promise<Outcome[]>);
    return await Promise.race([outcomes, failure]);
  } finally {
    await browser.close();
    await keys.close();
    server.close();
  }
}

const executable = findChromium();
if (executable === undefined) await missing("chromium", "Chromium is not installed");
else await report("chromium", await run(executable));
