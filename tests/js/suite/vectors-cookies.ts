// The cookie tests of web-platform-tests from the server's side, as tests/wpt_cookies.rs reads them: what a browser refuses
// must not be buildable, what it keeps is built or has a row with a reason, and what it sends must be read.

import { deepEqual } from "../harness/assert.js";
import type { Harness, Library } from "../harness/types.js";
import { Ledger } from "./ledger.js";
import { outcome } from "./vectors-keys.js";

interface WptTest {
  readonly file: string;
  readonly name?: string;
  readonly cookie?: string | readonly string[];
  /** The `Cookie` header that the browser sends afterwards. */
  readonly expected?: string;
  /** Tests of prefixes have their parts instead. */
  readonly prefix?: string;
  readonly title?: string;
  readonly params?: string;
  readonly shouldExistViaHTTP?: boolean;
}

/**
 * Files whose cases with nothing to send are not about refusal: the browser keeps the cookie, which is then out of scope or
 * has expired.
 */
const ABOUT_RETRIEVAL = [
  "attributes/path.html",
  "attributes/path-redirect.html",
  "attributes/max-age.html",
  "attributes/expires.html",
  "size/attributes.www.sub.html",
];

interface Case {
  readonly id: string;
  readonly setCookies: readonly string[];
  readonly sent?: string;
  /** Whether the browser keeps the cookies, with all of their attributes. */
  readonly kept: boolean;
  /** Where each attribute with a control character is followed by a good one, the question is about the first. */
  readonly firstAttributeWins: boolean;
}

const host = (text: string): string => text.replaceAll("{{host}}", "web-platform.test");

function read({ file, name, cookie, expected, prefix, title, params, shouldExistViaHTTP }: WptTest): Case {
  const firstAttributeWins = file === "attributes/attributes-ctl.sub.html";
  if (prefix !== undefined) {
    const setCookies = [host(`${prefix}name=value; ${params}`)];
    return { id: `${file}: ${host(`${title}`)}`, setCookies, kept: shouldExistViaHTTP === true, firstAttributeWins };
  }
  const setCookies = typeof cookie === "object" ? cookie : [host(cookie ?? "")];
  const sent = host(expected ?? "");
  const kept = sent !== "" || ABOUT_RETRIEVAL.includes(file);
  return { id: `${file}: ${host(`${name}`)}`, setCookies, sent, kept, firstAttributeWins };
}

/**
 * A `Set-Cookie` text as the options that it comes from, nothing trimmed; undefined when no options can say it: an unknown
 * or repeated attribute, a flag with a value, a number or date that is none.
 */
function describe(setCookie: string, firstAttributeWins: boolean): Record<string, unknown> | undefined {
  const [pair = "", ...attributes] = setCookie.split(";");
  const at = pair.indexOf("=");
  const options: Record<string, unknown> = {
    name: at < 0 ? "" : pair.slice(0, at),
    value: pair.slice(at + 1),
    httpOnly: false,
    secure: false,
    sameSite: null,
    path: null,
  };
  const seen = new Set<string>();
  for (const attribute of attributes.map((text) => text.replace(/^ +/, "")).filter((text) => text !== "")) {
    const equals = attribute.indexOf("=");
    const key = (equals < 0 ? attribute : attribute.slice(0, equals)).replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase();
    const value = equals < 0 ? undefined : attribute.slice(equals + 1);
    if (seen.has(key)) {
      if (firstAttributeWins) continue;
      return undefined;
    }
    if (key === "httponly" && value === undefined) options["httpOnly"] = true;
    else if (key === "secure" && value === undefined) options["secure"] = true;
    else if (key === "path") options["path"] = value ?? "";
    else if (key === "domain" && value !== undefined) options["domain"] = value;
    else if (key === "samesite" && value !== undefined) options["sameSite"] = value;
    // The prefix tests write MaxAge, which browsers do not know either.
    else if ((key === "max-age" || key === "maxage") && /^\+?[0-9]+$/.test(value ?? ""))
      options["maxAge"] = Number(value);
    // The instant does not matter here, only that it is one.
    // eslint-disable-next-line no-control-regex -- a date with a control character is none
    else if (key === "expires" && /^[ -~]{25} GMT$/.test(value ?? "")) options["expires"] = 2_145_916_800;
    else return undefined;
    seen.add(key);
  }
  return options;
}

/** Whether all cookies of a case can be built; one that is built must be what the browser sends, if it sends it. */
function isBuilt(lib: Library, { id, setCookies, sent, firstAttributeWins }: Case): boolean {
  return setCookies.every((setCookie) => {
    const options = describe(setCookie, firstAttributeWins);
    const header = options && outcome(lib, () => lib.serializeSetCookie(options as never)).value;
    if (header === undefined) return false;
    if (sent && setCookies.length === 1) deepEqual(sent, header.split(";")[0], id);
    return true;
  });
}

export function built(h: Harness, lib: Library, file: string, { tests }: { tests: WptTest[] }): void {
  const ledger = new Ledger(file);
  for (const each of tests.map(read)) ledger.case(each.id, each.kept, isBuilt(lib, each));
  h.verdicts(ledger.finish());
}

export function sent(h: Harness, lib: Library, file: string, { tests }: { tests: WptTest[] }): void {
  const ledger = new Ledger(`Cookie headers of ${file}`);
  for (const [id, { sent: header }] of tests.map(read).entries()) {
    if (header === undefined || header === "") continue;
    const expected = header.split("; ").map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? ["", pair] : [pair.slice(0, at), pair.slice(at + 1)];
    });
    ledger.case(id, true, JSON.stringify(lib.parseCookie(header).pairs) === JSON.stringify(expected));
  }
  h.verdicts(ledger.finish());
}
