import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import { differs } from '../../domain/enrollment/mismatch.ts';
import type { OperatorSelector } from '../../domain/policy/index.ts';
import type { Stores } from '../context.ts';

/** The accounts that a selector names, and their drift. */
export interface SelectedDrift {
  /** Active accounts of the last scan that match; `null`: there is no scan, or it lacks the tags. */
  readonly accounts: number | null;
  /** Enrollments of these accounts that differ from the policy, as of the last observation. */
  readonly drifts: number;
}

export async function selectedDrift(
  { snapshots, records }: Pick<Stores, 'snapshots' | 'records'>,
  { match }: OperatorSelector,
): Promise<SelectedDrift> {
  const snapshot = await snapshots.load();
  if (snapshot === null || (match.usesTags && !snapshot.tags)) return { accounts: null, drifts: 0 };
  const matching = snapshot.accounts.filter((account) => account.state === 'ACTIVE' && match.test(account));
  let drifts = 0;
  for (const { conditions } of (await records.getMany(matching.map(({ id }) => id))).values()) {
    drifts += ENROLLMENT_IDS.filter((id) => {
      const seen = conditions[id];
      if (seen === null || seen.status === null || seen.verdict === 'Exempt') return false;
      const desired = { status: seen.desired, ruleMode: seen.desiredRuleMode };
      return differs(desired, { status: seen.status, ruleMode: seen.ruleMode }) !== null;
    }).length;
  }
  return { accounts: matching.length, drifts };
}
