/** The shipped Worker, imported, with stores of which one operation in a hundred fails: bundled in the place of its index. */
import worker, { SessionRecords as Shipped } from "./shipped.js";
import type { Env } from "./config.js";

let faults = 0;

/** Fails now and then: before the operation, or after it has had its effect. */
async function perhaps<T>(run: () => T | Promise<T>): Promise<T> {
  const failing = Math.random() < 0.01;
  if (failing) faults += 1;
  if (failing && Math.random() < 0.5) throw new Error("storage is not available");
  const result = await run();
  if (failing) throw new Error("storage is not available");
  return result;
}

/** Records of sessions that fail now and then. */
export class SessionRecords extends Shipped {
  override read(): Promise<string | null> {
    return perhaps(() => super.read());
  }

  override compareAndSwap(expected: string | null, next: string, expiresAt: number): Promise<boolean> {
    return perhaps(() => super.compareAndSwap(expected, next, expiresAt));
  }
}

/** A KV namespace that fails now and then. */
function faulty(store: KVNamespace): KVNamespace {
  const failing = {
    get: (key: string) => perhaps(() => store.get(key)),
    put: (key: string, value: string, options?: KVNamespacePutOptions) => perhaps(() => store.put(key, value, options)),
  };
  return failing as unknown as KVNamespace;
}

export default {
  async fetch(request, env): Promise<Response> {
    if (new URL(request.url).pathname === "/load/faults") return new Response(String(faults));
    return worker.fetch(request, env.REVOKED === undefined ? env : { ...env, REVOKED: faulty(env.REVOKED) });
  },
} satisfies ExportedHandler<Env>;
