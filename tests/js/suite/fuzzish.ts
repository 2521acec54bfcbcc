// Random calls, the same ones each time: whatever is given, nothing but a WaxsealError comes out, and the library works
// afterwards. `make proof` makes a million of them; and thousands of mutations of good tokens.

import { deepEqual, ok } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { runCalls } from "./calls/run.js";
import { accessCookie, post, serve, withCookies } from "./session-support.js";
import { ec, makeVerifier, seeded, signed } from "./support.js";

const CALLS = 2000;

/** A page of WebAssembly's memory. The first calls with long arguments make it grow; `make proof` looks at it after them. */
const PAGE = 65_536;

export const fuzzish: Suite = (h, lib) => {
  for (const seed of [1, 2, 3]) {
    h.test(
      `${CALLS} random calls of every export give results or WaxsealErrors and nothing else (seed ${seed})`,
      async () => {
        const { calls, by, failures, replaced, memory } = await runCalls({ lib, seed, count: CALLS });
        deepEqual(failures, []);
        deepEqual([calls, replaced], [CALLS, 0]);
        const succeeded = Object.values(by).reduce((sum, [, count]) => sum + count, 0);
        ok(succeeded > CALLS / 4, `only ${succeeded} calls succeeded, so the calls are too wild to prove much`);
        ok(memory[1] - memory[0] <= 32 * PAGE, `memory grew from ${memory[0]} to ${memory[1]} bytes`);
      },
    );
  }

  h.test("five thousand mutations of a good token are refused or are the token itself", async () => {
    const random = seeded(4);
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec());
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u0000é";
    const at = (): number => Math.floor(random() * token.length);
    const letter = (): string => alphabet[Math.floor(random() * alphabet.length)] as string;
    const mutations = [
      (i: number) => token.slice(0, i) + letter() + token.slice(i + 1),
      (i: number) => token.slice(0, i) + token.slice(i + 1),
      (i: number) => token.slice(0, i) + letter() + token.slice(i),
      (i: number) => token.slice(0, i),
      (i: number) => token.slice(i),
      (i: number) => token.slice(0, i) + token.slice(i - 4) + token.slice(i),
    ];
    for (let round = 0; round < 5000; round++) {
      const mutated = (mutations[round % mutations.length] as (i: number) => string)(at());
      try {
        verifier.verify(mutated);
        ok(mutated === token, `accepted in round ${round}`);
      } catch (error) {
        ok(error instanceof lib.WaxsealError && error.code !== "ERR_INTERNAL", `round ${round}: ${String(error)}`);
        ok(mutated !== token, "the token itself was refused");
      }
    }
  });

  h.test("a thousand mutations of a refresh token refresh nothing, and leave its session as it was", async () => {
    const random = seeded(5);
    const { sessions, records, clock } = await serve(lib);
    const held = await sessions.login("alice");
    clock.now += 60;
    const [token, asked] = [held.refreshToken, records.asked.length];
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=; \u0000é";
    for (let round = 0; round < 1000; round++) {
      const at = Math.floor(random() * token.length);
      const letter = alphabet[Math.floor(random() * alphabet.length)] as string;
      const mutated = token.slice(0, at) + letter + token.slice(at + (round % 2));
      if (mutated === token) continue;
      const cookie = post(`${accessCookie(held)}; __Secure-refresh=${mutated}`);
      // A character after a semicolon begins a cookie of its own, and the one before may be whole.
      for (const request of letter === ";" ? [{ refreshToken: mutated }] : [{ refreshToken: mutated }, cookie]) {
        try {
          await sessions.refresh(request);
          ok(mutated.trim() === token, `accepted in round ${round}`);
        } catch (error) {
          ok(error instanceof lib.WaxsealError && error.code !== "ERR_INTERNAL", `round ${round}: ${String(error)}`);
        }
      }
    }
    ok(records.asked.length - asked <= 4, "no store is asked about what is not verified");
    ok(await sessions.refresh(withCookies(held)));
  });
};
