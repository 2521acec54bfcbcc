/**
 * Users who sign in, go about and sign out, and a model of their sessions: of each it is known whether it must live. A store
 * that fails gives 503 at worst, and what is then repeated must succeed.
 */
import { type Answer, Client } from "./client.js";

const ACCESS = "__Host-access";
const REFRESH = "__Secure-refresh";
/** How often a call is repeated that gets 503, until it counts as one that never succeeds. */
const TRIES = 25;
/** How many sessions a user has at most, and begins in all before another user comes. */
const AT_ONCE = 4;
const IN_ALL = 12;

/** What is counted of sessions. */
export interface Sessions {
  made: number;
  ended: number;
  /** A live one whose tokens were refused. */
  lost: number;
  /** One of which two tokens lived, or that a replayed token did not end. */
  forked: number;
  /** An ended one whose tokens were accepted. */
  revived: number;
  /** Repeated only after the window was over, which ends a session by right: too slow a machine. */
  late: number;
}

interface Session {
  readonly id: string;
  access: string;
  refresh: string;
  /** Tokens that were replaced, and when. */
  readonly old: { readonly token: string; readonly at: number }[];
}

/** What the load does, and how often, out of a hundred. */
const MIX: readonly (readonly [kind: Kind, weight: number])[] = [
  ["login", 10],
  ["guard by cookie", 23],
  ["guard by bearer", 23],
  ["refresh", 18],
  ["refresh from tabs", 5],
  ["replay", 8],
  ["refresh of an ended one", 5],
  ["logout", 6],
  ["logout everywhere", 2],
];
type Kind =
  | "login"
  | "guard by cookie"
  | "guard by bearer"
  | "refresh"
  | "refresh from tabs"
  | "replay"
  | "refresh of an ended one"
  | "logout"
  | "logout everywhere";

/** One user after the other. */
export class Lane {
  #user = "";
  #begun = 0;
  #users = 0;
  #live: Session[] = [];
  #ended: Session[] = [];
  /** The first session of every other user: nobody ends it before one of its old tokens is presented, after the window. */
  #kept: Session | undefined;

  constructor(
    private readonly number: number,
    private readonly client: Client,
    private readonly sessions: Sessions,
    private readonly password: string,
    /** In milliseconds: the window in which a token may be presented again. */
    private readonly window: number,
    private readonly wrong: (what: string) => void,
  ) {
    this.#next();
  }

  /** Goes on until told to stop, and looks at everything once more then. */
  async run(until: () => boolean): Promise<void> {
    while (!until()) {
      await this.#step(pick(MIX));
      if (this.#begun >= IN_ALL && this.#live.length === 0) {
        await this.#settle();
        this.#next();
      }
    }
    await this.#settle();
  }

