import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { byKind, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import {
  type CompiledPolicy,
  type Explanation,
  type OrganizationAccount,
  TagsNotReadError,
} from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Stores } from '../context.ts';
import { type RolloutView, rolloutView } from '../guardrails/rollout-gate.ts';
import { controlsNow, type HaltView, haltView, type WindowView, windowView } from './enforcement-view.ts';
import { type StatusWords, statusWords } from './status-words.ts';

/** One account as it is known here. The shape of `account ID --json`. */
export interface AccountView {
  readonly accountId: AccountId;
  /** From the last snapshot of the organization; `null`: it is not in it. */
  readonly account: OrganizationAccount | null;
  /** When that snapshot was taken, ISO 8601. */
  readonly snapshotAt: string | null;
  /** A member as of the last complete scan. */
  readonly present: boolean;
  readonly enrollments: Readonly<Record<EnrollmentId, (Condition & StatusWords) | null>>;
  /** The gate of a policy's first run, while it is closed. */
  readonly rollout: RolloutView | null;
  /** The kill switch; `null`: it is off. */
  readonly halted: HaltView;
  /** The operator's suspension under which it is now. */
  readonly suspension: { readonly message: string; readonly until: string | null } | null;
  readonly window: WindowView;
  readonly explanation: Explanation | null;
  /** Why there is no explanation. */
  readonly notExplained: string | null;
  /** Its ledger entries, the latest first. */
  readonly timeline: readonly LedgerEntry[];
  /** Cursor of older entries. */
  readonly next: string | null;
}

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
    enrollments: enrollmentsOf(record),
    rollout: await rolloutView(stores.registers),
    ...(await heldUp(stores, accountId, account, now)),
    window: windowView(policy, now),
    ...explained(policy, account),
    timeline: page.entries,
    next: page.next,
  };
}

function enrollmentsOf(record: AccountRecord | null): AccountView['enrollments'] {
  const conditionOf = (id: EnrollmentId): Condition | null => record?.conditions[id] ?? null;
  const words = statusWords(conditionOf);
  return byKind((id) => {
    const [condition, shown] = [conditionOf(id), words[id]];
    return condition === null || shown === null ? null : { ...condition, ...shown };
  });
}

/** For an account that no snapshot has, only the id is known. */
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
): Pick<AccountView, 'explanation' | 'notExplained'> {
  if (policy === null) return { explanation: null, notExplained: 'no policy was given' };
  if (account === null)
    return { explanation: null, notExplained: 'it is not in the last snapshot of the organization' };
  try {
    return { explanation: policy.explain(account), notExplained: null };
  } catch (error) {
    if (!(error instanceof TagsNotReadError)) throw error;
    return {
      explanation: null,
      notExplained: 'the policy uses tags, and the last snapshot has no tags of this account',
    };
  }
}
