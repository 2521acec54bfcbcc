#!/usr/bin/env node
/**
 * `npx waxseal`: keys, tokens and cookies from a terminal. It uses what the package exports and nothing else, sends nothing
 * anywhere but to a URL that is given with `--jwks`, and reads no configuration.
 */
import { readFileSync } from "node:fs";
import { WaxsealError } from "../entry/inline.js";
import { Call, type Command, helpOf, shown, table, UsageError } from "./command.js";
import { COOKIES } from "./cookie.js";
import { KEYS } from "./keys.js";
import { printable, type Style, styleFor } from "./text.js";
import { TOKENS } from "./token.js";

const COMMANDS: readonly Command[] = [...KEYS, ...TOKENS, ...COOKIES];

function overview(commands: readonly Command[], style: Style): string {
  return [
    `${style.bold("waxseal")} makes keys, and looks into tokens and cookies.`,
    "",
    ...table(commands.map(({ name, summary }) => [name, summary])),
    "",
    "waxseal <command> --help has the options and examples of each.",
    "Exit codes: 0 fine, 1 what was asked about is bad, 2 wrong usage or unreadable input.",
  ].join("\n");
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs a command line, and gives the exit code. */
async function run(args: readonly string[], style: Style): Promise<number> {
  const words = args[0] === "help" ? args.slice(1) : args;
  const [group = "--help", name] = words;
  const print = (text: string): number => {
    process.stdout.write(`${text}\n`);
    return 0;
  };
  if (group === "--help" || group === "-h") return print(overview(COMMANDS, style));
  if (group === "--version" || group === "-V") return print(version());
  const grouped = COMMANDS.filter((command) => command.name.startsWith(`${group} `));
  if (grouped.length === 0) throw new UsageError(`there is no command ${shown(group)}; see waxseal --help`);
  const isHelp = name === "--help" || name === "-h" || (name === undefined && args[0] === "help");
  if (isHelp) return print(overview(grouped, style));
  const command = grouped.find((one) => one.name === `${group} ${name}`);
  if (command === undefined) {
    const names = grouped.map((one) => one.name.slice(group.length + 1)).join(", ");
    throw new UsageError(`${group} is followed by ${names}${name === undefined ? "" : `, not ${shown(name)}`}`);
  }
  if (args[0] === "help") return print(helpOf(command, style));
  const call = Call.parse(command, words.slice(2), style);
  return call === undefined ? print(helpOf(command, style)) : command.run(call);
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever reads the output may stop: that is no failure of ours.
  if (error.code === "EPIPE") process.exit(process.exitCode);
  process.stderr.write(`waxseal: stdout: cannot be written (${error.code})\n`);
  process.exit(2);
});
process.stderr.on("error", () => process.exit(2));

try {
  process.exitCode = await run(process.argv.slice(2), styleFor(process.stdout, process.env));
} catch (error) {
  process.stderr.write(`waxseal: ${messageOf(error)}\n`);
  process.exitCode = 2;
}

function messageOf(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  // What the library refuses, the user has given: an option, a claim.
  if (error instanceof WaxsealError) return `${printable(error.message)} (${error.code})`;
  // Not its message: nobody knows what it shows.
  return `failed unexpectedly (${(error as Error).name}); please report it`;
}
