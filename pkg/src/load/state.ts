/**
 * The one WebAssembly instance, and how it comes to be: an entry point registers what it knows about its host, and the
 * first call that needs the instance makes it. Importing the package compiles nothing.
 *
 * It throws the three errors below; the facade turns them into its own.
 */
import * as glue from "../../dist/wasm/waxseal.js";
import type { InitInput } from "./input.js";

/** What wasm-bindgen generated: the classes and functions of `src/bindings/`. */
export type Bindings = typeof glue;

/** What a host can do to get the module. */
export interface Loader {
  /** For hosts that may compile, or already hold, the module without waiting. */
  loadSync?(): WebAssembly.Module | BufferSource;
  /** For hosts that must wait. */
  load?(): Promise<WebAssembly.Module | BufferSource>;
}

/** Nothing has been loaded yet, and this host cannot do it without waiting, or this build has no bytes inside. */
export class NotLoadedError extends Error {
  override readonly name = "NotLoadedError";
}

/** Something was given to `init` that is not the module, or could not be fetched. */
export class ModuleInputError extends Error {
  override readonly name = "ModuleInputError";
}

/** The host refuses to compile or instantiate the module. */
export class HostRefusedError extends Error {
  override readonly name = "HostRefusedError";
}

const NO_BYTES = "this build has no WebAssembly inside: pass a module, bytes, a Response or a URL to init()";

let loader: Loader = {};
let loaded = false;
let pending: Promise<void> | undefined;
let instantiating = false;

/** Called once by each entry point that knows a way to load; `slim` knows none. */
export function setLoader(value: Loader): void {
  loader = value;
}

/** The bindings, loaded now if the host can do that without waiting. */
export function ensureSync(): Bindings {
  if (loaded) return glue;
  if (instantiating) {
    // A second instance would replace the first, and every object of the first would point into foreign memory.
    throw new NotLoadedError("init() is still under way: await it before the first call");
  }
  if (loader.loadSync === undefined) {
    throw new NotLoadedError(
      "the WebAssembly module is not loaded yet: call `await init()` once before the first synchronous call",
    );
  }
  instantiateSync(loader.loadSync());
  return glue;
}

/**
 * The bindings, loaded in whichever way the host allows, or from `input`. It happens once: later calls wait for the
 * first, and do nothing when there is an instance.
 */
export async function ensure(input?: InitInput): Promise<Bindings> {
  if (loaded) return glue;
  if (input === undefined && pending === undefined) {
    if (loader.loadSync !== undefined) return ensureSync();
    // Thrown at once, so that the failure is never shared with a later call that brings the module.
    if (loader.load === undefined) throw new NotLoadedError(NO_BYTES);
  }
  pending ??= load(input).finally(() => {
    pending = undefined;
    instantiating = false;
  });
  await pending;
  return glue;
}

/**
 * Replaces an instance that has trapped by a new one made from the same module. Objects of the old instance are stale:
 * their owners make them anew.
 */
export function reset(): void {
  if (loaded) glue.__wbg_reset_state();
}

function instantiateSync(module: WebAssembly.Module | BufferSource): void {
  try {
    glue.initSync({ module: adopted(module) });
  } catch (error) {
    throw refused(error);
  }
  loaded = true;
}

async function load(input: InitInput | undefined): Promise<void> {
  const module = input === undefined ? await own(loader) : await given(input);
  // A synchronous call may have been first.
  if (loaded) return;
  instantiating = true;
  try {
    // Asynchronous because browsers limit what their main thread may instantiate synchronously.
    await glue.default({ module_or_path: adopted(module) });
  } catch (error) {
    if (input === undefined || lacksSimd()) throw refused(error);
    throw new ModuleInputError("what init() was given is not Waxseal's module", { cause: error });
  }
  loaded = true;
}

/** The module from the entry point's own loader. */
async function own({ load }: Loader): Promise<WebAssembly.Module> {
  if (load === undefined) throw new NotLoadedError(NO_BYTES);
  const source = await load();
  try {
    return isModule(source) ? (source as WebAssembly.Module) : await WebAssembly.compile(source as BufferSource);
  } catch (error) {
    throw refused(error);
  }
}

/** The module from the caller of `init`. */
async function given(input: InitInput): Promise<WebAssembly.Module> {
  try {
    const module = await compile(input);
    // Anything else may well instantiate, and would then be in the place of the real one.
    if (!WebAssembly.Module.exports(module).some(({ name }) => name === "__wbindgen_start")) {
      throw new Error("the module lacks Waxseal's exports");
    }
    return module;
  } catch (error) {
    if (lacksSimd()) throw refused(error);
    throw new ModuleInputError(
      "init() takes a WebAssembly.Module, bytes, a Response or a URL of waxseal.wasm, and could not load this one",
      { cause: error },
    );
  }
}

async function compile(input: InitInput): Promise<WebAssembly.Module> {
  const source = typeof input === "string" || input instanceof URL ? await fetch(input) : await input;
  if (isModule(source)) return source as WebAssembly.Module;
  if (!isResponse(source)) return await WebAssembly.compile(source as BufferSource);
  if (!source.ok) throw new Error(`HTTP status ${source.status}`);
  // Servers that do not know the type are common; streaming insists on it.
  const streams = "compileStreaming" in WebAssembly && source.headers.get("content-type") === "application/wasm";
  return streams ? await WebAssembly.compileStreaming(source) : await WebAssembly.compile(await source.arrayBuffer());
}

// By tag and shape, not `instanceof`: the value may come from another realm or from a polyfill of fetch.
// No type predicate: the type WebAssembly.Module has no members, so its negation would exclude everything.
function isModule(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/**
 * A module of another realm, made one of this: sandboxes such as that of Next.js for its Edge runtime give what their host has
 * compiled. It would instantiate as it is, but the glue asks `instanceof`, and takes what is no module for bytes.
 */
function adopted<M extends WebAssembly.Module | BufferSource>(source: M): M {
  const isForeign = isModule(source) && !(source instanceof WebAssembly.Module);
  return isForeign ? (Object.setPrototypeOf(source, WebAssembly.Module.prototype) as M) : source;
}

function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "arrayBuffer" in value && "headers" in value;
}

function refused(cause: unknown): HostRefusedError {
  const message = lacksSimd()
    ? "This host has no WebAssembly SIMD (simd128), which Waxseal needs: browsers have it since 2023, Node since 16.4."
    : "This host cannot compile or instantiate the WebAssembly module.";
  return new HostRefusedError(message, { cause });
}

/** `(module (func i32.const 0 i8x16.splat drop))`: valid where there is SIMD alone. */
const SIMD_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x1a, 0x0b],
);

/** Asked only when the module did not load, so that importing and loading cost nothing more. */
function lacksSimd(): boolean {
  return !WebAssembly.validate(SIMD_PROBE);
}
