/** docs/schema.md: its programs accept, refuse and type what the text says, with the libraries themselves. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createIssuer, generateKeyPair, type Issuer, type JWK, type Verifier, WaxsealError } from "waxseal";
import { blocks, run } from "./documents.js";

let publicKey: JWK;
let issuer: Issuer;
before(async () => {
  const pair = await generateKeyPair("ES256");
  publicKey = pair.publicKey;
  const names = { issuer: "https://id.example", audience: "https://api.example" };
  issuer = await createIssuer({ key: pair.privateKey, ...names });
});

const programs = blocks("docs/schema.md");
const good = { sub: "alice", role: "reader", tenant: "42", note: "of no use" };

test("docs/schema.md has a program for zod, valibot and arktype each", () => {
  const libraries = programs.map(({ code }) => /from "(zod|valibot|arktype)"/.exec(code)?.[1]);
  assert.deepEqual(libraries, ["zod", "valibot", "arktype"]);
});

for (const program of programs) {
  const name = /from "(zod|valibot|arktype)"/.exec(program.code)?.[1];
  test(`${name} drops what it does not name, makes a number of the tenant, and names the claim that is wrong`, async () => {
    const { verifier } = await run<{ verifier: Verifier }>(program, { jwks: { keys: [publicKey] } });
    const { claims } = verifier.verify(await issuer.issue(good));
    assert.deepEqual(claims, { sub: "alice", role: "reader", tenant: 42 });
    assert.equal((await verifier.verifyAsync(await issuer.issue(good))).claims["tenant"], 42);

    for (const [claim, value] of [
      ["role", "owner"],
      ["tenant", "forty-two"],
      ["sub", undefined],
    ] as const) {
      const token = await issuer.issue({ ...good, [claim]: value });
      assert.throws(
        () => verifier.verify(token),
        (error) =>
          error instanceof WaxsealError &&
          error.code === "ERR_SCHEMA_MISMATCH" &&
          error.status === 401 &&
          error.claim === claim &&
          !error.message.includes(String(value)),
      );
    }
    // A token that another key signed is refused before the schema sees it.
    const other = await createIssuer({
      key: (await generateKeyPair("ES256")).privateKey,
      issuer: "https://id.example",
      audience: "https://api.example",
      kid: publicKey.kid as string,
    });
    const forged = await other.issue({ ...good, role: "owner" });
    assert.throws(() => verifier.verify(forged), { code: "ERR_SIGNATURE_INVALID" });
  });
}
