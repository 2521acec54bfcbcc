/** The module's bytes, which the build writes into the package as text. */
import base64 from "../../dist/waxseal.wasm?base64";

/** What hosts have for it: newer ones the first, Node of any age the second. */
interface Decoders {
  readonly Uint8Array: { fromBase64?(text: string): Uint8Array<ArrayBuffer> };
  readonly Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> };
}

/**
 * Decodes the bytes anew on each call: it happens once, and nothing keeps the memory. A loop over characters takes ten times
 * as long as a host's own decoder, at the start of a process, when somebody waits for the first answer.
 */
export function bytes(): Uint8Array<ArrayBuffer> {
  const { Uint8Array, Buffer } = globalThis as unknown as Decoders;
  if (Uint8Array.fromBase64 !== undefined) return Uint8Array.fromBase64(base64);
  if (Buffer !== undefined) return Buffer.from(base64, "base64");
  const binary = atob(base64);
  return globalThis.Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
