// From what is in the form to a report: one call of the library's `explain`, and the cases in which it cannot be made.

import {
  type CommonVerifierOptions,
  decodeUnverified,
  type ExplainedStep,
  type Explanation,
  explain,
  generateKeyPair,
  type TrustedIssuer,
  WaxsealError,
} from "waxseal";
import { messageOf } from "../dom.js";
import type { KeyInput, ParsedKey } from "./key-text.js";

/** What the developer expects of the token; `null` is the library's way to say "not checked". */
export type Expectations = Pick<TrustedIssuer, "issuer" | "audience"> &
  Pick<CommonVerifierOptions, "clockTolerance" | "typ" | "subject" | "maxTokenAge" | "requiredClaims">;

export interface Report extends Explanation {
  /** Why the check could not be made as asked, and which part of the form is to be mended. */
  problem?: { field: "key" | "settings"; code?: string; message: string };
}

/** The steps in their order, with what each one looks at. */
export const STEPS: readonly { step: ExplainedStep["step"]; title: string; about: string }[] = [
  { step: "size", title: "Size", about: "At most 8 KiB, before anything is read." },
  { step: "segments", title: "Segments", about: "Three parts of strict, unpadded base64url." },
  { step: "header", title: "Protected header", about: "A strict JSON object; nothing in it is followed or obeyed." },
  { step: "key", title: "Key", about: "Exactly one of your keys fits, and decides the algorithm." },
  { step: "signature", title: "Signature", about: "Made by the owner of that key, over these very bytes." },
  { step: "claims", title: "Claims set", about: "A strict JSON object whose times are numbers of seconds." },
  { step: "policy", title: "Policy", about: "Expiry, issuer, audience, and what else you expect." },
  { step: "revocation", title: "Revocation", about: "Asks your store whether the token was ended early." },
];

export async function check(token: string, key: ParsedKey, expectations: Expectations, now: number): Promise<Report> {
  if (key.state === "unreadable") {
    const report = await checkWithoutKey(token, expectations, now);
    return { ...report, problem: { field: "key", message: key.message } };
  }
  if (key.state === "empty") return checkWithoutKey(token, expectations, now);
  return checkWith(token, key.keys, expectations, now);
}

async function checkWith(token: string, keys: KeyInput, expectations: Expectations, now: number): Promise<Report> {
  try {
    return await explain(token, { keys, ...expectations, now });
  } catch (error) {
    const code = error instanceof WaxsealError ? error.code : undefined;
    const field = code?.startsWith("ERR_KEY") ? "key" : "settings";
    const problem = { field, ...(code === undefined ? {} : { code }), message: messageOf(error) } as const;
    // Not even copied into WebAssembly, so there is no explanation but this one.
    if (code === "ERR_TOKEN_TOO_LARGE") return tooLarge(messageOf(error));
    // A key that cannot be used should not keep anybody from seeing the rest; a setting that cannot be used does.
    if (field === "key") return { ...(await checkWithoutKey(token, expectations, now)), problem };
    return { steps: [], ...decoded(token), problem };
  }
}

function tooLarge(message: string): Report {
  const later = STEPS.slice(1).map(({ step }) => ({ step, outcome: "not-reached", message: "" }) as const);
  return { steps: [{ step: "size", outcome: "failed", code: "ERR_TOKEN_TOO_LARGE", message }, ...later] };
}

let stranger: Promise<KeyInput> | undefined;
/**
 * Everything that can be said before there is a key. The library never checks a token without one, so it is given a
 * stranger's, made here; what it says of the key and the signature then means nothing and is taken out.
 */
async function checkWithoutKey(token: string, expectations: Expectations, now: number): Promise<Report> {
  stranger ??= generateKeyPair("ES256").then((pair) => pair.publicKey);
  const report = await checkWith(token, await stranger, expectations, now);
  const steps = report.steps.map((step) =>
    step.step === "key" || step.step === "signature"
      ? { step: step.step, outcome: "not-reached" as const, message: "Needs a key." }
      : step,
  );
  return { ...report, steps, ...(report.claims ? {} : decoded(token)) };
}

function decoded(token: string): Pick<Report, "header" | "claims"> {
  try {
    return decodeUnverified(token);
  } catch {
    return {};
  }
}
