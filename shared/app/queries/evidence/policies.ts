import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { type Exemption, parsePolicy } from '../../../domain/policy/index.ts';

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

interface GrantedExemption extends Pick<Exemption, 'accounts' | 'enrollment' | 'until' | 'reason' | 'owner'> {
  /** The policies that grant it, and for how long they were in force in the period. */
  readonly grantedBy: { readonly policyHash: string | null; readonly from: string; readonly to: string }[];
}

/** The exemptions of all policies of the period. One that several policies grant is listed once. */
export function exemptionsOf(policies: readonly PolicyInForce[]): readonly GrantedExemption[] {
  const found = new Map<string, GrantedExemption>();
  for (const { entry, from, to } of policies) {
    for (const { accounts, enrollment, until, reason, owner } of exemptionsIn(entry)) {
      const content = { accounts, enrollment, until, reason, owner };
      const key = JSON.stringify(content);
      const known = found.get(key) ?? { ...content, grantedBy: [] };
      known.grantedBy.push({ policyHash: entry.policyHash, from, to });
      found.set(key, known);
    }
  }
  return [...found.values()];
}

function exemptionsIn({ at, detail }: LedgerEntry): readonly Exemption[] {
  const kept = detail?.policy;
  if (kept === undefined) return [];
  const read = parsePolicy(kept.text, { file: kept.file, now: Date.parse(at), env: null });
  return read.ok ? read.policy.exemptions : [];
}

/** The approvals among the entries. */
export function approvalOf({ id, at, actor, policyHash, detail }: LedgerEntry) {
  const { planHash = null, message = null, summary = {} } = detail ?? {};
  return { at, actor, reason: message, planHash, policyHash, ...summary, entryId: id };
}
