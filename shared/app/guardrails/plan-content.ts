import { isConfigurationKey, isForeignConfiguration } from '../../domain/decision/configuration-key.ts';
import { totalChanges } from '../../domain/decision/plan-totals.ts';
import type { StoredPlan } from '../coordination/run-store.ts';

/** What a stored plan would do, as shown to the person who approves it. */
export interface PlanContent {
  /** Changes to accounts, follow-ups included. */
  readonly changes: number;
  /** Accounts with such a change. */
  readonly accounts: number;
  /** Organization enrollment configurations set by somebody else that the plan changes. */
  readonly configurations: number;
}

const accountsIn = (keys: readonly string[]): string[] =>
  keys.flatMap((key) => (isConfigurationKey(key) ? [] : key.split(' ').slice(0, 1)));

export function contentOf({ totals, keys }: Pick<StoredPlan, 'totals' | 'keys'>): PlanContent {
  return {
    changes: totals === null ? keys.length : totalChanges(totals),
    // Keys also name changes that only wait.
    accounts: totals?.accounts ?? new Set(accountsIn(keys)).size,
    configurations: keys.filter(isForeignConfiguration).length,
  };
}
