// Key sets at the test's own HTTP server, and verifiers that read them. The clock of a verifier says how old its sets are;
// tokens are verified at one moment, whatever that clock says.

import type { KeyAnswer } from "../harness/key-server.js";
import type { Harness, Library } from "../harness/types.js";
import { AUDIENCE, base64url, ec, ISSUER, type Keys, NOW, type Verifier, type VerifierOptions } from "./support.js";

export type RemoteOptions = NonNullable<Parameters<Library["remoteJwks"]>[1]>;
export type Event = { type: string; [member: string]: unknown };

/** The moment at which tokens are verified. */
export const WHEN = { now: NOW };

/** The text of a set. */
export function setOf(...keys: Keys[]): string {
  return JSON.stringify({ keys: keys.map((key) => key.publicJwk) });
}

let count = 0;

/** A set at the server. */
export class Published {
  readonly #server: string;
  readonly #name = `${Date.now().toString(36)}-${count++}`;

  constructor(h: Harness) {
    this.#server = h.keyServer;
  }

  get url(): string {
    return `${this.#server}/sets/${this.#name}`;
  }

  /** The host, as errors and events name it. */
  get host(): string {
    return new URL(this.#server).host;
  }

  /** Says what is answered from now on, the last again and again. A text is the body of a plain answer. */
  async answers(...script: (KeyAnswer | string)[]): Promise<this> {
    const body = JSON.stringify(script.map((answer) => (typeof answer === "string" ? { body: answer } : answer)));
    const response = await fetch(`${this.#server}/script/${this.#name}`, { method: "POST", body });
    await response.text();
    return this;
  }

  /** The headers of the requests so far. */
  async seen(): Promise<Record<string, string>[]> {
    const response = await fetch(`${this.#server}/seen/${this.#name}`);
    return (await response.json()) as Record<string, string>[];
  }

  /** How often it was fetched. */
  async fetches(): Promise<number> {
    return (await this.seen()).length;
  }
}

/** A set with the plain ES256 key, or what else is to be answered. */
export async function published(h: Harness, ...script: (KeyAnswer | string)[]): Promise<Published> {
  return new Published(h).answers(...(script.length > 0 ? script : [setOf(await ec())]));
}

/** A verifier with a set, its clock to be moved, and what it tells. */
export interface Reading {
  readonly verifier: Verifier;
  readonly clock: { now: number };
  readonly events: Event[];
  /** The events of a type. */
  of(type: string): Event[];
}

/** A verifier that reads a set at a URL, or another set of the test's. */
export async function reading(
  lib: Library,
  source: Published | ReturnType<Library["remoteJwks"]>,
  options: RemoteOptions = {},
  overrides: object = {},
): Promise<Reading> {
  const clock = { now: NOW };
  const events: Event[] = [];
  const verifier = await lib.createVerifier({
    keys: source instanceof Published ? lib.remoteJwks(source.url, options) : source,
    issuer: ISSUER,
    audience: AUDIENCE,
    clock: () => clock.now,
    onEvent: (event: Event) => events.push(event),
    ...overrides,
  } as unknown as VerifierOptions);
  return { verifier, clock, events, of: (type) => events.filter((event) => event.type === type) };
}

/** Tokens that anybody can make: of names of keys that nobody has, with signatures that are none. */
export function* forged(amount: number): Generator<string> {
  const payload = base64url(JSON.stringify({ iss: ISSUER, aud: AUDIENCE, exp: NOW + 600 }));
  const signature = base64url(new Uint8Array(64).fill(1));
  for (let i = 0; i < amount; i++) {
    yield `${base64url(JSON.stringify({ alg: "ES256", kid: `forged-${i}` }))}.${payload}.${signature}`;
  }
}

/** The code of what a promise rejects with, or `"accepted"`. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Waits until something is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not come to pass");
}
