/**
 * docs/stores.md: what it says of each store is what the store says of itself, and its sketch of an adapter is well formed.
 * readme.test.ts compiles its programs with all others, and runs those for SQLite and for the suite.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { createSessions, generateKeyPair, type SessionStore } from "waxseal";
import { D1_REVOCATION_SCHEMA, D1_SCHEMA } from "waxseal/stores/d1";
import { storeConformance } from "waxseal/testing";
import { blocks, run } from "./documents.js";

const STORES = "docs/stores.md";
const text = readFileSync(STORES, "utf8");
const programs = blocks(STORES);

/** The rows of the table of stores, as cells without backquotes and links. */
function described(): string[][] {
  const [, rows = ""] = /^\| store \| set-up \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(text) ?? [];
  return rows
    .trim()
    .split("\n")
    .map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim().replaceAll(/`|\[|\]\(.*?\)/g, "")),
    );
}

test("docs/stores.md says of every store what its adapter says of itself", () => {
  const adapters = ["durable-object", "d1", "sqlite", "redis", "deno-kv", "memory"].map((file) => {
    const source = readFileSync(`pkg/src/stores/${file}.ts`, "utf8");
    const member = (name: string) => new RegExp(`^ {6}${name}: "?(.*?)"?,$`, "m").exec(source)?.[1];
    const [, read, swap] = /roundTrips: \{ read: (\d), compareAndSwap: (\d) \}/.exec(source) ?? [];
    return [
      member("name"),
      member("consistency"),
      `${member("staleness")} s`,
      member("limits"),
      `${read}, ${swap}`,
      source.match(/^export function \w+Store\b/gm)?.[0].split(" ")[2],
    ];
  });
  const rows = described().map(([name, setUp = "", ...rest]) => [name, ...rest, setUp.split("(")[0]]);
  assert.deepEqual(rows, adapters);
});

test("docs/stores.md sets up every store, with a revocation store where there is one", () => {
  const code = programs.map((block) => block.code).join("\n");
  const [, table = ""] = /^\| sessions in \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(text) ?? [];
  const revocation = [...table.matchAll(/`(\w+RevocationStore)\(/g)].map(([, name]) => name);
  assert.equal(revocation.length, 5);
  const stores = described().map(([, setUp = ""]) => setUp.split("(")[0]);
  for (const name of [...stores, ...revocation]) assert.match(code, new RegExp(`\\b${name}\\(`));
});

test("the lines for wrangler.jsonc in docs/stores.md are a configuration, and bind what the programs expect", () => {
  const lines = blocks(STORES, "jsonc").map(({ code }) => code.trim().replace(/,$/, ""));
  const configuration = JSON.parse(`{${lines.join(",")}}`);
  const [objects] = configuration.durable_objects.bindings;
  assert.deepEqual(configuration.migrations[0].new_sqlite_classes, [objects.class_name]);
  const bound = [objects, ...configuration.kv_namespaces, ...configuration.d1_databases].map(({ binding, name }) =>
    String(binding ?? name),
  );
  assert.deepEqual(bound, ["SESSIONS", "REVOKED", "DB"]);
  const code = programs.map((block) => block.code).join("\n");
  assert.ok(code.includes(`export { ${objects.class_name} }`));
  for (const name of bound) assert.match(code, new RegExp(`\\benv\\.${name}\\b`));
});

test("the command of docs/stores.md prints the migration that makes both tables of D1", () => {
  const [, command = ""] = /^(node -e '.*?') > migrations\//m.exec(text) ?? [];
  const printed = execFileSync("sh", ["-c", command], { cwd: resolve("target/packed"), encoding: "utf8" });
  assert.equal(printed.trim(), (D1_SCHEMA + D1_REVOCATION_SCHEMA).trim());
});

test("a Workers KV namespace is refused as docs/stores.md says", async () => {
  const kv = { get: async () => null, getWithMetadata: async () => null, put: async () => {} };
  const { privateKey: keys } = await generateKeyPair("ES256");
  const names = { issuer: "https://app.example", audience: "https://app.example", origins: [] };
  const refused = createSessions({ keys, ...names, store: kv as never, revocation: { store: kv } });
  const message = /Workers KV namespace, which cannot compare and swap/;
  await assert.rejects(refused, { code: "ERR_OPTION_INVALID", message });
});

/**
 * Answers the statements of the sketch, each known by its first word, out of a map. It knows no SQL: it shows that the sketch
 * is well formed and understands its answers, and nothing about Postgres.
 */
function standIn() {
  const table = new Map<string, { value: string; expiresAt: number }>();
  return {
    async query(sql: string, [key, value, expiresAt, expected]: (string | number)[]) {
      const row = table.get(String(key));
      const live = row !== undefined && Date.now() / 1000 < row.expiresAt ? row.value : undefined;
      if (sql.startsWith("SELECT")) return { rows: live === undefined ? [] : [{ value: live }], rowCount: null };
      assert.match(sql, /^(INSERT|UPDATE) /);
      const writes = sql.startsWith("INSERT") ? live === undefined : live === expected && expected !== undefined;
      if (writes) table.set(String(key), { value: String(value), expiresAt: Number(expiresAt) });
      return { rows: [], rowCount: writes ? 1 : 0 };
    },
  };
}

type Query = (sql: string, values: (string | number)[]) => Promise<unknown>;
const sketch = programs.filter(({ code }) => code.includes("export function postgresStore"));
assert.equal(sketch.length, 1);
const { postgresStore } = await run<{ postgresStore(database: { query: Query }): SessionStore }>(sketch[0]!);

test("the sketch of an adapter rejects what is neither of the answers that it expects", async () => {
  const answering = (answer: unknown) => postgresStore({ query: async () => answer });
  await assert.rejects(answering({ rows: [{ value: 1 }], rowCount: 1 }).read("key"), /something else than text/);
  for (const rowCount of [null, undefined, 2, "1"]) {
    const swap = answering({ rows: [], rowCount }).compareAndSwap("key", null, "next", 1);
    await assert.rejects(swap, /did not say whether it has written/);
  }
});

describe("the sketch of an adapter understands what a stand-in for the client answers", { concurrency: true }, () => {
  const database = standIn();
  for (const one of storeConformance(() => postgresStore(database))) test(one.name, one.run);
});
