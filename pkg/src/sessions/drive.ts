/** Does what a call of sessions wants done: reads, swaps, signs, writes. What an answer means is decided by the core. */
import { type Deadline, FAILED, within } from "../deadline.js";
import { optionInvalid } from "../error.js";
import { isObject } from "../options.js";
import { writeEntries } from "../revocation-store.js";
import { type Sign, signed } from "../signer.js";
import type { SessionStore } from "../stores/store.js";
import type { RevocationStore } from "../types.js";
import type { Core, Once } from "../wasm.js";

/** What belongs to the host. */
export interface Host {
  /** Where sessions are kept. */
  readonly store: SessionStore;
  /** Where revocation entries are kept. */
  readonly revocation: RevocationStore | undefined;
  /** Keys outside the module: of access tokens, and of refresh tokens. */
  readonly sign: readonly [Sign | undefined, Sign | undefined];
}

/** How long a call may wait, in seconds. */
export interface Timeouts {
  /** For sessions and keys. */
  readonly store: number;
  /** For each reading and each writing of revocation entries. */
  readonly revocation: number;
}

type Step = Core.CallStep;
/** The steps that end a call. */
type End = Extract<Step, [step: "released" | "ended" | "sessions" | "live", ...rest: unknown[]]>;

/** Checks that a store can keep sessions. */
export function sessionStoreFrom(option: unknown): SessionStore {
  try {
    if (isObject(option) && has(option, "read") && has(option, "compareAndSwap")) return option as SessionStore;
    if (isObject(option) && has(option, "getWithMetadata")) {
      throw optionInvalid(
        "store is a Workers KV namespace, which cannot compare and swap and shows old values for a minute: two refreshes " +
          "would fork a session, and a logout could be undone. Keep sessions in a Durable Object (waxseal/stores/durable-object) " +
          "or D1 (waxseal/stores/d1), and give the namespace as revocation.store.",
      );
    }
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "WaxsealError") throw thrown;
  }
  throw optionInvalid(
    "store must have the methods read and compareAndSwap; waxseal/stores has durable-object, d1, sqlite, redis, deno-kv and " +
      "memory.",
  );
}

function has(object: object, name: string): boolean {
  return typeof Reflect.get(object, name) === "function";
}

/** Carries a call through to its end. */
export function drive(call: Once<Core.CoreCall>, host: Host, timeouts: Timeouts): Promise<End> {
  return within(timeouts.store, async (deadline) => {
    let answer: unknown;
    for (;;) {
      const step = call.use((running) => running.resume(answer));
      switch (step[0]) {
        case "released":
        case "ended":
        case "sessions":
        case "live":
          return step;
        default:
          answer = await perform(step, host, deadline, timeouts.revocation);
      }
    }
  });
}

async function perform(
  step: Exclude<Step, End>,
  { store, revocation, sign }: Host,
  { attempt }: Deadline,
  timeout: number,
): Promise<unknown> {
  switch (step[0]) {
    case "read":
      return attempt(() => store.read(step[1]));
    case "swap":
      return attempt(() => store.compareAndSwap(step[1], step[2] ?? null, step[3], step[4]));
    case "sign":
      return attempt(() => Promise.all(sign.map((key, index) => signature(key, step[index + 1] as Uint8Array))));
    case "write":
      break;
  }
  return revocation === undefined ? FAILED : writeEntries(revocation, step[1], timeout);
}

async function signature(sign: Sign | undefined, bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> {
  return bytes === undefined || sign === undefined ? undefined : signed(sign, bytes);
}
