/** The suite in headless Chromium. */
import { readFileSync } from "node:fs";
import { breakable } from "./harness/breakable.js";
import { bundle } from "./harness/bundle.js";
import { findChromium } from "./harness/chromium.js";
import { withPage } from "./harness/hosts.js";
import { startKeyServer } from "./harness/key-server.js";
import { missing, report } from "./harness/report.js";
import type { Outcome } from "./harness/run-suites.js";

const SCRIPT = "target/packed/run/browser/page.js";

async function run(executable: string): Promise<Outcome[]> {
  await bundle({
    entry: "tests/js/harness/page.ts",
    outfile: SCRIPT,
    conditions: ["browser", "module"],
    expected: "browser.js",
  });
  const keys = await startKeyServer();
  try {
    const parts = {
      executable,
      script: readFileSync(SCRIPT, "utf8"),
      wasm: { "breakable.wasm": await breakable() },
      query: `?keys=${keys.url}`,
    };
    return await withPage(parts, (page) =>
      page.evaluate(() => Reflect.get(globalThis, "outcomes") as Promise<Outcome[]>),
    );
  } finally {
    await keys.close();
  }
}

const executable = findChromium();
if (executable === undefined) await missing("chromium", "Chromium is not installed");
else await report("chromium", await run(executable));
