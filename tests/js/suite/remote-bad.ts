// What endpoints get wrong: a typed error that names the host and the reason, and no token whose key is known is held up.

import { deepEqual, equal, includes, ok, rejects } from "../harness/assert.js";
import type { KeyAnswer } from "../harness/key-server.js";
import type { Suite } from "../harness/types.js";
import { outcome, published, reading, setOf, WHEN } from "./remote-support.js";
import { ec, generateKeys, type Jwk, otherEc, rsa, signed } from "./support.js";

const UNAVAILABLE = "ERR_KEY_SET_UNAVAILABLE";

export const remoteBad: Suite = async (h, lib) => {
  const [good, other] = [await ec(), await otherEc()];
  const keys = (...list: unknown[]): string => JSON.stringify({ keys: list });
  const many = Array.from({ length: 101 }, (_, i): Jwk => ({ ...good.publicJwk, kid: `k${i}` }));
  const elsewhere = await published(h, setOf(good));

  // Name, answer, code, reason in events, part of the message.
  const cases: [string, KeyAnswer, string, string, string][] = [
    ["hangs", { fault: "hang" }, UNAVAILABLE, "timeout", "did not come in time"],
    ["stops after its headers", { fault: "stall" }, UNAVAILABLE, "timeout", "did not come in time"],
    ["never ends", { fault: "endless" }, UNAVAILABLE, "too-large", "longer than maxBytes"],
    ["cuts the connection", { fault: "break" }, UNAVAILABLE, "network", "could not be fetched"],
    ["is huge", { body: keys(good.publicJwk).padEnd(300_000) }, UNAVAILABLE, "too-large", "longer than maxBytes"],
    [
      "redirects",
      { status: 302, headers: { location: elsewhere.url } },
      UNAVAILABLE,
      "redirect",
      "answered with a redirect",
    ],
    ["is not there", { status: 404 }, UNAVAILABLE, "status", "status 404"],
    ["is not there, and sends a set all the same", { status: 404, body: setOf(good) }, UNAVAILABLE, "status", "404"],
    ["is partial", { status: 206, body: setOf(good) }, UNAVAILABLE, "status", "status 206"],
    [
      "is a page",
      { body: "<html>", headers: { "content-type": "Text/HTML" } },
      UNAVAILABLE,
      "not-json",
      "an HTML page",
    ],
    ["is cut short", { body: setOf(good).slice(0, -1) }, UNAVAILABLE, "not-json", "not strict JSON"],
    ["says a member twice", { body: '{"keys":[],"keys":[]}' }, UNAVAILABLE, "not-json", "not strict JSON"],
    ["has no body", { body: "" }, UNAVAILABLE, "not-json", "not strict JSON"],
    ["is a single key", { body: JSON.stringify(good.publicJwk) }, UNAVAILABLE, "not-a-set", "not a JWK Set"],
    ["is a list", { body: JSON.stringify([good.publicJwk]) }, UNAVAILABLE, "not-a-set", "not a JWK Set"],
    ["is a certificate", { body: '"-----BEGIN CERTIFICATE-----"' }, UNAVAILABLE, "not-a-set", "not a JWK Set"],
    ["has too many keys", { body: keys(...many) }, UNAVAILABLE, "too-many-keys", "more keys than maxKeys"],
    ["is empty", { body: keys() }, "ERR_KEY_SET_EMPTY", "unusable", "no usable key"],
    [
      "has no key that can be used",
      { body: keys({ kty: "OKP", crv: "Ed25519", x: "AA" }, { ...good.publicJwk, use: "enc" }, 7, null) },
      "ERR_KEY_SET_EMPTY",
      "unusable",
      "no usable key",
    ],
    ["has a private key", { body: keys(good.publicJwk, other.privateJwk) }, "ERR_KEY_PRIVATE", "private", "private"],
    [
      "has a secret",
      { body: keys(good.publicJwk, { kty: "oct", k: "AAAA" }) },
      "ERR_KEY_PRIVATE",
      "private",
      "private",
    ],
  ];

  for (const [name, answer, code, reason, part] of cases) {
    h.test(`a set that ${name} is refused with ${code}, and no token whose key is known`, async () => {
      const options = { timeout: 0.5, maxAge: 600 };
      const cold = await published(h, answer);
      const { verifier, of } = await reading(lib, cold, options);
      const token = await signed(good);
      const error = await rejects(verifier.verifyAsync(token, WHEN), code);
      includes(error.message, cold.host);
      includes(error.message, part);
      deepEqual(of("keys-failed"), [{ type: "keys-failed", host: cold.host, reason }]);

      const warm = await published(h, setOf(good), answer);
      const read = await reading(lib, warm, options);
      ok(await read.verifier.verifyAsync(token, WHEN));
      // For the kid of another token.
      equal(await outcome(read.verifier.verifyAsync(await signed(other), WHEN)), "ERR_KEY_NOT_FOUND");
      read.clock.now += 600;
      ok(await read.verifier.verifyAsync(token, WHEN));
      equal(read.of("keys-failed").length, 2);
      // Browsers, Deno and Bun repeat a request by themselves when its connection was cut or its answer left unread.
      if (!["chromium", "deno", "bun"].includes(h.runtime) || answer.fault === undefined)
        equal(await warm.fetches(), 3);
    });
  }

  h.test("a redirect is not followed, and where it leads is not asked", async () => {
    equal(await elsewhere.fetches(), 0);
  });

  h.test("keys that cannot be used are passed over, whatever Content-Type the set has", async () => {
    const weak = await generateKeys("RS256", "weak", 1024);
    const body = JSON.stringify({
      keys: [{ kty: "OKP" }, weak.publicJwk, (await rsa()).publicJwk, good.publicJwk],
      more: true,
    });
    for (const type of ["application/jwk-set+json", "text/plain", "application/octet-stream", "text/html"]) {
      const set = await published(h, { body, headers: { "content-type": type } });
      const { verifier, events } = await reading(lib, set);
      for (const key of [good, await rsa()]) ok(await verifier.verifyAsync(await signed(key), WHEN));
      equal(events[0]?.["keys"], 2);
    }
  });

  h.test("limits of the caller's own are kept to the byte and to the key", async () => {
    const body = setOf(good, await rsa());
    for (const [options, passes] of [
      [{ maxBytes: body.length }, true],
      [{ maxBytes: body.length - 1 }, false],
      [{ maxKeys: 2 }, true],
      [{ maxKeys: 1 }, false],
    ] as const) {
      const { verifier } = await reading(lib, await published(h, body), options);
      equal(await outcome(verifier.ready()), passes ? "accepted" : UNAVAILABLE);
    }
  });

  h.test("an endpoint where nobody listens is a failure of the network", async () => {
    const { verifier, of } = await reading(lib, lib.remoteJwks("http://127.0.0.1:9/jwks", { timeout: 2 }));
    const error = await rejects(verifier.ready(), UNAVAILABLE);
    includes(error.message, "127.0.0.1:9");
    equal(of("keys-failed")[0]?.["reason"], "network");
  });
};
