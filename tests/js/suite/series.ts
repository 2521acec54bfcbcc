// The series of waxseal/metrics as Prometheus names them, and what moved in them.

export type Counts = Record<string, number>;

/** The series that are not 0. */
export function moved(metrics: { counts(): Counts }): Counts {
  return Object.fromEntries(Object.entries(metrics.counts()).filter(([, count]) => count !== 0));
}

export function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export const rejected = (code: string, step: string, status: number): string =>
  `waxseal_rejected_total{code="${code}",step="${step}",status="${status}"}`;
export const accepted = (source: string, revocation = "not-checked"): string =>
  `waxseal_accepted_total{source="${source}",revocation="${revocation}"}`;
export const refreshed = (rotated: boolean): string => `waxseal_refreshed_total{rotated="${rotated}"}`;
export const revoked = (kind: string): string => `waxseal_revoked_total{kind="${kind}"}`;
export const reused = (kind: string): string => `waxseal_reuse_detected_total{kind="${kind}"}`;

export const EXPIRED = rejected("ERR_TOKEN_EXPIRED", "policy", 401);
export const FORGED = rejected("ERR_SIGNATURE_INVALID", "signature", 401);
export const ISSUED = "waxseal_issued_total";
export const PENDING = "waxseal_revocations_pending_total";
