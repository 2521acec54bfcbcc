/** `waxseal token`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fine, get, line, put, refused, secret, waxseal } from "./support.js";

const NAMES = ["--issuer", "https://id.example", "--audience", "web"];
const ANY = ["--any-issuer", "--any-audience"];
const AT = Date.parse("2026-11-22T10:00:00Z") / 1000;

await line("keys generate --kid one --out one.json");
await line("keys generate --kid two --alg RS256 --out two.json");
await line("keys generate --kid three --out three.json");
for (const file of ["one.json", "two.json", "three.json"]) secret(file);
await line("keys jwks one.json two.json --out set.json");
await line("keys jwks three.json --out other.json");

async function issue(...args: string[]): Promise<string> {
  return (await fine(["token", "issue", "--key", "one.json", ...NAMES, ...args])).trim();
}
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const unsigned = (header: object, claims: object): string => `${base64url(header)}.${base64url(claims)}.AAAA`;

interface Explained {
  accepted: boolean;
  now: number;
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  keys: { usable: object[]; unusable: { kid?: string; code: string }[] } | null;
  steps: { step: string; outcome: string; code?: string; message: string; advice: string[] }[];
}

/** What explain says, as a program and as a person reads it: both say the same. */
async function explained(token: string, ...args: string[]): Promise<Explained & { text: string; said: string[] }> {
  const command = ["token", "explain", "-", ...args];
  const [json, text] = [
    await waxseal([...command, "--json"], { stdin: token }),
    await waxseal(command, { stdin: token }),
  ];
  assert.equal(json.stderr + text.stderr, "");
  const report = JSON.parse(json.stdout) as Explained;
  const code = report.accepted ? 0 : 1;
  assert.deepEqual([json.code, text.code], [code, code]);
  assert.match(text.stdout, report.accepted ? /^Accepted/m : /^(Refused|Undecided)/m);
  const said = report.steps.flatMap(({ advice }) => advice);
  const flat = text.stdout.replace(/\s+/g, " ");
  for (const sentence of said) assert.ok(flat.includes(sentence.replace(/\s+/g, " ")), sentence);
  return { ...report, text: text.stdout, said };
}

const outcomeOf = (report: Explained, step: string) => report.steps.find((one) => one.step === step);

describe("token issue", () => {
  test("signs what token verify accepts, with ES256 and RS256", async () => {
    for (const key of ["one.json", "two.json"]) {
      const token = await fine(["token", "issue", "--key", key, ...NAMES, "--subject", "alice"]);
      assert.equal(token.trim().split(".").length, 3);
      const claims = JSON.parse(await fine(["token", "verify", "-", "--jwks", "set.json", ...NAMES], { stdin: token }));
      assert.deepEqual([claims.sub, claims.aud, claims.exp - claims.iat], ["alice", "web", 900]);
    }
  });

  test("takes claims as text, JSON and a file, each name once", async () => {
    put("claims.json", { org: "acme", nested: { a: [1] } });
    const given = ["--claims", "claims.json", "--claim", "role=a=b", "--claim", "level:=3", "--claim", "empty="];
    const { claims } = JSON.parse(await issue(...given, "--json"));
    const { org, nested, role, level, empty } = claims;
    assert.deepEqual(
      { org, nested, role, level, empty },
      { org: "acme", nested: { a: [1] }, role: "a=b", level: 3, empty: "" },
    );
    const command = ["token", "issue", "--key", "one.json", ...NAMES];
    await refused([...command, "--claims", "claims.json", "--claim", "org=x"], /"org" is given twice/);
    await refused([...command, "--claim", "level:=three"], /--claim level: not JSON/);
    await refused([...command, "--claim", "level"], /must be name=text/);
    await refused([...command, "--claim", "exp=1"], /ERR_ISSUE_CLAIMS/);
    await refused([...command, "--claims", put("list.json", [])], /not a JSON object/);
  });

  test("sets lifetime, type, kid and time", async () => {
    const flags = ["--expires-in", "2h", "--typ", "at+jwt", "--kid", "k", "--at", "2026-11-22T10:00:00Z"];
    const { header, claims } = JSON.parse(await issue(...flags, "--json"));
    assert.deepEqual(header, { alg: "ES256", kid: "k", typ: "at+jwt" });
    assert.deepEqual([claims.iat, claims.exp], [AT, AT + 7200]);
  });

  test("wants a private key, an issuer and an audience", async () => {
    await refused(["token", "issue", ...NAMES], /--key is missing/);
    await refused(["token", "issue", "--key", "one.json", "--audience", "web"], /--issuer is missing/);
    await refused(["token", "issue", "--key", "one.json", "--issuer", "me"], /--audience is missing/);
    await refused(["token", "issue", "--key", "other.json", ...NAMES], /other.json: a public key, and a private one/);
  });
});

