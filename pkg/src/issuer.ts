import { publicJwks } from "./keys.js";
import { callOptions, type Clock, clockFrom, listOf, snapshot, take } from "./options.js";
import { publishable, type Sign, signed, signingKey } from "./signer.js";
import type { Json, JwkSet, JWK } from "./types.js";
import { type Core, Handle, load, Once } from "./wasm.js";

/** A key that signs elsewhere, such as in a KMS. */
export interface SigningCallback {
  /** The algorithm with which it signs. */
  alg: "ES256" | "RS256";
  /** The name of the key, as its public half carries it. */
  kid: string;
  /**
   * Signs bytes: RSASSA-PKCS1-v1_5 with SHA-256, or ECDSA P-256 with SHA-256 as r and s of 32 bytes each (not DER). It may
   * take ten seconds.
   */
  sign(bytes: Uint8Array): Promise<Uint8Array | ArrayBuffer>;
  /** The public half: signatures are checked with it before a token is released, and `jwks()` publishes it. */
  publicKey?: JWK;
}

/** A key of {@link IssuerOptions}. */
export type IssuerKey = JWK | string | Uint8Array | CryptoKey | SigningCallback;

/** The options of {@link createIssuer}. */
export interface IssuerOptions {
  /**
   * The private key: a JWK or its JSON text, PKCS#8 PEM, the bytes of one of these or of PKCS#8 DER, a `CryptoKey` with the
   * usage `"sign"`, or a callback. P-256 keys given as data sign inside the WebAssembly module; RSA keys are imported into
   * WebCrypto, and what is secret of an RSA JWK never enters the module.
   *
   * Bytes are copied, and the copies overwritten by `dispose`. A string cannot be overwritten by anybody: of a key that must
   * leave no trace give the bytes and overwrite your own, or keep it in a `CryptoKey` or a KMS.
   *
   * Of several the first signs, and `jwks()` publishes all. Of the others the public half is enough: a public JWK, SPKI or
   * certificate PEM.
   */
  key: IssuerKey | readonly IssuerKey[];
  /** The value of `iss`. */
  issuer: string;
  /** The value of `aud`; an array of one is written as a string. */
  audience: string | readonly string[];
  /** How long tokens live, in seconds; default 900, at most 31536000. */
  expiresIn?: number;
  /** The `typ` of the header; default `"JWT"`. */
  typ?: string;
  /** The `kid` of the header; default the key's own, or its thumbprint. */
  kid?: string;
  /** Replaces the clock, for tests. */
  clock?: () => number | Date;
}

/** Options of a single token. */
export interface IssueOptions {
  /** How long the token lives, in seconds. */
  expiresIn?: number;
  /** The `typ` of the header. */
  typ?: string;
  /** The time of issue; default now. */
  now?: number | Date;
}

/**
 * Claims to issue. `iss`, `aud`, `iat`, `exp` and `jti` are set by the issuer and refused here.
 */
export interface IssueClaims {
  /** Whom the token is about. */
  sub?: string;
  /** Before when it is not valid. */
  nbf?: number;
  [name: string]: Json | undefined;
}

/**
 * Makes an issuer of tokens.
 *
 * @param options The key, and what every token says.
 * @throws WaxsealError `ERR_OPTION_INVALID`, `ERR_KEY_INVALID`, `ERR_KEY_UNSUPPORTED`, `ERR_KEY_WEAK`,
 *   `ERR_RUNTIME_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const issuer = await createIssuer({ key: privateJwk, issuer: "https://id.example", audience: "https://api.example" });
 * const token = await issuer.issue({ sub: "alice" });
 * ```
 */
export async function createIssuer(options: IssuerOptions): Promise<Issuer> {
  await load();
  const { taken, rest } = take(options, ["key", "clock"]);
  const [first, ...others] = listOf(taken.key, "key");
  const clock = clockFrom(taken.clock);
  const published = (await Promise.all(others.map(publishable))).flat();
  const { host, parts } = await signingKey(first);
  // Of a key that signs outside the module, the core sees a description alone.
  const [plain, description] = snapshot([rest, host?.description] as const);
  const core = new Handle(
    (module) => new module.CoreIssuer(plain, parts ?? [undefined, undefined], description),
    undefined,
    [parts],
  );
  return new Issuer(core, clock, host?.sign, published);
}

/** Issues tokens. Made by {@link createIssuer}. */
export class Issuer implements Disposable {
  readonly #core: Handle<Core.CoreIssuer>;
  readonly #clock: Clock;
  #sign: Sign | undefined;
  /** The JWK Set, where it has more than the key that signs. */
  readonly #jwks: JwkSet | undefined;

  /** @internal */
  constructor(core: Handle<Core.CoreIssuer>, clock: Clock, sign: Sign | undefined, others: readonly unknown[]) {
    this.#core = core;
    this.#clock = clock;
    this.#sign = sign;
    if (others.length > 0) {
      try {
        this.#jwks = publicJwks([this.jwks(), ...(others as JWK[])]);
      } catch (thrown) {
        this.dispose();
        throw thrown;
      }
    }
  }

  /**
   * Issues a token: the given claims with `iss`, `aud`, `iat`, `exp` and a random `jti`.
   *
   * @param claims The claims beyond those; plain JSON data.
   * @param options Differences for this token.
   * @returns The compact serialization.
   * @throws WaxsealError `ERR_ISSUE_CLAIMS` for a reserved claim, a wrong type or a token that would be too large;
   *   `ERR_SIGNER_FAILED` when a key outside the module fails; `ERR_RANDOM_UNAVAILABLE`; `ERR_CLOCK_INVALID`
   */
  async issue(claims: IssueClaims, options?: IssueOptions): Promise<string> {
    const [plain, clock] = callOptions(options, this.#clock);
    const sign = this.#sign;
    const issued = this.#core.use((issuer) => issuer.issue(claims, plain, clock));
    if (typeof issued === "string") return issued;
    const input = new Once(issued);
    try {
      const signature = await signed(
        sign as Sign,
        input.use((prepared) => prepared.bytes()),
      );
      return input.use((prepared) => prepared.finish(signature));
    } finally {
      input.dispose();
    }
  }

  /**
   * The public keys as a JWK Set, with `kid`, `use` and `alg`: what to serve at `/.well-known/jwks.json`.
   *
   * @throws WaxsealError `ERR_KEY_UNSUPPORTED` when the public half is not known: a `CryptoKey` that cannot be exported, or
   *   a callback without `publicKey`.
   */
  jwks(): JwkSet {
    return this.#core.use((issuer) => structuredClone(this.#jwks) ?? (JSON.parse(issuer.jwks()) as JwkSet));
  }

  /** Overwrites the key, here and in the module, and frees the issuer's memory; every later call throws `ERR_DISPOSED`. */
  dispose(): void {
    this.#core.dispose();
    this.#sign = undefined;
  }

  /** As {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
