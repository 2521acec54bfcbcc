/** The story that the demo tells, step by step. Each step says what should happen and checks that it did. */

import { createHmac, createPublicKey, type JsonWebKey } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { type Answer, send } from "./http.js";
import { dim, say, type Walk } from "./terminal.js";

export interface Stage {
  /** The address of the Worker, which is also its issuer, its audience and its only origin. */
  address: string;
  /** The same Worker, bound to a store that never answers. */
  brokenAddress: string;
  username: string;
  password: string;
  /** The Worker's KV namespace. */
  revoked: {
    list(): Promise<{ keys: { name: string; expiration?: number }[] }>;
    get(key: string): Promise<string | null>;
  };
  walk: Walk;
}

const COOKIE_PARTS = {
  "__Host-": "the browser takes it only from this host, over TLS, for all paths: no subdomain can plant one",
  HttpOnly: "no script can read it",
  Secure: "it never travels over plain HTTP (browsers make an exception for localhost)",
  "SameSite=Strict": "requests that other sites start do not carry it",
  "Path=/": "it goes to every route of this host",
  "Max-Age=900": "it is gone after 15 minutes, when the token in it expires",
};

export async function tell(stage: Stage): Promise<void> {
  await wrongPassword(stage);
  const token = await signIn(stage);
  await present(stage, token);
  await forge(stage, token);
  await crossSite(stage, token);
  await signOut(stage, token);
  await replay(stage, token);
  await verifyElsewhere(stage, token);
  await storeDown(stage);
}

async function wrongPassword(stage: Stage): Promise<void> {
  const { walk } = stage;
  walk.step("A wrong password", "The identity check is a stand-in for yours; what it refuses gets no cookie.");
  const answer = await login(stage, "let me in");
  expectError(walk, answer, 401, "CREDENTIALS_WRONG");
  walk.expect("no cookie is set", answer.setCookie.length === 0);
}

async function signIn(stage: Stage): Promise<string> {
  const { walk } = stage;
  walk.step(
    `Signing in as ${stage.username}`,
    "Waxseal signs a token with ES256, in WebAssembly, and the Worker sets it as a cookie.",
  );
  const answer = await login(stage, stage.password);
  const [cookie = ""] = answer.setCookie;
  const [pair = "", ...attributes] = cookie.split("; ");
  walk.expect("the Worker answers 200", answer.status === 200);
  walk.expect("no cache may keep the answer", answer.headers["cache-control"] === "no-store");
  for (const [part, meaning] of Object.entries(COOKIE_PARTS)) {
    const isThere = part === "__Host-" ? pair.startsWith(part) : attributes.includes(part);
    walk.expect(`${part}  ${dim(meaning)}`, isThere);
  }
  const token = pair.slice(pair.indexOf("=") + 1);
  const [header = "", claims = ""] = token.split(".");
  say("The token in it says:");
  say(JSON.stringify(decode(header)), "·");
  say(JSON.stringify(decode(claims)), "·");
  return token;
}

async function present(stage: Stage, token: string): Promise<void> {
  const { walk } = stage;

  walk.step(
    "Who am I?",
    "The guard finds the cookie, verifies signature and claims, and asks KV for revocation entries.",
  );
  const me = await exchange(stage, "GET", "/me", { Cookie: `__Host-access=${token}` });
  walk.expect("the Worker answers 200", me.status === 200);
  walk.expect("it read the token from the cookie", me.json?.source === "cookie");
  walk.expect("no revocation entry was found", me.json?.revocation === "clear");

  walk.step(
    "Without a credential",
    "The challenge names the scheme and no error, because there was no token that could be wrong (RFC 6750 section 3.1).",
  );
  const nobody = await exchange(stage, "GET", "/me", {}, ["WWW-Authenticate"]);
  expectError(walk, nobody, 401, "ERR_CREDENTIALS_MISSING");
  walk.expect("WWW-Authenticate is Bearer", nobody.headers["www-authenticate"] === "Bearer");

  walk.step(
    "The same token as a bearer token",
    "For clients that are not browsers. When this header is present, it decides alone.",
  );
  const bearer = await exchange(stage, "GET", "/me", { Authorization: `Bearer ${token}` });
  walk.expect("the Worker answers 200", bearer.status === 200);
  walk.expect("it read the token from the header", bearer.json?.source === "bearer");
}

