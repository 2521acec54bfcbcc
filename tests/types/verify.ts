/**
 * Types of verification: what must compile, and by `@ts-expect-error` what must not. Nothing here runs; `make lint` checks it
 * against the declarations that are packed.
 */
import { type } from "arktype";
import * as v from "valibot";
import {
  type Claims,
  createVerifier,
  type ErrorCode,
  type StandardSchema,
  type Verifier,
  type VerifierOptions,
  WaxsealError,
} from "waxseal";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the two types are the same, `any` being the same as nothing else. */
declare function same<A, B>(really: Same<A, B>): void;

declare const token: string;
declare const request: Request;
const trust = { keys: "a PEM", issuer: "https://id.example", audience: null } as const;

/** Without a schema, a call says what its tokens carry. */
export async function asserted(): Promise<void> {
  interface Mine {
    sub: string;
    role: "admin" | "reader";
  }
  const verifier = await createVerifier(trust);
  same<typeof verifier, Verifier>(true);
  same<Awaited<ReturnType<typeof createVerifier>>, Verifier>(true);
  const plain = verifier.verify(token);
  same<typeof plain.claims, Claims>(true);
  const mine = verifier.verify<Mine>(token);
  same<typeof mine.claims, Mine>(true);
  const late = await verifier.verifyAsync<Mine>(token);
  same<typeof late.claims.role, "admin" | "reader">(true);
  const asked = await verifier.authenticate<Mine>(request);
  same<typeof asked.claims, Mine>(true);
  same<typeof plain.claims.exp, number>(true);
  // @ts-expect-error: an unknown claim is unknown
  const role: string = plain.claims["role"];
  // @ts-expect-error: `sub` need not be there
  const sub: string = plain.claims.sub;
  // @ts-expect-error: not among the claims that the call says
  mine.claims.email;
  // @ts-expect-error: a promise has no claims
  verifier.verifyAsync(token).claims;
  void [role, sub];
}

/** With a schema, claims have the type of what it gives, whatever a call says. */
export async function validated(): Promise<void> {
  interface Wanted {
    sub: string;
    level: number;
  }
  const byZod = await createVerifier({
    ...trust,
    schema: z.object({ sub: z.string(), level: z.string().transform(Number) }),
  });
  const zod = byZod.verify(token);
  same<typeof zod.claims, { sub: string; level: number }>(true);

  const byValibot = await createVerifier({
    ...trust,
    schema: v.object({ sub: v.string(), level: v.pipe(v.string(), v.transform(Number)) }),
  });
  const valibot = await byValibot.verifyAsync(token);
  same<typeof valibot.claims, { sub: string; level: number }>(true);

  const byArktype = await createVerifier({ ...trust, schema: type({ sub: "string", level: "string.numeric.parse" }) });
  const arktype = await byArktype.authenticate(request);
  same<typeof arktype.claims, { sub: string; level: number }>(true);

  const wanted: Wanted = zod.claims;
  // @ts-expect-error: the schema does not give it
  zod.claims.exp;
  // @ts-expect-error: a call cannot say otherwise than the schema
  const lie: { email: string } = byZod.verify<{ email: string }>(token).claims;
  // @ts-expect-error: what takes a verifier without a schema reads claims that this one need not give
  const other: Verifier = byZod;
  // @ts-expect-error: another schema gives another type
  const swapped: Verifier<StandardSchema<unknown, { email: string }>> = byZod;
  const several = await createVerifier({ issuers: [trust], schema: z.looseObject({ sub: z.string() }) });
  same<ReturnType<typeof several.verify>["claims"]["sub"], string>(true);
  // A function for verifiers of any kind.
  const guard = async <S extends StandardSchema | undefined>(any: Verifier<S>) =>
    (await any.authenticate(request)).claims;
  const guarded = await guard(byZod);
  same<typeof guarded, { sub: string; level: number }>(true);
  void [wanted, lie, other, swapped];
}

/** Options that must not compile. */
export function refused(): void {
  // @ts-expect-error: `audience` must be given
  void createVerifier({ keys: "a PEM", issuer: null });
  // @ts-expect-error: one issuer or several, not both
  void createVerifier({ ...trust, issuers: [trust] });
  // @ts-expect-error: misspelt
  void createVerifier({ ...trust, clockTolerence: 5 });
  // @ts-expect-error: no such algorithm
  void createVerifier({ ...trust, algorithms: ["HS256"] });
  // @ts-expect-error: a function is no schema
  void createVerifier({ ...trust, schema: (claims: unknown) => claims });
  // @ts-expect-error: a schema changes the type, so the type says that there is one
  const silent: VerifierOptions = { ...trust, schema: z.object({}) };
  const open: VerifierOptions<StandardSchema> = { ...trust, schema: z.object({}) };
  void [silent, open];
}

/** An error is not to be changed. */
export function forge(error: WaxsealError): void {
  // @ts-expect-error: read-only
  error.code = "ERR_TOKEN_EXPIRED";
}

/** Codes are a union, which narrows and can be exhausted. */
export function answer(error: unknown): number {
  if (!(error instanceof WaxsealError)) throw error;
  same<typeof error.code, ErrorCode>(true);
  same<typeof error.status, 400 | 401 | 403 | 500 | 503>(true);
  // @ts-expect-error: no such code
  if (error.code === "ERR_TOKEN_EXPIERD") return 0;
  // @ts-expect-error: no such status
  if (error.status === 404) return 0;
  switch (error.code) {
    case "ERR_TOKEN_EXPIRED":
    case "ERR_TOKEN_REVOKED": {
      same<typeof error.code, "ERR_TOKEN_EXPIRED" | "ERR_TOKEN_REVOKED">(true);
      return 401;
    }
    default: {
      const rest: Exclude<ErrorCode, "ERR_TOKEN_EXPIRED" | "ERR_TOKEN_REVOKED"> = error.code;
      return rest === "ERR_CROSS_SITE" ? 403 : error.status;
    }
  }
}
