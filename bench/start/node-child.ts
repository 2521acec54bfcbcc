/**
 * A fresh process of Node that imports one library and verifies: `node-child.mjs <module> <fixture.json> <count> [memory]`.
 * It prints what it saw as JSON. With `memory` it looks at memory instead of clocks.
 */
import { readFileSync } from "node:fs";
import { read, trustOf } from "../lab.js";
import type { Peer, Prepared, Token } from "../peers/peer.js";
import type { Fixture } from "../tokens.js";

/** In milliseconds, and for each verification in microseconds. */
export interface Started {
  readonly importMs: number;
  /** Makes the verifier and verifies one token. */
  readonly firstMs: number;
  /** The CPU time of that, of all threads. */
  readonly firstCpuMs: number;
  /** Every verification, the first included, without the making of the verifier. */
  readonly eachUs: readonly number[];
}

/** In bytes. */
export interface Memory {
  /** By how much the process has grown since before the import; its own memory for code is in `resident`. */
  readonly resident: number;
  readonly heap: number;
  /** Of ArrayBuffers and other memory beside the heap that V8 knows of, without that of WebAssembly. */
  readonly external: number;
  /** Of all instances of WebAssembly. */
  readonly wasm: number;
  /** How much the heap has grown between the first tenth of the verifications and the last. */
  readonly leaked: number;
}

const [library = "", fixtureFile = "", count = "1", mode] = process.argv.slice(2);
const fixture = JSON.parse(readFileSync(fixtureFile, "utf8")) as Fixture;
const tokens = fixture.tokens.map(read);

function token(index: number): Token {
  return tokens[index % tokens.length] as Token;
}

async function verify(prepared: Prepared, index: number): Promise<void> {
  const result = prepared.verify(token(index));
  const subject = prepared.subject(prepared.promise ? await result : result, token(index));
  if (subject !== token(index).subject) throw new Error("a good token was refused");
}

async function started(): Promise<Started> {
  const begin = performance.now();
  const { peer } = (await import(library)) as { peer: Peer };
  const imported = performance.now();
  const cpu = process.cpuUsage();
  const prepared = await peer.prepare(trustOf(fixture, "node"));
  const times = [performance.now()];
  await verify(prepared, 0);
  times.push(performance.now());
  const { user, system } = process.cpuUsage(cpu);
  for (let i = 1; i < Number(count); i++) {
    await verify(prepared, i);
    times.push(performance.now());
  }
  return {
    importMs: imported - begin,
    firstMs: (times[1] ?? 0) - imported,
    firstCpuMs: (user + system) / 1000,
    eachUs: times.slice(1).map((time, i) => (time - (times[i] ?? 0)) * 1000),
  };
}

async function memory(): Promise<Memory> {
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, args, newTarget) {
      const instance = Reflect.construct(target, args, newTarget) as WebAssembly.Instance;
      const exported = Object.values(instance.exports);
      memories.push(...exported.filter((value) => value instanceof WebAssembly.Memory));
      return instance;
    },
  });
  const wasm = (): number => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const before = await settled();
  const { peer } = (await import(library)) as { peer: Peer };
  const prepared = await peer.prepare(trustOf(fixture, "node"));
  const tenth = Math.ceil(Number(count) / 10);
  for (let i = 0; i < tenth; i++) await verify(prepared, i);
  const early = await settled();
  for (let i = tenth; i < Number(count); i++) await verify(prepared, i);
  const after = await settled();
  return {
    resident: after.rss - before.rss,
    heap: after.heapUsed - before.heapUsed,
    external: after.external - before.external,
    wasm: wasm(),
    leaked: after.heapUsed - early.heapUsed,
  };
}

/** The use of memory when all garbage has been collected. */
async function settled(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage();
}

console.log(JSON.stringify(mode === "memory" ? await memory() : await started()));
