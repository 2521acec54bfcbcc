/** Finds and runs Prometheus' own programs; scripts/install-prometheus.sh fetches them where it can. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../../worker/demo/runtime.js";

/** The rules that the documentation offers. */
export const RULES = resolve("docs/alerts/prometheus.yml");

const PLACES = [process.env["PROMETHEUS"], resolve("target/prometheus/usr/bin"), "/usr/bin", "/usr/local/bin"];

/** The directory with `prometheus` and `promtool`, if there is one. */
export const PROMETHEUS = PLACES.find(
  (place) => place !== undefined && ["prometheus", "promtool"].every((name) => existsSync(join(place, name))),
);

/** How a test that needs them is declared: skipped by name where they are missing, but a failure where nothing may be. */
export const needsPrometheus =
  PROMETHEUS === undefined && process.env["CI"] !== "true" ? { skip: "Prometheus is not installed" } : {};

/** The path of one of the programs. */
export function program(name: "prometheus" | "promtool"): string {
  if (PROMETHEUS === undefined) throw new Error("Prometheus is not installed: run scripts/install-prometheus.sh");
  return join(PROMETHEUS, name);
}

/** Runs promtool and gives its exit code and everything that it printed. */
export function promtool(args: string[], input = ""): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program("promtool"), args, { input, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

/** An alert as the server tells of it. */
export interface Alert {
  readonly labels: { readonly alertname: string; readonly job?: string };
  readonly annotations: { readonly summary: string; readonly description: string };
  readonly state: "pending" | "firing";
  readonly value: string;
}

/** A server of Prometheus on a port of its own. */
export class Prometheus {
  readonly #address: string;
  readonly #stop: () => void;

  private constructor(address: string, stop: () => void) {
    this.#address = address;
    this.#stop = stop;
  }

  /** Starts one in a directory, with its configuration and with rules under the name of a file. */
  static async start(directory: string, files: Record<"prometheus.yml" | "rules.yml", string>): Promise<Prometheus> {
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const address = `127.0.0.1:${await freePort()}`;
    const args = {
      "config.file": join(directory, "prometheus.yml"),
      "storage.tsdb.path": join(directory, "data"),
      "web.listen-address": address,
      "log.level": "error",
    };
    const child = spawn(
      program("prometheus"),
      Object.entries(args).map(([name, value]) => `--${name}=${value}`),
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    return new Prometheus(`http://${address}/api/v1/`, () => child.kill());
  }

  /** The newest value that an expression selects, once there is one and it is what the caller waits for. */
  sample(expression: string, awaited: (value: number) => boolean = () => true): Promise<number> {
    return this.#until(expression, async () => {
      const path = `query?query=${encodeURIComponent(expression)}`;
      const { result } = await this.#ask<{ result: { value: [time: number, value: string] }[] }>(path);
      const value = Number(result[0]?.value[1] ?? Number.NaN);
      return !Number.isNaN(value) && awaited(value) ? value : undefined;
    });
  }

  /** An alert by its name, once it is firing. */
  firing(name: string): Promise<Alert> {
    return this.#until(name, async () => {
      const { alerts } = await this.#ask<{ alerts: Alert[] }>("alerts");
      return alerts.find(({ state, labels }) => state === "firing" && labels.alertname === name);
    });
  }

  stop(): void {
    this.#stop();
  }

  async #ask<T>(path: string): Promise<T> {
    const response = await fetch(this.#address + path);
    return ((await response.json()) as { data: T }).data;
  }

  /** Asks until there is an answer; a server that does not listen yet has none. */
  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    let failure: unknown;
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
      try {
        const found = await look();
        if (found !== undefined) return found;
      } catch (error) {
        failure = error;
      }
    }
    throw new Error(`Prometheus gave no answer within 30 s for ${what}.`, { cause: failure });
  }
}
