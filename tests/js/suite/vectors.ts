// Published vectors, through the public interface: RFC 7515, 7517, 7520, 7638, Wycheproof's JWS and JWK files, and
// JSONTestSuite. What is not supported or judged otherwise stands in a table with its reason; a row that no longer
// applies fails as well.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Harness, Library, Suite } from "../harness/types.js";
import { base64url, fromBase64url, utf8 } from "./support.js";
import type { Members, Verifier, VerifierOptions } from "./support.js";

interface Wycheproof {
  testGroups: {
    comment: string;
    public?: Members | string;
    private?: Members | string;
    tests: { tcId: number; comment: string; jws: string | Members; result: "valid" | "invalid" | "acceptable" }[];
  }[];
}

/** Algorithms that are not supported on purpose: their groups must be refused whole, valid cases too. */
const UNSUPPORTED: Record<string, string> = {
  HS256: "symmetric keys are not supported",
  HS384: "symmetric keys are not supported",
  HS512: "symmetric keys are not supported",
  RS384: "only RS256 is supported for RSA",
  RS512: "only RS256 is supported for RSA",
  PS256: "only RS256 is supported for RSA",
  PS384: "only RS256 is supported for RSA",
  PS512: "only RS256 is supported for RSA",
  ES521: "only P-256 is supported (and the file means ES512)",
};

/** Other cases that Wycheproof judges otherwise than Waxseal, by file and number. There is none. */
const DIVERGENCES: Record<string, Record<string, string>> = {
  "json_web_signature_test.json": {},
  "json_web_key_test.json": {},
};

/** Files of JSONTestSuite that must parse by RFC 8259 and are refused here on purpose. */
const JSON_DIVERGENCES: Record<string, string> = {
  "y_object_duplicated_key.json": "two members of one name",
  "y_object_duplicated_key_and_value.json": "two members of one name",
};

async function makeVerifier(lib: Library, keys: unknown): Promise<Verifier> {
  return lib.createVerifier({ keys, issuer: null, audience: null, clock: () => 1_300_819_379 } as VerifierOptions);
}

/** Whether the signature of a JWS was accepted; its payload need not be a claims set. */
function signatureVerifies(lib: Library, verifier: Verifier, jws: string): boolean {
  try {
    verifier.verify(jws);
    return true;
  } catch (error) {
    if (!(error instanceof lib.WaxsealError)) throw error;
    return error.step === "claims" || error.step === "policy";
  }
}

const keyOf = (given: Members | string | undefined): unknown => (typeof given === "string" ? JSON.parse(given) : given);

function wycheproof(h: Harness, lib: Library, file: string, { testGroups }: Wycheproof): void {
  const divergences = DIVERGENCES[file] ?? {};
  const unmet = new Set(Object.keys(divergences));
  for (const [index, group] of testGroups.entries()) {
    const key = keyOf(group.public ?? group.private);
    const unsupported = UNSUPPORTED[algorithmOf(key)];
    const name = `${file}, group ${index + 1} (${group.comment}), cases ${group.tests[0]?.tcId} to ${group.tests.at(-1)?.tcId}`;
    const valid = group.tests.filter(({ result }) => result === "valid").map(({ tcId }) => tcId);
    if (unsupported !== undefined && valid.length > 0) h.skip(`${name}: accepting ${valid.join(", ")}`, unsupported);
    h.test(
      `${name}: ${unsupported === undefined ? "each is judged as Wycheproof says" : "all are refused"}`,
      async () => {
        let verifier: Verifier | undefined;
        try {
          verifier = await makeVerifier(lib, key);
        } catch (error) {
          // A key that is refused verifies nothing.
          ok(error instanceof lib.WaxsealError && error.code.startsWith("ERR_KEY_"), String(error));
        }
        for (const { tcId, comment, jws, result } of group.tests) {
          const text = typeof jws === "string" ? jws : JSON.stringify(jws);
          const accepted = verifier !== undefined && signatureVerifies(lib, verifier, text);
          const expected = result === "valid" && unsupported === undefined;
          equal(accepted, expected !== unmet.delete(String(tcId)), `case ${tcId} (${comment})`);
        }
      },
    );
  }
  h.test(`${file}: every divergence named here was met`, () => deepEqual([...unmet], []));
  for (const [tcId, reason] of Object.entries(divergences))
    h.skip(`${file}, case ${tcId}, as Wycheproof judges it`, reason);
}

