/**
 * The program `waxseal` as its users have it: installed by npm from the packed tarball, started by its name. Everything that
 * it prints is kept, and searched for private keys.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { after } from "node:test";

const TARBALL = resolve("target/packed/waxseal.tgz");
const INSTALLED = resolve("target/packed/cli");
/** Where npm puts programs, for `PATH`. */
export const BIN = join(INSTALLED, "node_modules/.bin");
const PROGRAM = join(BIN, "waxseal");

/** An empty directory of this test file's own. */
export const HOME = mkdtempSync(join(tmpdir(), "waxseal-cli-"));

function install(): void {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(TARBALL).mtimeMs) return;
  rmSync(INSTALLED, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  writeFileSync(join(INSTALLED, "package.json"), '{ "private": true }');
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", TARBALL], {
    cwd: INSTALLED,
    stdio: ["ignore", "ignore", "inherit"],
  });
  // npm keeps the times of the tarball's files.
  execFileSync("touch", [PROGRAM]);
}
install();

/** What a run came to. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunOptions {
  /** What stdin gives; nothing unless given. */
  readonly stdin?: string | Uint8Array;
  /** Beyond a PATH and a HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

const printed: { text: string; asked: boolean; line: string }[] = [];
const secrets = new Set<string>();

/** Runs the program with its arguments. */
export async function waxseal(args: readonly string[], { stdin = "", env = {} }: RunOptions = {}): Promise<Outcome> {
  const child = spawn(PROGRAM, args, { cwd: HOME, env: { PATH: process.env["PATH"], HOME, ...env } });
  child.stdin.on("error", () => {}); // It may stop reading.
  child.stdin.end(stdin);
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding("utf8").toArray(),
    child.stderr.setEncoding("utf8").toArray(),
    new Promise<number | null>((done) => child.on("close", done)),
  ]);
  const outcome = { code, stdout: stdout.join(""), stderr: stderr.join("") };
  recorded(args, outcome);
  return outcome;
}

/** Keeps what was printed. Whoever says `--private` has asked for it. */
export function recorded(args: readonly string[], { stdout, stderr }: Outcome): void {
  const asked = args.includes("--private");
  printed.push({ text: asked ? stderr : stdout + stderr, asked, line: args.slice(0, 2).join(" ") });
}

/** Runs it, and expects exit code 0 and an empty stderr; what it printed. */
export async function fine(args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await waxseal(args, options);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, stdout);
  return stdout;
}

/** The same, of a line as it stands in a shell, without quotes in it. */
export const line = (text: string, options?: RunOptions): Promise<string> => fine(text.split(" "), options);

/** Runs it, and expects the answer to bad usage and bad input: exit code 2, nothing on stdout, one line on stderr. */
export async function refused(args: readonly string[], says: RegExp, options?: RunOptions): Promise<void> {
  const { code, stdout, stderr } = await waxseal(args, options);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, stderr);
  assert.match(stderr, /^waxseal: [^\n]+\n$/);
  assert.match(stderr, says);
}

/** A path in the test's directory. */
export const path = (file: string): string => join(HOME, file);

/** Writes a file there. */
export function put(file: string, content: string | Uint8Array | object): string {
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  writeFileSync(path(file), isRaw ? content : JSON.stringify(content));
  return file;
}

/** Reads a file from there. */
export const get = (file: string): string => readFileSync(path(file), "utf8");

export type Jwk = Record<string, string>;

/** Reads a private key from there, which from now on must not be printed. */
export function secret(file: string): Jwk {
  const text = get(file);
  if (!text.startsWith("{")) {
    // The last whole line of PKCS#8: the beginning says what kind of key it is, and is no secret.
    secrets.add(text.trim().split("\n").at(-2) as string);
    return {};
  }
  const jwk = JSON.parse(text) as Jwk;
  for (const name of ["d", "p", "q", "dp", "dq", "qi"]) if (jwk[name] !== undefined) secrets.add(jwk[name]);
  return jwk;
}

/** The file mode, as in `600`. */
export const mode = (file: string): string => (statSync(path(file)).mode & 0o777).toString(8);

/** The environment in which a shell finds the program by its name. */
export const shellEnvironment = { PATH: `${BIN}${delimiter}${process.env["PATH"]}`, HOME };

after(() => {
  assert.ok(secrets.size > 0);
  for (const { text, line: begun } of printed) {
    for (const one of secrets) assert.ok(!text.includes(one), `${begun} printed private material`);
    assert.doesNotMatch(text, /PRIVATE KEY-----|"(d|p|q|dp|dq|qi)":/, begun);
  }
  rmSync(HOME, { recursive: true });
});
