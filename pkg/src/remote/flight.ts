/**
 * A fetch that is under way, which others may join.
 *
 * On Workers what a request has begun ends with that request, and a promise of it then never resolves for anybody else. So a
 * fetch has a heart, a timer of its own request, and whoever joins listens to it with a timer of their own: when the one
 * stops, the other notices.
 */

/** Between two beats, in milliseconds. */
const BEAT = 200;

/** So many beats missed are the end. */
const MISSED = 3;

/** See the head of this file. */
export class Flight {
  #beats = 0;
  /** Resolves when the fetch has ended, if its request lives so long. Never rejects. */
  readonly ended: Promise<void>;

  constructor(run: () => Promise<void>) {
    const heart = setInterval(() => {
      this.#beats += 1;
    }, BEAT);
    this.ended = run()
      .catch(() => undefined)
      .finally(() => clearInterval(heart));
  }

  /** Waits for the end, or until nothing is heard any more: then it is `false`. */
  join(): Promise<boolean> {
    let timer: ReturnType<typeof setInterval> | undefined;
    const silence = new Promise<boolean>((resolve) => {
      let heard = this.#beats;
      let missed = 0;
      timer = setInterval(() => {
        missed = heard === this.#beats ? missed + 1 : 0;
        heard = this.#beats;
        if (missed === MISSED) resolve(false);
      }, BEAT);
    });
    return Promise.race([this.ended.then(() => true), silence]).finally(() => clearInterval(timer));
  }
}