describe("token verify", () => {
  test("takes a token as an argument, in a file and from stdin, with Bearer before it or not", async () => {
    const token = await issue("--subject", "alice");
    for (const text of [token, `${token}\n`, `Bearer ${token}`, `Authorization: Bearer ${token}\r\n`]) {
      put("token.jwt", text);
      for (const [given, stdin] of [
        ["token.jwt", ""],
        ["-", text],
        [text.trim().replace("Authorization: ", ""), ""],
      ] as const) {
        const shown = await fine(["token", "verify", given, "--jwks", "set.json", ...NAMES], { stdin });
        assert.equal(JSON.parse(shown).sub, "alice");
      }
    }
  });

  test("says no with exit code 1, on stderr or as JSON", async () => {
    const token = await issue("--at", "2026-11-22T10:00:00Z");
    const command = ["token", "verify", "-", "--jwks", "set.json", ...NAMES];
    const plain = await waxseal([...command, "--at", "2026-11-23"], { stdin: token });
    assert.deepEqual([plain.code, plain.stdout], [1, ""]);
    assert.match(plain.stderr, /^waxseal: refused: [^\n]*ERR_TOKEN_EXPIRED\)\n$/);
    const json = await waxseal([...command, "--at", "2026-11-23", "--json"], { stdin: token });
    assert.deepEqual([json.code, json.stderr], [1, ""]);
    const { valid, error } = JSON.parse(json.stdout);
    assert.deepEqual(
      [valid, error.code, error.claim, error.reason],
      [false, "ERR_TOKEN_EXPIRED", "exp", "check_failed"],
    );
    const yes = JSON.parse(await fine([...command, "--at", `${AT}`, "--json"], { stdin: token }));
    assert.deepEqual([yes.valid, yes.header.kid, yes.claims.iat], [true, "one", AT]);
  });

  test("--clock-tolerance, --max-age and --typ are heeded", async () => {
    const token = await issue("--at", `${AT}`, "--expires-in", "1h");
    const code = async (...args: string[]) =>
      (await waxseal(["token", "verify", "-", "--jwks", "set.json", ...NAMES, ...args], { stdin: token })).code;
    assert.equal(await code("--at", `${AT + 3660}`), 1);
    assert.equal(await code("--at", `${AT + 3660}`, "--clock-tolerance", "2m"), 0);
    assert.equal(await code("--at", `${AT + 60}`, "--max-age", "30"), 1);
    assert.equal(await code("--at", `${AT + 60}`, "--max-age", "2m"), 0);
    assert.equal(await code("--at", `${AT}`, "--typ", "at+jwt"), 1);
  });

  test("wants to be told what issuer and audience it is to check, or that it is to check none", async () => {
    const token = await issue();
    for (const args of [[], NAMES.slice(0, 2), [...NAMES, "--any-issuer"]]) {
      await refused(
        ["token", "verify", token, "--jwks", "set.json", ...args],
        /give either --(issuer|audience) or --any-/,
      );
    }
    await refused(["token", "verify", token, ...NAMES], /--jwks is missing/);
    await fine(["token", "verify", token, "--jwks", "set.json", ...ANY]);
  });

  test("refuses a private key where a public one is meant, alone and in a set", async () => {
    const token = await issue();
    put("leak.json", { keys: [JSON.parse(get("other.json")).keys[0], JSON.parse(get("one.json"))] });
    put("secret.json", { kty: "oct", k: "c2VjcmV0" });
    for (const file of ["one.json", "leak.json", "secret.json"]) {
      for (const command of ["verify", "explain"]) {
        const names = command === "verify" ? ANY : [];
        await refused(
          ["token", command, token, "--jwks", file, ...names],
          /a private key, where a public one is meant/,
        );
      }
    }
  });

  test("says in one line what cannot be read, and shows little of what is neither file nor token", async () => {
    await refused(
      ["token", "verify", "missing", "--jwks", "set.json", ...ANY],
      /"missing": no such file, and not a JWT/,
    );
    await refused(["token", "explain", "./a.b.c"], /no such file/);
    await refused(["token", "explain", "-"], /stdin: empty/);
    const { stderr } = await waxseal(["token", "explain", "s3cr3t-opaque-token-of-somebody"]);
    assert.doesNotMatch(stderr, /of-somebody/);
    await refused(["token", "explain", "-"], /larger than 1 MiB/, { stdin: "a".repeat(2 ** 21) });
    await refused(["token", "explain", "-"], /not text/, { stdin: Uint8Array.of(0xff, 0xfe, 0) });
    await refused(["token", "verify", "-", "--jwks", "-", ...ANY], /stdin can be read once/, { stdin: "x.y.z" });
    await refused(["token", "explain", "a.b.c", "--at", "1795341600000"], /looks like milliseconds/);
    await refused(["token", "explain", "a.b.c", "--at", "yesterday"], /must be a time such as/);
    await refused(["token", "explain", "a.b.c", "--clock-tolerance", "10m"], /0 to 300.*ERR_OPTION_INVALID/);
  });
});

