/**
 * Types of the glue to frameworks: a guard knows what its verifier or its sessions say of a request. Nothing here runs;
 * `make lint` checks it against the declarations that are packed.
 */
import { type Claims, createVerifier, type Sessions } from "waxseal";
import { type Authenticated, guard, type WaxsealEnv } from "waxseal/hono";
import { authOf, expressGuard } from "waxseal/node";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the two types are the same, `any` being the same as nothing else. */
declare function same<A, B>(really: Same<A, B>): void;

declare const incoming: object;
const trust = { keys: "a PEM", issuer: "https://id.example", audience: null } as const;

/** Claims behind a guard have the type that the verifier's schema gives them. */
export async function shaped(): Promise<void> {
  const schema = z.object({ sub: z.string(), level: z.number() });
  const verifier = await createVerifier({ ...trust, schema });
  guard(verifier);
  guard(() => verifier);
  expressGuard(verifier);
  type Known = WaxsealEnv<typeof verifier>["Variables"]["waxseal"];
  same<Known["claims"], { sub: string; level: number }>(true);
  const { claims } = authOf<typeof verifier>(incoming);
  same<typeof claims.level, number>(true);
  // @ts-expect-error: the schema has no such claim
  void claims.role;
}

/** Without a schema they are any claims, and a verifier knows of no session. */
export async function plain(sessions: Sessions): Promise<void> {
  const verifier = await createVerifier(trust);
  guard(verifier);
  guard(sessions, { strong: true });
  same<Authenticated<typeof verifier>["claims"], Claims>(true);
  same<Authenticated<Sessions>["sessionId"], string>(true);
  const { claims } = authOf(incoming);
  same<typeof claims.sub, string | undefined>(true);
  // @ts-expect-error: only sessions have identifiers
  void authOf<typeof verifier>(incoming).sessionId;
  // @ts-expect-error: keys authenticate nobody
  guard(trust.keys);
}
