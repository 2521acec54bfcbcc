// Models: the same decisions written a second time, plainly and in JavaScript, and compared on thousands of random
// cases that are the same in each run.

import { deepEqual, equal, ok } from "../harness/assert.js";
import type { Suite } from "../harness/types.js";
import { NOW, claims, ec, makeVerifier, seeded, signed } from "./support.js";
import type { Json } from "./support.js";

type Picker = <T>(list: readonly T[]) => T;

interface Policy {
  issuer: string | string[] | null;
  audience: string | string[] | null;
  subject: string | undefined;
  clockTolerance: number | undefined;
  maxTokenAge: number | undefined;
  requiredClaims: string[] | undefined;
  claims: Record<string, Json> | undefined;
}

type Claims = Record<string, Json>;
type Verdict = [code: string, claim: string] | undefined;

const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** RFC 7519 section 4.1 and the options of a verifier, as one reads them. */
function judge(token: Claims, policy: Policy, now: number): Verdict {
  const has = (name: string): boolean => Object.hasOwn(token, name);
  // In the order in which they stand: the first claim of a wrong type is the one that is named.
  for (const [name, value] of Object.entries(token)) {
    const typed =
      name === "exp" || name === "nbf" || name === "iat"
        ? typeof value === "number" && value <= 253_402_300_799
        : name === "iss" || name === "sub" || name === "jti"
          ? typeof value === "string"
          : name !== "aud" || (value !== null && list(value).every((each) => typeof each === "string"));
    if (!typed) return ["ERR_CLAIM_INVALID", name];
  }
  const { exp, nbf, iat } = token as { exp?: number; nbf?: number; iat?: number };
  const tolerance = policy.clockTolerance ?? 0;
  if (exp === undefined) return ["ERR_CLAIM_MISSING", "exp"];
  if (now >= exp + tolerance) return ["ERR_TOKEN_EXPIRED", "exp"];
  if (nbf !== undefined && now < nbf - tolerance) return ["ERR_TOKEN_NOT_YET_VALID", "nbf"];
  if (iat !== undefined && iat > now + tolerance) return ["ERR_TOKEN_ISSUED_IN_FUTURE", "iat"];
  if (policy.maxTokenAge !== undefined) {
    if (iat === undefined) return ["ERR_CLAIM_MISSING", "iat"];
    if (now - iat > policy.maxTokenAge + tolerance) return ["ERR_TOKEN_TOO_OLD", "iat"];
  }
  if (policy.issuer !== null) {
    if (!has("iss")) return ["ERR_CLAIM_MISSING", "iss"];
    if (!list(policy.issuer).includes(token["iss"] as string)) return ["ERR_ISSUER_MISMATCH", "iss"];
  }
  if (policy.audience !== null) {
    if (!has("aud")) return ["ERR_CLAIM_MISSING", "aud"];
    if (!list(token["aud"]).some((each) => list(policy.audience).includes(each)))
      return ["ERR_AUDIENCE_MISMATCH", "aud"];
  }
  if (policy.subject !== undefined) {
    if (!has("sub")) return ["ERR_CLAIM_MISSING", "sub"];
    if (token["sub"] !== policy.subject) return ["ERR_CLAIM_MISMATCH", "sub"];
  }
  const missing = policy.requiredClaims?.find((name) => !has(name));
  if (missing !== undefined) return ["ERR_CLAIM_MISSING", missing];
  for (const [name, expected] of Object.entries(policy.claims ?? {})) {
    if (!has(name)) return ["ERR_CLAIM_MISSING", name];
    if (JSON.stringify(token[name]) !== JSON.stringify(expected)) return ["ERR_CLAIM_MISMATCH", name];
  }
  return undefined;
}

function randomPolicy(pick: Picker): Policy {
  return {
    issuer: pick([null, null, "i", ["i", "j"], "j"]),
    audience: pick([null, null, "a", ["a", "b"], "b"]),
    subject: pick([undefined, undefined, undefined, "s", "t"]),
    clockTolerance: pick([undefined, 0, 5, 300]),
    maxTokenAge: pick([undefined, undefined, undefined, 10, 60]),
    requiredClaims: pick([undefined, undefined, [], ["jti"], ["x", "jti"], ["constructor"]]),
    claims: pick([undefined, undefined, {}, { x: 1 }, { x: null }, { x: [1, "a"] }, { y: { z: true } }]),
  };
}

