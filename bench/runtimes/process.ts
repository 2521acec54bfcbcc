/** Fresh processes of Node that measure one thing, print it as JSON and end. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { OUT } from "../bundle.js";
import type { Fixture } from "../tokens.js";
import { type Cpus, startOn } from "./cpu.js";

export async function runNode<T>(args: readonly string[], cpus: Cpus): Promise<T> {
  // In an object, for a promise would be awaited before this process is back on its own CPUs.
  const { ended } = await startOn(cpus, async () => ({
    ended: promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 }),
  }));
  return JSON.parse((await ended).stdout) as T;
}

/** The path of a file with the fixture. */
export function writeFixture(fixture: Fixture): string {
  mkdirSync(OUT, { recursive: true });
  const file = join(OUT, "fixture.json");
  writeFileSync(file, JSON.stringify(fixture));
  return file;
}
