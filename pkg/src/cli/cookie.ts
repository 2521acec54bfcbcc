/** `waxseal cookie`: what browsers and servers make of cookies. */
import { existsSync } from "node:fs";
import { parseCookie, WaxsealError } from "../entry/inline.js";
import { type Call, type Command, shown, UsageError } from "./command.js";
import { readText } from "./files.js";
import { checkSetCookie, type Journey, type SetCookieReport } from "./set-cookie.js";
import { compact, printable, type Style, wrapped } from "./text.js";

/** What a `Cookie` header holds. */
interface CookieHeaderReport {
  readonly size: number;
  readonly cookies: readonly { name: string; size: number }[];
  readonly duplicates: readonly string[];
  readonly error?: { code: string; message: string };
}

type Report =
  ({ readonly header: "Set-Cookie" } & SetCookieReport) | ({ readonly header: "Cookie" } & CookieHeaderReport);

const check: Command = {
  name: "cookie check",
  summary: "Says whether a browser would store and send a cookie, and what is wrong with it",
  notes: [
    "Takes Set-Cookie and Cookie lines, with or without the header's name, or a file or stdin with the headers of an answer.",
    "Values are not shown. One among the arguments is seen by every process of the machine: prefer a file or -.",
  ],
  takes: "<line|file|->",
  count: [1, 1],
  options: {
    url: { value: "<url>", help: "whose answer sets the cookie" },
    to: { value: "<url>", help: "where a request goes; --url unless given" },
    "cross-site": { help: "the request is made by a page of another site" },
  },
  examples: [
    "waxseal cookie check 'Set-Cookie: __Host-id=x; Path=/; Secure; HttpOnly; SameSite=Lax' --url https://app.example/",
    "waxseal cookie check 'id=x; Domain=app.example; Secure' --url https://app.example/ --to https://api.app.example/",
    "waxseal cookie check 'Cookie: id=1; theme=dark; id=2'",
    "curl -sI https://app.example/ | waxseal cookie check - --url https://app.example/",
  ],
  async run(call) {
    const journey = journeyOf(call);
    const now = Math.floor(Date.now() / 1000);
    const reports = (await linesOf(call.parameters[0] as string)).map(({ header, value }): Report =>
      header === "Cookie"
        ? { header, ...checkCookieHeader(value) }
        : { header, ...checkSetCookie(value, journey, now) },
    );
    const fine = reports.every(isFine);
    if (call.flag("json")) process.stdout.write(`${compact({ fine, headers: reports })}\n`);
    else process.stdout.write(`${reports.map((report) => rendered(report, call.style)).join("\n\n")}\n`);
    return fine ? 0 : 1;
  },
};

export const COOKIES: readonly Command[] = [check];

function journeyOf(call: Call): Journey | undefined {
  const [url, to] = [urlOf(call, "url"), urlOf(call, "to")];
  if (url !== undefined) return { url, to: to ?? url, crossSite: call.flag("cross-site") };
  if (to !== undefined || call.flag("cross-site")) throw new UsageError("--to and --cross-site need --url");
  return undefined;
}

function urlOf(call: Call, name: string): URL | undefined {
  const text = call.text(name);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--${name} must be a URL of http or https, not ${shown(text)}`);
  }
  return url;
}

interface Line {
  readonly header: "Set-Cookie" | "Cookie";
  readonly value: string;
}

/** The cookie headers of what was given: of a whole answer they alone, of lines without a header's name all. */
async function linesOf(given: string): Promise<Line[]> {
  const isFile = given === "-" || (!given.includes("=") && !given.includes(";")) || existsSync(given);
  const text = isFile ? await readText(given) : given;
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const named = lines.flatMap((line): Line[] => {
    const [, header = "", value = ""] = /^(set-cookie|cookie):\s*(.*)$/is.exec(line) ?? [];
    return header === "" ? [] : [{ header: header.length > 6 ? "Set-Cookie" : "Cookie", value }];
  });
  if (named.length > 0) return named;
  if (lines.some((line) => /^HTTP\/[\d.]+ \d/.test(line))) throw new UsageError("the answer sets no cookie");
  return lines.map((value) => ({ header: isCookieHeader(value) ? "Cookie" : "Set-Cookie", value }));
}

/** Several pairs, and none of them an attribute. */
function isCookieHeader(value: string): boolean {
  const [, ...rest] = value.split(";").map((part) => part.trim().toLowerCase());
  const attribute = /^(expires|max-age|domain|path|secure|httponly|samesite|partitioned|priority)\b/;
  return rest.length > 0 && rest.every((part) => part.includes("=") && !attribute.test(part));
}

function checkCookieHeader(value: string): CookieHeaderReport {
  const size = Buffer.byteLength(value);
  try {
    const { pairs, duplicates } = parseCookie(value);
    const cookies = pairs.map(([name, text]) => ({ name, size: Buffer.byteLength(name + text) }));
    return { size, cookies, duplicates };
  } catch (error) {
    if (!(error instanceof WaxsealError)) throw error;
    return { size, cookies: [], duplicates: [], error: { code: error.code, message: error.message } };
  }
}

function isFine(report: Report): boolean {
  if (report.header === "Cookie") return report.duplicates.length === 0 && report.error === undefined;
  return report.outcome === "stored" && report.sent?.sent !== false;
}

function rendered(report: Report, style: Style): string {
  return (report.header === "Cookie" ? cookieLines(report, style) : setCookieLines(report, style)).join("\n");
}

function setCookieLines(report: SetCookieReport, { bold, dim, green, red, yellow, width }: Style): string[] {
  const verdicts = {
    stored: green("✓ A browser stores it."),
    faulty: yellow("! A browser stores it, but something is wrong with it."),
    refused: red("✗ A browser refuses it."),
  };
  const lines = [
    `${bold(report.name === "" ? "(no name)" : printable(report.name))}  ${dim(`${report.size} bytes of at most 4096`)}`,
    verdicts[report.outcome],
  ];
  for (const { attribute, message, browser } of report.complaints) {
    const mark = browser === "refuses" ? red("✗") : yellow("!");
    lines.push(`  ${mark} ${attribute.padEnd(12)}${wrapped(printable(message), 16, width)}`);
  }
  if (report.sent !== undefined) {
    const { sent, why } = report.sent;
    lines.push(wrapped(`${sent ? green("✓ It is sent") : red("✗ It is not sent")}: ${printable(why)}.`, 2, width));
  }
  for (const note of report.notes) lines.push(`  ${dim(`– ${wrapped(printable(note), 4, width)}`)}`);
  return lines;
}

function cookieLines(report: CookieHeaderReport, { bold, dim, green, red, width }: Style): string[] {
  const { cookies, duplicates, error } = report;
  const lines = [
    `${bold(cookies.length === 1 ? "1 cookie" : `${cookies.length} cookies`)}  ${dim(`${report.size} bytes`)}`,
  ];
  for (const { name, size } of cookies) lines.push(`  ${printable(name)}  ${dim(`${size} bytes`)}`);
  if (error !== undefined) lines.push(red(wrapped(`✗ ${printable(error.message)} (${error.code})`, 2, width)));
  for (const name of duplicates) {
    const why = "stands twice: two cookies of one name and different paths or domains, one of them perhaps planted";
    lines.push(
      wrapped(`${red("✗")} ${printable(name)} ${why}. Do not trust it; __Host- names cannot be planted.`, 2, width),
    );
  }
  if (duplicates.length === 0 && error === undefined) lines.push(green("✓ Every name stands once."));
  return lines;
}
