// Verification after verification: memory that is used again, and code of the caller's that runs in between.

import { deepEqual, equal, ok, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { AUDIENCE, ISSUER, NOW, claims, claimsWith, ec, makeVerifier, signed } from "./support.js";

/** What is written into the module while something runs: for each text the size of the memory that it went to. */
function written(run: () => void): { text: string; memory: number }[] {
  const { encodeInto } = TextEncoder.prototype;
  const seen: { text: string; memory: number }[] = [];
  TextEncoder.prototype.encodeInto = function (text, target) {
    seen.push({ text, memory: target.buffer.byteLength });
    return encodeInto.call(this, text, target);
  };
  try {
    run();
  } finally {
    TextEncoder.prototype.encodeInto = encodeInto;
  }
  return seen;
}

export const steady: Suite = (h, lib) => {
  h.test("each verification writes its token once, and memory does not grow over ten thousand of them", async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 100; i++) tokens.push(await signed(await ec(), claims({ jti: `token-${i}` })));
    for (const [rounds, options] of [
      [1, {}],
      [99, { cache: { max: 128 } }],
    ] as const) {
      const verifier = await makeVerifier(lib, options);
      const round = (): void => tokens.forEach((token) => verifier.verify(token));
      round();
      const seen = written(() => {
        for (let i = 0; i < rounds; i++) round();
      });
      deepEqual(
        seen.slice(0, 100).map(({ text }) => text),
        tokens,
      );
      equal(seen.length, rounds * 100);
      equal(new Set(seen.map(({ memory }) => memory)).size, 1);
    }
  });

  h.test("tokens of all lengths, one after another, each give their own claims", async () => {
    const verifier = await makeVerifier(lib, { maxTokenLength: 65_536 });
    for (const length of [0, 5000, 1, 40_000, 2, 100, 47_000, 0]) {
      const expected = claims({
        pad: "p".repeat(length),
        name: length % 2 === 0 ? "plain" : "\u{e9}\u{20ac}\u{1f600}",
      });
      deepEqual(verifier.verify(await signed(await ec(), expected)).claims, expected);
    }
  });

  h.test("what an observer, a clock or an option does with the same verifier changes no other result", async () => {
    const [mine, other] = [
      await signed(await ec(), claims({ sub: "mine" })),
      await signed(await ec(), claims({ sub: "somebody else's, and longer" }), {
        alg: "ES256",
        kid: "ec-1",
        x: { y: 1 },
      }),
    ];
    let inside = false;
    const intrude = (): void => {
      if (inside) return;
      inside = true;
      equal(verifier.verify(other).claims.sub, "somebody else's, and longer");
      throws(() => verifier.verify("a.b.c"), "ERR_TOKEN_MALFORMED");
      inside = false;
    };
    const verifier = await makeVerifier(lib, {
      onEvent: intrude,
      clock: () => {
        intrude();
        return NOW;
      },
    });
    const options = {
      get now() {
        intrude();
        return NOW;
      },
    };
    for (let i = 0; i < 3; i++) {
      equal(verifier.verify(mine).claims.sub, "mine");
      equal(verifier.verify(mine, options).header.typ, "JWT");
      const { claims: found, revocation } = await verifier.verifyAsync(mine, options);
      deepEqual([found.sub, revocation], ["mine", "not-checked"]);
      const headers = {
        get authorization() {
          intrude();
          return `Bearer ${mine}`;
        },
      };
      const { claims: theirs, source } = await verifier.authenticate({ method: "GET", headers }, options);
      deepEqual([theirs.sub, source], ["mine", "bearer"]);
    }
  });

  h.test("several verifications under way at once give each caller its own claims", async () => {
    const verifier = await makeVerifier(lib);
    const subjects = Array.from({ length: 20 }, (_, i) => `subject-${i}`);
    const tokens = await Promise.all(subjects.map(async (sub) => signed(await ec(), claims({ sub }))));
    const results = await Promise.all(tokens.map((token) => verifier.verifyAsync(token)));
    deepEqual(
      results.map((result) => result.claims.sub),
      subjects,
    );
  });

  h.test(
    "every caller gets a header of its own, flat or nested, and one called __proto__ is a member like any other",
    async () => {
      const verifier = await makeVerifier(lib);
      for (const text of [
        '{"alg":"ES256","kid":"ec-1","x":1}',
        '{"alg":"ES256","kid":"ec-1","x":{"y":[1]}}',
        '{"alg":"ES256","kid":"ec-1","x":2,"__proto__":null}',
        '{"alg":"ES256","kid":"ec-1","x":3,"__proto__":{"polluted":true}}',
        '{"alg":"ES256","kid":"ec-1","x":4}',
        '{"alg":"ES256","kid":"ec-1","x":5}',
      ]) {
        const token = await signed(await ec(), claims(), text);
        for (let i = 0; i < 3; i++) {
          const { header } = verifier.verify(token);
          equal(JSON.stringify(header), text);
          equal((header as { polluted?: boolean }).polluted, undefined);
          equal(Object.getPrototypeOf(header), Object.prototype);
          header["x"] = "changed";
          header["added"] = true;
        }
      }
    },
  );

  h.test("claims called __proto__ are members like any other, and pollute nothing", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec(), claimsWith("__proto__", '{"admin":true}'));
    const { claims: found } = verifier.verify(token);
    ok(Object.hasOwn(found, "__proto__"));
    equal((found as { admin?: boolean }).admin, undefined);
  });

  h.test("text that is no token is refused as what it is, whatever characters it has", async () => {
    const verifier = await makeVerifier(lib, { maxTokenLength: 100 });
    const good = await makeVerifier(lib);
    for (const [text, code] of [
      ["\u{20ac}".repeat(33), "ERR_TOKEN_MALFORMED"],
      ["\u{20ac}".repeat(34), "ERR_TOKEN_TOO_LARGE"],
      ["\ud800.a.b", "ERR_TOKEN_MALFORMED"],
      ["", "ERR_TOKEN_MALFORMED"],
    ] as const) {
      throws(() => verifier.verify(text), code);
    }
    for (const wrong of [
      undefined,
      null,
      1,
      {},
      new String("a.b.c"),
      ["a.b.c"],
      { length: 3, toString: () => "a.b.c" },
    ]) {
      throws(() => good.verify(wrong as string), "ERR_TOKEN_MALFORMED");
    }
    ok(good.verify(await signed(await ec())));
    equal(good.verify(await signed(await ec(), claims({ iss: ISSUER, aud: [AUDIENCE] }))).claims.iss, ISSUER);
  });
};
