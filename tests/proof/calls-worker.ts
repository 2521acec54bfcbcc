/** Random calls on workerd, a portion of them for each request. */
import * as lib from "waxseal";
import * as durableObject from "waxseal/stores/durable-object";
import { runCalls } from "../js/suite/calls/run.js";

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const [seed, from, count] = ["seed", "from", "count"].map((name) => Number(searchParams.get(name)));
    const more = { "stores/durable-object": durableObject };
    return Response.json(await runCalls({ lib, more, seed: seed ?? 0, from: from ?? 0, count: count ?? 0 }));
  },
};
