/** The events that the Worker has logged, one line of JSON each. */

export interface Logged {
  type: string;
  [member: string]: unknown;
}

export class EventLog {
  readonly #events: Logged[] = [];
  #rest = "";

  /** Takes what was logged, in pieces of any length. */
  readonly take = (text: string): void => {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith('{"event":')) this.#events.push((JSON.parse(line) as { event: Logged }).event);
    }
  };

  /** How many there are by now: where to begin to look. */
  get length(): number {
    return this.#events.length;
  }

  /** The events from a place on, once there are as many of a type; after two seconds those that there are. */
  async since(start: number, type: string, count = 1): Promise<Logged[]> {
    const found = (): Logged[] => this.#events.slice(start).filter((event) => event.type === type);
    for (const end = Date.now() + 2000; found().length < count && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return found();
  }
}
