/**
 * Verification beside jose, on Node, on one machine and in one process: rounds alternate between the two, so that both
 * meet the same noise, and the ratio of each pair of rounds is what counts; the median of the ratios is printed.
 *
 * Both get the same token and their key already imported, and check issuer, audience and expiry. jose calls WebCrypto,
 * which is asynchronous; Waxseal's `verify` is synchronous.
 */
import { importJWK, jwtVerify, SignJWT } from "jose";
import { createVerifier, generateKeyPair } from "waxseal";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 15);
const ROUND_MS = Number(process.env["BENCH_ROUND_MS"] ?? 200);
const ISSUER = "https://issuer.example";
const AUDIENCE = "https://api.example";

/** Microseconds for one call, over at least `ROUND_MS`. */
async function round(call: () => unknown): Promise<number> {
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < ROUND_MS) {
    for (let i = 0; i < 8; i++) await call();
    calls += 8;
    elapsed = performance.now() - start;
  }
  return (elapsed * 1000) / calls;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

console.log(
  `Node ${process.version}, ${process.arch}: ${ROUNDS} pairs of rounds of ${ROUND_MS} ms; microseconds per call`,
);
for (const alg of ["ES256", "RS256"] as const) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const token = await new SignJWT({ sub: "alice", scope: "read write" })
    .setProtectedHeader({ alg, typ: "JWT" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(await importJWK(privateKey, alg));
  const key = await importJWK(publicKey, alg);
  const verifier = await createVerifier({
    keys: publicKey,
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: [alg as "ES256"],
  });
  const ours = (): unknown => verifier.verify(token);
  const theirs = (): unknown => jwtVerify(token, key, { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] });

  // One round each for the compilers to settle.
  await round(ours);
  await round(theirs);
  const pairs: { ours: number; theirs: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    // Who comes first alternates too.
    const first = i % 2 === 0 ? await round(ours) : undefined;
    const second = await round(theirs);
    pairs.push({ ours: first ?? (await round(ours)), theirs: second });
  }
  const ratio = median(pairs.map((pair) => pair.theirs / pair.ours));
  const [us, them] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  const verdict = ratio >= 1 ? `${ratio.toFixed(2)} times as fast` : `${(1 / ratio).toFixed(2)} times as slow`;
  console.log(
    `${alg}  waxseal ${us.toFixed(1).padStart(7)}  jose ${them.toFixed(1).padStart(7)}  waxseal is ${verdict}`,
  );
}
