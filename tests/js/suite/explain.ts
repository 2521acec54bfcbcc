// explain and decodeUnverified: reading a token that need not be good.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { AUDIENCE, ISSUER, NOW, base64url, claims, claimsWith, ec, makeVerifier, otherEc, signed } from "./support.js";

const STEPS = ["size", "segments", "header", "key", "signature", "claims", "policy", "revocation"];
type Explanation = Awaited<ReturnType<Library["explain"]>>;

export const explain: Suite = (h, lib) => {
  const explained = async (token: string, overrides: object = {}): Promise<Explanation> => {
    const options = { keys: (await ec()).publicJwk, issuer: ISSUER, audience: AUDIENCE, now: NOW, ...overrides };
    return lib.explain(token, options as never);
  };
  const outcomes = ({ steps }: Explanation): string[] => steps.map(({ outcome }) => outcome);

  h.test("a good token passes every step, and revocation is skipped for want of a store", async () => {
    const result = await explained(await signed(await ec()));
    deepEqual(
      result.steps.map(({ step }) => step),
      STEPS,
    );
    deepEqual(outcomes(result), [...Array.from({ length: 7 }, () => "passed"), "skipped"]);
    ok(result.steps.every(({ message, code }) => message.length > 0 && code === undefined));
    deepEqual(result.header, { alg: "ES256", kid: "ec-1", typ: "JWT" });
    deepEqual(result.claims, claims());
  });

  const single: [string, () => Promise<string>, object, string, string][] = [
    ["too large", async () => "a".repeat(9000), {}, "size", "ERR_TOKEN_TOO_LARGE"],
    ["of two segments", async () => "e30.e30", {}, "segments", "ERR_TOKEN_MALFORMED"],
    [
      "with a header that is no object",
      async () => signed(await ec(), claims(), "[]"),
      {},
      "header",
      "ERR_HEADER_INVALID",
    ],
    ["of another type", async () => signed(await ec()), { typ: "at+jwt" }, "header", "ERR_TOKEN_TYPE"],
    ["of an unknown key", async () => signed(await otherEc()), {}, "key", "ERR_KEY_NOT_FOUND"],
    [
      "of an algorithm that is not allowed",
      async () => signed(await ec(), claims(), { alg: "ES384", kid: "ec-1" }),
      {},
      "key",
      "ERR_ALGORITHM_NOT_ALLOWED",
    ],
    [
      "with a wrong signature",
      async () => signed(await otherEc(), claims(), { alg: "ES256", kid: "ec-1" }),
      {},
      "signature",
      "ERR_SIGNATURE_INVALID",
    ],
    ["whose claims are no object", async () => signed(await ec(), "[]"), {}, "claims", "ERR_CLAIMS_INVALID"],
    [
      "with a claim of a wrong type",
      async () => signed(await ec(), claims({ exp: "soon" })),
      {},
      "claims",
      "ERR_CLAIM_INVALID",
    ],
    ["that has expired", async () => signed(await ec()), { now: NOW + 1e5 }, "policy", "ERR_TOKEN_EXPIRED"],
    [
      "for another audience",
      async () => signed(await ec(), claims({ aud: "x" })),
      {},
      "policy",
      "ERR_AUDIENCE_MISMATCH",
    ],
    [
      "without a claim that is required",
      async () => signed(await ec()),
      { requiredClaims: ["role"] },
      "policy",
      "ERR_CLAIM_MISSING",
    ],
  ];
  for (const [what, make, overrides, step, code] of single) {
    h.test(`a token ${what} fails at ${step} with the code that verify throws`, async () => {
      const token = await make();
      const result = await explained(token, overrides);
      const first = result.steps.find(({ outcome }) => outcome === "failed");
      equal(first?.step, step);
      equal(first?.code, code);
      const { now, ...options } = { now: NOW, ...overrides };
      const verifier = await makeVerifier(lib, options);
      const error = throws(() => verifier.verify(token, { now }), { code, step }) as Error & {
        claim?: string;
        reason?: string;
      };
      equal(first?.claim, error.claim);
      equal(first?.reason, error.reason);
    });
  }

  h.test("it goes on after a wrong signature, so that a wrong audience shows as well", async () => {
    const token = await signed(await otherEc(), claims({ aud: "x" }), { alg: "ES256", kid: "ec-1" });
    const result = await explained(token);
    deepEqual(outcomes(result), ["passed", "passed", "passed", "passed", "failed", "passed", "failed", "skipped"]);
    deepEqual(result.claims, claims({ aud: "x" }));
  });

  h.test("steps that need what an earlier one could not give are not reached", async () => {
    const result = await explained("no token");
    equal(result.steps[1]?.outcome, "failed");
    ok(result.steps.slice(2, 7).every(({ outcome }) => outcome === "not-reached"));
    equal(result.header, undefined);
    equal(result.claims, undefined);
  });

  h.test("explaining never asks a store", async () => {
    const store = {
      get: () => {
        throw new Error("asked");
      },
    };
    const result = await explained(await signed(await ec()), { revocation: { store } });
    ok(result.steps.slice(0, 7).every(({ outcome }) => outcome === "passed"));
  });

  h.test("wrong options and unusable keys are refused, not explained", async () => {
    const token = await signed(await ec());
    await rejects(explained(token, { audience: undefined }), "ERR_OPTION_INVALID");
    await rejects(explained(token, { audiance: "x" }), "ERR_OPTION_INVALID");
    await rejects(explained(token, { keys: (await ec()).privateJwk }), "ERR_KEY_PRIVATE");
    await rejects(explained(token, { now: "now" }), "ERR_OPTION_INVALID");
    for (const value of [undefined, null, 1, {}, []])
      await rejects(async () => explained(value as never), "ERR_TOKEN_MALFORMED");
  });

  h.test("a __proto__ claim is shown as an own property", async () => {
    const { claims: shown } = await explained(await signed(await ec(), claimsWith("__proto__", '{"x":1}')));
    ok(shown !== undefined && Object.hasOwn(shown, "__proto__") && Object.getPrototypeOf(shown) === Object.prototype);
  });
};

