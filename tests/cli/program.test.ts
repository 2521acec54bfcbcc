/** The program as a whole: help, usage, streams, colour. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { BIN, fine, get, HOME, line, put, recorded, refused, secret, shellEnvironment, waxseal } from "./support.js";

const COMMANDS = [
  "keys generate",
  "keys public",
  "keys thumbprint",
  "keys jwks",
  "keys convert",
  "token explain",
  "token verify",
  "token issue",
  "cookie check",
];

await line("keys generate --kid one --out key.json");
secret("key.json");
await line("keys jwks key.json --out jwks.json");
const token = (await line("token issue --key key.json --issuer me --audience you")).trim();
put("token.jwt", token);

describe("help", () => {
  test("is what waxseal, --help, -h and help print, and lists every command", async () => {
    const text = await fine([]);
    for (const args of [["--help"], ["-h"], ["help"]]) assert.equal(await fine(args), text);
    assert.deepEqual(
      [...text.matchAll(/^ {2}(\w+ \w+) {2}/gm)].map(([, name]) => name),
      COMMANDS,
    );
  });

  for (const name of COMMANDS) {
    test(`of ${name} names every option it has, with an example, however it is asked for`, async () => {
      const [group = "", command = ""] = name.split(" ");
      const text = await fine([group, command, "--help"]);
      assert.equal(await fine(["help", group, command]), text);
      assert.equal(await fine([group, command, "-h"]), text);
      assert.match(text, new RegExp(`^waxseal ${name}`));
      assert.match(text, new RegExp(`^Examples\\n  .*waxseal ${name}`, "m"));
      assert.match(text, /^  --json /m);
      for (const one of text.split("\n")) assert.ok(one.length <= 120, one);
    });
  }

  test("of a group lists its commands", async () => {
    const text = await fine(["keys", "--help"]);
    assert.match(text, /keys convert/);
    assert.doesNotMatch(text, /token verify/);
    assert.equal(await fine(["help", "keys"]), text);
  });

  test("warns of tokens among the arguments where a token can be one", async () => {
    for (const name of ["explain", "verify"]) {
      assert.match(
        (await fine(["token", name, "--help"])).replace(/\s+/g, " "),
        /seen by every process .* shell's history/,
      );
    }
  });
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(join(dirname(BIN), "waxseal/package.json"), "utf8"));
  assert.equal(await fine(["--version"]), `${version}\n`);
});

test("npx finds it where the package is installed", () => {
  const { stdout, status } = spawnSync(
    "npx",
    ["--no-install", "waxseal", "keys", "thumbprint", join(HOME, "jwks.json")],
    {
      cwd: join(BIN, "../.."),
      encoding: "utf8",
    },
  );
  assert.equal(status, 0);
  assert.match(stdout, /^[\w-]{43}\n$/);
});

describe("wrong usage", () => {
  const cases: [string[], RegExp][] = [
    [["keyz"], /there is no command "keyz"; see waxseal --help/],
    [["keys"], /keys is followed by generate, public/],
    [["keys", "destroy"], /not "destroy"/],
    [["keys", "generate", "--frob"], /there is no option --frob; see waxseal keys generate --help/],
    [["keys", "generate", "-x"], /there is no option -x/],
    [["keys", "generate", "--out"], /--out needs a value/],
    [["keys", "generate", "--pem=yes"], /--pem takes no value/],
    [["keys", "generate", "--kid", "--pem"], /--kid needs a value/],
    [["keys", "generate", "--kid", "a", "--kid=b", "--private"], /--kid is given twice/],
    [["keys", "generate", "extra"], /one argument too many: "extra"/],
    [["keys", "generate", "--alg", "HS256"], /--alg must be ES256 or RS256/],
    [["keys", "public"], /<file\|-> is missing/],
    [
      ["token", "issue", "--key", "key.json", "--issuer", "a", "--audience", "b", "--expires-in", "soon"],
      /--expires-in must be a duration/,
    ],
    [["\u001b[31mred"], /\\u001b/],
  ];
  for (const [args, says] of cases) {
    test(`${JSON.stringify(args.join(" "))} is one line and exit code 2`, () => refused(args, says));
  }

  test("shows no more than the beginning of what was typed, which may be secret", async () => {
    const { d } = JSON.parse(get("key.json"));
    for (const args of [
      ["keys", "generate", d],
      ["keys", "generate", "--alg", d],
      [d],
      ["keys", "generate", `--${d}`],
    ]) {
      const { code, stderr } = await waxseal(args);
      assert.equal(code, 2);
      assert.ok(!stderr.includes(d));
    }
  });
});

describe("output", () => {
  const explain = ["token", "explain", "token.jwt", "--jwks", "jwks.json"];

  test("has no colour where it is not a terminal, unless FORCE_COLOR says so", async () => {
    for (const [env, colour] of [
      [{}, false],
      [{ FORCE_COLOR: "1" }, true],
      [{ FORCE_COLOR: "0" }, false],
      [{ FORCE_COLOR: "" }, false],
      [{ TERM: "xterm-256color", COLORTERM: "truecolor" }, false],
    ] as const) {
      assert.equal((await fine(explain, { env })).includes("\u001b["), colour, JSON.stringify(env));
    }
  });

  const hasScript = spawnSync("script", ["--version"]).status === 0;
  test(
    "has colour on a terminal, unless NO_COLOR or a dumb terminal says no",
    { skip: hasScript ? false : "no script(1)" },
    () => {
      for (const [env, colour] of [
        [{ TERM: "xterm" }, true],
        [{ TERM: "xterm", NO_COLOR: "1" }, false],
        [{ TERM: "xterm", NO_COLOR: "" }, true],
        [{ TERM: "dumb" }, false],
      ] as const) {
        const { stdout, status } = spawnSync("script", ["-qec", `waxseal ${explain.join(" ")}`, "/dev/null"], {
          cwd: HOME,
          env: { ...shellEnvironment, ...env },
          encoding: "utf8",
        });
        recorded(explain, { code: status, stdout, stderr: "" });
        assert.match(stdout, /Accepted/);
        assert.equal(stdout.includes("\u001b["), colour, JSON.stringify(env));
      }
    },
  );

  test("that nobody reads any more is no failure, and nothing is said of it", async () => {
    for (const command of ["help", "keys jwks key.json", "keys generate --private", explain.join(" ")]) {
      const child = spawn("sh", ["-c", `{ sleep 0.3; waxseal ${command}; echo "code $?" >&2; } | true`], {
        cwd: HOME,
        env: shellEnvironment,
      });
      const [stderr] = await Promise.all([
        child.stderr.setEncoding("utf8").toArray(),
        new Promise((done) => child.on("close", done)),
      ]);
      assert.equal(stderr.join(""), "code 0\n", command);
    }
  });

  test("that cannot be written is one line and exit code 2", { skip: process.platform !== "linux" }, () => {
    const { status, stderr } = spawnSync("sh", ["-c", "waxseal keys jwks key.json > /dev/full"], {
      cwd: HOME,
      env: shellEnvironment,
      encoding: "utf8",
    });
    assert.equal(status, 2);
    assert.match(stderr, /^waxseal: stdout: cannot be written \(ENOSPC\)\n$/);
  });
});

test("every command but help has JSON of one line with --json", async () => {
  for (const args of [
    "keys generate --out j.json",
    "keys public key.json",
    "keys thumbprint key.json",
    "keys jwks key.json",
    "keys convert jwks.json",
    "token explain token.jwt",
    "token verify token.jwt --jwks jwks.json --any-issuer --any-audience",
    "token issue --key key.json --issuer a --audience b",
    "cookie check a=1",
  ]) {
    const { stdout, stderr } = await waxseal([...args.split(" "), "--json"]);
    assert.equal(stderr, "", args);
    assert.match(stdout, /^\{[^\n]*\}\n$/, args);
    assert.ok(JSON.parse(stdout));
  }
  secret("j.json");
});

test("it is no part of what a program imports", () => {
  const dist = join(dirname(BIN), "waxseal/dist");
  const importing = readdirSync(dist).filter(
    (file) => /\.c?js$/.test(file) && /["']\.\/cli\.js["']/.test(readFileSync(join(dist, file), "utf8")),
  );
  assert.deepEqual(importing, []);
  assert.doesNotMatch(readFileSync(join(dist, "index.js"), "utf8"), /node:/);
});
