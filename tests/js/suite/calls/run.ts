// Random calls of everything that the package exports. Nothing but a WaxsealError may come out, whatever is given.

import type { Library } from "../../harness/types.js";
import { seeded } from "../support.js";
import { type Ground, makeGround } from "./ground.js";
import { type Recipe, recipes } from "./recipes.js";
import { Rejections } from "./rejections.js";
import { type Given, Planted, Values } from "./values.js";

/** What to do. */
export interface Plan {
  readonly lib: Library;
  readonly seed: number;
  readonly count: number;
  /** The number of the first call; each call is determined by the seed and its own number, but for keys and tokens. */
  readonly from?: number;
  /** Ends the run before its count. */
  readonly until?: () => boolean;
  /** Modules that this host alone can import. */
  readonly more?: Record<string, object>;
}

/** What came of it. */
export interface Calls {
  readonly calls: number;
  /** How often each was called, and how often it gave a result. */
  readonly by: Record<string, [called: number, succeeded: number]>;
  /** What must not be: the number of the call, a shrunk description of it, and what came out. */
  readonly failures: string[];
  /** How often an instance was replaced. */
  readonly replaced: number;
  /** The size of the instance's memory in bytes, after a quarter of the calls and after all. */
  readonly memory: readonly [warm: number, end: number];
}

/** What calls are made on is made anew after so many, so that what they leave behind in it does not pile up. */
const CALLS_PER_GROUND = 2_000;
/** No wait of what is called is longer than a tenth of that. */
const HANGS_MS = 10_000;
/** Failures of one kind, of one function and with one message, are told once. */
const MAX_FAILURES = 20;
const MAX_SHRINKING = 400;
/** After so many it is asked whether a rejection was not handled. */
const CALLS_PER_LOOK = 500;

/** The size of the module's memory, as text that is written into it sees it. */
export function memoryOf(lib: Library): number {
  const { encodeInto } = TextEncoder.prototype;
  let size = 0;
  TextEncoder.prototype.encodeInto = function (text, target) {
    size = target.buffer.byteLength;
    return encodeInto.call(this, text, target);
  };
  try {
    lib.parseCookie("a=é");
  } finally {
    TextEncoder.prototype.encodeInto = encodeInto;
  }
  return size;
}

