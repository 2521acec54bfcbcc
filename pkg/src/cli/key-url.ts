/**
 * Keys at a URL. Which URLs are fetched, that no redirect is followed, how long it may take and how much may come is decided by
 * `remoteJwks`, as for every other caller; here it is asked once, and what it has read is kept. What the text means is then decided
 * as for a file, so that PEM and a single JWK do as well.
 */
import { createVerifier, type KeySetFailure, remoteJwks, WaxsealError } from "../entry/inline.js";
import { shown, UsageError } from "./command.js";
import { MAX_BYTES, textOf } from "./files.js";
import { printable } from "./text.js";

/** How long a server may take, in seconds. */
const TIMEOUT = 5;

/** Whether a source is fetched rather than read. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** The text at a URL. */
export async function fetchText(source: string): Promise<{ name: string; text: string }> {
  const chunks: Uint8Array[] = [];
  let status = 0;
  let broken: unknown;
  const keys = remoteJwks(source, {
    timeout: TIMEOUT,
    maxBytes: MAX_BYTES,
    async fetch(url, init) {
      try {
        const response = await fetch(url, init);
        status = response.status;
        return new Response(response.body?.pipeThrough(keeping(chunks)) ?? null, response);
      } catch (error) {
        broken = error;
        throw error;
      }
    },
  });
  const failure = await failureOf(source, keys);
  const name = new URL(source).host;
  const reason = failure && saying(failure, status, broken);
  if (reason !== undefined) throw new UsageError(`${name}: ${reason}`);
  return { name, text: textOf(Buffer.concat(chunks), name) };
}

/** Has the set fetched, and gives the reason if there are no keys then. */
async function failureOf(source: string, keys: ReturnType<typeof remoteJwks>): Promise<KeySetFailure | undefined> {
  let failure: KeySetFailure | undefined;
  try {
    const verifier = await createVerifier({
      keys,
      issuer: null,
      audience: null,
      onEvent(event) {
        if (event.type === "keys-failed") failure = event.reason;
      },
    });
    await verifier.ready();
    return undefined;
  } catch (error) {
    if (!(error instanceof WaxsealError)) throw error;
    if (failure === undefined) throw new UsageError(urlFault(source, error));
    return failure;
  }
}

/** What is wrong with a URL that was refused. */
function urlFault(source: string, { message }: WaxsealError): string {
  if (!URL.canParse(source)) return `${shown(source)} is not a URL`;
  const { host, username, password, protocol } = new URL(source);
  if (username !== "" || password !== "") return `${host}: the URL must hold no credentials`;
  if (protocol !== "https:") return `${host}: key sets are fetched by https alone`;
  return `${host}: ${printable(message)}`;
}

/** Why there is no text; nothing where there is one, whatever it holds. */
function saying(failure: KeySetFailure, status: number, broken: unknown): string | undefined {
  switch (failure) {
    case "timeout":
      return `did not answer within ${TIMEOUT} s`;
    case "too-large":
      return "larger than 1 MiB";
    case "redirect":
      return "redirects, which is not followed";
    case "status":
      return `answered with status ${status}`;
    case "network": {
      const { name, cause } = (broken ?? { name: "broken off" }) as Error;
      return `no answer (${printable(String((cause as { code?: unknown } | undefined)?.code ?? name))})`;
    }
    default:
      return undefined;
  }
}

/** Lets bytes through, and keeps them. */
function keeping(chunks: Uint8Array[]): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      chunks.push(chunk);
      controller.enqueue(chunk);
    },
  });
}
