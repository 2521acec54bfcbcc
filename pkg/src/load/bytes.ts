/** The module's bytes, which the build writes into the package as text. */
import base64 from "../../dist/waxseal.wasm?base64";

/** Decodes the bytes anew on each call: it happens once, and nothing keeps the memory. */
export function bytes(): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i);
  return out;
}
