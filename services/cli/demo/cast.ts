import type { AccountTruth } from '../../sandbox/engine/accounts.ts';
import type { Sandbox } from '../../sandbox/engine/sandbox.ts';

/** How many accounts opt out together. */
export const BURST = 12;
/** They are chosen among so many accounts, because those that have just been changed count towards the cap already. */
const BURST_FROM = 17;

/**
 * The accounts of the story. Compute Optimizer is disabled only in OUs in which Automation is not managed: it ends with Compute Optimizer, and after an
 * opt-out AWS refuses the opt-in for 24 hours.
 */
export interface Cast {
  /** Drift one at a time and are fixed within seconds. */
  readonly everyday: readonly AccountTruth[];
  /** Some of them are opted out together, so that the change cap stops the fix. */
  readonly burst: readonly AccountTruth[];
  /** Reverted again and again, one after the other. */
  readonly contested: readonly AccountTruth[];
  /** Opted out of Automation, one after the other. */
  readonly coolDown: readonly AccountTruth[];
}

export function castOf(sandbox: Sandbox): Cast {
  const { delegatedAdministratorId } = sandbox.info();
  const members = sandbox
    .accounts()
    .filter(
      ({ accountId, state, management }) => state === 'ACTIVE' && !management && accountId !== delegatedAdministratorId,
    );
  const inUnits = (...ous: readonly string[]): AccountTruth[] => members.filter(({ ou }) => ous.includes(ou));
  const security = inUnits('/Security');
  return {
    everyday: inUnits('/Sandbox', '/Canary'),
    burst: security.slice(0, BURST_FROM),
    contested: security.slice(BURST_FROM),
    coolDown: inUnits('/Workloads/Prod/Payments'),
  };
}

const user = (name: string) => (accountId: string) => `arn:aws:iam::${accountId}:user/${name}`;
const session = (role: string, name: string) => (accountId: string) =>
  `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`;

/** People and programs that change enrollments, by the account in which they act. */
export const ACTORS = {
  everyday: [
    user('maria.lopez'),
    session('SandboxOwner', 'jonas.weber'),
    session('AdministratorAccess', 'priya.raman'),
    user('ci-cleanup'),
  ],
  contested: session('LegacyTerraform', 'nightly-apply'),
  coolDown: session('PaymentsDeploy', 'pipeline-481'),
  burst: session('SecurityTooling', 'hardening-script'),
  /** Approves plans, and edits the policy. */
  approver: session('FinOps', 'sam.okafor'),
} as const;
