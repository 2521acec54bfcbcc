/** A Worker that reads a remote key set, for remote-workerd.test.ts. */
import * as workers from "cloudflare:workers";
import { createVerifier, remoteJwks, type Verifier } from "waxseal";

interface Env {
  readonly URL: string;
  /** Whether fetches may outlive their request. */
  readonly BACKGROUND?: string;
  readonly KV: KVNamespace;
}

// To name a set at module scope is allowed; to fetch it there is not.
const named = remoteJwks("https://id.example/jwks");

const events: string[] = [];
let verifier: Verifier | undefined;

async function verifierFor({ URL, BACKGROUND, KV }: Env): Promise<Verifier> {
  const keys = remoteJwks(URL, {
    timeout: 20,
    cache: { store: KV },
    ...(BACKGROUND !== undefined && { waitUntil: (promise) => workers.waitUntil(promise) }),
  });
  return createVerifier({
    keys,
    issuer: "https://id.example",
    audience: "api",
    onEvent: (event) => events.push("source" in event ? `${event.type} ${event.source}` : event.type),
  });
}

export default {
  async fetch(request, env) {
    verifier ??= await verifierFor(env);
    switch (new URL(request.url).pathname) {
      case "/made":
        return new Response(named.url);
      case "/early":
        // Ends when the fetch has begun, and waits for nothing more.
        void verifier.ready().catch(() => undefined);
        await scheduler.wait(500);
        return new Response("gone");
      case "/events":
        return Response.json(events);
      default:
        try {
          const { claims } = await verifier.authenticate(request);
          return new Response(claims.sub);
        } catch (error) {
          return new Response((error as { code?: string }).code ?? String(error), { status: 401 });
        }
    }
  },
} satisfies ExportedHandler<Env>;