async function forge(stage: Stage, token: string): Promise<void> {
  const { walk } = stage;
  const [header = "", claims = "", signature = ""] = token.split(".");
  const forgedClaims = encode({ ...decode(claims), sub: "admin" });
  const attempt = (forged: string) =>
    exchange(stage, "GET", "/me", { Authorization: `Bearer ${forged}` }, ["WWW-Authenticate"]);

  walk.step(
    "Somebody else's name in the token",
    `"sub" is rewritten from "${decode(claims).sub}" to "admin"; the signature stays as it was.`,
  );
  expectError(walk, await attempt(`${header}.${forgedClaims}.${signature}`), 401, "ERR_SIGNATURE_INVALID");

  walk.step(
    'A token that says "alg": "none"',
    "The algorithm comes from the key. What the header says is compared with it, and never obeyed.",
  );
  const unsigned = `${encode({ ...decode(header), alg: "none" })}.${forgedClaims}.`;
  expectError(walk, await attempt(unsigned), 401, "ERR_ALGORITHM_NOT_ALLOWED");

  walk.step(
    "The public key, used as an HMAC secret",
    "Everybody has the public key. A library that lets the header choose takes this for a well-signed HS256 token.",
  );
  const key: JsonWebKey = (await send(`${stage.address}/.well-known/jwks.json`)).json.keys[0];
  const secret = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
  const input = `${encode({ ...decode(header), alg: "HS256" })}.${forgedClaims}`;
  const mac = createHmac("sha256", secret).update(input).digest("base64url");
  expectError(walk, await attempt(`${input}.${mac}`), 401, "ERR_ALGORITHM_NOT_ALLOWED");
}

async function crossSite(stage: Stage, token: string): Promise<void> {
  const { walk } = stage;
  walk.step(
    "Another site tries to sign the user out",
    "SameSite=Strict keeps the cookie at home already. The Worker does not rely on that alone.",
  );
  const attack = await exchange(stage, "POST", "/api/auth/logout", {
    Cookie: `__Host-access=${token}`,
    Origin: "https://evil.example",
    "Sec-Fetch-Site": "cross-site",
  });
  expectError(walk, attack, 403, "ERR_CROSS_SITE");
  walk.expect("the cookie is left alone", attack.setCookie.length === 0);
  const me = await send(`${stage.address}/me`, { headers: { Cookie: `__Host-access=${token}` } });
  walk.expect("the user is still signed in", me.status === 200);
}

async function signOut(stage: Stage, token: string): Promise<void> {
  const { walk, revoked, address } = stage;
  walk.step("Signing out", "The token's identifier and its session are written to KV, and the cookie is cleared.");
  const before = new Set((await revoked.list()).keys.map((key) => key.name));
  const headers = { Cookie: `__Host-access=${token}`, Origin: address, "Sec-Fetch-Site": "same-origin" };
  const answer = await exchange(stage, "POST", "/api/auth/logout", headers, ["Cache-Control"]);
  const [cleared = ""] = answer.setCookie;
  walk.expect("the Worker answers 200", answer.status === 200);
  walk.expect("the cookie is cleared", cleared.startsWith("__Host-access=;") && cleared.includes("Max-Age=0"));

  const entries = (await revoked.list()).keys.filter((key) => !before.has(key.name));
  say("Read from KV:");
  for (const { name, expiration = 0 } of entries) {
    const minutes = Math.round((expiration - Date.now() / 1000) / 60);
    say(`${name} = ${await revoked.get(name)}`, "·");
    say(dim(`expires ${new Date(expiration * 1000).toISOString()}, in ${minutes} minutes`), " ");
  }
  const { exp } = decode(token.split(".")[1] ?? "");
  const outlives = entries.every(({ expiration = 0 }) => expiration > Number(exp));
  walk.expect("there is an entry for the token and one for the session", entries.length === 2);
  walk.expect("each outlives the token that it ends", outlives);
  walk.expect(
    "no key shows an identifier",
    entries.every(({ name }) => /^wx1:[a-z]+:[\w-]{43}$/.test(name)),
  );
}

