/** The suite in a runtime of the matrix, which `run-matrix.ts` starts with the address of its server of key sets. */
import { readFileSync, writeFileSync } from "node:fs";
import * as lib from "waxseal";
import { vectors } from "./harness/report.js";
import { runSuites } from "./harness/run-suites.js";
import { suites } from "./suite/index.js";

const [, , keyServer = "", output = ""] = process.argv;
// Made by `run-matrix.ts`, on Node.
const breakable = (): Promise<WebAssembly.Module> => WebAssembly.compile(readFileSync("target/packed/breakable.wasm"));
const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node-esm";
const resolved = import.meta.resolve("waxseal");
if (!resolved.endsWith("/target/packed/node_modules/waxseal/dist/inline.js")) throw new Error(`imported ${resolved}`);
writeFileSync(output, JSON.stringify(await runSuites(suites, lib, { runtime, keyServer, vectors, breakable })));
// A request that a test has left hanging keeps some runtimes alive.
process.exit(0);
