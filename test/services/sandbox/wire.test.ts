import { GetEnrollmentStatusCommand } from '@aws-sdk/client-compute-optimizer';
import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import { describe, expect, test } from 'vitest';
import {
  as,
  authorization,
  clients,
  control,
  json,
  member,
  query,
  rpcCbor,
  SIGNED_AT,
  START,
  sandboxForTest,
  truth,
} from './support.ts';

const REQUEST_ID = /^[0-9a-f-]{36}$/;

describe('rpc-v2-cbor', () => {
  test('Compute Optimizer: reads, changes and lists, with times as tag 1', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const changed = await rpcCbor(
      running,
      'compute-optimizer',
      'UpdateEnrollmentStatus',
      { status: 'Inactive' },
      as(accountId),
    );
    expect(changed).toMatchObject({ status: 200, body: { status: 'Inactive' } });
    expect(changed.headers.get('content-type')).toBe('application/cbor');
    expect(changed.headers.get('smithy-protocol')).toBe('rpc-v2-cbor');
    expect(changed.headers.get('x-amzn-requestid')).toMatch(REQUEST_ID);
    const read = await rpcCbor(running, 'compute-optimizer', 'GetEnrollmentStatus', {}, as(accountId));
    expect(read.body['lastUpdatedTimestamp']).toMatchObject({ tag: 1, value: START / 1000 });
    const listed = await rpcCbor(running, 'compute-optimizer', 'GetEnrollmentStatusesForOrganization', {
      maxResults: 5,
    });
    expect(listed.body['accountEnrollmentStatuses']).toHaveLength(5);
    const rest = await rpcCbor(running, 'compute-optimizer', 'GetEnrollmentStatusesForOrganization', {
      nextToken: listed.body['nextToken'],
    });
    expect(rest.body['accountEnrollmentStatuses']).toHaveLength(19);
    expect(rest.body).not.toHaveProperty('nextToken');
  });

  test('Automation: changes, associates and returns errors', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running, ({ automation }) => automation.status === 'Inactive');
    const enabled = await rpcCbor(
      running,
      'aco-automation',
      'UpdateEnrollmentConfiguration',
      { status: 'Active', clientToken: 't' },
      as(accountId),
    );
    expect(enabled.body).toMatchObject({ status: 'Active', lastUpdatedTimestamp: { tag: 1, value: START / 1000 } });
    const associated = await rpcCbor(running, 'aco-automation', 'AssociateAccounts', {
      accountIds: [accountId, '000000000000'],
    });
    expect(associated.body['accountIds']).toEqual([accountId]);
    expect(truth(running, accountId).automation.organizationRuleMode).toBe('AnyAllowed');
    const refused = await rpcCbor(running, 'aco-automation', 'ListAccounts', {}, as(accountId));
    expect(refused).toMatchObject({
      status: 400,
      body: {
        __type: 'com.amazonaws.computeoptimizerautomation#NotManagementAccountException',
        message: expect.any(String),
      },
    });
  });

  test('an empty body means an empty input', async () => {
    const running = await sandboxForTest();
    expect((await rpcCbor(running, 'compute-optimizer', 'GetEnrollmentStatus', new Uint8Array())).status).toBe(200);
  });

  test('unknown operations and services without this protocol are not found', async () => {
    const running = await sandboxForTest();
    expect(await rpcCbor(running, 'compute-optimizer', 'GetIdleRecommendations')).toMatchObject({
      status: 404,
      error: 'UnknownOperationException',
    });
    for (const path of ['/service/AWSOrganizationsV20161128/operation/ListRoots', '/service/Nothing/operation/X', '/'])
      expect(
        (await post(running.endpoint + path, { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' }))
          .status,
      ).toBe(404);
  });
});

async function post(
  url: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { method: 'POST', headers: { 'x-amz-date': SIGNED_AT, ...headers }, body });
  return { status: response.status, text: await response.text() };
}

