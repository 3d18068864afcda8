import type { LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { account, FACET, FIRST, sealAll, time } from '../../../../contract/samples.ts';

export const POLICY_TEXT = `version: 1
defaults: { ${FIRST}: Active }
exemptions:
  - accounts: ["${account(2)}"]
    until: 2026-06-30
    reason: migration freeze
    owner: finops@example.com
`;

/** Nine entries of two chains: a policy, an approval, and a drift that Rollcall fixes. */
export function history(): readonly LedgerEntry[] {
  const policyHash = 'c'.repeat(64);
  const policy = { file: 'rollcall.yaml', text: POLICY_TEXT };
  const compliant = { ...FACET, verdict: 'Compliant', status: 'Active' } as const;
  const organization = sealAll('organization', [
    { type: 'PolicyChanged', at: time(0), policyHash, detail: { policy } },
    { type: 'ScanStarted', at: time(1), policyHash },
    {
      type: 'PlanApproved',
      at: time(2),
      actor: 'alice',
      policyHash,
      detail: { planHash: 'd'.repeat(64), message: 'adoption' },
    },
    { type: 'ScanCompleted', at: time(9), policyHash },
  ]);
  const intent = { before: FACET, after: FACET, reason: 'statusDiffers', rule: 'production', policyHash };
  const api = { operation: 'UpdateEnrollmentStatus', requestId: null, clientToken: null };
  const changed = sealAll(account(1), [
    { type: 'AccountJoined', enrollment: null, at: time(3), id: 'joined' },
    { type: 'DriftDetected', at: time(4), after: FACET, reason: 'statusDiffers', id: 'drift' },
    { ...intent, type: 'RemediationStarted', at: time(5), id: 'intent', api, detail: { target: 'Active' } },
    { ...intent, type: 'RemediationSucceeded', at: time(6), id: 'done', api, detail: { intentId: 'intent' } },
    { type: 'DriftResolved', at: time(7), before: FACET, after: compliant, id: 'resolved' },
  ]);
  return [...organization.slice(0, 3), ...changed, ...organization.slice(3)];
}
