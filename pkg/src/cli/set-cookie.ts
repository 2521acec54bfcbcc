/**
 * What browsers make of a `Set-Cookie` line (RFC 6265bis sections 5.6 to 5.8), beside what the library says of it. It is here and
 * not in the core because servers never need it: whoever loads the module would pay for it.
 */
import { checkCookie, type CookieReport, type SetCookieOptions } from "../entry/inline.js";
import { durationOf } from "./text.js";

/** What becomes of a cookie. */
export interface SetCookieReport {
  readonly name: string;
  /** Bytes of name and value together. */
  readonly size: number;
  /** `refused`: not stored; `faulty`: stored, shortened or kept by browsers alone, as the complaints say. */
  readonly outcome: "stored" | "faulty" | "refused";
  /** What is wrong, each with what a browser does about it. */
  readonly complaints: readonly { attribute: string; message: string; browser: "refuses" | "stores" }[];
  /** What is not wrong and should be known. */
  readonly notes: readonly string[];
  /** Whether it is sent with the request, and why; absent when no URL was given. */
  readonly sent?: { readonly sent: boolean; readonly why: string };
}

/** Where a cookie comes from and goes to. */
export interface Journey {
  /** Whose answer sets it. */
  readonly url: URL;
  /** Where a request goes. */
  readonly to: URL;
  /** Whether a page of another site makes that request. */
  readonly crossSite: boolean;
}

/** The attributes that browsers know, as they are usually written. */
const KNOWN = [
  "Expires",
  "Max-Age",
  "Domain",
  "Path",
  "Secure",
  "HttpOnly",
  "SameSite",
  "Partitioned",
  "Priority",
] as const;

/** Attributes whose faults make browsers refuse the cookie; with others they ignore the attribute, shorten it, or do not mind. */
const REFUSING = ["secure", "httpOnly", "sameSite", "partitioned", "value"];

/** A line of a thousand unknown attributes is not worth a thousand notes. */
const MOST_NOTES = 20;

/** Checks the value of a `Set-Cookie` header. */
export function checkSetCookie(line: string, journey: Journey | undefined, now: number): SetCookieReport {
  const { name, value, attributes, notes } = split(line);
  const options = read(name, value, attributes, notes, now);
  const { size, complaints } = checkCookie(options);
  const isHost = /^__Host-/i.test(name);
  const judged: SetCookieReport["complaints"][number][] = complaints.map((complaint) => {
    const attribute = complaint.attribute ?? "name";
    const refuses = isControl(name + value) || isRefused(complaint, attribute, isHost);
    return { attribute, message: complaint.message, browser: refuses ? "refuses" : "stores" };
  });
  if (journey !== undefined) judged.push(...atSource(options, journey));
  const outcome = judged.some(({ browser }) => browser === "refuses")
    ? "refused"
    : judged.length > 0
      ? "faulty"
      : "stored";
  const report = { name, size, outcome, complaints: judged, notes: notes.slice(0, MOST_NOTES) } as const;
  return journey === undefined ? report : { ...report, sent: sending(options, outcome, journey, now) };
}

function isRefused(complaint: CookieReport["complaints"][number], attribute: string, isHost: boolean): boolean {
  // Characters that the library refuses in a name or value are kept by browsers, if they are no control characters.
  if (attribute === "name" || attribute === "value") return complaint.code === "ERR_COOKIE_TOO_LARGE";
  return REFUSING.includes(attribute) || (isHost && (attribute === "path" || attribute === "domain"));
}

/** Section 5.6, step 1. */
function isControl(text: string): boolean {
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}

/** Section 5.6: the name, the value, and the attributes by their names in small letters, of which the last counts. */
function split(line: string): { name: string; value: string; attributes: Map<string, string>; notes: string[] } {
  const [pair = "", ...rest] = line.split(";");
  const at = pair.indexOf("=");
  const notes = at === -1 ? ["It has no =: browsers take all of it for the value of a cookie without a name."] : [];
  const attributes = new Map<string, string>();
  for (const part of rest) {
    const [attribute = "", ...value] = part.split("=").map((text) => text.trim());
    const key = attribute.toLowerCase();
    if (attributes.has(key)) notes.push(`${attribute} stands twice: the last one counts.`);
    if (KNOWN.some((known) => known.toLowerCase() === key)) attributes.set(key, value.join("="));
    else if (attribute !== "") notes.push(`Browsers ignore the attribute ${attribute}${meant(key)}.`);
  }
  return { name: pair.slice(0, Math.max(at, 0)).trim(), value: pair.slice(at + 1).trim(), attributes, notes };
}

function meant(key: string): string {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, "");
  const known = KNOWN.find((one) => plain(one) === plain(key));
  return known === undefined ? "" : `; ${known} is meant`;
}