/** Waits, but not for ever. */
async function settled(result: unknown): Promise<unknown> {
  if (!(result instanceof Promise)) return result;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${HANGS_MS} ms`)), HANGS_MS);
  });
  try {
    return await Promise.race([result, limit]);
  } finally {
    clearTimeout(timer);
  }
}

class Run {
  readonly #lib: Library;
  readonly #more: Record<string, object> | undefined;
  #ground!: Ground;
  #recipes: Record<string, Recipe> = {};
  #names: string[] = [];
  #familiar = new Set<unknown>();
  #pieces: string[] = [];
  #replaced = 0;
  /** What the callbacks of what is wild draw from. */
  #values = new Values(() => 0, []);
  readonly by: Calls["by"] = {};
  readonly failures: string[] = [];
  readonly #told = new Set<string>();

  constructor({ lib, more }: Plan) {
    this.#lib = lib;
    this.#more = more;
  }

  get replaced(): number {
    return this.#replaced + this.#ground.replaced();
  }

  async begin(): Promise<void> {
    if (this.#names.length > 0) {
      this.#replaced += this.#ground.replaced();
      this.#ground.dispose();
    }
    // Until everything is made, callbacks answer as they should.
    let anything = (usual: unknown): unknown => usual;
    this.#ground = await makeGround(this.#lib, (usual) => anything(usual));
    anything = (usual) => {
      if (this.#values.below(2) === 0) return usual;
      if (this.#values.below(8) === 0) throw new Planted();
      return this.#values.any(1).make();
    };
    this.#recipes = recipes(this.#lib, this.#ground, this.#more);
    this.#names = Object.entries(this.#recipes).flatMap(([name, { rare = 1 }]) =>
      Array(Math.ceil(50 / rare)).fill(name),
    );
    const { verifier, issuer, sessions } = this.#ground;
    const remote = this.#lib.remoteJwks("https://keys.example/");
    // Whose methods have recipes, or which are not the library's.
    const known = [
      verifier,
      issuer,
      sessions,
      remote,
      new Headers(),
      [],
      {},
      new Response(),
      new Request("https://x.example"),
    ];
    remote.dispose();
    this.#familiar = new Set([...known.map((one) => Object.getPrototypeOf(one) as unknown), null]);
    // Any sixteen characters at a place divisible by eight: no text of 24 characters of a secret is without one.
    this.#pieces = this.#ground.secrets.flatMap((secret) =>
      Array.from({ length: Math.floor(secret.length / 8) - 1 }, (_, i) => secret.slice(i * 8, i * 8 + 16)),
    );
  }

  /** A token that is good verifies, and one that is not does not. */
  isAlive(): boolean {
    const { verifier, token } = this.#ground;
    const at = token.lastIndexOf(".") + 5;
    const forged = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    try {
      verifier.verify(forged);
      return false;
    } catch (error) {
      const code = error instanceof this.#lib.WaxsealError ? error.code : "";
      return code === "ERR_SIGNATURE_INVALID" && verifier.verify(token).claims.sub === "alice";
    }
  }

  /** The call of a number. */
  async one(seed: number, number: number): Promise<void> {
    this.#values = new Values(seeded(Math.imul(seed, 0x9e3779b1) ^ number), this.#ground.samples);
    const name = this.#values.pick(this.#names);
    const given = this.#arguments(name);
    const counts = (this.by[name] ??= [0, 0]);
    counts[0] += 1;
    const strange = await this.#strange(name, given, counts);
    if (strange === undefined || this.#told.has(`${name} ${strange}`)) return;
    this.#told.add(`${name} ${strange}`);
    const least = await this.#shrunk(name, given, strange);
    this.failures.push(`call ${number}, ${name}(${least.map(({ text }) => text).join(", ")}): ${strange}`);
  }

  /** Arguments: those that it takes, mostly with something changed, or any others. */
  #arguments(name: string): Given[] {
    const values = this.#values;
    const fitting = this.#recipes[name]?.fitting ?? this.#ground.fitting[name.slice(name.search(/[^. ]+$/))];
    if (fitting === undefined || values.below(2) === 0) {
      return Array.from({ length: values.pick([0, 1, 1, 1, 1, 2, 2, 2, 3, 3]) }, () => values.argument());
    }
    const list = values.pick(fitting);
    if (values.below(3) === 0) return [...list];
    const at = values.below(list.length);
    return list.with(at, (list[at] as Given).changed(values));
  }

  /** Makes a call, and says what was strange about it. */
  async #strange(name: string, given: readonly Given[], counts?: [number, number]): Promise<string | undefined> {
    const recipe = this.#recipes[name] as Recipe;
    const values = given.map((one) => one.make());
    let result: unknown;
    try {
      result = recipe.call(values);
    } catch (error) {
      return this.#judged(error, recipe.passes === true);
    }
    try {
      const value = await settled(result);
      if (counts !== undefined) counts[1] += 1;
      return recipe.store === true ? undefined : this.#unknownClass(value);
    } catch (error) {
      if (recipe.store === true && !(error instanceof this.#lib.WaxsealError)) return undefined;
      return this.#judged(error, recipe.passes === true);
    }
  }

  #judged(error: unknown, passes: boolean): string | undefined {
    let isPlanted = false;
    try {
      if (error instanceof this.#lib.WaxsealError) {
        if (error.code === "ERR_INTERNAL") return "ERR_INTERNAL";
        const said = `${error.message} ${String(error.cause ?? "")}`;
        return this.#pieces.some((piece) => said.includes(piece)) ? `${error.code} with a secret in it` : undefined;
      }
      isPlanted = error instanceof Planted;
    } catch {
      // Not even what it is can be asked: a proxy of the caller's.
      isPlanted = true;
    }
    // What a callback answers is awaited, which throws for a revoked proxy as if the callback had thrown.
    const fromCallback = isPlanted || !(error instanceof Error) || /revoked/.test(error.message);
    if (passes && fromCallback) return undefined;
    if (isPlanted) return "what the caller's own code threw came out";
    return error instanceof Error ? `${error.name}: ${error.message}` : `${typeof error} was thrown`;
  }

  /** An object whose methods nobody calls here would go untried. */
  #unknownClass(value: unknown): string | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    let prototype: unknown;
    try {
      prototype = Object.getPrototypeOf(value);
    } catch {
      return undefined;
    }
    // By name for what another realm has made.
    if (this.#familiar.has(prototype) || !Object.hasOwn(prototype as object, "constructor")) return undefined;
    const { name } = (prototype as { constructor: { name: string } }).constructor;
    return ["Object", "Array", "CacheFigures"].includes(name)
      ? undefined
      : `an object of a class without recipes: ${name}`;
  }

  /** The simplest arguments with which the same is strange. */
  async #shrunk(name: string, given: readonly Given[], strange: string): Promise<readonly Given[]> {
    let tries = 0;
    let least = given;
    for (let found = true; found;) {
      found = false;
      const fewer = least.length > 0 ? [least.slice(0, -1)] : [];
      const simpler = least.flatMap((one, at) => one.smaller().map((less) => least.with(at, less)));
      for (const candidate of [...fewer, ...simpler]) {
        if (tries++ > MAX_SHRINKING) return least;
        if ((await this.#strange(name, candidate)) === strange) {
          [least, found] = [candidate, true];
          break;
        }
      }
    }
    return least;
  }
}

/** Makes calls again that have left a rejection which nobody handled, one at a time, and tells which of them it was. */
async function tellWhich(run: Run, rejections: Rejections, seed: number, first: number, last: number): Promise<void> {
  const told = run.failures.length;
  for (let number = first; number <= last; number++) {
    await run.one(seed, number);
    if ((await rejections.since(20)).length > 0) run.failures.push(`call ${number}: a rejection was not handled`);
  }
  if (run.failures.length === told) run.failures.push(`calls ${first} to ${last}: a rejection was not handled`);
}

/** Makes the calls. */
export async function runCalls(plan: Plan): Promise<Calls> {
  const { lib, seed, count, from = 0, until = () => false } = plan;
  await lib.init();
  const run = new Run(plan);
  await run.begin();
  const rejections = new Rejections();
  let warm = memoryOf(lib);
  let [calls, looked] = [0, 0];
  const look = async (): Promise<void> => {
    if ((await rejections.since()).length > 0) await tellWhich(run, rejections, seed, from + looked, from + calls - 1);
    looked = calls;
  };
  for (; calls < count && run.failures.length < MAX_FAILURES && !until(); calls++) {
    if (calls - looked === CALLS_PER_LOOK) await look();
    if (calls > 0 && calls % CALLS_PER_GROUND === 0) await run.begin();
    if (calls === Math.floor(count / 4)) warm = memoryOf(lib);
    await run.one(seed, from + calls);
  }
  await look();
  rejections.stop();
  if (!run.isAlive())
    run.failures.push("at the end, the library does not verify what it should, or does what it should not");
  return { calls, by: run.by, failures: run.failures, replaced: run.replaced, memory: [warm, memoryOf(lib)] };
}