/** The algorithm of a key, or of the first of a set. */
function algorithmOf(key: unknown): string {
  const { keys, alg } = key as { keys?: Members[]; alg?: string };
  return String(keys?.[0]?.["alg"] ?? alg);
}

interface RfcExamples {
  jws: { rfc: string; appendix: string; alg: string; public: Members; token: string; payload: string }[];
  jwk_public_rfc7517_A1: { keys: Members[]; thumbprints: string[] };
  jwk_private_rfc7517_A2: { keys: Members[] };
  jwk_x5c_rfc7517_B: Members & { x5c: string[] };
  thumbprint_rfc7638: { jwk: Members; sha256: string };
}

function rfcs(h: Harness, lib: Library, examples: RfcExamples): void {
  for (const { appendix, alg, public: jwk, token, payload } of examples.jws) {
    h.test(
      `RFC 7515 appendix ${appendix}: the ${alg} token verifies, until it expires and unless it is changed`,
      async () => {
        const verifier = await makeVerifier(lib, jwk);
        const result = verifier.verify(token);
        deepEqual(result.claims, JSON.parse(payload));
        deepEqual(result.header, { alg });
        throws(() => verifier.verify(token, { now: 1_300_819_380 }), "ERR_TOKEN_EXPIRED");
        const changed = token.replace(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Yi");
        throws(() => verifier.verify(changed), "ERR_SIGNATURE_INVALID");
      },
    );
  }

  h.test(
    "RFC 7517 appendix A.1: thumbprints are those of the published keys, and the key for encryption is not used",
    async () => {
      const { keys, thumbprints } = examples.jwk_public_rfc7517_A1;
      deepEqual(
        keys.map((jwk) => lib.thumbprint({ ...jwk, use: "sig" } as never)),
        thumbprints,
      );
      ok(await makeVerifier(lib, { keys }));
      await rejects(makeVerifier(lib, keys[0]), "ERR_KEY_UNSUPPORTED");
    },
  );

  h.test("RFC 7517 appendix A.2: private keys are no verification keys", async () => {
    for (const jwk of examples.jwk_private_rfc7517_A2.keys) await rejects(makeVerifier(lib, jwk), "ERR_KEY_PRIVATE");
  });

  h.test("RFC 7517 appendix B: the JWK with a certificate is usable, and so is the certificate as PEM", async () => {
    const { x5c, ...jwk } = examples.jwk_x5c_rfc7517_B;
    ok(await makeVerifier(lib, { ...jwk, x5c }));
    const lines = (x5c[0] as string).match(/.{1,64}/g)?.join("\n");
    ok(await makeVerifier(lib, `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`));
  });

  h.test("RFC 7638 section 3.1: the thumbprint", () => {
    equal(lib.thumbprint(examples.thumbprint_rfc7638.jwk as never), examples.thumbprint_rfc7638.sha256);
  });
}

interface Cookbook {
  files: Record<string, { title: string; input: { key: Members; alg: string }; output: { compact?: string } }>;
}

function cookbook(h: Harness, lib: Library, { files }: Cookbook): void {
  for (const [name, { title, input, output }] of Object.entries(files)) {
    const { compact } = output ?? {};
    if (!name.startsWith("jws/") || typeof compact !== "string" || compact.includes("..")) continue;
    if (input.alg === "RS256" || input.alg === "ES256") {
      h.test(
        `RFC 7520 ${name}: ${title}: the signature verifies, and the payload is refused for being prose`,
        async () => {
          const { kty, n, e, crv, x, y, kid } = input.key;
          const jwk = kty === "EC" ? { kty, crv, x, y, kid } : { kty, n, e, kid };
          const verifier = await makeVerifier(lib, jwk);
          throws(() => verifier.verify(compact), "ERR_CLAIMS_INVALID");
          throws(() => verifier.verify(compact.replace(".SXT", ".SXU")), "ERR_SIGNATURE_INVALID");
        },
      );
    } else {
      h.test(`RFC 7520 ${name}: ${title}: a key for ${input.alg} is refused`, async () => {
        const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...jwk } = input.key;
        const code = jwk["kty"] === "oct" ? "ERR_KEY_PRIVATE" : "ERR_KEY_UNSUPPORTED";
        await rejects(makeVerifier(lib, { ...jwk, alg: input.alg }), code);
      });
    }
  }
}

