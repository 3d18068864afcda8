import { describe, expect, test } from 'vitest';
import type { AccountTruth } from '../../../services/sandbox/engine/accounts.ts';
import { createSandbox, type Sandbox } from '../../../services/sandbox/engine/sandbox.ts';
import { resolveOptions, type SandboxOptions } from '../../../services/sandbox/options.ts';
import { isScenarioName, SCENARIOS } from '../../../services/sandbox/scenarios.ts';
import { startSandbox } from '../../../services/sandbox/start.ts';
import { HOUR_MS, START } from './support.ts';

const clock = { now: () => START };
const world = (options: SandboxOptions, at = clock): Sandbox => createSandbox(resolveOptions(options), { clock: at });
const active = (sandbox: Sandbox): AccountTruth[] =>
  sandbox
    .accounts()
    .filter(
      ({ accountId, management, state }) =>
        !management && state === 'ACTIVE' && accountId !== sandbox.info().delegatedAdministratorId,
    );

describe('the organization', () => {
  test('is the same for the same seed on any day, and differs for another seed', () => {
    const options = { accounts: 300, drift: 0.2, brokenRoles: 0.1 };
    const first = world({ ...options, seed: 7 });
    const later = world({ ...options, seed: 7 }, { now: () => START + 1000 * 24 * HOUR_MS });
    expect(later.accounts()).toEqual(first.accounts());
    expect(later.info()).toEqual(first.info());
    expect(world({ ...options, seed: 8 }).info().organizationId).not.toBe(first.info().organizationId);
  });

  test('has the same ids, names and OUs with any other options', () => {
    const identity = (sandbox: Sandbox) =>
      sandbox.accounts().map(({ accountId, name, ou, tags, state }) => ({ accountId, name, ou, tags, state }));
    const plain = identity(world({ accounts: 80 }));
    expect(identity(world({ accounts: 80, drift: 0.5, brokenRoles: 0.5, coolingDown: 0.5, pendingMs: 5 }))).toEqual(
      plain,
    );
  });

  test.each([2, 3, 25, 500, 2000])(
    'of %i accounts has that many, with well-formed and unique ids and names',
    (accounts) => {
      const sandbox = world({ accounts });
      const all = sandbox.accounts();
      const info = sandbox.info();
      expect(all).toHaveLength(accounts);
      expect(info).toMatchObject({
        accounts,
        memberRole: 'RollcallMember',
        organizationId: expect.stringMatching(/^o-[a-z0-9]{10}$/),
      });
      expect(new Set(all.map(({ accountId }) => accountId)).size).toBe(accounts);
      expect(new Set(all.map(({ name }) => name)).size).toBe(accounts);
      expect(all.every(({ accountId }) => /^[1-9]\d{11}$/.test(accountId))).toBe(true);
      expect(all.filter(({ management }) => management).map(({ accountId }) => accountId)).toEqual([
        info.managementAccountId,
      ]);
      expect(all.some(({ accountId }) => accountId === info.delegatedAdministratorId)).toBe(true);
      const closed = all.filter(({ state }) => state !== 'ACTIVE').length;
      expect(closed).toBe(accounts < 12 ? 0 : Math.max(2, Math.round((accounts - 2) * 0.02)));
    },
  );

  test('drift is a fraction of the active members, Inactive in both enrollments', () => {
    for (const drift of [0, 0.2, 1]) {
      const sandbox = world({ accounts: 500, drift });
      const members = active(sandbox);
      const drifted = members.filter(({ computeOptimizer }) => computeOptimizer.status === 'Inactive');
      expect(drifted).toHaveLength(Math.round(members.length * drift));
      expect(
        drifted.every(
          ({ automation }) => automation.status === 'Inactive' && automation.organizationRuleMode === 'NoneAllowed',
        ),
      ).toBe(true);
    }
  });
});

describe('scenarios', () => {
  test('each one starts a sandbox', () => {
    for (const scenario of Object.keys(SCENARIOS)) {
      expect(isScenarioName(scenario)).toBe(true);
      expect(world({ scenario }).info().accounts).toBe(resolveOptions({ scenario }).accounts);
    }
    for (const name of ['small', 'demo', 'large', 'stormy', 'broken-roles', 'cooldown'])
      expect(isScenarioName(name)).toBe(true);
  });

  test('other options override the scenario; 0 switches throttling off', () => {
    const demo = resolveOptions({ scenario: 'demo' });
    expect(demo).toMatchObject({ accounts: 500, drift: 0.2, rate: expect.any(Number), orgRate: expect.any(Number) });
    expect(resolveOptions({ scenario: 'demo', accounts: 40, rate: 0 })).toEqual({
      ...demo,
      accounts: 40,
      rate: undefined,
    });
  });

  test('demo: all drift can be remediated', () => {
    const sandbox = world({ scenario: 'demo' });
    const drifted = active(sandbox).filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active');
    expect(drifted.length).toBeGreaterThan(80);
    expect(drifted.every(({ roleAssumable }) => roleAssumable)).toBe(true);
    const longAgo = ({ automation }: AccountTruth) => automation.lastUpdatedTimestamp.getTime() < START - 24 * HOUR_MS;
    expect(drifted.every(longAgo)).toBe(true);
  });

  test('broken-roles: some roles are broken, also of drifted accounts', () => {
    const broken = active(world({ scenario: 'broken-roles' })).filter(({ roleAssumable }) => !roleAssumable);
    expect(broken.length).toBeGreaterThan(10);
    expect(broken.some(({ computeOptimizer }) => computeOptimizer.status === 'Inactive')).toBe(true);
  });

  test('cooldown: some opted out of Automation within a day, others are associated', () => {
    const members = active(world({ scenario: 'cooldown' }));
    const cooling = members.filter(
      ({ automation }) => automation.lastUpdatedTimestamp.getTime() > START - 24 * HOUR_MS,
    );
    expect(cooling.length).toBeGreaterThan(5);
    expect(cooling.every(({ automation }) => automation.status === 'Inactive')).toBe(true);
    expect(members.some(({ automation }) => automation.organizationRuleMode === 'AnyAllowed')).toBe(true);
  });
});

test.each([
  [{ scenario: 'huge' }, 'small, demo'],
  [{ accounts: 1 }, 'accounts'],
  [{ accounts: 2.5 }, 'accounts'],
  [{ drift: 1.1 }, 'drift'],
  [{ drift: -0.1 }, 'drift'],
  [{ rate: -1 }, 'rate'],
  [{ latencyMs: -1 }, 'latencyMs'],
  [{ pendingMs: Number.NaN }, 'pendingMs'],
  [{ seed: 0.5 }, 'seed'],
  [{ memberRole: 'has space' }, 'memberRole'],
])('options %j are refused', (options, named) => {
  expect(() => resolveOptions(options)).toThrow(named);
});

test('an unknown option is rejected', () => {
  const misspelt = { accounts: 5, acounts: 6 };
  expect(() => resolveOptions(misspelt)).toThrow('acounts');
});

test('a sandbox of 10,000 accounts starts quickly, and one of 100,000 works', async () => {
  for (const accounts of [10_000, 100_000]) {
    const began = performance.now();
    const running = await startSandbox({ accounts, port: 0 });
    process.stdout.write(`sandbox with ${accounts} accounts: up in ${Math.round(performance.now() - began)} ms\n`);
    expect(running.info.accounts).toBe(accounts);
    await running.close();
  }
});
