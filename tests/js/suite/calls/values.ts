// Values of every type that JavaScript has, from a source of numbers: each can be made again, says what it is without being
// touched, and knows smaller ones to try in its place.

import { NOW } from "../support.js";

/** A value to give. What it is made of is not looked at again: it may be a proxy that throws, or a buffer that is gone. */
export interface Given {
  /** What it is, for people. */
  readonly text: string;
  /** Makes it, a new one each time where it can be told from another. */
  make(): unknown;
  /** Simpler ones, the simplest first. */
  smaller(): Given[];
  /** The same with something in it changed. */
  changed(values: Values): Given;
}

/** What the values here throw: a call that lets it pass has called something of the caller's, and not caught it. */
export class Planted extends Error {
  override readonly name = "Planted";
  constructor() {
    super("thrown by the caller's own code");
  }
}

const thrown = (): never => {
  throw new Planted();
};

/** A value that has no parts. */
export function leaf(text: string, make: () => unknown): Given {
  return { text, make, smaller: () => (text === "undefined" ? [] : [UNDEFINED]), changed: (values) => values.any(1) };
}

const UNDEFINED: Given = {
  text: "undefined",
  make: () => undefined,
  smaller: () => [],
  changed: (values) => values.any(1),
};

/** A text, which is changed by characters. */
function textual(text: string): Given {
  return {
    text: text.length > 120 ? `${JSON.stringify(text.slice(0, 100))}… (${text.length})` : JSON.stringify(text),
    make: () => text,
    smaller: () => (text === "" ? [UNDEFINED] : [UNDEFINED, textual(""), textual(text.slice(0, text.length >> 1))]),
    changed: (values) => textual(values.mutated(text)),
  };
}

function listed(items: readonly Given[]): Given {
  return {
    text: `[${items.map(({ text }) => text).join(", ")}]`,
    make: () => items.map((item) => item.make()),
    smaller: () => [
      UNDEFINED,
      ...items.map((_, at) => listed(items.toSpliced(at, 1))),
      ...items.flatMap((item, at) => item.smaller().map((less) => listed(items.with(at, less)))),
    ],
    changed: (values) => {
      const at = values.below(items.length + 1);
      const next = items[at]?.changed(values) ?? values.any(2);
      return listed(at < items.length ? items.with(at, next) : [...items, next]);
    },
  };
}

type Member = readonly [name: string, value: Given];

function recorded(members: readonly Member[]): Given {
  return {
    text: `{ ${members.map(([name, { text }]) => `${JSON.stringify(name)}: ${text}`).join(", ")} }`,
    make: () => {
      const made = {};
      // Defined, not assigned: a member may be called __proto__.
      for (const [name, value] of members) {
        Object.defineProperty(made, name, {
          value: value.make(),
          configurable: true,
          enumerable: true,
          writable: true,
        });
      }
      return made;
    },
    smaller: () => [
      UNDEFINED,
      ...members.map((_, at) => recorded(members.toSpliced(at, 1))),
      ...members.flatMap(([name, value], at) =>
        value.smaller().map((less) => recorded(members.with(at, [name, less]))),
      ),
    ],
    changed: (values) => {
      const at = values.below(members.length + 1);
      const member = members[at];
      if (member === undefined) return recorded([...members, [values.name(), values.any(2)]]);
      const [name, value] = member;
      const way = values.below(4);
      if (way === 0) return recorded(members.toSpliced(at, 1));
      if (way === 1) return values.twisted(recorded(members), name);
      return recorded(members.with(at, [name, way === 2 ? values.any(2) : value.changed(values)]));
    },
  };
}

/** Plain data with the parts that it has; anything else stands as it is. */
export function data(value: unknown, text = "an object of the library's"): Given {
  if (typeof value === "string") return textual(value);
  if (Array.isArray(value)) return listed(value.map((item) => data(item)));
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return recorded(Object.entries(value).map(([name, member]) => [name, data(member, `the sample's ${name}`)]));
  }
  if (typeof value === "object" || typeof value === "function") return leaf(text, () => value);
  return leaf(String(value), () => value);
}

/** A buffer that was given away. */
function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Refuses everything that is done to it. */
const refusing = (target: object): object =>
  new Proxy(
    target,
    Object.fromEntries(
      ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor", "apply", "construct", "set"].map(
        (trap) => [trap, thrown],
      ),
    ),
  );

function cyclic(): object {
  const made: { self?: object; list: unknown[] } = { list: [] };
  made.self = made;
  made.list.push(made);
  return made;
}

class Instance {
  readonly kty = "EC";
  #secret = 1;
  get alg(): string {
    return this.#secret === 1 ? "ES256" : "";
  }
}

