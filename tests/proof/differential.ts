/**
 * `make proof`, its part on the whole verifier: the package and `jose` with the same keys and the same policy, over tokens
 * that differ from a valid one in their text, in their JSON, or in their signature. `WAXSEAL_DIFFERENTIAL_CASES` (200,000)
 * says how many, `WAXSEAL_PROOF_SEED` which. What we accept, jose accepts, with the same claims; what we refuse and it
 * accepts is refused by a rule of `STRICTER`. It prints how many came out how.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type CryptoKey, importJWK, type JWK, jwtVerify } from "jose";
import { createVerifier, WaxsealError } from "waxseal";
import { Random, toBytes, toInteger } from "./random.js";

const CASES = Number(process.env["WAXSEAL_DIFFERENTIAL_CASES"] ?? 200_000);
const SEED = process.env["WAXSEAL_PROOF_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));

const ISSUER = "https://issuer.example";
const AUDIENCE = "api";
const NOW = 1_700_000_000;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Codes of refusals that jose need not share, with the rule behind each. */
const STRICTER: Record<string, string> = {
  ERR_TOKEN_TOO_LARGE: "a token has at most 8192 bytes",
  ERR_TOKEN_MALFORMED: "base64url has one spelling for every byte string (RFC 4648 section 3.5)",
  ERR_HEADER_INVALID: "a header is strict JSON, and what it says of crit, b64, kid and typ is well-formed",
  ERR_HEADER_CRITICAL: "b64 is never false, be it critical or not",
  ERR_TOKEN_TYPE: "a refresh token is for its one endpoint",
  ERR_KEY_NOT_FOUND: "a kid names one of the keys",
  ERR_CLAIMS_INVALID:
    "a claims set is strict JSON: no duplicate, no half of a surrogate pair, nothing nested deeper than 32",
  ERR_CLAIM_INVALID: "registered claims have their types, and no time is after the year 9999",
  ERR_TOKEN_ISSUED_IN_FUTURE: "a token is not issued in the future",
};

/** Whether a refusal that jose does not share has its reason in the token itself. */
function isStricter(code: string, token: string): boolean {
  if (code === "ERR_TOKEN_MALFORMED") {
    return token.split(".").some((text) => Buffer.from(text, "base64url").toString("base64url") !== text);
  }
  return code in STRICTER;
}

