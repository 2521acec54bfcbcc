// The claims set: which texts are one, which values each registered claim may have, and what the policy makes of them.

import { deepEqual, equal, includes, ok, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { NOW, claims, claimsWith, concat, ec, makeVerifier, signed, utf8 } from "./support.js";
import type { Json, Part } from "./support.js";

export const claimsSets: Suite = (h, lib) => {
  /** The result for a payload, or the error it gets. */
  const verified = async (payload: Part, overrides: object = {}): Promise<Record<string, unknown>> =>
    (await makeVerifier(lib, overrides)).verify(await signed(await ec(), payload)).claims as Record<string, unknown>;
  const refused = async (
    payload: Part,
    expected: Parameters<typeof throws>[1],
    overrides: object = {},
    message?: string,
  ): Promise<Error> => {
    const verifier = await makeVerifier(lib, overrides);
    const token = await signed(await ec(), payload);
    return throws(() => verifier.verify(token), expected, message);
  };

  for (const name of ["exp", "nbf", "iat"]) {
    for (const text of [
      '"x"',
      '""',
      `"${NOW + 60}"`,
      "1e400",
      "-1e400",
      "null",
      "true",
      "false",
      "[]",
      `[${NOW + 60}]`,
      "{}",
      `{"valueOf":${NOW}}`,
    ]) {
      h.test(`${name}: ${text} is an invalid claim, and not an absent one`, async () => {
        await refused(claimsWith(name, text), {
          code: "ERR_CLAIM_INVALID",
          claim: name,
          reason: "invalid",
          step: "claims",
        });
      });
    }
    h.test(`${name} in milliseconds is refused with a message that says so`, async () => {
      const payload = claims({ [name]: (NOW + 60) * 1000 });
      const error = await refused(payload, { code: "ERR_CLAIM_INVALID", claim: name, reason: "invalid" });
      includes(error.message, "milliseconds");
    });
  }

  for (const [name, values] of [
    ["iss", [1, null, true, [], {}, ["https://issuer.example"]]],
    ["sub", [1, null, true, ["alice"], {}]],
    ["jti", [1, null, false, ["token-1"], {}]],
    ["aud", [1, null, true, {}, [1], [null], ["https://api.example", 1], [["https://api.example"]]]],
  ] as [string, Json[]][]) {
    for (const value of values) {
      h.test(`${name}: ${JSON.stringify(value)} is an invalid claim even where it is not checked`, async () => {
        const payload = claims({ [name]: value });
        const expected = { code: "ERR_CLAIM_INVALID", claim: name, reason: "invalid" };
        await refused(payload, expected);
        await refused(payload, expected, { issuer: null, audience: null });
      });
    }
  }

  h.test("a token without exp is refused, for a token that never expires cannot be ended by waiting", async () => {
    await refused(claims({ exp: undefined }), { code: "ERR_CLAIM_MISSING", claim: "exp", reason: "missing" });
  });

  const times: [string, { [name: string]: Json | undefined }, object, string | null][] = [
    ["exp one second ahead", { exp: NOW + 1 }, {}, null],
    ["exp half a second ahead", { exp: NOW + 0.5 }, {}, null],
    ["exp now", { exp: NOW }, {}, "ERR_TOKEN_EXPIRED"],
    ["exp half a second ago", { exp: NOW - 0.5 }, {}, "ERR_TOKEN_EXPIRED"],
    ["exp zero", { exp: 0, iat: undefined }, {}, "ERR_TOKEN_EXPIRED"],
    ["exp before 1970", { exp: -5, iat: undefined }, {}, "ERR_TOKEN_EXPIRED"],
    ["exp within the tolerance", { exp: NOW - 29 }, { clockTolerance: 30 }, null],
    ["exp at the end of the tolerance", { exp: NOW - 30 }, { clockTolerance: 30 }, "ERR_TOKEN_EXPIRED"],
    ["exp within the greatest tolerance", { exp: NOW - 299 }, { clockTolerance: 300 }, null],
    ["nbf now", { nbf: NOW }, {}, null],
    ["nbf one second ahead", { nbf: NOW + 1 }, {}, "ERR_TOKEN_NOT_YET_VALID"],
    ["nbf at the end of the tolerance", { nbf: NOW + 30 }, { clockTolerance: 30 }, null],
    ["nbf beyond the tolerance", { nbf: NOW + 31 }, { clockTolerance: 30 }, "ERR_TOKEN_NOT_YET_VALID"],
    ["iat now", { iat: NOW }, {}, null],
    ["iat one second ahead", { iat: NOW + 1 }, {}, "ERR_TOKEN_ISSUED_IN_FUTURE"],
    ["iat at the end of the tolerance", { iat: NOW + 30 }, { clockTolerance: 30 }, null],
    ["iat beyond the tolerance", { iat: NOW + 31 }, { clockTolerance: 30 }, "ERR_TOKEN_ISSUED_IN_FUTURE"],
    ["no iat", { iat: undefined }, {}, null],
    ["an age of the greatest allowed", { iat: NOW - 60 }, { maxTokenAge: 60 }, null],
    ["an age over the greatest allowed", { iat: NOW - 61 }, { maxTokenAge: 60 }, "ERR_TOKEN_TOO_OLD"],
    ["an age over it within the tolerance", { iat: NOW - 65 }, { maxTokenAge: 60, clockTolerance: 5 }, null],
    [
      "an age over it and the tolerance",
      { iat: NOW - 66 },
      { maxTokenAge: 60, clockTolerance: 5 },
      "ERR_TOKEN_TOO_OLD",
    ],
    ["no iat where the age is limited", { iat: undefined }, { maxTokenAge: 60 }, "ERR_CLAIM_MISSING"],
    ["iat in the future where the age is limited", { iat: NOW + 1 }, { maxTokenAge: 60 }, "ERR_TOKEN_ISSUED_IN_FUTURE"],
  ];
  for (const [what, overrides, options, code] of times) {
    h.test(
      `${what} with ${JSON.stringify(options)} is ${code === null ? "accepted" : `refused with ${code}`}`,
      async () => {
        if (code === null) ok(await verified(claims(overrides), options));
        else await refused(claims(overrides), { code, step: "policy", status: 401 }, options);
      },
    );
  }

  const policies: [string, { [name: string]: Json | undefined }, object, string | null, string?][] = [
    ["another issuer", { iss: "https://other.example" }, {}, "ERR_ISSUER_MISMATCH", "iss"],
    ["the issuer with a slash more", { iss: "https://issuer.example/" }, {}, "ERR_ISSUER_MISMATCH", "iss"],
    ["the issuer in capitals", { iss: "HTTPS://ISSUER.EXAMPLE" }, {}, "ERR_ISSUER_MISMATCH", "iss"],
    ["an empty issuer", { iss: "" }, {}, "ERR_ISSUER_MISMATCH", "iss"],
    ["no issuer", { iss: undefined }, {}, "ERR_CLAIM_MISSING", "iss"],
    ["another audience", { aud: "https://other.example" }, {}, "ERR_AUDIENCE_MISMATCH", "aud"],
    [
      "an audience that begins with ours",
      { aud: "https://api.example.evil.example" },
      {},
      "ERR_AUDIENCE_MISMATCH",
      "aud",
    ],
    ["an empty list of audiences", { aud: [] }, {}, "ERR_AUDIENCE_MISMATCH", "aud"],
    ["our audience within a list", { aud: ["https://x.example", "https://api.example"] }, {}, null],
    ["no audience", { aud: undefined }, {}, "ERR_CLAIM_MISSING", "aud"],
    ["the subject asked for", {}, { subject: "alice" }, null],
    ["another subject", { sub: "Alice" }, { subject: "alice" }, "ERR_CLAIM_MISMATCH", "sub"],
    ["no subject", { sub: undefined }, { subject: "alice" }, "ERR_CLAIM_MISSING", "sub"],
    ["the required claims", { role: null }, { requiredClaims: ["role", "jti"] }, null],
    ["one required claim missing", {}, { requiredClaims: ["jti", "role"] }, "ERR_CLAIM_MISSING", "role"],
    [
      "required claims named like members of every object",
      {},
      { requiredClaims: ["toString"] },
      "ERR_CLAIM_MISSING",
      "toString",
    ],
    ["an exact string", { type: "access" }, { claims: { type: "access" } }, null],
    ["another string", { type: "refresh" }, { claims: { type: "access" } }, "ERR_CLAIM_MISMATCH", "type"],
    ["the exact claim absent", {}, { claims: { type: "access" } }, "ERR_CLAIM_MISSING", "type"],
    ["a number for a string", { level: 3 }, { claims: { level: "3" } }, "ERR_CLAIM_MISMATCH", "level"],
    ["a number of the same value", { level: 3.0 }, { claims: { level: 3 } }, null],
    ["true for 1", { flag: true }, { claims: { flag: 1 } }, "ERR_CLAIM_MISMATCH", "flag"],
    ["null where null is asked for", { x: null }, { claims: { x: null } }, null],
    ["nothing where null is asked for", {}, { claims: { x: null } }, "ERR_CLAIM_MISSING", "x"],
    ["an equal list", { roles: ["a", "b"] }, { claims: { roles: ["a", "b"] } }, null],
    [
      "a list in another order",
      { roles: ["b", "a"] },
      { claims: { roles: ["a", "b"] } },
      "ERR_CLAIM_MISMATCH",
      "roles",
    ],
    ["a longer list", { roles: ["a", "b"] }, { claims: { roles: ["a"] } }, "ERR_CLAIM_MISMATCH", "roles"],
    ["an equal object in another order", { o: { b: 2, a: 1 } }, { claims: { o: { a: 1, b: 2 } } }, null],
    ["an object with a member more", { o: { a: 1, b: 2 } }, { claims: { o: { a: 1 } } }, "ERR_CLAIM_MISMATCH", "o"],
  ];
  for (const [what, overrides, options, code, claim] of policies) {
    h.test(
      `a token with ${what} under ${JSON.stringify(options)} is ${code === null ? "accepted" : `refused with ${code}`}`,
      async () => {
        if (code === null) {
          deepEqual(await verified(claims(overrides), options), claims(overrides));
          return;
        }
        const reason = code === "ERR_CLAIM_MISSING" ? "missing" : "check_failed";
        await refused(claims(overrides), { code, claim: claim as string, reason, step: "policy" }, options);
      },
    );
  }

  const text = JSON.stringify(claims());
  const notClaims: [string, Part][] = [
    ["an empty payload", ""],
    ["an array", "[]"],
    ["a string", '"claims"'],
    ["null", "null"],
    ["a number", "1"],
    ["plain words", "foo"],
    ["an object cut off", text.slice(0, -1)],
    ["text behind the object", `${text} x`],
    ["a second object behind it", text + text],
    ["a trailing comma", text.replace("}", ",}")],
    ["single quotes", text.replaceAll('"', "'")],
    ["a comment", text.replace("{", "{/* */")],
    ["NaN", claimsWith("x", "NaN")],
    ["Infinity", claimsWith("x", "Infinity")],
    ["a number with a leading zero", claimsWith("x", "01")],
    ["a number with a plus", claimsWith("x", "+1")],
    ["a hexadecimal number", claimsWith("x", "0x10")],
    ["a control character inside a string", claimsWith("x", '"a\nb"')],
    ["an unknown escape", claimsWith("x", '"\\x41"')],
    ["a byte order mark", `\ufeff${text}`],
    ["invalid UTF-8", concat(utf8(claimsWith("x", '"').slice(0, -1)), Uint8Array.of(0xff), utf8('"}'))],
    ["an overlong encoding", concat(utf8(claimsWith("x", '"').slice(0, -1)), Uint8Array.of(0xc1, 0x81), utf8('"}'))],
    [
      "an encoded surrogate",
      concat(utf8(claimsWith("x", '"').slice(0, -1)), Uint8Array.of(0xed, 0xa0, 0x80), utf8('"}')),
    ],
    ["half a surrogate pair", claimsWith("x", '"\\ud83d"')],
    ["a surrogate pair in the wrong order", claimsWith("x", '"\\ude00\\ud83d"')],
    ["exp twice", text.replace("{", `{"exp":${NOW + 9},`)],
    ["sub twice, once escaped", text.replace("{", '{"s\\u0075b":"admin",')],
    ["a name twice that means nothing", text.replace("{", '{"x":1,"x":1,')],
    ["a name twice inside a claim", claimsWith("x", '{"a":1,"a":1}')],
    ["__proto__ twice", text.replace("{", '{"__proto__":{},"__proto__":{},')],
    ["arrays nested ten thousand deep", claimsWith("x", "[".repeat(2500) + "]".repeat(2500))],
    ["objects nested a thousand deep", claimsWith("x", '{"":'.repeat(1000) + "1" + "}".repeat(1000))],
    ["arrays opened and never closed", claimsWith("x", "[".repeat(2500))],
  ];
  for (const [what, payload] of notClaims) {
    h.test(`${what} in a well-signed token is refused as no claims set`, async () => {
      await refused(payload, { code: "ERR_CLAIMS_INVALID", step: "claims", status: 401 });
    });
  }

  h.test("nesting is accepted to 32 levels, the claims set itself the first, and refused at 33", async () => {
    ok(await verified(claimsWith("x", "[".repeat(31) + "]".repeat(31))));
    await refused(claimsWith("x", "[".repeat(32) + "]".repeat(32)), "ERR_CLAIMS_INVALID");
  });

  const faithful = [
    claimsWith("x", '"\\u0000\\u001f\\ud83d\\ude00 \\/ \\" é 😀"'),
    claimsWith("x", "[1,-0,1.5,1e2,1E+2,-1e-7,9007199254740993,123456789012345678901234567890]"),
    claimsWith("x", "[1e400,-1e400,1e-400]"),
    claimsWith("", '""'),
    claimsWith("toString", "null"),
    claimsWith("constructor", '{"prototype":{"polluted":true}}'),
    claimsWith("then", '"a claim, not a promise"'),
    claimsWith("1", '{"0":[],"-1":{}}'),
    claimsWith("x", `[${"0,".repeat(2000)}0]`),
    claimsWith("x", `{${Array.from({ length: 300 }, (_, i) => `"m${i}":${i}`).join()}}`),
    ` \t\r\n${text.replaceAll(",", " ,\n")} \n`,
  ];
  for (const [i, payload] of faithful.entries()) {
    h.test(`claims come out as JSON.parse reads them: ${JSON.stringify(payload.slice(-40))} (${i + 1})`, async () => {
      const result = await verified(payload);
      deepEqual(result, JSON.parse(payload));
      equal(JSON.stringify(result), JSON.stringify(JSON.parse(payload)));
    });
  }

  h.test("a __proto__ claim comes out as an own property and touches no prototype", async () => {
    const result = await verified(claimsWith("__proto__", '{"admin":true}'));
    ok(Object.hasOwn(result, "__proto__"));
    equal(Object.getPrototypeOf(result), Object.prototype);
    equal(result["admin"], undefined);
    equal(({} as Record<string, unknown>)["admin"], undefined);
    deepEqual(Object.getOwnPropertyDescriptor(result, "__proto__")?.value, { admin: true });
  });

  h.test("a __proto__ member of the header comes out as an own property too", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec(), claims(), '{"alg":"ES256","__proto__":{"kid":"ec-1"}}');
    const { header } = verifier.verify(token);
    ok(Object.hasOwn(header, "__proto__"));
    equal(Object.getPrototypeOf(header), Object.prototype);
    equal((header as Record<string, unknown>)["kid"], undefined);
  });

  h.test("a claim that __proto__ would supply is missing", async () => {
    await refused(claimsWith("__proto__", `{"exp":${NOW + 60}}`).replace(`"exp":${NOW + 600},`, ""), {
      code: "ERR_CLAIM_MISSING",
      claim: "exp",
    });
  });

  h.test(
    "claims of a kind of their own are not interpreted: sid and ver may be anything without revocation",
    async () => {
      deepEqual(await verified(claims({ sid: 5, ver: "x" })), claims({ sid: 5, ver: "x" }));
    },
  );
};
