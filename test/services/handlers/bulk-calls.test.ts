import { expect, it } from 'vitest';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

it('the functions remediate many accounts with two calls each, and confirm them by one listing', async () => {
  const world = await deploy({ sandbox: { accounts: 25, drift: 1 }, speed: 1 });
  const { sandbox } = world.sandbox;
  const calls = (operation: string): number =>
    sandbox
      .calls()
      .filter((call) => call.operation === operation)
      .reduce((sum, { count }) => sum + count, 0);
  const { tick, scan, work } = functionsOf(world, { settings: { listingFrom: 10 } });
  const workOff = async (): Promise<void> => {
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
  };
  await tick();
  await scan();
  await workOff();
  const members = sandbox.accounts().filter(({ state, management }) => state === 'ACTIVE' && !management);
  expect(members.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active')).toEqual([]);
  expect(calls('AssumeRole')).toBe(calls('UpdateEnrollmentStatus'));
  expect(calls('AssumeRole')).toBeGreaterThan(15);
  // The scan, and the observation before the changes. The scan reads the management account itself.
  expect(calls('GetEnrollmentStatusesForOrganization')).toBe(2);
  expect(calls('GetEnrollmentStatus')).toBe(1);
  expect(world.events('Drift Resolved')).toEqual([]);

  await tick();
  await workOff();
  expect(calls('GetEnrollmentStatusesForOrganization')).toBe(3);
  expect(calls('GetEnrollmentStatus')).toBe(1);
  await tick();
  expect(world.events('Drift Resolved')).toHaveLength(calls('UpdateEnrollmentStatus'));
});
