import type { LedgerEntry } from '../../../domain/ledger/entry.ts';
import { type Exemption, parsePolicy } from '../../../domain/policy/index.ts';
import type { PolicyInForce } from './policies.ts';

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
