/**
 * A real HTTP server that publishes key sets, for suites in any runtime. What it answers is told to it over HTTP too:
 *
 *     POST /script/<name>   a list of answers, given one after another; the last again and again
 *     GET /seen/<name>      the headers of each request so far
 *     GET /sets/<name>      the answers
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server does with one request. */
export interface KeyAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** In milliseconds, before the headers. */
  readonly delay?: number;
  /** `hang` never answers, `stall` stops after the headers, `endless` never stops, `break` cuts the connection. */
  readonly fault?: "hang" | "stall" | "endless" | "break";
}

export interface KeyServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startKeyServer(): Promise<KeyServer> {
  const scripts = new Map<string, KeyAnswer[]>();
  const seen = new Map<string, Record<string, unknown>[]>();

  async function script(name: string, request: IncomingMessage): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    scripts.set(name, JSON.parse(text) as KeyAnswer[]);
    seen.set(name, seen.get(name) ?? []);
  }

  async function answer(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    seen.get(name)?.push(request.headers);
    const script = scripts.get(name) ?? [{ status: 404 }];
    const {
      status = 200,
      headers = {},
      body = "",
      delay = 0,
      fault,
    } = (script.length > 1 ? script.shift() : script[0])!;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (fault === "hang") return;
    if (fault === "break") return void request.socket.destroy();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    if (fault === "stall") return void response.write('{"keys":[');
    if (fault === "endless") {
      const more = (): void => {
        while (!response.destroyed && response.write(" ".repeat(65_536)));
      };
      response.on("drain", more);
      return more();
    }
    response.end(body);
  }

  const server = createServer((request, response) => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    response.setHeader("access-control-expose-headers", "*");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (kind === "sets") return void answer(name, request, response);
    if (kind === "script") return void script(name, request).then(() => response.end());
    response.end(JSON.stringify(seen.get(name) ?? []));
  });
  // Longer than any test is busy with something else: workerd takes a connection that was closed for an error.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
