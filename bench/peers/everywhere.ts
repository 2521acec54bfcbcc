/** The peers that every runtime has, in the order of the tables. */
import { jose, joseControl } from "./jose.js";
import type { Peer } from "./peer.js";
import { waxseal, waxsealCacheHit } from "./waxseal.js";
import { awsJwtVerify, hono, subtle } from "./web.js";

export function everywhere(control: boolean): Peer[] {
  return [waxseal, jose, ...(control ? [joseControl] : []), subtle, hono, awsJwtVerify, waxsealCacheHit];
}
