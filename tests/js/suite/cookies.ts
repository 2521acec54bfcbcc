// Cookies by RFC 6265bis: what is written, what cannot be written, and that reading takes nothing for granted.

import { deepEqual, equal, includes, ok, rejects, throws } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { NOW, makeIssuer } from "./support.js";

const DAY = 86_400;

function attributes(header: string): [pair: string, attributes: string[]] {
  const [pair, ...rest] = header.split("; ");
  return [pair as string, rest.sort()];
}

export const cookies: Suite = (h, lib) => {
  const set = (options: object): string => lib.serializeSetCookie({ name: "session", value: "v", ...options } as never);
  const clear = (options: object): string => lib.serializeClearCookie({ name: "session", ...options } as never);
  const check = (options: object): ReturnType<typeof lib.checkCookie> =>
    lib.checkCookie({ name: "session", value: "v", ...options } as never);

  h.test("a cookie is HttpOnly, Secure, SameSite=Lax and Path=/ without being asked", async () => {
    await lib.init();
    deepEqual(attributes(set({})), ["session=v", ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]]);
  });

  const written: [string, object, string[]][] = [
    [
      "every attribute",
      { domain: "example.com", maxAge: 60, partitioned: true, path: "/app", priority: "High", sameSite: "Strict" },
      [
        "Domain=example.com",
        "HttpOnly",
        "Max-Age=60",
        "Partitioned",
        "Path=/app",
        "Priority=High",
        "SameSite=Strict",
        "Secure",
      ],
    ],
    ["false and null to leave defaults out", { httpOnly: false, secure: false, sameSite: null, path: null }, []],
    ["SameSite=None", { sameSite: "None" }, ["HttpOnly", "Path=/", "SameSite=None", "Secure"]],
    [
      "expires as a Date",
      { expires: new Date(784_111_777_000) },
      ["Expires=Sun, 06 Nov 1994 08:49:37 GMT", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
    ],
    [
      "expires as seconds",
      { expires: 784_111_777 },
      ["Expires=Sun, 06 Nov 1994 08:49:37 GMT", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
    ],
    [
      "a life of exactly 400 days",
      { maxAge: 400 * DAY },
      ["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax", "Secure"],
    ],
    ["a life of no time", { maxAge: 0 }, ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Lax", "Secure"]],
    ["a __Host- name", { name: "__Host-access" }, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]],
    [
      "a __Secure- name with a domain and a path",
      { name: "__Secure-refresh", domain: "example.com", path: "/auth" },
      ["Domain=example.com", "HttpOnly", "Path=/auth", "SameSite=Lax", "Secure"],
    ],
  ];
  for (const [what, options, expected] of written) {
    h.test(`a cookie is written with ${what}`, () => {
      const [pair, found] = attributes(set(options));
      equal(pair, `${(options as { name?: string }).name ?? "session"}=v`);
      deepEqual(found, expected);
      deepEqual(check(options), { header: set(options), size: pair.length - 1, complaints: [] });
    });
  }

  h.test("clearing repeats name and attributes, with an empty value and an end in the past", () => {
    const options = {
      name: "__Secure-refresh",
      domain: "example.com",
      path: "/auth",
      sameSite: "Strict",
      partitioned: true,
    };
    const [pair, found] = attributes(clear({ ...options, value: "token", maxAge: 600 }));
    equal(pair, "__Secure-refresh=");
    deepEqual(found, [
      "Domain=example.com",
      "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "HttpOnly",
      "Max-Age=0",
      "Partitioned",
      "Path=/auth",
      "SameSite=Strict",
      "Secure",
    ]);
    deepEqual(attributes(clear(options)), [pair, found], "without a value too");
  });

  const breaks = ["\r", "\n", "\r\n", "\0", ";", "\u007f", "\u0085", "\u2028", "é", "\ud800"];
  for (const attribute of ["name", "value", "path", "domain"]) {
    h.test(`line breaks, controls, semicolons and letters outside ASCII are refused in ${attribute}`, () => {
      for (const text of breaks) {
        const value = `${attribute === "path" ? "/" : ""}a${text}Set-Cookie: evil=1`;
        const code = text === "\ud800" ? "ERR_OPTION_INVALID" : "ERR_COOKIE_INVALID";
        const error = throws(() => set({ [attribute]: value }), code, JSON.stringify(text));
        includes(error.message, attribute);
        ok(!error.message.includes("evil"));
        // The value of a cookie that is cleared does not matter.
        if (attribute !== "value") throws(() => clear({ [attribute]: value }), code, JSON.stringify(text));
      }
    });
  }
  for (const attribute of ["sameSite", "priority", "maxAge", "expires"]) {
    h.test(`text with a line break is refused in ${attribute}`, () => {
      for (const text of ["Lax\r\nSet-Cookie: evil=1", "High\nX: y", "60\r\n"]) {
        includes(throws(() => set({ [attribute]: text }), "ERR_OPTION_INVALID").message, attribute);
      }
    });
  }

  const refused: [string, object, string, string][] = [
    ["an empty name", { name: "" }, "ERR_COOKIE_INVALID", "name"],
    ["a space in the name", { name: "a b" }, "ERR_COOKIE_INVALID", "name"],
    ["an equals sign in the name", { name: "a=b" }, "ERR_COOKIE_INVALID", "name"],
    ["a space in the value", { value: "a b" }, "ERR_COOKIE_INVALID", "value"],
    ["a space before the value", { value: " a" }, "ERR_COOKIE_INVALID", "value"],
    ["a quote in the value", { value: '"a"' }, "ERR_COOKIE_INVALID", "value"],
    ["a comma in the value", { value: "a,b" }, "ERR_COOKIE_INVALID", "value"],
    ["a backslash in the value", { value: "a\\b" }, "ERR_COOKIE_INVALID", "value"],
    ["a __Host- name with a Domain", { name: "__Host-a", domain: "example.com" }, "ERR_COOKIE_INVALID", "domain"],
    ["a __Host- name with another path", { name: "__Host-a", path: "/app" }, "ERR_COOKIE_INVALID", "path"],
    ["a __Host- name without a path", { name: "__Host-a", path: null }, "ERR_COOKIE_INVALID", "path"],
    ["a __Host- name that is not Secure", { name: "__Host-a", secure: false }, "ERR_COOKIE_INVALID", "secure"],
    [
      "a __host- name with a Domain, as browsers ignore case",
      { name: "__hOST-a", domain: "example.com" },
      "ERR_COOKIE_INVALID",
      "domain",
    ],
    ["a __Secure- name that is not Secure", { name: "__Secure-a", secure: false }, "ERR_COOKIE_INVALID", "secure"],
    ["a __SECURE- name that is not Secure", { name: "__SECURE-a", secure: false }, "ERR_COOKIE_INVALID", "secure"],
    ["SameSite=None that is not Secure", { sameSite: "None", secure: false }, "ERR_COOKIE_INVALID", "sameSite"],
    ["Partitioned that is not Secure", { partitioned: true, secure: false }, "ERR_COOKIE_INVALID", "partitioned"],
    ["a path that does not begin with a slash", { path: "app" }, "ERR_COOKIE_INVALID", "path"],
    ["an empty path", { path: "" }, "ERR_COOKIE_INVALID", "path"],
    ["a path with a query", { path: "/a?b" }, "ERR_COOKIE_INVALID", "path"],
    ["a domain with a leading dot", { domain: ".example.com" }, "ERR_COOKIE_INVALID", "domain"],
    ["a domain with a trailing dot", { domain: "example.com." }, "ERR_COOKIE_INVALID", "domain"],
    ["an empty domain", { domain: "" }, "ERR_COOKIE_INVALID", "domain"],
    ["a domain that is a URL", { domain: "https://example.com" }, "ERR_COOKIE_INVALID", "domain"],
    ["a domain that is an IP address", { domain: "127.0.0.1" }, "ERR_COOKIE_INVALID", "domain"],
    ["a life over 400 days", { maxAge: 400 * DAY + 1 }, "ERR_COOKIE_INVALID", "maxAge"],
    ["a date before 1601", { expires: new Date("1600-12-31T23:59:59Z") }, "ERR_COOKIE_INVALID", "expires"],
    ["a path of 1025 bytes", { path: `/${"p".repeat(1024)}` }, "ERR_COOKIE_TOO_LARGE", "path"],
    ["a domain of 1025 bytes", { domain: `${"d".repeat(1021)}.com` }, "ERR_COOKIE_TOO_LARGE", "domain"],
  ];
  for (const [what, options, code, attribute] of refused) {
    h.test(`a cookie with ${what} is refused`, () => {
      const error = throws(() => set(options), { code, status: 500, step: "cookie" });
      includes(error.message, attribute);
      const { header, complaints } = check(options);
      equal(header, undefined);
      ok(
        complaints.some((complaint) => complaint.code === code && complaint.attribute === attribute),
        "checkCookie complains",
      );
    });
  }

  h.test("expires in milliseconds is refused with a message that says what is meant", () => {
    includes(throws(() => set({ expires: NOW * 1000 }), "ERR_OPTION_INVALID").message, "seconds");
  });

  h.test("name and value of 4096 bytes are accepted, and of 4097 refused with the size", () => {
    ok(set({ value: "v".repeat(4096 - 7) }));
    const error = throws(() => set({ value: "v".repeat(4096 - 6) }), "ERR_COOKIE_TOO_LARGE");
    includes(error.message, "4097");
    equal(check({ value: "v".repeat(4096 - 6) }).size, 4097);
  });

  h.test(
    "a token too large for a cookie gets a message that names the claims that weigh most, without their values",
    async () => {
      const issuer = await makeIssuer(lib);
      const value = await issuer.issue({ sub: "alice", permissions: "secret-value ".repeat(300), small: 1 });
      const error = throws(() => set({ value }), "ERR_COOKIE_TOO_LARGE");
      includes(error.message, "permissions");
      ok(!error.message.includes("secret-value"));
    },
  );

  h.test("checkCookie reports everything that is wrong, not only the first", () => {
    const { header, complaints } = check({
      name: "__Host-a",
      domain: "x.example",
      path: "/p",
      secure: false,
      value: "a b",
      maxAge: 9e8,
    });
    equal(header, undefined);
    deepEqual(complaints.map((complaint) => complaint.attribute).sort(), [
      "domain",
      "maxAge",
      "path",
      "secure",
      "value",
    ]);
    ok(complaints.every((complaint) => complaint.message.length > 10));
  });

  const headers: [string, string, [string, string][], string[]][] = [
    ["nothing", "", [], []],
    ["one pair", "a=1", [["a", "1"]], []],
    [
      "pairs in order",
      "b=2; a=1; c=3",
      [
        ["b", "2"],
        ["a", "1"],
        ["c", "3"],
      ],
      [],
    ],
    [
      "no space after the semicolon",
      "a=1;b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
      [],
    ],
    [
      "spaces and tabs around pairs",
      " \ta=1 \t;\t b=2 ",
      [
        ["a", "1"],
        ["b", "2"],
      ],
      [],
    ],
    ["an equals sign in the value", "a=b=c==", [["a", "b=c=="]], []],
    ["quotes, which stay", 'a="1"', [["a", '"1"']], []],
    ["percent escapes, which stay", "a=%3B%00", [["a", "%3B%00"]], []],
    ["an empty value", "a=", [["a", ""]], []],
    [
      "a pair without a name",
      "=x; y",
      [
        ["", "x"],
        ["", "y"],
      ],
      [""],
    ],
    ["pairs of nothing", ";;; a=1;;", [["a", "1"]], []],
    [
      "the same name twice",
      "a=1; b=2; a=3",
      [
        ["a", "1"],
        ["b", "2"],
        ["a", "3"],
      ],
      ["a"],
    ],
    [
      "names that differ in case",
      "a=1; A=2",
      [
        ["a", "1"],
        ["A", "2"],
      ],
      [],
    ],
    [
      "names of object members",
      "__proto__=1; constructor=2; __proto__=3",
      [
        ["__proto__", "1"],
        ["constructor", "2"],
        ["__proto__", "3"],
      ],
      ["__proto__"],
    ],
    [
      "a name with white space inside the pair",
      "a =1; b= 2",
      [
        ["a ", "1"],
        ["b", " 2"],
      ],
      [],
    ],
    ["white space that is not SP or HTAB", "\u00a0a=1", [["\u00a0a", "1"]], []],
  ];
  for (const [what, header, pairs, duplicates] of headers) {
    h.test(`reading a Cookie header with ${what}`, () => {
      deepEqual(lib.parseCookie(header), { pairs, duplicates });
    });
  }

  h.test("no Cookie header at all reads as no cookies", () => {
    for (const header of [null, undefined]) deepEqual(lib.parseCookie(header as never), { pairs: [], duplicates: [] });
  });

  h.test("a Cookie header that is not text is refused", () => {
    for (const header of [1, true, {}, [], Symbol("s"), 1n, () => "a=1"]) {
      throws(() => lib.parseCookie(header as never), "ERR_COOKIE_HEADER_INVALID", typeof header);
    }
  });

  h.test("a Cookie header of 64 KiB is read, and a longer one refused, also one of a megabyte", () => {
    const pairs = lib.parseCookie("a=1;".repeat(16_384)).pairs;
    equal(pairs.length, 16_384);
    throws(() => lib.parseCookie(`${"a=1;".repeat(16_384)} `), "ERR_COOKIE_HEADER_INVALID");
    throws(() => lib.parseCookie("a".repeat(1 << 20)), "ERR_COOKIE_HEADER_INVALID");
  });

  h.test("what serializeSetCookie writes, parseCookie reads back", () => {
    for (const value of ["", "a", "a=b", "!#$%&'()*+-./:<=>?@[]^_`{|}~", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"]) {
      const pair = set({ name: "n!#$%&'*+-.^_`|~", value }).split("; ")[0] as string;
      deepEqual(lib.parseCookie(`x=1; ${pair}; y=2`).pairs[1], ["n!#$%&'*+-.^_`|~", value]);
    }
  });

  h.test("a browser's own Headers accept every cookie that is written", async () => {
    for (const options of written.map(([, each]) => each)) new Headers().append("set-cookie", set(options));
    await rejects(async () => set({ value: "\n" }), "ERR_COOKIE_INVALID");
  });
};
