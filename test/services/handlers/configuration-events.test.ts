import { describe, expect, it } from 'vitest';
import { makeHandler as makeReactor } from '../../../services/reactor/handler.ts';
import { put, unit } from '../sandbox/configuration-calls.ts';
import { control } from '../sandbox/support.ts';
import { functionsOf } from './functions.ts';
import { type Deployment, deploy, lambdaContext } from './support.ts';

const MINUTE_MS = 60_000;
const WANTED = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;

async function trailOf({ sandbox }: Deployment): Promise<readonly unknown[]> {
  const { body } = await control(sandbox, 'trail');
  return Array.isArray(body['events']) ? body['events'] : [];
}

describe('the events of configurations in the aws runtime', { timeout: 180_000 }, () => {
  it('lead to a scan, whose entries name the caller in every account', async () => {
    const world = await deploy({
      sandbox: { accounts: 16, drift: 0, configurationDelayMs: 4 * MINUTE_MS },
      policy: { ...WANTED, more: 'schedule: 12h' },
    });
    const { tick, scan, work } = functionsOf(world);
    const workOff = async () => {
      for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    };
    await tick();
    expect(await scan()).toMatchObject([{ result: 'done' }]);
    await workOff();
    world.clock.advance(10 * MINUTE_MS);
    await tick();
    expect(await scan()).toEqual([]);

    const by = world.sandbox.info.delegatedAdministratorId;
    await put(world.sandbox, unit(world.sandbox, 'Workloads'), 'NoneAllowed', by);
    const reactor = makeReactor(world.compose('reactor'));
    const event = (await trailOf(world)).at(-1);
    expect(await reactor(event, lambdaContext(world.clock))).toMatchObject({ scan: true, ours: false });
    let scans = 0;
    for (let minute = 0; minute < 7; minute += 1) {
      world.clock.advance(MINUTE_MS);
      await tick();
      scans += (await scan()).length;
      await workOff();
    }
    expect(scans).toBe(2);
    const { stores } = await world.compose('look')();
    const governed = world.sandbox.sandbox
      .accounts()
      .filter(({ ou, state }) => ou.startsWith('/Workloads') && state === 'ACTIVE');
    expect(governed.length).toBeGreaterThan(3);
    for (const { accountId } of governed) {
      const { entries } = await stores.ledger.query({ accountId, type: 'DriftDetected' }, { limit: 1 });
      expect(entries[0]?.detail?.changedBy).toMatchObject({
        actor: `arn:aws:iam::${by}:user/sandbox`,
        operation: 'PutOrganizationEnrollmentConfiguration',
      });
    }
    expect(await world.dead()).toEqual([]);
  });

  it("of Rollcall's own calls lead to nothing", async () => {
    const world = await deploy({
      sandbox: { accounts: 12, drift: 0, configurationDelayMs: 5_000 },
      policy: { ...WANTED, automationConfigurations: 'manage' },
    });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const reactor = makeReactor(world.compose('reactor'));
    const events = await trailOf(world);
    expect(events.length).toBeGreaterThan(0);
    for (const event of events)
      expect(await reactor(event, lambdaContext(world.clock))).toMatchObject({ ours: true, scan: false, queued: [] });
  });
});
