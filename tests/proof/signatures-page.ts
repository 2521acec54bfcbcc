/** The signatures of vector files in a browser; a runner on Node waits for `outcomes`. */
import { initSync, prove_signature } from "proof-module";
import { runSuites } from "../js/harness/run-suites.js";
import { signatures } from "./signatures-suite.js";

async function run(): Promise<unknown> {
  initSync({ module: await WebAssembly.compileStreaming(fetch("/proof.wasm")) });
  const vectors = async (name: string): Promise<unknown> => {
    const response = await fetch(`/vectors/${name}`);
    return response.ok ? response.json() : undefined;
  };
  return runSuites(signatures(prove_signature), {} as never, { runtime: "chromium", keyServer: "", vectors });
}

Object.assign(globalThis, { outcomes: run() });
