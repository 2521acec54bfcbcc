/** `waxseal cookie check`. What it says of browsers is asked of Chromium in cookie-browser.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { line, put, refused, secret, waxseal } from "./support.js";

await line("keys generate --out key.json");
secret("key.json");

interface SetCookieReport {
  header: "Set-Cookie";
  name: string;
  size: number;
  outcome: "stored" | "faulty" | "refused";
  complaints: { attribute: string; message: string; browser: "refuses" | "stores" }[];
  notes: string[];
  sent?: { sent: boolean; why: string };
}

/** What is said of one line, as JSON; the text must come to the same. */
async function check(text: string, ...args: string[]): Promise<SetCookieReport> {
  const [json, plain] = [
    await waxseal(["cookie", "check", text, ...args, "--json"]),
    await waxseal(["cookie", "check", text, ...args]),
  ];
  assert.equal(json.stderr + plain.stderr, "");
  const { fine, headers } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, plain.code], fine ? [0, 0] : [1, 1]);
  assert.equal(headers.length, 1);
  const [report] = headers as [SetCookieReport];
  const flat = plain.stdout.replace(/\s+/g, " ");
  for (const { message } of report.complaints ?? []) assert.ok(flat.includes(message), message);
  for (const note of report.notes ?? []) assert.ok(flat.includes(note), note);
  return report;
}

const HOST = "__Host-id=value; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=900";

describe("a Set-Cookie line", () => {
  test("without a fault is stored, with or without the header's name", async () => {
    for (const text of [HOST, `Set-Cookie: ${HOST}`, `set-cookie:${HOST}`]) {
      const report = await check(text);
      assert.deepEqual(
        [report.header, report.name, report.size, report.outcome],
        ["Set-Cookie", "__Host-id", 14, "stored"],
      );
      assert.deepEqual(report.complaints, []);
      assert.match(report.notes.join(" "), /^It lives for 15 min\.$/);
    }
  });

  const refusals: [string, string[]][] = [
    ["__Host-id=x; Secure; Path=/app", ["path"]],
    ["__Host-id=x; Secure; Path=/; Domain=app.example", ["domain"]],
    ["__Host-id=x; Path=/", ["secure"]],
    ["__secure-id=x; Path=/", ["secure"]],
    ["id=x; SameSite=None", ["sameSite"]],
    ["id=x; Partitioned", ["partitioned"]],
    [`id=${"x".repeat(4100)}; Secure`, ["value"]],
    ["id=a\u0001b; Secure", ["value"]],
  ];
  for (const [text, attributes] of refusals) {
    test(`is refused by browsers: ${text.slice(0, 60).replace("\u0001", "\\x01")}`, async () => {
      const { outcome, complaints } = await check(text);
      assert.equal(outcome, "refused");
      const refusing = complaints.filter(({ browser }) => browser === "refuses").map(({ attribute }) => attribute);
      assert.deepEqual(refusing, attributes);
    });
  }

  const changes: [string, string][] = [
    ["id=x; Max-Age=99999999; Secure", "maxAge"],
    ["id=x; Path=app; Secure", "path"],
    ["id=x; Domain=.app.example; Secure", "domain"],
    ['id="a b"; Secure', "value"],
  ];
  for (const [text, attribute] of changes) {
    test(`is stored, and something is wrong with it: ${text}`, async () => {
      const { outcome, complaints } = await check(text);
      assert.deepEqual(
        [outcome, complaints.map((one) => [one.attribute, one.browser])],
        ["faulty", [[attribute, "stores"]]],
      );
    });
  }

  const notes: [string, RegExp][] = [
    ["id=x; Http-Only", /ignore the attribute Http-Only; HttpOnly is meant/],
    ["Set-Cookie: id=x; foo=bar", /ignore the attribute foo\./],
    ["id=x; SameSite=Sometimes", /ignore this value of samesite/],
    ["id=x; Max-Age=soon", /ignore this Max-Age/],
    ["id=x; Expires=soon", /ignore this Expires/],
    ["id=x; Path=/a; Path=/", /Path stands twice: the last one counts/],
    ["id=x; Max-Age=0", /deletes the cookie/],
    ["id=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", /deletes the cookie/],
    ["id=x", /until the browser is closed.*|Without SameSite/],
    ["id=x; Secure", /Without HttpOnly/],
  ];
  for (const [text, says] of notes) {
    test(`gets a note: ${text}`, async () => assert.match((await check(text)).notes.join(" "), says));
  }

  const url = ["--url", "https://app.example/account/login"];
  const journeys: [string, string[], boolean, RegExp][] = [
    [HOST, url, true, /within its host and path/],
    [HOST, [...url, "--to", "https://app.example/elsewhere"], true, /./],
    [HOST, [...url, "--to", "https://api.app.example/"], false, /goes to app\.example alone/],
    [HOST, [...url, "--to", "http://app.example/"], false, /Secure, and the request is plain http/],
    [HOST, [...url, "--cross-site"], false, /top-level navigation alone/],
    ["id=x; SameSite=Strict; Secure", [...url, "--cross-site"], false, /SameSite=Strict/],
    ["id=x; SameSite=None; Secure", [...url, "--cross-site"], true, /./],
    ["id=x; Domain=app.example; Path=/; Secure", [...url, "--to", "https://api.app.example/"], true, /./],
    [
      "id=x; Domain=app.example; Path=/; Secure",
      [...url, "--to", "https://notapp.example/"],
      false,
      /not within app\.example/,
    ],
    ["id=x; Secure", [...url, "--to", "https://app.example/account/settings"], true, /./],
    ["id=x; Secure", [...url, "--to", "https://app.example/"], false, /not within the path \/account/],
    ["id=x; Path=/acc; Secure", url, false, /not within the path \/acc/],
    ["id=x; Path=/; Max-Age=0", url, false, /time is over/],
    ["id=x; Path=/; Secure", ["--url", "http://localhost:8080/"], true, /./],
    ["id=x; Path=/; Secure", ["--url", "http://app.example/"], false, /never stored/],
    ["id=x; Domain=other.example; Path=/", url, false, /never stored/],
  ];
  for (const [text, args, sent, why] of journeys) {
    const where = args.map((one) => one.replace("https://", "")).join(" ");
    test(`${sent ? "is" : "is not"} sent: ${text} ${where}`, async () => {
      const report = await check(text, ...args);
      assert.equal(report.sent?.sent, sent, report.sent?.why);
      assert.match(report.sent?.why ?? "", why);
    });
  }
});

