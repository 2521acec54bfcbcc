/**
 * What happens inside the runtime that is measured: verifiers are prepared, tried on tokens that they have to refuse, and
 * run in batches. Whoever drives it looks at the clock where the runtime has one.
 */
import type { Peer, Prepared, RuntimeName, Token, Trust } from "./peers/peer.js";
import type { Fixture } from "./tokens.js";

/** A number of verifications that are timed together. */
export interface Batch {
  readonly peer: string;
  /** Where in the pool to begin; from its end it goes on at the beginning. */
  readonly first: number;
  readonly count: number;
  /** How many verifications are begun before the first has ended; with 1, one after another. */
  readonly inFlight: number;
}

export class Lab {
  readonly #runtime: RuntimeName;
  readonly #peers: readonly Peer[];
  #tokens: Token[] = [];
  #prepared = new Map<string, Prepared>();

  constructor(runtime: RuntimeName, peers: readonly Peer[]) {
    this.#runtime = runtime;
    this.#peers = peers;
  }

  /** Prepares every peer for these keys and tokens, in the place of those before; gives their names. */
  async load(fixture: Fixture): Promise<string[]> {
    const { tokens, forged, unacceptable } = fixture;
    const trust = trustOf(fixture, this.#runtime);
    this.#tokens = tokens.map(read);
    this.#prepared = new Map();
    for (const peer of this.#peers) {
      const prepared = await peer.prepare(trust);
      this.#prepared.set(peer.name, prepared);
      for (const token of peer.remembers ? this.#tokens : []) await prepared.verify(token);
      // Before the bad tokens, so that a cache which returned a good token's verdict for them would be found.
      await this.batch({ peer: peer.name, first: 0, count: 1, inFlight: 1 });
      await refuses(peer, prepared, forged);
      if (peer.checksClaims) await refuses(peer, prepared, unacceptable);
    }
    return [...this.#prepared.keys()];
  }

  /** Verifies so many tokens. It throws if one of them is refused, or verified as another one. */
  async batch({ peer, first, count, inFlight }: Batch): Promise<void> {
    if (count === 0) return;
    const prepared = this.#prepared.get(peer);
    if (prepared === undefined) throw new Error(`${peer} is not prepared`);
    let next = first;
    const end = first + count;
    let accepted = 0;
    const misses = prepared.misses?.();
    const take = (): Token => this.#tokens[next++ % this.#tokens.length] as Token;
    const lane = async (): Promise<void> => {
      while (next < end) {
        const token = take();
        if (prepared.subject(await prepared.verify(token), token) === token.subject) accepted++;
      }
    };
    if (inFlight > 1) {
      await Promise.all(Array.from({ length: inFlight }, lane));
    } else if (prepared.promise) {
      await lane();
    } else {
      // Nobody awaits what is no promise.
      while (next < end) {
        const token = take();
        if (prepared.subject(prepared.verify(token), token) === token.subject) accepted++;
      }
    }
    if (accepted !== count) throw new Error(`${peer} accepted ${accepted} of ${count} good tokens`);
    if (prepared.misses?.() !== misses) throw new Error(`${peer} did not remember every token`);
  }
}

async function refuses(peer: Peer, prepared: Prepared, tokens: Readonly<Record<string, string>>): Promise<void> {
  for (const [what, compact] of Object.entries(tokens)) {
    const token = read(compact);
    let subject: string | undefined;
    try {
      subject = prepared.subject(await prepared.verify(token), token);
    } catch {
      continue;
    }
    if (subject !== undefined) throw new Error(`${peer.name} accepts a token that has to be refused: ${what}`);
  }
}

/** What peers are prepared with. */
export function trustOf({ alg, jwks, issuer, audience, tokens }: Fixture, runtime: RuntimeName): Trust {
  return { runtime, alg, jwks, issuer, audience, tokens: tokens.length };
}

/** A token with its parts at hand. */
export function read(compact: string): Token {
  const end = compact.lastIndexOf(".");
  const payload = compact.slice(compact.indexOf(".") + 1, end);
  const { sub } = JSON.parse(new TextDecoder().decode(decode(payload))) as { sub: string };
  return {
    compact,
    input: new TextEncoder().encode(compact.slice(0, end)),
    signature: decode(compact.slice(end + 1)),
    subject: sub,
  };
}

function decode(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}
