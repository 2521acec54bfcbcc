// The fault matrix: every call, with every operation of a store that it makes failing in every way. Whatever fails, the
// caller gets an answer in time, and a session is as it was, rotated exactly once, or ended: never forked.

import type { SessionEvent, SignedIn } from "waxseal";
import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { type Fault, Later, OUTAGES, faultsOf } from "./session-faults.js";
import { type Moment, type Rig, direct, startingAt } from "./session-ground.js";
import { FLOWS, type Flow, type Scene } from "./session-scenes.js";
import {
  ALICE,
  type Operation,
  type Recorded,
  type Records,
  type Server,
  serve,
  withCookies,
} from "./session-support.js";

/** In milliseconds: what a call may take on a machine that does many things at once, when it must not hang. */
const PATIENCE = 20_000;
/** How many cells run at a time. */
const AT_ONCE = 24;

/** A scene that is set, once for all of its cells. */
interface Snapshot extends Moment {
  readonly scene: Scene;
  /** The operations that the call makes when nothing fails. */
  readonly operations: Operation[];
  readonly foreign: string;
  readonly own: string;
}

async function begin(lib: Library, flow: Flow): Promise<Snapshot> {
  const server = await serve(lib, flow.options);
  const scene = await flow.prepare(server, lib);
  await server.sessions.login("mallory");
  const [foreign, own] = [await server.records.text("mallory"), await server.records.text()];
  const entries = new Map(server.revoked.entries);
  const snapshot = { scene, now: server.clock.now, records: server.records.copy(), entries };
  const operations: Operation[] = [];
  await startingAt(lib, flow.options, snapshot, async ({ sessions, ground }) => {
    ground.wrap = (operation, run) => {
      operations.push(operation);
      return run();
    };
    equal(codeOf(await outcomeOf(scene.run(sessions))), flow.code, "with nothing failing");
  });
  return { ...snapshot, operations, foreign: foreign ?? "", own: own ?? "" };
}

/** The sessions of the refresh tokens that are good beyond the grace window, each token tried on the same records. */
async function goodLater(lib: Library, { records, clock }: Server, tokens: string[]): Promise<string[]> {
  const good: string[] = [];
  for (const refreshToken of new Set(tokens)) {
    const moment = { now: clock.now + 11, records, entries: new Map<string, string>() };
    await startingAt(lib, undefined, moment, async ({ sessions }) => {
      const outcome = await outcomeOf(sessions.refresh({ refreshToken }));
      if ("value" in outcome) good.push((outcome.value as SignedIn).sessionId);
    });
  }
  return good;
}

interface Failure extends Error {
  code: string;
  status: number;
  retryAfter?: number;
  clearingHeaders?: Headers;
}

type Outcome = { value: unknown } | { error: Failure };

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await call };
  } catch (error) {
    return { error: error as Failure };
  }
}

const codeOf = (outcome: Outcome): string | undefined => ("error" in outcome ? outcome.error.code : undefined);

/** How the call must end, by the operation that fails and by what the fault says; undefined for success. */
function expected(flow: Flow, { operations }: Snapshot, index: number, { meaning }: Fault): (string | undefined)[] {
  // A store that lies may hide a session, but not add one.
  if (meaning === "lie") return [flow.code, "ERR_SESSION_ENDED"];
  if (meaning === "harmless" || meaning === "contradicted") return [flow.code];
  const revocation = [flow.promises === true ? "ERR_REVOCATION_UNAVAILABLE" : flow.code];
  switch (operations[index]) {
    case "read":
      return ["ERR_STORE_UNAVAILABLE"];
    case "swap":
      if (operations[index - 1] !== "put") return ["ERR_STORE_UNAVAILABLE"];
      // The swap after the entries were written only notes that they were; but the time that it took is gone.
      return index === operations.length - 1 ? [flow.code] : [flow.code, "ERR_STORE_UNAVAILABLE"];
    default:
      return revocation;
  }
}

interface Cell {
  readonly index: number;
  readonly fault: Fault;
  readonly outage: boolean;
}

