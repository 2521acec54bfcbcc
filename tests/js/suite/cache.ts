// The cache of verified signatures: what a hit saves is the signature and nothing else.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { NOW, claims, ec, makeVerifier, otherEc, signed } from "./support.js";

export const cache: Suite = (h, lib) => {
  h.test("a token that comes again is remembered, by every way of verification", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 8 } });
    const token = await signed(await ec());
    const first = verifier.verify(token);
    deepEqual(verifier.cache, { size: 1, hits: 0, misses: 1 });
    deepEqual(verifier.verify(token), first);
    const { revocation: _, ...again } = await verifier.verifyAsync(token);
    deepEqual(again, first);
    const request = { method: "GET", headers: { authorization: `Bearer ${token}` } };
    deepEqual((await verifier.authenticate(request)).claims, first.claims);
    deepEqual(verifier.cache, { size: 1, hits: 3, misses: 1 });
  });

  h.test("without the option there is no cache", async () => {
    equal((await makeVerifier(lib)).cache, undefined);
  });

  h.test("what a caller does to claims and header does not show the next time", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 8 } });
    const token = await signed(await ec(), claims({ roles: ["reader"] }));
    const { claims: mine, header } = verifier.verify(token);
    (mine["roles"] as string[]).push("admin");
    mine.sub = "mallory";
    header["typ"] = "changed";
    const { claims: fresh, header: freshHeader } = verifier.verify(token);
    deepEqual([fresh["roles"], fresh.sub, freshHeader.typ], [["reader"], "alice", "JWT"]);
  });

  h.test("a token with another signature, header or payload is verified for itself", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 8 } });
    const token = await signed(await ec());
    const [header, payload, signature] = token.split(".") as [string, string, string];
    verifier.verify(token);
    const forged = (
      await signed(await otherEc(), claims({ sub: "bob" }), { alg: "ES256", kid: "ec-1", typ: "JWT" })
    ).split(".");
    throws(() => verifier.verify(`${header}.${forged[1]}.${signature}`), "ERR_SIGNATURE_INVALID");
    throws(() => verifier.verify(`${header}.${payload}.${forged[2]}`), "ERR_SIGNATURE_INVALID");
    throws(() => verifier.verify(forged.join(".")), "ERR_SIGNATURE_INVALID");
    deepEqual(verifier.cache, { size: 1, hits: 0, misses: 4 });
  });

  h.test("time is checked on every hit, and what is remembered ends with exp", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 8 }, clockTolerance: 60 });
    const token = await signed(await ec(), claims({ nbf: NOW }));
    verifier.verify(token);
    throws(() => verifier.verify(token, { now: NOW - 61 }), "ERR_TOKEN_NOT_YET_VALID");
    throws(() => verifier.verify(token, { now: NOW + 660 }), "ERR_TOKEN_EXPIRED");
    const { hits } = verifier.cache ?? { hits: NaN };
    ok(verifier.verify(token, { now: NOW + 599 }));
    equal(verifier.cache?.hits, hits + 1);
    ok(verifier.verify(token, { now: NOW + 600 }), "accepted by tolerance");
    equal(verifier.cache?.hits, hits + 1, "but verified anew");
  });

  h.test("a token that is revoked after it was remembered is refused", async () => {
    const store = new MemoryStore();
    const verifier = await makeVerifier(lib, { cache: { max: 8 }, revocation: { store } });
    const token = await signed(await ec());
    const { claims: verified } = await verifier.verifyAsync(token);
    ok(await verifier.verifyAsync(token));
    await verifier.revokeToken(verified);
    await rejects(verifier.verifyAsync(token), "ERR_TOKEN_REVOKED");
    equal(verifier.cache?.hits, 2);
  });

  h.test("what is refused is not remembered", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 8 } });
    const expired = await signed(await ec(), claims({ exp: NOW }));
    const forged = await signed(await otherEc(), claims(), { alg: "ES256", kid: "ec-1" });
    for (let i = 0; i < 2; i++) {
      throws(() => verifier.verify(expired), "ERR_TOKEN_EXPIRED");
      throws(() => verifier.verify(forged), "ERR_SIGNATURE_INVALID");
    }
    deepEqual([verifier.cache?.size, verifier.cache?.hits], [0, 0]);
  });

  h.test("no verifier uses what another remembers", async () => {
    const [one, other] = [
      await makeVerifier(lib, { cache: { max: 8 } }),
      await makeVerifier(lib, { cache: { max: 8 } }),
    ];
    const token = await signed(await ec());
    one.verify(token);
    other.verify(token);
    deepEqual(other.cache, { size: 1, hits: 0, misses: 1 });
  });

  h.test("no more is remembered than max", async () => {
    const verifier = await makeVerifier(lib, { cache: { max: 3 } });
    for (let i = 0; i < 8; i++) verifier.verify(await signed(await ec(), claims({ jti: `${i}` })));
    deepEqual(verifier.cache, { size: 3, hits: 0, misses: 8 });
  });

  for (const wrong of [{}, { max: 0 }, { max: 65_537 }, { max: 1.5 }, { max: "8" }, { size: 8 }, true, 8, []]) {
    h.test(`cache ${JSON.stringify(wrong)} is refused by name`, async () => {
      const error = await rejects(makeVerifier(lib, { cache: wrong }), "ERR_OPTION_INVALID");
      includes(error.message, "cache");
    });
  }
};
