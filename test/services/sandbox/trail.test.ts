import { UpdateEnrollmentStatusCommand } from '@aws-sdk/client-compute-optimizer';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { parseCloudTrailEvent } from '../../../shared/domain/cloudtrail-event.ts';
import { put, remove, unit } from './configuration-calls.ts';
import { as, automation, clients, control, json, member, rpcCbor, sandboxForTest } from './support.ts';

const userOf = (accountId: string) => `arn:aws:iam::${accountId}:user/sandbox`;

async function trailOf(running: RunningSandbox): Promise<readonly unknown[]> {
  const { body } = await control(running, 'trail');
  return Array.isArray(body['events']) ? body['events'] : [];
}

describe('the trail of calls that change enrollments', () => {
  test('has each Put and Delete of a configuration, in the form in which EventBridge delivers it', async () => {
    const running = await sandboxForTest({ configurationDelayMs: 0 });
    const { managementAccountId: account, delegatedAdministratorId } = running.info;
    const workloads = unit(running, 'Workloads');
    const { accountId } = member(running);
    await put(running, workloads, 'NoneAllowed');
    await put(running, accountId, 'AnyAllowed', delegatedAdministratorId);
    await remove(running, workloads);
    const events = await trailOf(running);
    expect(events).toHaveLength(3);
    expect(events[0]).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'AWS API Call via CloudTrail',
      source: 'aws.aco-automation',
      account,
      time: '2026-11-02T09:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: {
        eventVersion: '1.11',
        userIdentity: { type: 'IAMUser', arn: userOf(account), accountId: account },
        eventTime: '2026-11-02T09:00:00Z',
        eventSource: 'aco-automation.amazonaws.com',
        eventName: 'PutOrganizationEnrollmentConfiguration',
        awsRegion: 'us-east-1',
        requestParameters: { target: { organizationalUnitId: workloads }, organizationRuleMode: 'NoneAllowed' },
        responseElements: null,
        requestID: expect.any(String),
        eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        readOnly: false,
        eventType: 'AwsApiCall',
        managementEvent: true,
        recipientAccountId: account,
        eventCategory: 'Management',
      },
    });
    expect(events.map((event) => parseCloudTrailEvent(event, null))).toMatchObject([
      { kind: 'enrollment', enrollment: 'automation', accountIds: [], wide: true, from: account },
      { kind: 'enrollment', enrollment: 'automation', accountIds: [accountId], from: delegatedAdministratorId },
      { by: { actor: userOf(account), operation: 'DeleteOrganizationEnrollmentConfiguration' } },
    ]);
  });

  test('has the calls of every kind and protocol, under the account and role that made them', async () => {
    const running = await sandboxForTest({ drift: 1 });
    const { accountId } = member(running);
    const { sts } = clients(running);
    const RoleArn = `arn:aws:iam::${accountId}:role/${running.info.memberRole}`;
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice' }));
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    await clients(running, session, 'eu-central-1').computeOptimizer.send(
      new UpdateEnrollmentStatusCommand({ status: 'Active' }),
    );
    await rpcCbor(running, 'aco-automation', 'UpdateEnrollmentConfiguration', { status: 'Active' }, as(accountId));
    await json(running, 'cost-optimization-hub', 'UpdateEnrollmentStatus', { status: 'Active' }, { as: as(accountId) });
    await automation(running, 'AssociateAccounts', { accountIds: [accountId] });
    await automation(running, 'ListAccounts');
    const events = await trailOf(running);
    expect(events).toMatchObject([
      {
        source: 'aws.compute-optimizer',
        account: accountId,
        region: 'eu-central-1',
        detail: {
          eventSource: 'computeoptimizer.amazonaws.com',
          userIdentity: {
            type: 'AssumedRole',
            arn: `arn:aws:sts::${accountId}:assumed-role/${running.info.memberRole}/alice`,
          },
        },
      },
      { source: 'aws.aco-automation', account: accountId, detail: { eventName: 'UpdateEnrollmentConfiguration' } },
      { source: 'aws.cost-optimization-hub', account: accountId, detail: { eventName: 'UpdateEnrollmentStatus' } },
      { detail: { eventName: 'AssociateAccounts', requestParameters: { accountIds: [accountId] } } },
    ]);
    const ids = new Set(events.map((event) => JSON.stringify(event).match(/"id":"([^"]+)"/)?.[1]));
    expect(ids.size).toBe(events.length);
    for (const event of events) expect(parseCloudTrailEvent(event, null).kind).toBe('enrollment');
  });

  test('has a rejected call with its error, and a caused drift with its actor', async () => {
    const running = await sandboxForTest({ drift: 0 });
    const { accountId } = member(running);
    await put(running, 'ou-none-12345678', 'AnyAllowed');
    const changes = [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }];
    await control(running, 'drift', { changes, actor: 'arn:aws:iam::1:user/eve' });
    const [rejected, drifted] = await trailOf(running);
    expect(rejected).toMatchObject({
      detail: {
        errorCode: 'InvalidParameterValueException',
        errorMessage: 'ou-none-12345678 is not in the organization.',
      },
    });
    expect(parseCloudTrailEvent(rejected, null)).toEqual({ kind: 'ignored', why: 'AWS rejected the call' });
    expect(drifted).toMatchObject({
      account: accountId,
      detail: {
        eventName: 'UpdateEnrollmentStatus',
        userIdentity: { arn: 'arn:aws:iam::1:user/eve' },
        requestParameters: { status: 'Inactive' },
      },
    });
    await control(running, 'reset', {});
    expect(await trailOf(running)).toEqual([]);
  });
});
