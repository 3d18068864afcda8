import { runTask, startSandbox } from './child.ts';
import { type Figure, figure } from './figure.ts';
import { applied } from './throttled.ts';

const MEMBERS = 10_000;
const TO_ASSOCIATE = 1_000;
/** AssociateAccounts takes this many accounts [API_automation_AssociateAccounts]. */
const BATCH = 50;

const LIMITS = { callsPerSecond: 1_000_000, concurrency: 16 };

/** All accounts are Inactive and should be Active: one call changes all of them. */
export async function organizationWide(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: MEMBERS, drift: 1 });
  try {
    const policy = 'organization: { organizationEnrollment: auto }\ndefaults: { computeOptimizer: Active }\n';
    const start = performance.now();
    const { changes } = await runTask('apply', { ...LIMITS, policy }, applied, sandbox);
    const calls = await sandbox.mutatingCalls();
    const active = (await sandbox.accounts()).filter(({ state }) => state === 'ACTIVE');
    const left = active.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
    if (left.length > 0) throw new Error(`${left.length} accounts are not Active`);
    return [
      figure({
        name: `mutating calls for ${MEMBERS} accounts, organizationEnrollment: auto`,
        ...{ unit: 'calls', target: { atMost: 1 }, bound: '1', runs: [calls.count] },
        detail: { remediated: changes.succeeded, seconds: Math.round((performance.now() - start) / 1000) },
      }),
    ];
  } finally {
    await sandbox.close();
  }
}

/** Automation in accounts with Compute Optimizer: associated in batches of fifty. */
export async function associations(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: 2 * TO_ASSOCIATE });
  try {
    const members = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
    const never = members.filter(({ automation }) => automation.status === 'Inactive').slice(0, TO_ASSOCIATE);
    if (never.length < TO_ASSOCIATE)
      throw new Error(`the sandbox has only ${never.length} accounts without Automation`);
    const ids = never.map(({ accountId }) => `'${accountId}'`).join(', ');
    const policy = `defaults: { computeOptimizer: unmanaged }
rules:
  - { id: these, match: { accounts: [${ids}] }, computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }
`;
    const start = performance.now();
    const { changes } = await runTask('apply', { ...LIMITS, policy }, applied, sandbox);
    const calls = await sandbox.mutatingCalls();
    if (changes.succeeded !== TO_ASSOCIATE) throw new Error(`not all was associated: ${JSON.stringify(changes)}`);
    return [
      figure({
        name: `mutating calls to associate ${TO_ASSOCIATE} accounts`,
        ...{ unit: 'calls', target: { atMost: TO_ASSOCIATE / BATCH }, runs: [calls.count] },
        bound: `${TO_ASSOCIATE} accounts / ${BATCH} a call = ${TO_ASSOCIATE / BATCH}`,
        detail: { seconds: Math.round((performance.now() - start) / 1000) },
      }),
    ];
  } finally {
    await sandbox.close();
  }
}
