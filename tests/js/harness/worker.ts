/** The Worker that runs the suite on workerd; a runner on Node asks it for the outcomes. */
// Beside the bundle, as the module of the package.
import broken from "./breakable.wasm";
import * as lib from "waxseal";
import { suites } from "../suite/index.js";
import { runSuites } from "./run-suites.js";
import type { KVNamespaceLike } from "./types.js";

interface Env {
  readonly KV: KVNamespaceLike;
  /** Where the server of key sets is. */
  readonly KEY_SERVER: string;
  /** Answers with files of vectors. */
  readonly VECTORS: { fetch(url: string): Promise<Response> };
}

export default {
  async fetch(_request: Request, { KV, KEY_SERVER, VECTORS }: Env): Promise<Response> {
    const vectors = async (name: string): Promise<unknown> => {
      const response = await VECTORS.fetch(`http://vectors/${name}`);
      return response.ok ? response.json() : undefined;
    };
    const breakable = async (): Promise<WebAssembly.Module> => broken;
    const environment = { runtime: "workerd", kv: KV, keyServer: KEY_SERVER, vectors, breakable } as const;
    return Response.json(await runSuites(suites, lib, environment));
  },
};
