/** Sessions on a store, many calls at once: what holds however the store is built. */
import { createSessions, generateKeyPair, type Sessions, type SessionStore, type SignedIn } from "waxseal";
import { equal, ok } from "../../js/harness/assert.js";

const ISSUER = "https://app.example";

/** Sessions with a clock that the caller moves, and with counts of what went on. */
export interface Watched {
  readonly sessions: Sessions;
  /** How many times each method of the store was called, and how many refreshes wrote a new generation. */
  readonly counts: { reads: number; swaps: number; rotations: number };
  /** Lets time pass, in seconds. */
  pass(seconds: number): void;
}

/** Makes sessions on a store. Every use of this has subjects of its own. */
export async function watched(store: SessionStore): Promise<Watched> {
  let now = Math.floor(Date.now() / 1000);
  const counts = { reads: 0, swaps: 0, rotations: 0 };
  const sessions = await createSessions({
    keys: (await generateKeyPair("ES256")).privateKey,
    issuer: ISSUER,
    audience: ISSUER,
    origins: [],
    store: {
      read: (key) => (counts.reads++, store.read(key)),
      compareAndSwap: (...swap) => (counts.swaps++, store.compareAndSwap(...swap)),
    },
    revocation: null,
    timeout: 30,
    clock: () => now,
    onEvent: (event) => void (counts.rotations += event.type === "refreshed" && event.rotated ? 1 : 0),
  });
  return { sessions, counts, pass: (seconds) => void (now += seconds) };
}

/** A subject that no other run has. */
export function somebody(): string {
  return `subject-${crypto.randomUUID()}`;
}

/** Presents one refresh token many times at once, outside the grace window. */
export async function refreshAtOnce(
  { sessions, counts, pass }: Watched,
  times: number,
): Promise<{ live: number; signedOut: number; rotations: number; tokens: number }> {
  const subject = somebody();
  const { refreshToken } = await sessions.login(subject);
  pass(60);
  const before = counts.rotations;
  const results = await Promise.allSettled(Array.from({ length: times }, () => sessions.refresh({ refreshToken })));
  const released = results.flatMap((result) => (result.status === "fulfilled" ? [result.value.refreshToken] : []));
  return {
    live: (await sessions.list(subject)).length,
    signedOut: times - released.length,
    rotations: counts.rotations - before,
    tokens: new Set(released).size,
  };
}

/** The cases, for the `own` ones of a store's runner. */
export function sessionCases(store: () => SessionStore): Record<string, () => Promise<void>> {
  return {
    async "of fifty refreshes of one token at once one rotates, nobody is signed out, and one session is left"() {
      const { live, signedOut, rotations, tokens } = await refreshAtOnce(await watched(store()), 50);
      equal(`${live} live, ${signedOut} signed out, ${rotations} rotated`, "1 live, 0 signed out, 1 rotated");
      equal(tokens, 1);
    },

    async "twenty logins of one subject at once make twenty sessions"() {
      const { sessions } = await watched(store());
      const subject = somebody();
      const made = await Promise.all(Array.from({ length: 20 }, () => sessions.login(subject)));
      equal(new Set(made.map(({ sessionId }) => sessionId)).size, 20);
      equal((await sessions.list(subject)).length, 20);
    },

    async "refreshes in flight do not undo a logout everywhere"() {
      const { sessions, pass } = await watched(store());
      const subject = somebody();
      const made: SignedIn[] = [];
      for (let i = 0; i < 5; i++) made.push(await sessions.login(subject));
      pass(60);
      const [, ...raced] = await Promise.all([
        sessions.logoutEverywhere(subject),
        ...made.map(({ refreshToken }) => sessions.refresh({ refreshToken }).catch(() => undefined)),
      ]);
      equal((await sessions.list(subject)).length, 0);
      for (const token of [...made, ...raced.filter((one) => one !== undefined)].map((one) => one.refreshToken)) {
        ok(
          await sessions.refresh({ refreshToken: token }).then(
            () => false,
            () => true,
          ),
          "a token lives on",
        );
      }
    },
  };
}
