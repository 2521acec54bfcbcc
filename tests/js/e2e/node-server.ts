/** examples/node as a process, and browsers and others that meet it. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { generateKeyPair } from "waxseal";
import { type Answer, send } from "../../../worker/demo/http.js";
import { freePort } from "../../../worker/demo/runtime.js";
import { nodeFor, opener } from "../../stores/harness/sqlite.js";

/** A Node with SQLite: this one, or the one that is installed for the tests of stores. */
export const NODE = nodeFor("node:sqlite") ?? "";
export const needsNode = { skip: NODE === "" && "no Node has node:sqlite" };
/** As installed for the tests of stores. */
const BETTER_SQLITE3 = resolve("tests/stores/tools/better-sqlite3/node_modules/better-sqlite3");
export const needsBetterSqlite3 = {
  skip: (NODE === "" || opener("better-sqlite3") === undefined) && "better-sqlite3 is not installed",
};

/** A copy of the example that lies beside the installed tarball, so that its `import "waxseal"` means that one. */
const EXAMPLE = resolve("target/packed/node-example");
const MAIN = join(EXAMPLE, "dist/main.js");
/** Another, with better-sqlite3 installed. */
const WITH_BETTER = resolve("target/packed/node-example-better");
const CLOCK = join(EXAMPLE, "clock.mjs");

export const PASSWORD = "a password of the tests: é, 漢字";
/** Seconds: the window in which a refresh is answered alike, and the longest life of an access token. */
export const GRACE = 10;
export const ACCESS_LIFETIME = 900;

/** Moves the clock of a process when told to, so that nobody has to wait for windows to close and tokens to expire. */
const MOVABLE_CLOCK = `
  const { now } = Date;
  let moved = 0;
  Date.now = () => now() + moved;
  process.on("message", (seconds) => { moved += seconds * 1000; process.send("moved"); });
  process.channel.unref();`;

/** Those that every server starts with, as JSON. */
export let secrets: string;
const directories: string[] = [];
const running = new Set<Server>();
/** What all of them have printed. */
export let logged = "";

/** Builds the example as its users do. */
export async function build(): Promise<void> {
  rmSync(EXAMPLE, { recursive: true, force: true });
  for (const part of ["src", "package.json", "tsconfig.json"]) {
    cpSync(`examples/node/${part}`, join(EXAMPLE, part), { recursive: true });
  }
  execFileSync("npm", ["run", "build"], { cwd: EXAMPLE, stdio: "pipe" });
  writeFileSync(CLOCK, MOVABLE_CLOCK);
  rmSync(WITH_BETTER, { recursive: true, force: true });
  cpSync(EXAMPLE, WITH_BETTER, { recursive: true });
  mkdirSync(join(WITH_BETTER, "node_modules"));
  symlinkSync(BETTER_SQLITE3, join(WITH_BETTER, "node_modules/better-sqlite3"));
  const key = async () => (await generateKeyPair("ES256")).privateKey;
  secrets = JSON.stringify({ accessKeys: [await key()], refreshKeys: [await key()], demoPassword: PASSWORD });
}

/** Ends the servers, and removes what they have left. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
  for (const directory of directories) {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
  }
}

export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "waxseal-node-"));
  directories.push(directory);
  return directory;
}

interface Started {
  /** Where the database is; an empty directory if left out. */
  data?: string;
  /** Another server's, whose other process this one is. */
  origin?: string;
  /** What Node is started with, in front of its own arguments. */
  launcher?: readonly string[];
  /** Further settings. */
  settings?: Record<string, string>;
  /** With better-sqlite3, under the Node that runs the tests. */
  better?: boolean;
}

