/** `waxseal token`: verifies and issues tokens; token-explain.ts explains them. */
import { createIssuer, createVerifier, decodeUnverified, type IssueClaims, WaxsealError } from "../entry/inline.js";
import { type Call, type Command, shown, UsageError } from "./command.js";
import { named, print, readText } from "./files.js";
import { isPrivate, of, parseJson, readKey, readVerifyingKeys } from "./key-files.js";
import { compact, indented, printable } from "./text.js";
import { explainToken } from "./token-explain.js";
import { POLICY, policy, readToken, TOKEN, VISIBLE } from "./token-input.js";

const verify: Command = {
  name: "token verify",
  summary: "Verifies a token and prints its claims, or refuses it with exit code 1",
  notes: [
    "--issuer and --audience must be given, or --any-issuer and --any-audience to say that they do not matter.",
    VISIBLE,
  ],
  takes: TOKEN,
  count: [1, 1],
  options: {
    ...POLICY,
    "any-issuer": { help: "check no issuer" },
    "any-audience": { help: "check no audience" },
    "max-age": { value: "<duration>", help: "how long ago it may have been issued" },
  },
  examples: [
    "waxseal token verify token.jwt --jwks jwks.json --issuer https://id.example --audience https://api.example",
    "waxseal token verify token.jwt --jwks public.pem --any-issuer --any-audience --json",
  ],
  async run(call) {
    for (const name of ["issuer", "audience"]) {
      const given = name === "issuer" ? call.text(name) !== undefined : call.texts(name).length > 0;
      if (given === call.flag(`any-${name}`)) {
        throw new UsageError(`give either --${name} or --any-${name}; see waxseal token verify --help`);
      }
    }
    const sources = call.texts("jwks");
    if (sources.length === 0)
      throw new UsageError("--jwks is missing: the issuer's public keys, a file or an https URL");
    const token = await readToken(call);
    const keys = (await readVerifyingKeys(sources)).sources;
    const maxTokenAge = call.seconds("max-age");
    const verifier = await createVerifier({ ...policy(call), keys, ...(maxTokenAge !== undefined && { maxTokenAge }) });
    const now = call.time("at");
    try {
      const { header, claims } = verifier.verify(token, now === undefined ? undefined : { now });
      print(call.flag("json") ? compact({ valid: true, header, claims }) : indented(claims));
      return 0;
    } catch (error) {
      if (!(error instanceof WaxsealError)) throw error;
      const { code, message, claim, reason } = error;
      if (call.flag("json")) {
        const details = {
          code,
          message,
          ...(claim !== undefined && { claim }),
          ...(reason !== undefined && { reason }),
        };
        print(compact({ valid: false, error: details }));
      } else {
        process.stderr.write(`waxseal: refused: ${printable(message)} (${code})\n`);
      }
      return 1;
    }
  },
};

const issue: Command = {
  name: "token issue",
  summary: "Issues a token, signed with a private key",
  notes: ["iat, exp and jti are set. A claim is text (role=admin) or, with :=, JSON (roles:='[\"admin\"]')."],
  count: [0, 0],
  options: {
    key: { value: "<file|->", help: "the private key: a JWK or PKCS#8 PEM" },
    issuer: { value: "<iss>", help: "who issues it" },
    audience: { value: "<aud>", many: true, help: "whom it is for" },
    subject: { value: "<sub>", help: "whom it is about" },
    claim: { value: "<name=text>", many: true, help: "a claim; name:=json for other values" },
    claims: { value: "<file|->", help: "claims as a JSON object" },
    "expires-in": { value: "<duration>", help: "how long it lives; 15m unless given" },
    typ: { value: "<typ>", help: "the typ of the header; JWT unless given" },
    kid: { value: "<name>", help: "the kid of the header; else the key's own, or its thumbprint" },
    at: { value: "<time>", help: "issue as of this time instead of now" },
  },
  examples: [
    "waxseal token issue --key key.json --issuer https://id.example --audience https://api.example --subject alice",
    "waxseal token issue --key key.json --issuer me --audience you --claim role=admin --claim 'level:=3' --expires-in 1h",
  ],
  async run(call) {
    const [source, issuer, audience] = [call.text("key"), call.text("issuer"), call.texts("audience")];
    if (source === undefined) throw new UsageError("--key is missing: a private key, a JWK or PKCS#8 PEM");
    if (issuer === undefined) throw new UsageError("--issuer is missing: it becomes the claim iss");
    if (audience.length === 0) throw new UsageError("--audience is missing: it becomes the claim aud");
    const claims = await claimsOf(call);
    const { name, key } = await readKey(source);
    if (!isPrivate(key)) throw new UsageError(`${name}: a public key, and a private one is needed to sign`);
    const plain = { kid: call.text("kid"), typ: call.text("typ"), expiresIn: call.seconds("expires-in") };
    const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
    const signer = await of(name, () => createIssuer({ key, issuer, audience, ...given }));
    const now = call.time("at");
    const token = await signer.issue(claims, now === undefined ? undefined : { now });
    print(call.flag("json") ? compact({ token, ...decodeUnverified(token) }) : token);
    return 0;
  },
};

export const TOKENS: readonly Command[] = [explainToken, verify, issue];

/** The claims of all options together; a name may stand once. */
async function claimsOf(call: Call): Promise<IssueClaims> {
  const file = call.text("claims");
  const claims = new Map<string, unknown>();
  const add = (name: string, value: unknown): void => {
    if (claims.has(name)) throw new UsageError(`the claim ${shown(name)} is given twice`);
    claims.set(name, value);
  };
  if (file !== undefined) {
    const json = parseJson(named(file), await readText(file));
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new UsageError(`${named(file)}: not a JSON object`);
    }
    for (const [name, value] of Object.entries(json)) add(name, value);
  }
  const subject = call.text("subject");
  if (subject !== undefined) add("sub", subject);
  for (const text of call.texts("claim")) {
    const [, name = "", json, value = ""] = /^([^=]*?)(:?)=(.*)$/s.exec(text) ?? [];
    if (name === "") throw new UsageError("--claim must be name=text, or name:=json");
    add(name, json === ":" ? parseJson(`--claim ${printable(name)}`, value) : value);
  }
  return Object.fromEntries(claims) as IssueClaims;
}
