import { createVerifier, type VerifyResult } from "waxseal";
import { cacheSize, type Peer, type Prepared, type Trust } from "./peer.js";

async function prepare({ jwks, issuer, audience }: Trust, more: object): Promise<Prepared> {
  const verifier = await createVerifier({ keys: jwks, issuer, audience, ...more });
  return {
    verify: ({ compact }) => verifier.verify(compact),
    subject: (result) => (result as VerifyResult).claims.sub,
    promise: false,
    misses: () => verifier.cache?.misses,
  };
}

export const waxseal: Peer = {
  name: "waxseal",
  checksClaims: true,
  prepare: (trust) => prepare(trust, {}),
};

export const waxsealCacheHit: Peer = {
  name: "waxseal, cache hit",
  checksClaims: true,
  remembers: true,
  prepare: (trust) => prepare(trust, { cache: { max: cacheSize(trust) } }),
};
