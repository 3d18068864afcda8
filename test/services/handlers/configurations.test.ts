import { expect, it } from 'vitest';
import { approve } from '../../../shared/app/guardrails/approvals.ts';
import { halt, unhalt } from '../../../shared/app/guardrails/controls.ts';
import { settleControls } from '../../../shared/app/operator/apply-controls.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

const MANAGED = { automation: 'Active', organizationRules: 'AnyAllowed', automationConfigurations: 'manage' } as const;
const NOT_IN_DEV = `rules: [{ id: dev, match: { ou: /Workloads/Dev }, organizationRules: NoneAllowed }]`;
const WRITES = new Set([
  'PutOrganizationEnrollmentConfiguration',
  'DeleteOrganizationEnrollmentConfiguration',
  'AssociateAccounts',
  'DisassociateAccounts',
  'UpdateEnrollmentConfiguration',
]);

it('functions plan and make the calls for configurations, and then find nothing to do', {
  timeout: 180_000,
}, async () => {
  const world = await deploy({
    sandbox: { accounts: 24, drift: 0, configurationDelayMs: 5_000 },
    policy: { ...MANAGED, more: NOT_IN_DEV },
  });
  const { sandbox } = world.sandbox;
  const { tick, scan, work } = functionsOf(world);
  await tick();
  expect(await scan()).toMatchObject([{ result: 'done' }]);
  const kinds = new Set<string>();
  for (let batch = await work(); batch !== null; batch = await work()) {
    expect(batch.failed).toEqual([]);
    for (const { body } of batch.event.Records) kinds.add(JSON.parse(body).kind);
  }
  expect(kinds).toContain('configurations');

  const units = sandbox.organizationalUnits();
  const root = units.find(({ parentId }) => parentId === null)?.id ?? '';
  const dev = units.find(({ name }) => name === 'Dev')?.id ?? '';
  const stored = sandbox.configurations().map(({ targetId, organizationRuleMode }) => [targetId, organizationRuleMode]);
  expect(Object.fromEntries(stored)).toEqual({ [root]: 'AnyAllowed', [dev]: 'NoneAllowed' });
  const writes = () => sandbox.calls().filter(({ operation }) => WRITES.has(operation));
  expect(writes().map(({ operation, count }) => [operation, count])).toEqual([
    ['PutOrganizationEnrollmentConfiguration', 2],
  ]);
  const members = sandbox.accounts().filter(({ management, state }) => !management && state === 'ACTIVE');
  for (const { ou, automation } of members) {
    const organizationRuleMode = ou === '/Workloads/Dev' ? 'NoneAllowed' : 'AnyAllowed';
    expect(automation).toMatchObject({ status: 'Active', organizationRuleMode });
  }
  const { stores } = await world.compose('look')();
  const { entries } = await stores.ledger.query({ type: 'ConfigurationEnded' }, { limit: 10, order: 'oldestFirst' });
  expect(entries.map(({ detail }) => detail?.configuration?.target)).toEqual(['/Workloads/Dev', '/']);

  world.clock.advance(3_600_000);
  await tick();
  expect(await scan()).toMatchObject([{ result: 'done' }]);
  expect(await work()).toBeNull();
  expect(writes()).toHaveLength(1);
  expect(await world.dead()).toEqual([]);
});

it('functions make the approved calls for configurations after a halt that came before them', {
  timeout: 180_000,
}, async () => {
  const world = await deploy({
    sandbox: { accounts: 24, drift: 0, configurationDelayMs: 0, scenario: 'configurations' },
    policy: MANAGED,
  });
  const { sandbox } = world.sandbox;
  const { tick, scan, work } = functionsOf(world);
  const workOff = async (): Promise<void> => {
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
  };
  const modes = () => new Set(sandbox.configurations().map(({ organizationRuleMode }) => organizationRuleMode));
  await tick();
  await scan();
  await workOff();
  expect(modes()).toContain('NoneAllowed');
  const { stores, clock, newId } = await world.compose('cli')();
  const deps = { ...stores, clock, newId, actor: 'alice' };
  const [{ name = '' } = {}] = await stores.registers.list('plan/');
  await approve(deps, name.slice('plan/'.length), { actor: 'alice', reason: null });
  await tick();
  expect(await scan()).toMatchObject([{ result: 'done' }]);
  const before = sandbox.configurations();
  await halt(deps, null);
  await settleControls(deps);
  await workOff();
  expect(sandbox.configurations()).toEqual(before);
  world.clock.advance(60_000);
  await unhalt(deps);
  await settleControls(deps);
  await tick();
  await scan();
  await workOff();
  expect(modes()).toEqual(new Set(['AnyAllowed']));
  expect(await world.dead()).toEqual([]);
});
