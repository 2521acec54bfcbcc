/**
 * Memory that a verifier in the WebAssembly instance shares with JavaScript: the token is written to where it is read, and
 * the claims are read from where they were decoded. See `src/bindings/exchange.rs`.
 */
import type { ProtectedHeader } from "./types.js";
import type { Core } from "./wasm.js";

/** What stands at each place of the reply. */
const Reply = { claims: 0, claimsLength: 1, headerNumber: 2, header: 3, headerLength: 4, source: 5 } as const;

/** How many headers are kept. */
const HEADERS = 4;

/** The names of where a token was found, by their number. */
const SOURCES = [undefined, "bearer", "cookie"] as const;

/** A protected header that was shown before. */
interface Shown {
  readonly number: number;
  readonly text: string;
  /** The header, if none of its members is an object: a copy of it is all that a caller can change. */
  readonly flat: ProtectedHeader | undefined;
}

/** Reads text at a place of the memory. */
type Reader = (from: number, to: number) => string;

const encoder = new TextEncoder();

/** What is shared with one verifier of one instance. */
export class Exchange {
  /** Whose memory it is. */
  readonly verifier: Core.CoreVerifier;
  #token: Uint8Array = new Uint8Array(0);
  #reply: Uint32Array = new Uint32Array(0);
  #read: Reader = () => "";
  readonly #shown: Shown[] = [];

  constructor(verifier: Core.CoreVerifier) {
    this.verifier = verifier;
  }

  /**
   * Writes a token to where the next call reads it. No code of the caller's may run in between: it could verify another.
   *
   * @returns How many bytes it has.
   */
  write(token: string): number {
    // Each UTF-16 code unit takes three bytes at most. A view of memory that has grown since is empty.
    if (typeof token !== "string" || 3 * token.length > this.#token.length || this.#token.length === 0) {
      this.#token = this.verifier.room(token);
    }
    return encoder.encodeInto(token, this.#token).written;
  }

  /** Finds the reply of the call that has just ended: part of that call, for it too asks the instance. */
  answered(): this {
    if (this.#reply.length === 0) {
      this.#reply = this.verifier.reply();
      this.#read = reader(this.#reply.buffer);
    }
    return this;
  }

  /** The claims of the token that was accepted, as JSON. */
  claims(): string {
    const reply = this.#reply;
    const from = reply[Reply.claims] as number;
    return this.#read(from, from + (reply[Reply.claimsLength] as number));
  }

  /** The protected header of the token that was accepted, the caller's own. */
  header(): ProtectedHeader {
    const reply = this.#reply;
    const number = reply[Reply.headerNumber] as number;
    let shown = this.#shown[number % HEADERS];
    if (shown?.number !== number) {
      const from = reply[Reply.header] as number;
      const text = this.#read(from, from + (reply[Reply.headerLength] as number));
      const header = JSON.parse(text) as ProtectedHeader;
      const isFlat = Object.values(header).every((value) => typeof value !== "object" || value === null);
      shown = { number, text, flat: isFlat ? header : undefined };
      this.#shown[number % HEADERS] = shown;
    }
    // Spreading defines members, so that one called __proto__ is a member like any other.
    return shown.flat === undefined ? (JSON.parse(shown.text) as ProtectedHeader) : { ...shown.flat };
  }

  /** Where the token that was accepted was found. */
  source(): "bearer" | "cookie" | undefined {
    return SOURCES[this.#reply[Reply.source] as number];
  }
}

/** Node's Buffer, which reads short text two times as fast as TextDecoder. Not every host has it, and no build brings it. */
interface NodeBuffer {
  from(memory: ArrayBufferLike): { utf8Slice?: Reader };
}

function reader(memory: ArrayBufferLike): Reader {
  const buffer = (globalThis as { Buffer?: NodeBuffer }).Buffer?.from(memory);
  if (typeof buffer?.utf8Slice === "function") return (from, to) => (buffer.utf8Slice as Reader)(from, to);
  const bytes = new Uint8Array(memory);
  const decoder = new TextDecoder();
  return (from, to) => decoder.decode(bytes.subarray(from, to));
}
