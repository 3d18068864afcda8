import { beginsDrift } from '../../domain/account/drift-detection.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Records } from '../../ports/records.ts';
import { parseKey } from '../plan/change-keys.ts';
import { workKey } from '../plan/planned-work.ts';
import type { Survey } from '../survey/survey.ts';
import { mayBePlanned } from '../work-queue/planned-drift.ts';

type Planned = Parameters<typeof mayBePlanned>[0];

/*
 * A drift that began after a run was planned is not covered by the plan of that run: somebody has reverted the change since. So an approved run does not fix
 * it, nor does a saved plan that is applied again.
 */

/** The keys of a plan without those of later drifts. @param run the run of the plan; for a saved plan, its first run */
export function keysLeft(
  keys: ReadonlySet<string>,
  { assessed }: Pick<Survey, 'assessed'>,
  run: Planned,
): ReadonlySet<string> {
  const later = new Set<string>();
  for (const { account, record, assessments } of assessed)
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = record?.conditions[enrollment] ?? null;
      const isNew = beginsDrift(condition, assessments[enrollment]);
      if (isNew || (condition !== null && !mayBePlanned(run, condition))) later.add(workKey(account.id, enrollment));
    }
  return new Set([...keys].filter((key) => !later.has(key.split(' ', 2).join(' '))));
}

/** The keys of the changes that approved runs are making. */
export function keysInProgress(
  runs: readonly { readonly run: Planned; readonly keys: ReadonlySet<string> }[],
  survey: Pick<Survey, 'assessed'>,
): ReadonlySet<string> {
  return new Set(runs.flatMap(({ run, keys }) => [...keysLeft(keys, survey, run)]));
}

/** Whether a saved plan may have changes left: configurations, which only a scan can compare, or open drift in the account records that the plan covers. */
export async function isAnyLeft(
  { records }: { readonly records: Pick<Records, 'getMany'> },
  keys: readonly string[],
  appliedAt: EpochMs,
): Promise<boolean> {
  const parts = keys.flatMap((key) => parseKey(key) ?? []);
  if (parts.length < keys.length) return true;
  const known = await records.getMany([...new Set(parts.map(({ accountId }) => accountId))]);
  return parts.some(({ accountId, enrollment }) => {
    const condition = known.get(accountId)?.conditions[enrollment] ?? null;
    return condition !== null && condition.driftSince !== null && mayBePlanned({ startedAt: appliedAt }, condition);
  });
}
