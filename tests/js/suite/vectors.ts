// Published vectors, through the public interface: every file of the collection that concerns what is exported. What is
// judged otherwise than its file says stands in tests/vectors/ with its reason, the same for the native tests.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Harness, Library, Suite } from "../harness/types.js";
import { Ledger } from "./ledger.js";
import type { Members } from "./support.js";
import { built, sent } from "./vectors-cookies.js";
import { json } from "./vectors-json.js";
import { KEY_FILES, PRIVATE_KEY_FILES } from "./vectors-keys.js";
import { cookbook, encrypted, tokens, verifierOf } from "./vectors-tokens.js";

type Try = (h: Harness, lib: Library, file: string, content: never) => void | Promise<void>;

const TOKENS: Record<string, Try> = { "tokens verify with the keys that belong to them, and no others": tokens };

/** What is tried of each file, by the sentence that it proves. */
const FILES: Record<string, Record<string, Try>>[] = [
  KEY_FILES,
  PRIVATE_KEY_FILES,
  {
    "wycheproof/json_web_signature_test.json": TOKENS,
    "wycheproof/json_web_key_test.json": TOKENS,
    "wycheproof/json_web_crypto_test.json": TOKENS,
    "wycheproof/json_web_encryption_test.json": { "an encrypted token is refused, and not even read": encrypted },
    "rfc7520_cookbook.json": { "keys and signatures are accepted where they are of ES256 and RS256": cookbook },
    "json_test_suite.json": { "headers and claims are read strictly, to what JSON.parse gives": json },
    "wpt_cookies.json": {
      "what browsers refuse is not built, and what they keep is": built,
      "what browsers send is read pair by pair": sent,
    },
  },
];

interface RfcExamples {
  jws: { appendix: string; alg: string; public: Members; token: string; payload: string }[];
  jwk_public_rfc7517_A1: { keys: Members[]; thumbprints: string[] };
  jwk_private_rfc7517_A2: { keys: Members[] };
  jwk_x5c_rfc7517_B: Members & { x5c: string[] };
  thumbprint_rfc7638: { jwk: Members; sha256: string };
}

function rfcs(h: Harness, lib: Library, file: string, examples: RfcExamples): void {
  h.test(
    "RFC 7515 appendices A.2 and A.3: the tokens verify, until they expire and unless they are changed",
    async () => {
      const ledger = new Ledger(file);
      for (const { appendix, alg, public: jwk, token, payload } of examples.jws) {
        const verifier = await verifierOf(lib, jwk);
        const result = verifier.verify(token);
        deepEqual(result.claims, JSON.parse(payload));
        deepEqual(result.header, { alg });
        throws(() => verifier.verify(token, { now: 1_300_819_380 }), "ERR_TOKEN_EXPIRED");
        throws(() => verifier.verify(token.replace(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Yi")), "ERR_SIGNATURE_INVALID");
        ledger.case(appendix, true, true);
      }
      h.verdicts(ledger.finish());
    },
  );

  h.test(
    "RFC 7517 appendix A.1: thumbprints are those of the published keys, and the key for encryption is not used",
    async () => {
      const { keys, thumbprints } = examples.jwk_public_rfc7517_A1;
      deepEqual(
        keys.map((jwk) => lib.thumbprint({ ...jwk, use: "sig" } as never)),
        thumbprints,
      );
      ok(await verifierOf(lib, { keys }));
      await rejects(verifierOf(lib, keys[0]), "ERR_KEY_UNSUPPORTED");
    },
  );

  h.test("RFC 7517 appendix A.2: private keys are no verification keys", async () => {
    for (const jwk of examples.jwk_private_rfc7517_A2.keys) await rejects(verifierOf(lib, jwk), "ERR_KEY_PRIVATE");
  });

  h.test("RFC 7517 appendix B: the JWK with a certificate is usable, and so is the certificate as PEM", async () => {
    const { x5c, ...jwk } = examples.jwk_x5c_rfc7517_B;
    ok(await verifierOf(lib, { ...jwk, x5c }));
    const lines = (x5c[0] as string).match(/.{1,64}/g)?.join("\n");
    ok(await verifierOf(lib, `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`));
  });

  h.test("RFC 7638 section 3.1: the thumbprint", () => {
    equal(lib.thumbprint(examples.thumbprint_rfc7638.jwk as never), examples.thumbprint_rfc7638.sha256);
  });
}

export const vectors: Suite = async (h, lib) => {
  const load = async (file: string, declare: (content: never) => void): Promise<void> => {
    const content = await h.vectors(file);
    if (content === undefined) h.skip(`the vectors of ${file}`, "the file is not there");
    else declare(content as never);
  };
  await load("rfc_jose_examples.json", (content) => rfcs(h, lib, "rfc_jose_examples.json", content));
  for (const [file, tests] of FILES.flatMap((files) => Object.entries(files))) {
    await load(file, (content) => {
      for (const [sentence, run] of Object.entries(tests)) {
        h.test(`${file}: ${sentence}`, async () => {
          await lib.init();
          await run(h, lib, file, content);
        });
      }
    });
  }
};
