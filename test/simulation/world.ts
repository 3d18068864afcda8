import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Caller } from '../../shared/domain/enrollment/model.ts';
import type { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;

/** The organization of a seed. */
export function worldOf(seed: number, chance: SeededRandom) {
  return {
    ...{ seed, accounts: chance.between(5, 12), drift: chance.random(), latencyMs: 0, faults: [] },
    pendingMs: chance.of([0, 0, 20_000, 30 * MINUTE]),
    brokenRoles: chance.of([0, 0, 0.2]),
    coolingDown: chance.of([0, 0, 0.3]),
    rate: chance.of([undefined, 5]),
    orgRate: chance.of([undefined, 2]),
  };
}

/** Rollcall's own identity, in the management account. */
export function callerOf(sandbox: Sandbox): Caller {
  const { organizationId, managementAccountId } = sandbox.info();
  const arn = `arn:aws:iam::${managementAccountId}:role/rollcall`;
  return {
    accountId: managementAccountId,
    ...{ arn, partition: 'aws', organizationId, managementAccountId, role: 'management' },
  };
}