/** The cookie as the library describes one. What browsers ignore is left out, and noted. */
function read(
  name: string,
  value: string,
  attributes: ReadonlyMap<string, string>,
  notes: string[],
  now: number,
): SetCookieOptions {
  const word = <T extends string>(key: string, words: readonly T[]): T | undefined => {
    const given = attributes.get(key);
    const found = words.find((one) => one.toLowerCase() === given?.toLowerCase());
    if (given !== undefined && found === undefined)
      notes.push(`Browsers ignore this value of ${key}; it can be ${words.join(", ")}.`);
    return found;
  };
  const sameSite = word("samesite", ["Strict", "Lax", "None"]);
  const priority = word("priority", ["Low", "Medium", "High"]);
  const age = attributes.get("max-age");
  if (age !== undefined && !/^-?\d+$/.test(age))
    notes.push("Browsers ignore this Max-Age: it must be a whole number of seconds.");
  const maxAge = age !== undefined && /^-?\d+$/.test(age) ? Math.min(Math.max(Number(age), 0), 4294967295) : undefined;
  const date = attributes.get("expires");
  const parsed = date === undefined ? NaN : Date.parse(date) / 1000;
  const expires = Number.isNaN(parsed) || parsed >= 253402300800 ? undefined : parsed;
  if (date !== undefined && Number.isNaN(parsed)) notes.push("Browsers ignore this Expires: it is no date.");
  if (sameSite === undefined)
    notes.push("Without SameSite browsers differ: Chromium takes it for Lax, others for None. Say which.");
  if (!attributes.has("httponly")) notes.push("Without HttpOnly every script of the page can read it.");
  if (!attributes.has("path")) notes.push("Without Path it goes to the directory of the URL that set it alone.");
  const life = maxAge ?? (expires === undefined ? undefined : expires - now);
  if (life === undefined) notes.push("It lives until the browser is closed: it has neither Max-Age nor Expires.");
  else if (life <= 0) notes.push("It deletes the cookie: its time is over.");
  else notes.push(`It lives for ${durationOf(life)}.`);
  const domain = attributes.get("domain") ?? "";
  return {
    name,
    value,
    httpOnly: attributes.has("httponly"),
    secure: attributes.has("secure"),
    sameSite: sameSite ?? null,
    path: attributes.get("path") ?? null,
    partitioned: attributes.has("partitioned"),
    ...(domain !== "" && { domain }),
    ...(maxAge !== undefined && { maxAge }),
    ...(expires !== undefined && { expires }),
    ...(priority !== undefined && { priority }),
  };
}

/** What depends on who sets it (section 5.7). */
function atSource({ secure, domain }: SetCookieOptions, { url }: Journey): SetCookieReport["complaints"] {
  const complaints: SetCookieReport["complaints"][number][] = [];
  if (secure === true && !isTrustworthy(url)) {
    const message = "A Secure cookie is not taken from plain http: serve it by https.";
    complaints.push({ attribute: "secure", message, browser: "refuses" });
  }
  if (domain !== undefined && !domainMatches(url.hostname, domain)) {
    const message = `${url.hostname} cannot set a cookie for ${domain}: only for itself and the domains above it.`;
    complaints.push({ attribute: "domain", message, browser: "refuses" });
  }
  return complaints;
}

/** Section 5.8.3. */
function sending(
  options: SetCookieOptions,
  outcome: SetCookieReport["outcome"],
  { url, to, crossSite }: Journey,
  now: number,
): { sent: boolean; why: string } {
  const not = (why: string) => ({ sent: false, why });
  if (outcome === "refused") return not("it was never stored");
  const { maxAge, expires, domain, secure, sameSite, path } = options;
  const end = maxAge !== undefined ? now + maxAge : typeof expires === "number" ? expires : Infinity;
  if (end <= now) return not("its time is over");
  if (domain === undefined && to.hostname !== url.hostname) {
    return not(`without Domain it goes to ${url.hostname} alone`);
  }
  if (domain !== undefined && !domainMatches(to.hostname, domain)) return not(`${to.hostname} is not within ${domain}`);
  const own = path?.startsWith("/") === true ? path : defaultPath(url.pathname);
  if (!pathMatches(to.pathname, own)) return not(`${to.pathname} is not within the path ${own}`);
  if (secure === true && !isTrustworthy(to)) return not("it is Secure, and the request is plain http");
  if (crossSite && sameSite !== "None") {
    return sameSite === "Strict"
      ? not("it is SameSite=Strict, and the request comes from another site")
      : not("from another site it goes with top-level navigation alone (SameSite=Lax, or the browser's own default)");
  }
  return { sent: true, why: `${to.hostname}${to.pathname} is within its host and path` };
}

/** https, and this machine, which browsers trust as well. */
function isTrustworthy(url: URL): boolean {
  return url.protocol === "https:" || /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(url.hostname);
}

/** Section 5.1.3. */
function domainMatches(host: string, domain: string): boolean {
  const wanted = domain.replace(/^\./, "").toLowerCase();
  return host === wanted || (host.endsWith(`.${wanted}`) && !/^[\d.]+$|^\[/.test(host));
}

/** Section 5.1.4. */
function defaultPath(path: string): string {
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}

function pathMatches(path: string, own: string): boolean {
  return path === own || (path.startsWith(own) && (own.endsWith("/") || path[own.length] === "/"));
}
