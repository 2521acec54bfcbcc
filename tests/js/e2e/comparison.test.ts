/** What docs/comparison.md says of other libraries is what they do: each cell of its first table is tried, in the versions installed. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { JwtVerifier } from "aws-jwt-verify";
import { createVerifier as createFastVerifier } from "fast-jwt";
import { Jwt } from "hono/utils/jwt";
import { createLocalJWKSet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createVerifier, type JWK } from "waxseal";

const ISSUER = "https://id.example";
const AUDIENCE = "web";

interface Key {
  readonly alg: "ES256" | "RS256";
  readonly secret: KeyObject;
  readonly jwk: JWK;
  readonly pem: string;
}

function keyOf(alg: Key["alg"], { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): Key {
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k", alg, use: "sig" } as JWK;
  return { alg, secret: privateKey, jwk, pem: publicKey.export({ type: "spki", format: "pem" }) as string };
}

const rsa = (modulusLength: number, publicExponent: number): Key =>
  keyOf("RS256", generateKeyPairSync("rsa", { modulusLength, publicExponent }));
const P256 = keyOf("ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }));

/** How each library is used to verify a token of an issuer for an audience. */
const LIBRARIES: Record<string, (token: string, key: Key) => unknown> = {
  Waxseal: async (token, { jwk }) =>
    (await createVerifier({ keys: { keys: [jwk] }, issuer: ISSUER, audience: AUDIENCE })).verify(token),
  jose: (token, { jwk }) =>
    jwtVerify(token, createLocalJWKSet({ keys: [jwk as never] }), { issuer: ISSUER, audience: AUDIENCE }),
  "fast-jwt": (token, { alg, pem }) =>
    createFastVerifier({ key: pem, algorithms: [alg], allowedIss: ISSUER, allowedAud: AUDIENCE })(token),
  jsonwebtoken: (token, { alg, pem }) =>
    jsonwebtoken.verify(token, pem, { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE }),
  "aws-jwt-verify": (token, { jwk }) => {
    const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` });
    verifier.cacheJwks({ keys: [jwk as never] });
    return verifier.verifySync(token);
  },
  "hono/jwt": (token, { alg, jwk }) => Jwt.verify(token, jwk as never, { alg, iss: ISSUER, aud: AUDIENCE }),
};

const now = Math.floor(Date.now() / 1000);
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: "alice", iat: now, exp: now + 600 };

interface Parts {
  readonly claims?: string | Buffer;
  readonly header?: string;
  readonly key?: Key;
  /** What becomes of the signature's text. */
  readonly written?: (signature: string) => string;
}

function tokenOf({ claims = text({}), key = P256, header, written = (signature) => signature }: Parts): string {
  const input = [header ?? `{"alg":"${key.alg}","kid":"k"}`, claims].map((part) =>
    Buffer.from(part).toString("base64url"),
  );
  const by = key.alg === "ES256" ? { key: key.secret, dsaEncoding: "ieee-p1363" as const } : key.secret;
  const signature = sign("sha256", Buffer.from(input.join(".")), by);
  return [...input, written(signature.toString("base64url"))].join(".");
}

const text = (changes: Record<string, unknown>): string => JSON.stringify({ ...CLAIMS, ...changes });
const before = (member: string): string => `{${member},${text({}).slice(1)}`;

/** What is told of each row: a token signed by the right key, and odd in one way. */
const ROWS: Record<string, Parts> = {
  "nothing odd": {},
  "a claim twice": { claims: before('"sub":"bob"') },
  "`alg` twice in the header": { header: '{"alg":"none","alg":"ES256","kid":"k"}' },
  "no `exp`": { claims: text({ exp: undefined }) },
  "`exp` in milliseconds": { claims: text({ exp: (now + 600) * 1000 }) },
  "`exp` as a string": { claims: text({ exp: "9999999999" }) },
  "`iat` in the future": { claims: text({ iat: now + 9999 }) },
  "a `crit` that nobody knows": { header: '{"alg":"ES256","kid":"k","crit":["x"],"x":1}' },
  "a line break in the signature": { written: (signature) => `${signature.slice(0, 20)}\n${signature.slice(20)}` },
  "stray bits at the end of the signature": {
    written: (signature) =>
      signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1),
  },
  "claims that are not UTF-8": {
    claims: Buffer.concat([Buffer.from(`${text({}).slice(0, -1)},"x":"`), Buffer.from([0xff]), Buffer.from('"}')]),
  },
  "a thousand brackets in each other": { claims: before(`"x":${"[".repeat(1000)}${"]".repeat(1000)}`) },
  "a megabyte": { claims: text({ x: "x".repeat(1_000_000) }) },
  "an RSA key with exponent 3": { key: rsa(2048, 3) },
  "an RSA key of 1024 bits": { key: rsa(1024, 65537) },
};

test("every library does with odd tokens what docs/comparison.md says of it", async () => {
  const page = readFileSync("docs/comparison.md", "utf8");
  const rows =
    page
      .split("\n\n")
      .find((part) => part.startsWith("| The token has"))
      ?.split("\n") ?? [];
  const cells = (row: string): string[] =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [, ...names] = cells(rows[0] ?? "");
  assert.deepEqual(names, Object.keys(LIBRARIES));
  const told = Object.fromEntries(rows.slice(2).map((row) => [cells(row)[0], cells(row).slice(1)]));
  const found: Record<string, string[]> = {};
  for (const [name, parts] of Object.entries(ROWS)) {
    const token = tokenOf(parts);
    found[name] = [];
    for (const verify of Object.values(LIBRARIES)) {
      const accepted = await (async () => verify(token, parts.key ?? P256))().then(
        () => true,
        () => false,
      );
      found[name].push(accepted ? "accepted" : "refused");
    }
  }
  assert.deepEqual(told, found);
});