function cellsOf({ operations, foreign, own }: Snapshot): Cell[] {
  return operations.flatMap((operation, index) => [
    ...faultsOf(operation, foreign, own).map((fault) => ({ index, fault, outage: false })),
    ...OUTAGES.map((fault) => ({ index, fault, outage: true })),
  ]);
}

/** That no session is anything else than as it was, rotated exactly once, or ended; and none is lost. */
function checkRecord(before: Recorded, after: Recorded, may: { rotate: string[]; end: string[] }): void {
  for (const was of before.sessions) {
    const is = after.sessions.find(({ sid }) => sid === was.sid);
    ok(is, "a session is gone");
    const { gen, at, exp, ended, pending, ...rest } = is;
    const { gen: gen0, at: at0, exp: exp0, ended: ended0, pending: pending0, ...rest0 } = was;
    deepEqual(rest, rest0, "birth, absolute end and version never change");
    if (ended0 !== undefined) equal(ended, ended0, "what was ended stays ended");
    else if (ended !== undefined) ok(may.end.includes(was.sid), "a session was ended that nobody meant");
    if (pending === true && pending0 === undefined) ok(ended !== undefined, "only what was ended waits");
    if (gen === gen0) deepEqual([at, exp], [at0, exp0]);
    else {
      ok(gen === gen0 + 1 && may.rotate.includes(was.sid), `from generation ${gen0} to ${gen}`);
      ok(at > at0 && exp >= exp0);
    }
  }
  ok(after.version >= before.version && after.version <= before.version + 2);
  const sids = new Set(after.sessions.map(({ sid }) => sid));
  equal(sids.size, after.sessions.length, "a session is there twice");
  ok(sids.size <= before.sessions.length + 1, "a call begins one session at most");
}

async function runCell(lib: Library, flow: Flow, snapshot: Snapshot, cell: Cell, server: Rig): Promise<void> {
  const { scene } = snapshot;
  const { sessions, records, revoked, events, clock, ground } = server;
  const later = new Later();
  let count = 0;
  ground.wrap = (_, run) => {
    const index = count++;
    const hit = cell.outage ? index >= cell.index : index === cell.index;
    return hit ? cell.fault.act(run, later) : run();
  };
  const before = JSON.parse(snapshot.own) as Recorded;
  const lie = cell.fault.meaning === "lie";

  const started = Date.now();
  const outcome = await outcomeOf(scene.run(sessions));
  ok(Date.now() - started < PATIENCE, "it ends within its timeout");
  ground.wrap = direct;

  checkOutcome(lib, outcome, expected(flow, snapshot, cell.index, cell.fault), events);
  const released = [...scene.released];
  const won = "value" in outcome && isSignedIn(outcome.value) ? outcome.value : undefined;
  if (won) released.push(won.refreshToken);
  const mayEnd = scene.ends ?? [];
  const mayRotate = scene.rotates === undefined ? [] : [scene.rotates];
  checkRecord(before, await records.of(), { rotate: mayRotate, end: mayEnd });
  if (codeOf(outcome) === flow.code && !lie) {
    for (const sid of mayEnd) ok((await ended(records)).includes(sid), "what is acknowledged has happened");
  }

  await later.happenBefore();
  clock.now += 1;
  // The owner tries again with what they hold, and is signed in unless the session was ended.
  const owner = won !== undefined && won.sessionId === scene.owner.sessionId ? won : scene.owner;
  const gone = (await ended(records)).includes(owner.sessionId);
  const retry = await outcomeOf(sessions.refresh(withCookies(owner)));
  if (gone) equal(codeOf(retry), "ERR_SESSION_ENDED", "the retry of who was signed out");
  else if (!lie) equal(codeOf(retry), undefined, "the retry of who is still signed in");
  if ("value" in retry) released.push((retry.value as SignedIn).refreshToken);
  await later.happenAfter();
  const rotate = [...mayRotate, owner.sessionId];
  checkRecord(before, await records.of(), { rotate, end: lie ? [...mayEnd, owner.sessionId] : mayEnd });

  // Of all tokens that were ever given out, at most one for each session is still good beyond the window.
  const good = await goodLater(lib, server, released);
  equal(new Set(good).size, good.length, "a session has two good refresh tokens: it was forked");

  equal(codeOf(await outcomeOf(sessions.sweep(ALICE))), undefined, "the sweep");
  const swept = await records.of();
  ok(!swept.sessions.some(({ pending }) => pending), "nothing waits");
  const lost = lie && snapshot.operations[cell.index] === "put" ? 1 : 0;
  ok(revoked.entries.size >= swept.sessions.filter(({ ended }) => ended !== undefined).length - lost, "all are told");
}

