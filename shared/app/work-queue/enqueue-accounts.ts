import { ENROLLMENT_IDS } from '../../domain/enrollment/kinds/index.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Stores } from '../context.ts';
import { scanNow } from '../schedule/scan-schedule.ts';

export interface LookResult {
  readonly queued: readonly string[];
  /** Accounts that no scan has seen yet: the next one will. */
  readonly unknown: readonly string[];
}

/**
 * Queues the keys of accounts of which something was heard. A worker reads them live, so that it does not matter what was heard, how
 * late, or how often. Changes that follow count as the last run's: its guardrails and its failures are the ones they are held to.
 */
export async function enqueueAccounts(
  stores: Pick<Stores, 'queue' | 'records' | 'registers'>,
  policyHash: string,
  accountIds: readonly string[],
  delayMs = 0,
): Promise<LookResult> {
  const records = await stores.records.getMany([...new Set(accountIds)]);
  const present = [...records.values()].filter((record) => record.present).map(({ accountId }) => accountId);
  const unknown = [...new Set(accountIds)].filter((id) => !present.includes(id));
  const last = await scanNow(stores.registers);
  const common = { v: 1, kind: 'account', policyHash, runId: last?.value.runId ?? 'none', planHash: null } as const;
  const messages: WorkMessage[] = present.flatMap((accountId) =>
    ENROLLMENT_IDS.map((enrollment) => ({ ...common, accountId, enrollment })),
  );
  if (messages.length > 0) await stores.queue.send(messages, delayMs);
  return { queued: present, unknown };
}
