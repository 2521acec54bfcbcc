// JSONTestSuite in the header and in the claims of tokens that are signed, so that what is refused is refused for its form.

import { deepEqual } from "../harness/assert.js";
import type { Harness, Library } from "../harness/types.js";
import { Ledger } from "./ledger.js";
import { NOW, concat, ec, fromBase64url, makeVerifier, signed, utf8 } from "./support.js";
import { outcome } from "./vectors-keys.js";

interface JsonTest {
  readonly file: string;
  readonly expect: "accept" | "reject" | "implementation-defined";
  readonly b64?: string;
  /** The two longest are given as a piece to repeat up to a length. */
  readonly repeat?: readonly [string];
  readonly len?: number;
}

/** As long as a token may be, with room for the rest of it; base64url makes four characters of three octets. */
const LONGEST = 48_000;

function textOf({ b64, repeat, len = 0 }: JsonTest): Uint8Array {
  if (b64 !== undefined) return fromBase64url(b64);
  const [piece] = repeat ?? [""];
  return utf8(piece.repeat(Math.min(len, LONGEST) / piece.length));
}

/** Puts a text into an object as its last member, so that nothing may follow it. */
function within(member: string, text: Uint8Array): Uint8Array {
  return concat(utf8(`{${member},"x":`), text, utf8("}"));
}

export async function json(h: Harness, lib: Library, file: string, { tests }: { tests: JsonTest[] }): Promise<void> {
  const keys = await ec();
  const verifier = await makeVerifier(lib, { maxTokenLength: 65_536, issuer: null, audience: null });
  for (const place of ["header", "claims"] as const) {
    const ledger = new Ledger(`${file} in ${place === "header" ? "a header" : "claims"}`);
    for (const test of tests) {
      const text = textOf(test);
      const exp = `"exp":${NOW + 60}`;
      const token =
        place === "header"
          ? await signed(keys, `{${exp}}`, within('"alg":"ES256"', text))
          : await signed(keys, within(exp, text), '{"alg":"ES256"}');
      const { value } = outcome(lib, () => verifier.verify(token));
      ledger.case(test.file, test.expect === "accept", value !== undefined);
      if (value !== undefined && test.expect === "accept") {
        deepEqual(value[place]["x"], JSON.parse(new TextDecoder().decode(text)), test.file);
      }
    }
    h.verdicts(ledger.finish());
  }
}
