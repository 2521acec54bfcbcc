/**
 * REPLACE THIS FILE. It stands where your users' identity is checked, and knows two accounts with one password.
 *
 * A real one redirects to an identity provider, asks for a passkey, or looks the user up and compares a password hash
 * made with Argon2id or scrypt. Whichever it is, it answers with the subject of the session: an identifier that never
 * changes, not an e-mail address. Limiting how often somebody may try belongs in front of it.
 */

import { type Env, required } from "./config.js";

const SUBJECTS: ReadonlyMap<string, string> = new Map([
  ["ada", "user-1815"],
  ["grace", "user-1906"],
]);

/** The subject whose credentials these are, or null. */
export async function identify(username: string, password: string, env: Env): Promise<string | null> {
  const expected = required(env, "DEMO_PASSWORD", "npx wrangler secret put DEMO_PASSWORD");
  // Compared whoever it is, so that the time taken does not tell whether there is such a user.
  const passwordMatches = await equalInConstantTime(password, expected);
  return (passwordMatches && SUBJECTS.get(username)) || null;
}

/** Compares digests, because they have one length: comparing the texts would show how long the expected one is. */
async function equalInConstantTime(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
