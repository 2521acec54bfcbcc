/** Sends requests as they are written, with headers that `fetch` would set itself. */
import { type IncomingHttpHeaders, request } from "node:http";
import type { ClientHttp2Session } from "node:http2";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body, read as JSON. */
  json: Record<string, unknown>;
}

/** A list sends one line for each of its values. */
export type Sent = Record<string, string | string[]>;

export function ask(url: string, method = "GET", headers: Sent = {}, body?: unknown): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const typed = text === undefined ? {} : { "content-type": "application/json", "content-length": `${text.length}` };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...typed, ...headers }, agent: false }, (response) => {
      let received = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (received += chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          get json() {
            return JSON.parse(received) as Record<string, unknown>;
          },
        });
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

/** The same over a connection of HTTP/2. A list sends one field for each of its values, where RFC 9113 lets it. */
export function asking(session: ClientHttp2Session): typeof ask {
  return (url, method = "GET", headers = {}, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const typed = text === undefined ? {} : { "content-type": "application/json" };
    const { pathname, search } = new URL(url);
    return new Promise((resolve, reject) => {
      const sent = session.request({ ":method": method, ":path": `${pathname}${search}`, ...typed, ...headers });
      let status = 0;
      let answered: IncomingHttpHeaders = {};
      let received = "";
      sent.setEncoding("utf8");
      sent.on("response", ({ ":status": code = 0, ...rest }) => {
        status = code;
        answered = rest;
      });
      sent.on("data", (chunk: string) => (received += chunk));
      sent.on("error", reject);
      sent.on("close", () => {
        if (sent.rstCode !== 0) return reject(new Error(`aborted with ${sent.rstCode}`));
        resolve({
          status,
          headers: answered,
          text: received,
          get json() {
            return JSON.parse(received) as Record<string, unknown>;
          },
        });
      });
      sent.end(text);
    });
  };
}

/** A browser's cookies, without its rules. */
export class Jar {
  readonly #cookies = new Map<string, string>();

  constructor(other?: Jar) {
    if (other !== undefined) for (const [name, value] of other.#cookies) this.#cookies.set(name, value);
  }

  take({ headers }: Answer): void {
    for (const line of headers["set-cookie"] ?? []) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      if (/max-age=0/i.test(line)) this.#cookies.delete(pair.slice(0, at));
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }

  get size(): number {
    return this.#cookies.size;
  }

  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get(name: string): string {
    return this.#cookies.get(name) ?? "";
  }
}
