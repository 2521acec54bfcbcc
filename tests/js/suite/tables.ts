// Keys that adapt: what makes verification fast is made for keys in use alone, and its memory is bounded over all keys.

import { deepEqual, equal, ok, throws } from "../harness/assert.js";
import type { Library, Suite } from "../harness/types.js";
import { base64url } from "./support.js";
import type { Verifier } from "./support.js";

const DEFAULT_LIMIT = 1_048_576;

/** A verifier with a key of its own, a token that it accepts, and one with another signature. */
interface Ground {
  readonly verifier: Verifier;
  /** Imports the key once more. */
  readonly again: () => Promise<Verifier>;
  readonly token: string;
  readonly forged: string;
}

async function ground(lib: Library, algorithm: "ES256" | "RS256"): Promise<Ground> {
  const { publicKey, privateKey } = await lib.generateKeyPair(algorithm);
  const names = { issuer: "https://id.example", audience: "https://api.example" };
  const issuer = await lib.createIssuer({ key: privateKey, ...names, expiresIn: 3600 });
  const again = (): Promise<Verifier> => lib.createVerifier({ keys: publicKey, ...names });
  const token = await issuer.issue({ sub: "alice" });
  const [header, , signature] = token.split(".");
  return { verifier: await again(), again, token, forged: `${header}.${base64url('{"sub":"mallory"}')}.${signature}` };
}

function use(lib: Library, { verifier, token, forged }: Ground, times: number): void {
  for (let i = 0; i < times; i++) {
    equal(verifier.verify(token).claims.sub, "alice");
    throws(() => verifier.verify(forged), "ERR_SIGNATURE_INVALID");
    const { used, limit } = lib.tableMemory();
    ok(used <= limit, `${used} bytes of ${limit} are used`);
  }
}

export const tables: Suite = (h, lib) => {
  h.test("a P-256 key gets a table when it goes on being used, and not before", async () => {
    lib.tableMemory({ limit: 0 });
    deepEqual(lib.tableMemory({ limit: DEFAULT_LIMIT }), { limit: DEFAULT_LIMIT, used: 0, keys: 0 });
    const key = await ground(lib, "ES256");
    use(lib, key, 4);
    equal(lib.tableMemory().used, 0);
    use(lib, key, 60);
    const { used, keys } = lib.tableMemory();
    equal(keys, 1);
    ok(used > 250_000 && used < 500_000, `${used} bytes`);
    // Another verifier of the same key finds the table, and takes no memory of its own.
    key.verifier.dispose();
    use(lib, { ...key, verifier: await key.again() }, 20);
    deepEqual(lib.tableMemory(), { limit: DEFAULT_LIMIT, used, keys });
  });

  h.test("fifty keys of a JWK Set in turn take no more than the limit, and every verdict is right", async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => ground(lib, "ES256")));
    for (let round = 0; round < 12; round++) for (const key of keys) use(lib, key, 1);
    const { used, limit } = lib.tableMemory();
    ok(used <= limit);
    for (const { verifier } of keys) verifier.dispose();
  });

  h.test("RSA keys keep a little from their first token on", async () => {
    lib.tableMemory({ limit: 0 });
    lib.tableMemory({ limit: DEFAULT_LIMIT });
    use(lib, await ground(lib, "RS256"), 1);
    const { used, keys } = lib.tableMemory();
    equal(keys, 1);
    ok(used > 1000 && used < 30_000, `${used} bytes`);
  });

  h.test("without memory for tables everything verifies all the same", async () => {
    lib.tableMemory({ limit: 0 });
    try {
      for (const algorithm of ["ES256", "RS256"] as const) use(lib, await ground(lib, algorithm), 20);
      deepEqual(lib.tableMemory(), { limit: 0, used: 0, keys: 0 });
    } finally {
      lib.tableMemory({ limit: DEFAULT_LIMIT });
    }
  });

  h.test("a limit that is no whole number of bytes, or an unknown option, is refused and changes nothing", () => {
    for (const options of [{ limit: -1 }, { limit: 1.5 }, { limit: 2 ** 32 }, { limit: "1" }, { max: 1 }, 7]) {
      throws(() => lib.tableMemory(options as never), "ERR_OPTION_INVALID");
    }
    equal(lib.tableMemory().limit, DEFAULT_LIMIT);
  });
};
