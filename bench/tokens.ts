/** Keys and tokens, made on Node and sent to every runtime. */
import { type KeyObject, createHash, generateKeyPairSync, sign } from "node:crypto";
import type { PublicJwk } from "./peers/peer.js";

/** A row of the tables: an algorithm, and the length of its key where that is a choice. */
export interface Suite {
  readonly name: string;
  readonly alg: "ES256" | "RS256";
  readonly bits?: number;
  /** How many tokens are in the pool: a round uses none of them twice. */
  readonly pool: number;
}

export const SUITES: readonly Suite[] = [
  { name: "ES256", alg: "ES256", pool: 4096 },
  { name: "RS256-2048", alg: "RS256", bits: 2048, pool: 2560 },
  { name: "RS256-4096", alg: "RS256", bits: 4096, pool: 1024 },
];

/** All that a runtime needs to know about a suite; it crosses as JSON. */
export interface Fixture {
  readonly suite: string;
  readonly alg: Suite["alg"];
  readonly jwks: { keys: PublicJwk[] };
  readonly issuer: string;
  readonly audience: string;
  /** Distinct tokens that are good. */
  readonly tokens: readonly string[];
  /** Tokens that every library has to refuse, by what is wrong with them. */
  readonly forged: Readonly<Record<string, string>>;
  /** Tokens with a good signature that every library that looks at the claims has to refuse. */
  readonly unacceptable: Readonly<Record<string, string>>;
}

const ISSUER = "https://id.example.com";
const AUDIENCE = "https://api.example.com";

export function makeFixture({ name, alg, bits, pool }: Suite, now = Math.floor(Date.now() / 1000)): Fixture {
  const { publicKey, privateKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: bits ?? 2048 });
  const jwk = publicKey.export({ format: "jwk" }) as Record<string, string>;
  const kid = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url").slice(0, 16);
  const header = encode({ alg, typ: "JWT", kid });
  const issue = (index: number, changes: object = {}): string => {
    const input = `${header}.${encode({ ...claims(index, now), ...changes })}`;
    return `${input}.${signature(input, privateKey)}`;
  };
  const good = issue(0);
  const [, payload, mark] = good.split(".") as [string, string, string];
  const [, otherPayload] = issue(1).split(".") as [string, string, string];
  return {
    suite: name,
    alg,
    jwks: { keys: [{ ...jwk, kty: jwk["kty"] ?? "", kid, alg, use: "sig" }] },
    issuer: ISSUER,
    audience: AUDIENCE,
    tokens: Array.from({ length: pool }, (_, index) => issue(index)),
    forged: {
      "another payload": `${header}.${otherPayload}.${mark}`,
      "a bit changed at the signature's beginning": `${header}.${payload}.${withBit(mark, 0)}`,
      "a bit changed at the signature's end": `${header}.${payload}.${withBit(mark, -1)}`,
    },
    unacceptable: {
      expired: issue(0, { exp: now - 3600 }),
      "another issuer": issue(0, { iss: "https://id.example.org" }),
      "another audience": issue(0, { aud: "https://api.example.org" }),
    },
  };
}

/** Twelve claims, 385 bytes of JSON, as access tokens of identity providers have them. */
function claims(index: number, now: number): Record<string, unknown> {
  const id = createHash("sha256").update(`${index}`).digest("hex");
  return {
    iss: ISSUER,
    sub: `auth0|${id.slice(0, 24)}`,
    aud: AUDIENCE,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 86_400,
    jti: `${id.slice(24, 32)}-${id.slice(32, 36)}-4${id.slice(37, 40)}-8${id.slice(41, 44)}-${id.slice(44, 56)}`,
    sid: id.slice(40, 62),
    client_id: "s6BhdRkqt3Vx0aTz",
    scope: "openid profile email orders:read orders:write",
    roles: ["member", "editor"],
    email: `person${String(index).padStart(6, "0")}@mail.example.com`,
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signature(input: string, key: KeyObject): string {
  return sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

/** The signature with the lowest bit of one of its bytes changed. */
function withBit(mark: string, at: number): string {
  const bytes = Buffer.from(mark, "base64url");
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString("base64url");
}
