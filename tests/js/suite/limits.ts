// Sizes: what is too long is refused by its length alone, before anybody reads it.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { base64url, claims, ec, makeVerifier, signed } from "./support.js";

/** A valid token of exactly this many characters. */
async function tokenOfLength(length: number): Promise<string> {
  const plain = await signed(await ec(), claims({ pad: "" }), { alg: "ES256", kid: "ec-1" });
  const payloadLength = JSON.stringify(claims({ pad: "" })).length;
  for (const x of ["", "x", "xx", "xxx"]) {
    const header = { alg: "ES256", kid: "ec-1", ...(x === "" ? {} : { x }) };
    const rest = length - base64url(JSON.stringify(header)).length - 86 - 2;
    const bytes = Math.floor((rest * 3) / 4);
    // One character more than a multiple of four encodes nothing.
    if (rest % 4 === 1 || bytes < payloadLength) continue;
    const token = await signed(await ec(), claims({ pad: "p".repeat(bytes - payloadLength) }), header);
    equal(token.length, length);
    return token;
  }
  throw new Error(`no token of ${length} characters; the shortest has ${plain.length}`);
}

export const limits: Suite = (h, lib) => {
  h.test("by default a token of 8192 characters is accepted and one of 8193 is not", async () => {
    const verifier = await makeVerifier(lib);
    ok(verifier.verify(await tokenOfLength(8192)));
    const longer = await tokenOfLength(8193);
    throws(() => verifier.verify(longer), { code: "ERR_TOKEN_TOO_LARGE", step: "size", status: 401 });
  });

  for (const limit of [600, 1024, 65536]) {
    h.test(`maxTokenLength ${limit} accepts exactly as much`, async () => {
      const verifier = await makeVerifier(lib, { maxTokenLength: limit });
      ok(verifier.verify(await tokenOfLength(limit)));
      const longer = await tokenOfLength(limit + 1);
      throws(() => verifier.verify(longer), "ERR_TOKEN_TOO_LARGE");
    });
  }

  for (const limit of [0, -1, 1.5, 65537, 1e9, "8192", true, {}]) {
    h.test(`maxTokenLength ${JSON.stringify(limit)} is refused by name`, async () => {
      const error = await rejects(makeVerifier(lib, { maxTokenLength: limit }), "ERR_OPTION_INVALID");
      includes(error.message, "maxTokenLength");
    });
  }

  h.test("a token of one megabyte is refused for its size by every function that takes a token", async () => {
    const verifier = await makeVerifier(lib);
    const [header, , signature] = (await signed(await ec())).split(".");
    const token = `${header}.${"A".repeat(1 << 20)}.${signature}`;
    throws(() => verifier.verify(token), { code: "ERR_TOKEN_TOO_LARGE", status: 401 });
    await rejects(verifier.verifyAsync(token), "ERR_TOKEN_TOO_LARGE");
    throws(() => lib.decodeUnverified(token), "ERR_TOKEN_TOO_LARGE");
    const request = { method: "GET", headers: { authorization: `Bearer ${token}` } };
    await rejects(verifier.authenticate(request), "ERR_AUTHORIZATION_MALFORMED");
    const shorter = { method: "GET", headers: { authorization: `Bearer ${token.slice(0, 60_000)}` } };
    await rejects(verifier.authenticate(shorter), "ERR_TOKEN_TOO_LARGE");
  });

  h.test("a token of one megabyte is refused without being read", async () => {
    const verifier = await makeVerifier(lib);
    const token = "A".repeat(1 << 20);
    // Text gets into Wasm memory by charCodeAt or by a TextEncoder: count how much of it asks for either.
    const { charCodeAt } = String.prototype;
    const { encode, encodeInto } = TextEncoder.prototype;
    let read = 0;
    try {
      String.prototype.charCodeAt = function (index) {
        read += 1;
        return charCodeAt.call(this, index);
      };
      TextEncoder.prototype.encode = function (text) {
        read += text?.length ?? 0;
        return encode.call(this, text);
      };
      TextEncoder.prototype.encodeInto = function (text, target) {
        read += text.length;
        return encodeInto.call(this, text, target);
      };
      throws(() => verifier.verify(token), "ERR_TOKEN_TOO_LARGE");
    } finally {
      String.prototype.charCodeAt = charCodeAt;
      TextEncoder.prototype.encode = encode;
      TextEncoder.prototype.encodeInto = encodeInto;
    }
    ok(read < 1000, `${read} characters were read`);
  });

  h.test("a thousand tokens of one megabyte in a row leave the verifier working", async () => {
    const verifier = await makeVerifier(lib);
    const token = `e30.${"A".repeat(1 << 20)}.`;
    for (let i = 0; i < 1000; i++) throws(() => verifier.verify(token), "ERR_TOKEN_TOO_LARGE");
    deepEqual(verifier.verify(await signed(await ec())).claims, claims());
  });

  h.test("five segments get a message that says JWE is not supported", async () => {
    const verifier = await makeVerifier(lib);
    const header = base64url('{"alg":"dir","enc":"A128GCM"}');
    const error = throws(() => verifier.verify(`${header}..aXY.Y2lwaGVy.dGFn`), "ERR_TOKEN_MALFORMED");
    includes(error.message, "JWE");
  });

  h.test("eight thousand dots are refused as quickly as any other text", async () => {
    const verifier = await makeVerifier(lib);
    throws(() => verifier.verify(".".repeat(8000)), "ERR_TOKEN_MALFORMED");
  });

  h.test("text of many bytes a character is measured before it is read", async () => {
    const verifier = await makeVerifier(lib);
    throws(() => verifier.verify("€".repeat(8193)), "ERR_TOKEN_TOO_LARGE");
    throws(() => verifier.verify("😀".repeat(100)), "ERR_TOKEN_MALFORMED");
  });

  h.test("a header that fills the token is read as any other", async () => {
    const verifier = await makeVerifier(lib);
    const header = `{"alg":"ES256","x":[${"1,".repeat(2500)}1]}`;
    deepEqual(verifier.verify(await signed(await ec(), claims(), header)).claims, claims());
  });

  h.test("a claims set of many members is accepted where the length allows it", async () => {
    const verifier = await makeVerifier(lib, { maxTokenLength: 65536 });
    const many = claims(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`m${i}`, i])));
    deepEqual(verifier.verify(await signed(await ec(), many)).claims, many);
  });
};
