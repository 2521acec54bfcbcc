/**
 * Sessions in Redis 6.2 or later, or a server that speaks its protocol and runs its scripts, through a client of the package
 * `ioredis` or `redis`.
 *
 * @packageDocumentation
 */
import { optionInvalid } from "../error.js";
import { member, onlyOptions } from "../options.js";
import type { RevocationStore } from "../types.js";
import { oneOrNone, textOrNull } from "./answers.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

/** A client of the package `ioredis`: `new Redis({ maxRetriesPerRequest: 0 })`, or a `Cluster`. */
export interface IoredisClient {
  /** Runs a script. */
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  /** Tells this client from the other. */
  defineCommand(name: string, definition: { lua: string }): void;
}

/** A client of the package `redis`, connected: `createClient()`, `createClientPool()` or `createCluster()`. */
export interface NodeRedisClient {
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of either package. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** Options of {@link redisStore} and {@link redisRevocationStore}. */
export interface RedisStoreOptions {
  /** Stands before every key; default none. Keys begin with `wx1:` already. */
  prefix?: string;
}

/**
 * GETEX without options reads, but counts as a write: it goes to the primary whatever the client does with reads, and a
 * primary that has been demoted refuses it instead of answering from the past.
 */
const READ = "return redis.call('GETEX', KEYS[1])";

/** A missing record is `false` to a script; a missing argument becomes it. It reads as above, for the same reason. */
const SWAP = `if redis.call('GETEX', KEYS[1]) ~= (ARGV[3] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EXAT', ARGV[2])
return 1`;

const PUT = "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])";

type Run = (script: string, key: string, ...parameters: string[]) => Promise<unknown>;

/** How to run a script of one key on that client. */
function runner(client: unknown, options: unknown): Run {
  const { prefix = "" } = onlyOptions(options, ["prefix"]);
  if (typeof prefix !== "string") throw optionInvalid("prefix must be a string.");
  if (isIoredis(client)) {
    requireNoResending(client);
    return (script, key, ...parameters) => client.eval(script, 1, prefix + key, ...parameters);
  }
  if (isNodeRedis(client)) {
    return (script, key, ...parameters) => client.eval(script, { keys: [prefix + key], arguments: parameters });
  }
  throw optionInvalid("A Redis store needs a client of the package ioredis or redis.");
}

function isIoredis(client: unknown): client is IoredisClient {
  return ["eval", "defineCommand"].every((name) => typeof member(client, name) === "function");
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return ["eval", "sendCommand"].every((name) => typeof member(client, name) === "function");
}

/**
 * By default ioredis sends a command again when the connection was lost before its reply: a swap that had been written would
 * then find its own text, and be answered with "not written". The package `redis` rejects such commands.
 */
function requireNoResending(client: IoredisClient): void {
  const options = member(client, "options");
  if (member(client, "isCluster") === true) {
    if (member(options, "retryDelayOnFailover") === 0) return;
    throw optionInvalid("An ioredis Cluster that keeps sessions needs the option retryDelayOnFailover: 0.");
  }
  if (member(options, "maxRetriesPerRequest") === 0 || member(options, "autoResendUnfulfilledCommands") === false)
    return;
  throw optionInvalid(
    "An ioredis client that keeps sessions needs the option maxRetriesPerRequest: 0; otherwise it would repeat swaps " +
      "whose replies were lost. redis.duplicate({ maxRetriesPerRequest: 0 }) makes one of an existing client.",
  );
}

/**
 * A session store in Redis. Redis removes expired records itself.
 *
 * **Consistency:** linearizable on a primary that does not fail over. Replication is asynchronous: after a failover the new
 * primary may lack the last swaps, of which the session ends when its client returns, or an end of a session, which then
 * lives on. **Staleness:** none; replicas are never read. **Limits:** memory; `maxmemory-policy` must be `noeviction`, or
 * sessions end early and subjects lose their token versions; without `appendfsync always` a crash of the server loses what it
 * had not yet written to its disk. **Round trips:** one for each operation.
 *
 * @param client - A client of `ioredis` (with `maxRetriesPerRequest: 0`; a `Cluster` with `retryDelayOnFailover: 0`) or of
 *   `redis`, connected. It may be used for other things too.
 * @throws `ERR_OPTION_INVALID` if it is neither, or would repeat commands by itself.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Required<SessionStore> {
  const run = runner(client, options);
  return {
    async read(key) {
      return textOrNull(await run(READ, key), "The Redis client");
    },
    async compareAndSwap(key, expected, next, expiresAt) {
      const written = await run(SWAP, key, next, String(expiresAt), ...(expected === null ? [] : [expected]));
      return oneOrNone(written, "The Redis client");
    },
    description: {
      name: "Redis",
      consistency: "linearizable on a primary that does not fail over",
      staleness: 0,
      limits: "a failover or a crash may lose the last writes; maxmemory-policy must be noeviction",
      roundTrips: { read: 1, compareAndSwap: 1 },
    },
  };
}

/** A revocation store in Redis. Its consistency, limits and round trips are those of {@link redisStore}. */
export function redisRevocationStore(
  client: RedisClient,
  options: RedisStoreOptions = {},
): Required<Omit<RevocationStore, "getMany">> {
  const run = runner(client, options);
  return {
    async get(key) {
      return textOrNull(await run(READ, key), "The Redis client");
    },
    async put(key, value, { expirationTtl }) {
      await run(PUT, key, value, String(expirationTtl));
    },
    staleness: 0,
  };
}
