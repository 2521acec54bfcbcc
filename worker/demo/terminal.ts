/** Prints the steps of the walk-through and keeps count of what was expected and what came. */

import type { Answer } from "./http.js";

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";

const paint = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

const INDENT = "     ";
const WIDTH = Math.min(process.stdout.columns ?? 100, 110) - INDENT.length - 2;

/** Shortens every token in a text to its first and last characters: a terminal's history is no place for tokens. */
export function abbreviate(text: string): string {
  return text.replace(/eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, (token) => `${token.slice(0, 10)}…${token.slice(-6)}`);
}

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

/** One run of the walk-through. */
export class Walk {
  steps = 0;
  checks = 0;
  failures = 0;

  step(title: string, explanation: string): void {
    this.steps += 1;
    console.log(`\n${bold(`${String(this.steps).padStart(3)}  ${title}`)}`);
    say(explanation);
  }

  sent(line: string, headers: Record<string, string>, body?: string): void {
    say(bold(line), cyan("→"));
    for (const [name, value] of Object.entries(headers)) say(abbreviate(`${name}: ${value}`), cyan("→"));
    if (body !== undefined) say(body, cyan("→"));
  }

  /** Shows the status, the headers of these names and the body. */
  received(answer: Answer, names: readonly string[]): void {
    const mark = answer.status < 400 ? green("←") : red("←");
    say(bold(String(answer.status)), mark);
    for (const line of answer.setCookie) say(abbreviate(`Set-Cookie: ${line}`), mark);
    for (const name of names) {
      const value = answer.headers[name.toLowerCase()];
      if (value !== undefined) say(`${name}: ${value}`, mark);
    }
    say(abbreviate(answer.text), mark);
  }

  /** A sentence that should be true, and whether it is. */
  expect(sentence: string, holds: boolean): void {
    this.checks += 1;
    if (holds) {
      say(sentence, green("✓"));
    } else {
      this.failures += 1;
      say(`${sentence}: NO`, red("✗"));
    }
  }
}
