/**
 * Sessions in Cloudflare D1.
 *
 * @packageDocumentation
 */
import { optionInvalid } from "../error.js";
import { hasMethods, onlyOptions } from "../options.js";
import type { RevocationStore } from "../types.js";
import { oneOrNone, textOrNull, valueOrNull } from "./answers.js";
import { type Statements, statements } from "./sql.js";
import type { SessionStore } from "./store.js";

export type { SessionStore, StoreDescription } from "./store.js";

const SESSIONS = "waxseal_sessions";
const REVOCATIONS = "waxseal_revocations";

/** What the adapter needs of a D1 database: a binding of the Worker fits as it is. */
export interface D1DatabaseLike extends D1SessionLike {
  /** Asks for answers of a database that is read from replicas too. */
  withSession?(constraint: "first-primary"): D1SessionLike;
}

/** What makes and runs statements. */
export interface D1SessionLike {
  /** Makes a statement. */
  prepare(sql: string): D1StatementLike;
  /** Runs statements in one transaction and one round trip. */
  batch(statements: never[]): Promise<unknown[]>;
}

/** A statement of D1. */
export interface D1StatementLike {
  /** Binds its parameters. */
  bind(...values: (string | number)[]): D1StatementLike;
  /** The column of the first row; `null` when there is no row. */
  first(column: string): Promise<unknown>;
  /** Runs it. */
  run(): Promise<{ results: unknown[] }>;
}

/** Options of {@link d1Store} and {@link d1RevocationStore}. */
export interface D1StoreOptions {
  /** The table; default `"waxseal_sessions"` or `"waxseal_revocations"`. */
  table?: string;
}

/** What makes a table that is missing. */
export interface D1SetUp {
  /** Makes the table, its index and its trigger, unless they are there. One round trip; safe to repeat. */
  setUp(): Promise<void>;
}

/** The SQL of {@link d1Store} with its default table, for a migration. */
export const D1_SCHEMA: string = script(SESSIONS);

/** The SQL of {@link d1RevocationStore} with its default table, for a migration. */
export const D1_REVOCATION_SCHEMA: string = script(REVOCATIONS);

function script(table: string): string {
  return `${statements(table).schema.join(";\n")};\n`;
}

interface Table extends D1SetUp {
  readonly sql: Statements;
  /** What to run an operation on. */
  primary(): D1SessionLike;
}

function open(database: unknown, options: unknown, name: string): Table {
  const { table = name } = onlyOptions(options, ["table"]);
  const sql = statements(table);
  if (!isDatabase(database)) throw optionInvalid("A D1 store needs a D1 database, such as env.DB of a Worker.");
  return {
    sql,
    // A session that begins at the primary never reads from a replica what the primary has changed. Each operation has its
    // own: only the first statement of a session is sure to go there.
    primary: () => (typeof database.withSession === "function" ? database.withSession("first-primary") : database),
    async setUp() {
      await database.batch(sql.schema.map((statement) => database.prepare(statement)) as never[]);
    },
  };
}

function isDatabase(value: unknown): value is D1DatabaseLike {
  return hasMethods(value, ["prepare", "batch"]);
}

/**
 * A session store in D1. The table must be there: run {@link D1_SCHEMA} as a migration, or call `setUp()` once. Adding a
 * record removes two that have expired.
 *
 * **Consistency:** linearizable: every operation goes to the primary, read replication or not. **Staleness:** none.
 * **Limits:** one primary in one place, which takes one write after the other; records of all subjects share it.
 * **Round trips:** one for each operation.
 *
 * @throws `ERR_OPTION_INVALID` if it is no D1 database, or if the table's name is not allowed.
 */
export function d1Store(database: D1DatabaseLike, options: D1StoreOptions = {}): Required<SessionStore> & D1SetUp {
  const { sql, primary, setUp } = open(database, options, SESSIONS);
  // The count in D1's metadata includes what triggers have changed; a returned row is the written one alone.
  const insert = `${sql.insert} RETURNING 1`;
  const update = `${sql.update} RETURNING 1`;
  return {
    async read(key) {
      return textOrNull(await primary().prepare(sql.read).bind(key).first("value"), "D1");
    },
    async compareAndSwap(key, expected, next, expiresAt) {
      const statement =
        expected === null
          ? primary().prepare(insert).bind(key, next, expiresAt)
          : primary().prepare(update).bind(next, expiresAt, key, expected);
      const { results } = await statement.run();
      return oneOrNone(Array.isArray(results) ? results.length : undefined, "D1");
    },
    setUp,
    description: {
      name: "Cloudflare D1",
      consistency: "linearizable: all operations go to the primary",
      staleness: 0,
      limits: "one primary for all subjects, which takes one write after the other",
      roundTrips: { read: 1, compareAndSwap: 1 },
    },
  };
}

/** A revocation store in D1, in a table of its own. Its consistency, limits and round trips are those of {@link d1Store}. */
export function d1RevocationStore(
  database: D1DatabaseLike,
  options: D1StoreOptions = {},
): Required<RevocationStore> & D1SetUp {
  const { sql, primary, setUp } = open(database, options, REVOCATIONS);
  return {
    async get(key) {
      return textOrNull(await primary().prepare(sql.read).bind(key).first("value"), "D1");
    },
    async getMany(keys) {
      const session = primary();
      const answers = await session.batch(keys.map((key) => session.prepare(sql.read).bind(key)) as never[]);
      return answers.map((answer) => {
        const results: unknown = Reflect.get(Object(answer), "results");
        if (!Array.isArray(results)) throw new Error("D1 answered a read with something else than rows.");
        return valueOrNull(results[0], "D1");
      });
    },
    async put(key, value, { expirationTtl }) {
      await primary().prepare(sql.put).bind(key, value, expirationTtl).run();
    },
    setUp,
    staleness: 0,
  };
}
