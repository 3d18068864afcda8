import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { targetPath } from '../../domain/enrollment/governing-configuration.ts';
import { byKind, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import { type CompiledPolicy, type OrganizationAccount, TagsNotReadError } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Stores } from '../context.ts';
import { rolloutView } from '../guardrails/rollout-gate.ts';
import type { accountAnswer } from './answers/accounts.ts';
import { controlsNow, haltView, windowView } from './enforcement-view.ts';
import { explain } from './explanation.ts';
import { statusWords } from './status-words.ts';

/** `account ID --json`. */
export type AccountView = z.infer<typeof accountAnswer>;

export interface AccountQuery {
  readonly accountId: AccountId;
  readonly policy: CompiledPolicy | null;
  readonly limit: number;
  readonly now: EpochMs;
}

/** @returns `null` if neither the last snapshot nor the ledger knows the account. */
export async function accountView(stores: Stores, query: AccountQuery): Promise<AccountView | null> {
  const { accountId, policy, limit, now } = query;
  const [account, meta, record, page] = await Promise.all([
    stores.snapshots.get(accountId),
    stores.snapshots.meta(),
    stores.records.get(accountId),
    stores.ledger.query({ accountId }, { limit }),
  ]);
  if (account === null && record === null && page.entries.length === 0) return null;
  return {
    accountId,
    account,
    snapshotAt: meta === null ? null : new Date(meta.takenAt).toISOString(),
    present: record?.present ?? false,
    enrollments: enrollmentsOf(record, account),
    rollout: await rolloutView(stores.registers),
    ...(await heldUp(stores, accountId, account, now)),
    window: windowView(policy, now),
    ...explained(policy, account, record),
    timeline: page.entries,
    next: page.next,
  };
}

function enrollmentsOf(record: AccountRecord | null, account: OrganizationAccount | null): AccountView['enrollments'] {
  const conditionOf = (id: EnrollmentId): Condition | null => record?.conditions[id] ?? null;
  const words = statusWords(conditionOf);
  return byKind((id) => {
    const [condition, shown] = [conditionOf(id), words[id]];
    if (condition === null || shown === null) return null;
    const { ruleModeSource: source, ...rest } = condition;
    const named = source && { ruleModeSource: { ...source, targetPath: targetPath(source, account) } };
    return { ...rest, ...shown, ...named };
  });
}

/** Of an account that the snapshot lacks, only the id is known, so only a suspension by id or of `all` is found. */
async function heldUp(
  { registers }: Stores,
  id: AccountId,
  account: OrganizationAccount | null,
  now: EpochMs,
): Promise<Pick<AccountView, 'halted' | 'suspension'>> {
  const controls = await controlsNow(registers);
  const suspension = account === null ? controls.suspensionById(id, now) : controls.suspensionOf(account, now);
  if (suspension === null) return { halted: haltView(controls), suspension: null };
  const { reason: message, until } = suspension;
  return { halted: haltView(controls), suspension: { message, until: until === null ? null : toIso(until) } };
}

function explained(
  policy: CompiledPolicy | null,
  account: OrganizationAccount | null,
  record: AccountRecord | null,
): Pick<AccountView, 'explanation' | 'notExplained'> {
  if (policy === null) return { explanation: null, notExplained: 'no policy was given' };
  if (account === null)
    return { explanation: null, notExplained: 'it is not in the last snapshot of the organization' };
  try {
    return { explanation: explain(policy, account, record), notExplained: null };
  } catch (error) {
    if (!(error instanceof TagsNotReadError)) throw error;
    return {
      explanation: null,
      notExplained: 'the policy uses tags, and the last snapshot has no tags of this account',
    };
  }
}
