/** `waxseal keys`: makes keys, and says or converts what there is of them. */
import { generateKeyPair, type JWK, publicJwks, publicJwk, thumbprint, toJwk, toPem } from "../entry/inline.js";
import { type Call, type Command, type Option, UsageError } from "./command.js";
import { named, print, writeText } from "./files.js";
import { CERTIFICATE, isPrivate, of, readKey, readKeys } from "./key-files.js";
import { compact, indented } from "./text.js";

const OUT: Readonly<Record<string, Option>> = {
  out: { value: "<file>", help: "write to a file, which must not exist; a private key gets mode 600" },
  force: { help: "let --out replace a file" },
};
const PRIVATE: Option = { help: "print the private key" };
const KID: Option = { value: "<name>", help: "the kid of the key; else its own, or its thumbprint" };

const generate: Command = {
  name: "keys generate",
  summary: "Makes a private key, with its public half in it",
  notes: ["It goes to a file (--out) or, if you say so, to the terminal or a pipe (--private)."],
  count: [0, 0],
  options: {
    alg: { value: "ES256|RS256", help: "the algorithm; ES256 unless given" },
    bits: { value: "2048|3072|4096", help: "the size of an RS256 key; 2048 unless given" },
    kid: KID,
    pem: { help: "PKCS#8 PEM, which has no kid, instead of a JWK" },
    ...OUT,
    private: PRIVATE,
  },
  examples: [
    "waxseal keys generate --out key.json",
    "waxseal keys generate --alg RS256 --bits 3072 --kid 2026-11 --out rsa.json",
    "waxseal keys generate --private | npx wrangler secret put ACCESS_KEY",
  ],
  async run(call) {
    const alg = call.word("alg", ["ES256", "RS256"]) ?? "ES256";
    const bits = call.word("bits", ["2048", "3072", "4096"]);
    if (bits !== undefined && alg === "ES256")
      throw new UsageError("--bits is for --alg RS256: ES256 keys have one size");
    if (call.flag("pem") && call.text("kid") !== undefined) throw new UsageError("--pem has no place for --kid");
    needsPlace(call, "this makes a private key");
    const options = bits === undefined ? {} : { modulusLength: Number(bits) as 2048 | 3072 | 4096 };
    const { publicKey, privateKey } = await generateKeyPair(alg, options);
    const kid = call.text("kid") ?? (privateKey.kid as string);
    const key: JWK = { ...privateKey, kid };
    const text = call.flag("pem") ? await toPem(key) : `${indented(key)}\n`;
    const out = call.text("out");
    if (out !== undefined) save(call, out, text, true);
    if (call.flag("json")) {
      const made = { alg, kid, publicKey: { ...publicKey, kid } };
      const secret = call.flag("private") ? (call.flag("pem") ? { privatePem: text } : { privateKey: key }) : {};
      print(compact({ ...made, ...secret, ...(out !== undefined && { file: out }) }));
    } else if (call.flag("private")) {
      process.stdout.write(text);
    } else if (out !== undefined) {
      const { bold, dim } = call.style;
      print(`${bold(named(out))}  the private key, ${alg}, mode 600: keep it secret`);
      print(`${dim("kid")}  ${kid}`);
      print(`${dim("its public half:")} waxseal keys public ${named(out)}`);
    }
    return 0;
  },
};

const public_: Command = {
  name: "keys public",
  summary: "Takes the public half of a key, private or public, as a JWK or SPKI PEM",
  notes: [CERTIFICATE],
  takes: "<file|->",
  count: [1, 1],
  options: { kid: KID, pem: { help: "SPKI PEM, which has no kid, instead of a JWK" }, ...OUT },
  examples: ["waxseal keys public key.json", "waxseal keys public key.json --pem --out public.pem"],
  async run(call) {
    const { name, key } = await readKey(call.parameters[0] as string);
    const own = await of(name, () => publicJwk(key));
    const jwk = { ...own, kid: call.text("kid") ?? (own.kid as string) };
    return printKey(call, jwk, call.flag("pem") ? await toPem(jwk) : undefined, false);
  },
};

