/**
 * Sessions in a SQLite file, for servers on one machine: the adapter takes an open database of `node:sqlite` (Node 22.13
 * and later) or of the package `better-sqlite3`.
 *
 * @packageDocumentation
 */
import { optionInvalid } from "../error.js";
import { hasMethods, onlyOptions } from "../options.js";
import type { RevocationStore } from "../types.js";
import { oneOrNone, valueOrNull } from "./answers.js";
import { type Statements, statements } from "./sql.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

/** How long a write waits for another process, in milliseconds, where the database was opened without a time of its own. */
const BUSY_TIMEOUT_MS = 5000;

/** What the adapter needs of an open database: a `DatabaseSync` of `node:sqlite`, or a `Database` of `better-sqlite3`. */
export interface SqliteDatabase {
  /** Runs statements without results. */
  exec(sql: string): unknown;
  /** Compiles one statement. */
  prepare(sql: string): SqliteStatement;
  /** Whether a transaction is open, as `node:sqlite` says it. */
  readonly isTransaction?: boolean;
  /** Whether a transaction is open, as `better-sqlite3` says it. */
  readonly inTransaction?: boolean;
}

/** A statement of {@link SqliteDatabase}. */
export interface SqliteStatement {
  /** Runs it to its end, and says how many rows it has changed. */
  run(...parameters: (string | number)[]): { changes: number | bigint };
  /** The first row as an object, or `undefined`. */
  get(...parameters: (string | number)[]): unknown;
}

/** Options of {@link sqliteStore} and {@link sqliteRevocationStore}. */
export interface SqliteStoreOptions {
  /** The table, which is made if it is missing; default `"waxseal_sessions"` or `"waxseal_revocations"`. */
  table?: string;
}

interface Table {
  readonly sql: Statements;
  readonly read: SqliteStatement;
  /** Changes the table, and says how many rows were changed. */
  change(statement: SqliteStatement, ...parameters: (string | number)[]): unknown;
}

/** Checks the handle and makes the table. */
function open(database: unknown, options: unknown, name: string): Table {
  const { table = name } = onlyOptions(options, ["table"]);
  const sql = statements(table);
  if (!isDatabase(database)) {
    throw optionInvalid(
      "A SQLite store needs an open database: new DatabaseSync(file) of node:sqlite (Node 22.13 or later), or " +
        "new Database(file) of the package better-sqlite3, which runs on older versions too.",
    );
  }
  // Without it, what finds the file locked by another process fails at once. A time that the caller has set stays.
  const waits = database.prepare("PRAGMA busy_timeout").get();
  if (Number(Reflect.get(Object(waits), "timeout")) === 0) database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.exec(sql.schema.join(";\n"));
  return {
    sql,
    read: database.prepare(sql.read),
    change(statement, ...parameters) {
      // Acknowledged inside a transaction of somebody else, a write would be undone with it.
      if (database.isTransaction === true || database.inTransaction === true) {
        throw new Error("The SQLite database is in a transaction; give Waxseal a handle of its own.");
      }
      // run() and no RETURNING: get() stops at the first row, and what the commit says after it is lost.
      return statement.run(...parameters).changes;
    },
  };
}

function isDatabase(value: unknown): value is SqliteDatabase {
  return hasMethods(value, ["exec", "prepare"]);
}

/**
 * A session store in SQLite. The table is made if it is missing; adding a record removes two that have expired, so the file
 * does not grow without bound.
 *
 * **Consistency:** linearizable among all processes of the machine that have the file open, by SQLite's own locks.
 * **Staleness:** none. **Limits:** one machine, and a local disk (the locks of network file systems cannot be relied on);
 * one write at a time, which waits up to five seconds for another process and blocks this one meanwhile. After a power
 * failure, `synchronous = NORMAL` in WAL mode may lose the last swaps: a lost rotation ends its session when the client
 * returns, and a lost end gives a session back; `PRAGMA synchronous = FULL` loses none. **Round trips:** none.
 *
 * @param database - An open database. A handle that also runs transactions of its own is refused while one is open.
 * @throws `ERR_OPTION_INVALID` if it is none, or if the table's name is not allowed.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from "node:sqlite";
 *
 * const database = new DatabaseSync("sessions.db");
 * database.exec("PRAGMA journal_mode = WAL");
 * const store = sqliteStore(database);
 * ```
 */
export function sqliteStore(database: SqliteDatabase, options: SqliteStoreOptions = {}): Required<SessionStore> {
  const { sql, read, change } = open(database, options, "waxseal_sessions");
  const insert = database.prepare(sql.insert);
  const update = database.prepare(sql.update);
  return {
    async read(key) {
      return valueOrNull(read.get(key), "The SQLite database");
    },
    // One statement is one transaction: SQLite lets no other connection write between its comparison and its write.
    async compareAndSwap(key, expected, next, expiresAt) {
      const changes =
        expected === null ? change(insert, key, next, expiresAt) : change(update, next, expiresAt, key, expected);
      return oneOrNone(changes, "The SQLite database");
    },
    description: {
      name: "SQLite",
      consistency: "linearizable among the processes of one machine",
      staleness: 0,
      limits: "one machine with a local disk; one write at a time",
      roundTrips: { read: 0, compareAndSwap: 0 },
    },
  };
}

/** A revocation store in SQLite, in a table of its own. Its consistency and limits are those of {@link sqliteStore}. */
export function sqliteRevocationStore(
  database: SqliteDatabase,
  options: SqliteStoreOptions = {},
): Required<RevocationStore> {
  const { sql, read, change } = open(database, options, "waxseal_revocations");
  const put = database.prepare(sql.put);
  const get = (key: string): string | null => valueOrNull(read.get(key), "The SQLite database");
  return {
    async get(key) {
      return get(key);
    },
    async getMany(keys) {
      return keys.map(get);
    },
    async put(key, value, { expirationTtl }) {
      change(put, key, value, expirationTtl);
    },
    staleness: 0,
  };
}
