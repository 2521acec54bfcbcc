/** What to do about a step that failed, from what the token says and what the user gave. */
import { type ExplainedStep, explain, type JWK } from "../entry/inline.js";
import { dateOf, durationOf } from "./text.js";

/** What is known. */
export interface Facts {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The keys that were given; `undefined` when none were. */
  readonly keys: readonly JWK[] | undefined;
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
  /** The time of verification, in seconds. */
  readonly now: number;
  /** Whether it is the time of this machine's clock. */
  readonly isNow: boolean;
}

/** Clocks that differ by up to this many seconds can be tolerated; see `clockTolerance`. */
const MAX_TOLERANCE = 300;

/** Each of several keys is tried; of a set of a thousand that would take long. */
const MOST_TRIED = 100;

/** Sentences of advice for a step that failed; none where its message says it all. */
export async function adviceFor(step: ExplainedStep, facts: Facts): Promise<string[]> {
  switch (step.step) {
    case "segments":
      return segments(facts.token);
    case "header":
      return type(facts);
    case "key": {
      const found = await signer(facts);
      return [...algorithm(facts), ...(found.length > 0 ? found : kids(step, facts))];
    }
    case "signature": {
      const found = await signer(facts);
      return found.length === 0 && (facts.keys ?? []).length > 1 ? ["None of the keys given verifies it."] : found;
    }
    case "claims":
      return milliseconds(step, facts);
    case "policy":
      return [...times(facts), ...names(facts)];
    default:
      return [];
  }
}

function segments(token: string): string[] {
  const count = token.split(".").length;
  if (count < 3)
    return ["This is not a whole JWT: it was cut short, or it is an opaque token, which only its issuer can check."];
  if (/\s/.test(token)) return ["There is white space in it: it was copied with a line break."];
  if (/[+/=]/.test(token)) return ["It is base64 with + / or =; a JWT is base64url without padding."];
  if (/[…"'<>%]/.test(token)) return ["It was copied with characters that are not part of it."];
  return [];
}

function type({ header }: Facts): string[] {
  if (header["typ"] !== "rt+jwt") return [];
  return ["This is a refresh token: it goes to the refresh route alone. Send the access token."];
}

function algorithm({ header, keys }: Facts): string[] {
  const alg = header["alg"];
  if (alg === "none") return ["It is not signed (alg none): anybody can have written it."];
  if (typeof alg !== "string" || alg === "ES256" || alg === "RS256") {
    const others = (keys ?? []).filter((key) => key.kid === header["kid"] && key.alg !== alg);
    return others.map((key) => `The key ${quoted(key.kid)} is for ${key.alg}, and the token says ${quoted(alg)}.`);
  }
  if (alg.startsWith("HS")) return [`${alg} is a shared secret: let the issuer sign with ES256 or RS256.`];
  return ["Waxseal takes ES256 and RS256: let the issuer sign with one of these."];
}

function kids({ code }: ExplainedStep, { header, keys = [] }: Facts): string[] {
  if (code !== "ERR_KEY_NOT_FOUND") return [];
  const has = listed(keys.map(({ kid }) => kid));
  const asks = header["kid"] === undefined ? "no key by name" : quoted(header["kid"]);
  return [
    `The keys given have the kid ${has}; the token asks for ${asks}.`,
    "Fetch the issuer's set again, for keys are replaced; or the token is of another issuer or environment.",
  ];
}

/** Which of the other keys the token was signed with, whatever it names. */
async function signer({ token, keys = [], now }: Facts): Promise<string[]> {
  for (const { kid, ...key } of keys.slice(0, MOST_TRIED)) {
    const { steps } = await explain(token, { keys: key as JWK, issuer: null, audience: null, now });
    if (steps.some(({ step, outcome }) => step === "signature" && outcome === "passed")) {
      return [`The key ${quoted(kid)} verifies its signature: the token names the wrong kid, or the key has it.`];
    }
  }
  return [];
}

function milliseconds({ claim }: ExplainedStep, { claims }: Facts): string[] {
  const value = claim === undefined ? undefined : claims[claim];
  if (typeof value === "string" && /^\d+$/.test(value)) return [`${claim} is a string: write it as a number.`];
  if (typeof value !== "number" || value < 1e11) return [];
  return [
    `${claim} counts milliseconds (${dateOf(value / 1000)}): let the issuer write Math.floor(Date.now() / 1000).`,
  ];
}

function times({ claims, now, isNow }: Facts): string[] {
  const [iat, nbf, exp] = ["iat", "nbf", "exp"].map((name) => claims[name]);
  const said: string[] = [];
  if (typeof exp === "number" && exp <= now) {
    const life = typeof iat === "number" ? `, after ${durationOf(exp - iat)}` : "";
    said.push(`It expired ${dateOf(exp)}${life}: ${durationOf(now - exp)} ago.`);
    if (now - exp < MAX_TOLERANCE)
      said.push("If it should be valid still, compare the clocks; --clock-tolerance 300 allows for them.");
  }
  const [name, start] = typeof nbf === "number" && nbf > now ? ["nbf", nbf] : ["iat", iat];
  if (typeof start === "number" && start > now) {
    const ahead = start - now;
    const clock = isNow ? "this machine's clock" : "the time given";
    said.push(`Its ${name} is ${dateOf(start)}, and ${clock} says ${dateOf(now)}: ${durationOf(ahead)} earlier.`);
    const skew = "One of the two clocks is wrong: set it by NTP.";
    said.push(ahead <= MAX_TOLERANCE ? `${skew} --clock-tolerance ${Math.ceil(ahead)} allows for it meanwhile.` : skew);
  }
  return said;
}

function names({ claims, issuer, audience }: Facts): string[] {
  const said: string[] = [];
  if (issuer !== undefined && claims["iss"] !== issuer) said.push(...near("iss", [claims["iss"]], [issuer]));
  const has = [claims["aud"]].flat();
  if (audience.length > 0 && !has.some((one) => audience.includes(one as string))) {
    said.push(...near("aud", has, audience));
    said.push("If it is not a slip, the token is for another service: ask the issuer for one for yours.");
  }
  return said;
}

/** Two names that are nearly one. */
function near(claim: string, has: readonly unknown[], wanted: readonly string[]): string[] {
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replace(/^https?:\/\//, "")
      .replace(/\/+$/, "");
  for (const one of has) {
    if (typeof one !== "string") continue;
    const close = wanted.find((other) => plain(other) === plain(one));
    if (close === undefined) continue;
    const kind =
      close.replace(/\/+$/, "") === one.replace(/\/+$/, "")
        ? "a slash at the end"
        : close.toLowerCase() === one.toLowerCase()
          ? "capital letters"
          : "https:// or a slash";
    return [`${claim} ${quoted(one)} and ${quoted(close)} differ by ${kind} alone; they must be equal.`];
  }
  return [];
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `“${text !== undefined && text.length > 100 ? `${text.slice(0, 100)}…` : text}”`;
}

function listed(values: readonly unknown[]): string {
  const shown = values.slice(0, 10).map(quoted).join(", ");
  return values.length > 10 ? `${shown} and ${values.length - 10} more` : shown;
}
