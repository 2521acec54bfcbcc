/** An application whose `Object.prototype` was polluted before it has loaded the package at all. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";

/** Names of options, claims and parts of the glue, none of which Node's own loader stumbles over. */
const POLLUTION = {
  issuer: null,
  audience: null,
  algorithms: ["none"],
  clockTolerance: 300,
  typ: "x",
  claims: { x: 1 },
  crit: ["b64"],
  alg: "none",
  kid: "x",
  exp: 9e9,
  now: 1,
  keys: [],
  maxTokenLength: 1,
  onFailure: "accept",
  revocation: {},
  cache: { max: 1 },
  secure: false,
  httpOnly: false,
  domain: "evil.example",
  expiresIn: 1,
  module_or_path: "x",
  module: "x",
  memory: 1,
  __wbg_ptr: 1,
};

const PROGRAM = `
  for (const [name, value] of Object.entries(${JSON.stringify(POLLUTION)})) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
  }
  (async () => {
    const lib = await LOAD;
    const code = async (run) => { try { await run(); } catch (thrown) { return thrown.code; } };
    const { privateKey, publicKey: keys } = await lib.generateKeyPair("ES256");
    const options = { issuer: "https://issuer.example", audience: "api" };
    const issuer = await lib.createIssuer({ ...options, key: privateKey, expiresIn: 60 });
    const verifier = await lib.createVerifier({ ...options, keys });
    const token = await issuer.issue({ sub: "alice" });
    const { claims, header } = verifier.verify(token);
    const later = new Date(Date.now() + 120_000);
    console.log(JSON.stringify([
      Object.keys(lib).filter((name) => Object.hasOwn(Object.prototype, name)),
      Object.keys(claims).sort(),
      Object.keys(header).sort(),
      lib.serializeSetCookie({ name: "a", value: "b" }),
      await code(() => verifier.verify(token, { now: later })),
      await code(() => lib.createVerifier({ keys, issuer: "https://issuer.example" })),
    ]));
  })();`;

describe("loaded after Object.prototype was polluted with names of options", () => {
  for (const [how, load] of [
    ["as an ES module", 'import("waxseal")'],
    ["from CommonJS", 'require("waxseal")'],
  ] as const) {
    test(`${how}, the package takes none of them`, () => {
      const program = PROGRAM.replace("LOAD", load);
      const printed = execFileSync(process.execPath, ["-e", program], { cwd: "target/packed", encoding: "utf8" });
      assert.deepEqual(JSON.parse(printed), [
        [],
        ["aud", "exp", "iat", "iss", "jti", "sub"],
        ["alg", "kid", "typ"],
        "a=b; Path=/; HttpOnly; Secure; SameSite=Lax",
        "ERR_TOKEN_EXPIRED",
        "ERR_OPTION_INVALID",
      ]);
    });
  }
});
