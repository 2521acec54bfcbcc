/** What is guarded on every server of these tests: a verifier and sessions, with a clock and stores that the tests turn. */
import { createSessions, createVerifier, type JWK, publicJwk, type Sessions, type Verifier } from "waxseal";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";

export const APP = "https://app.example";
export const PROVIDER = { issuer: "https://id.example", audience: "https://api.example" };

/** What a test may set at `/control?...`. */
export interface Settings {
  /** Seconds by which the clock goes ahead. */
  pass?: number;
  /** Which stores throw: `sessions`, `revocation`, or none. */
  fail?: string;
}

export interface World {
  verifier: Verifier;
  sessions: Sessions;
  /** Was disposed of, so that whatever it is asked is status 500. */
  broken: Verifier;
  set(settings: URLSearchParams): void;
}

export interface Keys {
  /** The identity provider's. */
  provider: JWK;
  access: JWK;
  refresh: JWK;
}

export async function worldOf({ provider, access, refresh }: Keys): Promise<World> {
  let ahead = 0;
  let failing = "";
  const clock = () => Date.now() / 1000 + ahead;
  const within = <T extends object>(name: string, store: T): T =>
    new Proxy(store, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]) => {
          if (failing === name) throw new Error("the store is down");
          return value.apply(target, parameters) as unknown;
        };
      },
    });
  const common = { keys: publicJwk(provider), ...PROVIDER, clock };
  const broken = await createVerifier(common);
  broken.dispose();
  return {
    broken,
    verifier: await createVerifier({
      ...common,
      cookie: "__Host-token",
      origins: [APP],
      revocation: { store: within("revocation", memoryRevocationStore({ clock })) },
    }),
    sessions: await createSessions({
      keys: access,
      refreshKeys: refresh,
      issuer: APP,
      audience: APP,
      origins: [APP],
      store: within("sessions", memoryStore({ clock })),
      revocation: { store: within("revocation", memoryRevocationStore({ clock })) },
      clock,
    }),
    set(settings) {
      ahead += Number(settings.get("pass") ?? 0);
      failing = settings.get("fail") ?? "";
    },
  };
}

/** Whom `{ "user": ... }` is for. */
export function identityOf(body: unknown) {
  const user: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "user") : undefined;
  if (user === "nobody") return null;
  if (user === "boom") throw new Error("the login broke");
  const label = (): string => {
    if (user === "torn") throw new Error("the label broke");
    return "a test";
  };
  return {
    subject: String(user),
    claims: { role: "reader" },
    get label() {
      return label();
    },
  };
}