const thumbprints: Command = {
  name: "keys thumbprint",
  summary: "Prints the RFC 7638 thumbprint of keys: the same for a private key and its public half",
  takes: "<file|->...",
  count: [1, 1000],
  options: {},
  examples: ["waxseal keys thumbprint key.json"],
  async run(call) {
    const rows = [];
    for (const source of call.parameters) {
      const { name, keys } = await readKeys(source);
      for (const key of keys) {
        const [{ kid, alg }, print] = await of(name, () => [publicJwk(key), thumbprint(key)] as const);
        rows.push({ file: source, kid, alg, thumbprint: print });
      }
    }
    if (call.flag("json")) print(compact({ keys: rows }));
    else if (rows.length === 1) print(rows[0]?.thumbprint as string);
    else for (const row of rows) print(`${row.thumbprint}  ${named(row.file)}  ${call.style.dim(`${row.alg}`)}`);
    return 0;
  },
};

const jwks: Command = {
  name: "keys jwks",
  summary: "Makes the JWK Set to publish: the public half of every key, with kid, use and alg",
  notes: ["Keys may be private or public, JWK or PEM. Each needs a kid of its own.", CERTIFICATE],
  takes: "<file|->...",
  count: [1, 1000],
  options: OUT,
  examples: ["waxseal keys jwks key.json", "waxseal keys jwks next.json key.json --out jwks.json"],
  async run(call) {
    const files = [];
    for (const source of call.parameters) files.push(await readKeys(source));
    for (const { name, keys } of files) await of(name, () => publicJwks(keys));
    const name = files.map((file) => file.name).join(", ");
    const set = await of(name, () => publicJwks(files.flatMap(({ keys }) => keys)));
    const out = call.text("out");
    if (out !== undefined) save(call, out, `${indented(set)}\n`, false);
    else print(call.flag("json") ? compact(set) : indented(set));
    return 0;
  },
};

const convert: Command = {
  name: "keys convert",
  summary: "Converts a key between JWK and PEM: SPKI for a public key, PKCS#8 for a private one",
  notes: [
    "A private key goes to a file (--out) or, if you say so, to the terminal or a pipe (--private).",
    "PEM has no place for a kid: on the way back it is the thumbprint, or --kid.",
    CERTIFICATE,
  ],
  takes: "<file|->",
  count: [1, 1],
  options: {
    to: { value: "jwk|pem", help: "what to convert to; the other form unless given" },
    kid: { ...KID, help: "the kid of a JWK; else its own, or its thumbprint" },
    ...OUT,
    private: PRIVATE,
  },
  examples: [
    "waxseal keys convert key.json --out key.pem",
    "waxseal keys convert key.pem --kid 2026-11 --out same-key.json",
    "waxseal keys convert public.pem",
  ],
  async run(call) {
    const { name, key } = await readKey(call.parameters[0] as string);
    const to = call.word("to", ["jwk", "pem"]) ?? (typeof key === "string" ? "jwk" : "pem");
    if (to === "pem" && call.text("kid") !== undefined) throw new UsageError("PEM has no place for --kid");
    const secret = isPrivate(key);
    if (secret) needsPlace(call, `${name}: a private key`, "; for its public half: waxseal keys public");
    const jwk = await of(name, async () =>
      typeof key === "string" ? await toJwk(key) : { ...publicJwk(key), ...key },
    );
    const kid = call.text("kid") ?? (jwk.kid as string);
    const pem = to === "pem" ? await of(name, () => toPem(jwk)) : undefined;
    return printKey(call, { ...jwk, kid }, pem, secret);
  },
};

export const KEYS: readonly Command[] = [generate, public_, thumbprints, jwks, convert];

/** A private key is printed when that is asked for, and else must be told where to go. */
function needsPlace(call: Call, what: string, otherwise = ""): void {
  if (call.text("out") !== undefined || call.flag("private")) return;
  throw new UsageError(`${what}: say where it goes, --out <file>, or --private to print it${otherwise}`);
}

/** Writes or prints one key, as a JWK or, where there is one, as PEM. */
function printKey(call: Call, jwk: JWK, pem: string | undefined, secret: boolean): number {
  const out = call.text("out");
  const text = pem ?? `${indented(jwk)}\n`;
  if (out !== undefined) save(call, out, text, secret);
  if (out !== undefined && !(secret && call.flag("private"))) return 0;
  if (call.flag("json")) print(compact(pem === undefined ? jwk : { pem }));
  else process.stdout.write(text);
  return 0;
}

function save(call: Call, file: string, text: string, secret: boolean): void {
  writeText(file, text, { secret, force: call.flag("force") });
}
