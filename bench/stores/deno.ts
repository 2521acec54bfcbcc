/** Runs in Deno and measures its KV in a file. */
import { type DenoKv, denoKvStore } from "waxseal/stores/deno-kv";
import { measure } from "./measure.js";

declare const Deno: { args: string[]; openKv(path: string): Promise<DenoKv>; exit(code: number): never };

console.log(JSON.stringify(await measure(denoKvStore(await Deno.openKv(Deno.args[0] ?? ":memory:")))));
Deno.exit(0);
