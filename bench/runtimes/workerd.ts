/**
 * workerd, started by Miniflare. Its clocks stand still while a Worker computes, so the time is taken here, around a
 * request that holds a whole batch, and that of a request which holds none is subtracted.
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Miniflare } from "miniflare";
import { type Bundled, bundle } from "../bundle.js";
import { CpuClock, type Cpus, startOn } from "./cpu.js";
import { Asking, type Runtime, type Start, type Timed } from "./runtime.js";

/** A Worker that answers POST requests of JSON. */
export interface Worker {
  ask<T>(path: string, body: unknown): Promise<{ readonly value: T } & Timed>;
  readonly cpu: CpuClock;
  close(): Promise<void>;
}

export async function startWorker({ file, wasm }: Bundled, cpus: Cpus): Promise<Worker> {
  const miniflare = await startOn(cpus, async () => {
    const starting = new Miniflare({
      modules: [
        { type: "ESModule", path: "worker.mjs", contents: readFileSync(file, "utf8") },
        ...(wasm
          ? [
              {
                type: "CompiledWasm" as const,
                path: "waxseal.wasm",
                contents: readFileSync(join(dirname(file), "waxseal.wasm")),
              },
            ]
          : []),
      ],
      compatibilityDate: "2026-04-01",
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
    });
    await starting.ready;
    return starting;
  });
  const url = await miniflare.ready;
  const cpu = new CpuClock();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    cpu,
    async ask<T>(path: string, body: unknown) {
      const text = JSON.stringify(body);
      for (;;) {
        const before = cpu.now();
        const start = process.hrtime.bigint();
        const answer = await post(new URL(path, url), agent, text);
        if (answer === undefined) continue;
        const elapsedMs = Number(process.hrtime.bigint() - start) / 1e6;
        const after = cpu.now();
        const cpuMs = before === undefined || after === undefined ? undefined : after - before;
        return { value: JSON.parse(answer) as T, elapsedMs, cpuMs };
      }
    },
    async close() {
      agent.destroy();
      await miniflare.dispose();
    },
  };
}

/**
 * By node:http with one connection: `fetch` costs more, and less evenly. Undefined when the connection had been kept for so
 * long that the other side ended it just then.
 */
function post(url: URL, agent: Agent, body: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers: { "content-length": Buffer.byteLength(body) } });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (sent.reusedSocket && error.code === "ECONNRESET") resolve(undefined);
      else reject(error);
    });
    sent.on("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`the Worker failed: ${response.statusCode} ${text}`));
      });
    });
    sent.end(body);
  });
}

export const startWorkerd: Start = async (cpus, control): Promise<Runtime> => {
  const worker = await startWorker(await bundle("workerd", { entry: "runtimes/workerd-worker" }), cpus);
  const asking = new Asking((batch) => worker.ask("/batch", { batch, control }));
  return {
    name: "workerd",
    version: `workerd ${workerdVersion()}`,
    async load(fixture) {
      const { value } = await worker.ask<string[]>("/load", { fixture, control });
      await asking.settle();
      return value;
    },
    batch: (batch) => asking.batch(batch),
    close: () => worker.close(),
  };
};

/** The one that Miniflare brings along. */
function workerdVersion(): string {
  const miniflare = createRequire(join(process.cwd(), "package.json")).resolve("miniflare");
  const manifest = createRequire(miniflare).resolve("workerd/package.json");
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
