/** The Worker on real workerd, bundled by wrangler against the library from the packed tarball. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import type { Miniflare } from "miniflare";
import { createIssuer, generateKeyPair, type Issuer, type JWK } from "waxseal";
import { type Answer, type Sent, send } from "../../../worker/demo/http.js";
import { addressOf, bundle, freePort, type Instance, start } from "../../../worker/demo/runtime.js";

export const USERNAME = "ada";
export const PASSWORD = "a password of the tests: é, 漢字";
export const ACCESS_TOKEN_LIFETIME = 900;

/** Bundles a copy of the Worker that lies beside the installed tarball, so that its `import "waxseal"` means that one. */
export async function bundlePacked(): Promise<{ modules: string; printed: string }> {
  const copy = "target/packed/worker";
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const part of ["src", "page", "wrangler.jsonc", "package.json", "tsconfig.json"]) {
    cpSync(`worker/${part}`, `${copy}/${part}`, { recursive: true });
  }
  const printed = await bundle(copy, `${copy}/dist`);
  return { modules: `${copy}/dist`, printed };
}

/** The Worker, running. */
export interface Running {
  miniflare: Miniflare;
  /** `http://localhost:<port>`: the Worker's issuer, its audience and its only origin. */
  address: string;
  privateKey: JWK;
  /** Signs with the Worker's own key, to make tokens that it would not. */
  issuer: Issuer;
  /** Everything that the Worker has logged. */
  logged(): string;
  stop(): Promise<void>;
}

/** Starts the Worker, with further instances that `others` makes from the bindings of the first. */
export async function startPacked(
  others: (bindings: Record<string, unknown>) => Record<string, Instance> = () => ({}),
): Promise<Running> {
  const { modules } = await bundlePacked();
  const port = await freePort();
  const address = `http://localhost:${port}`;
  const { privateKey } = await generateKeyPair("ES256");
  const bindings = {
    WAXSEAL_PRIVATE_KEY: JSON.stringify(privateKey),
    DEMO_PASSWORD: PASSWORD,
    ISSUER: address,
    AUDIENCE: address,
    ORIGINS: [address],
  };
  let log = "";
  const miniflare = await start({
    modules,
    port,
    instances: { worker: { bindings }, ...others(bindings) },
    log: (text) => {
      log += text;
    },
  });
  const issuer = await createIssuer({
    key: privateKey,
    issuer: address,
    audience: address,
    expiresIn: ACCESS_TOKEN_LIFETIME,
    typ: "at+jwt",
  });
  return { miniflare, address, privateKey, issuer, logged: () => log, stop: () => miniflare.dispose() };
}

/** A client of one instance: paths instead of addresses, and the headers that a page of the same origin sends. */
export class Client {
  constructor(
    readonly address: string,
    readonly origin: string = address,
  ) {}

  static async of(running: Running, instance: string): Promise<Client> {
    return new Client(await addressOf(running.miniflare, instance), running.address);
  }

  send(path: string, sent: Sent = {}): Promise<Answer> {
    return send(this.address + path, sent);
  }

  get sameOrigin(): Record<string, string> {
    return { Origin: this.origin, "Sec-Fetch-Site": "same-origin" };
  }

  login(body: unknown = { username: USERNAME, password: PASSWORD }, headers = this.sameOrigin): Promise<Answer> {
    return this.send("/api/auth/login", {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Signs in and gives the token. */
  async token(): Promise<string> {
    return tokenOf(await this.login());
  }

  me(token: string): Promise<Answer> {
    return this.send("/me", { headers: { Cookie: `__Host-access=${token}` } });
  }

  logout(headers: Record<string, string>): Promise<Answer> {
    return this.send("/api/auth/logout", { method: "POST", headers });
  }
}

/** The token in the answer to a login. */
export function tokenOf(answer: Answer): string {
  const token = answer.setCookie[0]?.match(/^__Host-access=([^;]+)/)?.[1];
  if (token === undefined) throw new Error(`no access cookie was set: ${answer.status} ${answer.text}`);
  return token;
}

/** The attributes of a Set-Cookie line, in lower case and sorted. */
export function attributesOf(line: string): string[] {
  return line
    .split(/; */)
    .slice(1)
    .map((attribute) => attribute.toLowerCase())
    .sort();
}

/** An error as every route answers it: JSON with the code, never stored by a cache. */
export function assertError(answer: Answer, status: number, code: string): void {
  assert.equal(answer.json?.error?.code, code, answer.text);
  assert.equal(answer.status, status);
  assert.equal(typeof answer.json.error.message, "string");
  assert.notEqual(answer.json.error.message, "");
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["www-authenticate"] !== undefined, status === 401, "a challenge belongs to 401");
}