describe('awsJson', () => {
  test('responses contain the request id, which the SDK returns', async () => {
    const running = await sandboxForTest();
    const { $metadata } = await clients(running).computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    expect($metadata.requestId).toMatch(REQUEST_ID);
    const refused = await json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', {});
    expect(refused.headers.get('x-amzn-requestid')).toMatch(REQUEST_ID);
  });

  test('1.0 qualifies error types, 1.1 does not, and Organizations capitalizes Message', async () => {
    const running = await sandboxForTest();
    const one = await json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', {});
    expect(one.body).toEqual({
      __type: 'com.amazonaws.computeoptimizer#InvalidParameterValueException',
      message: expect.stringContaining("'status'"),
    });
    const two = await json(running, 'organizations', 'DescribeAccount', { AccountId: '000000000000' });
    expect(two.body).toEqual({ __type: 'AccountNotFoundException', Message: expect.any(String) });
    expect(two.headers.get('content-type')).toBe('application/x-amz-json-1.1');
  });

  test('unknown targets, operations, content types and methods are rejected', async () => {
    const running = await sandboxForTest();
    expect(await json(running, 'compute-optimizer', 'GetIdleRecommendations')).toMatchObject({
      status: 404,
      error: 'UnknownOperationException',
    });
    expect(await json(running, 'organizations', 'CloseAccount')).toMatchObject({
      status: 404,
      error: 'UnknownOperationException',
    });
    expect((await json(running, 'DynamoDB_20120810', 'ListTables')).error).toBe('UnknownOperationException');
    const headers = { 'content-type': 'application/json' };
    expect(await json(running, 'compute-optimizer', 'GetEnrollmentStatus', {}, { headers })).toMatchObject({
      status: 415,
      error: 'UnsupportedMediaTypeException',
    });
    for (const method of ['GET', 'PUT', 'DELETE']) expect((await fetch(running.endpoint, { method })).status).toBe(404);
    expect((await fetch(running.endpoint, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await post(running.endpoint, { 'smithy-protocol': 'rpc-v2-json' })).status).toBe(404);
  });
});

describe('authorization', () => {
  const target = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'ComputeOptimizerService.GetEnrollmentStatus',
  };

  test('is required', async () => {
    const running = await sandboxForTest();
    const bare = await post(running.endpoint, target, '{}');
    expect(bare.status).toBe(403);
    expect(bare.text).toContain('com.amazonaws.computeoptimizer#MissingAuthenticationToken');
    const xml = await fetch(running.endpoint, {
      method: 'POST',
      body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
    });
    expect(xml.status).toBe(403);
    expect(await xml.text()).toContain('<Code>MissingAuthenticationToken</Code>');
  });

  test.each([
    'Basic dXNlcjpwYXNz',
    'AWS4-HMAC-SHA256 nothing',
    'AWS4-HMAC-SHA256 Credential=AKIA/20261102/us-east-1/compute-optimizer/aws4_request',
    'AWS4-HMAC-SHA256 Credential=AKIA/us-east-1/compute-optimizer/aws4_request, SignedHeaders=host, Signature=00',
    'AWS4-HMAC-SHA256 Credential=AKIA/20261102/us-east-1/compute-optimizer/aws4, SignedHeaders=host, Signature=00',
  ])('is refused as incomplete: %s', async (header) => {
    const running = await sandboxForTest();
    const answer = await post(running.endpoint, { ...target, authorization: header }, '{}');
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('IncompleteSignature');
  });

  test('must be scoped to the called service', async () => {
    const running = await sandboxForTest();
    for (const [service, scope] of [
      ['compute-optimizer', 'aco-automation'],
      ['aco-automation', 'compute-optimizer'],
      ['organizations', 'sts'],
      ['events', 'event'],
    ] as const) {
      const answer = await json(running, service, service === 'events' ? 'PutEvents' : 'ListAccounts', {}, { scope });
      expect(answer.error).toBe('InvalidSignatureException');
      expect(JSON.stringify(answer.body)).toContain(`'${service}'`);
    }
    const wrong = { authorization: authorization(running.info.managementAccountId, 'organizations') };
    const xml = await query(running, { Action: 'GetCallerIdentity', Version: '2011-06-15' }, wrong);
    expect(xml.status).toBe(403);
    expect(xml.text).toContain('<Code>SignatureDoesNotMatch</Code>');
  });

  test('must be scoped to a Region of the partition; Organizations has only one', async () => {
    const running = await sandboxForTest();
    const error = async (service: string, operation: string, region: string) =>
      (await json(running, service, operation, {}, { region })).error;
    for (const region of ['eu-central-1', 'ap-southeast-4', 'us-east-1'])
      expect(await error('compute-optimizer', 'GetEnrollmentStatus', region)).toBeUndefined();
    for (const region of ['cn-north-1', 'us-gov-west-1', 'moon-1', 'us-east'])
      expect(await error('compute-optimizer', 'GetEnrollmentStatus', region)).toBe('InvalidSignatureException');
    expect(await error('organizations', 'ListRoots', 'eu-central-1')).toBe('InvalidSignatureException');
    await expect(
      clients(running, undefined, 'eu-central-1').organizations.send(new ListAccountsCommand({})),
    ).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });

  test('other partitions have their own Regions and ARNs', async () => {
    const running = await sandboxForTest({ partition: 'aws-us-gov' });
    const { Accounts = [] } = await clients(running, undefined, 'us-gov-west-1').organizations.send(
      new ListAccountsCommand({}),
    );
    expect(Accounts[0]?.Arn).toMatch(/^arn:aws-us-gov:organizations::/);
    expect((await json(running, 'organizations', 'ListRoots')).error).toBe('InvalidSignatureException');
  });
});

test('closing drops slow responses instead of waiting', async () => {
  const running = await sandboxForTest();
  await control(running, 'faults', { faults: [{ kind: 'slow', delayMs: 600_000 }] });
  const pending = json(running, 'compute-optimizer', 'GetEnrollmentStatus').catch((error: unknown) => error);
  while (running.sandbox.calls().length === 0) await new Promise((resolve) => setImmediate(resolve));
  await running.close();
  expect(await pending).toBeInstanceOf(Error);
});
