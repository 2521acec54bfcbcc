/** Peers that run on Node alone. Both are synchronous when they are given a key and not a function. */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { createVerifier } from "fast-jwt";
import jwt from "jsonwebtoken";
import { cacheSize, onlyKey, type Peer, type Prepared, subjectOfClaims, type Trust } from "./peer.js";

function publicKey(trust: Trust): KeyObject {
  return createPublicKey({ key: onlyKey(trust) as JsonWebKey, format: "jwk" });
}

function prepareFastJwt(trust: Trust, cache: number | false): Prepared {
  const verify = createVerifier({
    key: publicKey(trust).export({ type: "spki", format: "pem" }),
    algorithms: [trust.alg],
    allowedIss: trust.issuer,
    allowedAud: trust.audience,
    cache,
  });
  return { verify: ({ compact }) => verify(compact), subject: subjectOfClaims, promise: false };
}

export const fastJwt: Peer = {
  name: "fast-jwt",
  checksClaims: true,
  prepare: async (trust) => prepareFastJwt(trust, false),
};

export const fastJwtCacheHit: Peer = {
  name: "fast-jwt, cache hit",
  checksClaims: true,
  remembers: true,
  prepare: async (trust) => prepareFastJwt(trust, cacheSize(trust)),
};

export const jsonwebtoken: Peer = {
  name: "jsonwebtoken",
  checksClaims: true,
  async prepare(trust) {
    const key = publicKey(trust);
    const options = { algorithms: [trust.alg], issuer: trust.issuer, audience: trust.audience };
    return { verify: ({ compact }) => jwt.verify(compact, key, options), subject: subjectOfClaims, promise: false };
  },
};
