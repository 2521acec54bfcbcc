/** A small HTTP client that sends exactly the headers it is given, which fetch does not. */

import { request } from "node:http";

export interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | undefined;
}

export interface Answer {
  status: number;
  /** Names in lower case; Set-Cookie is in `setCookie`. */
  headers: Record<string, string | undefined>;
  setCookie: string[];
  text: string;
  /** The body, or undefined when it is not JSON. */
  json: any;
}

export function send(address: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<Answer> {
  const url = new URL(address);
  return new Promise((resolve, reject) => {
    // The name in the URL goes into Host; the connection is always to this machine.
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: url.port,
        path: url.pathname + url.search,
        method,
        headers: { Host: url.host, ...headers },
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const { "set-cookie": setCookie = [], ...rest } = incoming.headers;
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
            setCookie,
            text,
            json: parseJson(text),
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
