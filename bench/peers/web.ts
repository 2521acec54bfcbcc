/** Peers that need nothing but WebCrypto, and run everywhere. */
import { JwtVerifier } from "aws-jwt-verify";
import { verify as honoVerify } from "hono/jwt";
import { importKey, parameters, type Peer, subjectOfClaims } from "./peer.js";

/** The signature alone, over bytes that are there already: what a library on WebCrypto cannot go below. */
export const subtle: Peer = {
  name: "crypto.subtle.verify",
  checksClaims: false,
  async prepare(trust) {
    const key = await importKey(trust);
    const algorithm = parameters(trust.alg);
    return {
      verify: ({ input, signature }) => crypto.subtle.verify(algorithm, key, signature, input),
      subject: (valid, token) => (valid === true ? token.subject : undefined),
      promise: true,
    };
  },
};

export const hono: Peer = {
  name: "hono/jwt",
  checksClaims: true,
  async prepare(trust) {
    // A JWK would be imported again for every token.
    const key = await importKey(trust);
    const options = { alg: trust.alg, iss: trust.issuer, aud: trust.audience };
    return {
      verify: ({ compact }) => honoVerify(compact, key, options),
      subject: subjectOfClaims,
      promise: true,
    };
  },
};

export const awsJwtVerify: Peer = {
  name: "aws-jwt-verify",
  checksClaims: true,
  async prepare({ runtime, jwks, issuer, audience }) {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks.json` });
    // In the place of a download.
    verifier.cacheJwks(jwks);
    // On Node its promise is of the same synchronous work.
    const promise = runtime !== "node";
    return {
      verify: promise ? ({ compact }) => verifier.verify(compact) : ({ compact }) => verifier.verifySync(compact),
      subject: subjectOfClaims,
      promise,
    };
  },
};
