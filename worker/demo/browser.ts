/** What a browser does with cookies, as far as this Worker's go: keeps them by name and path, and sends them back. */

import { type Answer, type Sent, send } from "./http.js";

export const ACCESS = "__Host-access";
export const REFRESH = "__Secure-refresh";

interface Cookie {
  value: string;
  path: string;
}

/** A request beyond what a page of the Worker's own origin always sends. */
export interface Extra extends Sent {
  /** Where the Worker answers, if it is another of its instances. */
  at?: string;
}

export class Browser {
  readonly #cookies = new Map<string, Cookie>();

  /**
   * @param name What it is called in what is printed.
   * @param origin The Worker's origin, as the browser knows it.
   * @param address Where it answers, if that is another of its instances.
   */
  constructor(
    readonly name: string,
    readonly origin: string,
    readonly address = origin,
  ) {}

  /** The token in a cookie, or an empty text. */
  token(cookie: typeof ACCESS | typeof REFRESH): string {
    return this.#cookies.get(cookie)?.value ?? "";
  }

  /** The value of `Cookie` for a path. */
  cookiesFor(path: string): string {
    const sent = [...this.#cookies].filter(([, cookie]) => path === cookie.path || cookie.path === "/");
    return sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  /** Somebody else with the same cookies, as they are now. */
  copy(name: string): Browser {
    const thief = new Browser(name, this.origin, this.address);
    for (const [cookie, kept] of this.#cookies) thief.#cookies.set(cookie, { ...kept });
    return thief;
  }

  /** Sends a request as a page of the Worker's own origin does, and keeps the cookies of the answer. */
  async send(path: string, { at = this.address, headers, ...sent }: Extra = {}): Promise<Answer> {
    const cookies = this.cookiesFor(path.split("?", 1)[0] ?? path);
    const answer = await send(at + path, {
      ...sent,
      headers: {
        Origin: this.origin,
        "Sec-Fetch-Site": "same-origin",
        ...(cookies === "" ? {} : { Cookie: cookies }),
        ...headers,
      },
    });
    for (const line of answer.setCookie) this.#keep(line);
    return answer;
  }

  login(username: string, password: string, extra: Extra = {}): Promise<Answer> {
    return this.send("/api/auth/login", {
      ...extra,
      method: "POST",
      headers: { "Content-Type": "application/json", ...extra.headers },
      body: JSON.stringify({ username, password }),
    });
  }

  #keep(line: string): void {
    const [, name = "", value = "", attributes = ""] = line.match(/^([^=]+)=([^;]*)(.*)$/) ?? [];
    const path = attributes.match(/; Path=([^;]*)/)?.[1] ?? "/";
    if (/; Max-Age=0(;|$)/.test(attributes)) this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path });
  }
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
