// What a verifier accepts, what it gives back, and that each of its options decides what its name says.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import {
  AUDIENCE,
  ISSUER,
  NOW,
  base64url,
  bigEndian,
  claims,
  concat,
  ec,
  fromBase64url,
  makeVerifier,
  otherEc,
  rsa,
  signed,
} from "./support.js";

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const verify: Suite = (h, lib) => {
  h.test("a token signed with ES256 by WebCrypto verifies and gives its claims and header", async () => {
    const keys = await ec();
    const verifier = await makeVerifier(lib);
    const result = verifier.verify(await signed(keys));
    deepEqual(result.claims, claims());
    deepEqual(result.header, { alg: "ES256", kid: "ec-1", typ: "JWT" });
  });

  h.test("a token signed with RS256 by WebCrypto verifies and gives its claims and header", async () => {
    const keys = await rsa();
    const verifier = await makeVerifier(lib, { keys: keys.publicJwk });
    const result = verifier.verify(await signed(keys));
    deepEqual(result.claims, claims());
    deepEqual(result.header, { alg: "RS256", kid: "rsa-1", typ: "JWT" });
  });

  h.test("verifyAsync gives what verify gives and says that revocation was not checked", async () => {
    const verifier = await makeVerifier(lib);
    const result = await verifier.verifyAsync(await signed(await ec()));
    deepEqual(result.claims, claims());
    equal(result.revocation, "not-checked");
  });

  h.test("verifyAsync rejects, and does not throw, what verify throws", async () => {
    const verifier = await makeVerifier(lib);
    let promise: Promise<unknown> | undefined;
    promise = verifier.verifyAsync("not a token");
    await rejects(promise, "ERR_TOKEN_MALFORMED");
  });

  h.test("one verifier with a JWK Set of both kinds verifies the tokens of both", async () => {
    const verifier = await makeVerifier(lib, { keys: { keys: [(await ec()).publicJwk, (await rsa()).publicJwk] } });
    equal(verifier.verify(await signed(await ec())).header["alg"], "ES256");
    equal(verifier.verify(await signed(await rsa())).header["alg"], "RS256");
  });

  h.test("each call gives a result of its own: what a caller changes, the next one does not see", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    const first = verifier.verify(token);
    (first.claims as Record<string, unknown>)["sub"] = "mallory";
    equal(verifier.verify(token).claims.sub, "alice");
  });

  h.test("now is taken as seconds and as a Date, before the clock", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    throws(() => verifier.verify(token, { now: NOW + 601 }), "ERR_TOKEN_EXPIRED");
    throws(() => verifier.verify(token, { now: new Date((NOW + 601) * 1000) }), "ERR_TOKEN_EXPIRED");
    equal(verifier.verify(token, { now: new Date((NOW + 599) * 1000) }).claims.sub, "alice");
  });

  h.test("without a clock option the machine's clock decides", async () => {
    const machine = Math.floor(Date.now() / 1000);
    const verifier = await makeVerifier(lib, { clock: undefined });
    const keys = await ec();
    equal(verifier.verify(await signed(keys, claims({ iat: machine - 5, exp: machine + 60 }))).claims.sub, "alice");
    const old = await signed(keys, claims({ iat: machine - 90, exp: machine - 60 }));
    throws(() => verifier.verify(old), "ERR_TOKEN_EXPIRED");
  });

  h.test("a signature with a high s is valid, for RFC 7518 has no low-s rule", async () => {
    const token = await signed(await ec());
    const at = token.lastIndexOf(".");
    const signature = fromBase64url(token.slice(at + 1));
    const s = signature.slice(32).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
    const mirrored = concat(signature.slice(0, 32), bigEndian(P256_ORDER - s, 32));
    const verifier = await makeVerifier(lib);
    ok(verifier.verify(token));
    ok(verifier.verify(`${token.slice(0, at)}.${base64url(mirrored)}`));
  });

  h.test("changing any one character of a token makes it invalid", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    for (let at = 0; at < token.length; at += 7) {
      const other = token[at] === "A" ? "B" : "A";
      let accepted = true;
      try {
        verifier.verify(token.slice(0, at) + other + token.slice(at + 1));
      } catch (error) {
        ok(error instanceof lib.WaxsealError, `a bare error at ${at}`);
        accepted = false;
      }
      ok(!accepted, `the change at ${at} was accepted`);
    }
  });

  h.test("a token of other keys under a trusted kid is refused for its signature", async () => {
    const verifier = await makeVerifier(lib);
    const forged = await signed(await otherEc(), claims(), { alg: "ES256", kid: "ec-1" });
    throws(() => verifier.verify(forged), { code: "ERR_SIGNATURE_INVALID", status: 401, step: "signature" });
  });

  h.test("the claims of one token under the signature of another are refused", async () => {
    const verifier = await makeVerifier(lib);
    const [header, , signature] = (await signed(await ec())).split(".");
    const payload = base64url(JSON.stringify(claims({ sub: "admin" })));
    throws(() => verifier.verify(`${header}.${payload}.${signature}`), "ERR_SIGNATURE_INVALID");
  });

  for (const [what, token] of [
    ["the empty string", ""],
    ["a word", "token"],
    ["two segments", "e30.e30"],
    ["four segments", "e30.e30.e30.e30"],
    ["the JSON serialization", '{"payload":"Zm9v","signatures":[]}'],
    // CVE-2022-39227: one text that a reader of segments and a reader of JSON take for two different tokens.
    ["JSON with segments in the name of a member", '{"e30.e30.e30":"","payload":"e30","signature":"e30"}'],
    ["text outside ASCII", "é.é.é"],
    ["a lone surrogate", "\ud800.e30.e30"],
    ["a NUL", "e30\u0000.e30.e30"],
  ] as const) {
    h.test(`${what} is refused as no token`, async () => {
      const verifier = await makeVerifier(lib);
      throws(() => verifier.verify(token), { code: "ERR_TOKEN_MALFORMED", step: "segments", status: 401 });
    });
  }

  for (const [what, change] of [
    ["a space before it", (token: string) => ` ${token}`],
    ["a line feed after it", (token: string) => `${token}\n`],
    ["padding after it", (token: string) => `${token}=`],
    ["padding after the header", (token: string) => token.replace(".", "=.")],
    ["a space inside", (token: string) => `${token.slice(0, 9)} ${token.slice(9)}`],
    ["a line break inside the signature", (token: string) => `${token.slice(0, -9)}\r\n${token.slice(-9)}`],
    ["a percent escape", (token: string) => token.replace(".", "%2E")],
    ["a second token behind it", (token: string) => `${token}, ${token}`],
    ["the Bearer scheme before it", (token: string) => `Bearer ${token}`],
    ["quotes around it", (token: string) => `"${token}"`],
  ] as const) {
    h.test(`a valid token with ${what} is refused as malformed`, async () => {
      const verifier = await makeVerifier(lib);
      const token = change(await signed(await ec()));
      throws(() => verifier.verify(token), "ERR_TOKEN_MALFORMED");
    });
  }

  h.test("a signature with bits set beyond its last byte is refused: a token has one spelling", async () => {
    // 64 bytes are 86 characters, the last of which carries two bits; the other four must be zero.
    const token = await signed(await ec());
    const last = token.at(-1) as string;
    ok("AQgw".includes(last), "two bits in the last character");
    const respelt = token.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
    deepEqual(fromBase64url(respelt.split(".")[2] as string), fromBase64url(token.split(".")[2] as string));
    const verifier = await makeVerifier(lib);
    throws(() => verifier.verify(respelt), "ERR_TOKEN_MALFORMED");
  });

  h.test("the alphabet of plain base64 is refused", async () => {
    const verifier = await makeVerifier(lib);
    for (const token of ["+++/.e30.e30", "e30.ab+/.e30", "e30.e30.ab+/"]) {
      throws(() => verifier.verify(token), "ERR_TOKEN_MALFORMED", token);
    }
  });

  h.test("typ is compared as a media type: in any case, with application/ or without", async () => {
    const verifier = await makeVerifier(lib, { typ: "at+jwt" });
    const keys = await ec();
    for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"]) {
      ok(verifier.verify(await signed(keys, claims(), { alg: "ES256", typ })), typ);
    }
    for (const typ of ["JWT", "at+jwt ", "text/at+jwt", "application/application/at+jwt", "at+jwt;v=1", ""]) {
      const token = await signed(keys, claims(), { alg: "ES256", typ });
      throws(() => verifier.verify(token), { code: "ERR_TOKEN_TYPE", step: "header" }, typ);
    }
    const without = await signed(keys, claims(), { alg: "ES256" });
    throws(() => verifier.verify(without), "ERR_TOKEN_TYPE");
  });

  h.test("without the typ option any type is accepted except that of refresh tokens", async () => {
    const verifier = await makeVerifier(lib);
    const keys = await ec();
    ok(verifier.verify(await signed(keys, claims(), { alg: "ES256", typ: "dpop+jwt" })));
    ok(verifier.verify(await signed(keys, claims(), { alg: "ES256" })));
    for (const typ of ["rt+jwt", "application/rt+jwt", "RT+JWT"]) {
      const token = await signed(keys, claims(), { alg: "ES256", typ });
      throws(() => verifier.verify(token), "ERR_TOKEN_TYPE", typ);
    }
    const refresh = await makeVerifier(lib, { typ: "rt+jwt" });
    ok(refresh.verify(await signed(keys, claims(), { alg: "ES256", typ: "rt+jwt" })));
  });

  h.test("algorithms narrows what the keys could verify", async () => {
    const keys = { keys: [(await ec()).publicJwk, (await rsa()).publicJwk] };
    const verifier = await makeVerifier(lib, { keys, algorithms: ["RS256"] });
    ok(verifier.verify(await signed(await rsa())));
    const token = await signed(await ec());
    throws(() => verifier.verify(token), { code: "ERR_ALGORITHM_NOT_ALLOWED", step: "key" });
  });

  h.test("each of several issuers is trusted with its own keys and audience alone", async () => {
    const verifier = await makeVerifier(lib, {
      keys: undefined,
      issuer: undefined,
      audience: undefined,
      issuers: [
        { issuer: "https://a.example", audience: "a-api", keys: (await ec()).publicJwk },
        { issuer: "https://b.example", audience: "b-api", keys: (await rsa()).publicJwk },
      ],
    });
    const a = { iss: "https://a.example", aud: "a-api" };
    const b = { iss: "https://b.example", aud: "b-api" };
    ok(verifier.verify(await signed(await ec(), claims(a))));
    ok(verifier.verify(await signed(await rsa(), claims(b))));

    const stranger = await signed(await ec(), claims({ ...a, iss: "https://c.example" }));
    throws(() => verifier.verify(stranger), "ERR_ISSUER_UNKNOWN");
    const nameless = await signed(await ec(), claims({ ...a, iss: undefined }));
    throws(() => verifier.verify(nameless), "ERR_ISSUER_UNKNOWN");
    const borrowedKey = await signed(await rsa(), claims(a), { alg: "RS256" });
    throws(() => verifier.verify(borrowedKey), "ERR_ALGORITHM_NOT_ALLOWED");
    const borrowedAudience = await signed(await ec(), claims({ ...a, aud: "b-api" }));
    throws(() => verifier.verify(borrowedAudience), "ERR_AUDIENCE_MISMATCH");
  });

  h.test("issuer and audience may be null, and then neither is checked", async () => {
    const verifier = await makeVerifier(lib, { issuer: null, audience: null });
    ok(verifier.verify(await signed(await ec(), claims({ iss: undefined, aud: undefined }))));
    ok(verifier.verify(await signed(await ec(), claims({ iss: "https://any.example", aud: ["x", "y"] }))));
  });

  h.test("ready resolves at once when all keys are at hand", async () => {
    const verifier = await makeVerifier(lib);
    equal(await verifier.ready(), undefined);
  });

  h.test("a hundred verifications started together each give their own token's claims", async () => {
    const keys = await ec();
    const verifier = await makeVerifier(lib);
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => signed(keys, claims({ sub: `user-${i}` }))));
    const results = await Promise.all(tokens.map((token) => verifier.verifyAsync(token)));
    deepEqual(
      results.map((result) => result.claims.sub),
      tokens.map((_, i) => `user-${i}`),
    );
  });

  h.test("verifiers do not share what they trust", async () => {
    const first = await makeVerifier(lib);
    const second = await makeVerifier(lib, { keys: (await otherEc()).publicJwk, audience: "https://other.example" });
    const token = await signed(await ec());
    ok(first.verify(token));
    throws(() => second.verify(token), "ERR_KEY_NOT_FOUND");
    const foreign = await signed(await otherEc(), claims({ aud: "https://other.example" }));
    ok(second.verify(foreign));
    throws(() => first.verify(foreign), "ERR_KEY_NOT_FOUND");
  });

  h.test("the first fault in the order of the steps decides the code", async () => {
    const verifier = await makeVerifier(lib, { typ: "at+jwt" });
    const expired = claims({ exp: NOW - 1, iss: "https://other.example" });
    const stranger = await otherEc();
    const wrongType = await signed(stranger, expired, { alg: "none", typ: "JWT" });
    throws(() => verifier.verify(wrongType), { code: "ERR_TOKEN_TYPE", step: "header" });
    const wrongAlgorithm = await signed(stranger, expired, { alg: "none", typ: "at+jwt" });
    throws(() => verifier.verify(wrongAlgorithm), { code: "ERR_ALGORITHM_NOT_ALLOWED", step: "key" });
    const wrongSignature = await signed(stranger, expired, { alg: "ES256", typ: "at+jwt" });
    throws(() => verifier.verify(wrongSignature), { code: "ERR_SIGNATURE_INVALID", step: "signature" });
    const notClaims = await signed(await ec(), "[]", { alg: "ES256", typ: "at+jwt" });
    throws(() => verifier.verify(notClaims), { code: "ERR_CLAIMS_INVALID", step: "claims" });
  });

  h.test("the audience of a token may be a list and the trusted ones a list", async () => {
    const verifier = await makeVerifier(lib, {
      audience: ["https://x.example", AUDIENCE],
      issuer: ["https://x", ISSUER],
    });
    ok(verifier.verify(await signed(await ec(), claims({ aud: ["one", AUDIENCE] }))));
    const none = await signed(await ec(), claims({ aud: ["one", "two"] }));
    throws(() => verifier.verify(none), { code: "ERR_AUDIENCE_MISMATCH", claim: "aud", reason: "check_failed" });
  });
};
