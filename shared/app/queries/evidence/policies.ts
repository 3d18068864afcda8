import type { LedgerEntry } from '../../../domain/ledger/entry.ts';

/** A policy that was in force in the period, and when. Times are ISO 8601. */
export interface PolicyInForce {
  readonly entry: LedgerEntry;
  readonly from: string;
  readonly to: string;
  /** Its file in the evidence; `null`: the audit log does not have its text. */
  readonly file: string | null;
}

/** @param changes the `PolicyChanged` entries, oldest first: the one before the period, if any, and those of the period */
export function policiesInForce(
  changes: readonly LedgerEntry[],
  { since, until }: { readonly since: string; readonly until: string },
): readonly PolicyInForce[] {
  return changes.map((entry, at) => {
    const number = String(at + 1).padStart(4, '0');
    const file = `policies/${number}-${(entry.policyHash ?? 'unknown').slice(0, 12)}.yaml`;
    return {
      entry,
      from: entry.at < since ? since : entry.at,
      to: changes[at + 1]?.at ?? until,
      file: entry.detail?.policy === undefined ? null : file,
    };
  });
}

export function policyIndex(policies: readonly PolicyInForce[]) {
  return policies.map(({ entry, from, to, file }) => {
    const { id, at, actor, policyHash, detail } = entry;
    const name = detail?.policy?.file ?? null;
    return { policyHash, file, name, inForceFrom: from, inForceTo: to, changedAt: at, actor, entryId: id };
  });
}

/** The approvals among the entries. */
export function approvalOf({ id, at, actor, policyHash, detail }: LedgerEntry) {
  const { planHash = null, message = null, summary = {} } = detail ?? {};
  return { at, actor, reason: message, planHash, policyHash, ...summary, entryId: id };
}
