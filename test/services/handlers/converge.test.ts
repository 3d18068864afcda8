import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { actionsOf, resourceOf, statementsOf } from '../../infra/template.ts';
import { functionsOf } from './functions.ts';
import { deploy } from './support.ts';

describe('tick, scanner and worker', () => {
  it('make an organization compliant, with the same run id from the scan to the event', async () => {
    const world = await deploy({ sandbox: { accounts: 10, drift: 0.5 } });
    const { tick, scan, work } = functionsOf(world);
    const first = await tick();
    expect(first.scanRequested).toMatch(/^[0-9A-Z]{26}$/);
    expect(await tick()).toMatchObject({ scanRequested: null });
    expect(await scan()).toEqual([{ runId: first.scanRequested, result: 'done' }]);
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    const open = world.sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    expect(open.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active')).toEqual([]);
    const { published, refused } = await tick();
    expect(published).toBeGreaterThan(open.length);
    expect(refused).toBe(0);
    const resolved = world.events('Drift Resolved');
    expect(resolved.length).toBeGreaterThan(0);
    for (const { detail } of resolved) expect(detail).toMatchObject({ runId: first.scanRequested });
    const worked = world.lines.filter(({ message }) => message === 'message processed');
    expect(new Set(worked.map(({ fields }) => fields['runId']))).toEqual(new Set([first.scanRequested]));
    for (const name of ['AccountsScanned', 'ChangesMade', 'QueueLatency', 'EntriesPublished', 'Calls'] as const) {
      expect([name, (world.measured.get(name) ?? 0) > 0]).toEqual([name, true]);
    }
    expect(world.measured.get('DriftFound')).toBe(resolved.length);
    // The next scan finds nothing to do.
    world.clock.advance(3_600_000);
    expect((await tick()).scanRequested).not.toBe(first.scanRequested);
    expect(await scan()).toMatchObject([{ result: 'done' }]);
    expect(await work()).toBeNull();
  });

  it('make only calls that their roles allow', async () => {
    const world = await deploy({
      sandbox: { accounts: 10, drift: 0.5 },
      policy: {
        ...{ automation: 'Active', costOptimizationHub: 'Active', organizationRules: 'AnyAllowed' },
        // The accounts of these OUs are enabled one by one, with their own roles, the others in batches.
        more: `rules:
  - { id: tagged, match: { tags: { env: [prod, sandbox] } }, computeOptimizer: Inactive, automation: unmanaged }
  - { id: own-roles, match: { ou: [/Workloads, /Sandbox] }, organizationRules: unmanaged }`,
      },
    });
    const management = world.sandbox.info.managementAccountId;
    const calls = new Map<string, Set<string>>();
    const owner = new AsyncLocalStorage<string>();
    const note = (message: unknown): void => {
      const action = actionOf(message);
      const name = owner.getStore();
      if (action === null || name === undefined) return;
      const who = action.accessKey === management ? name : 'member';
      calls.set(who, (calls.get(who) ?? new Set()).add(action.name));
    };
    subscribe('http.client.request.start', note);
    try {
      const around = <T>(name: string, run: () => Promise<T>): Promise<T> => owner.run(name, run);
      const { tick, scan, work } = functionsOf(world, { around, settings: { listingFrom: 4 } });
      await tick();
      await scan();
      await world.send('not a message');
      for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
      world.clock.advance(3_600_000);
      await tick();
      await scan();
    } finally {
      unsubscribe('http.client.request.start', note);
    }
    expect([...calls.keys()].sort()).toEqual(['member', 'scanner', 'tick', 'worker']);
    const services = (made: ReadonlySet<string>) => new Set([...made].map((action) => action.split(':')[0]));
    expect(services(calls.get('member') ?? new Set())).toEqual(new Set(KINDS.map(({ service }) => service)));
    expect(calls.get('member')).toContain('aco-automation:UpdateEnrollmentConfiguration');
    expect(calls.get('worker')).toContain('aco-automation:AssociateAccounts');
    expect(calls.get('scanner')).toContain('tag:GetResources');
    // Once few keys are left, accounts are read one by one.
    expect(calls.get('worker')).toContain('compute-optimizer:GetEnrollmentStatusesForOrganization');
    expect(calls.get('member')).toContain('compute-optimizer:GetEnrollmentStatus');
    expect(calls.get('worker')).toContain('organizations:ListTagsForResource');
    for (const [who, made] of calls) {
      const allowed = new Set(actionsOf(statementsOf(roleOf(who))));
      expect([who, [...made].filter((action) => !allowed.has(action))]).toEqual([who, []]);
      expect(made.size).toBeGreaterThan(1);
    }
  });
});

function roleOf(who: string) {
  if (who === 'member') return resourceOf('infra/member-role.yml', 'MemberRole');
  return resourceOf('infra/roles.yml', `${who[0]?.toUpperCase()}${who.slice(1)}Role`);
}

const TARGETS: Readonly<Record<string, string>> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  AWSEvents: 'events',
  AWSOrganizationsV20161128: 'organizations',
  ComputeOptimizerService: 'compute-optimizer',
  ComputeOptimizerAutomationService: 'aco-automation',
  CostOptimizationHubService: 'cost-optimization-hub',
  ResourceGroupsTaggingAPI_20170126: 'tag',
};
const BATCHES = /^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/;

/** The IAM action and the signer of a request. Without STS, which names its operation in the body. */
function actionOf(message: unknown): { readonly name: string; readonly accessKey: string } | null {
  if (typeof message !== 'object' || message === null || !('request' in message)) return null;
  // Node's diagnostics channel, whose messages are documented to contain the request.
  const request = message.request as ClientRequest;
  const [service = '', operation = ''] = String(request.getHeader('x-amz-target') ?? '').split('.');
  const accessKey = /Credential=([^/]+)/.exec(String(request.getHeader('authorization')))?.[1] ?? '';
  const prefix = TARGETS[service];
  return prefix === undefined ? null : { name: `${prefix}:${operation.replace(BATCHES, '$1')}`, accessKey };
}
