/** docs/sessions.md: its tables are true, and its programs do what the text says. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { createSessions, decodeUnverified, generateKeyPair, type JWK, WaxsealError } from "waxseal";
import type { Sessions, SessionsOptions } from "waxseal";
import { memoryRevocationStore, memoryStore } from "waxseal/stores/memory";
import { blocks, cookiesOf, run } from "./documents.js";

const SESSIONS = "docs/sessions.md";
const text = readFileSync(SESSIONS, "utf8");

/** The rows of the table under a heading, as cells without backquotes. */
function table(heading: string): string[][] {
  const [, section = ""] = text.split(new RegExp(`^##+ ${heading}$`, "m"));
  const rows = /(?:^\|.*\n)+/m.exec(section)?.[0].trim().split("\n") ?? [];
  assert.ok(rows.length > 2, heading);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

const NAMES = { issuer: "https://app.example", audience: "https://app.example", origins: ["https://app.example"] };
const ORIGIN = "https://app.example";
let keys: JWK;
let refreshKeys: JWK;
before(async () => {
  keys = (await generateKeyPair("ES256")).privateKey;
  refreshKeys = (await generateKeyPair("ES256")).privateKey;
});

/** Sessions in memory, with other options. */
function sessionsWith(options: Partial<SessionsOptions> = {}): Promise<Sessions> {
  const common = { keys, refreshKeys, ...NAMES, store: memoryStore(), revocation: { store: memoryRevocationStore() } };
  return createSessions({ ...common, ...options });
}

/** Options with a member inside, by its path. */
function nested(path: string, value: unknown): Partial<SessionsOptions> {
  const [outer = "", inner] = path.split(".");
  if (inner === undefined) return { [outer]: value };
  return { [outer]: { ...(outer === "revocation" ? { store: memoryRevocationStore() } : {}), [inner]: value } };
}

test("every option is in the table of docs/sessions.md, and its ranges end where the library ends them", async () => {
  const rows = table("Options").slice(2);
  const declared =
    readFileSync("pkg/src/sessions/types.ts", "utf8").split("export interface SessionsOptions {")[1] ?? "";
  const members = [...(declared.split("\n}\n")[0] ?? "").matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name);
  const named = new Set(rows.flatMap(([option = ""]) => option.split(", ").map((name) => name.split(".")[0])));
  assert.deepEqual([...named].sort(), members.sort());

  let tried = 0;
  for (const [option = "", fallback = "", range = ""] of rows) {
    const [, from, to] = /^(above 0,|[\w.]+) to ([\d.]+)$/.exec(range) ?? [];
    if (from === undefined || to === undefined) continue;
    const isWhole = !fallback.includes(".") && !from.startsWith("above");
    const least =
      from === "above 0,"
        ? 0.001
        : from === "access.expiresIn"
          ? 900
          : from === "refresh.expiresIn"
            ? 604_800
            : Number(from);
    const [below, above] = isWhole
      ? [least - 1, Number(to) + 1]
      : [from === "above 0," ? 0 : least - 0.001, Number(to) + 0.01];
    for (const value of [least, Number(to), Number(fallback)]) (await sessionsWith(nested(option, value))).dispose();
    for (const value of [below, above]) {
      const named = (error: WaxsealError) => error.code === "ERR_OPTION_INVALID" && error.message.includes(option);
      await assert.rejects(sessionsWith(nested(option, value)), named, `${option}: ${value}`);
    }
    tried += 1;
  }
  assert.equal(tried, 8);
});

test("the defaults of docs/sessions.md are those of the tokens, cookies and limits that come out", async () => {
  let now = 1_800_000_000;
  const sessions = await sessionsWith({ clock: () => now, access: { jitter: 0 } });
  const defaults = new Map(table("Options").map(([option, value]) => [option, value]));
  const value = (option: string) => Number(defaults.get(option));
  const { accessToken, refreshToken, headers } = await sessions.login("alice");
  const lifetime = (token: string) => {
    const { claims } = decodeUnverified(token);
    return Number(claims.exp) - Number(claims.iat);
  };
  assert.equal(lifetime(accessToken), value("access.expiresIn"));
  assert.equal(lifetime(refreshToken), value("refresh.expiresIn"));
  assert.ok(headers.getSetCookie()[1]?.includes(`Path=${defaults.get("refresh.path")};`));
  assert.equal(decodeUnverified(refreshToken).claims.aud, `${NAMES.issuer}#refresh`);

  now += value("refresh.grace") - 1;
  assert.equal((await sessions.refresh({ refreshToken })).refreshToken, refreshToken, "inside the window");
  now += 1;
  assert.notEqual((await sessions.refresh({ refreshToken })).refreshToken, refreshToken, "after it");

  for (let logins = 0; logins < value("maxSessions") + 5; logins++) await sessions.login("bob");
  assert.equal((await sessions.list("bob")).length, value("maxSessions"));
});

test("every code that docs/sessions.md names is one of the library's, with the status that it says", () => {
  const codes = new Map(
    [...readFileSync("README.md", "utf8").matchAll(/^\| `(ERR_\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      status,
    ]),
  );
  for (const [code] of text.matchAll(/\bERR_\w+/g)) assert.ok(codes.has(code), code);
  for (const [code = "", status] of table("What to answer when a call throws").slice(2))
    assert.equal(codes.get(code), status);
});

/** Makes one part of the host fail from now on. */
interface Faults {
  part: string;
}

async function withFaults(faults: Faults): Promise<{ sessions: Sessions; pass(seconds: number): void }> {
  const store = memoryStore();
  const entries = memoryRevocationStore();
  const failing = (part: string) => {
    if (faults.part === part) throw new Error("down");
  };
  let now = 1_800_000_000;
  const { d, ...publicKey } = keys;
  const key = await crypto.subtle.importKey(
    "jwk",
    { ...publicKey, d } as JsonWebKey,
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );
  const sign = async (bytes: Uint8Array<ArrayBuffer>) => {
    failing("the signer");
    return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes));
  };
  const sessions = await sessionsWith({
    keys: { alg: "ES256", kid: "kms", publicKey, sign } as never,
    store: {
      read: async (id) => (failing("reading sessions"), store.read(id)),
      compareAndSwap: async (...swap) => (failing("writing sessions"), store.compareAndSwap(...swap)),
    },
    revocation: {
      store: {
        get: async (id) => (failing("reading revocation"), entries.get(id)),
        put: async (...entry) => (failing("writing revocation"), entries.put(...entry)),
      },
    },
    clock: () => now,
  });
  return { sessions, pass: (seconds) => void (now += seconds) };
}

test("docs/sessions.md says of every call and every part that fails what happens", async () => {
  const [head = [], , ...rows] = table("When something fails");
  const seen = [];
  for (const [part = ""] of rows) {
    const outcomes = [part];
    for (const name of head.slice(1)) {
      const faults: Faults = { part: "" };
      const { sessions, pass } = await withFaults(faults);
      const { headers } = await sessions.login("alice");
      const request = { method: "POST", headers: { cookie: cookiesOf(headers.getSetCookie()), origin: ORIGIN } };
      const calls: Record<string, () => Promise<unknown>> = {
        login: () => sessions.login("alice", { request }),
        authenticate: () => sessions.authenticate(request),
        "authenticate, strong": () => sessions.authenticate(request, { strong: true }),
        refresh: () => (pass(11), sessions.refresh(request)),
        "refresh inside the window": () => sessions.refresh(request),
        logout: () => sessions.logout(request),
        list: () => sessions.list("alice"),
      };
      faults.part = part;
      const outcome = await calls[name]!().then(
        () => "works",
        (error: WaxsealError) => (error.status === 503 && error.retryAfter === 1 ? error.code : String(error)),
      );
      outcomes.push(outcome);
    }
    seen.push(outcomes);
  }
  assert.deepEqual(rows, seen);
});

test("keys are replaced in the steps of docs/sessions.md without signing anybody out, and a leaked one at once", async () => {
  const [old, next] = [keys, (await generateKeyPair("ES256")).privateKey];
  const shared = { store: memoryStore(), revocation: { store: memoryRevocationStore() } };
  const request = (cookies: string) => ({ method: "POST", headers: { origin: ORIGIN, cookie: cookies } });
  let now = 1_800_000_000;
  let cookies = "";
  for (const step of [[old], [old, next], [next, old], [next]]) {
    const sessions = await sessionsWith({ ...shared, keys: step, clock: () => now });
    if (cookies === "") cookies = cookiesOf((await sessions.login("alice")).headers.getSetCookie());
    assert.equal(sessions.jwks().keys.length, step.length);
    // Each step days after the one before, so that the access token has expired: its cookie still names the session.
    cookies = cookiesOf((await sessions.refresh(request(cookies))).headers.getSetCookie(), cookies);
    assert.equal((await sessions.authenticate(request(cookies))).claims.sub, "alice");
    now += 6 * 86_400;
  }
  const early = await sessionsWith({ ...shared, keys: [old], clock: () => now });
  await assert.rejects(early.refresh(request(cookies)), { code: "ERR_KEY_NOT_FOUND", status: 401 });
  const leaked = await sessionsWith({ ...shared, keys: [next], refreshKeys: [next], clock: () => now });
  await assert.rejects(leaked.refresh(request(cookies)), { code: "ERR_KEY_NOT_FOUND", status: 401 });
});

test("a store that was restored revives what was ended since, until refreshKeys are replaced, as docs/sessions.md warns", async () => {
  const records = new Map<string, string>();
  const store = {
    read: async (id: string) => records.get(id) ?? null,
    compareAndSwap: async (id: string, expected: string | null, next: string) =>
      (records.get(id) ?? null) === expected && records.set(id, next) !== undefined,
  };
  let now = 1_800_000_000;
  const events: string[] = [];
  const onEvent: SessionsOptions["onEvent"] = (event) => void events.push("kind" in event ? event.kind : event.type);
  const sessions = await sessionsWith({ store, clock: () => now, onEvent });
  const [ended, rotated] = [await sessions.login("alice"), await sessions.login("bob")];
  const backup = [...records];
  await sessions.logout(ended);
  now += 11;
  const next = await sessions.refresh(rotated);
  for (const [id, text] of backup) records.set(id, text);

  assert.equal((await sessions.refresh(ended)).sessionId, ended.sessionId);
  await assert.rejects(sessions.refresh(next), { code: "ERR_SESSION_ENDED" });
  assert.ok(events.includes("rolled-back"));
  const replaced = await sessionsWith({
    store,
    clock: () => now,
    refreshKeys: (await generateKeyPair("ES256")).privateKey,
  });
  await assert.rejects(replaced.refresh(ended), { code: "ERR_KEY_NOT_FOUND" });
});

/** The programs of docs/sessions.md in one, in front of sessions in memory whose clock can be moved. */
async function documentedProgram() {
  let now = Math.floor(Date.now() / 1000);
  const active = new Set(["alice"]);
  const users = { find: async (subject: string) => ({ active: active.has(subject) }) };
  const code = blocks(SESSIONS)
    .map((block) => block.code)
    .join("\n");
  const program = await run<any>({ name: `sessions-${now}`, code }, { users, WaxsealError });
  const sessions = await sessionsWith({
    clock: () => now,
    client: program.byUserAgent,
    validate: program.stillActive,
  });
  Object.assign(globalThis, { sessions });
  return { program, sessions, active, pass: (seconds: number) => void (now += seconds) };
}

test("the code for browsers in docs/sessions.md keeps a page signed in, through 503 and expired tokens, until logout", async (t) => {
  const { program, sessions, active, pass } = await documentedProgram();
  const jar = new Map<string, string>();
  const log: string[] = [];
  let unavailable = 0;
  const server = async (path: string, { method = "GET" }: RequestInit = {}): Promise<Response> => {
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      headers: { origin: ORIGIN, "user-agent": "Tests/1", cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
    });
    try {
      switch (path) {
        case "/login":
          return await program.login(request, "alice");
        case "/auth/refresh": {
          if (unavailable-- > 0) return new Response(null, { status: 503, headers: { "Retry-After": "1" } });
          const { headers, refreshAfter } = await sessions.refresh(request);
          return Response.json({ refreshAfter }, { headers });
        }
        case "/logout":
          return await program.logout(request);
        default:
          return await program.list(request);
      }
    } catch (error) {
      if (!(error instanceof WaxsealError)) throw error;
      return Response.json({ error: error.code }, { status: error.status });
    }
  };
  t.mock.method(globalThis, "fetch", async (path: string, init?: RequestInit) => {
    const response = await server(path, init);
    log.push(`${path} ${response.status}`);
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  });
  const delays: number[] = [];
  t.mock.method(globalThis, "setTimeout", (call: () => void, delay: number) => {
    delays.push(delay);
    if (delay <= 1000) setImmediate(call);
  });
  const during = async <T>(call: () => Promise<T>): Promise<[T, string[]]> => {
    log.length = 0;
    return [await call(), [...log]];
  };

  await fetch("/login");
  assert.deepEqual(await during(() => program.refresh()), [true, ["/auth/refresh 200"]]);
  assert.ok(delays.at(-1)! >= 0.7 * 900_000 && delays.at(-1)! <= 0.9 * 900_000, "the next refresh is planned");
  unavailable = 1;
  pass(11);
  const before = jar.get("__Secure-refresh");
  assert.deepEqual(await during(() => program.refresh()), [true, ["/auth/refresh 503", "/auth/refresh 200"]]);
  assert.notEqual(jar.get("__Secure-refresh"), before);
  unavailable = 2;
  await assert.rejects(program.refresh(), /could not be refreshed: 503/);

  pass(1000);
  const [listed, requests] = await during<Response>(() => program.fetchSignedIn("/sessions"));
  assert.deepEqual(requests, ["/sessions 401", "/auth/refresh 200", "/sessions 200"]);
  const [session] = (await listed.json()) as { label: string; current: boolean; sessionId: string }[];
  assert.deepEqual([session?.label, session?.current], ["Firefox on Linux", true]);

  // Nobody but the same client has the window.
  const cookie = [...jar].map((pair) => pair.join("=")).join("; ");
  const other = new Request(ORIGIN, { method: "POST", headers: { origin: ORIGIN, "user-agent": "Other/1", cookie } });
  assert.deepEqual(await (await program.end(other, "no such session")).json(), { ended: false });

  await fetch("/logout");
  assert.equal(jar.size, 0);
  assert.deepEqual(await during(() => program.refresh()), [false, ["/auth/refresh 401"]]);
  await fetch("/login");
  active.clear();
  assert.equal((await during(() => program.refresh()))[0], false, "whoever was locked out is");
});

test("the code for native clients in docs/sessions.md gives, rotates and ends tokens in bodies, and the window is one client's", async () => {
  const { program, sessions, pass } = await documentedProgram();
  const post = (body: unknown) => new Request(ORIGIN, { method: "POST", body: JSON.stringify(body) });
  const signedIn = await program.loginNative("alice");
  assert.deepEqual([signedIn.headers.get("cache-control"), signedIn.headers.getSetCookie()], ["no-store", []]);
  const first = await signedIn.json();
  assert.deepEqual(Object.keys(first).sort(), ["accessToken", "expiresAt", "refreshAfter", "refreshToken"]);
  pass(11);
  const next = await (await program.refreshNative(post(first))).json();
  assert.notEqual(next.refreshToken, first.refreshToken);
  assert.equal((await (await program.refreshNative(post(first))).json()).refreshToken, next.refreshToken);
  const headers = { authorization: `Bearer ${next.accessToken}` };
  assert.equal((await sessions.authenticate({ method: "POST", headers })).claims.sub, "alice");
  assert.deepEqual(await (await program.logoutNative(post(next))).json(), { ended: true });
  await assert.rejects(program.refreshNative(post(next)), { code: "ERR_SESSION_ENDED" });

  const from = (agent: string, cookie = "") =>
    new Request(ORIGIN, { method: "POST", headers: { origin: ORIGIN, "user-agent": agent, cookie } });
  const cookie = cookiesOf((await program.login(from("Own/1"), "alice")).headers.getSetCookie());
  // It has the refresh cookie already, so only the access cookie is set.
  assert.equal((await sessions.refresh(from("Own/1", cookie))).headers.getSetCookie().length, 1);
  await assert.rejects(sessions.refresh(from("Other/1", cookie)), { code: "ERR_SESSION_ENDED" });
});
