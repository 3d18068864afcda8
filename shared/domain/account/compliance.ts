import type { EpochMs } from '../enrollment/model.ts';
import type { Verdict } from '../enrollment/verdict.ts';

/** Verdicts of enrollments that the policy does not enforce. Unknown is not among them: it counts as not compliant. */
const OUT_OF_SCOPE: ReadonlySet<Verdict> = new Set(['NotApplicable', 'Unmanaged', 'Suspended', 'Exempt']);

export function isManaged(verdict: Verdict): boolean {
  return !OUT_OF_SCOPE.has(verdict);
}

export interface Compliance {
  /** Enrollments that the policy enforces. */
  readonly managed: number;
  readonly compliant: number;
  /** The percentage of compliant enrollments, with one decimal; `null` if nothing is managed. */
  readonly percent: number | null;
}

export function complianceOf(verdicts: Iterable<Verdict>): Compliance {
  let managed = 0;
  let compliant = 0;
  for (const verdict of verdicts) {
    if (!isManaged(verdict)) continue;
    managed += 1;
    if (verdict === 'Compliant') compliant += 1;
  }
  return complianceFrom(managed, compliant);
}

export function complianceFrom(managed: number, compliant: number): Compliance {
  // Rounded down, so that 100 means all.
  return { managed, compliant, percent: managed === 0 ? null : Math.floor((compliant * 1_000) / managed) / 10 };
}

export interface Spread {
  readonly count: number;
  readonly meanMs: number | null;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly maxMs: number | null;
}

export function spreadOf(durations: readonly EpochMs[]): Spread {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  const sum = sorted.reduce((total, each) => total + each, 0);
  const meanMs = sorted.length === 0 ? null : Math.round(sum / sorted.length);
  return { count: sorted.length, meanMs, medianMs: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? null };
}
