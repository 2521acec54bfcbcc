/** Requests over connections that are kept, each counted and timed. */
import { Agent, request } from "node:http";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly json: any;
  /** The cookies that were set, by name; an empty text for one that was cleared. */
  readonly cookies: Map<string, string>;
}

/** What was seen of all requests. */
export class Tally {
  /** Requests by kind and status. */
  readonly counts = new Map<string, Map<number, number>>();
  /** Milliseconds by kind. */
  readonly times = new Map<string, number[]>();
  /** What must not have been: a status that nobody may get, or a 503 that does not say when to come back. */
  readonly wrong: string[] = [];
  total = 0;
  /** How often a connection that was kept had been closed when it was used again. */
  reconnected = 0;

  add(kind: string, status: number, milliseconds: number): void {
    const statuses = this.counts.get(kind) ?? new Map<number, number>();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.counts.set(kind, statuses);
    const times = this.times.get(kind) ?? [];
    times.push(milliseconds);
    this.times.set(kind, times);
    this.total += 1;
  }
}

/** A client of one server. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly tally = new Tally();

  constructor(
    private readonly address: string,
    private readonly origin: string,
  ) {}

  /** Sends a request. It rejects only if no answer came at all. */
  send(kind: string, method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Answer> {
    const { hostname, port, host } = new URL(this.address);
    const own = {
      Host: host,
      Origin: this.origin,
      "Sec-Fetch-Site": "same-origin",
      "Content-Type": "application/json",
    };
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const options = { hostname, port, path, method, agent: this.#agent, headers: { ...own, ...headers } };
      const outgoing = request(options, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (part: string) => (text += part));
        incoming.on("error", reject).on("end", () => {
          const { statusCode: status = 0, headers: received } = incoming;
          this.tally.add(kind, status, performance.now() - began);
          const json = text.startsWith("{") ? JSON.parse(text) : undefined;
          const code: string | undefined = json?.error?.code;
          if (status >= 500 && (status !== 503 || received["retry-after"] === undefined)) {
            this.tally.wrong.push(`${kind}: ${status} ${code}`);
          }
          const cookies = new Map((received["set-cookie"] ?? []).map((line) => pair(line)));
          resolve({ status, code, json, cookies });
        });
      });
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        // A connection that was idle may be closed by the server just as it is used again: nothing was asked then.
        if (!outgoing.reusedSocket || error.code !== "ECONNRESET") return reject(error);
        this.tally.reconnected += 1;
        this.send(kind, method, path, headers, body).then(resolve, reject);
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function pair(line: string): [string, string] {
  const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  return [name, value];
}
