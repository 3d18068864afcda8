import type { AccountTruth } from '../../services/sandbox/engine/accounts.ts';
import { desiredOf } from '../../shared/domain/decision/assess.ts';
import { kindOf } from '../../shared/domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../shared/domain/enrollment/model.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';
import type { PlannedRun } from './coverage-checker.ts';
import { type Controls, factsOf } from './policy-checks.ts';

/**
 * The accounts that a scan counts as known without their status: suspended by an operator, exempt, or without anything that the policy manages of this
 * kind and its prerequisites. No listing names the management account, so it is often among them.
 */
export function needNoStatus(
  policy: CompiledPolicy,
  accounts: readonly AccountTruth[],
  { enrollment, planned, controls }: Pick<PlannedRun, 'enrollment' | 'planned'> & { readonly controls: Controls },
): ReadonlySet<AccountId> {
  const kinds = [enrollment, ...kindOf(enrollment).prerequisites];
  const found = new Set(controls.onceSuspended);
  for (const account of accounts) {
    const facts = factsOf(account);
    const state = policy.resolve(facts);
    const isRequired = kinds.some((id) => {
      const { status, ruleMode } = desiredOf(state, facts, id);
      const isManaged = state.mode.value !== 'off' && (status !== null || ruleMode !== null);
      return isManaged && policy.exemption(facts.id, id, planned) === null;
    });
    if (!isRequired) found.add(facts.id);
  }
  return found;
}
