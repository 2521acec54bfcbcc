// Times for people: dates in UTC, and how long ago or ahead.

/** The last second of the year 9999; what lies beyond is almost always milliseconds. */
const LAST_SECOND = 253_402_300_799;
const UNITS: readonly [name: string, seconds: number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `2026-11-22 01:10:05 UTC`, or undefined when the number of seconds is not a date. */
export function utc(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || seconds > LAST_SECOND) return undefined;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The value of a `datetime-local` field, read as UTC, for a number of seconds. */
export function toField(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19);
}

/** Seconds from a `datetime-local` field that means UTC; undefined when it is empty or half filled in. */
export function fromField(value: string): number | undefined {
  const milliseconds = Date.parse(`${value}Z`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** `12 minutes`, `1 hour`: the largest unit that fits, rounded down, so nothing is called older than it is. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  for (const [name, unit] of UNITS) {
    const count = Math.floor(size / unit);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return "less than a second";
}

/** `12 minutes ago`, `in 2 hours`, `now`. */
export function relative(seconds: number, now: number): string {
  const difference = Math.trunc(seconds - now);
  if (difference === 0) return "now";
  return difference < 0 ? `${duration(difference)} ago` : `in ${duration(difference)}`;
}

/** What a registered NumericDate member means at a time: `expired 12 minutes ago`. */
export function describe(member: string, seconds: number, now: number): string {
  const date = utc(seconds);
  if (date === undefined) {
    const meant = utc(seconds / 1000);
    return meant === undefined ? "not a date" : `looks like milliseconds; as seconds: ${meant}`;
  }
  return `${date}, ${verb(member, seconds, now)}${relative(seconds, now)}`;
}

function verb(member: string, seconds: number, now: number): string {
  if (member === "exp") return seconds <= now ? "expired " : "expires ";
  if (member === "iat") return "issued ";
  if (member === "nbf") return seconds <= now ? "valid since " : "valid ";
  return "";
}
