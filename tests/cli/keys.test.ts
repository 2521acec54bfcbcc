/** `waxseal keys`. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, symlinkSync } from "node:fs";
import { describe, test } from "node:test";
import { thumbprint } from "waxseal";
import { fine, get, HOME, type Jwk, line, mode, path, put, refused, secret, waxseal } from "./support.js";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { cwd: HOME, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

const MEMBERS = { ES256: "alg crv kid kty use x y", RS256: "alg e kid kty n use" };
const SECRETS = { ES256: "d", RS256: "d dp dq p q qi" };
const names = (jwk: object): string => Object.keys(jwk).sort().join(" ");

await line("keys generate --out ec.json");
await line("keys generate --alg RS256 --out rsa.json");
const ec = secret("ec.json");
const rsa = secret("rsa.json");

describe("keys generate", () => {
  for (const [alg, jwk] of [
    ["ES256", ec],
    ["RS256", rsa],
  ] as const) {
    test(`writes a private ${alg} key with its thumbprint as kid, for the user alone`, () => {
      const all = [...MEMBERS[alg].split(" "), ...SECRETS[alg].split(" ")].sort().join(" ");
      assert.equal(names(jwk), all);
      assert.equal(jwk.kid, thumbprint(jwk as never));
      assert.equal(mode(alg === "ES256" ? "ec.json" : "rsa.json"), "600");
      assert.equal(createPrivateKey({ key: jwk, format: "jwk" }).type, "private");
    });
  }

  test("makes no key that it would have to lose or print without being asked", () =>
    refused(["keys", "generate"], /--out <file>, or --private/));

  test("prints the private key when that is asked for, as a JWK or PKCS#8", async () => {
    const jwk = JSON.parse(await line("keys generate --private --kid mine")) as Jwk;
    assert.equal(jwk.kid, "mine");
    assert.ok(jwk.d);
    const pem = await line("keys generate --private --pem --alg RS256");
    assert.equal(createPrivateKey(pem).asymmetricKeyDetails?.modulusLength, 2048);
  });

  test("makes RSA keys of the size asked for", async () => {
    const pem = await line("keys generate --alg RS256 --bits 3072 --private --pem");
    assert.equal(createPrivateKey(pem).asymmetricKeyDetails?.modulusLength, 3072);
    await refused(["keys", "generate", "--private", "--alg", "RS256", "--bits", "1024"], /2048 or 3072 or 4096/);
    await refused(["keys", "generate", "--private", "--bits", "2048"], /for --alg RS256/);
  });

  test("--json has the public half, and the private one if that is asked for", async () => {
    const made = JSON.parse(await line("keys generate --json --out j.json"));
    secret("j.json");
    assert.deepEqual(names(made), "alg file kid publicKey");
    assert.equal(names(made.publicKey), MEMBERS.ES256);
    const shown = JSON.parse(await line("keys generate --json --private"));
    assert.deepEqual(names(shown), "alg kid privateKey publicKey");
    assert.deepEqual(
      names(JSON.parse(await line("keys generate --json --private --pem"))),
      "alg kid privatePem publicKey",
    );
  });

  test("replaces no file without --force, and then with one of mode 600", async () => {
    put("old", "old");
    chmodSync(path("old"), 0o644);
    await refused(["keys", "generate", "--out", "old"], /exists already; --force/);
    assert.equal(get("old"), "old");
    await line("keys generate --out old --force");
    assert.ok(secret("old").d);
    assert.equal(mode("old"), "600");
  });

  test("writes through no symbolic link, with --force neither", async () => {
    put("target", "untouched");
    symlinkSync("target", path("link"));
    await refused(["keys", "generate", "--out", "link"], /exists already/);
    await line("keys generate --out link --force");
    secret("link");
    assert.equal(get("target"), "untouched");
    symlinkSync("nowhere", path("dangling"));
    await refused(["keys", "generate", "--out", "dangling"], /exists already/);
  });

  test("says why a file cannot be written", async () => {
    await refused(["keys", "generate", "--out", "no/such/directory"], /no such file/);
    await refused(["keys", "generate", "--out", ".", "--force"], /waxseal: \./);
    await refused(["keys", "generate", "--private", "--force"], /--force is for --out/);
  });
});

describe("keys public, thumbprint and jwks", () => {
  test("take every form of a key, private or public, and give its public half alone", async () => {
    for (const [file, jwk, alg] of [
      ["ec", ec, "ES256"],
      ["rsa", rsa, "RS256"],
    ] as const) {
      await fine(["keys", "convert", `${file}.json`, "--out", `${file}.key.pem`]);
      secret(`${file}.key.pem`);
      await fine(["keys", "public", `${file}.json`, "--out", `${file}.public.json`]);
      await fine(["keys", "public", `${file}.json`, "--pem", "--out", `${file}.public.pem`]);
      assert.equal(mode(`${file}.public.json`), (0o644 & ~process.umask()).toString(8));
      for (const form of [`${file}.json`, `${file}.key.pem`, `${file}.public.json`, `${file}.public.pem`]) {
        const half = JSON.parse(await fine(["keys", "public", form])) as Jwk;
        assert.equal(names(half), MEMBERS[alg]);
        assert.equal(half.kid, jwk.kid);
        assert.equal((await fine(["keys", "thumbprint", form])).trim(), jwk.kid);
        const set = JSON.parse(await fine(["keys", "jwks", form])) as { keys: Jwk[] };
        assert.deepEqual(set, { keys: [half] });
      }
      assert.equal(
        createPublicKey(get(`${file}.public.pem`)).export({ format: "jwk" })[alg === "ES256" ? "x" : "n"],
        jwk[alg === "ES256" ? "x" : "n"],
      );
    }
  });

  test("read stdin for -, once", async () => {
    assert.equal(JSON.parse(await fine(["keys", "public", "-"], { stdin: get("ec.json") })).kid, ec.kid);
    await refused(["keys", "jwks", "-", "-"], /stdin can be read once/, { stdin: get("ec.json") });
  });

  test("a set has the keys of all files in their order, and each its own kid", async () => {
    const set = JSON.parse(await line("keys jwks rsa.json ec.public.pem")) as { keys: Jwk[] };
    assert.deepEqual(
      set.keys.map(({ kid }) => kid),
      [rsa.kid, ec.kid],
    );
    put("set.json", set);
    assert.equal(JSON.parse(await line("keys jwks set.json --json")).keys.length, 2);
    await refused(["keys", "jwks", "ec.json", "ec.public.pem"], /Two keys have the same kid/);
    put("symmetric.json", { keys: [{ kty: "oct", k: "c2VjcmV0" }] });
    await refused(["keys", "jwks", "symmetric.json"], /ERR_KEY_UNSUPPORTED/);
  });

  test("--json stays in shape, and --kid renames", async () => {
    const { keys } = JSON.parse(await line("keys thumbprint ec.json rsa.json --json"));
    assert.deepEqual(keys[0], { file: "ec.json", kid: ec.kid, alg: "ES256", thumbprint: ec.kid });
    assert.equal(keys.length, 2);
    assert.equal(JSON.parse(await line("keys public ec.json --kid other --json")).kid, "other");
    assert.deepEqual(names(JSON.parse(await line("keys public ec.json --pem --json"))), "pem");
  });
});

describe("keys convert", () => {
  for (const [file, jwk] of [
    ["ec", ec],
    ["rsa", rsa],
  ] as const) {
    test(`takes ${file} there and back without a change but for the kid, and Node reads both`, async () => {
      await fine(["keys", "convert", `${file}.json`, "--out", `${file}.there.pem`]);
      secret(`${file}.there.pem`);
      assert.equal(mode(`${file}.there.pem`), "600");
      const { d } = createPrivateKey(get(`${file}.there.pem`)).export({ format: "jwk" });
      assert.equal(d, jwk.d);
      await fine(["keys", "convert", `${file}.there.pem`, "--kid", "named", "--out", `${file}.back.json`]);
      assert.deepEqual(secret(`${file}.back.json`), { ...jwk, kid: "named" });
      const spki = await fine(["keys", "public", `${file}.json`, "--pem"]);
      assert.deepEqual(JSON.parse(await fine(["keys", "convert", "-"], { stdin: spki })).kid, jwk.kid);
    });
  }

  test("prints no private key without being asked, whatever its form", async () => {
    for (const file of ["ec.json", "rsa.json", "ec.key.pem", "rsa.key.pem"]) {
      await refused(["keys", "convert", file], /a private key: say where it goes/);
    }
    assert.match(await line("keys convert ec.json --private"), /^-----BEGIN PRIVATE KEY-----/);
  });

  test("reads a P-256 key without its public half, as some tools write it", async () => {
    // RFC 5915 section 3: the public key is optional.
    const scalar = Buffer.from(ec.d as string, "base64url");
    const head = Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex");
    const base64 = Buffer.concat([head, scalar])
      .toString("base64")
      .match(/.{1,64}/g)
      ?.join("\n");
    put("bare.pem", `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`);
    secret("bare.pem");
    await line("keys convert bare.pem --out bare.json");
    assert.deepEqual(secret("bare.json"), ec);
  });

  test("PEM has no kid to give or keep", async () => {
    await refused(["keys", "convert", "ec.json", "--kid", "x", "--private"], /no place for --kid/);
    await refused(["keys", "generate", "--pem", "--kid", "x", "--private"], /no place for --kid/);
  });
});

describe("certificates", { skip: hasOpenssl ? false : "openssl is not here" }, () => {
  const NOTE = /its dates, issuer and signature are not judged/;
  const make = (file: string, ...kind: string[]): void => {
    openssl(
      "req",
      "-x509",
      "-newkey",
      ...kind,
      "-nodes",
      "-keyout",
      `${file}.key`,
      "-out",
      file,
      "-days",
      "1",
      "-subj",
      "/CN=test",
    );
  };

  for (const [alg, kind] of [
    ["ES256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
    ["RS256", ["rsa:2048"]],
  ] as const) {
    test(`${alg}: the key of a certificate verifies what its private key signs, and the note says what was not judged`, async () => {
      const [file, key] = [`${alg}.pem`, `${alg}.pem.key`];
      make(file, ...kind);
      const token = (await fine(["token", "issue", "--key", key, "--issuer", "me", "--audience", "you"])).trim();
      const verify = ["token", "verify", "-", "--jwks", file, "--issuer", "me", "--audience", "you"];
      const { code, stdout, stderr } = await waxseal(verify, { stdin: token });
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).iss, "me");
      assert.match(stderr, NOTE);
      const shown = await waxseal(["keys", "public", file]);
      assert.equal(JSON.parse(shown.stdout).kid, (await fine(["keys", "thumbprint", key])).trim());
      assert.match(shown.stderr, NOTE);
      secret(key);
    });
  }

  test("one that has expired is read like any other", async () => {
    openssl(
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "e.key",
      "-out",
      "e.csr",
      "-subj",
      "/CN=test",
    );
    openssl("x509", "-req", "-in", "e.csr", "-signkey", "e.key", "-days", "-1", "-out", "e.pem");
    assert.equal(spawnSync("openssl", ["x509", "-in", "e.pem", "-noout", "-checkend", "0"], { cwd: HOME }).status, 1);
    assert.equal((await waxseal(["keys", "thumbprint", "e.pem"])).code, 0);
  });

  test("those of other curves and kinds are refused, and so is DER, with the way out", async () => {
    for (const [file, ...kind] of [
      ["p384.pem", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
      ["ed.pem", "ed25519"],
    ] as const) {
      make(file, ...kind);
      const { code, stderr } = await waxseal(["keys", "public", file]);
      assert.equal(code, 2);
      assert.match(stderr, /ERR_KEY_UNSUPPORTED/);
    }
    make("der.pem", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
    openssl("x509", "-in", "der.pem", "-outform", "DER", "-out", "der.der");
    await refused(["keys", "public", "der.der"], /not text; it may be DER.*-inform DER/);
  });
});

describe("a file that holds no key", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sec1 = privateKey.export({ format: "pem", type: "sec1" }) as string;
  const cases: [string, string | Uint8Array, RegExp][] = [
    ["is empty", "", /empty/],
    ["is white space", " \n", /empty/],
    ["is prose", "hello", /neither a JWK, a JWK Set nor PEM/],
    ["is JSON of something else", '{"a":1}', /no kty.*ERR_KEY_INVALID/],
    ["is an empty set", '{"keys":[]}', /an empty key set/],
    ["has a number among its keys", '{"keys":[7]}', /something that is not a JWK/],
    ["is cut short", `{"kty":"EC","d":"${ec.d}`, /not JSON$/m],
    ["is binary", Uint8Array.of(0x30, 0x82, 0, 1, 0xff), /not text; it may be DER/],
    ["is text with a zero byte", "-----BEGIN\0", /not text/],
    ["is larger than 1 MiB", "x".repeat(2 ** 20 + 1), /larger than 1 MiB/],
    ["has two keys where one is meant", JSON.stringify([ec, rsa]), /holds 2 keys/],
    ["is not plain PKCS#8", sec1, /openssl pkcs8 -topk8 -nocrypt.*ERR_KEY_PRIVATE/],
  ];
  for (const [what, content, says] of cases) {
    test(`and ${what} is refused in one line, which shows nothing of it`, async () => {
      await refused(["keys", "public", put("bad", content)], says);
      await refused(["keys", "public", "-"], says, { stdin: content });
    });
  }

  test("and is none, or a directory, or endless", async () => {
    await refused(["keys", "public", "missing.json"], /missing\.json: no such file/);
    await refused(["keys", "public", "."], /a directory/);
    await refused(["keys", "public", "/dev/zero"], /larger than 1 MiB/);
  });
});
