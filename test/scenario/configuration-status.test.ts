import { describe, expect, it } from 'vitest';
import { configurationTable } from '../../services/cli/ui/status-configurations.ts';
import { status } from '../../shared/app/queries/status.ts';
import { put, remove, unit } from '../services/sandbox/configuration-calls.ts';
import { startWorld, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const ASSOCIATED = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;
const MANAGED = { ...ASSOCIATED, automationConfigurations: 'manage' } as const;
const plain = { style: (_: unknown, text: string) => text, width: 80 };

const rowsOf = async (world: World) => {
  const { policy } = world.wire;
  const now = world.clock.now();
  return (await world.look((store) => status(store, { policy, now }))).configurations;
};

describe('the status of organization enrollment configurations', () => {
  it('names for each who stored it, what the policy wants, and what to do', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0, configurationDelayMs: 0 },
      policy: { ...MANAGED, guardrails: '{ maxChanges: { percent: 100 }, maxOptOuts: { percent: 100 } }' },
    });
    await put(world.running, unit(world.running, 'Dev'), 'NoneAllowed');
    const { accountId } = world.member(({ ou }) => ou === '/Sandbox');
    await put(world.running, accountId, 'AnyAllowed');
    await world.run();
    const root = world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null)?.id ?? '';
    const dev = world.truth().filter(({ ou, state }) => ou === '/Workloads/Dev' && state === 'ACTIVE').length;
    const rows = await rowsOf(world);
    expect(rows).toEqual([
      {
        ...{ targetId: unit(world.running, 'Dev'), target: '/Workloads/Dev', ruleMode: 'NoneAllowed', owner: 'other' },
        ...{ wanted: ['AnyAllowed'], accounts: dev, differing: dev, status: 'Needs attention' },
        message: 'somebody else stored it, so a change needs an approval; rollcall plan shows whether one is planned',
      },
      {
        ...{ targetId: root, target: '/', ruleMode: 'AnyAllowed', owner: 'rollcall', wanted: ['AnyAllowed'] },
        ...{ accounts: expect.any(Number), differing: 0, status: 'Compliant', message: null },
      },
      {
        ...{ targetId: accountId, target: accountId, ruleMode: 'AnyAllowed', owner: 'other', wanted: ['AnyAllowed'] },
        ...{ accounts: 1, differing: 0, status: 'Compliant', message: null },
      },
    ]);
    const lines = configurationTable(rows, plain);
    for (const line of lines.slice(0, 6)) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).toMatch(/\/Workloads\/Dev.*NoneAllowed +others +AnyAllowed +\d+ +Needs attention/);
    expect(lines.at(-1)).toBe(
      `/Workloads/Dev: ${dev} of ${dev} accounts differ; somebody else stored it, so a change needs an approval; rollcall plan shows whether one is planned.`,
    );
  });

  it('separates what a run changes from what a person must change', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, configurationDelayMs: 0 }, policy: MANAGED });
    await world.run();
    const changed = { automation: 'Active', organizationRules: 'NoneAllowed' } as const;
    await world.plan({ policy: { ...MANAGED, ...changed } });
    const closed = { more: 'windows: [{ kind: allow, cron: "0 3 1 1 *", duration: 1h }]' };
    await world.run({ policy: { ...MANAGED, ...changed, ...closed } });
    expect(await rowsOf(world)).toMatchObject([
      { target: '/', owner: 'rollcall', wanted: ['NoneAllowed'], status: 'Drifted' },
    ]);
    await world.run({ policy: { ...changed, automationConfigurations: 'observe' } });
    expect(await rowsOf(world)).toMatchObject([
      { target: '/', status: 'Needs attention', message: 'change or delete it in AWS, or change the policy' },
    ]);
  });

  it('shows a contested configuration, although AWS no longer stores it', async () => {
    const world = await startWorld({ sandbox: { accounts: 40, drift: 0, configurationDelayMs: 0 }, policy: MANAGED });
    const root = world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null)?.id ?? '';
    await world.run();
    for (let times = 0; times < 3; times += 1) {
      await remove(world.running, root);
      world.clock.advance(HOUR_MS);
      await world.run();
    }
    expect(await rowsOf(world)).toEqual([
      {
        ...{ targetId: root, target: '/', ruleMode: 'AnyAllowed', owner: 'rollcall', wanted: ['AnyAllowed'] },
        ...{ accounts: 0, differing: 0, status: 'Needs attention' },
        message: 'contested: somebody else keeps deleting it; to store it again: rollcall resume ou:/',
      },
      // Without the one of the root, Rollcall stored one for this OU, in which no account is active.
      expect.objectContaining({ target: '/Canary', owner: 'rollcall', accounts: 0, status: 'Unknown' }),
    ]);
  });
});
