/** The last step of a build of WebAssembly. */
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

/**
 * `-Os` compresses best by a little; verification is no slower than with `-O3`, since rustc has done the inlining. To put a
 * function into its only caller makes the module smaller but, for small ones taken together, four per cent harder to
 * compress: similar functions that stay whole resemble each other. By name, the copies of a generic function stand
 * together. The lowest kilobyte of memory is unused: it is the far end of the stack, which grows towards it.
 */
const OPTIMISATIONS = [
  "-Os",
  "--one-caller-inline-max-function-size=20",
  "--low-memory-unused",
  "--reorder-functions-by-name",
];

const STRIP = ["--strip-debug", "--strip-producers"];

/**
 * Runs Binaryen's wasm-opt, which takes the features from the module.
 *
 * @param symbols Where to leave the names of the functions, by their index: profiles of what is published need them.
 */
export function optimise(from: string, to: string, symbols?: string): void {
  const optimiser = resolve("node_modules/binaryen/bin/wasm-opt");
  const names = symbols === undefined ? [] : [`--symbolmap=${symbols}`];
  const parameters = [...OPTIMISATIONS, ...names, ...STRIP, from, "-o", to];
  execFileSync(process.execPath, [optimiser, ...parameters], { stdio: "inherit" });
}
