// Every order in which calls that run at once can come to their stores. Each call has a server of its own, as two isolates
// of one deployment have, and waits before every operation until it is its turn.

import { type Rig, direct } from "./session-ground.js";

/** A call that takes part. */
export interface Player {
  readonly server: Rig;
  readonly run: (server: Rig) => Promise<unknown>;
}

/** What became of a call, and when, counted in operations of all. */
export interface Played {
  readonly value?: unknown;
  readonly error?: Error & { code: string };
  /** When its first operation was done. */
  readonly began: number;
  /** When it was answered. */
  readonly ended: number;
}

class Turn {
  /** What it waits to do: several at once are one turn. */
  waiting: (() => void)[] = [];
  arrived: () => void = () => undefined;
  began = 0;
  ended = 0;
  value: unknown;
  error: Error | undefined;

  /** Until it waits again, or is answered. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.arrived = resolve;
    });
  }
}

/** Runs calls together; `choose` says which of those that wait goes on. */
async function play(players: readonly Player[], choose: (among: number) => number): Promise<Played[]> {
  let time = 0;
  const turns: Turn[] = [];
  for (const { server, run } of players) {
    const turn = new Turn();
    server.ground.wrap = (_, operation) =>
      new Promise((resolve, reject) => {
        turn.waiting.push(() => void operation().then(resolve, reject));
        turn.arrived();
      });
    const settled = (part: Partial<Turn>): void => {
      Object.assign(turn, part, { ended: ++time });
      turn.arrived();
    };
    const arrival = turn.next();
    run(server).then(
      (value) => settled({ value }),
      (error: Error) => settled({ error }),
    );
    await arrival;
    turns.push(turn);
  }
  for (;;) {
    const ready = turns.filter(({ waiting }) => waiting.length > 0);
    if (ready.length === 0) break;
    const turn = ready[choose(ready.length)] as Turn;
    turn.began ||= ++time;
    const arrival = turn.next();
    for (const go of turn.waiting.splice(0)) go();
    await arrival;
  }
  for (const { server } of players) server.ground.wrap = direct;
  return turns.map(({ value, error, began, ended }) => ({
    began,
    ended,
    ...(error === undefined ? { value } : { error: error as Error & { code: string } }),
  }));
}

/**
 * Runs the same calls from the same beginning in every order.
 *
 * @param stage Sets the stage anew, has the calls played, and judges what became of them.
 * @returns How many orders there are.
 */
export async function everyOrder(
  stage: (play: (...players: Player[]) => Promise<Played[]>) => Promise<void>,
): Promise<number> {
  let orders = 0;
  let choices: number[] = [];
  for (;;) {
    let step = 0;
    const widths: number[] = [];
    await stage((...players) =>
      play(players, (among) => {
        widths.push(among);
        return (choices[step++] ??= 0);
      }),
    );
    orders += 1;
    // The last choice that has an alternative is made otherwise; what came after it is open again.
    while (choices.length > 0 && (choices.at(-1) ?? 0) + 1 >= (widths[choices.length - 1] ?? 0)) choices.pop();
    if (choices.length === 0) return orders;
    choices = [...choices.slice(0, -1), (choices.at(-1) ?? 0) + 1];
  }
}
