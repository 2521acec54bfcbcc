/** Claims have their types in a program that is not compiled strictly, too. Nothing here runs. */
import { type Claims, createVerifier, type Sessions } from "waxseal";
import { type Authenticated, authOf } from "waxseal/node";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the two types are the same, `any` being the same as nothing else. */
declare function same<A, B>(really: Same<A, B>): void;

declare const token: string;
declare const incoming: object;
const trust = { keys: "a PEM", issuer: "https://id.example", audience: null } as const;

/** Without a schema they are any claims, or what the call says. */
export async function asserted(): Promise<void> {
  const verifier = await createVerifier(trust);
  const plain = verifier.verify(token);
  same<typeof plain.claims, Claims>(true);
  const late = await verifier.verifyAsync<{ role: string }>(token);
  same<typeof late.claims, { role: string }>(true);
  const behind = authOf<typeof verifier>(incoming);
  same<typeof behind.claims, Claims>(true);
  same<Authenticated<Sessions>["sessionId"], string>(true);
}

/** With a schema they are what it gives. */
export async function shaped(): Promise<void> {
  const verifier = await createVerifier({ ...trust, schema: z.object({ level: z.number() }) });
  const { claims } = verifier.verify(token);
  same<typeof claims, { level: number }>(true);
  // @ts-expect-error: the schema has no such claim
  void claims.role;
}
