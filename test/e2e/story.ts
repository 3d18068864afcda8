import { CHILD_ENV, childFile } from '../support/children.ts';
import { openServedSandbox, type ServedSandbox } from './served-sandbox.ts';

const POLICY = `version: 1
defaults: { computeOptimizer: Active }
rules:
  - id: workloads
    match: { ou: /Workloads }
    automation: Active
guardrails: { maxChanges: { percent: 0, atLeast: 1 } }
limits: { callsPerSecond: 500, concurrency: 8 }
`;
/** An account name with markup. */
export const MARKUP = '<img src=x onerror=alert(1)>';

export interface Story {
  readonly served: ServedSandbox;
  /** An account that was opted out of Automation, so it cannot opt in for a day. */
  readonly cooling: string;
}

/** An organization whose first plan is stopped by a guardrail. */
export async function openStory(): Promise<Story> {
  let cooling = '';
  const served = await openServedSandbox({
    sandbox: { accounts: 40, drift: 0.3, seed: 3, configurationDelayMs: 0 },
    policy: POLICY,
    cli: { file: childFile('cli'), env: CHILD_ENV },
    prepare: ({ sandbox, info }) => {
      // Somebody else's, where the policy does not manage Automation.
      const organizationalUnitId = sandbox.organizationalUnits().find(({ name }) => name === 'Sandbox')?.id;
      sandbox.handle({
        ...{ service: 'aco-automation', operation: 'PutOrganizationEnrollmentConfiguration', requestId: 'by-hand' },
        ...{ callerAccountId: info.managementAccountId },
        input: { target: { organizationalUnitId }, organizationRuleMode: 'NoneAllowed' },
      });
      sandbox.changeAccounts({ add: [{ name: MARKUP, ou: '/Sandbox' }] });
      const account = sandbox.accounts().find(({ ou, state, management, computeOptimizer, automation }) => {
        const enrolled = computeOptimizer.status === 'Active' && automation.status === 'Active';
        return ou.startsWith('/Workloads') && state === 'ACTIVE' && !management && enrolled;
      });
      if (account === undefined) throw new Error('the world has no account that is enrolled in both');
      cooling = account.accountId;
      sandbox.drift({ changes: [{ accountId: cooling, enrollment: 'automation', status: 'Inactive' }] });
    },
  });
  return { served, cooling };
}
