import { type Change, dueChanges } from '../../../domain/decision/plan.ts';
import { ASSOCIABLE } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { allows } from '../../plan/change-keys.ts';
import { changesIn } from '../../plan/plan.ts';
import type { Survey } from '../../survey/survey.ts';
import type { WorkContext } from '../worker-context.ts';
import type { ConfigurationsMessage } from './configuration-call.ts';

/** Accounts that are recorded as Drifted but comply without a call, for example because their tags have changed. Their keys are queued to record this. */
export function noLongerDrifted(made: readonly AccountId[], { assessed }: Survey): readonly AccountId[] {
  const done = new Set(made);
  return assessed.flatMap(({ account, record, assessments }) => {
    const isResolved =
      record?.conditions[ASSOCIABLE]?.verdict === 'Drifted' && assessments[ASSOCIABLE].verdict === 'Compliant';
    return isResolved && !done.has(account.id) ? [account.id] : [];
  });
}

/**
 * Changes that the scan assigned to calls for configurations that are no longer planned, because the organization or its configurations have changed
 * since. They are made by other calls. An account whose record was written after the survey is left out, because it has a key of its own, unless the last call
 * wrote the record and was not sent.
 * @param undone the accounts of the last call, if it was not sent
 */
export async function leftOver(
  { deps, runs }: WorkContext,
  { planHash }: ConfigurationsMessage,
  made: readonly AccountId[],
  undone: ReadonlySet<AccountId>,
  seen: Survey,
): Promise<readonly Change[]> {
  const done = new Set(made);
  const keys = planHash === null ? null : ((await runs.planKeys(planHash)) ?? new Set<string>());
  const due = dueChanges(changesIn(seen), deps.clock.now()).filter((change) => {
    const isOpen = change.enrollment === ASSOCIABLE && !done.has(change.accountId);
    return isOpen && (keys === null || allows(keys, change));
  });
  if (due.length === 0) return due;
  const surveyed = new Map(seen.associable.map(({ account, headHash }) => [account.id, headHash]));
  const records = await deps.records.getMany(due.map(({ accountId }) => accountId));
  return due.filter(({ accountId: id }) => {
    return undone.has(id) || (records.get(id)?.head.hash ?? null) === surveyed.get(id);
  });
}
