// Tokens of vector files, each with the keys that belong to it: Wycheproof's JWS, JWK, JSON Web Crypto and JWE files, and the
// cookbook of RFC 7520.

import { equal } from "../harness/assert.js";
import type { Harness, Library } from "../harness/types.js";
import { Ledger } from "./ledger.js";
import type { Members, Verifier, VerifierOptions } from "./support.js";
import { outcome } from "./vectors-keys.js";

/** The moment at which RFC 7515's tokens are one second from their end. */
export const RFC_MOMENT = 1_300_819_379;

export async function verifierOf(lib: Library, keys: unknown): Promise<Verifier> {
  return lib.createVerifier({ keys, issuer: null, audience: null, clock: () => RFC_MOMENT } as VerifierOptions);
}

/** Everything a caller does: read the keys, and verify. A payload that is no claims set is refused after its signature. */
async function signatureVerifies(lib: Library, keys: unknown, token: string): Promise<boolean> {
  let verifier: Verifier;
  try {
    verifier = await verifierOf(lib, keys);
  } catch (error) {
    // Keys that are refused verify nothing.
    if (error instanceof lib.WaxsealError && error.code.startsWith("ERR_KEY_")) return false;
    throw error;
  }
  try {
    verifier.verify(token);
    return true;
  } catch (error) {
    if (!(error instanceof lib.WaxsealError)) throw error;
    return error.step === "claims" || error.step === "policy";
  } finally {
    verifier.dispose();
  }
}

interface Wycheproof {
  testGroups: {
    public?: Members | string;
    private?: Members | string;
    tests: { tcId: number; jws?: unknown; jwe?: unknown; result: string }[];
  }[];
}

/** A symmetric key has no public half; it is offered all the same, and must be refused. */
const keysOf = ({ public: given, private: own }: Wycheproof["testGroups"][number]): unknown => {
  const keys = given ?? own;
  return typeof keys === "string" ? JSON.parse(keys) : keys;
};

export async function tokens(h: Harness, lib: Library, file: string, { testGroups }: Wycheproof): Promise<void> {
  const ledger = new Ledger(file);
  for (const group of testGroups) {
    for (const { tcId, jws, result } of group.tests) {
      // What is not text is JSON serialization.
      const token = typeof jws === "string" ? jws : JSON.stringify(jws ?? null);
      ledger.case(tcId, result === "valid", await signatureVerifies(lib, keysOf(group), token));
    }
  }
  h.verdicts(ledger.finish());
}

export async function encrypted(h: Harness, lib: Library, file: string, { testGroups }: Wycheproof): Promise<void> {
  const ledger = new Ledger(file);
  for (const group of testGroups) {
    for (const { tcId, jwe, result } of group.tests) {
      const token = typeof jwe === "string" ? jwe : JSON.stringify(jwe);
      const { value } = outcome(lib, () => lib.decodeUnverified(token));
      equal(value, undefined, `case ${tcId} is not even read`);
      ledger.case(tcId, result === "valid", await signatureVerifies(lib, keysOf(group), token));
    }
  }
  h.verdicts(ledger.finish());
}

interface Cookbook {
  files: Record<string, { input: { key: Members }; output?: { compact?: string; json?: unknown } }>;
}

export async function cookbook(h: Harness, lib: Library, file: string, { files }: Cookbook): Promise<void> {
  const ledger = new Ledger(file);
  for (const [name, example] of Object.entries(files)) {
    const given: unknown = name.startsWith("jwk/") ? example : example.input.key;
    // Of keys the public half is what verifies; a list of keys, as encryption for several has it, is none.
    const key = outcome(lib, () => lib.publicJwk(given as never)).value;
    const { compact, json } = example.output ?? {};
    const token = compact ?? JSON.stringify(json ?? null);
    const accepted = key !== undefined && (name.startsWith("jwk/") || (await signatureVerifies(lib, key, token)));
    ledger.case(name, true, accepted);
  }
  h.verdicts(ledger.finish());
}
