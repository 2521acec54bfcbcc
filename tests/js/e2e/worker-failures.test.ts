/** What the Worker answers when its parts fail or are missing: other Workers stand in the place of KV, over RPC. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertError, Client, PASSWORD, type Running, startPacked } from "./support.js";

let running: Running;

before(async () => {
  running = await startPacked((bindings) => {
    const without = (name: string) => Object.fromEntries(Object.entries(bindings).filter(([key]) => key !== name));
    return {
      "store-throws": {
        bindings,
        revoked: { classBody: `get() { throw new Error("down"); } getMany() { throw new Error("down"); }` },
      },
      "store-hangs": {
        bindings,
        revoked: { classBody: "get() { return scheduler.wait(60_000); } getMany() { return scheduler.wait(60_000); }" },
      },
      "store-answers-nonsense": { bindings, revoked: { classBody: "get() { return 0; } getMany() { return 0; }" } },
      "store-is-read-only": {
        bindings,
        revoked: {
          classBody: `get() { return null; } getMany(keys) { return keys.map(() => null); }
            put() { throw new Error("down"); }`,
        },
      },
      "no-store": { bindings, revoked: "absent" },
      "no-key": { bindings: without("WAXSEAL_PRIVATE_KEY") },
      "no-issuer": { bindings: without("ISSUER") },
      "no-audience": { bindings: without("AUDIENCE") },
      "no-origins": { bindings: without("ORIGINS") },
      "no-password": { bindings: without("DEMO_PASSWORD") },
      "key-is-not-json": { bindings: { ...bindings, WAXSEAL_PRIVATE_KEY: "-----BEGIN SECRET HORSE-----" } },
      "key-is-public": {
        bindings: {
          ...bindings,
          WAXSEAL_PRIVATE_KEY: JSON.stringify({ ...JSON.parse(String(bindings.WAXSEAL_PRIVATE_KEY)), d: undefined }),
        },
      },
      "origins-are-urls": { bindings: { ...bindings, ORIGINS: ["http://localhost/with/a/path"] } },
    };
  });
});

after(async () => {
  await running.stop();
});

describe("a revocation store that does not work", () => {
  for (const instance of ["store-throws", "store-hangs", "store-answers-nonsense"]) {
    test(`lets nobody in, within its timeout, and the next request is answered: ${instance}`, async () => {
      const client = await Client.of(running, instance);
      const token = await client.token();
      const started = performance.now();
      assertError(await client.me(token), 503, "ERR_REVOCATION_UNAVAILABLE");
      assert.ok(performance.now() - started < 3000);
      assert.equal((await client.send("/.well-known/jwks.json")).status, 200);
    });
  }

  test("is not asked about a token whose signature is wrong", async () => {
    const client = await Client.of(running, "store-throws");
    const [header, claims] = (await client.token()).split(".");
    assertError(await client.me(`${header}.${claims}.${"A".repeat(86)}`), 401, "ERR_SIGNATURE_INVALID");
  });

  test("makes signing out fail aloud when the entry cannot be written, and the cookie is cleared all the same", async () => {
    const client = await Client.of(running, "store-is-read-only");
    const token = await client.token();
    assert.equal((await client.me(token)).status, 200);
    const answer = await client.logout({ ...client.sameOrigin, Cookie: `__Host-access=${token}` });
    assertError(answer, 503, "ERR_REVOCATION_UNAVAILABLE");
    assert.match(answer.setCookie[0] ?? "", /^__Host-access=;.*Max-Age=0/);
  });
});

describe("a Worker that is not set up", () => {
  const cases: [instance: string, code: string, mention: RegExp][] = [
    ["no-key", "MISCONFIGURED", /WAXSEAL_PRIVATE_KEY .*wrangler secret put/],
    ["no-store", "MISCONFIGURED", /REVOKED .*kv_namespaces/],
    ["no-issuer", "MISCONFIGURED", /ISSUER .*wrangler\.jsonc/],
    ["no-audience", "MISCONFIGURED", /AUDIENCE .*wrangler\.jsonc/],
    ["no-origins", "MISCONFIGURED", /ORIGINS .*wrangler\.jsonc/],
    ["no-password", "MISCONFIGURED", /DEMO_PASSWORD .*wrangler secret put/],
    ["key-is-not-json", "MISCONFIGURED", /WAXSEAL_PRIVATE_KEY is not JSON/],
    ["key-is-public", "ERR_KEY_INVALID", /./],
    ["origins-are-urls", "ERR_OPTION_INVALID", /origins/],
  ];
  for (const [instance, code, mention] of cases) {
    test(`answers 500 and says what to do, in its log too: ${instance}`, async () => {
      const client = await Client.of(running, instance);
      for (const _ of [1, 2]) {
        const answer = await client.login();
        assertError(answer, 500, code);
        assert.match(answer.json.error.message, mention);
        assert.doesNotMatch(answer.text, /HORSE/);
        assert.ok(running.logged().includes(answer.json.error.message.slice(0, 30)));
      }
      assert.equal((await client.send("/")).status, 200, "the page needs nothing");
    });
  }
});

test("nothing that the Worker logged contains a token, a password or a key", () => {
  const log = running.logged();
  assert.match(log, /MISCONFIGURED/, "something was logged at all");
  assert.doesNotMatch(log, /eyJ|HORSE/);
  assert.ok(!log.includes(PASSWORD));
  assert.ok(!log.includes(String(running.privateKey.d)));
});
