/** The SQLite file, opened with what this Node has. */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { SqliteDatabase } from "waxseal/stores/sqlite";

type Database = SqliteDatabase & { close(): void };
type Constructor = new (file: string) => Database;

/** Opens the file, or makes it. */
export async function openDatabase(file: string): Promise<Database> {
  const found = (await optional("node:sqlite"))?.DatabaseSync ?? (await optional("better-sqlite3"))?.default;
  if (found === undefined) {
    const version = process.versions.node;
    throw new Error(`Node ${version} has no SQLite: npm install better-sqlite3, or use Node 22.13 or later.`);
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new (found as Constructor)(file);
  // Another process writes for less than a millisecond. A second is ample, and Node does nothing else while it waits.
  database.exec("PRAGMA busy_timeout = 1000");
  // Readers do not wait for whoever writes; what was acknowledged survives a power failure.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return database;
}

/** A module that may be missing. By a name in a variable, since the compiler demands one that is written out. */
async function optional(name: string): Promise<Record<string, unknown> | undefined> {
  try {
    return (await import(name)) as Record<string, unknown>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_UNKNOWN_BUILTIN_MODULE" || code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
