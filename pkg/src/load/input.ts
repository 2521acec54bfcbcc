/** What `init` can load the WebAssembly module from; a string is a URL. */
export type InitInput = WebAssembly.Module | BufferSource | Response | Promise<Response> | URL | string;
