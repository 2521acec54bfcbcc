/**
 * Sessions in Durable Objects on SQLite storage, one object for each subject: the default on Cloudflare Workers.
 *
 * The Worker exports the class, and its configuration binds it:
 *
 * ```ts
 * export { SessionRecords } from "waxseal/stores/durable-object";
 * ```
 *
 * ```jsonc
 * "durable_objects": { "bindings": [{ "name": "SESSIONS", "class_name": "SessionRecords" }] },
 * "migrations": [{ "tag": "v1", "new_sqlite_classes": ["SessionRecords"] }]
 * ```
 *
 * @packageDocumentation
 */
import { DurableObject } from "cloudflare:workers";
import { optionInvalid } from "../error.js";
import { hasMethods } from "../options.js";
import { textOrNull, trueOrFalse } from "./answers.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

interface Stored {
  readonly text: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly expiresAt: number;
}

const RECORD = "record";

/** The object of one subject. It holds one record, and nothing once that has expired. */
export class SessionRecords extends DurableObject {
  /** The record, or `null`. */
  async read(): Promise<string | null> {
    const stored = this.#stored();
    return stored !== undefined && isLive(stored) ? stored.text : null;
  }

  /** As {@link SessionStore.compareAndSwap}. */
  async compareAndSwap(expected: string | null, next: string, expiresAt: number): Promise<boolean> {
    const alarm = await this.ctx.storage.getAlarm();
    // From here on nothing is awaited until all is written, so no other call comes between, and the record and its alarm
    // are committed together. The runtime holds the answer back until they are.
    const stored = this.#stored();
    if ((stored !== undefined && isLive(stored) ? stored.text : null) !== expected) return false;
    this.ctx.storage.kv.put(RECORD, { text: next, expiresAt } satisfies Stored);
    // An alarm that rings too early is set again, which is cheaper than setting it at every swap.
    if (alarm === null || alarm > expiresAt * 1000) await this.ctx.storage.setAlarm(expiresAt * 1000);
    return true;
  }

  /** Called by the runtime: drops the record once it has expired, and with it the object. */
  async alarm(): Promise<void> {
    const stored = this.#stored();
    if (stored !== undefined && isLive(stored)) await this.ctx.storage.setAlarm(stored.expiresAt * 1000);
    else await this.ctx.storage.deleteAll();
  }

  #stored(): Stored | undefined {
    return this.ctx.storage.kv.get(RECORD) as Stored | undefined;
  }
}

function isLive({ expiresAt }: Stored): boolean {
  return Date.now() < expiresAt * 1000;
}

/** What the adapter needs of a binding: a `DurableObjectNamespace<SessionRecords>` fits as it is. */
export interface SessionNamespace {
  /** The id of the object with that name. */
  idFromName(name: string): object;
  /** The object with that id. */
  get(id: object): {
    /** Its record, as {@link SessionRecords.read}. */
    read(): Promise<string | null>;
    /** Replaces its record, as {@link SessionRecords.compareAndSwap}. */
    compareAndSwap(expected: string | null, next: string, expiresAt: number): Promise<boolean>;
  };
}

/**
 * A session store in Durable Objects of the class {@link SessionRecords}. Subjects do not share an object, so no subject
 * waits for another. An object drops its record when it has expired.
 *
 * **Consistency:** linearizable: an object runs in one place at a time, and an answer leaves it when the write is durable.
 * **Staleness:** none. **Limits:** an object stays where its subject first signed in; about 1,000 requests per second to
 * one subject. **Round trips:** one for each operation.
 *
 * @param namespace - The binding, such as `env.SESSIONS`.
 * @throws `ERR_OPTION_INVALID` if it is no namespace of Durable Objects.
 */
export function durableObjectStore(namespace: SessionNamespace): Required<SessionStore> {
  if (!isNamespace(namespace)) {
    throw optionInvalid(
      "A Durable Object store needs the binding of a namespace with the class SessionRecords, such as env.SESSIONS.",
    );
  }
  // A stub that has thrown may be broken for good, so every call takes a new one, which costs nothing.
  const object = (key: string): ReturnType<SessionNamespace["get"]> => namespace.get(namespace.idFromName(key));
  return {
    async read(key) {
      return textOrNull(await object(key).read(), "The Durable Object");
    },
    async compareAndSwap(key, expected, next, expiresAt) {
      return trueOrFalse(await object(key).compareAndSwap(expected, next, expiresAt), "The Durable Object");
    },
    description: {
      name: "Durable Object",
      consistency: "linearizable: one object for each subject",
      staleness: 0,
      limits: "an object stays where its subject first signed in",
      roundTrips: { read: 1, compareAndSwap: 1 },
    },
  };
}

function isNamespace(value: unknown): value is SessionNamespace {
  return hasMethods(value, ["idFromName", "get"]);
}
