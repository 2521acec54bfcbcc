import type { Browser } from "../browser.js";
import { exchange, refreshTokenOf, type Stage } from "../stage.js";

export async function outages(stage: Stage, laptop: Browser): Promise<void> {
  const { walk, silentKv, silentSessions } = stage;
  walk.chapter("Outages");

  walk.step("KV goes silent", "Whether the token was revoked cannot be known, so nobody is let in.");
  const [seconds, me] = await timed(() => exchange(stage, laptop, "GET", "/me", { at: silentKv }));
  walk.answered(me, 503, "ERR_REVOCATION_UNAVAILABLE");
  walk.expect(`it waited for a second, and then no longer (${seconds.toFixed(2)} s)`, seconds > 0.9 && seconds < 3);

  walk.step("The Durable Objects go silent", "Access tokens need none. A refresh fails, and may be tried again.");
  walk.answered(await exchange(stage, laptop, "GET", "/me", { at: silentSessions }), 200);
  const before = refreshTokenOf(laptop);
  const [waited, failed] = await timed(() =>
    exchange(stage, laptop, "POST", "/api/auth/refresh", { at: silentSessions }),
  );
  walk.answered(failed, 503, "ERR_STORE_UNAVAILABLE");
  walk.expect(`it waited for three seconds, and then no longer (${waited.toFixed(2)} s)`, waited > 2.9 && waited < 5);
  walk.expect("Retry-After: 1", failed.headers["retry-after"] === "1");
  walk.expect("a failed refresh clears no cookie", failed.setCookie.length === 0 && refreshTokenOf(laptop) === before);

  walk.step("They are back", "The same request again: nobody was signed out by the outage.");
  const again = await exchange(stage, laptop, "POST", "/api/auth/refresh");
  walk.answered(again, 200, undefined, refreshTokenOf(laptop));
}

async function timed<T>(run: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const started = performance.now();
  const result = await run();
  return [(performance.now() - started) / 1000, result];
}
