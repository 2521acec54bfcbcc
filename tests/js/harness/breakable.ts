/**
 * The module of the package, made to trap when a test says so: every function first counts, and traps when its turn has come.
 * The shipped module has no such hook; this one is made of it, and takes its place in the tests alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const SHIPPED = "target/packed/node_modules/waxseal/dist/waxseal.wasm";
const BREAKABLE = "target/packed/breakable.wasm";

/** The bytes of the module; it is made again when the shipped one is another. */
export async function breakable(): Promise<Uint8Array<ArrayBuffer>> {
  // The date of what npm unpacks says nothing: the tarball's does.
  const isNew = (): boolean => statSync(BREAKABLE).mtimeMs > statSync("target/packed/waxseal.tgz").mtimeMs;
  if (!existsSync(BREAKABLE) || !isNew()) {
    mkdirSync(dirname(BREAKABLE), { recursive: true });
    // In one step, for another runtime's tests may read it at the same time.
    const unfinished = `${BREAKABLE}.${process.pid}`;
    writeFileSync(unfinished, await breaking(readFileSync(SHIPPED)));
    renameSync(unfinished, BREAKABLE);
  }
  return new Uint8Array(readFileSync(BREAKABLE));
}

/** The same, compiled. */
export async function compiled(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await breakable());
}

/**
 * Exports three numbers beside what is there: `entered`, how many functions were; `left`, how many may still be before one
 * traps, any number if it is negative; `kind`, which trap it is, in the order of `TRAPS` in tests/js/suite/breaking.ts.
 */
async function breaking(wasm: Uint8Array): Promise<Uint8Array> {
  // It awaits at its top level, so CommonJS cannot require it.
  const { default: binaryen } = await import("binaryen");
  // Gives a function another body. The package's declarations leave it out.
  const { setBody } = (binaryen as unknown as { Function: { setBody(of: number, body: number): void } }).Function;
  const module = binaryen.readBinary(wasm);
  const { i32, none } = binaryen;
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
  for (const [name, initial] of [
    ["entered", 0],
    ["left", -1],
    ["kind", 0],
  ] as const) {
    module.addGlobal(name, i32, true, module.i32.const(initial));
    module.addGlobalExport(name, name);
  }
  const get = (name: string): number => module.global.get(name, i32);
  const add = (name: string, value: number): number =>
    module.global.set(name, module.i32.add(get(name), module.i32.const(value)));
  const is = (kind: number, then: number): number =>
    module.if(module.i32.eq(get("kind"), module.i32.const(kind)), then);
  module.addFunction("overflow", none, i32, [], module.i32.add(module.call("overflow", [], i32), get("left")));
  const trap = [
    is(0, module.unreachable()),
    is(1, module.drop(module.i32.load(0, 4, module.i32.const(-16)))),
    is(2, module.drop(module.call("overflow", [], i32))),
  ];
  const zero = module.i32.const(0);
  const turn = [module.if(module.i32.eqz(get("left")), module.block(null, trap)), add("left", -1)];
  module.addFunction(
    "enter",
    none,
    none,
    [],
    module.block(null, [add("entered", 1), module.if(module.i32.ge_s(get("left"), zero), module.block(null, turn))]),
  );
  for (const each of functions) {
    const { base, body, results } = binaryen.getFunctionInfo(each);
    // An import has no body.
    if (base !== "") continue;
    setBody(each, module.block(null, [module.call("enter", [], none), body], results));
  }
  if (module.validate() !== 1) throw new Error("the module that can be broken is not valid");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
