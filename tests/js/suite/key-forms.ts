// Keys from one form to another: the public half, JWK and PEM, the set to publish, and issuers with several keys.

import { deepEqual, equal, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { certificate, pem, pkcs8, spki } from "./der.js";
import { AUDIENCE, claims, ec, ISSUER, makeVerifier, otherEc, rawSignature, rsa, signed } from "./support.js";
import type { Keys, Members } from "./support.js";

const SECRET = ["d", "p", "q", "dp", "dq", "qi"];
const isPublic = (jwk: object): boolean => !SECRET.some((name) => Object.hasOwn(jwk, name));

/** A key without the members that are there and undefined: workerd exports JWKs with them. */
const plain = (jwk: object): Members => JSON.parse(JSON.stringify(jwk)) as Members;
const named = ({ publicJwk }: Keys, kid: string): Members => plain({ ...publicJwk, kid });

export const keyForms: Suite = (h, lib) => {
  const { publicJwk, publicJwks, thumbprint, toJwk, toPem } = lib;

  h.test("every form of a key has the same public half and the same thumbprint", async () => {
    await lib.init();
    for (const keys of [await ec(), await rsa()]) {
      const kid = thumbprint(keys.publicJwk);
      const forms: [unknown, string][] = [
        [keys.publicJwk, keys.kid],
        [keys.privateJwk, keys.kid],
        [pem("PUBLIC KEY", await spki(keys.cryptoPublic)), kid],
        [pem("PRIVATE KEY", await pkcs8(keys.cryptoPrivate)), kid],
        [pem("CERTIFICATE", await certificate(keys)), kid],
      ];
      for (const [form, name] of forms) {
        deepEqual(publicJwk(form as never), named(keys, name));
        equal(thumbprint(form as never), kid);
      }
    }
  });

  h.test("toPem writes what WebCrypto writes, and toJwk reads it to the same key", async () => {
    for (const keys of [await ec(), await rsa()]) {
      const kid = thumbprint(keys.publicJwk);
      const spkiPem = await toPem(keys.publicJwk);
      equal(spkiPem, pem("PUBLIC KEY", await spki(keys.cryptoPublic)));
      deepEqual(await toJwk(spkiPem), named(keys, kid));
      const pkcs8Pem = await toPem(keys.privateJwk);
      equal(pkcs8Pem, pem("PRIVATE KEY", await pkcs8(keys.cryptoPrivate)));
      deepEqual(await toJwk(pkcs8Pem), plain({ ...keys.privateJwk, kid, use: "sig" }));
    }
  });

  h.test("toJwk reads a P-256 key without its public half, which RFC 5915 section 3 leaves optional", async () => {
    const { privateJwk, publicJwk: half } = await ec();
    const whole = await pkcs8((await ec()).cryptoPrivate);
    const scalar = whole.slice(36, 68);
    const head = Uint8Array.from(
      "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420".match(/../g) ?? [],
      (pair) => Number.parseInt(pair, 16),
    );
    const bare = new Uint8Array([...head, ...scalar]);
    const jwk = await toJwk(pem("PRIVATE KEY", bare));
    deepEqual([jwk.d, jwk.x, jwk.y], [privateJwk["d"], half["x"], half["y"]]);
  });

  h.test("toPem and toJwk refuse what is no key, by the codes of keys, without a word of it", async () => {
    const { privateJwk } = await ec();
    const cases: [() => Promise<unknown>, string][] = [
      [() => toPem({ ...privateJwk, x: privateJwk["y"] } as never), "ERR_KEY_INVALID"],
      [() => toPem({ ...privateJwk, d: "AAAA" } as never), "ERR_KEY_INVALID"],
      [() => toPem({ kty: "oct", k: "c2VjcmV0" }), "ERR_KEY_UNSUPPORTED"],
      [() => toPem({ ...privateJwk, use: "enc" } as never), "ERR_KEY_UNSUPPORTED"],
      [() => toPem("pem" as never), "ERR_OPTION_INVALID"],
      [() => toPem(undefined as never), "ERR_OPTION_INVALID"],
      [() => toJwk("secret"), "ERR_KEY_INVALID"],
      [() => toJwk(privateJwk as never), "ERR_OPTION_INVALID"],
    ];
    for (const [call, code] of cases) {
      const error = await rejects(call(), code);
      ok(!error.message.includes(privateJwk["d"] as string) && !error.message.includes("secret"));
    }
  });

  h.test("publicJwks publishes every key once, with kid, use and alg and nothing private", async () => {
    await lib.init();
    const [one, two, three] = [await ec(), await rsa(), await otherEc()];
    const { keys } = publicJwks([
      one.privateJwk,
      { keys: [two.privateJwk] },
      pem("PUBLIC KEY", await spki(three.cryptoPublic)),
    ]);
    deepEqual(
      keys.map(({ kid, use, alg }) => [kid, use, alg]),
      [
        [one.kid, "sig", "ES256"],
        [two.kid, "sig", "RS256"],
        [thumbprint(three.publicJwk), "sig", "ES256"],
      ],
    );
    ok(keys.every(isPublic));
    const verifier = await makeVerifier(lib, { keys: { keys } });
    for (const pair of [one, two]) deepEqual(verifier.verify(await signed(pair, claims())).claims, claims());
    throws(() => publicJwks([one.privateJwk, named(two, one.kid)] as never), "ERR_KEY_INVALID", "same kid");
    throws(() => publicJwks({ keys: [{ kty: "OKP" }] }), "ERR_KEY_UNSUPPORTED");
    throws(() => publicJwks(undefined as never), "ERR_OPTION_INVALID");
  });

  h.test("generateKeyPair makes RSA keys of the size asked for, and refuses other options", async () => {
    const { publicKey } = await lib.generateKeyPair("RS256", { modulusLength: 3072 });
    equal((publicKey.n as string).length, 512);
    await rejects(lib.generateKeyPair("RS256", { modulusLength: 1024 as never }), "ERR_OPTION_INVALID");
    await rejects(lib.generateKeyPair("RS256", { bits: 3072 } as never), "ERR_OPTION_INVALID", "bits");
    await rejects(lib.generateKeyPair("ES256", { modulusLength: 2048 }), "ERR_OPTION_INVALID", "RS256 alone");
  });

  const issuerOf = (key: unknown) => lib.createIssuer({ key: key as never, issuer: ISSUER, audience: AUDIENCE });

  h.test("of several keys of an issuer the first signs and all are published, of whatever form", async () => {
    const [next, old] = [await ec(), await rsa()];
    const callback = {
      alg: old.alg,
      kid: "kms",
      publicKey: old.publicJwk,
      sign: (bytes: Uint8Array) => rawSignature(old, bytes as never),
    };
    const others: [unknown, string][] = [
      [old.privateJwk, old.kid],
      [old.publicJwk, old.kid],
      [pem("CERTIFICATE", await certificate(old)), thumbprint(old.publicJwk)],
      [old.cryptoPrivate, thumbprint(old.publicJwk)],
      [callback, "kms"],
    ];
    for (const [other, kid] of others) {
      const issuer = await issuerOf([next.privateJwk, other]);
      const set = issuer.jwks();
      deepEqual(
        set.keys.map((one) => one.kid),
        [next.kid, kid],
      );
      deepEqual(set.keys, [named(next, next.kid), named(old, kid)]);
      const verifier = await lib.createVerifier({ keys: set, issuer: ISSUER, audience: AUDIENCE });
      equal(verifier.verify(await issuer.issue({})).header.kid, next.kid);
      const before = await issuerOf(other === callback ? callback : { ...old.privateJwk, kid });
      equal(verifier.verify(await before.issue({})).header.kid, kid);
    }
    deepEqual((await issuerOf([callback, next.publicJwk])).jwks().keys, [named(old, "kms"), named(next, next.kid)]);
  });

  h.test("an issuer refuses keys that no verifier could tell apart, and others that it cannot publish", async () => {
    const [one, two] = [await ec(), await rsa()];
    await rejects(issuerOf([one.privateJwk, one.publicJwk]), "ERR_KEY_INVALID", "same kid");
    await rejects(issuerOf([one.privateJwk, named(two, one.kid)]), "ERR_KEY_INVALID", "same kid");
    const hidden = { alg: "ES256", kid: "hidden", sign: () => Promise.resolve(new Uint8Array(64)) };
    await rejects(issuerOf([one.privateJwk, hidden]), "ERR_KEY_UNSUPPORTED");
    await rejects(issuerOf([hidden, one.publicJwk]), "ERR_KEY_UNSUPPORTED");
    await rejects(issuerOf([one.publicJwk, two.privateJwk]), "ERR_KEY_INVALID");
    await rejects(issuerOf([]), "ERR_OPTION_INVALID");
    await rejects(issuerOf([one.privateJwk, undefined]), "ERR_OPTION_INVALID");
  });
};
