import { createHmac, createPublicKey, type JsonWebKey } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { ACCESS, Browser, REFRESH } from "../browser.js";
import { exchange, type Stage } from "../stage.js";
import { say } from "../terminal.js";

export async function forgeries(stage: Stage, laptop: Browser): Promise<void> {
  const { walk } = stage;
  walk.chapter("Forgeries");
  const mallory = new Browser("Mallory", stage.address);
  const [header = "", claims = "", signature = ""] = laptop.token(ACCESS).split(".");
  const forgedClaims = encode({ ...decode(claims), sub: "admin" });
  const attempt = (token: string) =>
    exchange(stage, mallory, "GET", "/me", { headers: { Authorization: `Bearer ${token}` } });

  walk.step("Somebody else’s name in the token", 'Its "sub" is rewritten to "admin"; the signature stays.');
  walk.answered(await attempt(`${header}.${forgedClaims}.${signature}`), 401, "ERR_SIGNATURE_INVALID");

  walk.step('A token that says "alg": "none"', "The algorithm comes from the key; the header’s is only compared.");
  const unsigned = `${encode({ ...decode(header), alg: "none" })}.${forgedClaims}.`;
  walk.answered(await attempt(unsigned), 401, "ERR_ALGORITHM_NOT_ALLOWED");

  walk.step("The public key as an HMAC secret", "A library that obeys the header takes this for a good HS256 token.");
  const { json: jwks } = await mallory.send("/.well-known/jwks.json");
  const key: JsonWebKey = jwks.keys[0];
  const secret = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
  const input = `${encode({ ...decode(header), alg: "HS256" })}.${forgedClaims}`;
  const mac = createHmac("sha256", secret).update(input).digest("base64url");
  walk.answered(await attempt(`${input}.${mac}`), 401, "ERR_ALGORITHM_NOT_ALLOWED");

  walk.step("A refresh token as an access token", "Each has a type, an audience and a key of its own.");
  walk.answered(await attempt(laptop.token(REFRESH)), 401, "ERR_TOKEN_TYPE");

  walk.step("Another site signs the user out", "SameSite keeps the cookies at home; the Worker does not rely on it.");
  const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
  const attack = await exchange(stage, laptop, "POST", "/api/auth/logout", { headers });
  walk.answered(attack, 403, "ERR_CROSS_SITE");
  walk.expect("the cookies are left alone, and Ada signed in", (await laptop.send("/me?strong")).status === 200);

  walk.step("The public key, used honestly", "jose, an independent implementation, verifies the access token on Node.");
  walk.sent("a service", "GET /.well-known/jwks.json", "");
  const { issuer, audience } = { issuer: stage.address, audience: stage.address };
  const verified = await jwtVerify(laptop.token(ACCESS), createLocalJWKSet(jwks), { issuer, audience, typ: "at+jwt" });
  walk.expect(`it is a token for ${verified.payload.sub}`, verified.payload.sub === "user-1815");
  walk.expect("the set holds one public key, and not that of refresh tokens", jwks.keys.length === 1 && !key.d);
  say("Such a service does not see revocation unless it reads the entries too.", "!");
}

function decode(segment: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(segment, "base64url").toString());
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