describe("token explain", () => {
  test("accepts what verify accepts, and says what was not asked for", async () => {
    const token = await issue("--subject", "alice");
    const all = await explained(token, "--jwks", "set.json", ...NAMES);
    assert.deepEqual(
      all.steps.map(({ outcome }) => outcome),
      ["passed", "passed", "passed", "passed", "passed", "passed", "passed", "skipped"],
    );
    assert.match(all.text, /^Accepted now\.$/m);
    assert.deepEqual([all.header["kid"], all.claims["sub"]], ["one", "alice"]);
    assert.deepEqual(all.keys, {
      usable: [
        { kid: "one", alg: "ES256" },
        { kid: "two", alg: "RS256" },
      ],
      unusable: [],
    });
    const some = await explained(token, "--jwks", "set.json", "--issuer", "https://id.example");
    assert.match(some.text, /^Accepted now, but not checked for lack of --audience\.$/m);
  });

  test("accepts nothing without keys, and shows what the token says", async () => {
    const report = await explained(await issue("--subject", "alice"));
    assert.equal(report.keys, null);
    assert.deepEqual(
      [outcomeOf(report, "key")?.outcome, outcomeOf(report, "signature")?.outcome],
      ["skipped", "skipped"],
    );
    assert.match(report.text, /sub +"alice"/);
    assert.match(report.text, /^Undecided/m);
  });

  test("says by how much a token has expired, and that clocks may differ where that is near", async () => {
    const token = await issue("--at", `${AT}`, "--expires-in", "15m");
    const long = await explained(token, "--jwks", "set.json", "--at", `${AT + 900 + 7500}`);
    assert.equal(outcomeOf(long, "policy")?.code, "ERR_TOKEN_EXPIRED");
    assert.deepEqual(long.said, ["It expired 2026-11-22 10:15:00 UTC, after 15 min: 2 h 5 min ago."]);
    const short = await explained(token, "--jwks", "set.json", "--at", `${AT + 900 + 20}`);
    assert.match(short.said.join(" "), /20 s ago\. If it should be valid still, compare the clocks/);
  });

  test("says how far clocks differ", async () => {
    const token = await issue("--at", `${AT}`);
    const { said, steps } = await explained(token, "--jwks", "set.json", "--at", `${AT - 90}`);
    assert.equal(steps[6]?.code, "ERR_TOKEN_ISSUED_IN_FUTURE");
    assert.match(said.join(" "), /1 min 30 s earlier.*--clock-tolerance 90/);
    const far = await explained(token, "--jwks", "set.json", "--at", `${AT - 86400}`);
    assert.match(far.said.join(" "), /1 d earlier\. One of the two clocks is wrong: set it by NTP\.$/);
    const later = await issue("--expires-in", "2h", "--claim", `nbf:=${Math.floor(Date.now() / 1000) + 3600}`);
    // Asked once: `explained` asks twice, and a second may pass between.
    const early = await waxseal(["token", "explain", "-", "--jwks", "set.json", "--json"], { stdin: later });
    const { steps: seen } = JSON.parse(early.stdout) as Explained;
    assert.match(seen.flatMap(({ advice }) => advice).join(" "), /Its nbf is .* this machine's clock says/);
  });

  test("tells milliseconds and strings from seconds", async () => {
    const exp = (value: unknown) =>
      explained(unsigned({ alg: "ES256", kid: "one" }, { exp: value }), "--jwks", "set.json");
    const milli = await exp(AT * 1000);
    assert.equal(outcomeOf(milli, "claims")?.code, "ERR_CLAIM_INVALID");
    assert.match(milli.said.join(" "), /exp counts milliseconds \(2026-11-22 10:00:00 UTC\)/);
    assert.match((await exp(`${AT}`)).said.join(" "), /exp is a string: write it as a number/);
  });

  test("names the kids that the keys have and the one that the token asks for", async () => {
    const token = await issue();
    const report = await explained(token, "--jwks", "other.json");
    assert.equal(outcomeOf(report, "key")?.code, "ERR_KEY_NOT_FOUND");
    assert.match(report.said.join(" "), /have the kid “three”; the token asks for “one”/);
  });

  test("tells a refresh token from an access token", async () => {
    const report = await explained(await issue("--typ", "rt+jwt"), "--jwks", "set.json");
    assert.equal(outcomeOf(report, "header")?.code, "ERR_TOKEN_TYPE");
    assert.match(report.said.join(" "), /This is a refresh token/);
  });

  test("finds the key that verifies a token which names another", async () => {
    const renamed = await issue("--kid", "wrong");
    const { said } = await explained(renamed, "--jwks", "set.json", "--jwks", "other.json");
    assert.match(said.join(" "), /The key “one” verifies its signature/);
    const swapped = await issue("--kid", "three");
    const report = await explained(swapped, "--jwks", "set.json", "--jwks", "other.json");
    assert.equal(outcomeOf(report, "signature")?.code, "ERR_SIGNATURE_INVALID");
    assert.match(report.said.join(" "), /The key “one” verifies its signature/);
  });

  test("says of a forged token that no key verifies it", async () => {
    const token = await issue();
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    const report = await explained(forged, "--jwks", "set.json", "--jwks", "other.json");
    assert.equal(outcomeOf(report, "signature")?.code, "ERR_SIGNATURE_INVALID");
    assert.deepEqual(report.said, ["None of the keys given verifies it."]);
  });

  test("says what to do about an algorithm that is not taken", async () => {
    for (const [header, says] of [
      [{ alg: "HS256" }, /HS256 is a shared secret/],
      [{ alg: "none" }, /not signed/],
      [{ alg: "ES384" }, /takes ES256 and RS256/],
      [{ alg: "RS256", kid: "one" }, /The key “one” is for ES256, and the token says “RS256”/],
    ] as const) {
      const report = await explained(unsigned(header, { exp: AT }), "--jwks", "set.json");
      assert.equal(outcomeOf(report, "key")?.code, "ERR_ALGORITHM_NOT_ALLOWED");
      assert.match(report.said.join(" "), says);
    }
  });

  test("shows issuer and audience as seen and as expected, and a slip of the pen as one", async () => {
    const token = await issue();
    const slip = ["--issuer", "https://id.example/", "--audience", "Web"];
    const report = await explained(token, "--jwks", "set.json", ...slip);
    assert.match(
      outcomeOf(report, "policy")?.message ?? "",
      /has \[“https:\/\/id.example”\], accepted is \[“https:\/\/id.example\/”\]/,
    );
    assert.match(outcomeOf(report, "policy")?.message ?? "", /has \[“web”\], accepted is \[“Web”\]/);
    assert.match(report.said.join(" "), /differ by a slash at the end alone.*differ by capital letters alone/);
    const scheme = await explained(token, "--jwks", "set.json", "--issuer", "id.example");
    assert.match(scheme.said.join(" "), /differ by https/);
  });

  test("says what is wrong with the text of a token", async () => {
    const token = await issue();
    for (const [text, says] of [
      [token.split(".").slice(0, 2).join("."), /not a whole JWT/],
      [token.replace(".", ".\n "), /white space/],
      [`${token}=`, /base64url/],
      [`"${token}"`, /characters that are not part of it/],
      ["a.b.c.d.e", /encrypted tokens \(JWE\)/],
    ] as const) {
      const report = await explained(text, "--jwks", "set.json");
      assert.equal(outcomeOf(report, "segments")?.outcome, "failed", text.slice(0, 20));
      assert.match([outcomeOf(report, "segments")?.message, ...report.said].join(" "), says);
    }
  });

  test("names the keys of a set that it cannot use", async () => {
    const { keys } = JSON.parse(get("set.json"));
    put("mixed.json", { keys: [...keys, { kty: "OKP", crv: "Ed25519", x: "AAAA", kid: "ed" }] });
    const report = await explained(await issue(), "--jwks", "mixed.json");
    assert.equal(report.accepted, true);
    assert.deepEqual(
      report.keys?.unusable.map(({ kid, code }) => [kid, code]),
      [["ed", "ERR_KEY_UNSUPPORTED"]],
    );
    assert.match(report.text, /the key “ed” cannot be used/);
    put("useless.json", {
      keys: [
        { kty: "OKP", kid: "a" },
        { kty: "OKP", kid: "b" },
      ],
    });
    await refused(["token", "explain", "a.b.c", "--jwks", "useless.json"], /no usable key/);
  });

  test("lets nothing in a token reach the terminal but as text", async () => {
    const hostile = "\u001b]0;owned\u0007\u001b[31m\u009b2J\u202e\u2028\r";
    const token = unsigned({ alg: hostile, kid: hostile }, { [hostile]: hostile, iss: hostile, exp: AT });
    const { code, stdout } = await waxseal(["token", "explain", "-", "--jwks", "set.json", "--issuer", "x"], {
      stdin: token,
    });
    assert.equal(code, 1);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\u2028]/u);
    const json = await waxseal(["token", "explain", "-", "--jwks", "set.json", "--json"], { stdin: token });
    assert.doesNotMatch(json.stdout.trimEnd(), /[\p{Cc}\p{Cf}\u2028]/u);
    assert.equal(JSON.parse(json.stdout).header.kid, hostile);
  });
});
