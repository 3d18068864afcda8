import type { LedgerEntry } from '../../../domain/ledger/entry.ts';

/** A policy that was in force in the period, and when. Times are ISO 8601. */
export interface PolicyInForce {
  readonly entry: LedgerEntry;
  readonly from: string;
  readonly to: string;
  /** Its file in the evidence; `null`: the audit log does not have its text. */
  readonly file: string | null;
}

/** The last of these policy changes. The order of the chain decides, not the times, because clocks differ. */
export function lastInChain(changes: readonly LedgerEntry[]): LedgerEntry | null {
  return changes.reduce<LedgerEntry | null>((last, each) => (last === null || each.seq > last.seq ? each : last), null);
}

/** Whether the entry names the policy that was in force when it was written. */
export function namesPolicy({ type }: LedgerEntry): boolean {
  return type === 'PolicyChanged' || type === 'ScanStarted';
}

/**
 * Why the evidence does not show that the policy from before the period was still in force at its start; `null`: it does. Without this check, the maker
 * of the evidence could leave out a later change of the policy.
 * @param before the entry of that policy; `null`: none
 * @param first the first entry of the period, in the order of the chain, for which {@link namesPolicy} is true; `null`: none
 */
export function policyLimit(before: LedgerEntry | null, first: LedgerEntry | null): string | null {
  const previous = first === null ? null : previousPolicy(first);
  if (before === null) {
    if (previous === null) return null;
    return `The policy that was in force when the period began is missing: the entry of ${first?.at} names policy ${previous.slice(0, 12)}.`;
  }
  if (previous === before.policyHash && previous !== null) return null;
  if (first === null || previous === null)
    return 'No scan of the period shows that the policy from before it was still in force, so a later policy may be missing.';
  return `The policy from before the period was no longer in force when the period began: the entry of ${first.at} names policy ${previous.slice(0, 12)}.`;
}

/** The policy in force just before the entry: a policy change names the policy that it replaces, and a scan names the one that it uses. */
function previousPolicy({ type, policyHash, detail }: LedgerEntry): string | null {
  if (type === 'ScanStarted') return policyHash;
  return /^replaces ([0-9a-f]{64})$/.exec(detail?.message ?? '')?.[1] ?? null;
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
