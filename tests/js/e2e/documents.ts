/** The programs in the README and in docs/, taken out of them. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";

/** Beside the installed tarball, so that `import "waxseal"` means the packed package. */
export const DIRECTORY = resolve("target/packed/documents");

/** A fenced block. */
export interface Block {
  readonly name: string;
  readonly code: string;
}

/** The blocks of a language in a file. */
export function blocks(file: string, language = "ts"): Block[] {
  return [...readFileSync(file, "utf8").matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, code = ""], index) => ({ name: `${basename(file, ".md")}-${index}`, code }),
  );
}

/** Strips the types of a program and imports it, with its surroundings as globals. */
export async function run<T>({ name, code }: Block, given: Record<string, unknown> = {}): Promise<T> {
  Object.assign(globalThis, given);
  mkdirSync(DIRECTORY, { recursive: true });
  const file = join(DIRECTORY, `${name}.mjs`);
  writeFileSync(file, (await transform(code, { loader: "ts" })).code);
  return (await import(pathToFileURL(file).href)) as T;
}

/** The cookies that an answer has set, as a request sends them, with those that the client held before. */
export function cookiesOf(setCookies: string[], held = ""): string {
  const pairs = [...held.split("; "), ...setCookies.map((line) => line.split(";")[0] ?? "")].filter(
    (pair) => pair !== "",
  );
  return [...new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair])).values()].join("; ");
}
