/**
 * What Waxseal is built of: the README's section on it, and the rules for it.
 *
 * `--write` brings the section up to date; otherwise a section that is stale, or a rule that is broken, is a failure.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const README = "README.md";
const BEGIN = "<!-- dependencies: begin (written by `node scripts/run.mjs scripts/supply.ts --write`) -->\n";
const END = "<!-- dependencies: end -->";

/** Why each crate that is asked for by name came in. */
const WHY: Record<string, string> = {
  anyhow: "named by a trait of jwt-compact",
  base64ct: "base64 of private keys in constant time",
  getrandom: "random bytes from the host, for keys, `jti` and session names",
  hmac: "authenticates copies of key sets in a store",
  "js-sys": "JavaScript's own types, for the bindings",
  "jwt-compact": "builds and signs tokens",
  p256: "signs ES256 in constant time",
  serde_json: "writes claims; what reads them is our own",
  sha2: "SHA-256",
  siphasher: "finds duplicate members of large objects, under a random key",
  talc: "the module's allocator: small and fast",
  "wasm-bindgen": "the bindings to JavaScript",
  zeroize: "wipes private keys",
};

const faults: string[] = [];

/** `cargo tree` of what is compiled into the module. Macros run when it is built, and are not in it. */
function tree(...options: string[]): string[] {
  const shipped = [
    "--package=waxseal",
    "--features=js",
    "--target=wasm32-unknown-unknown",
    "--edges=normal,no-proc-macro",
  ];
  const text = execFileSync("cargo", ["tree", "--locked", "--quiet", ...shipped, ...options], { encoding: "utf8" });
  return text
    .replaceAll(/ \(\/[^)]*\)/g, "")
    .trimEnd()
    .split("\n");
}

function section(): string {
  const crates = new Set(tree("--prefix=none", "--no-dedupe"));
  // Name to version. Those of our own crates count as the package's.
  const asked = new Map<string, string>();
  for (const line of tree("--prefix=depth", "--no-dedupe")) {
    const [, depth = "", name = "", version = ""] = /^(\d+)(\S+) v(\S+)/.exec(line) ?? [];
    if (depth === "1" || (depth === "2" && name === "siphasher")) asked.set(name, version);
  }
  const own = ["waxseal", ...asked.keys()].filter((name) => name.startsWith("waxseal"));
  const others = [...asked.keys()].filter((name) => !own.includes(name)).sort();
  const rows = others.map((name) => {
    if (WHY[name] === undefined) faults.push(`scripts/supply.ts does not say why ${name} came in`);
    return `| \`${name}\` | ${asked.get(name)} | ${WHY[name]} |`;
  });
  for (const name of Object.keys(WHY)) {
    if (!asked.has(name)) faults.push(`scripts/supply.ts says why ${name} came in, which is not there`);
  }
  return [
    `The npm package has no dependencies. Its module is compiled from ${own.length} crates of this repository and ${crates.size - own.length} others, of which`,
    `${others.length} are asked for by name:`,
    "",
    "| crate | version | what for |",
    "|---|---|---|",
    ...rows,
    "",
    "<details><summary>The whole tree</summary>",
    "",
    "```text",
    ...tree(),
    "```",
    "",
    "</details>",
    "",
  ].join("\n");
}

function files(...patterns: string[]): string[] {
  return execFileSync("git", ["ls-files", "--", ...patterns], { encoding: "utf8" })
    .trim()
    .split("\n");
}

const json = (path: string): any => JSON.parse(readFileSync(path, "utf8"));

/** Versions are exact, and what is downloaded is known by its hash. */
function checkVersions(): void {
  for (const path of files("package.json", "*/package.json")) {
    const { dependencies = {}, devDependencies = {}, workspaces } = json(path) as Record<string, any>;
    for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
      const local = version === "*" || version.startsWith("file:");
      if (!local && !/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        faults.push(`${path}: ${name} is not an exact version`);
    }
    if (workspaces === undefined && path === "pkg/package.json" && Object.keys(dependencies).length > 0) {
      faults.push(`${path}: the package that is published has dependencies`);
    }
  }
  for (const path of files("package-lock.json", "*/package-lock.json")) {
    for (const [name, entry] of Object.entries<any>(json(path).packages)) {
      const downloaded = name.includes("node_modules/") && entry.link !== true && entry.inBundle !== true;
      if (downloaded && !/^sha512-/.test(entry.integrity ?? "")) faults.push(`${path}: ${name} has no hash`);
    }
  }
  for (const path of files("Cargo.lock", "*/Cargo.lock")) {
    for (const entry of readFileSync(path, "utf8").split("\n\n")) {
      const [source] = /^source = .*$/m.exec(entry) ?? [];
      const good =
        source === 'source = "registry+https://github.com/rust-lang/crates.io-index"' && /^checksum = /m.test(entry);
      if (source !== undefined && !good)
        faults.push(`${path}: ${/^name = .*$/m.exec(entry)?.[0]} has no checksum of crates.io`);
    }
  }
  const exact = /^wasm-bindgen = .*"=\d+\.\d+\.\d+"/m;
  if (!exact.test(readFileSync("Cargo.toml", "utf8"))) faults.push("Cargo.toml: wasm-bindgen is not an exact version");
  if (!/^channel = "\d+\.\d+\.\d+"$/m.test(readFileSync("rust-toolchain.toml", "utf8"))) {
    faults.push("rust-toolchain.toml: the toolchain is not an exact version");
  }
}

checkVersions();
const found = readFileSync(README, "utf8");
const [before, rest = ""] = found.split(BEGIN);
const after = rest.split(END)[1];
if (after === undefined) throw new Error(`${README} has no place for its dependencies`);
const wanted = `${before}${BEGIN}\n${section()}\n${END}${after}`;
if (process.argv.includes("--write")) writeFileSync(README, wanted);
else if (found !== wanted) faults.push(`${README}: the dependencies are stale: run scripts/supply.ts with --write`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exitCode = 1;
}
