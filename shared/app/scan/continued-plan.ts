import { beginsDrift } from '../../domain/account/drift-detection.ts';
import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { Records } from '../../ports/records.ts';
import { parseKey } from '../plan/plan.ts';
import { workKey } from '../plan/planned-work.ts';
import type { Survey } from '../survey/survey.ts';
import { mayBePlanned } from '../work-queue/planned-drift.ts';

/*
 * A saved plan that is applied again makes what is left of its changes. A drift that began after the first application was planned is not left of it:
 * somebody has reverted the change since.
 */

/** The keys of a saved plan without those of later drifts. @param appliedAt when the first run of the plan was planned, epoch ms */
export function keysLeft(
  keys: ReadonlySet<string>,
  { assessed }: Pick<Survey, 'assessed'>,
  appliedAt: EpochMs,
): ReadonlySet<string> {
  const later = new Set<string>();
  for (const { account, record, assessments } of assessed)
    for (const enrollment of ENROLLMENT_IDS) {
      const condition = record?.conditions[enrollment] ?? null;
      const isNew = beginsDrift(condition, assessments[enrollment]);
      if (isNew || (condition !== null && !mayBePlanned({ startedAt: appliedAt }, condition)))
        later.add(workKey(account.id, enrollment));
    }
  return new Set([...keys].filter((key) => !later.has(key.split(' ', 2).join(' '))));
}

/** Whether the account records show an open drift that is left of a saved plan. */
export async function isAnyLeft(
  { records }: { readonly records: Pick<Records, 'getMany'> },
  keys: readonly string[],
  appliedAt: EpochMs,
): Promise<boolean> {
  const parts = keys.flatMap((key) => parseKey(key) ?? []);
  const known = await records.getMany([...new Set(parts.map(({ accountId }) => accountId))]);
  return parts.some(({ accountId, enrollment }) => {
    const condition = known.get(accountId)?.conditions[enrollment] ?? null;
    return condition !== null && condition.driftSince !== null && mayBePlanned({ startedAt: appliedAt }, condition);
  });
}
