/** What an import of the WebAssembly file gives. */

// Compiled ahead of time by the bundler or runtime of the host.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

// The same where the bundler wants to be told (Vercel's Edge runtime).
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

// Resolved by this package's own build.
declare module "*.wasm?base64" {
  const base64: string;
  export default base64;
}
