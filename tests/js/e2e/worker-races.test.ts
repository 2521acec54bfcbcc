/** Many requests of one user at once, and the Worker stopped and started again, on real Durable Objects. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ACCESS, Browser, claimsOf, REFRESH } from "../../../worker/demo/browser.js";
import type { Answer } from "../../../worker/demo/http.js";
import {
  assertError,
  Client,
  newPlace,
  PASSWORD,
  refresh,
  type Running,
  sessionsOf,
  startPacked,
  USERNAME,
} from "./support.js";

/** Long enough for fifty requests to arrive within it on a slow machine. */
const GRACE = 5;
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const leaveWindow = () => sleep(GRACE * 1000 + 50);

const sidOf = (browser: Browser): string => claimsOf(browser.token(ACCESS))["sid"];
const everywhere = (browser: Browser) => browser.send("/api/auth/logout-everywhere", { method: "POST" });

/** What a client does that is told to come again: it comes again, with what it sent the first time. */
async function retried(send: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await send();
    if (answer.status !== 503) return answer;
    await sleep(1000 * Number(answer.headers["retry-after"]));
  }
}

/** How many answers had which status, such as `"200: 49, 401: 1"`. */
function statuses(answers: Answer[]): string {
  const counts = new Map<number, number>();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status}: ${count}`).join(", ");
}

describe("at once", () => {
  let running: Running;
  let worker: Client;

  before(async () => {
    running = await startPacked({ vars: { REFRESH_GRACE: GRACE } });
    worker = new Client(running.address);
  });

  after(async () => {
    await running.stop();
  });

  test("fifty refreshes of one token make one rotation, one live session, and sign nobody out", async (t) => {
    const browser = await worker.signedIn();
    for (const generation of [1, 2]) {
      await leaveWindow();
      const seen = running.events.length;
      const tabs = Array.from({ length: 50 }, (_, index) => browser.copy(`tab ${index}`));
      const started = performance.now();
      const answers = await Promise.all(tabs.map(refresh));
      const milliseconds = performance.now() - started;
      assert.equal(statuses(answers), "200: 50");
      const tokens = new Set(tabs.map((tab) => tab.token(REFRESH)));
      assert.equal(tokens.size, 1, "all got the same refresh token");
      assert.equal(claimsOf([...tokens][0] ?? "")["gen"], generation);

      const events = await running.events.since(seen, "refreshed", 50);
      const rotations = events.filter(({ rotated }) => rotated === true).length;
      assert.equal(events.length, 50);
      assert.equal(rotations, 1);

      // Each of them goes on with what it was given.
      const after = await Promise.all(tabs.flatMap((tab) => [tab.send("/me?strong"), refresh(tab)]));
      assert.equal(statuses(after), "200: 100");
      const live = await sessionsOf(browser);
      assert.equal(live.length, 1);
      t.diagnostic(
        `50 parallel refreshes of generation ${generation - 1}: ${rotations} rotation, ${live.length} live session, ` +
          `0 signed out, ${Math.round(milliseconds)} ms`,
      );
      await refresh(browser);
    }
    assert.equal((await running.events.since(0, "reuse-detected", 0)).length, 0, "and no alarm was raised");
  });

  test("refreshes in flight do not bring back what is signed out everywhere", async (t) => {
    const devices = await Promise.all(Array.from({ length: 24 }, () => worker.signedIn("grace")));
    const laptop = await worker.signedIn("grace");
    await leaveWindow();
    let acknowledged = false;
    const refreshes = devices.map(async (device, index) => {
      await sleep(4 * index);
      const late = acknowledged;
      const answer = await retried(() => refresh(device));
      assert.ok(!late || answer.status === 401, "a refresh that begins after the acknowledgement fails");
      return answer;
    });
    await sleep(20);
    assert.equal((await retried(() => everywhere(laptop))).status, 200);
    acknowledged = true;
    const answers = await Promise.all(refreshes);

    for (const device of devices) {
      assertError(await refresh(device), 401, "ERR_SESSION_ENDED");
      assertError(await device.send("/me"), 401, "ERR_TOKEN_REVOKED");
    }
    const again = await worker.signedIn("grace");
    assert.equal((await sessionsOf(again)).length, 1);
    t.diagnostic(`24 refreshes while signing out everywhere: ${statuses(answers)}; live afterwards: 0`);
  });

  test("logins, refreshes and signing out everywhere leave exactly the sessions that the list shows", async (t) => {
    const old = await Promise.all(Array.from({ length: 8 }, () => worker.signedIn()));
    await leaveWindow();
    const [laptop] = old;
    assert.ok(laptop !== undefined);
    const tabs = old.flatMap((browser) => [browser.copy("one tab"), browser.copy("another")]);
    const fresh: Browser[] = [];
    const started = performance.now();
    const [logins, refreshes, ended] = await Promise.all([
      Promise.all(
        Array.from({ length: 33 }, async (_, index) => {
          await sleep(20 * index);
          const browser = new Browser("a new device", running.address);
          fresh.push(browser);
          return retried(() => browser.login(USERNAME, PASSWORD));
        }),
      ),
      Promise.all(tabs.map((tab) => retried(() => refresh(tab)))),
      // In the midst of them.
      sleep(250).then(() => retried(() => everywhere(laptop))),
    ]);
    const seconds = (performance.now() - started) / 1000;
    assert.equal(statuses(logins), "200: 33");
    assert.equal(ended.status, 200, ended.text);
    assert.ok(refreshes.every(({ status }) => status === 200 || status === 401));

    const witness = await worker.signedIn();
    const live = new Set((await sessionsOf(witness)).map(({ sessionId }) => sessionId));
    for (const browser of [...old, ...tabs])
      assert.equal((await refresh(browser)).status, 401, "what was there is gone");
    for (const browser of fresh) {
      const isListed = live.has(sidOf(browser));
      assert.equal((await browser.send("/me?strong")).status, isListed ? 200 : 401);
      assert.equal((await refresh(browser)).status, isListed ? 200 : 401);
    }
    t.diagnostic(
      `50 at once (33 logins, 16 refreshes, 1 logout everywhere): refreshes ${statuses(refreshes)}, ` +
        `${live.size - 1} of the new sessions live, ${seconds.toFixed(1)} s`,
    );
  });
});

test("sessions outlive the Worker: what was live refreshes after a restart, and what was ended stays ended", async () => {
  const persist = mkdtempSync(join(tmpdir(), "waxseal-worker-"));
  try {
    const again = await newPlace();
    let running = await startPacked({ persist, again });
    let worker = new Client(running.address);
    const [laptop, phone, tablet] = [await worker.signedIn(), await worker.signedIn(), await worker.signedIn("grace")];
    const ended = phone.copy("a copy");
    await phone.send("/api/auth/logout", { method: "POST" });
    await running.stop();

    running = await startPacked({ persist, again });
    worker = new Client(running.address);
    try {
      assert.deepEqual(
        (await sessionsOf(laptop)).map(({ sessionId }) => sessionId),
        [sidOf(laptop)],
      );
      for (const browser of [laptop, tablet]) {
        assert.equal((await refresh(browser)).status, 200);
        assert.equal((await browser.send("/me?strong")).status, 200);
      }
      assertError(await refresh(ended), 401, "ERR_SESSION_ENDED");
      assertError(await ended.send("/me"), 401, "ERR_TOKEN_REVOKED");
    } finally {
      await running.stop();
    }
  } finally {
    rmSync(persist, { recursive: true, force: true });
  }
});
