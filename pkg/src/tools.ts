import type { ErrorCode } from "./error-codes.js";
import type { ErrorReason } from "./error.js";
import type { InitInput } from "./load/input.js";
import { callOptions, clockFrom, take } from "./options.js";
import { coreWithSets, RemoteKeys } from "./remote/keys.js";
import type { StandardSchema } from "./schema.js";
import type { Claims, VerifierOptions } from "./types.js";
import { call, keepSetting, load } from "./wasm.js";

/**
 * Loads the WebAssembly module. Needed once in browsers before the functions that are not asynchronous; elsewhere, and
 * after any `createVerifier` or `createIssuer`, it is harmless. The package `waxseal/slim` has no module inside and needs
 * it always.
 *
 * @param input A compiled module, its bytes, a `Response` or its promise, or a URL; without it the module in the package.
 * @throws WaxsealError `ERR_OPTION_INVALID` when `input` is not the module; `ERR_RUNTIME_UNSUPPORTED` when the host cannot
 *   compile it; `ERR_NOT_INITIALIZED` from `waxseal/slim` without `input`
 */
export async function init(input?: InitInput): Promise<void> {
  await load(input);
}

/**
 * Reads a token without verifying anything. Whatever it says may be a lie: decide nothing by it.
 *
 * @throws WaxsealError `ERR_TOKEN_TOO_LARGE`, `ERR_TOKEN_MALFORMED`, `ERR_HEADER_INVALID`, `ERR_CLAIMS_INVALID`
 */
export function decodeUnverified<C = Partial<Claims>>(token: string): { header: Record<string, unknown>; claims: C } {
  const [claims, header] = call((core) => core.decode_unverified(token));
  return { header: JSON.parse(header) as Record<string, unknown>, claims: JSON.parse(claims) as C };
}

/** The memory for tables, see {@link tableMemory}. */
export interface TableMemory {
  /** The most that may be used, in bytes. */
  limit: number;
  /** What is used now, in bytes. */
  used: number;
  /** How many keys hold a part of it. */
  keys: number;
}

/**
 * The memory in which the keys that are in use keep what makes their verification fast, for all verifiers of this process
 * (of this isolate, on Workers) together.
 *
 * A P-256 key that has verified some ten tokens is given a table of about 100 KB, and the first one 300 KB more that all
 * share; an RSA key keeps about 10 KB from its first token on. Where the limit is reached, keys that are no longer used
 * make room for those that are. Verification never fails for want of memory: it is slower.
 *
 * @param options `limit`: the most that may be used from now on, in bytes, 0 to 4294967295; it is 1048576 unless set. What
 *   is above a lower limit is given up at once.
 * @returns The memory as it is after that.
 * @throws WaxsealError `ERR_OPTION_INVALID`
 */
export function tableMemory(options?: { limit?: number }): TableMemory {
  const [limit, used, keys] = call((core) => core.table_memory(options)) as Iterable<number> as [
    number,
    number,
    number,
  ];
  if (options !== undefined) keepSetting((core) => core.table_memory({ limit }));
  return { limit, used, keys };
}

/** One step of {@link explain}. */
export interface ExplainedStep {
  /** The step. */
  step: "size" | "segments" | "header" | "key" | "signature" | "claims" | "policy" | "revocation";
  /** How it went: `skipped` was not asked for, `not-reached` needs something that an earlier step could not give. */
  outcome: "passed" | "failed" | "skipped" | "not-reached";
  /** The code with which `verify` would refuse the token, had it come so far. */
  code?: ErrorCode;
  /** The claim at fault. */
  claim?: string;
  /** Why the claim was at fault. */
  reason?: ErrorReason;
  /** What was found, or what to do. */
  message: string;
}

/** What {@link explain} found. */
export interface Explanation {
  /** Every step in order. */
  steps: ExplainedStep[];
  /** The protected header, where it could be read. Not verified. */
  header?: Record<string, unknown>;
  /** The claims, where they could be read. Not verified. */
  claims?: Record<string, unknown>;
}

/**
 * Walks through every step of verification and says how it went and what to do, for tools and tests. It goes on after a
 * failure, so that every problem shows at once. The messages show values of the token: do not log them.
 *
 * @param token The token.
 * @param options As for `createVerifier`, and `now`. The revocation store is not read and a schema not run; a remote key set
 *   is fetched.
 * @throws WaxsealError `ERR_OPTION_INVALID` and the codes of unusable keys
 */
export async function explain(
  token: string,
  options: VerifierOptions<StandardSchema | undefined> & { now?: number | Date },
): Promise<Explanation> {
  await load();
  const { taken, rest } = take(options, ["clock", "onEvent", "revocation", "schema", "now"]);
  if (taken.revocation !== undefined) rest.revocation = take(taken.revocation, ["store"], "revocation").rest;
  const [now, clock] = callOptions({ now: taken.now }, clockFrom(taken.clock));
  const made = coreWithSets(rest, (data) => data);
  const keys = new RemoteKeys(made, { clock: clockFrom(taken.clock), emit: () => undefined });
  let explained: unknown;
  try {
    // A set that cannot be had is a step that fails, not the end of the explanation.
    await keys.ready().catch(() => undefined);
    explained = keys.explain(token, now, clock);
  } finally {
    made.core.dispose();
  }
  const { header, claims, ...explanation } = explained as {
    steps: ExplainedStep[];
    header?: string;
    claims?: string;
  };
  return {
    ...explanation,
    ...(header !== undefined && { header: JSON.parse(header) as Record<string, unknown> }),
    ...(claims !== undefined && { claims: JSON.parse(claims) as Record<string, unknown> }),
  };
}
