/** What is read and written: files, stdin, and one URL. */
import { closeSync, fchmodSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { shown, UsageError } from "./command.js";
import { printable } from "./text.js";

/** The longest input that is read, in bytes: the longest key set that the library reads. */
const MAX_BYTES = 1 << 20;

/** How long a server may take, in milliseconds. */
const FETCH_TIMEOUT = 5000;

let stdinUsed = false;

/** The text of a file, or of stdin for `-`. */
export async function readText(source: string): Promise<string> {
  const bytes = source === "-" ? await readStdin() : await readFile(source);
  return textOf(bytes, source === "-" ? "stdin" : named(source));
}

/** A file's name in messages. */
export function named(file: string): string {
  return file === "-" ? "stdin" : printable(file);
}

async function readStdin(): Promise<Uint8Array> {
  if (stdinUsed) throw new UsageError("stdin can be read once: only one argument can be -");
  stdinUsed = true;
  return collect(process.stdin, "stdin");
}

async function readFile(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file);
    return await collect(handle.createReadStream(), named(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${named(file)}: ${reason(error)}`);
  }
}

/** What a stream gives, up to the limit: a pipe or a device may never end. */
async function collect(stream: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new UsageError(`${name}: larger than 1 MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) {
      if (text.trim() === "") throw new UsageError(`${name}: empty`);
      return text;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
  }
  const isDer = bytes[0] === 0x30;
  const hint = isDer ? "; it may be DER, which openssl converts to PEM: openssl pkey (or x509) -inform DER" : "";
  throw new UsageError(`${name}: not text${hint}`);
}

function reason(error: unknown): string {
  const { code } = error as { code?: unknown };
  const reasons: Record<string, string> = {
    ENOENT: "no such file",
    ENOTDIR: "no such file",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "a directory",
    EEXIST: "exists already; --force replaces it",
    ENOSPC: "the disk is full",
    ENAMETOOLONG: "the name is too long",
  };
  return reasons[String(code)] ?? `cannot be used (${printable(String(code))})`;
}

/** How a file is written. */
interface WriteOptions {
  /** It holds a private key: only the user may read it. */
  readonly secret: boolean;
  /** An existing file may be replaced. */
  readonly force: boolean;
}

/**
 * Writes a file with mode 600 if it is secret. An existing file, or one that a symbolic link leads to, is not touched; with
 * `force` a new file takes its name, so that its mode is the new one's and nobody sees half of it.
 */
export function writeText(file: string, text: string, { secret, force }: WriteOptions): void {
  const target = force ? `${file}.${process.pid}.new` : file;
  try {
    // "wx" is O_EXCL: it creates the file or fails, and follows no link.
    const handle = openSync(target, "wx", secret ? 0o600 : 0o644);
    try {
      // The mode above is narrowed by the umask, which could take the owner's rights away as well.
      if (secret) fchmodSync(handle, 0o600);
      writeFileSync(handle, text);
    } finally {
      closeSync(handle);
    }
    if (force) renameSync(target, file);
  } catch (error) {
    if (force) {
      try {
        unlinkSync(target);
      } catch {
        // It was never made.
      }
    }
    throw new UsageError(`${named(file)}: ${reason(error)}`);
  }
}

/** Whether a source is fetched rather than read. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** The text at a URL: https, or http on this machine; one answer, not redirected, of bounded size and time. */
export async function fetchText(source: string): Promise<{ name: string; text: string }> {
  const url = URL.canParse(source) ? new URL(source) : undefined;
  if (url === undefined) throw new UsageError(`${shown(source)} is not a URL`);
  const host = url.host;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !isLoopback) throw new UsageError(`${host}: key sets are fetched by https alone`);
  if (url.username !== "" || url.password !== "") throw new UsageError(`${host}: the URL must hold no credentials`);
  try {
    const response = await fetch(url, {
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_TIMEOUT),
      headers: { Accept: "application/jwk-set+json, application/json" },
    });
    if (!response.ok) throw new UsageError(`${host}: answered with status ${response.status}`);
    if (response.body === null) throw new UsageError(`${host}: answered with nothing`);
    return { name: host, text: textOf(await collect(response.body, host), host) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { name, cause } = error as Error;
    if (name === "TimeoutError") throw new UsageError(`${host}: did not answer within ${FETCH_TIMEOUT / 1000} s`);
    const redirected = cause instanceof Error && cause.message.includes("redirect");
    const code = String((cause as { code?: unknown } | undefined)?.code ?? name);
    throw new UsageError(`${host}: ${redirected ? "redirects, which is not followed" : `no answer (${code})`}`);
  }
}

/** Prints a line on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
