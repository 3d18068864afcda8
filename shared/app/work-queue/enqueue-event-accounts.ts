import type { AccountRecord } from '../../domain/account/record.ts';
import { ENROLLMENT_IDS, type EnrollmentId, kindsInUse } from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Stores } from '../context.ts';
import { runForChanges } from '../schedule/scan-schedule.ts';

export interface EnqueuedAccounts {
  readonly queued: readonly string[];
  /** Accounts without a record; the next scan finds them. */
  readonly unknown: readonly string[];
}

/**
 * Enqueues the keys of accounts named by an event. Workers read the accounts live, so late, repeated or wrong events do no harm. The changes
 * that follow count toward the last complete run, so its guardrails and its failure limit apply.
 */
export async function enqueueAccounts(
  stores: Pick<Stores, 'queue' | 'records' | 'registers'>,
  policyHash: string,
  accountIds: readonly string[],
  delayMs = 0,
): Promise<EnqueuedAccounts> {
  const records = await stores.records.getMany([...new Set(accountIds)]);
  const found = [...records.values()].filter((record) => record.present);
  const present = found.map(({ accountId }) => accountId);
  const unknown = [...new Set(accountIds)].filter((id) => !present.includes(id));
  const runId = (await runForChanges(stores.registers, policyHash)) ?? 'none';
  const common = { v: 1, kind: 'account', policyHash, runId, planHash: null } as const;
  const messages: WorkMessage[] = found.flatMap((record) =>
    kindsOf(record).map((enrollment) => ({ ...common, accountId: record.accountId, enrollment })),
  );
  if (messages.length > 0) await stores.queue.send(messages, { lane: 'urgent', delayMs });
  return { queued: present, unknown };
}

/**
 * The kinds to reconcile: all for an account that has just joined and has no conditions yet, otherwise those in use. A later kind that the record
 * lacks is not in the policy, or the next scan adds it.
 */
function kindsOf({ conditions }: AccountRecord): readonly EnrollmentId[] {
  if (ENROLLMENT_IDS.every((id) => conditions[id] === null)) return ENROLLMENT_IDS;
  return kindsInUse((id) => conditions[id] !== null).map(({ id }) => id);
}