function randomClaims(pick: Picker, random: () => number): Claims {
  const near = (): number =>
    NOW + pick([-301, -300, -299, -61, -60, -11, -10, -5, -1, -0.5, 0, 0.5, 1, 5, 6, 300, 301, 9e6]);
  const odd = (value: Json): Json =>
    random() < 0.02 ? pick<Json>([null, true, "x", [], {}, [1], 1e15, NOW * 1000]) : value;
  const members: [string, Json][] = [];
  const maybe = (name: string, chance: number, value: () => Json): void => {
    if (random() < chance) members.push([name, odd(value())]);
  };
  maybe("iss", 0.9, () => pick(["i", "j", "k", ""]));
  maybe("exp", 0.97, () => (random() < 0.7 ? NOW + 600 : near()));
  maybe("nbf", 0.3, near);
  maybe("iat", 0.8, () => (random() < 0.6 ? NOW - 8 : near()));
  maybe("aud", 0.9, () => pick<Json>(["a", "b", "c", ["a"], ["c", "b"], [], ["c"]]));
  maybe("sub", 0.9, () => pick(["s", "t", ""]));
  maybe("jti", 0.8, () => "id");
  maybe("x", 0.6, () => pick<Json>([1, null, [1, "a"], ["a", 1], "1", 2]));
  maybe("y", 0.5, () => pick<Json>([{ z: true }, { z: false }, {}, [true]]));
  return Object.fromEntries(members);
}

/** What a browser keeps of a Set-Cookie header: RFC 6265bis sections 5.6 and 5.7, for a request to https://host.example. */
function stored(header: string): Record<string, unknown> | undefined {
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(header)) return undefined;
  const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
  const [pair, ...attributes] = header.split(";");
  const equals = (pair as string).indexOf("=");
  const name = trim((pair as string).slice(0, Math.max(equals, 0)));
  const value = trim((pair as string).slice(equals + 1));
  if (name.length + value.length > 4096 || (name === "" && value === "")) return undefined;
  const cookie: Record<string, unknown> = { name, value, secure: false, httpOnly: false, partitioned: false };
  for (const attribute of attributes) {
    const at = attribute.includes("=") ? attribute.indexOf("=") : attribute.length;
    const [key, text] = [trim(attribute.slice(0, at)).toLowerCase(), trim(attribute.slice(at + 1))];
    if (text.length > 1024) continue;
    if (key === "secure") cookie["secure"] = true;
    if (key === "httponly") cookie["httpOnly"] = true;
    if (key === "partitioned") cookie["partitioned"] = true;
    if (key === "path" && text.startsWith("/")) cookie["path"] = text;
    if (key === "domain" && text !== "") cookie["domain"] = text.replace(/^\./, "").toLowerCase();
    if (key === "samesite") cookie["sameSite"] = text.toLowerCase();
    if (key === "max-age" && /^-?[0-9]+$/.test(text)) cookie["maxAge"] = Math.min(Number(text), 34_560_000);
    if (key === "expires" && Number.isFinite(Date.parse(text))) cookie["expires"] = Date.parse(text) / 1000;
  }
  const lower = name.toLowerCase();
  const { secure, path, domain, sameSite, partitioned, httpOnly } = cookie;
  if ((sameSite === "none" || partitioned) && !secure) return undefined;
  if (lower.startsWith("__secure-") && !secure) return undefined;
  if (lower.startsWith("__host-") && !(secure && path === "/" && domain === undefined)) return undefined;
  if ((lower.startsWith("__http-") || lower.startsWith("__host-http-")) && !(secure && httpOnly)) return undefined;
  return cookie;
}