function checkOutcome(lib: Library, outcome: Outcome, codes: (string | undefined)[], events: SessionEvent[]): void {
  const rejections = events.filter(({ type }) => type === "rejected").length;
  const signIns = events.filter(({ type }) => type === "issued" || type === "refreshed").length;
  if ("value" in outcome) {
    ok(codes.includes(undefined), `it succeeds instead of failing with ${codes.join(" or ")}`);
    deepEqual([rejections, signIns], [0, isSignedIn(outcome.value) ? 1 : 0], "events");
    return;
  }
  const { error } = outcome;
  ok(error instanceof lib.WaxsealError, `${String(error)} is no WaxsealError`);
  ok(codes.includes(error.code), `${error.code} instead of ${codes.join(" or ")}: ${error.message}`);
  ok(!error.message.includes("hunter2"), "what the store said is not passed on");
  equal(error.status, error.code === "ERR_SESSION_ENDED" ? 401 : 503);
  equal(error.retryAfter, error.status === 503 ? 1 : undefined);
  equal(error.clearingHeaders?.getSetCookie().length, 2);
  deepEqual([rejections, signIns], [1, 0], "events");
}

const isSignedIn = (value: unknown): value is SignedIn =>
  typeof value === "object" && value !== null && "refreshToken" in value;

async function ended(records: Records): Promise<string[]> {
  const { sessions } = await records.of();
  return sessions.filter(({ ended }) => ended !== undefined).map(({ sid }) => sid);
}

export const sessionsFaults: Suite = async (h, lib) => {
  // What decides is the same module everywhere: two hosts run the whole matrix, and the others a part of each row.
  const share = h.runtime === "node-esm" || h.runtime === "workerd" ? 1 : 5;
  for (const flow of FLOWS) {
    const snapshot = await begin(lib, flow);
    const cells = cellsOf(snapshot).filter((_, index) => index % share === 0);
    const operations = snapshot.operations.join(", ");
    const name = `${flow.name} (${operations}): each of ${cells.length} faults leaves every session as it was, rotated once, or ended`;
    h.test(name, async () => {
      const failures: string[] = [];
      const rest = cells.values();
      const worker = async (): Promise<void> => {
        for (const cell of rest) {
          try {
            await startingAt(lib, flow.options, snapshot, (server) => runCell(lib, flow, snapshot, cell, server));
          } catch (error) {
            const where = `operation ${cell.index + 1}, ${snapshot.operations[cell.index]}`;
            const lasting = cell.outage ? " from then on" : "";
            failures.push(`${where} ${cell.fault.what}${lasting}: ${String(error)}`);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      deepEqual(failures, []);
    });
  }

  h.test("a call whose stores never answer ends by its timeouts and not before", async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const store = { read: never, compareAndSwap: never };
    const { sessions } = await serve(lib, { store, timeout: 0.2 });
    const started = Date.now();
    const outcome = await outcomeOf(sessions.login(ALICE));
    equal(codeOf(outcome), "ERR_STORE_UNAVAILABLE");
    // The clock of workerd stands still between inputs and outputs.
    if (h.runtime !== "workerd") ok(Date.now() - started >= 190, `${Date.now() - started} ms`);
    ok(Date.now() - started < 2000);
  });
};
