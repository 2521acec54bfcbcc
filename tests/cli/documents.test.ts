/** Every command line that the documents and the help show does what they say. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { blocks } from "../js/e2e/documents.js";
import { fine, line, mode, path, recorded, secret, shellEnvironment } from "./support.js";

/** Runs a line in a shell that knows the program. */
function shell(text: string, cwd: string) {
  const command = text.replaceAll("npx waxseal", "waxseal");
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd, env: shellEnvironment, encoding: "utf8" });
  recorded(command.split(/\s+/), { code: status, stdout, stderr });
  return { status, stdout, stderr };
}

function emptied(name: string): string {
  rmSync(path(name), { recursive: true, force: true });
  mkdirSync(path(name), { recursive: true });
  return path(name);
}

for (const file of ["docs/cli.md", "docs/key-rotation.md", "docs/sessions.md", "README.md"]) {
  const lines = blocks(file, "sh")
    .flatMap(({ code }) => code.split("\n"))
    .filter((one) => one.includes("waxseal "));

  test(`the lines of ${file} work one after the other`, () => {
    const directory = emptied("document");
    assert.ok(lines.length > 0);
    for (const text of lines) {
      const [command = "", comment = ""] = text.split(/ {2,}# ?/);
      const { status, stderr } = shell(command, directory);
      assert.deepEqual([status, stderr], [comment.includes("exits with 1") ? 1 : 0, ""], command);
    }
    const written = readdirSync(directory).map((name) => `document/${name}`);
    for (const name of written.filter((one) => mode(one) === "600")) secret(name);
  });
}

test("docs/cli.md shows what token explain prints, to the letter but for what is random", () => {
  const directory = emptied("explained");
  const lines = blocks("docs/cli.md", "sh").flatMap(({ code }) => code.split("\n"));
  const wanted = /keys generate --kid|keys jwks key|token issue .*old\.jwt|explain old\.jwt/;
  shell("waxseal keys generate --alg RS256 --out rsa.json", directory);
  let printed = "";
  for (const text of lines.filter((one) => wanted.test(one)))
    printed = shell(text.split(/ {2,}#/)[0] ?? "", directory).stdout;
  for (const name of ["key.json", "rsa.json"]) secret(`explained/${name}`);
  const shown = blocks("docs/cli.md", "text").find(({ code }) => code.startsWith("header"))?.code ?? "";
  const pattern = shown.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", "[\\w-]+");
  assert.match(printed, new RegExp(`^${pattern}$`));
});

test("docs/cli.md says of the JSON of token explain what is in it", async () => {
  await line("keys generate --out key.json");
  secret("key.json");
  await line("keys jwks key.json --out jwks.json");
  const [shown] = blocks("docs/cli.md", "jsonc");
  const members = [...(shown?.code ?? "").matchAll(/^ {2}"(\w+)":/gm)].map(([, name]) => name);
  const token = await line("token issue --key key.json --issuer a --audience b");
  const said = JSON.parse(await fine(["token", "explain", "-", "--jwks", "jwks.json", "--json"], { stdin: token }));
  assert.deepEqual(Object.keys(said), members);
  assert.deepEqual(Object.keys(said.steps[0]).sort(), ["advice", "message", "outcome", "step"]);
});

/** Those that need a network or another program. */
const NOT_RUN = [
  "waxseal keys generate --private | npx wrangler secret put ACCESS_KEY",
  "waxseal token explain - --jwks https://id.example/.well-known/jwks.json < token.jwt",
  "curl -sI https://app.example/ | waxseal cookie check - --url https://app.example/",
];

describe("the examples in the help", () => {
  const seen: string[] = [];
  for (const name of [
    "keys generate",
    "keys public",
    "keys thumbprint",
    "keys jwks",
    "keys convert",
    "token explain",
    "token verify",
    "token issue",
    "cookie check",
  ]) {
    test(`of ${name} work`, async () => {
      const made = emptied("made");
      for (const command of [
        "keys generate --out key.json",
        "keys generate --out next.json",
        "keys public key.json --pem --out public.pem",
        "keys jwks key.json --out jwks.json",
        "token issue --key key.json --issuer https://id.example --audience https://api.example > token.jwt",
      ]) {
        assert.equal(shell(`waxseal ${command}`, made).status, 0);
      }
      for (const key of ["key.json", "next.json"]) secret(`made/${key}`);
      const directory = emptied("example");
      const given = name === "keys generate" ? [] : ["key.json", "next.json", "token.jwt"];
      // What an example makes must not be there.
      if (name !== "keys public") given.push("public.pem");
      if (name !== "keys jwks") given.push("jwks.json");
      for (const file of given) copyFileSync(`${made}/${file}`, `${directory}/${file}`);
      const [, examples = ""] = (await fine([...name.split(" "), "--help"])).split("Examples\n");
      for (const example of examples.trim().split(/\n */)) {
        if (NOT_RUN.includes(example)) {
          seen.push(example);
          continue;
        }
        const { status, stderr } = shell(example, directory);
        const isBad = / --at |id=2/.test(example);
        assert.ok(isBad ? status === 0 || status === 1 : status === 0, `${example}: ${stderr}`);
        assert.equal(stderr, "", example);
      }
    });
  }

  test("are all run but for three", () => assert.deepEqual(seen, NOT_RUN));
});

test("docs/cli.md has every command and every exit code, and the help no option that is a secret of its own", async () => {
  const text = readFileSync("docs/cli.md", "utf8");
  const help = await fine(["--help"]);
  for (const [, name = ""] of help.matchAll(/^ {2}(\w+ \w+) {2}/gm)) {
    const spoken = name.startsWith("keys") ? (name.split(" ")[1] ?? "") : name;
    assert.ok(text.includes(spoken), name);
  }
  for (const code of [0, 1, 2]) assert.match(text, new RegExp(`^\\| ${code} \\|`, "m"));
});
