/** Random calls on workerd, a portion of them for each request. */
import * as lib from "waxseal";
import * as durableObject from "waxseal/stores/durable-object";
import { runCalls } from "../js/suite/calls/run.js";

/** Leaves so much behind that the engine collects it, and with it what calls have left. It cannot be told to, as others can. */
async function collect(): Promise<void> {
  for (let i = 0; i < 40; i++) {
    new Uint8Array(16 << 20).fill(1);
    await new Promise((later) => setTimeout(later, 1));
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const [seed, from, count] = ["seed", "from", "count"].map((name) => Number(searchParams.get(name)));
    const more = { "stores/durable-object": durableObject };
    await collect();
    return Response.json(await runCalls({ lib, more, seed: seed ?? 0, from: from ?? 0, count: count ?? 0 }));
  },
};
