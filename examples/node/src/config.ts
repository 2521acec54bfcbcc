/** Settings from the environment. Secrets are demanded in production, and made up for development. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateKeyPair, type JWK } from "waxseal";

/** Of each list of private JWKs the first signs, and all verify. */
export interface Secrets {
  accessKeys: JWK[];
  refreshKeys: JWK[];
  demoPassword: string;
}

const { env } = process;

export const PORT = Number(env.PORT ?? 8080);
export const HOST = env.HOST ?? "127.0.0.1";
export const METRICS_PORT = Number(env.METRICS_PORT ?? 9464);
/** The address under which browsers know the server: issuer, audience and only origin. Never taken from `Host`. */
export const ORIGIN = env.ORIGIN ?? `http://localhost:${PORT}`;
/** Cookies without `Secure`, for Safari on http://localhost; other browsers trust that name. */
export const INSECURE_COOKIES = env.INSECURE_COOKIES === "1";
/** The directory of the database. */
export const DATA = env.DATA ?? "data";

export async function readSecrets(): Promise<Secrets> {
  const text = env.SECRETS ?? (await developmentSecrets(join(DATA, "development.json")));
  try {
    return JSON.parse(text) as Secrets;
  } catch {
    // The parser's own message quotes its input, which here is private keys.
    throw new Error("The secrets are not JSON.");
  }
}

/** Made once and kept, so that a restart signs nobody out. */
async function developmentSecrets(file: string): Promise<string> {
  if (env.NODE_ENV === "production") throw new Error("Set SECRETS; README.md says to what.");
  if (!existsSync(file)) {
    const keys = async (): Promise<JWK[]> => [(await generateKeyPair("ES256")).privateKey];
    const demoPassword = randomBytes(12).toString("base64url");
    const secrets: Secrets = { accessKeys: await keys(), refreshKeys: await keys(), demoPassword };
    mkdirSync(DATA, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  }
  console.log(`Keys, and the password of "ada", are in ${file}.`);
  return readFileSync(file, "utf8");
}
