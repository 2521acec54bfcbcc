// What a refusal means, in a few words for the verdict, what a developer can do about it, and the field of this page to
// look at, where one can help.

export interface Advice {
  title: string;
  text: string;
  field?: string;
}

const ADVICE: Record<string, Advice> = {
  ERR_TOKEN_TOO_LARGE: {
    title: "Too large",
    text: "Put fewer claims into the token, or raise maxTokenLength where it is verified.",
  },
  ERR_TOKEN_MALFORMED: {
    title: "Not a signed token",
    text: "Copy the token again in full: three parts with a full stop between them, no quotes, no line breaks.",
    field: "token-text",
  },
  ERR_HEADER_INVALID: {
    title: "An unusable header",
    text: "Look at the software that issues the token; no verifier should accept this header.",
  },
  ERR_HEADER_CRITICAL: {
    title: "An extension nobody allowed",
    text: "If you do understand the extension, name it in the crit option of your verifier.",
  },
  ERR_TOKEN_TYPE: {
    title: "Another type of token",
    text: "Another kind of token than the one you ask for, say an ID token.",
    field: "typ",
  },
  ERR_ALGORITHM_NOT_ALLOWED: {
    title: "The wrong algorithm",
    text: "The key decides the algorithm, and here the token claims another one. Take it for a forgery until you know better.",
    field: "key-text",
  },
  ERR_KEY_NOT_FOUND: {
    title: "No key fits",
    text: "The issuer may have rotated its keys: fetch its JWK Set again. Or the token is from somewhere else.",
    field: "key-text",
  },
  ERR_KEY_AMBIGUOUS: {
    title: "More than one key fits",
    text: "Give every key of the set its own kid, or leave only the right one.",
    field: "key-text",
  },
  ERR_SIGNATURE_INVALID: {
    title: "The seal is broken",
    text: "Do not trust its claims. If the token is genuine, compare the key with the one its issuer publishes now.",
    field: "key-text",
  },
  ERR_CLAIMS_INVALID: {
    title: "Unusable claims",
    text: "Look at the software that issues the token: the payload must be one JSON object.",
  },
  ERR_CLAIM_INVALID: {
    title: "An unusable claim",
    text: "Look at the software that issues the token: times are numbers of seconds, names are strings.",
  },
  ERR_CLAIM_MISSING: {
    title: "A claim is missing",
    text: "Have the issuer add the claim, or do not require it.",
  },
  ERR_TOKEN_EXPIRED: {
    title: "Expired",
    text: "If two clocks differ by a little, a tolerance helps.",
    field: "tolerance",
  },
  ERR_TOKEN_NOT_YET_VALID: {
    title: "Not valid yet",
    text: "Wait, or look at both clocks: the token begins later.",
    field: "tolerance",
  },
  ERR_TOKEN_ISSUED_IN_FUTURE: {
    title: "Issued in the future",
    text: "The issuer’s clock is ahead of yours. A small tolerance helps.",
    field: "tolerance",
  },
  ERR_TOKEN_TOO_OLD: {
    title: "Too old",
    text: "Get a fresh token, or allow a greater age.",
    field: "max-age",
  },
  ERR_ISSUER_MISMATCH: {
    title: "From another issuer",
    text: "Compare character by character: a final slash counts.",
    field: "issuer",
  },
  ERR_AUDIENCE_MISMATCH: {
    title: "Meant for somebody else",
    text: "Do not widen the audience to let it pass: whoever holds tokens for that service could then enter yours.",
    field: "audience",
  },
  ERR_CLAIM_MISMATCH: {
    title: "Not the expected claim",
    text: "The claim has another value than the one you expect.",
    field: "subject",
  },
};

export function adviceFor(code: string | undefined): Advice | undefined {
  return code !== undefined && Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
}
