import { createLocalJWKSet, type JWK, type JWTVerifyResult, jwtVerify } from "jose";
import type { Peer } from "./peer.js";

export const jose: Peer = {
  name: "jose",
  checksClaims: true,
  async prepare({ jwks, issuer, audience }) {
    // It imports the key at the first use and keeps it.
    const keys = createLocalJWKSet({ keys: [...jwks.keys] as JWK[] });
    const options = { issuer, audience };
    return {
      verify: ({ compact }) => jwtVerify(compact, keys, options),
      subject: (result) => (result as JWTVerifyResult).payload.sub,
      promise: true,
    };
  },
};

/** The same once more: how far its ratio to `jose` is from 1 is what the machine's noise does to every ratio. */
export const joseControl: Peer = { ...jose, name: "jose (control)" };
