/** Claims by the application's own schema, of any library that speaks Standard Schema (https://standardschema.dev). */
import { FAILED, unawaited, within } from "./deadline.js";
import { optionInvalid, WaxsealError } from "./error.js";

/** A schema of zod, valibot, arktype or any other library of Standard Schema, version 1. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What every such schema has. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The library. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler alone. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: the value that came of it, or what is wrong. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** The type of what a schema gives. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/**
 * The type of `claims`: what the schema gives, or without a schema what the caller says. `undefined` is asked for first: where a
 * program is compiled without `strictNullChecks`, it extends every other type.
 */
export type ClaimsOf<Schema extends StandardSchema | undefined, Asserted> = Schema extends undefined
  ? Asserted
  : SchemaOutput<NonNullable<Schema>>;

/** How long a schema may take, in seconds: it is to look at claims, and at most to look something up. */
const TIMEOUT = 5;
/** How many members of a path are shown, and how long each may be: names of members come from the token. */
const SHOWN = 8;
const NAME = /^[\w$@.:/+-]{1,64}$/;

type Validate = (value: unknown) => unknown;

/** The option `schema`, if it was given. @internal */
export class ClaimsCheck<Schema extends StandardSchema | undefined> {
  readonly #validate: Validate | undefined;

  constructor(option: unknown) {
    this.#validate = option === undefined ? undefined : validateOf(option);
  }

  /** A result with the claims that the schema made of its own. A schema that answers with a promise is an error. */
  checked<C, R extends { claims: unknown }>(result: R): R & { claims: ClaimsOf<Schema, C> } {
    if (this.#validate === undefined) return result as R & { claims: ClaimsOf<Schema, C> };
    const answer = attempt(this.#validate, result.claims);
    if (isThenable(answer)) {
      unawaited(answer);
      throw new WaxsealError({
        code: "ERR_SCHEMA_NEEDS_ASYNC",
        message: "The option schema is asynchronous, which verify cannot wait for: call verifyAsync or authenticate.",
      });
    }
    return { ...result, claims: outputOf(answer) as ClaimsOf<Schema, C> };
  }

  /** The same for a schema that may be asynchronous, which is waited for as long as a schema may take. */
  async checkedAsync<C, R extends { claims: unknown }>(result: R): Promise<R & { claims: ClaimsOf<Schema, C> }> {
    if (this.#validate === undefined) return result as R & { claims: ClaimsOf<Schema, C> };
    let answer = attempt(this.#validate, result.claims);
    if (isThenable(answer)) {
      const promise = answer;
      answer = await within(TIMEOUT, (deadline) => deadline.attempt(() => promise));
      if (answer === FAILED) throw schemaFailed(`rejected, or did not answer within ${TIMEOUT} seconds`);
    }
    return { ...result, claims: outputOf(answer) as ClaimsOf<Schema, C> };
  }
}

/** The one function of a schema that is called. arktype's schemas are functions themselves. */
function validateOf(option: unknown): Validate {
  const wanted = "schema must be a schema of Standard Schema, such as those of zod, valibot and arktype.";
  if ((typeof option !== "object" && typeof option !== "function") || option === null) throw optionInvalid(wanted);
  let validate: unknown;
  let version: unknown;
  let standard: unknown;
  try {
    standard = Reflect.get(option, "~standard");
    if (typeof standard === "object" && standard !== null) {
      version = Reflect.get(standard, "version");
      validate = Reflect.get(standard, "validate");
    }
  } catch {
    throw optionInvalid("Reading schema threw an exception.");
  }
  if (typeof validate !== "function") throw optionInvalid(wanted);
  if (version !== 1) throw optionInvalid("schema must be of version 1 of Standard Schema.");
  return (value) => Reflect.apply(validate, standard, [value]);
}

function attempt(validate: Validate, claims: unknown): unknown {
  try {
    return validate(claims);
  } catch {
    // Not shown and not thrown on: what a schema throws may hold values of the token.
    throw schemaFailed("threw an exception");
  }
}

/** What a schema made of the claims, if it says without doubt that they fit. */
function outputOf(answer: unknown): unknown {
  let output: unknown;
  let issues: unknown;
  let hasValue = false;
  try {
    if (typeof answer === "object" && answer !== null) {
      issues = Reflect.get(answer, "issues");
      hasValue = "value" in answer;
      output = Reflect.get(answer, "value");
    }
  } catch {
    throw schemaFailed("answered something that cannot be read");
  }
  if (issues === undefined) {
    if (hasValue) return output;
    throw schemaFailed("answered neither a value nor issues");
  }
  const path = pathOf(issues);
  throw new WaxsealError({
    code: "ERR_SCHEMA_MISMATCH",
    message: path
      ? `The claims do not fit the option schema, first at ${path}.`
      : "The claims do not fit the option schema.",
    ...(path && { claim: path, reason: "check_failed" }),
    wwwAuthenticate:
      'Bearer error="invalid_token", error_description="The claims do not fit the schema of the application."',
  });
}

/** Where the first issue is, such as `roles[0].name`; nothing where it does not say, or not in a form that it may have. */
function pathOf(issues: unknown): string {
  try {
    const [first] = issues as { path?: unknown }[];
    // Not by its iterator, which may have no end.
    const path = Array.prototype.slice.call(first?.path ?? [], 0, SHOWN) as unknown[];
    return path.map((part, index) => segment(part, index === 0)).join("");
  } catch {
    return "";
  }
}

/** One member of a path. A name in a map is text of the token: what does not look like a name is not shown. */
function segment(part: unknown, first: boolean): string {
  const key: unknown = typeof part === "object" && part !== null ? Reflect.get(part, "key") : part;
  if (typeof key === "number") return `[${key}]`;
  const name = typeof key === "string" && NAME.test(key) ? key : "(unnamed)";
  return first ? name : `.${name}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
  } catch {
    throw schemaFailed("answered something that cannot be read");
  }
}

function schemaFailed(what: string): WaxsealError {
  return new WaxsealError({ code: "ERR_SCHEMA_FAILED", message: `The option schema ${what}: no claims are given.` });
}
