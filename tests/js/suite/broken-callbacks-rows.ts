// The callbacks of broken-callbacks.ts, a row each: an object that calls it, and what must come of it when it misbehaves.

import type { Harness, Library } from "../harness/types.js";
import { MemoryStore } from "./memory-store.js";
import { published, setOf } from "./remote-support.js";
import { ALICE, Records, serve, withBearer, withCookies } from "./session-support.js";
import { ec, makeIssuer, makeVerifier, otherEc, rawSignature, signed } from "./support.js";

/** What a callback may do to the object that calls it. */
export interface Caller {
  /** Makes the same call once more, if it is not this one already. */
  again(): Promise<unknown>;
  dispose(): void;
}

/** What is done in place of a callback; `honest` is what the callback should do. */
export type Act = (honest: () => unknown, caller: Caller) => unknown;

/** What must come of a call: it succeeds, fails with a code, or throws on what the callback has thrown. */
export type Expected = "succeeds" | "throws it on" | `ERR_${string}`;

/** A callback, misbehaving, in an object that is ready to be called. */
export interface Made {
  readonly run: () => Promise<unknown>;
  readonly dispose: () => void;
}

/** A row. */
export interface Row {
  readonly what: string;
  /** The answer is used as it comes: a promise is of a wrong type. */
  readonly immediate?: true;
  readonly failure: Expected;
  readonly wrong: Expected;
  /** Columns of which something else must come, and columns that would wait for ever, as documented. */
  readonly except?: { readonly [column: string]: Expected | "unbounded" };
  /** Lies that this callback alone can tell. */
  readonly lies?: readonly (readonly [what: string, act: Act, expected: Expected])[];
  /** Makes the object. `wrap` comes around what an honest callback does. */
  make(lib: Library, h: Harness, wrap: (honest: () => unknown) => unknown): Promise<Made>;
}

/** In seconds: what never answers is waited for so long, and what answers must do so on a busy machine. */
const SHORT = 0.7;
/** Of a callback that may take its time, as is documented: it has no deadline of the library. */
const UNBOUNDED = { "never answers": "unbounded", "answers a thenable that never settles": "unbounded" } as const;