export const decode: Suite = (h, lib) => {
  h.test("decodeUnverified reads header and claims of a token that nobody signed", async () => {
    await lib.init();
    const token = `${base64url('{"alg":"none"}')}.${base64url('{"sub":"anyone","exp":"never"}')}.`;
    deepEqual(lib.decodeUnverified(token), { header: { alg: "none" }, claims: { sub: "anyone", exp: "never" } });
  });

  h.test("decodeUnverified reads an expired token with a wrong signature as it reads a good one", async () => {
    const token = await signed(await otherEc(), claims({ exp: 1 }));
    deepEqual(lib.decodeUnverified(token).claims, claims({ exp: 1 }));
  });

  h.test("a __proto__ claim decodes to an own property", () => {
    const { claims: decoded } = lib.decodeUnverified(
      `${base64url('{"alg":"ES256"}')}.${base64url('{"__proto__":{"admin":true}}')}.`,
    );
    ok(Object.hasOwn(decoded, "__proto__"));
    equal((decoded as Record<string, unknown>)["admin"], undefined);
  });

  const refused: [string, string, string][] = [
    ["the empty string", "", "ERR_TOKEN_MALFORMED"],
    ["one segment", "abc", "ERR_TOKEN_MALFORMED"],
    ["five segments", "e30.e30.e30.e30.e30", "ERR_TOKEN_MALFORMED"],
    ["padding", "e30=.e30=.", "ERR_TOKEN_MALFORMED"],
    ["a header that is no JSON", "YWJj.e30.", "ERR_HEADER_INVALID"],
    ["claims that are no JSON", `${base64url('{"alg":"none"}')}.YWJj.`, "ERR_CLAIMS_INVALID"],
    ["claims with a name twice", `${base64url('{"alg":"none"}')}.${base64url('{"a":1,"a":2}')}.`, "ERR_CLAIMS_INVALID"],
    ["too much", "a".repeat(70_000), "ERR_TOKEN_TOO_LARGE"],
  ];
  for (const [what, token, code] of refused) {
    h.test(`decodeUnverified refuses ${what} with ${code}`, () => {
      throws(() => lib.decodeUnverified(token), code);
    });
  }
};
