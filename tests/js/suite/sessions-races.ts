// Calls that run at once, in every order in which their operations can reach the stores, and many at the same moment.

import type { SignedIn } from "waxseal";
import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { type Moment, type Rig, startingAt } from "./session-ground.js";
import { type Played, everyOrder } from "./session-schedule.js";
import { ALICE, type Recorded, type RecordedSession, serve, withCookies } from "./session-support.js";
import { read } from "./support.js";

/** Nobody waits for a timeout here, however busy the machine is. */
const PATIENT = { timeout: 30 };

/** What there is before a race. */
interface Start extends Moment {
  /** What one browser was given, in order; the last is what it holds. Beyond the window, the next refresh rotates. */
  readonly mine: SignedIn[];
  /** What another browser of the same user holds. */
  readonly other: SignedIn;
}

async function start(lib: Library): Promise<Start> {
  const { sessions, clock, records, revoked } = await serve(lib);
  const other = await sessions.login(ALICE);
  const mine = [await sessions.login(ALICE)];
  for (let i = 0; i < 2; i++) {
    clock.now += 20;
    mine.push(await sessions.refresh(withCookies(mine[i] as SignedIn)));
  }
  clock.now += 20;
  return { mine, other, now: clock.now, records: records.copy(), entries: new Map(revoked.entries) };
}

type Kind = "refresh" | "ends mine" | "ends all" | "login" | "other";

interface Racer {
  readonly what: string;
  readonly kind: Kind;
  readonly run: (server: Rig, start: Start) => Promise<unknown>;
}

const held = ({ mine }: Start): SignedIn => mine[mine.length - 1] as SignedIn;

const REFRESH: Racer = {
  what: "a refresh",
  kind: "refresh",
  run: ({ sessions }, at) => sessions.refresh(withCookies(held(at))),
};
const OLD: Racer = {
  what: "a refresh with a token that was used before",
  kind: "ends mine",
  run: ({ sessions }, { mine }) => sessions.refresh(withCookies(mine[0] as SignedIn)),
};
const LOGOUT: Racer = {
  what: "a logout",
  kind: "ends mine",
  run: ({ sessions }, at) => sessions.logout(withCookies(held(at))),
};
const END: Racer = {
  what: "an end by its identifier",
  kind: "ends mine",
  run: ({ sessions }, at) => sessions.end(ALICE, held(at).sessionId),
};
const EVERYWHERE: Racer = {
  what: "a logout everywhere",
  kind: "ends all",
  run: ({ sessions }) => sessions.logoutEverywhere(ALICE),
};
const LOGIN: Racer = { what: "a login", kind: "login", run: ({ sessions }) => sessions.login(ALICE) };
const REPLACE: Racer = {
  what: "a login that replaces it",
  kind: "ends mine",
  run: ({ sessions }, at) => sessions.login(ALICE, { request: withCookies(held(at)) }),
};
const SWEEP: Racer = { what: "a sweep", kind: "other", run: ({ sessions }) => sessions.sweep(ALICE) };

const RACES: Racer[][] = [
  [REFRESH, REFRESH],
  [REFRESH, LOGOUT],
  [REFRESH, EVERYWHERE],
  [REFRESH, OLD],
  [REFRESH, LOGIN],
  [LOGIN, LOGIN],
  [REFRESH, REFRESH, REFRESH],
  [REFRESH, END],
  [REFRESH, REPLACE],
  [LOGIN, EVERYWHERE],
  [LOGOUT, LOGOUT],
  [LOGOUT, EVERYWHERE],
  [EVERYWHERE, EVERYWHERE],
  [OLD, SWEEP],
  [REPLACE, LOGOUT],
];

const isSignedIn = (value: unknown): value is SignedIn =>
  typeof value === "object" && value !== null && "refreshToken" in value;

/** That times, generations and versions only grow, and that what was ended is written no more. */
function checkHistory(texts: readonly string[]): void {
  let before: Recorded | undefined;
  for (const text of texts) {
    const record = JSON.parse(text) as Recorded;
    for (const was of before?.sessions ?? []) {
      const is = record.sessions.find(({ sid }) => sid === was.sid) as RecordedSession;
      ok(is.gen >= was.gen && is.at >= was.at && is.end === was.end && is.ver === was.ver, "only grows");
      if (was.ended !== undefined) deepEqual([is.ended, is.gen], [was.ended, was.gen], "written after its end");
    }
    ok(record.version >= (before?.version ?? 0));
    before = record;
  }
}

