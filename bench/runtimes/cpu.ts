/** CPUs as Linux has them: which ones a process may use, and how long it did. Elsewhere they are unknown. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The one that everything is pinned to when only one CPU is meant to work. */
const PINNED = "0";

/** Which CPUs the processes that are started next may use. */
export type Cpus = "one" | "all";

export function canPin(): boolean {
  return existsSync("/proc/self/schedstat") && affinity(process.pid) !== undefined;
}

/**
 * Starts processes that may use these CPUs only, by what a child inherits; this process itself goes back to where it was.
 */
export async function startOn<T extends object>(cpus: Cpus, start: () => Promise<T>): Promise<T> {
  if (cpus === "all") return await start();
  const before = affinity(process.pid);
  if (before === undefined) throw new Error("taskset is needed to pin a process to a CPU");
  const others = new Set(descendants(process.pid));
  taskset(PINNED, process.pid);
  try {
    const started = await start();
    for (const pid of descendants(process.pid)) {
      // Unknown of one that has ended since.
      if (!others.has(pid) && (affinity(pid) ?? PINNED) !== PINNED) throw new Error(`process ${pid} is not pinned`);
    }
    return started;
  } finally {
    taskset(before, process.pid);
  }
}

/** Milliseconds of CPU that the descendants of this process have used; a difference of two is of use. */
export class CpuClock {
  readonly #pids: readonly number[];

  /** Of the processes that exist now. */
  constructor() {
    this.#pids = descendants(process.pid);
  }

  now(): number | undefined {
    let nanoseconds = 0;
    for (const pid of this.#pids) {
      const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
      for (const thread of threads) {
        // To the nanosecond, where utime and stime count ticks of ten milliseconds.
        const text = attempt(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8"));
        nanoseconds += Number(text?.split(" ")[0] ?? 0);
      }
    }
    return nanoseconds === 0 ? undefined : nanoseconds / 1e6;
  }

  /** KiB of memory that these processes have resident, pages that they share counted once for each. */
  residentKiB(): number {
    const sizes = this.#pids.map((pid) => attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? "");
    return sizes.reduce((sum, status) => sum + Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0), 0);
  }
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of attempt(() => readdirSync("/proc")) ?? []) {
    const stat = /^\d+$/.test(name) ? attempt(() => readFileSync(`/proc/${name}/stat`, "utf8")) : undefined;
    // After the program's name, which is in parentheses and may hold anything: the state, and then the parent.
    const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [...(children.get(root) ?? [])];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function affinity(pid: number): string | undefined {
  return attempt(() => taskset(undefined, pid))
    ?.split(": ")[1]
    ?.trim();
}

function taskset(list: string | undefined, pid: number): string {
  const args = ["-c", "-p", ...(list === undefined ? [] : [list]), String(pid)];
  return execFileSync("taskset", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
