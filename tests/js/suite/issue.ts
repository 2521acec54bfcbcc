// Issuing: what a token carries, and which claims and options are refused.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { AUDIENCE, ISSUER, NOW, ec, fromBase64url, makeIssuer, makeVerifier, read, rsa } from "./support.js";

export const issue: Suite = (h, lib) => {
  h.test("a token carries iss, aud, iat, exp and jti, the caller's claims, and nothing else", async () => {
    const issuer = await makeIssuer(lib);
    const token = await issuer.issue({ sub: "alice", role: "editor", nested: { list: [1, null, true] } });
    const { header, claims } = read(token);
    deepEqual(header, { alg: "ES256", kid: "ec-1", typ: "JWT" });
    const { jti, ...rest } = claims;
    deepEqual(rest, {
      iss: ISSUER,
      aud: AUDIENCE,
      iat: NOW,
      exp: NOW + 900,
      sub: "alice",
      role: "editor",
      nested: { list: [1, null, true] },
    });
    equal(fromBase64url(jti as string).length, 16);
  });

  h.test("every token has a jti of its own", async () => {
    const issuer = await makeIssuer(lib);
    const tokens = await Promise.all(Array.from({ length: 200 }, () => issuer.issue({ sub: "alice" })));
    equal(new Set(tokens.map((token) => read(token).claims["jti"])).size, 200);
  });

  h.test("without a kid of its own a key is named by its thumbprint", async () => {
    for (const keys of [await ec(), await rsa()]) {
      const { kid: _kid, ...bare } = keys.privateJwk;
      const issuer = await makeIssuer(lib, { key: bare });
      const thumbprint = lib.thumbprint(keys.publicJwk as never);
      equal(read(await issuer.issue({})).header["kid"], thumbprint);
      equal(issuer.jwks().keys[0]?.["kid"], thumbprint);
    }
  });

  h.test("the kid option names the key in the header and in the JWK Set", async () => {
    const issuer = await makeIssuer(lib, { kid: "2026-11" });
    equal(read(await issuer.issue({})).header["kid"], "2026-11");
    equal(issuer.jwks().keys[0]?.["kid"], "2026-11");
  });

  h.test("jwks gives public members alone, with kid, use and alg, and a verifier takes it as it is", async () => {
    for (const keys of [await ec(), await rsa()]) {
      const issuer = await makeIssuer(lib, { key: keys.privateJwk });
      const set = issuer.jwks();
      const names =
        keys.alg === "ES256" ? ["alg", "crv", "kid", "kty", "use", "x", "y"] : ["alg", "e", "kid", "kty", "n", "use"];
      deepEqual(
        set.keys.map((jwk) => Object.keys(jwk).sort()),
        [names],
      );
      const verifier = await makeVerifier(lib, { keys: set });
      ok(verifier.verify(await issuer.issue({})));
    }
  });

  h.test("expiresIn, typ and now may differ for one token", async () => {
    const issuer = await makeIssuer(lib, { expiresIn: 60, typ: "at+jwt" });
    const usual = read(await issuer.issue({}));
    equal(usual.claims["exp"], NOW + 60);
    equal(usual.header["typ"], "at+jwt");
    const other = read(await issuer.issue({}, { expiresIn: 5, typ: "rt+jwt", now: new Date((NOW + 100) * 1000) }));
    equal(other.claims["iat"], NOW + 100);
    equal(other.claims["exp"], NOW + 105);
    equal(other.header["typ"], "rt+jwt");
  });

  h.test("iat and exp are whole seconds where the clock is finer", async () => {
    const issuer = await makeIssuer(lib, { clock: () => NOW + 0.75 });
    const { claims } = read(await issuer.issue({}));
    equal(claims["iat"], NOW);
    equal(claims["exp"], NOW + 900);
  });

  h.test("a list of audiences is issued as a list and verifies for each of them", async () => {
    const issuer = await makeIssuer(lib, { audience: ["https://a.example", "https://b.example"] });
    const token = await issuer.issue({});
    deepEqual(read(token).claims["aud"], ["https://a.example", "https://b.example"]);
    for (const audience of ["https://a.example", "https://b.example"]) {
      ok((await makeVerifier(lib, { audience })).verify(token));
    }
  });

  h.test("nbf and sub are the caller's to set", async () => {
    const issuer = await makeIssuer(lib);
    const token = await issuer.issue({ sub: "alice", nbf: NOW + 60 });
    const verifier = await makeVerifier(lib);
    throws(() => verifier.verify(token), "ERR_TOKEN_NOT_YET_VALID");
    equal(verifier.verify(token, { now: NOW + 60 }).claims.sub, "alice");
  });

  for (const name of ["iss", "aud", "exp", "iat", "jti"]) {
    h.test(
      `the claim ${name} belongs to the issuer: a caller's is refused, null and undefined-looking values included`,
      async () => {
        const issuer = await makeIssuer(lib);
        for (const value of ["x", NOW + 9e6, null, [], {}]) {
          const error = await rejects(issuer.issue({ [name]: value } as never), {
            code: "ERR_ISSUE_CLAIMS",
            step: "issue",
          });
          includes(error.message, name);
        }
      },
    );
  }

  h.test("a claim that is undefined is not there", async () => {
    const issuer = await makeIssuer(lib);
    const { claims } = read(await issuer.issue({ sub: undefined, role: undefined, exp: undefined } as never));
    deepEqual(Object.keys(claims).sort(), ["aud", "exp", "iat", "iss", "jti"]);
    equal(claims["exp"], NOW + 900);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const notClaims: [string, unknown][] = [
    ["null", null],
    ["a string", "sub"],
    ["a number", 1],
    ["an array", []],
    ["a function", () => ({})],
    ["a symbol", Symbol("s")],
    ["a sub that is a number", { sub: 1 }],
    ["a sub that is null", { sub: null }],
    ["an nbf that is a string", { nbf: "now" }],
    ["an nbf in milliseconds", { nbf: NOW * 1000 }],
    ["NaN", { x: Number.NaN }],
    ["Infinity", { x: Number.POSITIVE_INFINITY }],
    ["a bigint", { x: 1n }],
    ["a function inside", { x: () => 1 }],
    ["a symbol inside", { x: Symbol("s") }],
    ["a Date", { x: new Date() }],
    ["a Map", { x: new Map() }],
    ["bytes", { x: new Uint8Array(2) }],
    ["a cycle", cyclic],
    ["a lone surrogate", { x: "\ud800" }],
    ["a lone surrogate as a name", { "\udc00": 1 }],
    [
      "a getter that throws",
      {
        get x() {
          throw new Error("getter");
        },
      },
    ],
    ["nesting without end", Array.from({ length: 5000 }).reduce<unknown>((inner) => ({ x: inner }), 1)],
  ];
  for (const [what, value] of notClaims) {
    h.test(`claims with ${what} are refused, and the next call works`, async () => {
      const issuer = await makeIssuer(lib);
      await rejects(async () => issuer.issue(value as never), "ERR_ISSUE_CLAIMS");
      ok(await issuer.issue({ sub: "alice" }));
    });
  }

  h.test("a __proto__ claim is issued as a claim and changes no prototype", async () => {
    const issuer = await makeIssuer(lib);
    const token = await issuer.issue(JSON.parse('{"__proto__":{"admin":true}}'));
    includes(new TextDecoder().decode(fromBase64url(token.split(".")[1] as string)), '"__proto__":{"admin":true}');
    equal(({} as Record<string, unknown>)["admin"], undefined);
  });

  h.test("claims too large for any verifier are refused when they are issued", async () => {
    const issuer = await makeIssuer(lib);
    await rejects(issuer.issue({ pad: "p".repeat(70_000) }), "ERR_ISSUE_CLAIMS");
    ok(await issuer.issue({ pad: "p".repeat(4000) }));
  });

  for (const expiresIn of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, "900", null, true, {}]) {
    h.test(`expiresIn ${String(expiresIn)} is refused by name, at construction and for one token`, async () => {
      includes((await rejects(makeIssuer(lib, { expiresIn }), "ERR_OPTION_INVALID")).message, "expiresIn");
      const issuer = await makeIssuer(lib);
      const one = issuer.issue({}, { expiresIn } as never);
      includes((await rejects(one, "ERR_OPTION_INVALID")).message, "expiresIn");
    });
  }

  h.test("an ES256 token issued twice differs only in its jti and signature", async () => {
    const issuer = await makeIssuer(lib);
    const [first, second] = [read(await issuer.issue({ sub: "a" })), read(await issuer.issue({ sub: "a" }))];
    deepEqual({ ...first.claims, jti: "" }, { ...second.claims, jti: "" });
    deepEqual(first.header, second.header);
  });
};
