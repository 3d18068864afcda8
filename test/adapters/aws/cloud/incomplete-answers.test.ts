import { describe, expect, it, onTestFinished } from 'vitest';
import type { Fault } from '../../../../services/sandbox/engine/faults.ts';
import type { ServiceName } from '../../../../services/sandbox/engine/types.ts';
import { createAwsInspection } from '../../../../shared/adapters/aws/cloud/inspection.ts';
import { COMPLETE_ANSWERS, type CompleteAnswer } from '../../../../shared/adapters/aws/complete-answers.ts';
import type { Cloud } from '../../../../shared/ports/cloud.ts';
import { type CallerRole, failureOf, type World } from '../../../contract/cloud-world.ts';
import {
  associate,
  changeNow,
  disassociate,
  updateConfiguration,
  updateStatus,
} from '../../../support/change-requests.ts';
import { withoutRetries } from '../../../support/without-retries.ts';
import { awsWorld, openGate } from './support.ts';

const KINDS = ['empty-answer', 'null-answer', 'empty-body'] as const;

interface Probe {
  readonly service: ServiceName;
  readonly operation: string;
  readonly call: (cloud: Cloud, world: World) => Promise<unknown>;
  readonly caller?: CallerRole;
  readonly sandbox?: NonNullable<Parameters<typeof awsWorld>[0]>['sandbox'];
}

const member = ({ sandbox }: World): string =>
  sandbox.accounts().find(({ management, state, ou }) => !management && state === 'ACTIVE' && ou !== '/')?.accountId ??
  '';
const read = (tags = false) => ({ tags, retry: <T>(call: () => Promise<T>) => call() });
const describeMember = (cloud: Cloud, world: World) => {
  const { organizationId, managementAccountId } = world.sandbox.info();
  return cloud.readAccount(member(world), { ...read(), organizationId, managementAccountId });
};
const walking = { accountShape: 'older' } as const;

const PROBES: readonly Probe[] = [
  { service: 'sts', operation: 'GetCallerIdentity', call: (cloud) => cloud.identify() },
  { service: 'sts', operation: 'AssumeRole', call: (cloud, world) => cloud.read('computeOptimizer', member(world)) },
  { service: 'organizations', operation: 'DescribeOrganization', call: (cloud) => cloud.identify() },
  {
    service: 'organizations',
    operation: 'ListDelegatedAdministrators',
    caller: 'delegatedAdministrator',
    call: (cloud) => cloud.identify(),
  },
  { service: 'organizations', operation: 'ListAccounts', call: (cloud) => cloud.readOrganization(read()) },
  {
    service: 'organizations',
    operation: 'ListTagsForResource',
    call: (cloud, world) => cloud.readTags(member(world), read()),
  },
  { service: 'tagging', operation: 'GetResources', call: (cloud) => cloud.readOrganization(read(true)) },
  {
    service: 'organizations',
    operation: 'ListOrganizationalUnitsForParent',
    call: (cloud) => cloud.readOrganization(read()),
  },
  {
    service: 'organizations',
    operation: 'ListRoots',
    sandbox: walking,
    call: (cloud) => cloud.readOrganization(read()),
  },
  {
    service: 'organizations',
    operation: 'ListAccountsForParent',
    sandbox: walking,
    call: (cloud) => cloud.readOrganization(read()),
  },
  { service: 'organizations', operation: 'ListParents', sandbox: walking, call: describeMember },
  { service: 'organizations', operation: 'DescribeAccount', call: describeMember },
  { service: 'organizations', operation: 'DescribeOrganizationalUnit', call: describeMember },
  {
    service: 'organizations',
    operation: 'ListAWSServiceAccessForOrganization',
    call: (cloud) => cloud.trustedAccess(),
  },
  {
    service: 'compute-optimizer',
    operation: 'GetEnrollmentStatusesForOrganization',
    call: (cloud) => cloud.list('computeOptimizer', null),
  },
  {
    service: 'compute-optimizer',
    operation: 'GetEnrollmentStatus',
    call: (cloud, world) => cloud.read('computeOptimizer', member(world)),
  },
  {
    service: 'compute-optimizer',
    operation: 'UpdateEnrollmentStatus',
    call: (cloud, world) => changeNow(cloud, updateStatus(member(world), 'Active')),
  },
  { service: 'aco-automation', operation: 'ListAccounts', call: (cloud) => cloud.list('automation', null) },
  {
    service: 'aco-automation',
    operation: 'GetEnrollmentConfiguration',
    call: (cloud, world) => cloud.read('automation', member(world)),
  },
  {
    service: 'aco-automation',
    operation: 'ListOrganizationEnrollmentConfigurations',
    call: (cloud) => cloud.configurations.list({ retry: withoutRetries }),
  },
  {
    service: 'aco-automation',
    operation: 'UpdateEnrollmentConfiguration',
    call: (cloud, world) => changeNow(cloud, updateConfiguration(member(world), 'Active')),
  },
  {
    service: 'aco-automation',
    operation: 'AssociateAccounts',
    call: (cloud, world) => changeNow(cloud, associate([member(world)])),
  },
  {
    service: 'aco-automation',
    operation: 'DisassociateAccounts',
    call: (cloud, world) => changeNow(cloud, disassociate([member(world)])),
  },
  {
    service: 'cost-optimization-hub',
    operation: 'ListEnrollmentStatuses',
    call: (cloud) => cloud.list('costOptimizationHub', null),
  },
  {
    service: 'cost-optimization-hub',
    operation: 'UpdateEnrollmentStatus',
    call: (cloud, world) => changeNow(cloud, updateStatus(member(world), 'Active', 'costOptimizationHub')),
  },
];

