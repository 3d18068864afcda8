import { isUnmoved } from '../../domain/account/is-unmoved.ts';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { EntryDraft } from '../../domain/ledger/entry.ts';
import type { ChangeResult } from '../../ports/cloud.ts';
import { writeEntries } from '../ledger/write-entries.ts';
import type { Failure } from './error-policy.ts';
import { type Candidate, failureEntry, intentEntry, type Remediation, successEntry } from './remediation-entries.ts';
import type { WorkContext } from './worker-context.ts';

/** One account of a call, with the record as last written. */
export interface Part<Member extends Candidate> {
  readonly member: Member;
  readonly remediation: Remediation;
  readonly record: AccountRecord;
}

/** The result of the protocol for one account. */
export interface Remediated<Member extends Candidate> {
  readonly member: Member;
  /** The record after the outcome. */
  readonly record: AccountRecord;
  /** `null`: AWS accepted the change. */
  readonly failure: Failure | null;
}

export const unclaimed = <Member extends Candidate>(part: Part<Member>): Part<Member> => ({
  ...part,
  remediation: { ...part.remediation, intentId: null, clientToken: null },
});

export const unsent = <Member extends Candidate>(part: Part<Member>): Part<Member> => ({
  ...part,
  remediation: { ...part.remediation, unsent: true },
});

/**
 * Writes an intent for each account. If a record has changed since the assessment, another worker may have seen something newer, so that account
 * is not claimed. Nor is one with a claim that has expired: the outcome of that intent has to be recorded first.
 * @returns the claimed accounts
 */
export async function claim<Member extends Candidate>(
  work: WorkContext,
  parts: readonly Part<Member>[],
): Promise<readonly Part<Member>[]> {
  const records = await writeEach(work, parts, (current, { remediation }) =>
    mayClaim(current, remediation) ? intentEntry(work, remediation) : null,
  );
  const claimed = parts.map((part, index) => ({ ...part, record: records[index] ?? part.record }));
  return claimed.filter(({ record, remediation }) => holdsClaim(record, remediation));
}

/** The claim of the call that expires first. */
export function soonestClaim<Member extends Candidate>(claims: readonly Part<Member>[]) {
  const [first, ...others] = claims.map(({ record, remediation: { assessment } }) => {
    return { assessment, expiresAt: Date.parse(record.conditions[assessment.enrollment]?.claim?.expiresAt ?? '') };
  });
  if (first === undefined) throw new Error('a call needs an account');
  return others.reduce((soonest, other) => (other.expiresAt < soonest.expiresAt ? other : soonest), first);
}

/** Writes the outcome of each account. With a claim, the claim must still be open; without one, the record must not have changed. */
export async function close<Member extends Candidate>(
  work: WorkContext,
  parts: readonly Part<Member>[],
  failureOf: (remediation: Remediation) => Failure | null,
  answer: Pick<ChangeResult, 'requestId' | 'message'> = { requestId: null, message: null },
): Promise<readonly Remediated<Member>[]> {
  const ends = parts.map((part) => ({ ...part, failure: failureOf(part.remediation) }));
  const records = await writeEach(work, ends, (current, { remediation, failure }) => {
    const isOurs = remediation.intentId === null ? isAsAssessed : holdsClaim;
    if (!isOurs(current, remediation)) return null;
    return failure === null ? successEntry(work, remediation, answer) : failureEntry(work, remediation, failure);
  });
  return ends.map(({ member, record, failure }, index) => ({ member, failure, record: records[index] ?? record }));
}

/** Records a failure that happened before any call: in a read, or in the result of an earlier call. @returns the record after it. */
export async function recordFailure(
  work: WorkContext,
  runId: string,
  candidate: Candidate,
  failure: Failure,
): Promise<AccountRecord> {
  const { record } = candidate;
  const remediation = { ...candidate, runId, intentId: null, clientToken: null, batch: null };
  const [ended] = await close(work, [{ member: candidate, record, remediation }], () => failure);
  return ended?.record ?? record;
}

const isAsAssessed = (current: AccountRecord, { record, assessment }: Remediation): boolean =>
  isUnmoved(current, record, assessment.enrollment);

const mayClaim = (current: AccountRecord, remediation: Remediation): boolean =>
  isAsAssessed(current, remediation) && !current.conditions[remediation.assessment.enrollment]?.claim;

/** Whether the claim of this remediation is still open. If not, claim recovery has closed it. */
const holdsClaim = (current: AccountRecord, { assessment, intentId }: Remediation): boolean =>
  current.conditions[assessment.enrollment]?.claim?.entryId === intentId;

/** Accounts written at a time. */
const CHUNK = 500;

/**
 * Writes at most one entry for each account. The record of an account that is changed alone is stored in the background.
 * @returns the records after it.
 */
async function writeEach<Item extends { readonly record: AccountRecord; readonly remediation: Remediation }>(
  { deps, writer }: WorkContext,
  items: readonly Item[],
  entryFor: (current: AccountRecord, item: Item) => EntryDraft | null,
): Promise<readonly AccountRecord[]> {
  const writes = items.map((item) => ({
    record: item.record,
    decide: (current: AccountRecord): EntryDraft[] => [entryFor(current, item) ?? []].flat(),
  }));
  const [only, ...others] = writes;
  if (only !== undefined && others.length === 0 && items.every(isAlone))
    return [(await writer.write(only.record.accountId, only.decide, only.record)).record];
  const records: AccountRecord[] = [];
  for (let at = 0; at < writes.length; at += CHUNK)
    for (const { record } of await writeEntries(deps, writes.slice(at, at + CHUNK))) records.push(record);
  return records;
}

const isAlone = ({ remediation: { batch, assessment } }: { readonly remediation: Remediation }): boolean =>
  batch === null && assessment.scope !== 'organization' && assessment.scope !== 'configuration';
