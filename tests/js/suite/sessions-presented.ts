// What a refresh looks at before it asks any store: tokens, cookies, those that somebody planted, the application's word.

import { deepEqual, equal, ok, rejects } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { ALICE, accessCookie, codeOf, cookiesOf, post, refreshCookie, serve, withCookies } from "./session-support.js";
import { AUDIENCE, ISSUER, NOW, ec, otherEc, read, signed } from "./support.js";

export const sessionsPresented: Suite = (h, lib) => {
  h.test("what is presented must be verified before any store is asked, and what fails writes nothing", async () => {
    const server = await serve(lib);
    const { sessions, clock, records, revoked } = server;
    const held = await sessions.login(ALICE);
    const other = await sessions.login("bob");
    const { accessToken, refreshToken } = held;
    const before = [records.asked.length, revoked.read.length, revoked.written.length];
    const rt = read(refreshToken).claims as never;
    const header = { alg: "ES256", kid: "ec-2", typ: "rt+jwt" };
    const forge = async (claims: object, head: object = header, keys = otherEc): Promise<string> =>
      signed(await keys(), { ...(rt as object), ...claims }, head as never);
    const cookies = (token: string) => post(`${accessCookie(held)}; __Secure-refresh=${token}`);
    const presented: [string, string, string][] = [
      ["a changed signature", `${refreshToken.slice(0, -8)}AAAAAAAA`, "ERR_SIGNATURE_INVALID"],
      ["another key", await forge({}, header, ec), "ERR_SIGNATURE_INVALID"],
      ["the access token", accessToken, ""],
      ["another type", await forge({}, { ...header, typ: "JWT" }), "ERR_TOKEN_TYPE"],
      ["no type", await forge({}, { alg: "ES256", kid: "ec-2" }), "ERR_TOKEN_TYPE"],
      ["another issuer", await forge({ iss: "https://evil.example" }), "ERR_ISSUER_MISMATCH"],
      ["the audience of access tokens", await forge({ aud: AUDIENCE }), "ERR_AUDIENCE_MISMATCH"],
      ["an expiry that has passed", await forge({ exp: NOW - 10 }), "ERR_TOKEN_EXPIRED"],
      ["a birth in the future", await forge({ iat: NOW + 100 }), "ERR_TOKEN_ISSUED_IN_FUTURE"],
      ["no generation", await forge({ gen: undefined as never }), "ERR_CLAIM_MISSING"],
      ["a generation below 0", await forge({ gen: -1 }), "ERR_CLAIM_INVALID"],
      ["a generation that is text", await forge({ gen: "0" }), "ERR_CLAIM_INVALID"],
      ["a generation of 2^32", await forge({ gen: 2 ** 32 }), "ERR_CLAIM_INVALID"],
      ["claims of the application that are no object", await forge({ app: [] }), "ERR_CLAIM_INVALID"],
      ["another user's token of the same session", await forge({ sub: "bob" }), "ERR_SESSION_MISMATCH"],
      ["nothing that is a token", "x", ""],
    ];
    for (const [what, token, code] of presented) {
      const byCookie = await codeOf(lib, sessions.refresh(cookies(token)));
      ok(byCookie?.startsWith("ERR_"), what);
      if (code !== "") equal(byCookie, code, what);
      if (code !== "ERR_SESSION_MISMATCH") {
        ok((await codeOf(lib, sessions.refresh({ refreshToken: token })))?.startsWith("ERR_"), what);
      }
    }
    const requests: [object, string][] = [
      [post(undefined), "ERR_CREDENTIALS_MISSING"],
      [post(accessCookie(held)), "ERR_CREDENTIALS_MISSING"],
      [post(refreshCookie(held)), "ERR_CREDENTIALS_MISSING"],
      [post(`${accessCookie(other)}; ${refreshCookie(held)}`), "ERR_SESSION_MISMATCH"],
      [post(`${accessCookie(held)}; ${accessCookie(held)}; ${refreshCookie(held)}`), "ERR_COOKIE_DUPLICATE"],
      [post(`${accessCookie(held).slice(0, -8)}AAAAAAAA; ${refreshCookie(held)}`), "ERR_SIGNATURE_INVALID"],
      [post(`__Host-access=${refreshToken}; ${refreshCookie(held)}`), ""],
      [{ method: "POST", headers: { cookie: cookiesOf(held) } }, "ERR_CROSS_SITE"],
      [{ method: "POST", headers: { authorization: `Bearer ${refreshToken}`, "sec-fetch-site": "none" } }, ""],
    ];
    for (const [request, code] of requests) {
      const found = await codeOf(lib, sessions.refresh(request as never));
      ok(found?.startsWith("ERR_"), JSON.stringify(code));
      if (code !== "") equal(found, code);
    }
    deepEqual([records.asked.length, revoked.read.length, revoked.written.length], before, "no store was asked");
    clock.now += 60;
    ok(await sessions.refresh(withCookies(held)), "the session is as it was");
  });

  h.test("an expired access cookie serves a refresh as well as a fresh one", async () => {
    const { sessions, clock } = await serve(lib);
    const held = await sessions.login(ALICE);
    clock.now += 86_400;
    ok(await sessions.refresh(withCookies(held)));
  });

  h.test("planted refresh cookies change nothing, in any place and number, and are reported", async () => {
    const server = await serve(lib);
    const { sessions, clock, events } = server;
    const [held, thief] = [await sessions.login(ALICE), await sessions.login("mallory")];
    const own = refreshCookie(held);
    const planted = [refreshCookie(thief), "__Secure-refresh=x", `${own.slice(0, -8)}AAAAAAAA`];
    const many = Array.from({ length: 40 }, (_, i) => `__Secure-refresh=planted-${i}`);
    const headers = [
      ...planted.flatMap((cookie) => [
        [cookie, own],
        [own, cookie],
      ]),
      [...planted, own],
      [own, ...planted],
      [...many, own],
    ];
    for (const cookies of headers) {
      clock.now += 1;
      events.length = 0;
      const { sessionId } = await sessions.refresh(post([accessCookie(held), ...cookies].join("; ")));
      equal(sessionId, held.sessionId);
      const reports = events.filter(({ type }) => type === "duplicate-cookie");
      equal(reports.length, cookies.length - 1, "one report for each planted cookie");
      deepEqual(reports[0], { type: "duplicate-cookie", subject: ALICE, sessionId: held.sessionId });
    }
  });

  h.test("validate is asked before anything is read or written, with the claims and the session", async () => {
    const seen: object[] = [];
    let answer: unknown = true;
    const validate = (claims: object): unknown => {
      seen.push(claims);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const { sessions, clock, records } = await serve(lib, { validate });
    const held = await sessions.login(ALICE, { claims: { role: "admin" } });
    deepEqual(seen, [], "a login asks nobody: the application has just decided");
    clock.now += 60;
    const asked = records.asked.length;
    for (const refusal of [false, undefined, null, 1, "true", {}, Promise.resolve(false)]) {
      answer = refusal;
      await rejects(sessions.refresh(withCookies(held)), { code: "ERR_CLAIMS_REFUSED", status: 401 }, String(refusal));
    }
    const thrown = new Error("the database of users is down");
    answer = thrown;
    equal(await sessions.refresh(withCookies(held)).catch((error: unknown) => error), thrown);
    equal(records.asked.length, asked, "no store was asked");
    for (const consent of [true, Promise.resolve(true)]) {
      answer = consent;
      ok(await sessions.refresh(withCookies(held)));
    }
    deepEqual(seen.at(-1), { role: "admin", sub: ALICE, sid: held.sessionId });
  });

  h.test("tokens of an issuer with the same keys and another name are refused", async () => {
    const [server, other] = [await serve(lib), await serve(lib, { issuer: `${ISSUER}/other` })];
    const held = await other.sessions.login(ALICE);
    await rejects(server.sessions.refresh(withCookies(held)), "ERR_ISSUER_MISMATCH");
    await rejects(server.sessions.refresh({ refreshToken: held.refreshToken }), "ERR_ISSUER_MISMATCH");
  });
};
