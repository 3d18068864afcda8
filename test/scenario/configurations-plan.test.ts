import { describe, expect, it } from 'vitest';
import { configurationsText } from '../../services/cli/ui/plan-configurations.ts';
import { startWorld, type World } from '../support/world.ts';

const ASSOCIATED = { automation: 'Active', organizationRules: 'AnyAllowed' } as const;
const MANAGED = { ...ASSOCIATED, automationConfigurations: 'manage' } as const;
const NOT_IN_DEV = `rules: [{ id: dev, match: { ou: /Workloads/Dev }, organizationRules: NoneAllowed }]`;

/** A call to AWS by somebody else in the management account. */
function put(world: World, name: string, organizationRuleMode: string): void {
  const id = world.sandbox.organizationalUnits().find((unit) => unit.name === name)?.id;
  const operation = 'PutOrganizationEnrollmentConfiguration';
  const input = { target: { organizationalUnitId: id }, organizationRuleMode };
  const service = 'aco-automation' as const;
  const requestId = `request-${name}`;
  const answer = world.sandbox.handle({ service, operation, callerAccountId: world.managementId, input, requestId });
  expect(answer.kind).toBe('ok');
  world.clock.advance(10 * 60_000);
}

const shortOf = (plan: Awaited<ReturnType<World['plan']>>) =>
  plan.configurations?.calls.map(({ target, ruleMode, joiners, owner, needsApproval }) =>
    [target, ruleMode, joiners, owner, needsApproval ? 'needs approval' : ''].join(' ').trim(),
  );

describe('the plan of organization enrollment configurations', () => {
  it('needs one call at the root and one for each OU that differs, and counts every account', async () => {
    const world = await startWorld({
      sandbox: { accounts: 400, drift: 0 },
      policy: { ...MANAGED, more: NOT_IN_DEV },
    });
    const without = await world.plan({ policy: { automationConfigurations: 'observe' } });
    const plan = await world.plan();
    expect(shortOf(plan)).toEqual(['/Workloads/Dev NoneAllowed NoneAllowed none', '/ AnyAllowed AnyAllowed none']);
    const covered = plan.due.filter(({ scope }) => scope === 'configuration').length;
    expect(covered).toBeGreaterThan(0);
    expect(plan.calls[0]).toMatchObject({
      ...{ operation: 'PutOrganizationEnrollmentConfiguration', scope: 'configuration', accounts: covered, calls: 2 },
    });
    expect(plan.configurations?.callsSaved).toBe(without.totals.calls - plan.totals.calls);
    expect(plan.planHash).not.toBe(without.planHash);
  });

  it('is not made in OUs that somebody else has configured, unless an approved plan names them', async () => {
    const world = await startWorld({ sandbox: { accounts: 200, drift: 0 }, policy: MANAGED });
    put(world, 'Dev', 'NoneAllowed');
    const plan = await world.plan();
    expect(shortOf(plan)).toEqual([
      '/ AnyAllowed AnyAllowed none',
      '/Workloads/Dev AnyAllowed AnyAllowed other needs approval',
    ]);
    const text = configurationsText(plan, {
      style: (_, line) => line,
      width: 80,
    });
    expect(text.find((line) => line.startsWith('Needs approval'))).toMatch(
      /^Needs approval: somebody else set the configuration of \/Workloads\/Dev \(ou-/,
    );
    for (const line of text.slice(0, 5)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('makes no call if a listing of configurations or OUs fails, and says so', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: MANAGED });
    const operation = 'ListOrganizationEnrollmentConfigurations';
    world.sandbox.setFaults([{ operation, kind: 'denied' }]);
    const plan = await world.plan();
    expect(plan.configurations).toMatchObject({
      ...{ calls: [], callsSaved: 0 },
      notCovered: [{ ou: '/', why: expect.stringContaining('could not be read') }],
    });
    expect(plan.due.every(({ scope }) => scope !== 'configuration')).toBe(true);
  });

  it('is empty once the configurations are as the policy wants them', async () => {
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: MANAGED });
    const root = world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null);
    put(world, root?.name ?? '', 'AnyAllowed');
    expect((await world.plan()).configurations?.calls).toEqual([]);
  });

  it('shows a configuration that stays because it applies to unmanaged accounts', async () => {
    const world = await startWorld({
      sandbox: { accounts: 60, drift: 0 },
      policy: {
        ...MANAGED,
        more: 'rules: [{ id: own, match: { ou: /Workloads/Dev }, automation: unmanaged, organizationRules: unmanaged }]',
      },
    });
    put(world, 'Workloads', 'NoneAllowed');
    const plan = await world.plan();
    const targetId = world.sandbox.organizationalUnits().find(({ name }) => name === 'Workloads')?.id;
    expect(plan.configurations?.kept).toEqual([
      {
        targetId,
        target: '/Workloads',
        ruleMode: 'NoneAllowed',
        why: expect.stringMatching(/^account \d{12}: .*\(own\); /),
      },
    ]);
    const text = configurationsText(plan, { style: (_, line) => line, width: 80 });
    const kept = text.findIndex((line) => line.startsWith('Kept: /Workloads (NoneAllowed): account '));
    expect(kept).toBeGreaterThan(0);
    expect(text.slice(kept + 1).every((line) => line.startsWith('Not covered: '))).toBe(true);
  });

  it('does not ask to delete a configuration below another one that stays and keeps the same accounts enrolled', async () => {
    const policy = {
      ...MANAGED,
      ...{ automation: 'Inactive', organizationRules: 'NoneAllowed' },
      more: 'rules: [{ id: own, match: { ou: /Sandbox }, automation: unmanaged, organizationRules: unmanaged }]',
    } as const;
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy });
    const root = world.sandbox.organizationalUnits().find(({ parentId }) => parentId === null);
    put(world, root?.name ?? '', 'NoneAllowed');
    put(world, 'Workloads', 'NoneAllowed');
    const { configurations } = await world.plan();
    expect(configurations?.kept).toMatchObject([{ target: '/' }]);
    expect(configurations?.calls).toEqual([]);
  });

  it('waits with its accounts for a change window, and counts them', async () => {
    const windows = 'windows: [{ kind: allow, cron: "0 3 1 1 *", duration: 1h }]';
    const world = await startWorld({ sandbox: { accounts: 60, drift: 0 }, policy: { ...MANAGED, more: windows } });
    const plan = await world.plan();
    expect(shortOf(plan)).toEqual(['/ AnyAllowed AnyAllowed none']);
    expect(plan.due).toEqual([]);
    const waiting = plan.changes.filter(({ scope }) => scope === 'configuration');
    expect(waiting.length).toBeGreaterThan(0);
    for (const change of waiting) expect(change).toMatchObject({ action: 'none', reason: 'window' });
  });
});