interface JsonTests {
  tests: { file: string; b64?: string }[];
}

function json(h: Harness, lib: Library, { tests }: JsonTests): void {
  const decode = (payload: Uint8Array): unknown =>
    lib.decodeUnverified(`eyJhbGciOiJub25lIn0.${base64url(payload)}.`).claims;
  const wrap = (inner: Uint8Array): Uint8Array => Uint8Array.of(...new TextEncoder().encode('{"x":'), ...inner, 0x7d);
  // Two files are too long to be given by anything but a rule; here they are as long as a token may be.
  const long: Record<string, string> = {
    "n_structure_100000_opening_arrays.json": "[".repeat(40_000),
    "n_structure_open_array_object.json": '[{"":'.repeat(8_000),
  };
  const cases = (prefix: string): [file: string, payload: Uint8Array][] =>
    tests
      .filter(({ file }) => file.startsWith(prefix))
      .map(({ file, b64 }) => [file, b64 === undefined ? utf8(long[file] as string) : fromBase64url(b64)]);

  h.test("JSONTestSuite: what must parse parses within a claims set, to what JSON.parse gives", async () => {
    await lib.init();
    ok(cases("y_").length > 90);
    const refused = cases("y_").filter(([file, payload]) => {
      if (codeOf(lib, () => decode(wrap(payload))) !== "") return true;
      deepEqual(decode(wrap(payload)), { x: JSON.parse(new TextDecoder().decode(payload)) }, file);
      return false;
    });
    deepEqual(refused.map(([file]) => file).sort(), Object.keys(JSON_DIVERGENCES).sort());
  });

  h.test("JSONTestSuite: what must not parse is refused, by itself and within a claims set", async () => {
    await lib.init();
    ok(cases("n_").length > 180);
    for (const [file, payload] of cases("n_")) {
      throws(() => decode(payload), "ERR_CLAIMS_INVALID", file);
      throws(() => decode(wrap(payload)), "ERR_CLAIMS_INVALID", file);
    }
  });

  h.test(
    "JSONTestSuite: what an implementation may decide ends in a value or in one error, never in a crash",
    async () => {
      await lib.init();
      ok(cases("i_").length > 30);
      for (const [file, payload] of cases("i_")) {
        ok(["", "ERR_CLAIMS_INVALID"].includes(codeOf(lib, () => decode(wrap(payload)))), file);
      }
    },
  );
}

/** The code of the error that a call throws; empty when it throws none. */
function codeOf(lib: Library, call: () => unknown): string {
  try {
    call();
    return "";
  } catch (error) {
    if (error instanceof lib.WaxsealError) return error.code;
    throw error;
  }
}

export const vectors: Suite = async (h, lib) => {
  const files: [string, (data: never) => void][] = [
    ["rfc_jose_examples.json", (data) => rfcs(h, lib, data)],
    ["rfc7520_cookbook.json", (data) => cookbook(h, lib, data)],
    ["wycheproof/json_web_signature_test.json", (data) => wycheproof(h, lib, "json_web_signature_test.json", data)],
    ["wycheproof/json_web_key_test.json", (data) => wycheproof(h, lib, "json_web_key_test.json", data)],
    ["json_test_suite.json", (data) => json(h, lib, data)],
  ];
  for (const [file, declare] of files) {
    const data = await h.vectors(file);
    if (data === undefined) h.skip(`the vectors of ${file}`, "the directory of vectors is not there");
    else declare(data as never);
  }
  const signed = "they sign bare messages, which are no compact JWS; the native tests run them against the same code";
  h.skip("Wycheproof's ECDSA P1363 and RSA PKCS#1 files through tokens", signed);
};