export const models: Suite = (h, lib) => {
  h.test(
    "two thousand random tokens under sixty random policies are judged as a second writing of the rules says",
    async () => {
      const random = seeded(11);
      const pick: Picker = (choices) => choices[Math.floor(random() * choices.length)] as (typeof choices)[number];
      const keys = await ec();
      const seen = new Map<string, number>();
      for (let p = 0; p < 60; p++) {
        const policy = randomPolicy(pick);
        const verifier = await makeVerifier(lib, policy);
        for (let i = 0; i < 34; i++) {
          const token = randomClaims(pick, random);
          const expected = judge(token, policy, NOW);
          let found: Verdict;
          try {
            deepEqual(verifier.verify(await signed(keys, token)).claims, token);
          } catch (error) {
            if (!(error instanceof lib.WaxsealError)) throw error;
            found = [error.code, error.claim ?? ""];
          }
          deepEqual(found, expected, `${JSON.stringify(token)} under ${JSON.stringify(policy)}`);
          seen.set(expected?.[0] ?? "accepted", (seen.get(expected?.[0] ?? "accepted") ?? 0) + 1);
        }
        verifier.dispose();
      }
      // A comparison that met few of the outcomes would prove little.
      ok((seen.get("accepted") ?? 0) > 100 && seen.size >= 10, JSON.stringify([...seen]));
    },
  );

  h.test("a token is accepted exactly between nbf and exp, to the half second", async () => {
    const verifier = await makeVerifier(lib);
    const token = await signed(await ec(), claims({ iat: NOW - 100, nbf: NOW, exp: NOW + 10 }));
    for (let now = NOW - 5; now < NOW + 15; now += 0.5) {
      let accepted = true;
      try {
        verifier.verify(token, { now });
      } catch {
        accepted = false;
      }
      equal(accepted, now >= NOW && now < NOW + 10, String(now));
    }
  });

  h.test("five thousand random Cookie headers are read as a second writing of the grammar reads them", async () => {
    await lib.init();
    const random = seeded(12);
    const alphabet = ["a", "b", "=", ";", " ", "\t", "; ", "=", "a=1", '"', ",", "é", "\u00a0", "__Host-x", "\0", "\r"];
    for (let round = 0; round < 5000; round++) {
      const length = Math.floor(random() * 14);
      const header = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
      const pairs = header
        .split(";")
        .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""))
        .filter((part) => part !== "")
        .map((part) => {
          const at = part.indexOf("=");
          return at < 0 ? ["", part] : [part.slice(0, at), part.slice(at + 1)];
        });
      const names = pairs.map(([name]) => name as string);
      const duplicates = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].sort();
      const found = lib.parseCookie(header);
      deepEqual(found.pairs, pairs, JSON.stringify(header));
      deepEqual([...found.duplicates].sort(), duplicates, JSON.stringify(header));
    }
  });

  h.test(
    "of ten thousand random cookies, each that is written is stored by a browser with all of its attributes",
    async () => {
      await lib.init();
      const random = seeded(13);
      const pick: Picker = (choices) => choices[Math.floor(random() * choices.length)] as (typeof choices)[number];
      let written = 0;
      for (let round = 0; round < 10_000; round++) {
        const options = {
          name: pick([
            "a",
            "__Host-a",
            "__host-a",
            "__Secure-a",
            "__SECURE-a",
            "__Http-a",
            "__Host-Http-a",
            "a b",
            "a=b",
            "",
            "é",
            "$x",
          ]),
          value: pick(["", "v", "a=b", "a;b", " v", "v ", '"v"', "v\n", "é", "v".repeat(4095), "v".repeat(4096)]),
          httpOnly: pick([undefined, true, false]),
          secure: pick([undefined, true, false]),
          sameSite: pick([undefined, null, "Strict", "Lax", "None"] as const),
          path: pick([undefined, null, "/", "/a", "a", "/a;b", `/${"p".repeat(1023)}`, `/${"p".repeat(1024)}`]),
          domain: pick([undefined, undefined, "host.example", ".host.example", "HOST.example", "a b"]),
          maxAge: pick([undefined, undefined, 0, 60, 34_560_000, 34_560_001]),
          expires: pick([undefined, undefined, 0, NOW, new Date(NOW * 1000)]),
          partitioned: pick([undefined, true, false]),
          priority: pick([undefined, "High"] as const),
        };
        let header: string;
        try {
          header = lib.serializeSetCookie(options as never);
        } catch (error) {
          ok(error instanceof lib.WaxsealError && error.code.startsWith("ERR_COOKIE_"), String(error));
          continue;
        }
        written += 1;
        const expected: Record<string, unknown> = {
          name: options.name,
          value: options.value,
          secure: options.secure ?? true,
          httpOnly: options.httpOnly ?? true,
          partitioned: options.partitioned ?? false,
        };
        if (options.sameSite !== null) expected["sameSite"] = (options.sameSite ?? "Lax").toLowerCase();
        if (options.path !== null) expected["path"] = options.path ?? "/";
        if (options.domain !== undefined) expected["domain"] = options.domain.toLowerCase();
        if (options.maxAge !== undefined) expected["maxAge"] = options.maxAge;
        if (options.expires !== undefined) expected["expires"] = options.expires === 0 ? 0 : NOW;
        const kept = stored(header) ?? {};
        deepEqual(sorted(kept), sorted(expected), header.slice(0, 200));
      }
      ok(written > 200, `${written} were written`);
    },
  );
};

function sorted(members: Record<string, unknown>): [string, unknown][] {
  return Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
}
