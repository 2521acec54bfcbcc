/**
 * The reference of the interface, from the declarations that are packed. It fails where an exported name has no documentation,
 * or speaks of a type that cannot be imported.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const TOOLS = "scripts/reference";
const OUT = "target/reference";

type Conditions = { readonly types: string } | { readonly import: { readonly types: string } };

const manifest = JSON.parse(readFileSync("pkg/package.json", "utf8")) as {
  exports: Record<string, Conditions | string>;
};
const declarations = Object.values(manifest.exports)
  .filter((conditions) => typeof conditions === "object")
  .map((conditions) => ("import" in conditions ? conditions.import.types : conditions.types));
const files = [...new Set(declarations)].map((types) => resolve("pkg", types));

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const compilerOptions = {
  strict: true,
  module: "NodeNext",
  target: "ES2022",
  lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable"],
  skipLibCheck: true,
  types: [],
};
writeFileSync(join(OUT, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));

// npm ci takes longer than all the rest.
const stamp = join(TOOLS, "node_modules/.stamp");
if (!existsSync(stamp) || statSync(join(TOOLS, "package-lock.json")).mtimeMs > statSync(stamp).mtimeMs) {
  execFileSync("npm", ["ci", "--prefix", TOOLS, "--no-audit", "--no-fund", "--loglevel=error"], { stdio: "inherit" });
  writeFileSync(stamp, "");
}
const typedoc = resolve(TOOLS, "node_modules/typedoc/bin/typedoc");
const entries = files.flatMap((file) => ["--entryPoints", file]);
execFileSync(process.execPath, [typedoc, "--options", join(TOOLS, "typedoc.json"), ...entries], { stdio: "inherit" });
console.log(join(OUT, "html/index.html"));
