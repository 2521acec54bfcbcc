// What stands in the key field, as the library wants it. Only the form is read here; whether a key is usable is the
// library's to say.

import type { JWK, JwkSet } from "waxseal";

/** A JWK, a JWK Set, or PEM text: so the library takes it, whatever it turns out to be. */
export type KeyInput = JWK | JwkSet | string;

export type ParsedKey =
  { state: "empty" } | { state: "unreadable"; message: string } | { state: "read"; keys: KeyInput; summary: string };

export function parseKey(text: string): ParsedKey {
  const trimmed = text.trim();
  if (trimmed === "") return { state: "empty" };
  if (trimmed.startsWith("-----BEGIN")) return { state: "read", keys: trimmed, summary: pemSummary(trimmed) };
  if (!trimmed.startsWith("{")) {
    return { state: "unreadable", message: "Neither JSON nor PEM: a key starts with { or with -----BEGIN." };
  }
  let value: JWK | JwkSet;
  try {
    value = JSON.parse(trimmed) as JWK | JwkSet;
  } catch {
    return { state: "unreadable", message: "This starts like JSON, but is not complete or not valid." };
  }
  return { state: "read", keys: value, summary: jsonSummary(value) };
}

function pemSummary(text: string): string {
  const label = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  return label === undefined ? "PEM" : `PEM, ${label.toLowerCase()}`;
}

function isSet(value: JWK | JwkSet): value is JwkSet {
  return Array.isArray(value.keys);
}

function jsonSummary(value: JWK | JwkSet): string {
  if (isSet(value)) return `JWK Set, ${value.keys.length} ${value.keys.length === 1 ? "key" : "keys"}`;
  const words = [value.kty, value.crv, value.alg].filter((word): word is string => typeof word === "string");
  return `JWK${words.length > 0 ? `, ${words.join(" ")}` : ""}${typeof value.kid === "string" ? ", with kid" : ""}`;
}
