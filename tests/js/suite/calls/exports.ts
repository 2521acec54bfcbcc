// What the package exports, from the package itself.

import * as fetchGlue from "waxseal/fetch";
import * as honoGlue from "waxseal/hono";
import * as metrics from "waxseal/metrics";
import * as nodeGlue from "waxseal/node";
import * as d1 from "waxseal/stores/d1";
import * as denoKv from "waxseal/stores/deno-kv";
import * as memory from "waxseal/stores/memory";
import * as redis from "waxseal/stores/redis";
import * as sqlite from "waxseal/stores/sqlite";
import * as testing from "waxseal/testing";
import type { Library } from "../../harness/types.js";

/** Subpaths by their names, but for those of Workers alone; `waxseal/slim` and `waxseal/workerd` are the main one again. */
export const SUBPATHS = {
  fetch: fetchGlue,
  hono: honoGlue,
  metrics,
  node: nodeGlue,
  "stores/d1": d1,
  "stores/deno-kv": denoKv,
  "stores/memory": memory,
  "stores/redis": redis,
  "stores/sqlite": sqlite,
  testing,
};

/** Exports that are not called, and why. */
export const UNCALLED: Record<string, string> = {
  WaxsealError: "made by the library alone",
  "fetch.responseOf": "not in the declarations: for the other entries of the package alone",
  "stores/durable-object.SessionRecords": "made by the runtime alone",
};

/** The names of everything that can be called, such as `createVerifier` and `stores/redis.redisStore`. */
export function exported(lib: Library, more: Record<string, object> = {}): string[] {
  const names = Object.entries({ ...SUBPATHS, ...more }).flatMap(([path, module]) =>
    Object.entries(module)
      .filter(([, value]) => typeof value === "function")
      .map(([name]) => `${path}.${name}`),
  );
  const own = Object.entries(lib).filter(([, value]) => typeof value === "function");
  return [...own.map(([name]) => name), ...names].filter((name) => UNCALLED[name] === undefined);
}

/** The methods of an object: those of its class, or its own; symbols by their description. */
export function methodsOf(name: string, object: object): string[] {
  const prototype = Object.getPrototypeOf(object) as object;
  const holder = prototype === Object.prototype ? object : prototype;
  return Reflect.ownKeys(holder)
    .filter((key) => key !== "constructor")
    .filter((key) => {
      const { value, get } = Object.getOwnPropertyDescriptor(holder, key) ?? {};
      return typeof value === "function" || get !== undefined;
    })
    .map((key) => `${name}.${typeof key === "symbol" ? (key.description ?? "") : key}`);
}
