// What a Worker's bundle has beside it.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
