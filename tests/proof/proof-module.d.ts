/** The glue of the build with the feature `proof`, which bundlers of these tests put here; see signatures.ts. */
declare module "proof-module" {
  export function prove_signature(jwk: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | undefined;
  export function initSync(input: { module: WebAssembly.Module }): void;
}

declare module "proof-wasm" {
  const module: WebAssembly.Module;
  export default module;
}
