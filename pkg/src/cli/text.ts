/** What is printed: colour, text that may come from anywhere, times. */

/** Marks text for a terminal, or leaves it as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  /** How many columns there are. */
  readonly width: number;
}

/** A stream as far as style depends on it. */
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Colour on terminals alone; `FORCE_COLOR` turns it on everywhere, `NO_COLOR` off (https://no-color.org). */
export function styleFor(stream: Stream, environment: NodeJS.ProcessEnv): Style {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment;
  const wanted =
    force !== undefined && force !== ""
      ? force !== "0" && force !== "false"
      : (no === undefined || no === "") && stream.isTTY === true && term !== "dumb";
  const paint = (on: number, off: number) => (text: string) => (wanted ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    width: Math.min(Math.max(stream.columns ?? 100, 40), 100),
  };
}

/**
 * Text from a token, file or server that can move no cursor, colour nothing and turn no line around: control and format
 * characters become the escapes that JSON has for them.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}

/** JSON for people: indented, and as harmless as {@link printable}. */
export function indented(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) =>
    one === "\n" ? one : escaped(one),
  );
}

/** JSON for programs: on one line, and as harmless. */
export function compact(value: unknown): string {
  return printable(JSON.stringify(value));
}

/** Breaks a text into lines that begin at a column. */
export function wrapped(text: string, column: number, width: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && column + last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join(`\n${" ".repeat(column)}`);
}

/** A time in seconds as people read it. */
export function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "no date";
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A duration, in its largest unit and the next: `2 h 5 min`. */
export function durationOf(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  const units = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const;
  const first = units.findIndex(([, length]) => whole >= length);
  let rest = whole;
  const parts = units.slice(Math.max(first, 0), first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? "" : `${count} ${unit}`;
  });
  return parts.filter((part) => part !== "").join(" ") || "0 s";
}
