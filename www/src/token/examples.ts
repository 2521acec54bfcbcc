// Examples to play with: a fresh key pair and token from the library itself, and tokens that must be refused.

import { createIssuer, generateKeyPair, type JWK } from "waxseal";

export interface Example {
  token: string;
  /** The public key, as JSON text for the key field. */
  key: string;
  issuer: string;
  audience: string;
}

export const EXAMPLES = ["valid", "expired", "tampered", "none", "audience", "milliseconds"] as const;
export type ExampleName = (typeof EXAMPLES)[number];

const ISSUER = "https://login.example";
const AUDIENCE = "https://api.example";
const CLAIMS = { sub: "user-4711", name: "Ada Sealey", roles: ["reader"] };

export async function makeExample(name: ExampleName, now: number): Promise<Example> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const issue = async (at: number, audience: string): Promise<string> => {
    const issuer = await createIssuer({ key: privateKey, issuer: ISSUER, audience, expiresIn: 900 });
    try {
      return await issuer.issue(CLAIMS, { now: at });
    } finally {
      issuer.dispose();
    }
  };
  const token = await issue(
    name === "expired" ? now - 1620 : now,
    name === "audience" ? "https://other.example" : AUDIENCE,
  );
  return {
    token: await broken(name, token, privateKey, now),
    key: JSON.stringify(publicKey, null, 2),
    issuer: ISSUER,
    audience: AUDIENCE,
  };
}

/** What the library would not make by itself. */
async function broken(name: ExampleName, token: string, privateKey: JWK, now: number): Promise<string> {
  const [header = "", claims = "", signature = ""] = token.split(".");
  switch (name) {
    case "tampered":
      return [header, encode({ ...decode(claims), roles: ["reader", "admin"] }), signature].join(".");
    case "none":
      return `${encode({ alg: "none", typ: "JWT" })}.${claims}.`;
    case "milliseconds": {
      const milliseconds = { ...decode(claims), iat: now * 1000, exp: (now + 900) * 1000 };
      return signed(`${header}.${encode(milliseconds)}`, privateKey);
    }
    default:
      return token;
  }
}

/** Signs with WebCrypto, because an issuer of the library refuses to sign times that are milliseconds. */
async function signed(input: string, { kty, crv, x, y, d }: JWK): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, d } as JsonWebKey, algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

function encode(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

function decode(segment: string): Record<string, unknown> {
  const binary = atob(segment.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
