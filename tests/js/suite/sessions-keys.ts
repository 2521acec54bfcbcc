// The keys of sessions: several of them, of every kind, and signing outside the module that fails.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { pem, pkcs8 } from "./der.js";
import { ALICE, serve, withBearer, withCookies } from "./session-support.js";
import { ec, generateKeys, otherEc, rawSignature, read, rsa, verifiesWithWebCrypto } from "./support.js";
import type { Keys } from "./support.js";

type SignBytes = (bytes: Uint8Array<ArrayBuffer>) => unknown;

const callback = (keys: Keys, sign: SignBytes = (bytes) => rawSignature(keys, bytes)): object => ({
  alg: keys.alg,
  kid: keys.kid,
  publicKey: keys.publicJwk,
  sign,
});

export const sessionsKeys: Suite = (h, lib) => {
  const forms: [string, (keys: Keys) => unknown][] = [
    ["a private JWK", ({ privateJwk }) => privateJwk],
    ["a PKCS#8 PEM", async ({ cryptoPrivate }) => pem("PRIVATE KEY", await pkcs8(cryptoPrivate))],
    ["a CryptoKey", ({ cryptoPrivate }) => cryptoPrivate],
    ["a signing callback", (keys) => callback(keys)],
  ];
  for (const [what, form] of forms) {
    for (const alg of ["ES256", "RS256"] as const) {
      h.test(`${what} signs both tokens with ${alg}, and what it signed is accepted and refreshed`, async () => {
        const keys = alg === "ES256" ? await ec() : await rsa();
        const { sessions, clock } = await serve(lib, { keys: await form(keys), refreshKeys: undefined });
        const held = await sessions.login(ALICE);
        for (const token of [held.accessToken, held.refreshToken]) {
          equal(read(token).header["alg"], alg);
          ok(await verifiesWithWebCrypto(keys, token));
        }
        ok(await sessions.authenticate(withCookies(held)));
        clock.now += 60;
        const next = await sessions.refresh(withCookies(held));
        ok(await verifiesWithWebCrypto(keys, next.refreshToken));
        equal((await sessions.logout(withCookies(next))).ended, true);
      });
    }
  }

  h.test(
    "of several keys the first signs and all verify, so that a key can be replaced while users stay signed in",
    async () => {
      const [old, next] = [(await ec()).privateJwk, (await generateKeys("ES256", "ec-new")).privateJwk];
      const [oldRefresh, nextRefresh] = [(await otherEc()).privateJwk, (await rsa()).privateJwk];
      const before = await serve(lib, { keys: old, refreshKeys: [oldRefresh] });
      const held = await before.sessions.login(ALICE);
      const after = await serve(lib, { keys: [next, old], refreshKeys: [nextRefresh, oldRefresh] }, before);
      ok(await after.sessions.authenticate(withCookies(held)));
      before.clock.now += 60;
      const moved = await after.sessions.refresh(withCookies(held));
      deepEqual(
        [read(moved.accessToken).header["kid"], read(moved.refreshToken).header["kid"]],
        ["ec-new", nextRefresh["kid"]],
      );
      deepEqual(
        after.sessions.jwks().keys.map(({ kid }) => kid),
        ["ec-new", "ec-1"],
      );
      const without = await serve(lib, { keys: next, refreshKeys: nextRefresh }, before);
      await rejects(without.sessions.authenticate(withCookies(held)), "ERR_KEY_NOT_FOUND");
      ok(await without.sessions.authenticate(withCookies(moved)));
    },
  );

  h.test("of keys after the first the public half is enough, and two of one kid are refused", async () => {
    const [next, old] = [await generateKeys("ES256", "ec-new"), await rsa()];
    const before = await serve(lib, { keys: old.privateJwk, refreshKeys: undefined });
    const held = await before.sessions.login(ALICE);
    for (const half of [old.publicJwk, callback(old), old.cryptoPrivate]) {
      const kid = half === old.cryptoPrivate ? lib.thumbprint(old.publicJwk) : old.kid;
      const { sessions } = await serve(lib, { keys: [next.privateJwk, half], refreshKeys: undefined }, before);
      deepEqual(
        sessions.jwks().keys.map((key) => [key.kid, key.alg, key.d]),
        [
          ["ec-new", "ES256", undefined],
          [kid, "RS256", undefined],
        ],
      );
      if (kid === old.kid) ok(await sessions.authenticate(withCookies(held)));
    }
    const twice = [next.privateJwk, old.publicJwk, old.privateJwk];
    await rejects(serve(lib, { keys: twice }), "ERR_KEY_INVALID", "same kid");
    await rejects(serve(lib, { keys: [old.publicJwk, next.privateJwk] }), "ERR_KEY_INVALID");
  });

  h.test(
    "the key of refresh tokens is not published, and signs no access token that is accepted; nor the other way",
    async () => {
      const { sessions } = await serve(lib);
      const held = await sessions.login(ALICE);
      deepEqual(
        sessions.jwks().keys.map(({ kid }) => kid),
        ["ec-1"],
      );
      const swapped = await serve(lib, { keys: (await otherEc()).privateJwk, refreshKeys: (await ec()).privateJwk });
      const other = await swapped.sessions.login(ALICE);
      await rejects(sessions.authenticate(withBearer(other.accessToken)), "ERR_KEY_NOT_FOUND");
      await rejects(sessions.refresh({ refreshToken: other.refreshToken }), "ERR_KEY_NOT_FOUND");
      ok(await sessions.refresh(withCookies(held)));
    },
  );

  h.test("jwks has no private member, and each key its kid, use and alg", async () => {
    const keys = [(await ec()).privateJwk, (await rsa()).privateJwk];
    const { sessions } = await serve(lib, { keys });
    const published = sessions.jwks().keys as unknown as Record<string, unknown>[];
    equal(published.length, 2);
    for (const key of published) {
      for (const name of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) ok(!Object.hasOwn(key, name), name);
      ok(key["kid"] && key["alg"]);
      equal(key["use"], "sig");
    }
  });

  const bad: [string, () => Promise<unknown>, string][] = [
    ["a public key", async () => (await ec()).publicJwk, "ERR_KEY_INVALID"],
    ["nothing", async () => undefined, "ERR_OPTION_INVALID"],
    ["an empty list", async () => [], "ERR_OPTION_INVALID"],
    ["a list with a hole", async () => [(await ec()).privateJwk, undefined], "ERR_OPTION_INVALID"],
    ["a number", async () => 1, "ERR_OPTION_INVALID"],
    ["a text that is no PEM", async () => "secret", "ERR_KEY_INVALID"],
    ["a shared secret", async () => ({ kty: "oct", k: "AAAA" }), "ERR_KEY_UNSUPPORTED"],
    [
      "a callback without its public key",
      async () => ({ alg: "ES256", kid: "k", sign: () => 1 }),
      "ERR_KEY_UNSUPPORTED",
    ],
  ];
  for (const [what, key, code] of bad) {
    h.test(`${what} is refused as keys, and but for nothing as refreshKeys too`, async () => {
      await rejects(serve(lib, { keys: await key() }), code);
      if (what !== "nothing") await rejects(serve(lib, { refreshKeys: await key() }), code);
    });
  }

  const failures: [string, SignBytes][] = [
    [
      "throws",
      () => {
        throw new Error("hunter2");
      },
    ],
    ["rejects", () => Promise.reject(new Error("hunter2"))],
    ["never answers", () => new Promise(() => undefined)],
    ["answers undefined", () => undefined],
    ["answers text", () => "signature"],
    ["answers bytes of another length", () => new Uint8Array(63)],
    ["answers a signature of other bytes", async () => rawSignature(await ec(), new Uint8Array(8))],
  ];
  for (const [what, sign] of failures) {
    h.test(`a signing callback that ${what} fails the call in time, and nothing was written`, async () => {
      const keys = await ec();
      let failing = false;
      const half = callback(keys, (bytes) => (failing ? sign(bytes) : rawSignature(keys, bytes)));
      for (const options of [{ keys: half }, { refreshKeys: half, keys: (await otherEc()).privateJwk }]) {
        failing = false;
        const { sessions, records, clock, events } = await serve(lib, { ...options, timeout: 0.1 });
        const held = await sessions.login(ALICE);
        clock.now += 60;
        const [text, written] = [await records.text(), records.written.length];
        failing = true;
        events.length = 0;
        const refused = { code: "ERR_SIGNER_FAILED", status: 503 };
        const error = await rejects(sessions.refresh(withCookies(held)), refused);
        ok(!error.message.includes("hunter2"));
        await rejects(sessions.login(ALICE), refused);
        deepEqual([await records.text(), records.written.length], [text, written]);
        deepEqual(
          events.map(({ type }) => type),
          ["rejected", "rejected"],
        );
        failing = false;
        equal(read((await sessions.refresh(withCookies(held))).refreshToken).claims["gen"], 1);
      }
    });
  }

  h.test("tokens too large for a cookie are called so whatever signs them, and nothing was written", async () => {
    for (const keys of [(await ec()).privateJwk, (await rsa()).privateJwk, callback(await ec())]) {
      const { sessions, records, events } = await serve(lib, { keys, refreshKeys: keys });
      await rejects(sessions.login(ALICE, { claims: { x: "x".repeat(4000) } }), "ERR_COOKIE_TOO_LARGE");
      deepEqual(records.written, []);
      deepEqual(
        events.map(({ type }) => type),
        ["rejected"],
      );
    }
  });

  h.test(
    "what a signing callback is given are the bytes of the token it then signs, one call for each token",
    async () => {
      const keys = await ec();
      const inputs: string[] = [];
      const key = callback(keys, (bytes) => {
        inputs.push(new TextDecoder().decode(bytes));
        return rawSignature(keys, bytes);
      });
      const { sessions } = await serve(lib, { keys: key, refreshKeys: undefined });
      const held = await sessions.login(ALICE);
      const signedParts = [held.accessToken, held.refreshToken].map((token) => token.slice(0, token.lastIndexOf(".")));
      deepEqual([...inputs].sort(), signedParts.sort());
    },
  );
};
