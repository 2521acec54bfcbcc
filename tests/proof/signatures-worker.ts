/** The signatures of vector files on workerd. */
import { initSync, prove_signature } from "proof-module";
import module from "proof-wasm";
import { runSuites } from "../js/harness/run-suites.js";
import { signatures } from "./signatures-suite.js";

interface Env {
  /** Answers with files of vectors. */
  readonly VECTORS: { fetch(url: string): Promise<Response> };
}

initSync({ module });

export default {
  async fetch(_request: Request, { VECTORS }: Env): Promise<Response> {
    const vectors = async (name: string): Promise<unknown> => {
      const response = await VECTORS.fetch(`http://vectors/${name}`);
      return response.ok ? response.json() : undefined;
    };
    return Response.json(
      await runSuites(signatures(prove_signature), {} as never, { runtime: "workerd", keyServer: "", vectors }),
    );
  },
};
