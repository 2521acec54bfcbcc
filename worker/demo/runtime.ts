/** Bundles the Worker exactly as a deployment would and runs the result on workerd, Cloudflare's own runtime. */

import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";

/** The address that everything listens on: nothing of the demo can be reached from outside this machine. */
export const HOST = "127.0.0.1";

const COMMON = { compatibilityDate: "2026-04-01" };

/**
 * Runs `wrangler deploy --dry-run` in a directory that has a wrangler.jsonc. It bundles without an account and without a
 * network, writes the modules into `outDirectory`, and what it prints is returned.
 */
export async function bundle(workerDirectory: string, outDirectory: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [resolve("node_modules/wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--outdir", resolve(outDirectory)],
    { cwd: workerDirectory, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" } },
  );
  return stdout + stderr;
}

/** What stands at a binding: the real thing, nothing, or a class with this body. The last is the way to see it fail. */
export type Bound = "real" | "absent" | { classBody: string };

/** One instance of the Worker. All instances share the Durable Objects and the KV namespace, unless they say otherwise. */
export interface Instance {
  /** Vars and secrets. */
  bindings: Record<string, unknown>;
  /** REVOKED: a class has the methods of a KV namespace. */
  revoked?: Bound;
  /** SESSIONS: a class is one of Durable Objects, and so has the methods of `SessionRecords`. */
  sessions?: Bound;
}

export interface Settings {
  /** The directory that `bundle` wrote. */
  modules: string;
  /** Instances by name. The first one answers at `port`, the others at addresses of their own. */
  instances: Record<string, Instance>;
  /** 0 takes a free one. */
  port: number;
  /** The directory in which Durable Objects and KV keep what is theirs; in memory when absent. */
  persist?: string;
  /** Receives what the Worker logs. */
  log?: (text: string) => void;
}

/** Starts workerd. */
export async function start({ modules, instances, port, persist, log }: Settings): Promise<Miniflare> {
  const directory = resolve(modules);
  const worker = { modules: await readModules(directory), modulesRoot: directory, ...COMMON };
  const [first = ""] = Object.keys(instances);
  const miniflare = new Miniflare({
    host: HOST,
    port,
    cf: false,
    telemetry: { enabled: false },
    log: new Log(LogLevel.WARN),
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      for (const stream of [stdout, stderr]) stream.setEncoding("utf8").on("data", (text: string) => log?.(text));
    },
    ...(persist === undefined
      ? {}
      : { kvPersist: resolve(persist, "kv"), durableObjectsPersist: resolve(persist, "sessions") }),
    workers: Object.entries(instances).flatMap(([name, { bindings, revoked = "real", sessions = "real" }]) => {
      const parts: WorkerOptions[] = [];
      const instance: WorkerOptions = { ...worker, name, bindings, unsafeDirectSockets: [{ host: HOST, port: 0 }] };
      if (revoked === "real") {
        instance.kvNamespaces = ["REVOKED"];
      } else if (revoked !== "absent") {
        parts.push(standIn(`${name}-revoked`, "WorkerEntrypoint", revoked.classBody));
        instance.serviceBindings = { REVOKED: { name: `${name}-revoked`, entrypoint: "StandIn" } };
      }
      if (sessions === "real") {
        const own = name === first ? {} : { scriptName: first };
        instance.durableObjects = { SESSIONS: { className: "SessionRecords", useSQLite: true, ...own } };
      } else if (sessions !== "absent") {
        parts.push(standIn(`${name}-sessions`, "DurableObject", sessions.classBody));
        const scriptName = `${name}-sessions`;
        instance.durableObjects = { SESSIONS: { className: "StandIn", useSQLite: true, scriptName } };
      }
      return [instance, ...parts];
    }),
  });
  await miniflare.ready;
  return miniflare;
}

/** The address of an instance other than the first. */
export async function addressOf(miniflare: Miniflare, instance: string): Promise<string> {
  return (await miniflare.unsafeGetDirectURL(instance)).origin;
}

/** The port, if nobody listens on it; otherwise one that is free. */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wanted !== 0) resolvePort(freePort());
      else reject(error);
    });
    server.listen(wanted, HOST, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted;
      server.close(() => resolvePort(port));
    });
  });
}

/** A Worker whose class another one calls in the place of a store. */
function standIn(name: string, kind: "WorkerEntrypoint" | "DurableObject", classBody: string): WorkerOptions {
  const script = `import { ${kind} } from "cloudflare:workers";
    export class StandIn extends ${kind} { ${classBody} }
    export default { fetch: () => new Response(null, { status: 404 }) };`;
  return { name, modules: true, script, ...COMMON };
}

/** The modules of a bundle, the entry first: that is how the runtime knows it. */
async function readModules(directory: string) {
  const names = (await readdir(directory)).filter((name) => name !== "README.md" && !name.endsWith(".map"));
  names.sort((a, b) => Number(b === "index.js") - Number(a === "index.js"));
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const contents = await readFile(path);
      if (name.endsWith(".wasm")) return { type: "CompiledWasm" as const, path, contents: new Uint8Array(contents) };
      return { type: name === "index.js" ? ("ESModule" as const) : ("Text" as const), path, contents: `${contents}` };
    }),
  );
}
