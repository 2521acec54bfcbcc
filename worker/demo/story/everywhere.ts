import { ACCESS, type Browser, claimsOf, REFRESH } from "../browser.js";
import { exchange, loginShown, signIn, type Stage } from "../stage.js";
import { say } from "../terminal.js";

interface Listed {
  sessionId: string;
  current: boolean;
}

export async function everywhere(stage: Stage, laptop: Browser): Promise<void> {
  const { walk } = stage;
  walk.chapter("Signing out everywhere");
  const phone = await signIn(stage, "Ada’s phone");

  walk.step("Where am I signed in?", "The sessions of this user, from the session store.");
  const answer = await exchange(stage, laptop, "GET", "/sessions");
  const sessions: Listed[] = answer.json?.sessions ?? [];
  walk.answered(answer, 200, undefined, `${sessions.length} sessions`);
  const current = sessions.find((session) => session.current)?.sessionId;
  const ids = sessions.map(({ sessionId }) => sessionId);
  walk.expect(
    "the laptop’s is marked, and the phone’s is there",
    current === claimsOf(laptop.token(ACCESS)).sid && ids.includes(claimsOf(phone.token(ACCESS)).sid),
  );
  walk.expect("no token is stored, only what the list shows", !answer.text.includes(laptop.token(REFRESH)));

  walk.step("From the laptop, everywhere", "One swap of one record: a refresh in flight cannot undo it.");
  walk.answered(
    await exchange(stage, laptop, "POST", "/api/auth/logout-everywhere"),
    200,
    undefined,
    "both cookies cleared",
  );

  walk.step(
    "The phone, in the same moment",
    "Its refresh token is dead the moment that this was acknowledged. Its access token is refused within the staleness of " +
      "KV (60 seconds and more, and worst exactly where a session is in use), or at once where the session store is asked.",
  );
  walk.answered(await exchange(stage, phone, "POST", "/api/auth/refresh"), 401, "ERR_SESSION_ENDED");
  walk.answered(await exchange(stage, phone, "GET", "/me"), 401, "ERR_TOKEN_REVOKED");
  const elsewhere = phone.copy("Ada’s phone, where KV shows no entry yet");
  const at = stage.stale;
  walk.answered(await exchange(stage, elsewhere, "GET", "/me", { at }), 200, undefined, "still let in");
  walk.answered(await exchange(stage, elsewhere, "GET", "/me?strong", { at }), 401, "ERR_SESSION_ENDED");
  walk.answered(await exchange(stage, elsewhere, "POST", "/api/auth/refresh", { at }), 401, "ERR_SESSION_ENDED");

  walk.step("Signing in again at once", "Each session that was ended has an entry of its own; the new one has none.");
  await loginShown(stage, laptop);
  walk.answered(await exchange(stage, laptop, "GET", "/me?strong"), 200);
  walk.answered(await exchange(stage, phone, "GET", "/me"), 401, "ERR_TOKEN_REVOKED");
  say("Waiting for the entry to expire is not needed, and the old sessions stay dead.", "!");
}