/** The example in a process of its own. */
export class Server {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
    readonly origin: string,
    readonly data: string,
    private readonly metricsPort: number,
  ) {}

  static async start({
    data = emptyDirectory(),
    origin,
    launcher = [],
    settings = {},
    better = false,
  }: Started = {}): Promise<Server> {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const address = `http://localhost:${port}`;
    const env = {
      PATH: process.env.PATH,
      PORT: `${port}`,
      METRICS_PORT: `${metricsPort}`,
      DATA: data,
      SECRETS: secrets,
      ...(origin === undefined ? {} : { ORIGIN: origin }),
      ...settings,
    };
    // It is found from the main file, so a copy that lies beside it finds it, and the other one does not.
    const node = better ? process.execPath : NODE;
    const main = better ? join(WITH_BETTER, "dist/main.js") : MAIN;
    const [program = "", ...rest] = [...launcher, node, "--import", CLOCK, main];
    const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const server = new Server(child, address, origin ?? address, data, metricsPort);
    running.add(server);
    await new Promise<void>((ready, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          logged += text;
          if (text.includes(" is served on ")) ready();
        });
      }
      child.once("exit", (status) => failed(new Error(`the server ended with ${status}:\n${logged}`)));
    });
    return server;
  }

  /** As a service manager ends it; resolves to the exit status. */
  async stop(): Promise<number | null> {
    running.delete(this);
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    return ended;
  }

  /** Moves its clock. */
  async pass(seconds: number): Promise<void> {
    const moved = new Promise((resolve) => this.child.once("message", resolve));
    this.child.send(seconds);
    await moved;
  }

  async metric(series: string): Promise<number> {
    const { text } = await send(`http://localhost:${this.metricsPort}/metrics`);
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return Number(line?.slice(series.length));
  }

  get database(): string {
    return join(this.data, "sessions.db");
  }
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** A browser on the page of a server: keeps cookies by name and path, and sends them to the paths that they are for. */
export class Browser {
  constructor(
    public server: Server,
    public cookies: Cookie[] = [],
  ) {}

  static async signedIn(server: Server): Promise<Browser> {
    const browser = new Browser(server);
    assert.equal((await browser.login()).status, 200);
    return browser;
  }

  /** Somebody else with a copy of what this one has. */
  copy(server = this.server): Browser {
    return new Browser(server, [...this.cookies]);
  }

  cookie(name: string): string {
    return this.cookies.find((cookie) => cookie.name === name)?.value ?? "";
  }

  async send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
    // RFC 6265 section 5.1.4; cookies of longer paths go first.
    const cookies = this.cookies
      .filter((cookie) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, "/")))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`);
    const own = { Origin: this.server.origin, "Sec-Fetch-Site": "same-origin", "User-Agent": "Tests/1" };
    const answer = await send(this.server.address + path, {
      method,
      headers: { ...own, ...(cookies.length > 0 ? { Cookie: cookies.join("; ") } : {}), ...headers },
      body,
    });
    answer.setCookie.forEach((line) => this.#take(line));
    return answer;
  }

  #take(line: string): void {
    const [pair = "", ...attributes] = line.split("; ");
    const [name = "", value = ""] = pair.split("=");
    const path = attributes.find((attribute) => attribute.startsWith("Path="))?.slice("Path=".length) ?? "/";
    this.cookies = this.cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    if (!attributes.includes("Max-Age=0")) this.cookies.push({ name, value, path });
  }

  login(body: unknown = { username: "ada", password: PASSWORD }, headers: Record<string, string> = {}) {
    const type = { "Content-Type": "application/json" };
    return this.send("POST", "/api/auth/login", { ...type, ...headers }, JSON.stringify(body));
  }

  me(): Promise<Answer> {
    return this.send("GET", "/me");
  }

  refresh(): Promise<Answer> {
    return this.send("POST", "/api/auth/refresh");
  }

  logout(): Promise<Answer> {
    return this.send("POST", "/api/auth/logout");
  }
}

export function assertError(answer: Answer, status: number, code: string): void {
  assert.equal(answer.json?.error?.code, code, answer.text);
  assert.equal(answer.status, status);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["www-authenticate"] !== undefined, status === 401, "a challenge belongs to 401");
  assert.equal(answer.headers["retry-after"] !== undefined, status === 503, "when to come back belongs to 503");
}
/** What the example prints until it listens or ends. */
export function printed(env: Record<string, string>, node = NODE, ...flags: string[]): Promise<string> {
  const environment = { PATH: process.env.PATH, PORT: "0", METRICS_PORT: "0", ...env };
  const child = spawn(node, [...flags, MAIN], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes(" is served on ")) child.kill("SIGTERM");
    });
  }
  return new Promise((resolve) => child.once("close", () => resolve(text)));
}

/** Holds the database's lock for writing, in a process of its own, until told to let go or until the test is over. */
export async function lock(t: TestContext, file: string): Promise<() => Promise<void>> {
  const program = `
    import { DatabaseSync } from "node:sqlite";
    const database = new DatabaseSync(process.argv[1]);
    database.exec("BEGIN IMMEDIATE");
    console.log("locked");
    process.stdin.resume().on("end", () => database.exec("ROLLBACK"));`;
  const child = spawn(NODE, ["--input-type=module", "-e", program, file], { stdio: ["pipe", "pipe", "inherit"] });
  const released = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const release = (): Promise<void> => {
    child.stdin.end();
    return released;
  };
  t.after(release);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return release;
}
