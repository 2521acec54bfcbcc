/**
 * Prints the verdicts on vector files that the last runs have found: `node scripts/run.mjs tests/vectors/table.ts [--native]`.
 * With `--native` it runs the native tests first.
 */
import { execFileSync } from "node:child_process";
import { NATIVE, printVerdicts } from "./found.js";

if (process.argv[2] === "--native") {
  const tests = ["json_vectors", "jwk_vectors", "jws_vectors", "wpt_cookies"].flatMap((name) => ["--test", name]);
  execFileSync("cargo", ["test", "--quiet", "--package", "waxseal", ...tests], {
    stdio: "inherit",
    env: { ...process.env, WAXSEAL_VERDICTS: `${process.cwd()}/${NATIVE}` },
  });
}
if (!printVerdicts()) process.exitCode = 1;
