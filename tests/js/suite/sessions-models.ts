// A second writing of the rules, by hand and without any of the library's code: random stories of owners, thieves and
// devices are played to both, and must go the same way.

import type { SignedIn } from "waxseal";
import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { type Server, codeOf, serve, withCookies } from "./session-support.js";
import { NOW, read, seeded } from "./support.js";

const EXPIRES_IN = 200;
const ABSOLUTE = 500;

interface Rules {
  readonly grace: number;
  readonly max: number;
  readonly endAll: boolean;
}

/** A session as the rules see it. */
interface Modelled {
  readonly id: string;
  readonly subject: string;
  readonly born: number;
  readonly version: number;
  generation: number;
  refreshed: number;
  expires: number;
  ended: boolean;
}

/** The rules, one function for each call. Each gives the code of the error, or `undefined`. */
class Model {
  readonly #rules: Rules;
  readonly sessions: Modelled[] = [];
  readonly #versions = new Map<string, number>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  live(subject: string, now: number): Modelled[] {
    return this.sessions.filter((each) => each.subject === subject && !each.ended && now < each.expires);
  }

  login(subject: string, id: string, now: number): void {
    const live = this.live(subject, now).sort((a, b) => a.born - b.born);
    for (const oldest of live.slice(0, Math.max(0, live.length - this.#rules.max + 1))) oldest.ended = true;
    const version = this.#versions.get(subject) ?? 0;
    const expires = now + EXPIRES_IN;
    this.sessions.push({ id, subject, born: now, version, generation: 0, refreshed: now, expires, ended: false });
  }

  refresh(id: string, generation: number, expires: number, now: number): string | undefined {
    // The token itself is accepted for five seconds beyond its end, for clocks that differ; the session is not.
    if (now >= expires + 5) return "ERR_TOKEN_EXPIRED";
    const session = this.#find(id);
    if (session === undefined || session.ended) return "ERR_SESSION_ENDED";
    if (now >= session.expires) return "ERR_TOKEN_EXPIRED";
    const inWindow = now - session.refreshed < this.#rules.grace;
    const behind = session.generation - generation;
    if (inWindow && (behind === 0 || behind === 1)) return undefined;
    if (behind !== 0) {
      if (this.#rules.endAll) this.endAll(session.subject);
      else session.ended = true;
      return "ERR_SESSION_ENDED";
    }
    session.generation += 1;
    session.refreshed = now;
    session.expires = Math.min(now + EXPIRES_IN, session.born + ABSOLUTE);
    return undefined;
  }

  end(id: string): boolean {
    const session = this.#find(id);
    const ends = session !== undefined && !session.ended;
    if (session) session.ended = true;
    return ends;
  }

  endAll(subject: string): void {
    // Who never signed in has no version.
    if (!this.sessions.some((each) => each.subject === subject)) return;
    this.#versions.set(subject, (this.#versions.get(subject) ?? 0) + 1);
    for (const session of this.sessions) if (session.subject === subject) session.ended = true;
  }

  authenticate(id: string, expires: number, now: number): string | undefined {
    if (now >= expires + 5) return "ERR_TOKEN_EXPIRED";
    return this.#find(id)?.ended === false ? undefined : "ERR_TOKEN_REVOKED";
  }

  #find(id: string): Modelled | undefined {
    return this.sessions.find((each) => each.id === id);
  }
}

const SUBJECTS = ["alice", "bob"];

export const sessionsModels: Suite = (h, lib) => {
  const play = async (seed: number, rules: Rules, steps: number): Promise<Map<string, number>> => {
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const options = {
      access: { expiresIn: 60, jitter: 0 },
      refresh: { expiresIn: EXPIRES_IN, absolute: ABSOLUTE, grace: rules.grace },
      maxSessions: rules.max,
      onReuse: rules.endAll ? "end-all" : "end-session",
    };
    const server: Server = await serve(lib, options);
    const { sessions, clock, records } = server;
    const model = new Model(rules);
    const held: SignedIn[] = [];
    const seen = new Map<string, number>();
    const saw = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
    for (let step = 0; step < steps; step++) {
      const what = `seed ${seed}, step ${step}, at ${clock.now - NOW}`;
      // The recent ones more often: most of what is old has ended.
      const token = held.length === 0 ? undefined : pick(random() < 0.7 ? held.slice(-4) : held);
      const kind = token === undefined ? 0 : random();
      if (kind < 0.12) {
        const subject = pick(SUBJECTS);
        const signedIn = await sessions.login(subject);
        model.login(subject, signedIn.sessionId, clock.now);
        held.push(signedIn);
        saw("login");
      } else if (kind < 0.6 && token) {
        const { gen, exp } = read(token.refreshToken).claims as { gen: number; exp: number };
        const expected = model.refresh(token.sessionId, gen, exp, clock.now);
        let result: SignedIn | undefined;
        const call = sessions.refresh(random() < 0.5 ? withCookies(token) : { refreshToken: token.refreshToken });
        const code = await codeOf(
          lib,
          call.then((given) => void (result = given)),
        );
        equal(code, expected, `refresh, ${what}`);
        saw(`refresh ${code ?? ""}`);
        if (result) {
          const { generation, refreshed, expires, version } = model.sessions.find(
            ({ id }) => id === token.sessionId,
          ) as Modelled;
          const claims = read(result.refreshToken).claims;
          deepEqual([claims["gen"], claims["iat"], claims["exp"]], [generation, refreshed, expires], what);
          equal(read(result.accessToken).claims["ver"], version, what);
          held.push(result);
        }
      } else if (kind < 0.68 && token) {
        equal((await sessions.logout(withCookies(token))).ended, model.end(token.sessionId), `logout, ${what}`);
        saw("logout");
      } else if (kind < 0.7) {
        const subject = pick(SUBJECTS);
        await sessions.logoutEverywhere(subject);
        model.endAll(subject);
        saw("everywhere");
      } else if (kind < 0.8 && token) {
        const expected = model.authenticate(token.sessionId, token.expiresAt, clock.now);
        equal(await codeOf(lib, sessions.authenticate(withCookies(token))), expected, `authenticate, ${what}`);
        saw(`authenticate ${expected ?? ""}`);
      } else clock.now += pick([1, 1, 2, 5, rules.grace, rules.grace, 30, 30, 70]);
      for (const subject of SUBJECTS) {
        const listed = (await sessions.list(subject)).map(({ sessionId }) => sessionId);
        deepEqual(
          listed.sort(),
          model
            .live(subject, clock.now)
            .map(({ id }) => id)
            .sort(),
          `list, ${what}`,
        );
      }
    }
    ok(records.texts.size <= SUBJECTS.length);
    sessions.dispose();
    return seen;
  };

  const all: [string, Rules][] = [
    ["the defaults", { grace: 10, max: 50, endAll: false }],
    ["no window", { grace: 0, max: 50, endAll: false }],
    ["few sessions, and a reuse that ends all", { grace: 10, max: 3, endAll: true }],
    ["one session, and a long window", { grace: 60, max: 1, endAll: false }],
  ];
  // As with faults, two hosts tell long stories, and the others short ones.
  const rounds = h.runtime === "node-esm" || h.runtime === "workerd" ? 4 : 1;
  for (const [index, [what, rules]] of all.entries()) {
    h.test(`${rounds * 200} random steps go as a second writing of the rules says, with ${what}`, async () => {
      const seen = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        for (const [name, count] of await play(100 * index + round, rules, 200)) {
          seen.set(name, (seen.get(name) ?? 0) + count);
        }
      }
      // A comparison that met few of the outcomes would prove little.
      for (const name of ["login", "refresh ", "refresh ERR_SESSION_ENDED", "logout", "everywhere", "authenticate "]) {
        ok((seen.get(name) ?? 0) >= rounds, `${name}: ${JSON.stringify([...seen])}`);
      }
    });
  }
};
