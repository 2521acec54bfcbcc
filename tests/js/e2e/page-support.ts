/** What the tests in Chromium do on the Worker's page. */

import type { Page } from "playwright-core";
import { USERNAME } from "./support.js";

export async function signIn(page: Page, password: string, username = USERNAME): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Waits until the page shows that somebody is signed in. */
export function signedIn(page: Page): Promise<void> {
  return page.getByRole("heading", { name: "Signed in", exact: true }).waitFor();
}

/** Waits until the page shows that nobody is. */
export function signedOut(page: Page): Promise<void> {
  return page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
}
