// A revocation store in memory, and the documented form of its keys.

import { base64url, concat, utf8 } from "./support.js";

/** A store in memory that remembers what it was asked. */
export class MemoryStore {
  readonly entries = new Map<string, string>();
  readonly read: string[] = [];
  readonly written: { key: string; value: string; ttl: number }[] = [];

  async get(key: string): Promise<string | null> {
    this.read.push(key);
    return this.entries.get(key) ?? null;
  }

  async put(key: string, value: string, options: { expirationTtl: number }): Promise<void> {
    this.written.push({ key, value, ttl: options.expirationTtl });
    this.entries.set(key, value);
  }
}

/** The documented key of an entry, by WebCrypto: SHA-256 over issuer and identifier, each behind its length. */
export async function entryKey(kind: string, issuer: string, identifier: string): Promise<string> {
  const part = (text: string): Uint8Array<ArrayBuffer> => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setUint32(4, utf8(text).length);
    return concat(length, utf8(text));
  };
  return `wx1:${kind}:${base64url(await crypto.subtle.digest("SHA-256", concat(part(issuer), part(identifier))))}`;
}
