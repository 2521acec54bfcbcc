/**
 * The reference of the interface, from the declarations that are packed: one module for each path that can be imported.
 * It fails where an exported name has no documentation, or links to what is not there.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const TOOLS = "scripts/reference";
const ENTRIES = "target/reference/entries";

type Conditions = { readonly types: string } | { readonly import: { readonly types: string } };

const manifest = JSON.parse(readFileSync("pkg/package.json", "utf8")) as { exports: Record<string, Conditions> };

rmSync("target/reference", { recursive: true, force: true });
for (const [path, conditions] of Object.entries(manifest.exports)) {
  // Others are no modules, or are the first one loaded otherwise.
  if (typeof conditions !== "object" || ["./slim", "./workerd"].includes(path)) continue;
  const name = path.replace(/^\./, "waxseal");
  const { types } = "import" in conditions ? conditions.import : conditions;
  const file = join(ENTRIES, `${path === "." ? "waxseal/index" : name}.d.ts`);
  // By its place, for what is in node_modules is not the reference's own.
  const declarations = relative(dirname(file), join("pkg", types)).replace(/\.d\.ts$/, ".js");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `/** @module ${name} */\nexport * from "${declarations}";\n`);
}
const compilerOptions = {
  strict: true,
  module: "NodeNext",
  target: "ES2022",
  lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable"],
  skipLibCheck: true,
  types: [],
};
writeFileSync(join(ENTRIES, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.d.ts"] }));
writeFileSync(join(ENTRIES, "package.json"), '{ "name": "waxseal", "type": "module" }');

execFileSync("npm", ["ci", "--prefix", TOOLS, "--no-audit", "--no-fund", "--loglevel=error"], { stdio: "inherit" });
const typedoc = resolve(TOOLS, "node_modules/typedoc/bin/typedoc");
execFileSync(process.execPath, [typedoc, "--options", join(TOOLS, "typedoc.json")], { stdio: "inherit" });
console.log("target/reference/html/index.html");
