// Requests: where the token is found, which header decides, and which requests of other sites are refused.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { ExpectedError } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { NOW, claims, ec, makeVerifier, signed } from "./support.js";
import type { Verifier } from "./support.js";

type HeaderRecord = Record<string, string | string[] | undefined>;
type Plain = Parameters<Verifier["authenticate"]>[0];

const ORIGIN = "https://app.example";

export const authenticate: Suite = (h, lib) => {
  const make = (overrides: object = {}): Promise<Verifier> =>
    makeVerifier(lib, { cookie: "__Host-access", origins: [ORIGIN], ...overrides });
  const ask = async (
    headers: HeaderRecord,
    method = "GET",
    overrides: object = {},
  ): ReturnType<Verifier["authenticate"]> => (await make(overrides)).authenticate({ method, headers } as Plain);
  const refused = async (
    expected: string | ExpectedError,
    headers: HeaderRecord,
    method = "GET",
    overrides: object = {},
  ): Promise<Error> =>
    rejects(() => ask(headers, method, overrides), expected, JSON.stringify([method, Object.keys(headers)]));
  const token = async (overrides: object = {}): Promise<string> => signed(await ec(), claims(overrides as never));
  const cookie = async (): Promise<string> => `__Host-access=${await token()}`;

  h.test("a Bearer token is found and verified, and the result says where it was", async () => {
    const result = await ask({ authorization: `Bearer ${await token()}` });
    deepEqual(result.claims, claims());
    deepEqual(result.header, { alg: "ES256", kid: "ec-1", typ: "JWT" });
    equal(result.source, "bearer");
    equal(result.revocation, "not-checked");
  });

  h.test("a token in the configured cookie is found among others", async () => {
    const result = await ask({ cookie: `theme=dark; ${await cookie()}; lang=de` });
    deepEqual(result.claims, claims());
    equal(result.source, "cookie");
  });

  h.test("a Fetch Request is read as it is", async () => {
    const verifier = await make();
    const bearer = new Request("https://api.example/me", { headers: { authorization: `Bearer ${await token()}` } });
    equal((await verifier.authenticate(bearer)).source, "bearer");
    const post = new Request("https://api.example/me", {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${await token()}` },
    });
    equal((await verifier.authenticate(post)).claims.sub, "alice");
    equal(post.bodyUsed, false);
  });

  h.test("a method with Headers, without the rest of a Request, is read too", async () => {
    // Browsers do not let scripts put Cookie into a Request, but they do into bare Headers.
    const headers = new Headers({ cookie: `a=1; ${await cookie()}`, "sec-fetch-site": "same-origin" });
    equal((await (await make()).authenticate({ method: "POST", headers })).source, "cookie");
  });

  h.test("names of headers are found in any letter case, and their values in lists", async () => {
    for (const headers of [
      { Authorization: `Bearer ${await token()}` },
      { AUTHORIZATION: [`Bearer ${await token()}`] },
      { Cookie: ["theme=dark", await cookie()] },
    ] as HeaderRecord[]) {
      ok(await ask(headers), JSON.stringify(Object.keys(headers)));
    }
  });

  for (const scheme of ["Bearer", "bearer", "BEARER", "BeArEr"]) {
    h.test(`the scheme is accepted as ${scheme}, with one space or several`, async () => {
      ok(await ask({ authorization: `${scheme} ${await token()}` }));
      ok(await ask({ authorization: `${scheme}   ${await token()}` }));
    });
  }

  const missing: [string, HeaderRecord, object?][] = [
    ["no header", {}],
    ["an empty cookie header", { cookie: "" }],
    ["other cookies", { cookie: "access=x; Host-access=y" }],
    ["an empty token cookie", { cookie: "__Host-access=" }],
    ["the cookie's name in another case", { cookie: "__host-access=x" }],
    ["the cookie's name with a space after it", { cookie: "__Host-access =x" }],
    ["headers that are undefined", { authorization: undefined, cookie: undefined }],
    ["headers that are null, as Headers.get gives them", { authorization: null, cookie: null } as never],
    ["another scheme", { authorization: "Basic YWxpY2U6c2VjcmV0" }],
  ];
  for (const [what, headers] of missing) {
    h.test(`a request with ${what} has no credentials`, async () => {
      const error = await refused({ code: "ERR_CREDENTIALS_MISSING", status: 401, step: "request" }, headers);
      equal((error as unknown as { wwwAuthenticate: string }).wwwAuthenticate, "Bearer");
    });
  }

  h.test("without the cookie option cookies are not looked at", async () => {
    const overrides = { cookie: undefined, origins: undefined };
    await refused("ERR_CREDENTIALS_MISSING", { cookie: await cookie() }, "GET", overrides);
    ok(await ask({ authorization: `Bearer ${await token()}` }, "GET", overrides));
  });

  for (const value of [
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer a, Bearer b",
    "Bearer\ta.b.c",
    "",
    " ",
    "Bearer é",
    'Bearer "a.b.c"',
    "Bearer a;b",
    ", Bearer a",
    "Bearer =",
    "Bearer a=b",
  ]) {
    h.test(`Authorization ${JSON.stringify(value)} is malformed`, async () => {
      const error = await refused({ code: "ERR_AUTHORIZATION_MALFORMED", status: 400 }, { authorization: value });
      ok((error as unknown as { wwwAuthenticate: string }).wwwAuthenticate.includes('error="invalid_request"'));
    });
  }

  h.test("two Authorization headers are malformed, though both carry a good token", async () => {
    const good = `Bearer ${await token()}`;
    await refused("ERR_AUTHORIZATION_MALFORMED", { authorization: [good, good] });
    await refused("ERR_AUTHORIZATION_MALFORMED", { authorization: good, Authorization: good });
    const headers = new Headers({ authorization: good });
    headers.append("authorization", good);
    await rejects((await make()).authenticate({ method: "GET", headers }), "ERR_AUTHORIZATION_MALFORMED");
  });

  const failing: [string, () => Promise<string>, string][] = [
    ["a token that is no token", async () => "Bearer nonsense", "ERR_TOKEN_MALFORMED"],
    ["an expired token", async () => `Bearer ${await token({ exp: NOW })}`, "ERR_TOKEN_EXPIRED"],
    ["nothing usable", async () => "Bearer", "ERR_AUTHORIZATION_MALFORMED"],
    ["another scheme", async () => "Basic eA==", "ERR_CREDENTIALS_MISSING"],
  ];
  for (const [what, authorization, code] of failing) {
    h.test(`an Authorization header with ${what} decides alone: a good cookie beside it does not help`, async () => {
      await refused(code, { authorization: await authorization(), cookie: await cookie() });
    });
  }

  h.test("a good Authorization header decides alone: cookies beside it do no harm and need no origin", async () => {
    const headers = {
      authorization: `Bearer ${await token()}`,
      cookie: "__Host-access=a; __Host-access=b",
      "sec-fetch-site": "cross-site",
    };
    equal((await ask(headers, "POST")).source, "bearer");
  });

  h.test("two cookies of the name are refused, even of the same value", async () => {
    const one = await cookie();
    for (const header of [`${one}; ${one}`, `${one}; __Host-access=x`, `__Host-access=; ${one}`]) {
      await refused({ code: "ERR_COOKIE_DUPLICATE", status: 400 }, { cookie: header });
    }
    await refused("ERR_COOKIE_DUPLICATE", { cookie: [one, one] });
    await refused("ERR_COOKIE_DUPLICATE", { cookie: one, Cookie: one });
  });

  h.test("a Cookie header of a megabyte is refused before it is read", async () => {
    await refused(
      { code: "ERR_COOKIE_HEADER_INVALID", status: 400 },
      { cookie: `${"a=1; ".repeat(200_000)}${await cookie()}` },
    );
  });

  const sites = ["same-origin", "same-site", "cross-site", "none", "SAME-ORIGIN", "", undefined];
  const origins = [
    ORIGIN,
    "https://APP.example",
    "https://app.example/",
    "https://app.example:443",
    "https://evil.example",
    "https://app.example.evil.example",
    "null",
    "",
    undefined,
  ];
  const methods: [string, boolean][] = [
    ["GET", true],
    ["HEAD", true],
    ["OPTIONS", true],
    ["POST", false],
    ["PUT", false],
    ["PATCH", false],
    ["DELETE", false],
    ["get", false],
    ["TRACE", false],
    ["QUERY", false],
  ];
  for (const [method, safe] of methods) {
    h.test(
      `with a cookie, ${method} ${safe ? "passes from anywhere" : "passes only from the same origin, by hand, or from a configured origin"}`,
      async () => {
        const verifier = await make();
        const header = await cookie();
        for (const site of sites) {
          for (const origin of origins) {
            const request = { method, headers: { cookie: header, "sec-fetch-site": site, origin } } as Plain;
            const passes = safe || site === "same-origin" || site === "none" || origin === ORIGIN;
            const shown = `${method} ${site} ${origin}`;
            if (passes) equal((await verifier.authenticate(request)).source, "cookie", shown);
            else await rejects(verifier.authenticate(request), { code: "ERR_CROSS_SITE", status: 403 }, shown);
          }
        }
      },
    );
  }

  h.test("opening a WebSocket by cookie counts as unsafe although it is a GET", async () => {
    const headers = { cookie: await cookie(), upgrade: "websocket", connection: "Upgrade" };
    await refused("ERR_CROSS_SITE", headers);
    await refused("ERR_CROSS_SITE", { ...headers, upgrade: "WebSocket" });
    await refused("ERR_CROSS_SITE", { ...headers, upgrade: "h2c, websocket", origin: "https://evil.example" });
    ok(await ask({ ...headers, origin: ORIGIN }));
    ok(await ask({ ...headers, "sec-fetch-site": "same-origin" }));
    ok(await ask({ ...headers, cookie: undefined, authorization: `Bearer ${await token()}` }));
  });

  h.test("a request whose method is not told counts as unsafe", async () => {
    const verifier = await make();
    await rejects(verifier.authenticate({ headers: { cookie: await cookie() } } as Plain), "ERR_CROSS_SITE");
  });

  h.test("the cross-site check does not ask whether the token is good, nor trust Host", async () => {
    await refused(
      "ERR_CROSS_SITE",
      { cookie: "__Host-access=nonsense", host: "evil.example", origin: "https://evil.example" },
      "POST",
    );
    await refused(
      "ERR_CROSS_SITE",
      { cookie: await cookie(), host: "evil.example", "x-forwarded-host": "app.example", referer: `${ORIGIN}/` },
      "POST",
    );
  });

  h.test("without origins only the same origin may send unsafe requests by cookie", async () => {
    const overrides = { origins: undefined };
    await refused("ERR_CROSS_SITE", { cookie: await cookie(), origin: ORIGIN }, "POST", overrides);
    ok(await ask({ cookie: await cookie(), "sec-fetch-site": "same-origin" }, "POST", overrides));
  });

  h.test("origins with a port and of localhost are compared exactly", async () => {
    const overrides = { origins: ["https://app.example:8443", "http://localhost:5173"] };
    const from = async (origin: string): Promise<unknown> => ask({ cookie: await cookie(), origin }, "POST", overrides);
    ok(await from("https://app.example:8443"));
    ok(await from("http://localhost:5173"));
    await rejects(from("https://app.example"), "ERR_CROSS_SITE");
    await rejects(from("http://localhost"), "ERR_CROSS_SITE");
    await rejects(from("https://localhost:5173"), "ERR_CROSS_SITE");
  });

  h.test("checkCrossSite asks the same of every method, and needs no token", async () => {
    const verifier = await make();
    for (const method of ["POST", "GET"]) {
      for (const site of sites) {
        for (const origin of origins) {
          const request = { method, headers: { "sec-fetch-site": site, origin } } as Plain;
          const passes = site === "same-origin" || site === "none" || origin === ORIGIN;
          if (passes) verifier.checkCrossSite(request);
          else throws(() => verifier.checkCrossSite(request), { code: "ERR_CROSS_SITE", status: 403 });
        }
      }
    }
    verifier.checkCrossSite({ method: "POST", headers: new Headers({ origin: ORIGIN }) });
    throws(() => verifier.checkCrossSite(undefined as never), "ERR_OPTION_INVALID");
  });

  h.test("what the token itself is refused for keeps its code", async () => {
    await refused("ERR_TOKEN_EXPIRED", { cookie: `__Host-access=${await token({ exp: NOW })}` });
    await refused("ERR_TOKEN_MALFORMED", { cookie: "__Host-access=nonsense" });
    await refused("ERR_AUDIENCE_MISMATCH", { authorization: `Bearer ${await token({ aud: "other" })}` });
  });

  h.test("now is taken for one request", async () => {
    const verifier = await make();
    const request = { method: "GET", headers: { cookie: await cookie() } } as Plain;
    await rejects(verifier.authenticate(request, { now: NOW + 601 }), "ERR_TOKEN_EXPIRED");
    ok(await verifier.authenticate(request, { now: new Date(NOW * 1000) }));
  });

  h.test("what is not a request is refused as misuse", async () => {
    const verifier = await make();
    const thrower = {
      method: "GET",
      get headers(): never {
        throw new Error("secret");
      },
    };
    for (const request of [
      undefined,
      null,
      1,
      "GET /",
      [],
      {},
      { headers: null },
      { headers: "cookie" },
      { headers: 1 },
      thrower,
      {
        headers: {
          get: () => {
            throw new Error("secret");
          },
        },
      },
    ]) {
      const error = await rejects(async () => verifier.authenticate(request as never), "ERR_OPTION_INVALID");
      ok(!error.message.includes("secret"));
    }
  });

  h.test("a header that is neither text nor absent is refused, and not taken for absent", async () => {
    for (const authorization of [1, true, {}, () => "Bearer x", Symbol("s"), 1n, [1], ["Bearer x", 1]]) {
      const headers = { authorization, cookie: await cookie() } as never;
      await refused("ERR_OPTION_INVALID", headers);
    }
  });

  h.test("a get method of headers that gives neither text nor null is refused, a promise included", async () => {
    const verifier = await make();
    const good = await cookie();
    for (const value of [["Bearer x"], 1, {}, Promise.resolve("Bearer x")]) {
      const headers = { get: (name: string) => (name === "authorization" ? value : name === "cookie" ? good : null) };
      await rejects(verifier.authenticate({ method: "GET", headers } as never), "ERR_OPTION_INVALID");
    }
    const absent = { get: (name: string) => (name === "cookie" ? good : undefined) };
    equal((await verifier.authenticate({ method: "GET", headers: absent } as never)).source, "cookie");
  });

  h.test("headers inherited from a prototype are not read", async () => {
    const headers = Object.create({ authorization: `Bearer ${await token()}`, cookie: await cookie() }) as HeaderRecord;
    await refused("ERR_CREDENTIALS_MISSING", headers);
  });

  h.test("fifty requests at once are each answered for their own token", async () => {
    const verifier = await make();
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, i) => token({ sub: `u${i}`, exp: i % 5 === 0 ? NOW : NOW + 60 })),
    );
    const results = await Promise.allSettled(
      tokens.map((each) => verifier.authenticate({ method: "GET", headers: { authorization: `Bearer ${each}` } })),
    );
    const subjects = results.map((result) =>
      result.status === "fulfilled" ? result.value.claims.sub : (result.reason as { code: string }).code,
    );
    deepEqual(
      subjects,
      tokens.map((_, i) => (i % 5 === 0 ? "ERR_TOKEN_EXPIRED" : `u${i}`)),
    );
  });
};
