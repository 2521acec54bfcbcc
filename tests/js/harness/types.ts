/**
 * What a behavioural suite is given, and what it must be: the same suite runs on every runtime against the library from
 * the packed tarball, so it must not import anything that only one runtime has.
 */

/** The library as its users import it. */
export type Library = typeof import("waxseal");

/** Where a suite is running, and so which export condition resolved the library. */
export type Runtime = "node-esm" | "node-cjs" | "workerd" | "chromium" | "deno" | "bun";

/** The part of a Workers KV namespace that revocation needs. */
export interface KVNamespaceLike {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** How the cases of a vector file came out; which of them differ from the file's own verdict is checked before. */
export interface Verdicts {
  readonly file: string;
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  /** How many of these differ from the file on purpose. */
  readonly divergent: number;
}

export interface Harness {
  /** Declares a test; its name is the sentence it proves. Tests run one after another in the order of declaration. */
  test(name: string, fn: () => void | Promise<void>): void;
  /** Counts a test as skipped and prints why, for what a runtime or a machine lacks. */
  skip(name: string, reason: string): void;
  /** Called by a test: its verdicts on a vector file, to be printed and handed on with its outcome. */
  verdicts(found: Verdicts): void;
  readonly runtime: Runtime;
  /** A real KV namespace; on workerd only. */
  readonly kv?: KVNamespaceLike;
  /** Where a server of key sets is: see `key-server.ts`. */
  readonly keyServer: string;
  /**
   * Reads a file of vectors by its path inside the directory of vectors, such as `"rfc_jose_examples.json"` or
   * `"wycheproof/json_web_key_test.json"`. Undefined when the directory is absent: the suite then calls `skip`.
   */
  vectors(name: string): Promise<unknown>;
  /** The module in which every function can be made to trap: see `breakable.ts`. */
  breakable(): Promise<WebAssembly.Module>;
}

/** Declares tests. It may be asynchronous, to load vectors before it declares what they test. */
export type Suite = (harness: Harness, lib: Library) => void | Promise<void>;