/** Promises and things like promises that do not do as they should. */
const THENABLES: Given[] = [
  leaf("Promise.resolve(null)", () => Promise.resolve(null)),
  leaf("a promise that rejects", () => {
    const promise = Promise.reject(new Planted());
    promise.catch(() => undefined);
    return promise;
  }),
  leaf("a thenable whose then throws", () => ({ then: thrown })),
  leaf("a thenable whose then cannot be read", () =>
    Object.defineProperty({}, "then", { get: thrown, enumerable: true }),
  ),
  leaf("a thenable that resolves with undefined twice", () => ({ then: (f: () => void) => (f(), f()) })),
  leaf("a thenable that resolves and rejects", () => ({
    then: (f: (x: number) => void, r: () => void) => (f(1), r()),
  })),
  leaf("a thenable with then: 1", () => ({ then: 1 })),
];

const HUGE = "x".repeat(100_000);

const LEAVES: Given[] = [
  ...[undefined, null, true, false, 0, 1, 60, -1, 0.5, Number.NaN, Infinity, -Infinity, NOW, NOW * 1000].map((value) =>
    leaf(String(value), () => value),
  ),
  ...[2 ** 31, 2 ** 32, 2 ** 53, 1e21, 1e300, 5e-324, 4_294_967_295].map((value) => leaf(String(value), () => value)),
  leaf("-0", () => -0),
  leaf("12n", () => 12n),
  leaf("-(2n ** 64n)", () => -(2n ** 64n)),
  leaf('Symbol("s")', () => Symbol("s")),
  leaf("Symbol.iterator", () => Symbol.iterator),
  ...[
    "",
    "a",
    "a.b.c",
    "..",
    "ES256",
    "RS256",
    "none",
    "__proto__",
    "\ud800",
    "a\udc00b",
    "\u0000",
    "é€😀",
    "\ufeff{}",
  ].map(textual),
  ...["https://x.example", "http://127.0.0.1/", "javascript:1", "//x", "-----BEGIN PUBLIC KEY-----\nAAAA\n"].map(
    textual,
  ),
  leaf('"x" × 100,000', () => HUGE),
  leaf('"\\ud83d" × 20,000', () => "\ud83d".repeat(20_000)),
  leaf("new Date(NOW)", () => new Date(NOW * 1000)),
  leaf("new Date(NaN)", () => new Date(Number.NaN)),
  leaf("a Map", () => new Map([["keys", 1]])),
  leaf("a Set", () => new Set(["ES256"])),
  leaf("/x/", () => /x/),
  leaf("new Error()", () => new Error("e")),
  leaf("new Uint8Array(5)", () => new Uint8Array(5)),
  leaf("a Float64Array", () => Float64Array.of(1.5, Number.NaN)),
  leaf("a DataView", () => new DataView(new ArrayBuffer(4))),
  leaf("new ArrayBuffer(8)", () => new ArrayBuffer(8)),
  leaf("bytes of a shared buffer", () =>
    // Browsers have it on isolated pages alone.
    typeof SharedArrayBuffer === "undefined" ? new Uint8Array(3) : new Uint8Array(new SharedArrayBuffer(16)),
  ),
  leaf("bytes of a detached buffer", detached),
  leaf("() => null", () => () => null),
  leaf("a function that throws", () => thrown),
  leaf("a function that throws undefined", () => () => {
    throw undefined;
  }),
  // But not as the `then` of an object: what that answers, `await` ignores, and nobody can handle it.
  leaf("an async function that rejects", () => async (resolve: unknown, reject: unknown) => {
    if (typeof resolve !== "function" || typeof reject !== "function") thrown();
  }),
  leaf("a class", () => class {}),
  leaf("an instance of a class", () => new Instance()),
  leaf("a proxy that refuses everything", () => refusing({})),
  leaf("a function's proxy that refuses everything", () => refusing(() => null)),
  leaf("an array's proxy that refuses everything", () => refusing([])),
  leaf("a revoked proxy", () => revoked({})),
  leaf("a revoked proxy of an array", () => revoked([])),
  leaf("a revoked proxy of a function", () => revoked(() => null)),
  leaf("a proxy of an empty object", () => new Proxy({}, {})),
  leaf("{ get x() throws }", () => Object.defineProperty({}, "x", { get: thrown, enumerable: true })),
  leaf("{ toString() throws }", () => ({ toString: thrown, valueOf: thrown })),
  leaf("{ [Symbol.toPrimitive]() throws }", () => ({ [Symbol.toPrimitive]: thrown })),
  leaf("{ [Symbol.iterator]() throws }", () => ({ [Symbol.iterator]: thrown })),
  leaf("an iterator without end", () => ({
    *[Symbol.iterator]() {
      for (let i = 0; i < 100_000; i++) yield i;
    },
  })),
  leaf("{ toJSON: () => 1 }", () => ({ toJSON: () => 1 })),
  leaf("{ toJSON() throws }", () => ({ toJSON: thrown })),
  leaf("Object.create(null)", () => Object.create(null) as object),
  leaf("an object that contains itself", cyclic),
  leaf("an array with holes", () => Array(3).fill("a", 2)),
  leaf("new Array(100_000)", () => new Array<unknown>(100_000)),
  leaf("a frozen array", () => Object.freeze(["ES256"])),
  leaf('new String("ES256")', () => new String("ES256")),
  leaf("new Number(3)", () => new Number(3)),
  leaf("globalThis", () => globalThis),
  leaf("a URL", () => new URL("https://x.example")),
  leaf("Headers", () => new Headers({ authorization: "Bearer a.b.c" })),
  leaf("a Request", () => new Request("https://x.example", { method: "POST", headers: { cookie: "a=b" } })),
  leaf("a Response", () => new Response("{}")),
  leaf("an array nested 2,000 deep", () => JSON.parse("[".repeat(2000) + "]".repeat(2000)) as unknown),
  leaf("an object of 5,000 members", () => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]))),
  ...THENABLES,
];

