/** Optimises the build for proofs as the published one is: `node scripts/run.mjs tests/proof/optimise.ts <from> <to>`. */
import { optimise } from "../../scripts/optimise.js";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error("usage: optimise.ts <from> <to>");
optimise(from, to);
