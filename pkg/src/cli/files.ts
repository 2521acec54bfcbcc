/** What is read and written: files and stdin. key-url.ts fetches. */
import { closeSync, fchmodSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { UsageError } from "./command.js";
import { printable } from "./text.js";

/** The longest input that is read, in bytes: the longest key set that the library reads. */
export const MAX_BYTES = 1 << 20;

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

/** What is read must be text, and not empty. */
export function textOf(bytes: Uint8Array, name: string): string {
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

/** Prints a line on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
