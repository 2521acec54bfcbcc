/** How large a Worker becomes by a library, as a bundler makes it: minified, the WebAssembly beside it. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { LIBRARIES, type Library, workerWith } from "./starts.js";

/** In bytes; gzip at its highest level, as Workers are measured when they are deployed. */
export interface Size {
  readonly raw: number;
  readonly gzip: number;
}

export interface Sizes {
  readonly workers: Readonly<Record<Library | "nothing", { readonly js: Size; readonly wasm: Size }>>;
  /** What is downloaded from the registry. */
  readonly tarball: number;
}

export async function sizes(): Promise<Sizes> {
  const workers: Partial<Record<Library | "nothing", { js: Size; wasm: Size }>> = {};
  for (const name of [...LIBRARIES, "nothing"] as const) {
    const { file, wasm } = await workerWith(name);
    workers[name] = {
      js: size(readFileSync(file)),
      wasm: wasm ? size(readFileSync(join(dirname(file), "waxseal.wasm"))) : { raw: 0, gzip: 0 },
    };
  }
  return { workers: workers as Sizes["workers"], tarball: statSync("target/packed/waxseal.tgz").size };
}

function size(bytes: Buffer): Size {
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}
