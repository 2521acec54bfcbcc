// Secrets in the memory of the module: where a private key is while it is in use, and that nothing of it is left behind.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { pem, pkcs8 } from "./der.js";
import { behindSignature, find, type Finding, number, type Secrets, WINDOW } from "./memory.js";
import { serve, withCookies } from "./session-support.js";
import { bigEndian, concat, fromBase64url, generateKeys, type Keys, makeIssuer, makeVerifier, utf8 } from "./support.js";

/** Keys that no other test has. */
async function fresh(): Promise<{ keys: Keys; d: bigint; der: Uint8Array<ArrayBuffer> }> {
  const keys = await generateKeys("ES256", "fresh");
  const d = number(fromBase64url(keys.privateJwk["d"] as string));
  return { keys, d, der: await pkcs8(keys.cryptoPrivate) };
}

const told = (findings: Finding[]): string[] =>
  findings.map(({ secret, form, address, length }) => `${secret}: ${form}, ${length} bytes at ${address}`);

/** Every form in which an issuer takes a private key. */
function forms({ keys, der }: { keys: Keys; der: Uint8Array<ArrayBuffer> }): [form: string, key: unknown][] {
  return [
    ["a JWK", keys.privateJwk],
    ["PKCS#8 PEM", pem("PRIVATE KEY", der)],
    ["PKCS#8 PEM with CRLF", pem("PRIVATE KEY", der, "\r\n")],
    ["the JSON text of a JWK", JSON.stringify(keys.privateJwk)],
    ["the bytes of PKCS#8 PEM", utf8(pem("PRIVATE KEY", der))],
    ["the bytes of PKCS#8 DER", der],
    ["the bytes of the JSON text of a JWK", utf8(JSON.stringify(keys.privateJwk))],
  ];
}

/** What is wrong with keys that hold a secret all the same. */
async function spoilt({ keys, der }: { keys: Keys; der: Uint8Array<ArrayBuffer> }): Promise<[what: string, key: unknown][]> {
  const { privateJwk } = keys;
  const d = privateJwk["d"] as string;
  const text = pem("PRIVATE KEY", der);
  const other = (await generateKeys("ES256", "other")).privateJwk;
  return [
    ["another public half", { ...privateJwk, x: other["x"], y: other["y"] }],
    ["a point off the curve", { ...privateJwk, x: privateJwk["y"] }],
    ["another curve", { ...privateJwk, crv: "P-384" }],
    ["another kind", { ...privateJwk, kty: "OKP" }],
    ["no kind", { ...privateJwk, kty: undefined }],
    ["another purpose", { ...privateJwk, use: "enc" }],
    ["a secret that is too long", { ...privateJwk, d: `${d}AAAA` }],
    ["a secret that is too short", { ...privateJwk, d: d.slice(0, -4) }],
    ["a secret with a character of no alphabet at its end", { ...privateJwk, d: `${d.slice(0, -1)}!` }],
    ["a secret with a letter beyond ASCII at its end", { ...privateJwk, d: `${d}\u00e9` }],
    ["a secret with half of a surrogate pair at its end", { ...privateJwk, d: `${d}\ud800` }],
    ["a secret with padding", { ...privateJwk, d: `${d}=` }],
    ["a secret in a list", { ...privateJwk, d: [d] }],
    ["a member that is no data, after the secret", { ...privateJwk, z: () => undefined }],
    [
      "a member that throws, after the secret",
      {
        ...privateJwk,
        get z() {
          throw new Error("no");
        },
      },
    ],
    ["a secret beside an RSA key", { ...privateJwk, kty: "RSA", n: privateJwk["x"], e: "AQAB", crv: undefined }],
    ["the secret of a symmetric key", { kty: "oct", k: d }],
    ["PEM that is SEC1", pem("EC PRIVATE KEY", der.slice(26))],
    ["PEM of another label", pem("SECRET KEY", der)],
    ["PEM without an end", text.slice(0, -10)],
    ["PEM with a character of no alphabet", text.replace("\n-----END", "!\n-----END")],
    ["PEM with a letter beyond ASCII", `${text}\u00e9`],
    ["DER that ends too early", pem("PRIVATE KEY", der.slice(0, -1))],
    ["DER with another public half", pem("PRIVATE KEY", concat(der.slice(0, -1), Uint8Array.of((der.at(-1) as number) ^ 1)))],
  ];
}

/** Every way to give a private key to the library that keeps none of it. */
function uses(lib: Library): [what: string, use: (key: never) => unknown][] {
  return [
    ["createIssuer", async (key) => (await makeIssuer(lib, { key })).dispose()],
    ["createSessions", async (key) => (await serve(lib, { keys: key })).sessions.dispose()],
    ["createSessions for refresh tokens", async (key) => (await serve(lib, { refreshKeys: key })).sessions.dispose()],
    ["createIssuer, as a key to publish", async (key) => (await makeIssuer(lib, { key: [(await generateKeys("ES256", "first")).privateJwk, key] })).dispose()],
    ["createVerifier", async (key) => (await makeVerifier(lib, { keys: key })).dispose()],
    ["createVerifier with a wrong option beside it", async (key) => (await makeVerifier(lib, { keys: key, nosuch: 1 })).dispose()],
    ["createVerifier with what is no data beside it", async (key) => (await makeVerifier(lib, { keys: [key, () => undefined] })).dispose()],
    ["explain", async (key) => lib.explain("a.b.c", { keys: key, issuer: null, audience: null })],
    ["publicJwk", (key) => lib.publicJwk(key)],
    ["publicJwks", (key) => lib.publicJwks([key, key])],
    ["publicJwks of a set", (key) => lib.publicJwks({ keys: [key] })],
    ["thumbprint", (key) => lib.thumbprint(key)],
    ["toJwk", (key) => lib.toJwk(key)],
    ["toPem", (key) => lib.toPem(key)],
  ];
}

