/** The Worker that runs the cases on workerd, and reads and writes single records for the tests of restarts. */
import { D1_REVOCATION_SCHEMA, D1_SCHEMA, d1RevocationStore, d1Store } from "waxseal/stores/d1";
import {
  durableObjectStore,
  type SessionNamespace,
  SessionRecords,
  type SessionStore,
} from "waxseal/stores/durable-object";
import { equal, ok, throws } from "../../js/harness/assert.js";
import { fails, later, runStore } from "../harness/run-cases.js";

/** The bindings, with the runtime's own types. */
interface Env {
  readonly SESSIONS: DurableObjectNamespace<SessionRecords>;
  readonly INSPECTED: DurableObjectNamespace<InspectedRecords>;
  readonly DB: D1Database;
  readonly KV: KVNamespace;
}

export { SessionRecords };

/** An application may extend the class; here to see what an object keeps. */
export class InspectedRecords extends SessionRecords {
  async kept(): Promise<string> {
    const { kv } = this.ctx.storage;
    const alarm = await this.ctx.storage.getAlarm();
    return `${[...kv.list()].length} entries, ${alarm === null ? "no alarm" : "an alarm"}`;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const now = (): number => Math.floor(Date.now() / 1000);

/** Garbage and failures, which the real thing does not give. */
function answering(answer: unknown): SessionNamespace {
  const method = async (): Promise<never> => answer as never;
  return { idFromName: () => ({}), get: () => ({ read: method, compareAndSwap: method }) };
}

function durableObjects({ INSPECTED, KV, DB }: Env): Record<string, () => Promise<void>> {
  const kept = (key: string): Promise<string> => INSPECTED.get(INSPECTED.idFromName(key)).kept();
  return {
    async "an object keeps nothing for a key that is only read"() {
      equal(await durableObjectStore(INSPECTED).read("only read"), null);
      equal(await durableObjectStore(INSPECTED).compareAndSwap("only read", "text", "next", later()), false);
      equal(await kept("only read"), "0 entries, no alarm");
    },

    async "an alarm drops the record after its expiry, also one that was moved to a later time"() {
      const store = durableObjectStore(INSPECTED);
      const begin = now();
      equal(await store.compareAndSwap("drops", null, "first", begin + 2), true);
      equal(await store.compareAndSwap("drops", "first", "second", begin + 8), true);
      equal(await kept("drops"), "1 entries, an alarm");
      await pause(Math.max(0, (begin + 3) * 1000 - Date.now()));
      equal(await store.read("drops"), "second");
      equal(await kept("drops"), "1 entries, an alarm");
      for (const end = Date.now() + 30_000; (await kept("drops")) !== "0 entries, no alarm" && Date.now() < end;) {
        await pause(100);
      }
      equal(await kept("drops"), "0 entries, no alarm");
      equal(await store.compareAndSwap("drops", null, "third", later()), true);
    },

    async "an alarm follows an expiry that was moved to an earlier time"() {
      const store = durableObjectStore(INSPECTED);
      equal(await store.compareAndSwap("sooner", null, "first", later()), true);
      equal(await store.compareAndSwap("sooner", "first", "second", now() + 1), true);
      for (const end = Date.now() + 30_000; (await kept("sooner")) !== "0 entries, no alarm" && Date.now() < end;) {
        await pause(100);
      }
      equal(await kept("sooner"), "0 entries, no alarm");
    },

    async "an answer that is neither of the expected ones rejects"() {
      for (const answer of [undefined, 0, 1, "true", {}, []]) {
        await fails(durableObjectStore(answering(answer)).compareAndSwap("key", null, "text", later()));
        if (answer !== "true") await fails(durableObjectStore(answering(answer)).read("key"));
      }
    },

    async "what is no namespace of Durable Objects is refused"() {
      for (const other of [undefined, null, "SESSIONS", {}, KV, DB]) {
        throws(() => durableObjectStore(other as never), "ERR_OPTION_INVALID");
      }
    },
  };
}

function d1({ DB, KV }: Env): Record<string, () => Promise<void>> {
  return {
    async "the SQL for migrations can be run, and again"() {
      for (let i = 0; i < 2; i++) {
        await DB.exec(D1_SCHEMA);
        await DB.exec(D1_REVOCATION_SCHEMA);
        await d1Store(DB).setUp();
      }
    },

    async "a table that is missing rejects, both reads and swaps, until it is set up"() {
      const store = d1Store(DB, { table: "order" });
      await fails(store.read("key"));
      await fails(store.compareAndSwap("key", null, "text", later()));
      await store.setUp();
      equal(await store.read("key"), null);
      equal(await store.compareAndSwap("key", null, "text", later()), true);
      equal(await d1Store(DB).read("key"), null);
    },

    async "every operation is a session of its own that begins at the primary, and one round trip"() {
      const [asked, sent] = [[] as string[], [] as string[]];
      const store = d1Store({
        prepare: () => {
          throw new Error("the database itself may answer from a replica");
        },
        batch: () => Promise.reject(new Error("the same")),
        withSession(constraint) {
          asked.push(constraint);
          const session = DB.withSession(constraint);
          return { prepare: (sql) => (sent.push(sql), session.prepare(sql)), batch: (all) => session.batch(all) };
        },
      });
      equal(await store.compareAndSwap("sessions", null, "first", later()), true);
      equal(await store.compareAndSwap("sessions", "first", "second", later()), true);
      equal(await store.read("sessions"), "second");
      equal(asked.join(), "first-primary,first-primary,first-primary");
      equal(sent.length, 3);
    },

    async "expired rows go as new ones come, and are not counted as written"() {
      const store = d1Store(DB, { table: "growth" });
      await store.setUp();
      const rows = (): Promise<unknown> => DB.prepare("SELECT count(*) AS n FROM growth").first("n");
      for (let i = 0; i < 40; i++) equal(await store.compareAndSwap(`expired ${i}`, null, "text", now() + 2), true);
      equal(await rows(), 40);
      await pause(3000);
      for (let i = 0; i < 20; i++) equal(await store.compareAndSwap(`live ${i}`, null, "text", later()), true);
      equal(await rows(), 20);
    },

    async "a revocation entry is read until it expires, alone and among others"() {
      const store = d1RevocationStore(DB);
      equal(await store.get("a"), null);
      await store.put("a", "entry", { expirationTtl: 3 });
      await store.put("b", "first", { expirationTtl: 60 });
      await store.put("b", "second", { expirationTtl: 60 });
      equal(await store.get("a"), "entry");
      await pause(4100);
      equal((await store.getMany(["a", "none", "b"])).join(), ",,second");
    },

    async "what is no D1 database is refused, and a table's name that is none"() {
      for (const other of [undefined, null, "DB", {}, KV]) {
        throws(() => d1Store(other as never), "ERR_OPTION_INVALID");
        throws(() => d1RevocationStore(other as never), "ERR_OPTION_INVALID");
      }
      for (const table of ["", "1st", "a b", 'a"b', "a;b", "é", "a".repeat(64), 1, null]) {
        throws(() => d1Store(DB, { table: table as string }), "ERR_OPTION_INVALID");
      }
    },
  };
}

/** One operation of a store, as a request of the runner. */
async function operation(store: SessionStore, { searchParams }: URL): Promise<Response> {
  const [key, expected, next] = ["key", "expected", "next"].map((name) => searchParams.get(name));
  ok(typeof key === "string");
  return Response.json(
    typeof next === "string" ? await store.compareAndSwap(key, expected ?? null, next, later()) : await store.read(key),
  );
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const [, name, what] = url.pathname.split("/");
    const database = d1Store(env.DB);
    const store = name === "d1" ? database : durableObjectStore(env.SESSIONS);
    if (what === "operation") return operation(store, url);
    if (name === "d1") await database.setUp();
    return Response.json(await runStore(() => store, name === "d1" ? d1(env) : durableObjects(env)));
  },
};
