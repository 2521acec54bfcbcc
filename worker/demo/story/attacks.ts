import { ACCESS, type Browser, REFRESH } from "../browser.js";
import { exchange, leaveWindow, loginShown, refreshTokenOf, sayEvent, signIn, type Stage } from "../stage.js";
import { say } from "../terminal.js";

export async function stolen(stage: Stage, laptop: Browser): Promise<void> {
  const { walk, events } = stage;
  walk.chapter("A stolen refresh token");
  const thief = laptop.copy("the thief");

  walk.step(
    "The thief comes second",
    "Both cookies were copied off Ada’s disk. Ada refreshes first, and later the thief.",
  );
  await leaveWindow();
  walk.answered(await exchange(stage, laptop, "POST", "/api/auth/refresh"), 200, undefined, refreshTokenOf(laptop));
  await leaveWindow();
  const seen = events.length;
  const replayed = await exchange(stage, thief, "POST", "/api/auth/refresh");
  walk.answered(replayed, 401, "ERR_SESSION_ENDED");
  const [reuse] = await events.since(seen, "reuse-detected");
  sayEvent(reuse);
  walk.expect("the event says that the token before the current one was used again", reuse?.["kind"] === "previous");

  walk.step("What each of them is left with", "Nobody can tell which of the two is the thief, so neither goes on.");
  walk.answered(await exchange(stage, laptop, "POST", "/api/auth/refresh"), 401, "ERR_SESSION_ENDED");
  walk.answered(await exchange(stage, thief, "GET", "/me?strong"), 401, "ERR_TOKEN_REVOKED");
  say("Ada signs in again, with a password that the thief does not have; her tablet was not disturbed.", "!");
  await loginShown(stage, laptop);
  walk.answered(await exchange(stage, laptop, "GET", "/me?strong"), 200);
  walk.answered(await exchange(stage, thief, "POST", "/api/auth/refresh"), 401, "ERR_SESSION_ENDED");
}

export async function planted(stage: Stage, laptop: Browser): Promise<void> {
  const { walk, events } = stage;
  walk.chapter("A planted cookie");
  const mallory = await signIn(stage, "Mallory", "grace");
  const path = "/api/auth/refresh";
  const plantedCookie = `${REFRESH}=${mallory.token(REFRESH)}`;

  walk.step(
    "A sibling subdomain plants its own refresh cookie",
    "The browser sends both, the planted one first. The access cookie says which one counts: only this host can set it.",
  );
  const seen = events.length;
  const both = await exchange(stage, laptop, "POST", path, {
    headers: { Cookie: `${plantedCookie}; ${laptop.cookiesFor(path)}` },
  });
  walk.answered(both, 200, undefined, refreshTokenOf(laptop));
  const me = await exchange(stage, laptop, "GET", "/me");
  walk.answered(me, 200, undefined, me.json?.subject);
  walk.expect("Ada is still Ada, not the attacker’s user-1906", me.json?.subject === "user-1815");
  const [duplicate] = await events.since(seen, "duplicate-cookie");
  sayEvent(duplicate);
  walk.expect("the second cookie is reported", duplicate?.["subject"] === "user-1815");

  walk.step(
    "Only the planted one is left",
    "It replaced the right one. That is refused, and it costs Ada nothing else.",
  );
  const alone = await exchange(stage, laptop, "POST", path, {
    headers: { Cookie: `${ACCESS}=${laptop.token(ACCESS)}; ${plantedCookie}` },
  });
  walk.answered(alone, 401, "ERR_SESSION_MISMATCH");
  walk.answered(await exchange(stage, laptop, "GET", "/me?strong"), 200);
}
