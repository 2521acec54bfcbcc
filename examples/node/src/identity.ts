/**
 * REPLACE THIS FILE. It stands where your users' identity is checked, and knows a single account.
 *
 * A real one redirects to an identity provider, asks for a passkey, or compares a password hash made with Argon2id or
 * scrypt. Whichever it is, it answers with the subject of the session: an identifier that never changes, not an e-mail
 * address. Limiting how often somebody may try belongs in front of it.
 */

import { createHash, timingSafeEqual } from "node:crypto";

const DEMO_USERNAME = "ada";
const DEMO_SUBJECT = "user-1815";

/** The subject whose credentials these are, or null. */
export function identify(username: string, password: string, demoPassword: string): string | null {
  // Both are always compared, so that the time taken does not tell which of the two was wrong.
  const nameMatches = equalInConstantTime(username, DEMO_USERNAME);
  const passwordMatches = equalInConstantTime(password, demoPassword);
  return nameMatches && passwordMatches ? DEMO_SUBJECT : null;
}

/** Compares digests, because they have one length: comparing the texts would show how long the expected one is. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
