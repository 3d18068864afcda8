import { expect, it } from 'vitest';
import { ORGANIZATION } from '../../../shared/app/coordination/organization-binding.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext } from './support.ts';

const OTHER = { organizationId: 'o-another', boundAt: 0, by: 'arn:aws:iam::999999999999:role/rollcall' };

it('functions refuse a table of another organization and record nothing in it', async () => {
  const world = await deploy({ sandbox: { accounts: 12, drift: 0.3 } });
  const { stores } = await world.compose('look')();
  await stores.registers.write(ORGANIZATION.name, OTHER, null);
  const { tick, scan, worker } = functionsOf(world);
  expect((await tick()).scanRequested).not.toBeNull();
  const chains = await stores.ledger.chains(null, 100);
  await expect(scan()).rejects.toMatchObject({ code: 'OtherOrganization' });
  const message = { v: 1, kind: 'account', policyHash: 'x', runId: 'r', planHash: null };
  await world.send(JSON.stringify({ ...message, accountId: '111122223333', enrollment: 'computeOptimizer' }));
  const batch = worker(await world.sqsEvent(), lambdaContext(world.clock));
  await expect(batch).rejects.toThrow(/o-another/);
  expect(await stores.ledger.chains(null, 100)).toEqual(chains);
  expect(await stores.snapshots.load()).toBeNull();
  expect(world.sandbox.sandbox.calls().filter(({ operation }) => operation === 'ListAccounts')).toEqual([]);
});

it('the first scan binds the table, and the workers of the same organization continue', async () => {
  const world = await deploy({ sandbox: { accounts: 12, drift: 0.3 } });
  const { tick, scan, work } = functionsOf(world);
  await tick();
  expect(await scan()).toMatchObject([{ result: 'done' }]);
  const { stores } = await world.compose('look')();
  expect((await stores.registers.read(ORGANIZATION.name))?.value).toMatchObject({
    organizationId: world.sandbox.info.organizationId,
  });
  expect((await work())?.failed).toEqual([]);
});
