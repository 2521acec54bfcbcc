/**
 * The two servers under load, as they ship but for what their README tells to replace: who may sign in. One operation of a
 * store in a hundred fails, half of them after they have had their effect.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { generateKeyPair } from "waxseal";
import { bundle, freePort, start as startWorkerd } from "../../worker/demo/runtime.js";
import { nodeFor } from "../stores/harness/sqlite.js";

export const PASSWORD = "a password of the load";

/** What a server uses, in bytes. */
export interface Usage {
  readonly rss: number;
  /** Of JavaScript's heap after a collection, where it can be asked for. */
  readonly heap?: number;
  readonly descriptors: number;
  /** How many operations of a store were made to fail so far. */
  readonly faults: number;
}

/** A server under load. */
export interface Target {
  readonly name: string;
  readonly address: string;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** Puts a text into the place of another one, which must be there. */
function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, "utf8");
  const edited = text.replace(from, () => to);
  if (edited === text) throw new Error(`${file} has nothing to replace by ${to}`);
  writeFileSync(file, edited);
}

/** What the kernel says of a process. */
function measured(pid: number): { rss: number; descriptors: number } {
  const [, rss = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { rss: Number(rss) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Comes before the server: statements of SQLite fail, and a port tells of it. */
const NODE_FAULTS = `
  import { createServer } from "node:http";
  import { StatementSync } from "node:sqlite";
  let faults = 0;
  const fails = () => Math.random() < 0.01 && ++faults > 0;
  const down = () => { throw new Error("disk I/O error"); };
  const { get, run } = StatementSync.prototype;
  let serving = false;
  StatementSync.prototype.get = function (...given) {
    if (serving && fails()) down();
    return get.apply(this, given);
  };
  StatementSync.prototype.run = function (...given) {
    const failing = serving && fails();
    if (failing && Math.random() < 0.5) down();
    const result = run.apply(this, given);
    if (failing) down();
    return result;
  };
  createServer((request, response) => {
    serving = true;
    globalThis.gc();
    response.end(JSON.stringify({ faults, heap: process.memoryUsage().heapUsed }));
  }).listen(Number(process.env.LOAD_PORT), "127.0.0.1").unref();`;

/** Whether there is a Node that has SQLite. */
export const HAS_NODE = nodeFor("node:sqlite") !== undefined;

/** The Node example, on SQLite. */
export async function nodeExample(grace: number): Promise<Target> {
  const directory = resolve("target/packed/load-node");
  rmSync(directory, { recursive: true, force: true });
  for (const part of ["src", "package.json", "tsconfig.json"]) {
    cpSync(`examples/node/${part}`, join(directory, part), { recursive: true });
  }
  edit(
    join(directory, "src/identity.ts"),
    "return nameMatches",
    "return username.startsWith('load-') ? username : nameMatches",
  );
  edit(join(directory, "src/main.ts"), 'path: "/api/auth/refresh"', `path: "/api/auth/refresh", grace: ${grace}`);
  execFileSync("npm", ["run", "build"], { cwd: directory, stdio: "pipe" });
  const faults = join(directory, "faults.mjs");
  writeFileSync(faults, NODE_FAULTS);
  const data = mkdtempSync(join(tmpdir(), "waxseal-load-"));
  const [port, metricsPort, loadPort] = [await freePort(), await freePort(), await freePort()];
  const key = async () => (await generateKeyPair("ES256")).privateKey;
  const secrets = { accessKeys: [await key()], refreshKeys: [await key()], demoPassword: PASSWORD };
  const env = {
    PATH: process.env["PATH"],
    PORT: `${port}`,
    METRICS_PORT: `${metricsPort}`,
    LOAD_PORT: `${loadPort}`,
    DATA: data,
    SECRETS: JSON.stringify(secrets),
  };
  const flags = ["--expose-gc", "--import", faults, join(directory, "dist/main.js")];
  const child = spawn(nodeFor("node:sqlite") ?? "", flags, { env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((ready, failed) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => text.includes(" is served on ") && ready());
    child.once("exit", (status) => failed(new Error(`the server ended with ${status}`)));
  });
  return {
    name: "Node example, SQLite",
    address: `http://localhost:${port}`,
    usage: async () => {
      const response = await fetch(`http://127.0.0.1:${loadPort}/`);
      const { faults, heap } = (await response.json()) as { faults: number; heap: number };
      return { ...measured(child.pid ?? 0), faults, heap };
    },
    stop: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true });
    },
  };
}

/** The Worker on workerd, with a Durable Object for each user and KV. */
export async function worker(grace: number): Promise<Target> {
  const directory = "target/packed/load-worker";
  rmSync(directory, { recursive: true, force: true });
  for (const part of ["src", "page", "wrangler.jsonc", "package.json", "tsconfig.json"]) {
    cpSync(`worker/${part}`, `${directory}/${part}`, { recursive: true });
  }
  // The entry of a bundle is called index.
  renameSync(`${directory}/src/index.ts`, `${directory}/src/shipped.ts`);
  cpSync("tests/load/faulty-worker.ts", `${directory}/src/index.ts`);
  edit(
    `${directory}/src/identity.ts`,
    "SUBJECTS.get(username)",
    "(username.startsWith('load-') ? username : undefined)",
  );
  await bundle(directory, `${directory}/dist`);
  const port = await freePort();
  const address = `http://localhost:${port}`;
  const key = async () => JSON.stringify((await generateKeyPair("ES256")).privateKey);
  const bindings = {
    WAXSEAL_PRIVATE_KEY: await key(),
    WAXSEAL_REFRESH_KEY: await key(),
    DEMO_PASSWORD: PASSWORD,
    ISSUER: address,
    AUDIENCE: address,
    ORIGINS: [address],
    REFRESH_GRACE: grace,
  };
  const data = mkdtempSync(join(tmpdir(), "waxseal-load-"));
  const miniflare = await startWorkerd({
    modules: `${directory}/dist`,
    port,
    persist: data,
    instances: { worker: { bindings } },
  });
  const pid = childNamed("workerd");
  return {
    name: "Worker on workerd, Durable Objects and KV",
    address,
    usage: async () => {
      const response = await fetch(`${address}/load/faults`);
      return { ...measured(pid), faults: Number(await response.text()) };
    },
    stop: async () => {
      await miniflare.dispose();
      rmSync(data, { recursive: true });
    },
  };
}

/** The process of this name that this one has started last. */
function childNamed(name: string): number {
  const found = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  const own = found.filter((pid) => {
    try {
      // Fields of proc(5): the name in parentheses, the state, the parent.
      const [, command, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      return command === name && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
  return Math.max(...own.map(Number));
}
