/**
 * Packs `pkg` as it would be published, and installs the tarball where the tests import it: files that `npm pack` leaves
 * out are missing there too. Result: target/packed/waxseal.tgz and target/packed/node_modules/waxseal.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";

const PACKED = "target/packed";
const STAGE = "target/package";
const INSTALLED = join(PACKED, "node_modules/waxseal");

/** What may be in the tarball besides package.json. */
const ALLOWED =
  /^package\/(package\.json|README\.md|LICENSE-(MIT|APACHE)|dist\/[a-z0-9-]+\.(js|cjs|wasm)|dist\/types\/[\w/-]+\.d\.c?ts)$/;

rmSync(STAGE, { recursive: true, force: true });
mkdirSync(STAGE, { recursive: true });
mkdirSync(PACKED, { recursive: true });
cpSync("pkg/package.json", join(STAGE, "package.json"));
cpSync("pkg/dist", join(STAGE, "dist"), { recursive: true });
cpSync(existsSync("pkg/README.md") ? "pkg/README.md" : "README.md", join(STAGE, "README.md"));
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(licence, join(STAGE, licence));
// Whoever builds has a umask of their own, and npm packs modes: what is published may be read by everybody, and is the same always.
for (const path of readdirSync(STAGE, { recursive: true, encoding: "utf8" }).map((name) => join(STAGE, name))) {
  chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
}

const { version } = JSON.parse(readFileSync("pkg/package.json", "utf8")) as { version: string };
execFileSync("npm", ["pack", "--silent", "--pack-destination", "../packed"], {
  cwd: STAGE,
  stdio: ["ignore", "ignore", "inherit"],
});
const tarball = join(PACKED, "waxseal.tgz");
renameSync(join(PACKED, `waxseal-${version}.tgz`), tarball);

const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
const stray = files.filter((file) => !ALLOWED.test(file));
if (stray.length > 0) throw new Error(`files that do not belong in the tarball: ${stray.join(", ")}`);
for (const file of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "dist/waxseal.wasm"]) {
  if (!files.includes(`package/${file}`)) throw new Error(`${file} is missing from the tarball`);
}

rmSync(INSTALLED, { recursive: true, force: true });
mkdirSync(INSTALLED, { recursive: true });
execFileSync("tar", ["-xzf", tarball, "-C", INSTALLED, "--strip-components=1"]);
console.log(`${tarball}: ${files.length} files`);