  #next(): void {
    this.#user = `load-${this.number}-${this.#users++}`;
    this.#begun = 0;
    this.#ended = [];
  }

  async #step(kind: Kind): Promise<void> {
    const session = this.#live[Math.floor(Math.random() * this.#live.length)];
    if (kind === "login" || session === undefined) {
      if (this.#live.length < AT_ONCE && this.#begun < IN_ALL) await this.#login();
      // A user who has begun enough goes away.
      else if (session !== undefined && this.#begun >= IN_ALL) await this.#leave(session);
      return;
    }
    switch (kind) {
      case "guard by cookie":
        return this.#guard(kind, session, { Cookie: `${ACCESS}=${session.access}` });
      case "guard by bearer":
        return this.#guard(kind, session, { Authorization: `Bearer ${session.access}` });
      case "refresh":
        return this.#refresh(kind, session, 1);
      case "refresh from tabs":
        return this.#refresh(kind, session, 5);
      case "replay":
        return this.#replay();
      case "refresh of an ended one":
        return this.#checkEnded(kind);
      case "logout":
        return this.#leave(session);
      case "logout everywhere":
        return this.#kept === undefined ? this.#logoutEverywhere(session) : undefined;
    }
  }

  /** Sends until something else than 503 is answered. */
  async #until(kind: string, send: (kind: string) => Promise<Answer>): Promise<Answer & { tries: number }> {
    for (let tries = 1; ; tries++) {
      const answer = await send(tries === 1 ? kind : `${kind}, again`);
      if (answer.status !== 503) return { ...answer, tries };
      if (tries === TRIES) {
        this.wrong(`${kind}: 503 ${answer.code} ${TRIES} times`);
        return { ...answer, tries };
      }
    }
  }

  async #login(): Promise<void> {
    const body = JSON.stringify({ username: this.#user, password: this.password });
    const answer = await this.#until("login", (kind) => this.client.send(kind, "POST", "/api/auth/login", {}, body));
    const [access, refresh] = [answer.cookies.get(ACCESS), answer.cookies.get(REFRESH)];
    if (answer.status !== 200 || !access || !refresh) return this.wrong(`login: ${answer.status} ${answer.code}`);
    const session: Session = { id: answer.json.sessionId, access, refresh, old: [] };
    this.#live.push(session);
    if (this.#begun === 0 && this.#users % 2 === 0) this.#kept = session;
    this.#begun += 1;
    this.sessions.made += 1;
  }

  async #guard(kind: string, session: Session, headers: Record<string, string>): Promise<void> {
    const { status, code, json } = await this.#until(kind, (name) => this.client.send(name, "GET", "/me", headers));
    if (status === 200 && json.sessionId !== session.id) this.wrong(`${kind}: the session of another`);
    if (status !== 200) this.#lose(session, `${kind}: ${status} ${code}`);
  }

  #present(kind: string, { access, refresh }: Pick<Session, "access" | "refresh">): Promise<Answer> {
    const Cookie = `${ACCESS}=${access}; ${REFRESH}=${refresh}`;
    return this.client.send(kind, "POST", "/api/auth/refresh", { Cookie });
  }

  /** Refreshes in so many tabs at once, which have the same cookies. */
  async #refresh(kind: string, session: Session, tabs: number): Promise<void> {
    const presented = { access: session.access, refresh: session.refresh };
    const began = performance.now();
    const tab = (): Promise<Answer> => this.#until(kind, (name) => this.#present(name, presented));
    const answers = await Promise.all(Array.from({ length: tabs }, tab));
    const given = new Set<string>();
    for (const { status, code, json, cookies } of answers) {
      if (status === 200) {
        if (json.sessionId !== session.id) this.wrong(`${kind}: the session of another`);
        session.access = cookies.get(ACCESS) ?? session.access;
        // None is set where the client has it already.
        given.add(cookies.get(REFRESH) ?? presented.refresh);
        continue;
      }
      if (performance.now() - began > this.window * 0.9 && this.#live.includes(session)) {
        this.sessions.late += 1;
        this.#end(session);
      }
      this.#lose(session, `${kind}: ${status} ${code}`);
    }
    given.delete(presented.refresh);
    if (given.size > 1) {
      this.sessions.forked += 1;
      this.wrong(`${kind}: ${given.size} tokens for one`);
    }
    const [next] = given;
    if (next === undefined) return;
    session.old.push({ token: presented.refresh, at: performance.now() });
    session.refresh = next;
  }

  /** Presents a token that was replaced twice since, or once and before the window: the session ends for whoever has it. */
  async #replay(): Promise<void> {
    const [found] = this.#live.flatMap((session) => {
      const over = performance.now() - this.window - 1500;
      return session.old
        .filter(({ at }, index, all) => index < all.length - 1 || at < over)
        .map((old) => ({ session, old }));
    });
    if (found === undefined) return;
    const { session, old } = found;
    const { status, code } = await this.#until("replay", (kind) =>
      this.#present(kind, { access: session.access, refresh: old.token }),
    );
    this.#end(session);
    if (status === 401 && code === "ERR_SESSION_ENDED") return this.#checkEnded("refresh after a replay", session);
    this.sessions.forked += 1;
    this.wrong(`replay: ${status} ${code}`);
  }

  async #checkEnded(
    kind: string,
    session = this.#ended[Math.floor(Math.random() * this.#ended.length)],
  ): Promise<void> {
    if (session === undefined) return;
    const { status, code } = await this.#until(kind, (name) => this.#present(name, session));
    if (status === 401) return;
    this.sessions.revived += 1;
    this.wrong(`${kind}: ${status} ${code}`);
  }

  async #leave(session: Session): Promise<void> {
    if (session !== this.#kept) await this.#logout(session);
  }

  async #logout(session: Session): Promise<void> {
    const headers = { Cookie: `${ACCESS}=${session.access}` };
    const { status, code } = await this.#until("logout", (kind) =>
      this.client.send(kind, "POST", "/api/auth/logout", headers),
    );
    this.#end(session);
    if (status !== 200) this.wrong(`logout: ${status} ${code}`);
  }

  async #logoutEverywhere(session: Session): Promise<void> {
    const headers = { Cookie: `${ACCESS}=${session.access}` };
    const { status, code, tries } = await this.#until("logout everywhere", (kind) =>
      this.client.send(kind, "POST", "/api/auth/logout-everywhere", headers),
    );
    // What got 503 may have ended everything, and with it the session that asks again.
    const done = status === 200 || (status === 401 && tries > 1);
    if (!done) return this.#lose(session, `logout everywhere: ${status} ${code}`);
    for (const each of [...this.#live]) this.#end(each);
  }

  /** At the end of a user: what lives can be refreshed, and nothing that was ended is accepted anywhere. */
  async #settle(): Promise<void> {
    for (const session of [...this.#live]) {
      await this.#refresh("refresh at the end", session, 1);
      await this.#guard("guard at the end", session, { Cookie: `${ACCESS}=${session.access}` });
    }
    for (const session of this.#ended) {
      // Which also writes the entry that is still to be written, if there is one.
      await this.#checkEnded("refresh of an ended one at the end", session);
    }
    if (this.#live.length === 0) return;
    for (const session of this.#ended) {
      const headers = { Cookie: `${ACCESS}=${session.access}` };
      const { status, code } = await this.#until("guard of an ended one at the end", (kind) =>
        this.client.send(kind, "GET", "/me", headers),
      );
      if (status === 401) continue;
      this.sessions.revived += 1;
      this.wrong(`guard of an ended one: ${status} ${code}`);
    }
  }

  #end(session: Session): void {
    if (!this.#forget(session)) return;
    this.#ended.push(session);
    this.sessions.ended += 1;
  }

  /** A live session that was refused. */
  #lose(session: Session, what: string): void {
    if (!this.#forget(session)) return;
    this.sessions.lost += 1;
    this.wrong(what);
  }

  /** Takes a session from those that live; says whether it was one. */
  #forget(session: Session): boolean {
    if (!this.#live.includes(session)) return false;
    this.#live = this.#live.filter((each) => each !== session);
    if (this.#kept === session) this.#kept = undefined;
    return true;
  }
}

function pick(mix: typeof MIX): Kind {
  let left = Math.random() * mix.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of mix) {
    left -= weight;
    if (left < 0) return kind;
  }
  return "login";
}