async function judge(lib: Library, racers: Racer[], at: Start, played: Played[], server: Rig): Promise<void> {
  const { sessions, records, clock } = server;
  const initial = JSON.parse((await at.records.text()) ?? "") as Recorded;
  checkHistory([JSON.stringify(initial), ...records.written.map(({ text }) => text)]);
  const record = await records.of();
  const sessionOf = (sid: string): RecordedSession =>
    record.sessions.find((each) => each.sid === sid) as RecordedSession;
  const mine = held(at).sessionId;
  ok(sessionOf(mine).gen <= at.mine.length, "one rotation at most");

  const given: SignedIn[] = [];
  for (const [index, { error, value, began }] of played.entries()) {
    const { kind, what } = racers[index] as Racer;
    if (error !== undefined) {
      ok(error instanceof lib.WaxsealError && error.code === "ERR_SESSION_ENDED", `${what}: ${String(error)}`);
      ok(kind === "refresh" || what === OLD.what, `${what} must not fail`);
      ok(kind !== "refresh" || sessionOf(mine).ended !== undefined, "a refresh fails only when its session was ended");
    } else if (isSignedIn(value)) {
      given.push(value);
      // Nothing that began after the answer to an end gets tokens of what was ended.
      const dead = played.some(
        (other, i) => /^ends/.test((racers[i] as Racer).kind) && other.ended < began && value.sessionId === mine,
      );
      ok(!dead, `${what} signed in after the session's end had been acknowledged`);
    }
  }
  // All tokens of one generation are one token, and say what the record says.
  const refreshed = given.filter(({ sessionId }) => sessionId === mine).map(({ refreshToken }) => refreshToken);
  ok(new Set(refreshed).size <= 1, "a session was forked");
  for (const { accessToken, refreshToken, sessionId } of given) {
    equal(read(accessToken).claims["ver"], sessionOf(sessionId).ver, "the version of the session's birth");
    ok((read(refreshToken).claims["exp"] as number) <= sessionOf(sessionId).end);
  }
  if (racers.some(({ kind }) => kind.startsWith("ends"))) ok(sessionOf(mine).ended !== undefined, "it is ended");
  else equal(sessionOf(mine).ended, undefined, "nobody ended it");
  if (racers.some(({ kind }) => kind === "ends all")) ok(sessionOf(at.other.sessionId).ended !== undefined);
  else equal(sessionOf(at.other.sessionId).ended, undefined, "the other browser was left alone");
  ok(!record.sessions.some(({ pending }) => pending), "the revocation store was told of every end");

  // Access tokens too, however late they were released.
  for (const each of [...given, held(at), at.other]) {
    const gone = sessionOf(each.sessionId).ended !== undefined;
    const [plain] = await Promise.allSettled([sessions.authenticate(withCookies(each))]);
    equal(codeOf(plain), gone ? "ERR_TOKEN_REVOKED" : undefined, "authenticate");
    clock.now += 1;
    const [again] = await Promise.allSettled([sessions.refresh(withCookies(each))]);
    equal(codeOf(again), gone ? "ERR_SESSION_ENDED" : undefined, "the next refresh");
    clock.now -= 1;
  }
}

function codeOf(settled: PromiseSettledResult<unknown> | undefined): string | undefined {
  return settled?.status === "rejected" ? (settled.reason as { code: string }).code : undefined;
}

export const sessionsRaces: Suite = async (h, lib) => {
  const at = await start(lib);
  // As with faults, two hosts run every race, and the others the shorter ones.
  const whole = h.runtime === "node-esm" || h.runtime === "workerd";
  for (const racers of whole ? RACES : RACES.slice(0, 6)) {
    const names = racers.map(({ what }) => what).join(", ");
    h.test(`in every order of their operations, one of each ends well: ${names}`, async () => {
      const orders = await everyOrder((play) =>
        startingAt(
          lib,
          PATIENT,
          at,
          async (...servers) => {
            const players = racers.map(({ run }, i) => ({
              server: servers[i] as Rig,
              run: (server: Rig) => run(server, at),
            }));
            await judge(lib, racers, at, await play(...players), servers[0] as Rig);
          },
          racers.length,
        ),
      );
      // Two calls of two operations have six orders: fewer would mean that they did not run at once.
      ok(orders >= 6, `${orders} orders`);
    });
  }
};
