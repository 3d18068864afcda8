import { ENROLLMENT_IDS, type EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import type { CompiledPolicy, Guardrails } from '../../domain/policy/index.ts';
import { FIELDS, type Field, type OrganizationAccount } from '../../domain/policy/types.ts';

/** What a change of the policy means for the accounts of the last snapshot. */
export function policyEffect(
  from: CompiledPolicy,
  to: CompiledPolicy,
  accounts: readonly OrganizationAccount[],
  now: EpochMs,
) {
  const known = accounts.filter((account) => from.canDecide(account) && to.canDecide(account));
  return {
    settings: settingChanges(from, to, known),
    exemptions: ENROLLMENT_IDS.flatMap((enrollment) => exemptionChange(from, to, known, { enrollment, now })),
    guardrails: guardrailChanges(from.policy.guardrails, to.policy.guardrails),
  };
}

/** The accounts for which a field has another value, by field and values. */
function settingChanges(from: CompiledPolicy, to: CompiledPolicy, accounts: readonly OrganizationAccount[]) {
  const counts = new Map<string, { field: Field; from: string; to: string; accounts: number }>();
  for (const account of accounts) {
    const [old, now] = [from.resolve(account), to.resolve(account)];
    for (const field of FIELDS) {
      const [before, after] = [old[field].value, now[field].value];
      if (before === after) continue;
      const key = `${field} ${before} ${after}`;
      const known = counts.get(key) ?? { field, from: before, to: after, accounts: 0 };
      counts.set(key, { ...known, accounts: known.accounts + 1 });
    }
  }
  return [...counts.values()].sort((a, b) => b.accounts - a.accounts);
}

function exemptionChange(
  from: CompiledPolicy,
  to: CompiledPolicy,
  accounts: readonly OrganizationAccount[],
  { enrollment, now }: { readonly enrollment: EnrollmentId; readonly now: EpochMs },
) {
  const isExempt = (policy: CompiledPolicy, id: string): boolean => policy.exemption(id, enrollment, now) !== null;
  const began = accounts.filter(({ id }) => !isExempt(from, id) && isExempt(to, id)).length;
  const ended = accounts.filter(({ id }) => isExempt(from, id) && !isExempt(to, id)).length;
  return began === 0 && ended === 0 ? [] : [{ enrollment, began, ended }];
}

const capText = ({ percent, atLeast }: Guardrails['maxChanges']): string => `${percent}%, at least ${atLeast}`;

function guardrailChanges(from: Guardrails, to: Guardrails) {
  const texts = (guardrails: Guardrails) => ({
    maxChanges: capText(guardrails.maxChanges),
    maxOptOuts: capText(guardrails.maxOptOuts),
    minCoverage: `${guardrails.minCoverage}%`,
    failureTolerance: `${guardrails.failureTolerance}%`,
  });
  const [old, now] = [texts(from), texts(to)];
  const names = ['maxChanges', 'maxOptOuts', 'minCoverage', 'failureTolerance'] as const;
  return names.flatMap((guardrail) => {
    const [before, after] = [old[guardrail], now[guardrail]];
    return before === after ? [] : [{ guardrail, from: before, to: after }];
  });
}
