/**
 * Keys on their way into the core. The core is given what is secret as bytes, which it copies into memory that it overwrites;
 * so are the bytes here, when nobody needs them any more. A string cannot be overwritten: none is kept.
 */
import { optionInvalid } from "./error.js";
import { isObject, snapshot, take } from "./options.js";
import type { Core } from "./wasm.js";

/** The members of a JWK that are secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). */
const SECRET = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** A key as the core takes it, in copies of our own. */
export type KeyParts = Core.KeyParts;

/** Takes a key apart: a JWK, its text, PEM, DER. What is none of these is left for the core to refuse. */
export function keyParts(key: unknown): KeyParts {
  if (typeof key === "string") return [undefined, new TextEncoder().encode(key)];
  if (isBytes(key)) return [undefined, copied(key)];
  if (!isObject(key)) return [key, undefined];
  const { taken, rest } = take(key, SECRET, "key");
  // That they are there is told, and for the core to judge; of their values it needs no other than that of an EC key's d.
  for (const name of Object.keys(taken)) if (taken[name] !== undefined) rest[name] = null;
  if (typeof taken.d !== "string") return [snapshot(rest), undefined];
  rest.d = "";
  return [snapshot(rest), new TextEncoder().encode(taken.d)];
}

const typeOfArray = Reflect.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as () => unknown;

/** Whether a value is bytes, also those of another realm; nothing of the value's own is asked. */
export function isBytes(value: unknown): value is Uint8Array {
  return Reflect.apply(typeOfArray, value, []) === "Uint8Array";
}

function copied(bytes: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw optionInvalid("key must be bytes that are still there, not those of a buffer that was transferred.");
  }
}

/** Overwrites the secret of a key. */
export function forget(parts: KeyParts | undefined): void {
  parts?.[1]?.fill(0);
}

/** Does something with keys that are then needed no longer. */
export function withKeys<T>(keys: readonly unknown[], use: (parts: KeyParts[]) => T): T {
  const all: KeyParts[] = [];
  try {
    for (const key of keys) all.push(keyParts(key));
    return use(all);
  } finally {
    all.forEach(forget);
  }
}
