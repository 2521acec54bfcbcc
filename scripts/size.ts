/**
 * `make size`: where the bytes of `waxseal.wasm` go, by crate and by module of this one.
 *
 * A group's bytes after gzip are those by which the compressed file is shorter without the group's functions. What
 * resembles code of other groups weighs less by itself than together with it, so these do not add up to the whole. The
 * linker puts functions into their callers: a group is what the functions that are left are called after.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const WASM = "pkg/dist/waxseal.wasm";
/** The names of its functions, one `index:name` a line. */
const SYMBOLS = "target/waxseal.symbols";

/** Section numbers of the binary format, section 5.5.2 of the WebAssembly specification. */
const CODE = 10;
const DATA = 11;

interface Part {
  readonly group: string;
  readonly bytes: Uint8Array;
}

/** An unsigned LEB128 number, and where the next thing begins. */
function unsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error(`${WASM} ends within a number`);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** The module in parts: each function, the data, and whatever else there is. */
function parts(wasm: Uint8Array, names: readonly string[]): Part[] {
  const found: Part[] = [{ group: "everything else", bytes: wasm.subarray(0, 8) }];
  for (let at = 8; at < wasm.length;) {
    const id = wasm[at];
    const [length, content] = unsigned(wasm, at + 1);
    const end = content + length;
    if (id === CODE) {
      let [count, next] = unsigned(wasm, content);
      // Imported functions come first in the list of names.
      for (const name of names.slice(-count)) {
        const [size, body] = unsigned(wasm, next);
        next = body + size;
        found.push({ group: group(name), bytes: wasm.subarray(body, next) });
      }
    } else {
      found.push({
        group: id === DATA ? "data: messages, constants" : "everything else",
        bytes: wasm.subarray(at, end),
      });
    }
    at = end;
  }
  return found;
}

/** The crate that a function's name begins with, or the first that it is generic over; of Waxseal, the module too. */
function group(name: string): string {
  if (name.includes("drop_in_place")) return "drop glue";
  const own = /\bwaxseal::(\w+)/.exec(name);
  if (own !== null) return `waxseal::${own[1]}`;
  // Wasm-bindgen names its exports after the class, without a path.
  if (!name.includes("::")) return "waxseal::bindings";
  return /(\w+)(?:\[[0-9a-f]+\])?::/.exec(name)?.[1] ?? "others";
}

const gzipped = (parts: readonly Part[]) =>
  gzipSync(Buffer.concat(parts.map(({ bytes }) => bytes)), { level: 9 }).length;

const wasm = readFileSync(WASM);
const names = readFileSync(SYMBOLS, "utf8").trimEnd().split("\n");
const all = parts(wasm, names);
const whole = gzipped(all);
const rows = [...new Set(all.map((part) => part.group))].map((group) => {
  const [inside, outside] = [all.filter((part) => part.group === group), all.filter((part) => part.group !== group)];
  const bytes = inside.reduce((sum, part) => sum + part.bytes.length, 0);
  return { group, functions: inside.length, bytes, gzip: whole - gzipped(outside) };
});
rows.sort((a, b) => b.gzip - a.gzip);

const line = (...[name, ...figures]: [string, ...(string | number)[]]) =>
  console.log(name.padEnd(28) + figures.map((figure) => `${figure}`.padStart(10)).join(""));
line("", "parts", "bytes", "gzip");
for (const { group, functions, bytes, gzip } of rows) if (gzip >= 100) line(group, functions, bytes, gzip);
line("the file", all.length, wasm.length, gzipSync(wasm, { level: 9 }).length);
