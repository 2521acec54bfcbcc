/** Prints the steps of the walk-through and keeps count of what was expected and what came. */

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";

const paint = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

const INDENT = "     ";
const WIDTH = Math.min(process.stdout.columns ?? 100, 110) - INDENT.length - 2;

/** Prints a text, wrapped and indented; `mark` stands before its first line. */
export function say(text: string, mark = ""): void {
  const indent = INDENT + (mark === "" ? "" : "  ");
  for (const [index, line] of text.split("\n").flatMap(wrap).entries()) {
    console.log(mark !== "" && index === 0 ? `${INDENT}${mark} ${line}` : `${indent}${line}`);
  }
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** What is shown of an answer. */
export interface Shown {
  status: number;
  json: any;
}

/** One run of the walk-through. */
export class Walk {
  steps = 0;
  checks = 0;
  failures = 0;

  chapter(title: string): void {
    console.log(`\n${dim("──")} ${bold(title)} ${dim("─".repeat(Math.max(0, WIDTH - title.length)))}`);
  }

  step(title: string, explanation: string): void {
    this.steps += 1;
    console.log(`\n${bold(`${String(this.steps).padStart(3)}  ${title}`)}`);
    say(explanation);
  }

  /** Who sends what, and what goes with it. */
  sent(who: string, request: string, credentials: string): void {
    const what = credentials === "" ? "" : dim(`  with ${credentials}`);
    say(`${who}: ${bold(request)}${what}`, cyan("→"));
  }

  /** The status, and for an error the code, that an answer should have; `gives` says what else came with it. */
  answered({ status, json }: Shown, expected: number, code?: string, gives = ""): void {
    const error: { code?: string; message?: string } = json?.error ?? {};
    const line = [bold(String(status)), error.code, gives, error.message === undefined ? "" : dim(error.message)];
    const wanted = code === undefined ? String(expected) : `${expected} ${code}`;
    const holds = status === expected && error.code === code;
    this.#check(line.filter((part) => part !== undefined && part !== "").join("  "), holds, `expected ${wanted}`);
  }

  /** A sentence that should be true, and whether it is. */
  expect(sentence: string, holds: boolean): void {
    this.#check(sentence, holds, "NO");
  }

  #check(text: string, holds: boolean, otherwise: string): void {
    this.checks += 1;
    if (!holds) this.failures += 1;
    say(holds ? text : `${text}: ${red(otherwise)}`, holds ? green("✓") : red("✗"));
  }
}
