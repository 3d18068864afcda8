import type { AccountRecord } from '../../shared/domain/account/record.ts';
import type { Condition, Facet } from '../../shared/domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId, FIRST_KIND } from '../../shared/domain/enrollment/kinds/index.ts';
import type { ChainHead, EntryDraft, LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { EMPTY_CHAIN, headOf, sealEntry } from '../../shared/domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/types.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import { MANUAL_CLOCK_START } from '../support/manual-clock.ts';

/** The kind of the samples, unless they name another. */
export const FIRST: EnrollmentId = FIRST_KIND.id;
/** The other kind of the samples. It is the last one, so that a kind that is added to the registry goes through every contract. */
export const LAST: EnrollmentId = ENROLLMENT_IDS.at(-1) ?? FIRST;

/** The nth account id. */
export function account(n: number): string {
  return String(100_000_000_000 + n);
}

/** ISO 8601, `ms` after the manual clock's start. */
export function time(ms: number): string {
  return new Date(MANUAL_CLOCK_START + ms).toISOString();
}

export const FACET: Facet = {
  verdict: 'Drifted',
  reason: null,
  status: 'Inactive',
  ruleMode: null,
  lastUpdated: time(-86_400_000),
  desired: 'Active',
  desiredRuleMode: null,
  notBefore: null,
  deadline: null,
  attempts: 0,
};

export function draft(fields: Partial<EntryDraft> & { readonly chain: string }): EntryDraft {
  const isAccount = /^\d{12}$/.test(fields.chain);
  return {
    id: `${fields.chain}-${fields.at ?? ''}-${fields.type ?? ''}-${fields.reason ?? ''}`,
    at: time(0),
    type: 'DriftDetected',
    accountId: isAccount ? fields.chain : null,
    enrollment: isAccount ? FIRST : null,
    runId: null,
    actor: 'rollcall',
    before: null,
    after: null,
    reason: null,
    rule: null,
    policyHash: null,
    api: null,
    detail: null,
    ...fields,
  };
}

/** Consecutive entries of one chain. */
export function sealAll(
  chain: string,
  parts: readonly Partial<EntryDraft>[],
  head: ChainHead = EMPTY_CHAIN,
): readonly LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const part of parts) {
    const last = entries.at(-1);
    entries.push(sealEntry(draft({ chain, ...part }), last === undefined ? head : headOf(last)));
  }
  return entries;
}

/** A chain of `count` entries, one second apart. */
export function chainOf(chain: string, count: number): readonly LedgerEntry[] {
  return sealAll(
    chain,
    Array.from({ length: count }, (_, index) => ({ at: time(index * 1000), reason: `entry ${index}` })),
  );
}

export const CONDITION: Condition = {
  ...FACET,
  rule: 'production',
  policyHash: 'a'.repeat(64),
  runId: 'run-1',
  since: time(0),
  changedAt: time(0),
  driftSince: time(0),
  claim: null,
  optedOutAt: null,
};

export function record(accountId: string, seq: number, fields: Partial<Condition> = {}): AccountRecord {
  const head = { seq, hash: String(seq).padStart(64, '0') };
  return {
    accountId,
    head,
    present: true,
    conditions: { ...byKind(() => null), [FIRST]: { ...CONDITION, ...fields } },
  };
}

export function work(n: number, fields: { readonly runId?: string; readonly policyHash?: string } = {}): WorkMessage {
  return {
    v: 1,
    kind: 'account',
    accountId: account(n),
    enrollment: FIRST,
    policyHash: 'b'.repeat(64),
    runId: 'run-1',
    planHash: null,
    ...fields,
  };
}

export function facts(n: number, fields: Partial<OrganizationAccount> = {}): OrganizationAccount {
  return {
    id: account(n),
    name: `account ${n}`,
    ou: '/Workloads/Prod',
    state: 'ACTIVE',
    management: false,
    tags: { env: 'prod' },
    ...fields,
  };
}

/** The numbers from 0 to `count` − 1. */
export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** For retention in a store without a transparency log: every entry may be removed. */
export const anyEntry = async (): Promise<number> => Number.POSITIVE_INFINITY;