async function replay(stage: Stage, token: string): Promise<void> {
  const { walk } = stage;
  walk.step(
    "Replaying the old cookie",
    "Its signature is good and it has not expired: only the entry in KV stands against it.",
  );
  const answer = await exchange(stage, "GET", "/me", { Cookie: `__Host-access=${token}` }, ["WWW-Authenticate"]);
  expectError(walk, answer, 401, "ERR_TOKEN_REVOKED");
  say(
    'Here the entry is seen at once. Deployed, Workers KV is stale by 60 seconds and more, "not found" included, and ' +
      "worst exactly where a session is in use: after signing out, an access token ends within that time and not in the " +
      "same instant, and after 15 minutes at the latest.",
    "!",
  );
}

async function verifyElsewhere(stage: Stage, token: string): Promise<void> {
  const { walk, address } = stage;
  walk.step(
    "The public key, used by somebody else",
    "The JWK Set is fetched, and jose, an independent implementation, verifies the token on Node.",
  );
  const answer = await exchange(stage, "GET", "/.well-known/jwks.json", {}, ["Content-Type", "Cache-Control"]);
  walk.expect("the Worker answers 200", answer.status === 200);
  walk.expect("the private half is not in it", answer.json?.keys?.length === 1 && !("d" in answer.json.keys[0]));
  const verified = await jwtVerify(token, createLocalJWKSet(answer.json), {
    issuer: address,
    audience: address,
    typ: "at+jwt",
  }).catch(() => undefined);
  walk.expect(`jose verifies it, for the subject ${verified?.payload.sub}`, verified !== undefined);
  say("It takes the token although its owner has signed out: whoever verifies has to read the entries too.", "!");
}

async function storeDown(stage: Stage): Promise<void> {
  const { walk, brokenAddress } = stage;
  walk.step(
    "The revocation store goes silent",
    "A second instance of the Worker, with the same key, has a store that never answers.",
  );
  const { setCookie } = await submit(stage, stage.password);
  const [cookie = ""] = setCookie[0]?.split(";") ?? [];
  const started = performance.now();
  const answer = await exchange({ walk, address: brokenAddress }, "GET", "/me", { Cookie: cookie });
  const seconds = (performance.now() - started) / 1000;
  expectError(walk, answer, 503, "ERR_REVOCATION_UNAVAILABLE");
  walk.expect(
    `it waited for a second and then stopped waiting (${seconds.toFixed(2)} s)`,
    seconds > 0.9 && seconds < 3,
  );
  say("It cannot know whether the token was revoked, so it lets nobody in.", "!");
}

function expectError(walk: Walk, { status, json }: Answer, expectedStatus: number, code: string): void {
  walk.expect(`the Worker answers ${expectedStatus}`, status === expectedStatus);
  walk.expect(`the code is ${code}`, json?.error?.code === code);
}

/** Signs in and shows it, without the password. */
async function login(stage: Stage, password: string): Promise<Answer> {
  const shown = JSON.stringify({ username: stage.username, password: "••••••••" });
  stage.walk.sent("POST /api/auth/login", loginHeaders(stage.address), shown);
  const answer = await submit(stage, password);
  stage.walk.received(answer, ["Cache-Control"]);
  return answer;
}

function submit({ address, username }: Stage, password: string): Promise<Answer> {
  const body = JSON.stringify({ username, password });
  return send(`${address}/api/auth/login`, { method: "POST", headers: loginHeaders(address), body });
}

function loginHeaders(address: string) {
  return { Origin: address, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json" };
}

/** Sends a request and shows both directions; of the answer's headers, those that matter here. */
async function exchange(
  { walk, address }: Pick<Stage, "walk" | "address">,
  method: string,
  path: string,
  headers: Record<string, string>,
  shown: readonly string[] = [],
): Promise<Answer> {
  walk.sent(`${method} ${path}`, headers);
  const answer = await send(address + path, { method, headers });
  walk.received(answer, shown);
  return answer;
}

function decode(segment: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(segment, "base64url").toString());
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
