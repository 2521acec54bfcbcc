/** A real Redis server, reached by one of the two clients: `redis.ts ioredis` or `redis.ts redis`. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { type RedisClient, redisRevocationStore, redisStore } from "waxseal/stores/redis";
import { equal, ok, throws } from "../js/harness/assert.js";
import { missing, report } from "../js/harness/report.js";
import { hasRedis, LossyLine, RedisServer } from "./harness/redis.js";
import { fails, later, runStore } from "./harness/run-cases.js";

/** One of the two packages. */
interface Package {
  connect(port: number): Promise<RedisClient>;
  connectCluster(port: number): Promise<RedisClient>;
}

const closing: (() => unknown)[] = [];

const PACKAGES: Record<string, Package> = {
  ioredis: {
    async connect(port) {
      const client = new Redis({ port, maxRetriesPerRequest: 0 });
      closing.push(() => client.disconnect());
      // Without a listener it prints every lost connection.
      client.on("error", () => {});
      return client;
    },
    async connectCluster(port) {
      const client = new Cluster([{ port, host: "127.0.0.1" }], { retryDelayOnFailover: 0, scaleReads: "slave" });
      closing.push(() => client.disconnect());
      return client;
    },
  },
  redis: {
    async connect(port) {
      const client = createClient({ socket: { port, host: "127.0.0.1" }, disableOfflineQueue: true });
      closing.push(() => client.destroy());
      client.on("error", () => {});
      return client.connect();
    },
    async connectCluster(port) {
      const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }], useReplicas: true });
      closing.push(() => client.destroy());
      return client.connect();
    },
  },
};

async function main(name: string, { connect, connectCluster }: Package): Promise<void> {
  const runtime = `store-${name}`;
  if (!hasRedis()) return missing(runtime, "redis-server is missing; scripts/install-stores.sh installs it");
  const server = await RedisServer.start();
  closing.push(() => server.stop());
  const clients = [await connect(server.port), await connect(server.port)] as const;
  let made = 0;
  const outcomes = await runStore(() => redisStore(clients[made++ % 2] as RedisClient), {
    async "a swap whose reply was lost rejects, and is not repeated"() {
      const line = await LossyLine.to(server.port);
      closing.push(() => line.close());
      const direct = redisStore(clients[0]);
      const store = redisStore(await connect(line.port));
      equal(await store.read("lossy"), null);
      line.loseNextReply();
      await fails(store.compareAndSwap("lossy", null, "first", later()));
      equal(line.lost, 1);
      equal(await direct.read("lossy"), "first");
      // A repetition would be sent when the client has connected again: this read comes after it on the same connection.
      equal(await direct.compareAndSwap("lossy", "first", "second", later()), true);
      await eventually(async () => equal(await store.read("lossy"), "second"));
      equal(await store.compareAndSwap("lossy", "second", "third", later()), true);
    },

    async "a replica answers no read and takes no swap, not even with what it has"() {
      const replica = await RedisServer.start("--replicaof", "127.0.0.1", String(server.port));
      closing.push(() => replica.stop());
      const primary = redisStore(clients[0]);
      const store = redisStore(await connect(replica.port));
      equal(await primary.compareAndSwap("replicated", null, "first", later()), true);
      ok(/READONLY/.test(String(await fails(store.read("replicated")))));
      ok(/READONLY/.test(String(await fails(store.compareAndSwap("replicated", "first", "second", later())))));
    },

    async "a cluster's client works, also one that is set to read from replicas"() {
      const node = await RedisServer.start("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
      closing.push(() => node.stop());
      await command(node.port, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
      await eventually(async () => ok((await command(node.port, "CLUSTER", "INFO")).includes("cluster_state:ok")));
      const store = redisStore(await connectCluster(node.port));
      for (let i = 0; i < 20; i++) {
        equal(await store.compareAndSwap(`key ${i}`, null, "first", later()), true);
        equal(await store.compareAndSwap(`key ${i}`, null, "second", later()), false);
        equal(await store.read(`key ${i}`), "first");
      }
    },

    async "a prefix keeps two applications apart"() {
      const [one, two] = [redisStore(clients[0], { prefix: "one:" }), redisStore(clients[0], { prefix: "two:" })];
      equal(await one.compareAndSwap("key", null, "text of one", later()), true);
      equal(await two.compareAndSwap("key", null, "text of two", later()), true);
      equal(await redisStore(clients[1]).read("one:key"), "text of one");
    },

    async "a key that holds no text rejects, both reads and swaps"() {
      await command(server.port, "LPUSH", "list", "item");
      const store = redisStore(clients[0]);
      await fails(store.read("list"));
      await fails(store.compareAndSwap("list", null, "text", later()));
    },

    async "a server that has gone rejects, both reads and swaps"() {
      const gone = await RedisServer.start();
      const store = redisStore(await connect(gone.port));
      equal(await store.read("key"), null);
      await gone.stop();
      await fails(store.read("key"));
      await fails(store.compareAndSwap("key", null, "text", later()));
    },

    async "a revocation entry is read by the other client until it expires"() {
      const [one, two] = [redisRevocationStore(clients[0]), redisRevocationStore(clients[1])];
      equal(await two.get("wx1:jti:a"), null);
      await one.put("wx1:jti:a", "entry", { expirationTtl: 1 });
      equal(await two.get("wx1:jti:a"), "entry");
      await one.put("wx1:jti:b", "é", { expirationTtl: 60 });
      await new Promise((resolve) => setTimeout(resolve, 1200));
      equal(await two.get("wx1:jti:a"), null);
      equal(await two.get("wx1:jti:b"), "é");
    },

    ...(name === "ioredis" && {
      async "a client that would repeat swaps is refused, with what to change"() {
        const client = new Redis({ lazyConnect: true });
        const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
        for (const refused of [client, cluster]) throws(() => redisStore(refused), "ERR_OPTION_INVALID");
        redisStore(new Redis({ lazyConnect: true, autoResendUnfulfilledCommands: false }));
        redisStore(client.duplicate({ maxRetriesPerRequest: 0, lazyConnect: true }));
      },
    }),
  });
  await report(runtime, outcomes);
}

/** Runs one command on a server, past the adapter. */
async function command(port: number, ...words: string[]): Promise<string> {
  const client = createClient({ socket: { port, host: "127.0.0.1" } });
  await client.connect();
  try {
    return String(await client.sendCommand(words));
  } finally {
    client.destroy();
  }
}

/** Tries again while a client is connecting. */
async function eventually(attempt: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 5000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const name = process.argv[2] ?? "";
const chosen = PACKAGES[name];
if (chosen === undefined) throw new Error("usage: redis.ts ioredis | redis");
try {
  await main(name, chosen);
} finally {
  for (const close of closing.toReversed()) await close();
}
