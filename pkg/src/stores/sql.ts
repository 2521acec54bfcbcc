/** The statements of the two SQLite adapters. SQLite reads the clock, so that all clients of a database share one. */
import { optionInvalid } from "../error.js";

/** How many expired rows are removed for each that is added: two, so that they go faster than new ones come. */
const SWEPT = 2;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** The statements for one table; see each for its parameters. */
export interface Statements {
  /** Makes the table and what belongs to it, unless they are there. */
  readonly schema: readonly string[];
  /** The text under a key: `key`. */
  readonly read: string;
  /** The first write, over an expired row too: `key`, `text`, `expiresAt`. Changes one row or none. */
  readonly insert: string;
  /** A later write: `text`, `expiresAt`, `key`, `expected`. Changes one row or none. */
  readonly update: string;
  /** A write without a condition: `key`, `text`, `seconds` to live at least. */
  readonly put: string;
}

/** The statements for a table of that name. */
export function statements(table: unknown): Statements {
  if (typeof table !== "string" || !IDENTIFIER.test(table)) {
    throw optionInvalid(
      "table must be a name of letters, digits and underscores, 63 at most, without a digit in front.",
    );
  }
  const name = `"${table}"`;
  const expired = `SELECT key FROM ${name} WHERE expires_at <= unixepoch() LIMIT ${SWEPT}`;
  return {
    schema: [
      // The collation is BINARY, the default: texts are compared by their bytes.
      `CREATE TABLE IF NOT EXISTS ${name} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT`,
      `CREATE INDEX IF NOT EXISTS "${table}_expiry" ON ${name} (expires_at)`,
      // A trigger is part of the statement that fires it: no second round trip, and no row is added without it.
      `CREATE TRIGGER IF NOT EXISTS "${table}_sweep" AFTER INSERT ON ${name} BEGIN DELETE FROM ${name} WHERE key IN (${expired}); END`,
    ],
    read: `SELECT value FROM ${name} WHERE key = ? AND expires_at > unixepoch()`,
    insert:
      `INSERT INTO ${name} (key, value, expires_at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE ` +
      "SET value = excluded.value, expires_at = excluded.expires_at WHERE expires_at <= unixepoch()",
    update: `UPDATE ${name} SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND expires_at > unixepoch()`,
    // One second more, for the part of the current one that has passed.
    put:
      `INSERT INTO ${name} (key, value, expires_at) VALUES (?, ?, unixepoch() + ? + 1) ON CONFLICT (key) DO UPDATE ` +
      "SET value = excluded.value, expires_at = excluded.expires_at",
  };
}
