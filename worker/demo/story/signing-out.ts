import { ACCESS, type Browser, claimsOf } from "../browser.js";
import { exchange, leaveLife, signIn, type Stage } from "../stage.js";
import { dim, say } from "../terminal.js";

export async function signingOut(stage: Stage, tablet: Browser, laptop: Browser): Promise<void> {
  const { walk, revoked } = stage;
  walk.chapter("Signing out");

  walk.step(
    "With an access token that has expired",
    "Ada’s tablet signed in when the story began, for a second. Its cookie is still there and names the session.",
  );
  await leaveLife(tablet.token(ACCESS));
  walk.answered(await exchange(stage, tablet, "GET", "/me"), 401, "ERR_TOKEN_EXPIRED");
  const stillThere = tablet.copy("a copy of them");
  const before = new Set((await revoked.list()).keys.map((key) => key.name));
  const answer = await exchange(stage, tablet, "POST", "/api/auth/logout");
  walk.answered(answer, 200, undefined, "both cookies cleared");
  walk.expect(
    "both cookies are gone from the browser",
    answer.setCookie.length === 2 && tablet.cookiesFor("/api/auth/refresh") === "",
  );
  walk.answered(await exchange(stage, stillThere, "POST", "/api/auth/refresh"), 401, "ERR_SESSION_ENDED");

  const entries = (await revoked.list()).keys.filter((key) => !before.has(key.name));
  for (const { name, expiration = 0 } of entries) {
    const minutes = Math.round((expiration - Date.now() / 1000) / 60);
    say(dim(`KV: ${name} = ${await revoked.get(name)}, for ${minutes} minutes`), "·");
  }
  walk.expect(
    "KV has one entry, whose key shows no identifier",
    entries.length === 1 && /^wx1:session:[\w-]{43}$/.test(entries[0]?.name ?? ""),
  );

  walk.step("Replaying an access token after signing out", "Good signature, not expired: the entry stands against it.");
  const phone = await signIn(stage, "Ada’s phone");
  const copy = phone.copy("a copy of it");
  await exchange(stage, phone, "POST", "/api/auth/logout");
  walk.answered(await exchange(stage, copy, "GET", "/me"), 401, "ERR_TOKEN_REVOKED");
  const { exp } = claimsOf(copy.token(ACCESS));
  const written = (await revoked.list()).keys.filter((key) => !before.has(key.name));
  walk.expect(
    "every entry outlives the token that it ends",
    written.every(({ expiration = 0 }) => expiration > exp),
  );
  walk.answered(await exchange(stage, laptop, "GET", "/me?strong"), 200, undefined, "other sessions go on");
}