/** Bytes whose buffer is another's now. */
function transferred(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const CALLED_A_BUFFER = { [Symbol.toStringTag]: "ArrayBuffer", length: 64 };

const SUCCEEDS_BY = (...names: string[]): { [column: string]: Expected } =>
  Object.fromEntries(names.map((name) => [`answers ${name}`, "succeeds"]));

/** A verifier with a revocation store of which one method is the callback. */
async function revoking(lib: Library, method: "get" | "getMany" | "put", wrap: (honest: () => unknown) => unknown) {
  const memory = new MemoryStore();
  const store = {
    get: (key: string) => (method === "get" ? wrap(() => memory.get(key)) : memory.get(key)),
    put: (...given: Parameters<MemoryStore["put"]>) =>
      method === "put" ? wrap(() => memory.put(...given)) : memory.put(...given),
    ...(method === "getMany" && {
      getMany: (keys: string[]) => wrap(() => Promise.all(keys.map((key) => memory.get(key)))),
    }),
  };
  return makeVerifier(lib, { revocation: { store, timeout: SHORT } });
}

/** A verifier whose key set is at a URL, read with these options. */
async function fetching(lib: Library, h: Harness, options: (url: string) => object): Promise<Made> {
  const set = await published(h);
  const keys = lib.remoteJwks(set.url, options(set.url));
  const verifier = await makeVerifier(lib, { keys });
  const token = await signed(await ec());
  return {
    run: () => verifier.verifyAsync(token),
    dispose: () => {
      keys.dispose();
      verifier.dispose();
    },
  };
}

export const ROWS: Row[] = [
  {
    what: "revocation.store.get",
    failure: "ERR_REVOCATION_UNAVAILABLE",
    wrong: "ERR_REVOCATION_UNAVAILABLE",
    except: SUCCEEDS_BY("null"),
    lies: [["answers that another is revoked", () => "wx1 revoked", "ERR_TOKEN_REVOKED"]],
    make: async (lib, _, wrap) => {
      const verifier = await revoking(lib, "get", wrap);
      const token = await signed(await ec());
      return { run: () => verifier.verifyAsync(token), dispose: () => verifier.dispose() };
    },
  },
  {
    what: "revocation.store.getMany",
    failure: "ERR_REVOCATION_UNAVAILABLE",
    wrong: "ERR_REVOCATION_UNAVAILABLE",
    lies: [
      ["answers for fewer keys", () => [null], "ERR_REVOCATION_UNAVAILABLE"],
      ["answers for more keys", () => Array(9).fill(null), "ERR_REVOCATION_UNAVAILABLE"],
    ],
    make: async (lib, _, wrap) => {
      const verifier = await revoking(lib, "getMany", wrap);
      const token = await signed(await ec());
      return { run: () => verifier.verifyAsync(token), dispose: () => verifier.dispose() };
    },
  },
  {
    what: "revocation.store.put",
    failure: "ERR_REVOCATION_UNAVAILABLE",
    // What it answers is nobody's business: KV answers nothing.
    wrong: "succeeds",
    make: async (lib, _, wrap) => {
      const verifier = await revoking(lib, "put", wrap);
      return { run: () => verifier.revokeSession("s"), dispose: () => verifier.dispose() };
    },
  },
  ...(["read", "compareAndSwap"] as const).map((method): Row => ({
    what: `store.${method} of sessions`,
    failure: "ERR_STORE_UNAVAILABLE",
    wrong: "ERR_STORE_UNAVAILABLE",
    // No record is what a subject has that never signed in. A swap that says no is tried again, and again.
    except: method === "read" ? SUCCEEDS_BY("null") : {},
    make: async (lib, _, wrap) => {
      const records = new Records();
      const store = {
        read: (key: string) => (method === "read" ? wrap(() => records.read(key)) : records.read(key)),
        compareAndSwap: (...given: Parameters<Records["compareAndSwap"]>) =>
          method === "read" ? records.compareAndSwap(...given) : wrap(() => records.compareAndSwap(...given)),
      };
      const { sessions } = await serve(lib, { store, timeout: SHORT });
      return { run: () => sessions.login(ALICE), dispose: () => sessions.dispose() };
    },
  })),
  {
    what: "cache.store.get of a key set",
    failure: "succeeds",
    wrong: "succeeds",
    make: (lib, h, wrap) =>
      fetching(lib, h, () => ({ cache: { store: { get: () => wrap(() => null), put: async () => undefined } } })),
  },
  {
    what: "cache.store.put of a key set",
    failure: "succeeds",
    wrong: "succeeds",
    make: (lib, h, wrap) =>
      fetching(lib, h, () => ({ cache: { store: { get: async () => null, put: () => wrap(() => undefined) } } })),
  },
  {
    what: "fetch of a key set",
    failure: "ERR_KEY_SET_UNAVAILABLE",
    wrong: "ERR_KEY_SET_UNAVAILABLE",
    lies: [
      ["answers the set of another", async () => new Response(setOf(await otherEc())), "ERR_KEY_NOT_FOUND"],
      ["answers an empty set", () => new Response('{"keys":[]}'), "ERR_KEY_SET_EMPTY"],
      [
        "answers one whose body was read",
        async () => {
          const response = new Response("{}");
          await response.text();
          return response;
        },
        "ERR_KEY_SET_UNAVAILABLE",
      ],
    ],
    make: (lib, h, wrap) =>
      fetching(lib, h, (url) => ({
        timeout: 2 * SHORT,
        fetch: () => wrap(() => fetch(url)),
      })),
  },
  {
    what: "waitUntil of a key set",
    immediate: true,
    failure: "succeeds",
    wrong: "succeeds",
    make: (lib, h, wrap) => fetching(lib, h, () => ({ waitUntil: () => wrap(() => undefined) })),
  },
  {
    what: "onEvent of a verifier",
    immediate: true,
    failure: "succeeds",
    wrong: "succeeds",
    make: async (lib, _, wrap) => {
      const verifier = await makeVerifier(lib, { onEvent: () => wrap(() => undefined) });
      const token = await signed(await ec());
      return { run: async () => verifier.verify(token), dispose: () => verifier.dispose() };
    },
  },
  {
    what: "onEvent of sessions",
    immediate: true,
    failure: "succeeds",
    wrong: "succeeds",
    make: async (lib, _, wrap) => {
      const { sessions } = await serve(lib, { onEvent: () => wrap(() => undefined) });
      return { run: () => sessions.login(ALICE), dispose: () => sessions.dispose() };
    },
  },
  {
    what: "clock of a verifier",
    immediate: true,
    failure: "ERR_CLOCK_INVALID",
    wrong: "ERR_CLOCK_INVALID",
    // 1970: a second after the epoch the token is of the future.
    except: { "answers a number": "ERR_TOKEN_ISSUED_IN_FUTURE" },
    make: async (lib, _, wrap) => {
      const verifier = await makeVerifier(lib, { clock: () => wrap(() => new Date(1_800_000_000_000)) });
      const token = await signed(await ec());
      return { run: async () => verifier.verify(token), dispose: () => verifier.dispose() };
    },
  },
  {
    what: "clock of sessions",
    immediate: true,
    failure: "ERR_CLOCK_INVALID",
    wrong: "ERR_CLOCK_INVALID",
    except: SUCCEEDS_BY("a number"),
    make: async (lib, _, wrap) => {
      const { sessions } = await serve(lib, { clock: () => wrap(() => 1_800_000_000) });
      return { run: () => sessions.login(ALICE), dispose: () => sessions.dispose() };
    },
  },
  {
    what: "key.sign of an issuer",
    failure: "ERR_SIGNER_FAILED",
    wrong: "ERR_SIGNER_FAILED",
    lies: [
      ["signs something else", async () => rawSignature(await ec(), new Uint8Array(3)), "ERR_SIGNER_FAILED"],
      ["signs with another key", async () => rawSignature(await otherEc(), new Uint8Array(3)), "ERR_SIGNER_FAILED"],
      ["answers zeros", () => new Uint8Array(64), "ERR_SIGNER_FAILED"],
      ["answers bytes that it has transferred", () => transferred(), "ERR_SIGNER_FAILED"],
      ["answers what only calls itself a buffer", () => CALLED_A_BUFFER, "ERR_SIGNER_FAILED"],
      ["answers more than any signature has", () => new Uint8Array(2 ** 24), "ERR_SIGNER_FAILED"],
    ],
    make: async (lib, _, wrap) => {
      const keys = await ec();
      const sign = (bytes: Uint8Array<ArrayBuffer>) => wrap(() => rawSignature(keys, bytes));
      const issuer = await makeIssuer(lib, { key: { alg: "ES256", publicKey: keys.publicJwk, sign } });
      return { run: () => issuer.issue({ sub: ALICE }), dispose: () => issuer.dispose() };
    },
  },
  {
    what: "key.sign of sessions",
    failure: "ERR_SIGNER_FAILED",
    wrong: "ERR_SIGNER_FAILED",
    make: async (lib, _, wrap) => {
      const keys = await ec();
      const sign = (bytes: Uint8Array<ArrayBuffer>) => wrap(() => rawSignature(keys, bytes));
      const key = { alg: "ES256", kid: "ec-1", publicKey: keys.publicJwk, sign };
      const { sessions } = await serve(lib, { keys: key, timeout: 2 * SHORT });
      return { run: () => sessions.login(ALICE), dispose: () => sessions.dispose() };
    },
  },
  {
    what: "validate of sessions",
    failure: "throws it on",
    wrong: "ERR_CLAIMS_REFUSED",
    except: UNBOUNDED,
    make: async (lib, _, wrap) => {
      const { sessions } = await serve(lib, { validate: () => wrap(() => true) });
      const { accessToken } = await sessions.login(ALICE);
      return { run: () => sessions.authenticate(withBearer(accessToken)), dispose: () => sessions.dispose() };
    },
  },
  {
    what: "client of sessions",
    immediate: true,
    failure: "throws it on",
    wrong: "ERR_OPTION_INVALID",
    except: SUCCEEDS_BY("undefined", "a text"),
    make: async (lib, _, wrap) => {
      let signedIn = false;
      const { sessions } = await serve(lib, { client: () => (signedIn ? wrap(() => "hunter2") : "hunter2") });
      const login = await sessions.login(ALICE);
      signedIn = true;
      return { run: () => sessions.refresh(withCookies(login)), dispose: () => sessions.dispose() };
    },
  },
  {
    what: "schema of a verifier",
    failure: "ERR_SCHEMA_FAILED",
    wrong: "ERR_SCHEMA_FAILED",
    make: async (lib, _, wrap) => {
      const validate = (value: unknown) => wrap(() => ({ value }));
      const verifier = await makeVerifier(lib, { schema: { "~standard": { version: 1, vendor: "test", validate } } });
      const token = await signed(await ec());
      return { run: () => verifier.verifyAsync(token), dispose: () => verifier.dispose() };
    },
  },
];
