// Files of signatures over bare messages, which no token can carry, through what verifies tokens: the release build with the
// feature `proof` exports it for any message. Verdicts are those of the native tests, by the same tables.

import type { Suite } from "../js/harness/types.js";
import { Ledger } from "../js/suite/ledger.js";
import { SIGNATURES } from "../js/suite/vectors-signatures.js";

/** Whether a signature verifies; nothing for a key that is refused. See src/bindings/proof.rs. */
export type ProveSignature = (jwk: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean | undefined;

/** The suite, for what the build exports. */
export const signatures = (prove: ProveSignature): Record<string, Suite> => ({
  async signatures(h) {
    for (const [file, read] of Object.entries(SIGNATURES)) {
      const content = await h.vectors(file);
      if (content === undefined) {
        h.skip(`the vectors of ${file}`, "the file is not there");
        continue;
      }
      h.test(`${file}: signatures are judged as the native tests judge them`, () => {
        const ledger = new Ledger(file);
        for (const { id, key, message, signature, valid } of read(content as never)) {
          const jwk = new TextEncoder().encode(JSON.stringify(key));
          ledger.case(id, valid, prove(jwk, message, signature) === true);
        }
        h.verdicts(ledger.finish());
      });
    }
  },
});
