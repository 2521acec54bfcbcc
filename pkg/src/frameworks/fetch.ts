/**
 * Answers to refused requests, for everything whose answers are a Fetch `Response`: Workers, Next.js, SvelteKit, Astro, Deno, Bun.
 *
 * @packageDocumentation
 */
import type { WaxsealError } from "../error.js";
import { type Answer, bodyOf, isRefusal, refused } from "./answer.js";

export { isRefusal };

/**
 * The answer to a refused request: the error's status, `WWW-Authenticate`, `Retry-After` and `Cache-Control: no-store`, and
 * `{ "error": code }`.
 *
 * @param error The refusal; see {@link isRefusal}.
 *
 * @example
 * ```ts
 * try {
 *   return new Response((await verifier.authenticate(request)).claims.sub);
 * } catch (error) {
 *   if (isRefusal(error)) return refusal(error);
 *   throw error;
 * }
 * ```
 */
export function refusal(error: WaxsealError): Response {
  return responseOf(refused(error));
}

/** @internal */
export function responseOf(answer: Answer): Response {
  const text = bodyOf(answer);
  return new Response(text, { status: answer.status, headers: answer.headers });
}