async function open({ caller = 'management', sandbox = {} }: Partial<Probe>): Promise<World> {
  const world = await awsWorld({ caller, sandbox: { accounts: 25, drift: 0, ...sandbox } });
  onTestFinished(() => world.close());
  return world;
}

describe('a 200 answer without a mandatory field', () => {
  it('is tested for every operation of the services that determine the state of accounts', () => {
    const services = [
      'sts',
      'organizations',
      'compute-optimizer',
      'aco-automation',
      'cost-optimization-hub',
      'tagging',
    ] as const;
    const all = services.flatMap((service) =>
      Object.entries<CompleteAnswer>(COMPLETE_ANSWERS[service])
        // Without members in the model, an empty answer is complete.
        .filter(([, { has, hasOneOf = [] }]) => has.length + hasOneOf.length > 0)
        .map(([name]) => `${service} ${name}`),
    );
    expect(PROBES.map(({ service, operation }) => `${service} ${operation}`).sort()).toEqual(all.sort());
  });

  const cases = PROBES.flatMap((probe) => KINDS.map((kind) => ({ ...probe, kind })));
  it.each(cases)('$service $operation: $kind is Transient, and the retry succeeds', async (probe) => {
    const { service, operation, kind, call } = probe;
    const world = await open(probe);
    const fault: Fault = { service, operation, kind };
    world.sandbox.setFaults([fault]);
    const { details: facts, message } = await failureOf(call(world.cloud, world));
    expect(facts).toMatchObject({ kind: 'Transient', code: 'IncompleteAnswer', operation });
    expect(message).toMatch(
      new RegExp(`^${operation}.* failed \\(IncompleteAnswer.*\\): the answer lacks .*AWS_ENDPOINT_URL`),
    );
    expect(world.calls.filter(({ what }) => what === 'failed').map((each) => each.operation)).toContain(operation);
    world.sandbox.setFaults([]);
    await call(world.cloud, world);
  });

  it.each(KINDS)('the doctor reports it as a failure, not as an empty answer: %s', async (kind) => {
    const world = await open({});
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const inspection = createAwsInspection({
      gate: openGate,
      logger,
      timeouts: { connectMs: 1_000, requestMs: 5_000 },
    });
    onTestFinished(() => inspection.close());
    await inspection.caller();
    world.sandbox.setFaults([{ kind }]);
    const questions: readonly (() => Promise<unknown>)[] = [
      () => inspection.organization(),
      () => inspection.trustedServices(),
      () => inspection.delegatedAdministrators(),
      () => inspection.failedEnrollments('computeOptimizer'),
      () => inspection.failedEnrollments('automation'),
      () => inspection.members(1),
      () => inspection.rootId(),
    ];
    for (const ask of questions) expect((await failureOf(ask())).details.code).toBe('IncompleteAnswer');
  });
});
