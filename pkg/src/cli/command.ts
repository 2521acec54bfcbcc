/** What a command is, how its arguments are read, and the help that follows from both. */
import { parseArgs } from "node:util";
import { printable, type Style, wrapped } from "./text.js";

/** A mistake in how the program was called, or input that it cannot read: one line on stderr, exit code 2. */
export class UsageError extends Error {}

/** An option: a flag, or with a value. */
export interface Option {
  /** What stands for the value in the help; absent for a flag. */
  readonly value?: string;
  /** It may be given several times. */
  readonly many?: true;
  readonly help: string;
}

/** A command, such as `keys generate`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What stands for the arguments in the help. */
  readonly takes?: string;
  /** How many arguments there must be, at least and at most. */
  readonly count: readonly [least: number, most: number];
  readonly options: Readonly<Record<string, Option>>;
  /** Sentences for the help. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  /** Does it, and gives the exit code. */
  run(call: Call): Promise<number>;
}

const COMMON: Readonly<Record<string, Option>> = {
  json: { help: "print JSON, on one line" },
  help: { help: "print this" },
};

/** The arguments of one call. */
export class Call {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly parameters: readonly string[];
  /** How to print on stdout. */
  readonly style: Style;

  private constructor(values: Readonly<Record<string, unknown>>, parameters: readonly string[], style: Style) {
    this.#values = values;
    this.parameters = parameters;
    this.style = style;
  }

  /** Reads what follows the command's name; `undefined` when help was asked for. */
  static parse(command: Command, args: readonly string[], style: Style): Call | undefined {
    const options = Object.fromEntries(
      Object.entries({ ...command.options, ...COMMON }).map(([name, { value, many }]) => [
        name,
        { type: value === undefined ? ("boolean" as const) : ("string" as const), multiple: many ?? false },
      ]),
    );
    Object.assign(options["help"] ?? {}, { short: "h" });
    const see = `; see waxseal ${command.name} --help`;
    let parsed;
    try {
      parsed = parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
    } catch (error) {
      throw new UsageError(misuse(error as Error) + see);
    }
    const { values, positionals, tokens } = parsed;
    if (values["help"] === true) return undefined;
    const given = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
    const twice = given.find((name, at) => given.indexOf(name) < at && command.options[name]?.many === undefined);
    if (twice !== undefined) throw new UsageError(`--${twice} is given twice${see}`);
    if (values["force"] === true && values["out"] === undefined) throw new UsageError(`--force is for --out${see}`);
    const [least, most] = command.count;
    if (positionals.length < least) throw new UsageError(`${command.takes} is missing${see}`);
    if (positionals.length > most) throw new UsageError(`one argument too many: ${shown(positionals[most])}${see}`);
    return new Call(values, positionals, style);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  /** The values of an option that may be given several times. */
  texts(name: string): readonly string[] {
    return (this.#values[name] as string[] | undefined) ?? [];
  }

  /** One of a few words. */
  word<T extends string>(name: string, words: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
    if (found === undefined) throw new UsageError(`--${name} must be ${words.join(" or ")}, not ${shown(value)}`);
    return found;
  }

  /** A duration in seconds: `900`, `15m`, `1h`, `30d`. */
  seconds(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const [, digits, unit = "s"] = /^(\d{1,10})([smhd]?)$/.exec(value) ?? [];
    if (digits === undefined) throw new UsageError(`--${name} must be a duration such as 900, 15m, 1h or 30d`);
    return Number(digits) * { "": 1, s: 1, m: 60, h: 3600, d: 86400 }[unit as "s"];
  }

  /** A time in seconds: `2026-11-22T10:00:00Z`, or seconds since 1970. */
  time(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^\d{1,10}$/.test(value)) return Number(value);
    const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value);
    const time = isDate ? Date.parse(value) / 1000 : NaN;
    if (Number.isNaN(time)) {
      const hint = /^\d{13}$/.test(value) ? "; this looks like milliseconds" : "";
      throw new UsageError(`--${name} must be a time such as 2026-11-22T10:00:00Z, or seconds since 1970${hint}`);
    }
    return time;
  }
}

/** A value of the command line in a message: it may be a token or worse, so it is cut short. */
export function shown(value = ""): string {
  return `"${printable(value.length > 24 ? `${value.slice(0, 12)}…` : value)}"`;
}

/** What is wrong with an option, in fewer words than Node has for it. */
function misuse({ message }: Error): string {
  const option = printable(/--?[^\s'=]{1,24}/.exec(message)?.[0] ?? "an option");
  if (message.startsWith("Unknown option")) return `there is no option ${option}`;
  if (message.includes("does not take")) return `${option} takes no value`;
  if (message.includes("ambiguous"))
    return `${option} needs a value; one that begins with - is given as ${option}=-value`;
  return `${option} needs a value`;
}

/** The help of one command. */
export function helpOf(command: Command, style: Style): string {
  const options = Object.entries({ ...command.options, ...COMMON });
  const usage = ["waxseal", command.name, command.takes, "[options]"].filter((part) => part !== undefined).join(" ");
  const rows = options.map(([name, { value, help, many }]) => [
    `--${name}${value === undefined ? "" : ` ${value}`}`,
    many === undefined ? help : `${help}; may be repeated`,
  ]);
  return [
    `${style.bold(usage)}`,
    "",
    ...[`${command.summary}.`, ...(command.notes ?? [])].map((line) => wrapped(line, 0, style.width)),
    "",
    style.bold("Options"),
    ...table(rows),
    "",
    style.bold("Examples"),
    ...command.examples.map((line) => `  ${line}`),
  ].join("\n");
}

/** Rows of two columns, the second aligned. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) => `  ${left.padEnd(width)}  ${right}`);
}
