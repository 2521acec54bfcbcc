// The memory of the module, and secrets searched for in it. Importing this file takes hold of every instance that is made
// from then on; what is shipped has no hook for it.

import { base64url, bigEndian, concat, fromBase64url, utf8 } from "./support.js";

let memory: WebAssembly.Memory | undefined;

const { Instance, instantiate } = WebAssembly;

function seen({ exports }: WebAssembly.Instance): void {
  // Others make instances too: Node's `fetch` has one of its own.
  if ("__wbindgen_start" in exports) memory = exports["memory"] as WebAssembly.Memory;
}

WebAssembly.Instance = new Proxy(Instance, {
  construct(target, parameters, self): WebAssembly.Instance {
    const instance = Reflect.construct(target, parameters, self) as WebAssembly.Instance;
    seen(instance);
    return instance;
  },
});

WebAssembly.instantiate = new Proxy(instantiate, {
  async apply(target, self, parameters): Promise<unknown> {
    const made = (await Reflect.apply(target, self, parameters)) as
      WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource;
    seen("instance" in made ? made.instance : made);
    return made;
  },
});

/** All of the memory: stack, data, heap with its freed blocks. */
export function wholeMemory(): Uint8Array {
  if (memory === undefined) throw new Error("no instance has been made");
  return new Uint8Array(memory.buffer);
}

/** So many bytes of a secret in a row are a copy of it, or what is left of one. */
export const WINDOW = 12;

/** The order of the group of P-256 (SEC 2 section 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A number by the name that a finding is told by. */
export type Secrets = Record<string, bigint>;

export function number(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** In base64 at the alignment `before`, the characters that the bytes alone decide. */
function aligned(bytes: Uint8Array, before: number): string {
  const text = base64url(concat(new Uint8Array(before), bytes));
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/** Every spelling of a number of 32 octets that code may use. */
function spellings(value: bigint): [form: string, bytes: Uint8Array][] {
  const big = bigEndian(value, 32);
  const limbs = (bytes: number): Uint8Array =>
    concat(...Array.from({ length: 32 / bytes }, (_, i) => big.slice(i * bytes, (i + 1) * bytes).reverse()));
  const montgomery = bigEndian((value << 256n) % ORDER, 32);
  const texts = [0, 1, 2].flatMap((before): [string, Uint8Array][] => {
    const url = aligned(big, before);
    const plain = url.replaceAll("-", "+").replaceAll("_", "/");
    return [
      [`base64url at ${before}`, utf8(url)],
      [`base64 at ${before}`, utf8(plain)],
      [
        `base64url in UTF-16 at ${before}`,
        Uint8Array.from(utf8(url)).reduce((all, byte) => concat(all, Uint8Array.of(byte, 0)), new Uint8Array()),
      ],
    ];
  });
  const hex = [...big].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    ["big-endian", big],
    ["little-endian", big.slice().reverse()],
    ["64-bit limbs, the highest first", limbs(8)],
    ["32-bit limbs, the highest first", limbs(4)],
    ["Montgomery, big-endian", montgomery],
    ["Montgomery, little-endian", montgomery.slice().reverse()],
    ["hexadecimal", utf8(hex)],
    ["decimal", utf8(value.toString())],
    ...texts,
  ];
}

/** A place where a secret, or a part of it, stands. */
export interface Finding {
  readonly secret: string;
  readonly form: string;
  readonly address: number;
  readonly length: number;
}

/** Every place in memory in which twelve bytes or more of any spelling of a secret stand. */
export function find(secrets: Secrets, bytes = wholeMemory()): Finding[] {
  const windows = new Map<number, { secret: string; form: string; text: Uint8Array; at: number }[]>();
  const possible = new Uint8Array(1 << 16);
  for (const [secret, value] of Object.entries(secrets)) {
    for (const [form, text] of spellings(value)) {
      for (let at = 0; at + WINDOW <= text.length; at++) {
        const [a = 0, b = 0, c = 0, d = 0] = text.subarray(at, at + 4);
        const head = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
        possible[head & 0xffff] = 1;
        windows.set(head, [...(windows.get(head) ?? []), { secret, form, text, at }]);
      }
    }
  }
  const findings: Finding[] = [];
  for (let address = 0, end = 0; address + WINDOW <= bytes.length; address++) {
    if (possible[(bytes[address] as number) | ((bytes[address + 1] as number) << 8)] === 0) continue;
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(address, address + 4);
    for (const { secret, form, text, at } of windows.get((a | (b << 8) | (c << 16) | (d << 24)) >>> 0) ?? []) {
      let length = 0;
      while (at + length < text.length && bytes[address + length] === text[at + length]) length++;
      // What was found from an earlier byte on is not told again.
      if (length < WINDOW || address + length <= end) continue;
      end = address + length;
      findings.push({ secret, form, address, length });
    }
  }
  return findings;
}

async function hmac(key: Uint8Array<ArrayBuffer>, ...message: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, concat(...message)));
}

function inverse(value: bigint): bigint {
  // Fermat: n is prime.
  let [result, base] = [1n, value];
  for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

/**
 * What gives a private key away beside itself: the nonce of the signature of an ES256 token as RFC 6979 section 3.2 derives
 * it, all that it is derived through, its inverse, and the sums of the equation of ECDSA. Throws when the token's signature
 * was not made with that nonce, so that a search for it is a search for something.
 */
export async function behindSignature(d: bigint, token: string): Promise<Secrets> {
  const at = token.lastIndexOf(".");
  const signature = fromBase64url(token.slice(at + 1));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(token.slice(0, at))));
  const z = number(hash) % ORDER;
  const seed = concat(bigEndian(d, 32), bigEndian(z, 32));
  const v0 = new Uint8Array(32).fill(1);
  const k1 = await hmac(new Uint8Array(32), v0, Uint8Array.of(0), seed);
  const v1 = await hmac(k1, v0);
  const k2 = await hmac(k1, v1, Uint8Array.of(1), seed);
  const v2 = await hmac(k2, v1);
  const k = number(await hmac(k2, v2));
  const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
  const sum = (z + r * d) % ORDER;
  // crypto that normalises s gives n - s.
  if (![s, ORDER - s].includes((inverse(k) * sum) % ORDER)) throw new Error("not the nonce of RFC 6979");
  return {
    nonce: k,
    "inverse of the nonce": inverse(k),
    "r times d": (r * d) % ORDER,
    "z + r times d": sum,
    "first key of the derivation": number(k1),
    "second key of the derivation": number(k2),
    "first value of the derivation": number(v1),
    "second value of the derivation": number(v2),
  };
}