describe("a Cookie header", () => {
  test("is read as a server reads it, and its values are not shown", async () => {
    const { code, stdout } = await waxseal(["cookie", "check", "Cookie: id=hunter2; theme=dark"]);
    assert.equal(code, 0);
    assert.match(stdout, /^2 cookies/);
    assert.doesNotMatch(stdout, /hunter2|dark/);
    const { headers } = JSON.parse((await waxseal(["cookie", "check", "id=1; theme=dark", "--json"])).stdout);
    assert.deepEqual(headers[0].cookies, [
      { name: "id", size: 3 },
      { name: "theme", size: 9 },
    ]);
  });

  test("with a name twice is bad", async () => {
    const { code, stdout } = await waxseal(["cookie", "check", "Cookie: id=1; theme=dark; id=2"]);
    assert.equal(code, 1);
    assert.match(stdout, /id stands twice/);
  });

  test("that is too long is bad, and says so", async () => {
    const { code, stdout } = await waxseal(["cookie", "check", "-"], { stdin: `Cookie: id=${"x".repeat(100_000)}` });
    assert.equal(code, 1);
    assert.match(stdout, /ERR_COOKIE_HEADER_INVALID/);
  });
});

describe("the input of cookie check", () => {
  test("takes no longer to read for being hostile", { timeout: 5000 }, async () => {
    const space = " ".repeat(500_000);
    for (const stdin of [`a=b; x${space}y=1`, `a=b;${space}`, ";=".repeat(400_000), `Set-Cookie:${space}x`]) {
      const { code } = await waxseal(["cookie", "check", "-"], { stdin });
      assert.ok(code === 0 || code === 1);
    }
  });

  test("can be the headers of an answer, of which the cookies alone count", async () => {
    const answer = `HTTP/2 200\r\ncontent-type: text/html\r\nset-cookie: ${HOST}\r\nset-cookie: b=1; SameSite=None\r\n\r\n`;
    put("answer.txt", answer);
    for (const [given, stdin] of [
      ["answer.txt", ""],
      ["-", answer],
    ] as const) {
      const { code, stdout } = await waxseal(["cookie", "check", given, "--json"], { stdin });
      assert.equal(code, 1);
      assert.deepEqual(
        JSON.parse(stdout).headers.map(({ outcome }: SetCookieReport) => outcome),
        ["stored", "refused"],
      );
    }
    await refused(["cookie", "check", "-"], /the answer sets no cookie/, { stdin: "HTTP/1.1 200 OK\r\nserver: x\r\n" });
  });

  test("shows values neither of a cookie nor of a line that is none", async () => {
    for (const text of ["id=hunter2; Secure", "Set-Cookie: hunter2; Secure"]) {
      const { stdout, stderr } = await waxseal(["cookie", "check", text]);
      assert.doesNotMatch(stdout + stderr, /hunter2/);
    }
  });

  test("is refused in one line where it is not usable", async () => {
    await refused(["cookie", "check"], /is missing/);
    await refused(["cookie", "check", "missing.txt"], /no such file/);
    await refused(["cookie", "check", "-"], /empty/);
    await refused(["cookie", "check", "a=1", "--url", "app.example"], /must be a URL of http or https/);
    await refused(["cookie", "check", "a=1", "--to", "https://app.example"], /need --url/);
  });
});