const NAMES =
  "keys issuer audience algorithms typ subject clockTolerance maxTokenAge requiredClaims claims crit maxTokenLength revocation cookie origins clock onEvent issuers key expiresIn kid now name value httpOnly secure sameSite path domain maxAge expires partitioned priority method headers alg sign publicKey kty crv x y n e d store onFailure timeout get put getMany authorization iss sub aud exp nbf iat jti sid ver before version refreshKeys access refresh cookies names maxSessions onReuse validate client read compareAndSwap jitter grace absolute request refreshToken label strong schema cache max limit modulusLength fetch prefix table tokenLifetime __proto__ constructor toString then 0".split(
    " ",
  );

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/; \n\u0000é\ud800";

/** Draws values from a source of numbers. */
export class Values {
  readonly #random: () => number;
  readonly #samples: readonly Given[];

  /** @param samples Values that mean something to the library: tokens, keys, cookies, options. */
  constructor(random: () => number, samples: readonly Given[]) {
    this.#random = random;
    this.#samples = samples.length > 0 ? samples : LEAVES;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  name(): string {
    return this.below(20) === 0 ? this.#text() : this.pick(NAMES);
  }

  #text(): string {
    return Array.from({ length: this.below(12) }, () => LETTERS[this.below(LETTERS.length)]).join("");
  }

  /** A text with a character changed, added or taken away, or cut short, or with a part of it twice. */
  mutated(text: string): string {
    const at = this.below(text.length + 1);
    const letter = LETTERS[this.below(LETTERS.length)] as string;
    return this.pick([
      () => text.slice(0, at) + letter + text.slice(at + 1),
      () => text.slice(0, at) + letter + text.slice(at),
      () => text.slice(0, at) + text.slice(at + 1),
      () => text.slice(0, at),
      () => text.slice(0, at) + text.slice(Math.max(0, at - 4)),
    ])();
  }

  /** A value for a whole argument: more often one that means something, or nearly. */
  argument(): Given {
    const kind = this.#random();
    return kind < 0.4 ? this.pick(this.#samples) : kind < 0.65 ? this.pick(this.#samples).changed(this) : this.any();
  }

  any(depth = 3): Given {
    const kind = this.#random();
    if (kind < 0.2) return this.pick(this.#samples);
    if (kind < 0.35) return this.pick(this.#samples).changed(this);
    if (depth === 0 || kind < 0.75) return this.pick(LEAVES);
    if (kind < 0.8) return textual(this.#text());
    const size = this.below(5);
    if (kind < 0.88) return listed(Array.from({ length: size }, () => this.any(depth - 1)));
    return recorded(Array.from({ length: size }, () => [this.name(), this.any(depth - 1)]));
  }

  /** An object whose members are not what they seem: inherited, behind getters that throw or answer anew, or of a proxy. */
  twisted(plain: Given, name: string): Given {
    const way = this.pick([
      "inherited",
      "a throwing getter",
      "a changing getter",
      "not enumerable",
      "a proxy",
    ] as const);
    const other = this.pick(LEAVES);
    const twisted = (of: Given): Given => ({
      text: `${of.text} with ${JSON.stringify(name)} ${way}`,
      make: () => {
        const made = of.make() as Record<string, unknown>;
        if (way === "inherited") return Object.create(made) as object;
        if (way === "a proxy") return new Proxy(made, {});
        let read = 0;
        const get = way === "a throwing getter" ? thrown : () => (read++ === 0 ? made : other.make());
        const property =
          way === "not enumerable" ? { value: made[name], enumerable: false } : { get, enumerable: true };
        return Object.defineProperty({ ...made }, name, { ...property, configurable: true });
      },
      smaller: () => [
        of,
        ...of
          .smaller()
          .filter(({ text }) => text.startsWith("{"))
          .map(twisted),
      ],
      changed: (values) => values.any(2),
    });
    return twisted(plain);
  }
}
