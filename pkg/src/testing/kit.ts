/** What the cases of the conformance suite are made of. */
import type { SessionStore } from "../stores/store.js";

/** What a case is given. */
export interface Kit {
  /** Clients of the same database: one, and another that stands for a second process. */
  readonly store: SessionStore;
  readonly other: SessionStore;
  /** How many calls are made at once where a case makes many. */
  readonly parallel: number;
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A key in the form of those that sessions use, different each time; with a body, the key that ends with it. */
export function key(body = ""): string {
  const random = crypto.getRandomValues(new Uint8Array(43 - body.length));
  return `wx1:sessions:${[...random].map((byte) => BASE64URL[byte % 64]).join("")}${body}`;
}

/** A time some seconds from now, in whole seconds since 1970. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A time that no case reaches. */
export function later(): number {
  return inSeconds(3600);
}

/** Waits until the clock has passed a time by a margin, which stands for a server whose clock is a little behind. */
export async function until(time: number, margin = 0.5): Promise<void> {
  for (;;) {
    const wait = (time + margin) * 1000 - Date.now();
    if (wait <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 500)));
  }
}

/** Fails unless two values are the same. Records are shortened: one that was changed in the middle would fill the page. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`);
}

function show(value: unknown): string {
  if (typeof value !== "string") return `${String(value)} (${value === null ? "null" : typeof value})`;
  return value.length <= 80 ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, 80))}... of ${value.length}`;
}

/** Makes the first record under a new key, and gives the key. */
export async function record(store: SessionStore, text: string, expiresAt = later()): Promise<string> {
  const name = key();
  same(await store.compareAndSwap(name, null, text, expiresAt), true, "the first write");
  return name;
}

/** Several calls at once, alternating between the two clients. */
export function atOnce<T>({ store, other }: Kit, count: number, call: (store: SessionStore, i: number) => Promise<T>) {
  return Promise.all(Array.from({ length: count }, (_, i) => call(i % 2 === 0 ? store : other, i)));
}
