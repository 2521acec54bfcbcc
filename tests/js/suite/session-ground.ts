// Servers that are used again and again, each time on other ground: making one costs more than most of its calls.

import type { SessionEvent } from "waxseal";
import type { Library } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { type Around, Records, type Server, around, serve } from "./session-support.js";

/** In seconds: so short that what never answers costs little. */
const TIMEOUT = 0.05;

/** Options of sessions, but for the stores; `timeout` is that of both. */
export type RigOptions = { timeout?: number } & Record<string, unknown>;

/** A moment, from which any number of servers can begin. */
export interface Moment {
  readonly now: number;
  readonly records: Records;
  readonly entries: ReadonlyMap<string, string>;
}

/** What a server rests on. */
interface Ground {
  records: Records;
  revoked: MemoryStore;
  readonly events: SessionEvent[];
  readonly clock: { now: number };
  wrap: Around;
}

/** A server, and the ground on which it can be put. */
export type Rig = Server & { ground: Ground };

/** Nothing around an operation. */
export const direct: Around = (_, run) => run();

/** Servers that nobody uses, by their options. */
const idle = new Map<RigOptions | undefined, Rig[]>();

async function rig(lib: Library, options: RigOptions | undefined): Promise<Rig> {
  const free = idle.get(options)?.pop();
  if (free !== undefined) return free;
  const events: SessionEvent[] = [];
  const ground: Ground = {
    records: new Records(),
    revoked: new MemoryStore(),
    events,
    clock: { now: 0 },
    wrap: direct,
  };
  const timeout = options?.timeout ?? TIMEOUT;
  const { store, revocation } = around(ground, (operation, run) => ground.wrap(operation, run));
  const { sessions } = await serve(
    lib,
    {
      ...options,
      store,
      timeout,
      revocation: { store: revocation, timeout },
      onEvent: (event: SessionEvent) => void events.push(event),
    },
    ground,
  );
  return {
    sessions,
    ground,
    events,
    clock: ground.clock,
    get records() {
      return ground.records;
    },
    get revoked() {
      return ground.revoked;
    },
  };
}

/** Runs something on servers of one deployment that begin at a moment, and of which nothing is left afterwards. */
export async function startingAt<T>(
  lib: Library,
  options: RigOptions | undefined,
  moment: Moment,
  run: (...servers: Rig[]) => Promise<T>,
  count = 1,
): Promise<T> {
  const [records, revoked] = [moment.records.copy(), new MemoryStore()];
  for (const [key, entry] of moment.entries) revoked.entries.set(key, entry);
  const servers: Rig[] = [];
  for (let i = 0; i < count; i++) {
    const server = await rig(lib, options);
    Object.assign(server.ground, { records, revoked, wrap: direct });
    server.clock.now = moment.now;
    server.events.length = 0;
    servers.push(server);
  }
  const result = await run(...servers);
  idle.set(options, [...(idle.get(options) ?? []), ...servers]);
  return result;
}
