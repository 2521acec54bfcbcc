/** The Worker that measures the stores of Cloudflare. */
import { d1Store } from "waxseal/stores/d1";
import { durableObjectStore, SessionRecords } from "waxseal/stores/durable-object";
import { measure } from "./measure.js";

export { SessionRecords };

interface Env {
  readonly SESSIONS: Parameters<typeof durableObjectStore>[0];
  readonly DB: Parameters<typeof d1Store>[0];
}

export default {
  async fetch(request: Request, { SESSIONS, DB }: Env): Promise<Response> {
    if (new URL(request.url).pathname === "/durable-object") {
      return Response.json(await measure(durableObjectStore(SESSIONS)));
    }
    const store = d1Store(DB);
    await store.setUp();
    return Response.json(await measure(store));
  },
};
