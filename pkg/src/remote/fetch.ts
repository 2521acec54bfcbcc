/** One request for a key set: bounded in time and in bytes, whatever the other side does. What came means is for the core. */

/** An answer: its status, the headers that the core asks for, and its body or as much of it as shows that it is too long. */
export type Answer = readonly [status: number, headers: (string | undefined)[], body: Uint8Array];

/** What sends the request. */
export type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/** Whether requests go through the cache and the rules of a browser. */
export const IN_BROWSER = typeof location === "object";

const HEADERS = ["content-type", "cache-control", "age", "etag"];

/** The bounds of a request. */
export interface Bounds {
  /** In seconds, for everything together. */
  readonly timeout: number;
  /** Of the body. */
  readonly maxBytes: number;
}

/** Sends the request. Never rejects: `timedOut` tells what is no answer. */
export async function fetchSet(
  fetcher: Fetcher,
  url: string,
  headers: Headers,
  { timeout, maxBytes }: Bounds,
): Promise<Answer | { readonly timedOut: boolean }> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<{ timedOut: true }>((resolve) => {
    timer = setTimeout(() => {
      resolve({ timedOut: true });
      controller.abort();
    }, timeout * 1000);
  });
  const answered = async (): Promise<Answer | { timedOut: false }> => {
    try {
      // No redirect is followed, on any host: browsers hide its status, the others show it.
      const init: RequestInit = { method: "GET", headers, redirect: "manual", signal: controller.signal };
      // A browser's own cache must ask whether what it has is still good: the core wants it renewed. Older Workers refuse the
      // option.
      if (IN_BROWSER) init.cache = "no-cache";
      const response = await fetcher(url, init);
      const wanted = HEADERS.map((name) => response.headers.get(name) ?? undefined);
      const body = response.status === 200 ? await read(response, maxBytes) : drop(response);
      return [response.status, wanted, body];
    } catch {
      return { timedOut: false };
    }
  };
  try {
    // A fetch of the caller's own may not listen to the signal.
    return await Promise.race([answered(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Reads to the limit and one byte beyond. `Content-Length` is what somebody says; bytes are counted. */
async function read(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && length <= maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  if (length > maxBytes) reader?.cancel().catch(() => undefined);
  const body = new Uint8Array(Math.min(length, maxBytes + 1));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, body.length - at);
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** Leaves a body unread, so that its connection is free. */
function drop(response: Response): Uint8Array {
  response.body?.cancel().catch(() => undefined);
  return new Uint8Array(0);
}
