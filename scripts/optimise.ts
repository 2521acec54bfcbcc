/** The last step of a build of WebAssembly. */
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

/**
 * `-Os` compresses best by a little; verification is no slower than with `-O3`, since rustc has done the inlining. To put a
 * function into its only caller makes the module smaller but, for small ones taken together, four per cent harder to
 * compress: similar functions that stay whole resemble each other.
 */
const OPTIMISATIONS = ["-Os", "--one-caller-inline-max-function-size=20", "--strip-debug", "--strip-producers"];

/** Runs Binaryen's wasm-opt, which takes the features from the module. */
export function optimise(from: string, to: string): void {
  const optimiser = resolve("node_modules/binaryen/bin/wasm-opt");
  execFileSync(process.execPath, [optimiser, ...OPTIMISATIONS, from, "-o", to], { stdio: "inherit" });
}
