/** Takes from a request what the core decides on. */
import { optionInvalid, type WaxsealError } from "./error.js";
import { isObject } from "./options.js";

/** The parts of a request that matter here, as the core takes them. */
export type RequestParts = [
  method: string | undefined,
  authorization: string | undefined,
  cookie: string | undefined,
  secFetchSite: string | undefined,
  origin: string | undefined,
  upgrade: string | undefined,
];

/** Reads the method and headers of a Fetch `Request`, or of anything with a `headers` record. */
export function requestParts(request: unknown): RequestParts {
  if (!isObject(request)) throw optionInvalid("The request must be a Request, or an object with method and headers.");
  try {
    const headers: unknown = Reflect.get(request, "headers");
    if (!isObject(headers)) throw optionInvalid("request.headers must be Headers or an object.");
    const header =
      typeof Reflect.get(headers, "get") === "function" ? fetchHeader(headers as Headers) : plainHeader(headers);
    return [
      text(Reflect.get(request, "method")),
      withDropped(header("authorization"), Reflect.get(request, "rawHeaders")),
      // RFC 9113 section 8.2.3: a Cookie header may arrive in pieces, which are joined with a semicolon.
      header("cookie", "; "),
      header("sec-fetch-site"),
      header("origin"),
      header("upgrade"),
    ];
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "WaxsealError") throw thrown;
    throw optionInvalid("Reading the request threw an exception.");
  }
}

type HeaderReader = (name: string, separator?: string) => string | undefined;

function fetchHeader(headers: Headers): HeaderReader {
  return (name) => {
    const value: unknown = headers.get(name);
    if (value === null || value === undefined) return undefined;
    if (typeof value !== "string") throw notText(name);
    return value;
  };
}

/** Several values of one name, in any letter case, are joined as `Headers` would join them: none is overlooked. */
function plainHeader(headers: object): HeaderReader {
  const values = new Map<string, unknown[]>();
  for (const key of Object.keys(headers)) {
    const value: unknown = Reflect.get(headers, key);
    const name = key.toLowerCase();
    const list = values.get(name) ?? [];
    // `null` is what Headers.get gives for a header that is absent.
    if (value !== undefined && value !== null) list.push(...(Array.isArray(value) ? value : [value]));
    values.set(name, list);
  }
  return (name, separator = ", ") => {
    const list = values.get(name) ?? [];
    if (!list.every((item) => typeof item === "string")) throw notText(name);
    return list.length === 0 ? undefined : list.join(separator);
  };
}

/** Of several `Authorization` fields Node keeps the first in `headers` without a word; `rawHeaders` has them all. */
function withDropped(first: string | undefined, raw: unknown): string | undefined {
  if (first === undefined || !Array.isArray(raw)) return first;
  const all = raw.filter((_, at) => at % 2 === 1 && String(raw[at - 1]).toLowerCase() === "authorization");
  // What a program has put there itself stays.
  return all.length > 1 && all[0] === first ? all.join(", ") : first;
}

// To take it for absent would let a cookie decide where an Authorization header was meant to.
function notText(name: string): WaxsealError {
  return optionInvalid(`request.headers.${name} must be text.`);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
