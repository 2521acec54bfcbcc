import { ACCESS, Browser, claimsOf, REFRESH } from "../browser.js";
import { loginShown, sayObject, type Stage } from "../stage.js";
import { dim } from "../terminal.js";

const WEEK = 7 * 24 * 3600;

export async function signingIn(stage: Stage): Promise<Browser> {
  const { walk } = stage;
  walk.chapter("Signing in");
  const laptop = new Browser("Ada’s laptop", stage.address);

  walk.step("A wrong password", "The identity check is a stand-in for yours; what it refuses gets no cookie.");
  walk.sent(laptop.name, "POST /api/auth/login", "");
  const refused = await laptop.login("ada", "let me in");
  walk.answered(refused, 401, "CREDENTIALS_WRONG");
  walk.expect("no cookie is set", refused.setCookie.length === 0);

  walk.step("The right one", "Two tokens, signed in WebAssembly with ES256 and two keys, in two cookies.");
  const answer = await loginShown(stage, laptop);
  const [access = "", refresh = ""] = answer.setCookie.map((line) => line.replace(/=[^;]*/, ""));
  const both = (part: string): boolean => access.includes(part) && refresh.includes(part);
  walk.expect(
    `__Host-access; Path=/  ${dim("for every path of this host, which alone can set it")}`,
    access.startsWith("__Host-access;") && access.includes("; Path=/;"),
  );
  walk.expect(
    `__Secure-refresh; Path=/api/auth/refresh  ${dim("for this path alone")}`,
    refresh.startsWith("__Secure-refresh;") && refresh.includes("; Path=/api/auth/refresh;"),
  );
  walk.expect(`HttpOnly, both  ${dim("no script can read them")}`, both("; HttpOnly"));
  walk.expect(
    `Secure, both  ${dim("they never travel over plain HTTP (browsers except localhost)")}`,
    both("; Secure"),
  );
  walk.expect(
    `SameSite=Strict, both  ${dim("requests that other sites start do not carry them")}`,
    both("; SameSite=S"),
  );
  walk.expect(`Max-Age=${WEEK}, both  ${dim("a week, anew with every refresh")}`, both(`; Max-Age=${WEEK};`));
  walk.expect("no cache may keep the answer", answer.headers["cache-control"] === "no-store");
  sayObject("access token", claimsOf(laptop.token(ACCESS)));
  sayObject("refresh token", claimsOf(laptop.token(REFRESH)));

  walk.step("Who am I?", "The guard verifies signature and claims, and looks for revocation entries in KV.");
  walk.sent(laptop.name, "GET /me", "access cookie");
  const me = await laptop.send("/me");
  walk.answered(me, 200, undefined, `${me.json?.subject}, by ${me.json?.source}, revocation ${me.json?.revocation}`);

  walk.step("The same token as a bearer token", "For clients that are no browsers. This header decides alone.");
  const other = new Browser("a script", stage.address);
  walk.sent(other.name, "GET /me", "Authorization: Bearer");
  const bearer = await other.send("/me", { headers: { Authorization: `Bearer ${laptop.token(ACCESS)}` } });
  walk.answered(bearer, 200, undefined, `${bearer.json?.subject}, by ${bearer.json?.source}`);

  walk.step("Without a credential", "The challenge names no error, for no token was wrong (RFC 6750 section 3.1).");
  walk.sent(other.name, "GET /me", "");
  const nobody = await other.send("/me");
  walk.answered(nobody, 401, "ERR_CREDENTIALS_MISSING");
  walk.expect("WWW-Authenticate: Bearer", nobody.headers["www-authenticate"] === "Bearer");
  return laptop;
}
