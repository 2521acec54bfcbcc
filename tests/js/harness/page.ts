/** The page's script that runs the suite in a browser; a runner on Node waits for `outcomes`. */
import * as lib from "waxseal";
import { suites } from "../suite/index.js";
import { runSuites } from "./run-suites.js";

const vectors = async (name: string): Promise<unknown> => {
  const response = await fetch(`/vectors/${name}`);
  return response.ok ? response.json() : undefined;
};

const breakable = async (): Promise<WebAssembly.Module> => WebAssembly.compileStreaming(fetch("/breakable.wasm"));

async function run(): Promise<unknown> {
  // Browsers compile asynchronously; the suite calls synchronous functions.
  await lib.init();
  const keyServer = new URL(location.href).searchParams.get("keys") ?? "";
  return runSuites(suites, lib, { runtime: "chromium", keyServer, vectors, breakable });
}

Object.assign(globalThis, { outcomes: run() });
