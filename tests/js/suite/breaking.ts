// Real traps inside the WebAssembly instance. The facade makes its instances of a module in which every function can be made to
// trap (`breakable` of the harness); what it is then told is what an engine says of a shipped module that has a fault.

import { ok } from "../harness/assert.js";
import type { Harness, Library } from "../harness/types.js";
import { trapping } from "./hostile.js";

/** The kinds, as the module numbers them. */
export const TRAPS = ["unreachable", "an access out of bounds", "a stack that overflows"] as const;

interface Exports {
  readonly entered: WebAssembly.Global<"i32">;
  readonly left: WebAssembly.Global<"i32">;
  readonly kind: WebAssembly.Global<"i32">;
}

/** The instance that the facade uses, and those that it had before. */
export class Breakable {
  /** How many instances were made since this one took the shipped one's place. */
  made = 0;
  /** How many functions an instance that is yet to be made may enter before it traps; any number if it is negative. */
  allowed = -1;
  #exports: Exports | undefined;

  /** Makes an instance in the place of the one that was asked for. */
  instance(Instance: typeof WebAssembly.Instance, module: WebAssembly.Module, imports: WebAssembly.Imports): object {
    this.made += 1;
    const made = new Instance(module, imports);
    this.#exports = made.exports as unknown as Exports;
    this.#exports.left.value = this.allowed;
    return made;
  }

  /** Lets the instance enter so many functions, and then trap. */
  arm(functions: number, kind = 0): void {
    ok(this.#exports);
    this.#exports.kind.value = kind;
    this.#exports.left.value = functions;
    this.#exports.entered.value = 0;
  }

  /** How many functions were entered since it was armed. */
  get entered(): number {
    return this.#exports?.entered.value ?? 0;
  }
}

/** Runs something while the facade's instances are breakable. The shipped module is back afterwards. */
export async function breaking(h: Harness, lib: Library, run: (broken: Breakable) => Promise<void>): Promise<void> {
  const [module, { Instance }, broken] = [await h.breakable(), WebAssembly, new Breakable()];
  const replace = (): void => {
    try {
      trapping(() => lib.parseCookie("a=b"));
    } catch {
      // That is what makes the facade ask for an instance.
    }
    // Should it not have come so far, with texts that fail, this call does.
    lib.parseCookie("a=b");
  };
  WebAssembly.Instance = function (_: WebAssembly.Module, imports: WebAssembly.Imports) {
    return broken.instance(Instance, module, imports);
  } as unknown as typeof Instance;
  try {
    replace();
    // What is set in every instance could not be set while text conversion failed; now it can.
    lib.parseCookie("a=b");
    broken.made = 0;
    await run(broken);
  } finally {
    WebAssembly.Instance = Instance;
    broken.arm(-1);
    replace();
  }
}
