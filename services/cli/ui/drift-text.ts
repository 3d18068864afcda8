import type { OpenDrift } from '../../../shared/app/queries/open-drift.ts';
import { age, count, number } from './words.ts';

/** `9 open drifts in 6 accounts: 3 to fix, 3 waiting, 3 need attention`. The parts add up to the total. */
export function driftText(drift: OpenDrift): string {
  const { enrollments, accounts, toFix, reportedOnly, inProgress, waiting, needAttention, unknown } = drift;
  if (enrollments === 0) return 'No open drift';
  const parts = [
    [toFix, 'to fix'],
    [reportedOnly, 'reported only (mode: alert)'],
    [inProgress, 'in progress'],
    [waiting, 'waiting'],
    [needAttention, needAttention === 1 ? 'needs attention' : 'need attention'],
    [unknown, 'unknown'],
  ] as const;
  const shown = parts.filter(([n]) => n > 0).map(([n, words]) => `${number(n)} ${words}`);
  return `${count(enrollments, 'open drift')} in ${count(accounts, 'account')}: ${shown.join(', ')}`;
}

/** The last line of `status`. Without a completed scan, finding no drift means nothing. */
export function driftSummary(drift: OpenDrift, { now, scanned }: { now: number; scanned: boolean }): string {
  const { oldestSince } = drift;
  if (!scanned && drift.enrollments === 0)
    return 'No scan has completed yet, so drift is not known. Next: rollcall scan';
  if (oldestSince === null) return `${driftText(drift)}.`;
  return `${driftText(drift)}; oldest ${age(now - Date.parse(oldestSince))}`;
}