/** Calls that may be refused, but not fail. */
async function refusable(lib: Library, call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof lib.WaxsealError) || error.code === "ERR_INTERNAL") throw error;
  }
}

export const secrets: Suite = async (h, lib) => {
  await lib.init();

  h.test("the search finds a secret in every form, whole and in part", () => {
    const value = number(crypto.getRandomValues(new Uint8Array(32)));
    const big = bigEndian(value, 32);
    const planted = new Uint8Array(4096);
    planted.set(big, 101);
    planted.set(big.slice(9, 9 + WINDOW).reverse(), 1003);
    planted.set(utf8(btoa(String.fromCharCode(1, 2, 3, 4, ...big))).slice(10, 30), 2001);
    deepEqual(
      find({ d: value }, planted).map(({ address, length }) => [address, length]),
      [
        [101, 32],
        [1003, WINDOW],
        [2001, 20],
      ],
    );
    planted.fill(0);
    planted.set(big.slice(0, WINDOW - 1));
    deepEqual(find({ d: value }, planted), []);
  });

  for (const form of forms({ keys: { privateJwk: {} } as Keys, der: new Uint8Array(0) }).map(([name]) => name)) {
    h.test(`a key given as ${form} stands in memory once while it is in use, and not at all after dispose`, async () => {
      const made = await fresh();
      const key = forms(made).find(([name]) => name === form)?.[1];
      const issuer = await makeIssuer(lib, { key });
      const imported = told(find({ d: made.d }));
      const token = await issuer.issue({ sub: "alice" });
      const behind: Secrets = { d: made.d, ...(await behindSignature(made.d, token)) };
      const held = told(find(behind));
      issuer.dispose();
      const left = told(find(behind));
      deepEqual([imported.length, held.length, left], [1, 1, []], [...imported, "signed", ...held, "left", ...left].join("\n"));
      await rejects(() => issuer.issue({}), "ERR_DISPOSED");
    });
  }

  h.test("keys of sessions stand in memory once each, through logins and refreshes, and not at all after dispose", async () => {
    const [access, refresh] = [await fresh(), await fresh()];
    const { sessions } = await serve(lib, { keys: access.keys.privateJwk, refreshKeys: pem("PRIVATE KEY", refresh.der) });
    const first = await sessions.login("alice");
    const second = await sessions.refresh(withCookies(first));
    const behind: Secrets = { access: access.d, refresh: refresh.d };
    for (const [i, { accessToken, refreshToken }] of [first, second].entries()) {
      for (const [name, value] of Object.entries(await behindSignature(access.d, accessToken))) behind[`${name} of access ${i}`] = value;
      for (const [name, value] of Object.entries(await behindSignature(refresh.d, refreshToken))) behind[`${name} of refresh ${i}`] = value;
    }
    equal(told(find(behind)).length, 2, told(find(behind)).join("\n"));
    sessions.dispose();
    deepEqual(told(find(behind)), []);
    await rejects(() => sessions.login("alice"), "ERR_DISPOSED");
  });

  h.test("a key that was generated is left nowhere", async () => {
    const { privateKey } = await lib.generateKeyPair("ES256");
    deepEqual(told(find({ d: number(fromBase64url(privateKey["d"] as string)) })), []);
  });

  h.test("no call that is given a private key leaves it behind, whether it takes the key or refuses it", async () => {
    const left: string[] = [];
    for (const [what, use] of uses(lib)) {
      for (const [form] of forms({ keys: { privateJwk: {} } as Keys, der: new Uint8Array(0) })) {
        const made = await fresh();
        const key = forms(made).find(([name]) => name === form)?.[1];
        await refusable(lib, () => use(key as never));
        left.push(...told(find({ [`${what}, ${form}`]: made.d })));
      }
    }
    deepEqual(left, [], left.join("\n"));
  });

  h.test("a key that is refused is left nowhere, whatever is wrong with it", async () => {
    const left: string[] = [];
    const names = (await spoilt(await fresh())).map(([name]) => name);
    for (const [what, use] of uses(lib)) {
      const tried: [string, bigint][] = [];
      for (const name of names) {
        const made = await fresh();
        const key = (await spoilt(made)).find(([each]) => each === name)?.[1];
        await refusable(lib, () => use(key as never));
        tried.push([`${what}, ${name}`, made.d]);
      }
      left.push(...told(find(Object.fromEntries(tried))));
    }
    deepEqual(left, [], left.join("\n"));
  });

  h.test("an RSA private key does not enter the module", async () => {
    const keys = await generateKeys("RS256", "fresh-rsa");
    ok(keys.privateJwk["d"]);
  });
};
