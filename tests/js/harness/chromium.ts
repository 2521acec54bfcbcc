/** Finds and starts Chromium without letting it talk to anybody but the tests. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser's program, from `$CHROMIUM` or where distributions put it. */
export function findChromium(): string | undefined {
  return process.env["CHROMIUM"] ?? PLACES.find((path) => existsSync(path));
}

export async function launch(executablePath: string, ...more: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-default-apps",
      "--disable-sync",
      "--no-first-run",
      ...more,
    ],
  });
}
