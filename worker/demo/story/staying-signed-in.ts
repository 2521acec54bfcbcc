import { ACCESS, type Browser, claimsOf, REFRESH } from "../browser.js";
import { exchange, leaveWindow, refreshTokenOf, type Stage } from "../stage.js";
import { say } from "../terminal.js";

export async function stayingSignedIn(stage: Stage, laptop: Browser): Promise<void> {
  const { walk, events } = stage;
  walk.chapter("Staying signed in");
  const { sid } = claimsOf(laptop.token(ACCESS));

  walk.step("Refreshing", "The refresh token is replaced by the next one, which comes with a new access token.");
  await leaveWindow();
  const refreshed = await exchange(stage, laptop, "POST", "/api/auth/refresh");
  walk.answered(refreshed, 200, undefined, refreshTokenOf(laptop));
  walk.expect("the session is the same", claimsOf(laptop.token(ACCESS)).sid === sid);
  walk.expect("the answer says when to come again", refreshed.json?.refreshAfter > 0);

  walk.step("Three tabs at once", "All three wake up together and send the same refresh token.");
  await leaveWindow();
  const seen = events.length;
  const tabs = [1, 2, 3].map((number) => laptop.copy(`tab ${number}`));
  const answers = await Promise.all(tabs.map((tab) => exchange(stage, tab, "POST", "/api/auth/refresh")));
  for (const [index, tab] of tabs.entries()) {
    walk.answered(answers[index] ?? refreshed, 200, undefined, refreshTokenOf(tab));
  }
  walk.expect("all three got the same refresh token", new Set(tabs.map((tab) => tab.token(REFRESH))).size === 1);
  const outcomes = await events.since(seen, "refreshed", 3);
  const rotations = outcomes.filter(({ rotated }) => rotated === true).length;
  walk.expect(`${outcomes.length} refreshes, ${rotations} rotation`, outcomes.length === 3 && rotations === 1);
  say(
    "The browser keeps whichever answer comes last; nobody is signed out, and no second chain of tokens begins.",
    "!",
  );
  // In a browser, the tabs and the laptop’s next request have one set of cookies.
  const again = await exchange(stage, laptop, "POST", "/api/auth/refresh");
  walk.answered(again, 200, undefined, `${refreshTokenOf(laptop)}, late but within the window`);
}
