/** Real Redis servers, each on a port of its own and without persistence, and a connection that loses replies. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens to no port");
  return address.port;
}

/** Whether the program is there. */
export function hasRedis(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A running server. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  static async start(...options: string[]): Promise<RedisServer> {
    const port = await freePort();
    // Where a replica keeps what it is sent, and a cluster's node its configuration.
    const directory = mkdtempSync(join(tmpdir(), "waxseal-redis-"));
    const fixed = [
      "--bind",
      "127.0.0.1",
      "--port",
      String(port),
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      directory,
    ];
    const child = spawn("redis-server", [...fixed, ...options], { stdio: ["ignore", "pipe", "inherit"] });
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (log.includes("Ready to accept connections")) resolve();
      });
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`redis-server ended: ${log}`)));
    });
    return new RedisServer(port, child, directory);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A connection in between that can be told to carry a request to the server and cut the line before the reply. */
export class LossyLine {
  #loses = false;
  #lost = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const upstream = connect(target, "127.0.0.1");
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      }
      client.on("data", (bytes) => upstream.write(bytes)).on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
      upstream.on("data", (bytes) => {
        if (!this.#loses) return void client.write(bytes);
        this.#loses = false;
        this.#lost += 1;
        client.destroy();
      });
    });
  }

  static async to(target: number): Promise<LossyLine> {
    const line = new LossyLine(target);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** How many replies were lost. */
  get lost(): number {
    return this.#lost;
  }

  /** Loses the next reply, and the connection with it. */
  loseNextReply(): void {
    this.#loses = true;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
