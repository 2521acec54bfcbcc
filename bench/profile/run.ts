/** `make bench-profile`: which functions the time of a verification goes to. */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { grouped } from "../report.js";
import { canPin } from "../runtimes/cpu.js";
import { makeFixture, SUITES } from "../tokens.js";
import { besidesSignature, PARTS, profile } from "./profile.js";

const HELP = `make bench-profile ARGS="..."

  --alg NAME     ${SUITES.map(({ name }) => name).join(", ")}; may be given more than once
  --seconds N    how long the profiler watches (default 5)
  --least N      functions with a smaller share, in per cent, are left out (default 0.5)

The profiles are also in target/bench/*.cpuprofile, for the developer tools of Chromium.`;

const { values } = parseArgs({
  options: {
    alg: { type: "string", multiple: true },
    seconds: { type: "string", default: "5" },
    least: { type: "string", default: "0.5" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
} else {
  mkdirSync("target/bench", { recursive: true });
  for (const suite of SUITES) {
    if (values.alg !== undefined && !values.alg.includes(suite.name)) continue;
    const file = `target/bench/${suite.name}.cpuprofile`;
    const fixture = makeFixture({ ...suite, pool: suite.pool / 4 });
    const ms = Number(values.seconds) * 1000;
    const { profile: result, work } = await profile(fixture, ms, canPin() ? "one" : "all", file);
    const { totalUs, partsUs, samples } = result;
    console.log(`\n${suite.name}: ${totalUs} us of CPU for one verification, ${samples} samples`);
    console.log(`everything but the signature's arithmetic: ${besidesSignature(result)} us`);
    const byPart = grouped(work, ({ part }) => part);
    for (const part of PARTS) {
      console.log(`\n${part}: ${partsUs[part]} us`);
      for (const { name, share } of byPart.get(part) ?? []) {
        if (share * 100 < Number(values.least)) continue;
        const us = (share * totalUs).toFixed(2).padStart(9);
        console.log(`${us} us ${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
      }
    }
  }
}
