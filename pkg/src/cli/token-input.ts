/** What the commands about tokens have in common: the token, and the options of a verifier. */
import { existsSync } from "node:fs";
import type { VerifierOptions } from "../entry/inline.js";
import { type Call, type Option, shown, UsageError } from "./command.js";
import { readText } from "./files.js";

/** What stands for a token in the help. */
export const TOKEN = "<token|file|->";
/** Said wherever a token can be an argument. */
export const VISIBLE =
  "A token among the arguments is seen by every process of the machine and kept in the shell's history: prefer a file or -.";

/** The options of a verifier. */
export const POLICY: Readonly<Record<string, Option>> = {
  jwks: { value: "<file|url|->", many: true, help: "the issuer's public keys: JWK Set, JWK, PEM or certificate" },
  issuer: { value: "<iss>", help: "the issuer that the token must be of" },
  audience: { value: "<aud>", many: true, help: "an audience that the token may be for" },
  typ: { value: "<typ>", help: "the type that its header must have" },
  "clock-tolerance": { value: "<duration>", help: "how much clocks may differ, up to 5m" },
  at: { value: "<time>", help: "verify as of this time instead of now" },
};

/** The options of a verifier but for its keys. What is not given is not checked. */
export function policy(call: Call) {
  const [typ, clockTolerance] = [call.text("typ"), call.seconds("clock-tolerance")];
  const audience = call.texts("audience");
  return {
    issuer: call.text("issuer") ?? null,
    audience: audience.length === 0 ? null : audience,
    ...(typ !== undefined && { typ }),
    ...(clockTolerance !== undefined && { clockTolerance }),
  } satisfies VerifierOptions;
}

/** The token of the first argument: itself, or in a file or stdin. */
export async function readToken(call: Call): Promise<string> {
  const given = call.parameters[0] as string;
  const text = given === "-" || isFile(given) ? await readText(given) : given;
  return text.trim().replace(/^(Authorization:\s*)?Bearer\s+/i, "");
}

function isFile(given: string): boolean {
  // Every JWT begins with {" in base64url: it is not looked for on the disk.
  if (/^(Bearer\s+)?eyJ/i.test(given)) return false;
  if (existsSync(given)) return true;
  if (given.includes(".") && !given.includes("/") && given.split(".").length >= 3) return false;
  throw new UsageError(`${shown(given)}: no such file, and not a JWT either, which has three parts with dots between`);
}
