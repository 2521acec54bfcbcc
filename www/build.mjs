// Bundles the page into www/dist: three kinds of static files, to be served from any path. `--serve` serves them on
// 127.0.0.1 and builds again on each load. The library must have been built before (`make build`).

import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

const options = {
  absWorkingDir: here,
  // The entry points' names are those that index.html asks for.
  entryPoints: { main: "src/main.ts" },
  outdir: dist,
  bundle: true,
  format: "esm",
  platform: "browser",
  target: ["es2022", "safari16.4"],
  minify: true,
  charset: "utf8",
  logLevel: "warning",
};
const styles = { ...options, entryPoints: { main: "style/main.css" }, format: undefined };

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
for (const [from, to] of [
  ["index.html", "index.html"],
  ["static/seal.svg", "seal.svg"],
]) {
  await copyFile(join(here, from), join(dist, to));
}

if (process.argv.includes("--serve")) {
  for (const one of [options, styles]) await (await context(one)).watch();
  const server = await context({ absWorkingDir: here, entryPoints: [], write: false });
  const { port } = await server.serve({ host: "127.0.0.1", port: 8080, servedir: dist });
  console.log(`http://127.0.0.1:${port}/`);
} else {
  await Promise.all([build(options), build(styles)]);
}
