/** The Worker on real workerd, bundled by wrangler against the library from the packed tarball. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import type { Miniflare } from "miniflare";
import { createIssuer, generateKeyPair, type Issuer, type JWK } from "waxseal";
import { ACCESS, Browser, REFRESH } from "../../../worker/demo/browser.js";
import { EventLog } from "../../../worker/demo/events.js";
import { type Answer, type Sent, send } from "../../../worker/demo/http.js";
import { addressOf, bundle, freePort, type Instance, start } from "../../../worker/demo/runtime.js";

export const USERNAME = "ada";
export const SUBJECT = "user-1815";
export const PASSWORD = "a password of the tests: é, 漢字";
/** Seconds; an access token lives up to 5 % shorter. */
export const ACCESS_TOKEN_LIFETIME = 900;
export const SESSION_LIFETIME = 7 * 24 * 3600;
export const REFRESH_PATH = "/api/auth/refresh";

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
  /** The private key of access tokens. */
  privateKey: JWK;
  /** Sign with the Worker's own keys, to make tokens that it would not. */
  issuer: Issuer;
  refreshIssuer: Issuer;
  /** The events that the Worker has logged. */
  events: EventLog;
  /** Everything that it has logged. */
  logged(): string;
  stop(): Promise<void>;
}

export interface Settings {
  /** Further vars of all instances. */
  vars?: Record<string, unknown>;
  /** Instances beyond the first, made from the bindings of that. */
  others?: (bindings: Record<string, unknown>) => Record<string, Instance>;
  /** Where Durable Objects and KV keep what is theirs; in memory when absent. */
  persist?: string;
  /** What ran before, at whose address and with whose keys to run again. */
  again?: Place;
}

/** What a deployment keeps over a restart. */
export interface Place {
  modules: string;
  port: number;
  keys: [access: JWK, refresh: JWK];
}

export async function newPlace(): Promise<Place> {
  const [{ modules }, port, access, refresh] = await Promise.all([
    bundlePacked(),
    freePort(),
    generateKeyPair("ES256"),
    generateKeyPair("ES256"),
  ]);
  return { modules, port, keys: [access.privateKey, refresh.privateKey] };
}

/** Starts the Worker. */
export async function startPacked({ vars, others, persist, again }: Settings = {}): Promise<Running> {
  const { modules, port, keys } = again ?? (await newPlace());
  const [privateKey, refreshKey] = keys;
  const address = `http://localhost:${port}`;
  const bindings = {
    WAXSEAL_PRIVATE_KEY: JSON.stringify(privateKey),
    WAXSEAL_REFRESH_KEY: JSON.stringify(refreshKey),
    DEMO_PASSWORD: PASSWORD,
    ISSUER: address,
    AUDIENCE: address,
    ORIGINS: [address],
    ...vars,
  };
  const events = new EventLog();
  let log = "";
  const miniflare = await start({
    modules,
    port,
    instances: { worker: { bindings }, ...others?.(bindings) },
    log: (text) => {
      log += text;
      events.take(text);
    },
    ...(persist === undefined ? {} : { persist }),
  });
  const [issuer, refreshIssuer] = await Promise.all([
    createIssuer({
      key: privateKey,
      issuer: address,
      audience: address,
      expiresIn: ACCESS_TOKEN_LIFETIME,
      typ: "at+jwt",
    }),
    createIssuer({
      key: refreshKey,
      issuer: address,
      audience: `${address}#refresh`,
      expiresIn: SESSION_LIFETIME,
      typ: "rt+jwt",
    }),
  ]);
  return {
    miniflare,
    address,
    privateKey,
    issuer,
    refreshIssuer,
    events,
    logged: () => log,
    stop: () => miniflare.dispose(),
  };
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

  /** A browser in which somebody has signed in. */
  async signedIn(username = USERNAME): Promise<Browser> {
    const browser = new Browser(username, this.origin, this.address);
    const answer = await browser.login(username, PASSWORD);
    assert.equal(answer.status, 200, answer.text);
    return browser;
  }

  /** Signs in and gives the access token. */
  async token(): Promise<string> {
    return (await this.signedIn()).token(ACCESS);
  }

  me(token: string): Promise<Answer> {
    return this.send("/me", { headers: { Cookie: `${ACCESS}=${token}` } });
  }
}

/** Refreshes as a page does. */
export function refresh(browser: Browser): Promise<Answer> {
  return browser.send(REFRESH_PATH, { method: "POST" });
}

/** The live sessions of whoever is signed in. */
export async function sessionsOf(browser: Browser): Promise<{ sessionId: string; label?: string; current: boolean }[]> {
  const answer = await browser.send("/sessions");
  assert.equal(answer.status, 200, answer.text);
  return answer.json.sessions;
}

/** The attributes of a Set-Cookie line, in lower case and sorted. */
export function attributesOf(line: string): string[] {
  return line
    .split(/; */)
    .slice(1)
    .map((attribute) => attribute.toLowerCase())
    .sort();
}

/** Both cookies are cleared with the attributes that they are set with. */
export function assertCleared(answer: Answer): void {
  const [access = "", refreshLine = "", ...more] = answer.setCookie;
  assert.deepEqual(more, []);
  for (const [line, name, path] of [
    [access, ACCESS, "/"],
    [refreshLine, REFRESH, REFRESH_PATH],
  ] as const) {
    assert.ok(line.startsWith(`${name}=;`), line);
    const attributes = attributesOf(line).filter((attribute) => !attribute.startsWith("expires="));
    assert.deepEqual(attributes, ["httponly", "max-age=0", `path=${path}`, "samesite=strict", "secure"]);
  }
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
  assert.equal(answer.headers["retry-after"], status === 503 ? "1" : undefined, "and a time to wait to 503");
}
