/** A Worker that is given tokens and verifies as many of them as a request asks for; it makes its verifier when it has to. */
import { read, trustOf } from "../lab.js";
import type { Peer, Prepared, Token } from "../peers/peer.js";
import type { Fixture } from "../tokens.js";

export type Question = { readonly fixture: Fixture } | { readonly first: number; readonly count: number };

export function worker(peer: Peer | undefined): { fetch(request: Request): Promise<Response> } {
  let fixture: Fixture | undefined;
  let tokens: Token[] = [];
  let prepared: Prepared | undefined;

  async function verify(first: number, count: number): Promise<void> {
    if (count === 0 || peer === undefined || fixture === undefined) return;
    prepared ??= await peer.prepare(trustOf(fixture, "workerd"));
    for (let i = first; i < first + count; i++) {
      const token = tokens[i % tokens.length] as Token;
      const result = prepared.verify(token);
      const subject = prepared.subject(prepared.promise ? await result : result, token);
      if (subject !== token.subject) throw new Error("a good token was refused");
    }
  }

  return {
    async fetch(request) {
      try {
        const question = (await request.json()) as Question;
        if ("fixture" in question) {
          fixture = question.fixture;
          tokens = fixture.tokens.map(read);
        } else {
          await verify(question.first, question.count);
        }
        return Response.json({});
      } catch (error) {
        return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
      }
    },
  };
}
