/** Headless Chromium: a page that looks at its own clock. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { findChromium, launch } from "../../tests/js/harness/chromium.js";
import { bundle } from "../bundle.js";
import type { Batch } from "../lab.js";
import type { Bench } from "./chromium-page.js";
import { CpuClock, startOn } from "./cpu.js";
import { Asking, type Runtime, type Start } from "./runtime.js";

export const startChromium: Start = async (cpus, control): Promise<Runtime | { missing: string }> => {
  const executable = findChromium();
  if (executable === undefined) return { missing: "Chromium is not installed" };
  const { file } = await bundle("chromium", { entry: "runtimes/chromium-page" });
  const server = createServer((request, response) => {
    // Isolated from other origins, a page gets a clock of 5 instead of 100 microseconds.
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (request.url === "/page.js") {
      response.setHeader("content-type", "text/javascript; charset=utf-8");
      createReadStream(file).pipe(response);
    } else {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { browser, page } = await startOn(cpus, async () => {
    const browser = await launch(executable);
    const page = await browser.newPage();
    // A secure context, as WebCrypto wants one.
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    return { browser, page };
  });
  const cpu = new CpuClock();
  const asking = new Asking(async (batch: Batch) => {
    const before = cpu.now();
    const elapsedMs = await page.evaluate((batch) => (Reflect.get(globalThis, "bench") as Bench).batch(batch), batch);
    const after = cpu.now();
    return { elapsedMs, cpuMs: before === undefined || after === undefined ? undefined : after - before };
  });
  return {
    name: "chromium",
    version: `Chromium ${browser.version()}`,
    async load(fixture) {
      const peers = await page.evaluate(
        ([fixture, control]) => (Reflect.get(globalThis, "bench") as Bench).load(fixture, control),
        [fixture, control] as const,
      );
      await asking.settle();
      return peers;
    },
    batch: (batch) => asking.batch(batch),
    async close() {
      await browser.close();
      server.close();
    },
  };
};
