import { describe, expect, test } from 'vitest';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import type { ApiAnswer } from '../../../services/sandbox/engine/types.ts';
import { START } from './support.ts';

function hub(accounts = 25) {
  let now = START;
  const sandbox = createSandbox({ accounts }, { clock: { now: () => now } });
  const { managementAccountId: management, delegatedAdministratorId: delegate } = sandbox.info();
  const call = (operation: string, input: object = {}, callerAccountId = management): ApiAnswer =>
    sandbox.handle({ service: 'cost-optimization-hub', operation, callerAccountId, input, requestId: '-' });
  const output = (answer: ApiAnswer) => (answer.kind === 'ok' ? answer.output : expect.fail(JSON.stringify(answer)));
  const list = (input: object = {}, caller = management) => output(call('ListEnrollmentStatuses', input, caller));
  const isMember = ({ accountId, state }: { accountId: string; state: string }): boolean =>
    state === 'ACTIVE' && accountId !== management && accountId !== delegate;
  const members = sandbox.accounts().filter(isMember);
  const [member = expect.fail('no member')] = members.map(({ accountId }) => accountId);
  const later = () => {
    now += 1_000;
  };
  return { sandbox, management, delegate, member, call, list, output, later };
}

const statusOf = ({ sandbox }: ReturnType<typeof hub>, accountId: string) =>
  sandbox.accounts(accountId)[0]?.costOptimizationHub;

describe('Cost Optimization Hub', () => {
  test('lists only accounts that were ever enrolled', () => {
    const world = hub();
    expect(world.list({ includeOrganizationInfo: true })).toMatchObject({ items: [], includeMemberAccounts: false });
    expect(world.list({}, world.member)).toMatchObject({ items: [] });
    world.call('UpdateEnrollmentStatus', { status: 'Active' }, world.member);
    world.later();
    world.call('UpdateEnrollmentStatus', { status: 'Inactive' }, world.member);
    const item = {
      accountId: world.member,
      status: 'Inactive',
      createdTimestamp: new Date(START),
      lastUpdatedTimestamp: new Date(START + 1_000),
    };
    expect(world.list({ includeOrganizationInfo: true })).toMatchObject({ items: [item] });
    expect(world.list({}, world.member)).toMatchObject({ items: [item] });
    expect(world.list({ accountId: world.member })).toMatchObject({ items: [item] });
    expect(world.list()).toMatchObject({ items: [] });
  });

  test('is changed by the account itself, and by drift', () => {
    const world = hub();
    expect(world.output(world.call('UpdateEnrollmentStatus', { status: 'Active' }, world.member))).toEqual({
      status: 'Active',
    });
    expect(statusOf(world, world.member)).toMatchObject({ status: 'Active' });
    expect(statusOf(world, world.management)).toMatchObject({ status: 'Inactive' });
    const change = { accountId: world.member, enrollment: 'costOptimizationHub' } as const;
    expect(world.sandbox.drift({ changes: [{ ...change, status: 'Inactive' }] })).toMatchObject([{ before: 'Active' }]);
    expect(statusOf(world, world.member)).toMatchObject({ status: 'Inactive' });
    expect(() => world.sandbox.drift({ changes: [{ ...change, status: 'Pending' }] })).toThrow('has no status Pending');
  });

  test('is enabled for the whole organization by the management account', () => {
    const world = hub(250);
    const whole = { status: 'Active', includeMemberAccounts: true };
    for (const caller of [world.delegate, world.member]) {
      expect(world.call('UpdateEnrollmentStatus', whole, caller)).toMatchObject({
        error: { code: 'AccessDeniedException' },
      });
    }
    world.call('UpdateEnrollmentStatus', whole);
    const open = world.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(new Set(open.map(({ costOptimizationHub }) => costOptimizationHub.status))).toEqual(new Set(['Active']));
    const first = world.list({ includeOrganizationInfo: true, maxResults: 0 });
    expect(first).toMatchObject({ includeMemberAccounts: true, nextToken: expect.any(String) });
    expect(first['items']).toHaveLength(100);
    const services = world.sandbox.handle({
      ...{ service: 'organizations', operation: 'ListAWSServiceAccessForOrganization' },
      ...{ callerAccountId: world.management, input: {}, requestId: '-' },
    });
    expect(JSON.stringify(services)).toContain('cost-optimization-hub.bcm.amazonaws.com');
  });

  test('shows the organization to its administrators only', () => {
    const world = hub();
    for (const input of [{ includeOrganizationInfo: true }, { accountId: world.management }]) {
      expect(world.call('ListEnrollmentStatuses', input, world.member)).toMatchObject({
        error: { code: 'AccessDeniedException' },
      });
      expect(world.call('ListEnrollmentStatuses', input, world.delegate)).toMatchObject({ kind: 'ok' });
    }
  });
});