const VALUES = [
  ..."null true 0 -0 -1 1e3 1e400 1.5 1699999999 1700000000 1700000000.5 1.7e9 17E8 1700000001 1800000000".split(" "),
  ...'1800000000000 18446744073709551616 01 1. +1 "1800000000" "" "ES256" "RS256" "es256" "none" "HS256"'.split(" "),
  ...'"PS256" "JWT" "rt+jwt" "https://issuer.example" "https:\\/\\/issuer.\\u0065xample" "api" ["api"]'.split(" "),
  ...'["https://issuer.example"] ["x","api"] [["api"]] ["api",1] {"a":{"a":1}} ["x"] ["b64"] false "\\ud800"'.split(
    " ",
  ),
  "[".repeat(40) + "]".repeat(40),
  `"${"x".repeat(9000)}"`,
];
const HEADER_NAMES = ["alg", "alg", "typ", "kid", "crit", "b64", "x", "jku", "jwk", "x5c", "x5u", "cty", "\\u0061lg"];
const CLAIM_NAMES = ["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "x", "\\u0065xp", "__proto__", "", "aud"];

type Members = [name: string, value: string][];

/** Changes one member, adds one, or takes one away. */
function mutate(members: Members, names: readonly string[], random: Random): void {
  const [name, value, place] = [random.pick(names), random.pick(VALUES), random.below(members.length + 1)];
  const member = members.find(([other]) => other === name);
  const kind = random.below(4);
  if (kind === 0) members.splice(place, 0, [name, value]);
  else if (kind === 1) members.splice(place, 1);
  else if (member) member[1] = value;
  else members.push([name, value]);
}

/** Writes an object, now and then with white space or something that does not belong there. */
function write(members: Members, random: Random): Buffer {
  const text = `{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
  const bytes = Buffer.from(text);
  switch (random.below(120)) {
    case 0:
      return Buffer.from(` \n${text}\t\r`);
    case 1:
      return Buffer.from(`\ufeff${text}`);
    case 2:
      return Buffer.from(`[${text}]`);
    case 3:
      return Buffer.from(text + text);
    case 4:
      return Buffer.from(text.replaceAll(":", " : "));
    case 5:
      return Buffer.from(text.replaceAll("}", ",}"));
    case 6:
      return Buffer.concat([bytes, Buffer.from([0xff])]);
    case 7:
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    default:
      return bytes;
  }
}

/** Spells a signature otherwise, or breaks it. */
function resign(signature: Buffer, random: Random): Buffer {
  const at = random.below(2) * 32;
  const number = toInteger(signature.subarray(at, at + 32));
  const put = (value: bigint): Buffer => {
    toBytes(value % 2n ** 256n, 32).copy(signature, at);
    return signature;
  };
  switch (random.below(9)) {
    case 0:
    case 1:
      // Of r this is another number, and of s the other valid one.
      return put(ORDER > number ? ORDER - number : number);
    case 2:
      return put(number + ORDER);
    case 3:
      return put(0n);
    case 4:
      return put(ORDER);
    case 5:
      return put((number + 1n) % ORDER);
    case 6:
      return Buffer.concat([signature, random.bytes(1)]);
    case 7:
      return signature.subarray(0, -1);
    default:
      signature[random.below(signature.length)]! ^= 1 + random.below(255);
      return signature;
  }
}

/** Spells a token otherwise, or breaks it. */
function respell(token: string, random: Random): string {
  const end = random.pick([token.indexOf("."), token.lastIndexOf("."), token.length]);
  const [head, tail] = [token.slice(0, end), token.slice(end)];
  switch (random.below(80)) {
    case 0:
      return `${head}=${tail}`;
    case 1:
      return `${head}==${tail}`;
    case 2:
      return `${head}\n${tail}`;
    case 3:
      return `${head}.${tail}`;
    case 4:
      return `${head}A${tail}`;
    case 5:
      return ` ${token}`;
    case 6:
      return token.replaceAll("-", "+").replaceAll("_", "/");
    case 7:
    case 8:
      // The bits beyond the last whole byte.
      return head.slice(0, -1) + String.fromCharCode(head.charCodeAt(head.length - 1) + 1) + tail;
    case 9:
      return tail;
    case 10:
      return head;
    case 11: {
      const at = random.below(token.length);
      return token.slice(0, at) + String.fromCharCode(0x20 + random.below(0x5f)) + token.slice(at + 1);
    }
    default:
      return token;
  }
}

interface Signers {
  readonly ES256: KeyObject;
  readonly RS256: KeyObject;
}

/** A valid token with anything wrong, or with nothing. */
function makeToken(keys: Signers, random: Random): string {
  const alg = random.below(8) === 0 ? "RS256" : "ES256";
  const header: Members = [
    ["alg", `"${alg}"`],
    ["typ", '"JWT"'],
  ];
  const claims: Members = [
    ["iss", `"${ISSUER}"`],
    ["aud", `"${AUDIENCE}"`],
    ["exp", `${NOW + 900}`],
    ["iat", `${NOW}`],
  ];
  for (let count = random.pick([0, 0, 0, 1, 1, 2]); count > 0; count--) mutate(header, HEADER_NAMES, random);
  for (let count = random.pick([0, 1, 1, 2, 3]); count > 0; count--) mutate(claims, CLAIM_NAMES, random);
  const input = [header, claims].map((members) => write(members, random).toString("base64url")).join(".");
  let signature: Buffer = sign("sha256", Buffer.from(input), { key: keys[alg], dsaEncoding: "ieee-p1363" });
  if (random.below(5) === 0) signature = resign(signature, random);
  return respell(`${input}.${signature.toString("base64url")}`, random);
}

/** A P-256 key that the seed determines; signatures have nonces of OpenSSL's, so a seed gives the tokens, and not their last part. */
function ecKey(random: Random): KeyObject {
  const d = toBytes((random.integer(256) % (ORDER - 1n)) + 1n, 32);
  // RFC 5958 section 2 around RFC 5915 section 3, without the public key.
  const der = Buffer.concat([
    Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex"),
    d,
  ]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

async function main(): Promise<boolean> {
  const random = new Random(SEED);
  const signers: Signers = {
    ES256: ecKey(random),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  };
  const publicJwk = (key: KeyObject): JWK => createPublicKey(key).export({ format: "jwk" });
  const [ec, rsa] = [publicJwk(signers.ES256), publicJwk(signers.RS256)];
  const verifier = await createVerifier({
    keys: { keys: [ec, rsa] } as never,
    issuer: ISSUER,
    audience: AUDIENCE,
    crit: ["x"],
    clock: () => NOW,
  });
  const known: Record<string, CryptoKey> = {
    ES256: (await importJWK(ec, "ES256")) as CryptoKey,
    RS256: (await importJWK(rsa, "RS256")) as CryptoKey,
  };
  const reference = async (token: string): Promise<unknown> => {
    const choose = ({ alg }: { alg?: unknown }): CryptoKey => {
      const key = known[String(alg)];
      if (!key) throw new Error("no key");
      return key;
    };
    const { payload } = await jwtVerify(token, choose, {
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ["ES256", "RS256"],
      requiredClaims: ["exp"],
      crit: { x: true },
      currentDate: new Date(NOW * 1000),
    });
    return payload;
  };

  const counts = new Map<string, number>();
  const failures: string[] = [];
  for (let number = 0; number < CASES && failures.length < 10; number++) {
    const token = makeToken(signers, random);
    let ours: unknown;
    let code: string | undefined;
    try {
      ours = verifier.verify(token).claims;
    } catch (error) {
      if (!(error instanceof WaxsealError)) throw error;
      code = error.code;
    }
    const theirs = await reference(token).catch(() => undefined);
    let how: string;
    if (code === undefined) {
      how = theirs === undefined ? "jose refuses" : "both accept";
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) failures.push(`${how}, claims differ: ${token}`);
    } else {
      how = theirs === undefined ? `both refuse  ${code}` : `jose accepts ${code}: ${STRICTER[code]}`;
      if (theirs !== undefined && !isStricter(code, token)) failures.push(`${how}: ${token}`);
    }
    counts.set(how, (counts.get(how) ?? 0) + 1);
  }
  console.log(`differential: seed ${SEED}, ${CASES} tokens`);
  for (const how of [...counts.keys()].sort()) console.log(`${String(counts.get(how)).padStart(9)}  ${how}`);
  for (const failure of failures) console.log(`differential: ${failure}`);
  if (!counts.has("both accept")) failures.push("nothing was accepted");
  return failures.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
