import { describe, expect, it } from 'vitest';
import { makeHandler as makeApi } from '../../services/api/handler.ts';
import { accountsOf, cloudTrailEvent } from '../../services/reactor/cloud-trail.ts';
import { makeHandler as makeReactor } from '../../services/reactor/handler.ts';
import { functionsOf } from './functions.ts';
import { deploy, lambdaContext } from './support.ts';

const A = '111122223333';
const B = '444455556666';

/** An event as EventBridge delivers what CloudTrail recorded. */
function recorded(eventSource: string, eventName: string, more: object = {}, account = A) {
  return {
    version: '0',
    id: '6f87d04b-9f74-4f04-a780-7acf4b0a9b38',
    'detail-type': 'AWS API Call via CloudTrail',
    source: `aws.${eventSource.split('.')[0]}`,
    account,
    time: '2026-11-02T09:00:00Z',
    region: 'eu-central-1',
    resources: [],
    detail: {
      eventVersion: '1.11',
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${account}:assumed-role/Admin/jane`, accountId: account },
      eventTime: '2026-11-02T09:00:00Z',
      ...{ eventSource, eventName, recipientAccountId: account },
      ...more,
    },
  };
}

describe('the accounts that an event is about', () => {
  const accounts = (event: object): readonly string[] => accountsOf(cloudTrailEvent.parse(event));

  it('is the caller of an enrollment call, by either way to write its source', () => {
    for (const source of ['computeoptimizer', 'compute-optimizer']) {
      expect(accounts(recorded(`${source}.amazonaws.com`, 'UpdateEnrollmentStatus'))).toEqual([A]);
    }
    expect(accounts(recorded('aco-automation.amazonaws.com', 'UpdateEnrollmentConfiguration', {}, B))).toEqual([B]);
  });

  it('are the members of a batch', () => {
    const event = recorded('aco-automation.amazonaws.com', 'AssociateAccounts', {
      requestParameters: { accountIds: [A, B], clientToken: 'x' },
    });
    expect(accounts(event)).toEqual([A, B]);
  });

  it('are named by Organizations in several places', () => {
    const by = (name: string, more: object) => accounts(recorded('organizations.amazonaws.com', name, more));
    expect(by('MoveAccount', { requestParameters: { accountId: B, sourceParentId: 'r-1' } })).toEqual([B]);
    expect(by('TagResource', { requestParameters: { resourceId: B, tags: [] } })).toEqual([B]);
    expect(by('TagResource', { requestParameters: { resourceId: 'ou-abcd-12345678' } })).toEqual([]);
    expect(
      by('CreateAccountResult', { serviceEventDetails: { createAccountStatus: { accountId: B, state: 'SUCCEEDED' } } }),
    ).toEqual([B]);
  });

  it('are none where nothing changed or nothing is of interest', () => {
    const failed = { errorCode: 'AccessDeniedException', errorMessage: 'no' };
    expect(accounts(recorded('computeoptimizer.amazonaws.com', 'UpdateEnrollmentStatus', failed))).toEqual([]);
    expect(accounts(recorded('computeoptimizer.amazonaws.com', 'GetEnrollmentStatus'))).toEqual([]);
    expect(accounts(recorded('s3.amazonaws.com', 'PutObject', { requestParameters: { accountId: B } }))).toEqual([]);
  });
});

describe('the reactor', () => {
  it('has an account that somebody opted out put right at once, and leaves strangers to the next scan', async () => {
    const world = await deploy({ sandbox: { accounts: 14, drift: 0 } });
    const { tick, scan, work } = functionsOf(world);
    await tick();
    await scan();
    expect(await work()).toBeNull();
    const member = world.sandbox.sandbox.accounts().find(({ state, management }) => state === 'ACTIVE' && !management);
    const accountId = member?.accountId ?? '';
    world.sandbox.sandbox.drift({ changes: [{ accountId, enrollment: 'computeOptimizer', status: 'Inactive' }] });
    const reactor = makeReactor(world.compose('reactor'));
    const event = recorded('compute-optimizer.amazonaws.com', 'UpdateEnrollmentStatus', {}, accountId);
    expect(await reactor(event, lambdaContext(world.clock))).toEqual({ queued: [accountId], unknown: [] });
    for (let batch = await work(); batch !== null; batch = await work()) expect(batch.failed).toEqual([]);
    expect(world.sandbox.sandbox.accounts(accountId)[0]?.computeOptimizer.status).toBe('Active');
    const stranger = recorded('compute-optimizer.amazonaws.com', 'UpdateEnrollmentStatus', {}, '999999999999');
    expect(await reactor(stranger, lambdaContext(world.clock))).toEqual({ queued: [], unknown: ['999999999999'] });
    expect(await work()).toBeNull();
    await expect(reactor({ detail: 'x' }, lambdaContext(world.clock))).rejects.toThrow(/detail/);
  });
});

describe('the API behind Lambda', () => {
  const request = (path: string) => ({
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { host: 'abc.lambda-url.eu-central-1.on.aws' },
    requestContext: {
      accountId: A,
      apiId: 'abc',
      authentication: null,
      authorizer: {},
      domainName: 'abc.lambda-url.eu-central-1.on.aws',
      domainPrefix: 'abc',
      http: { method: 'GET', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '02/Nov/2026:09:00:00 +0000',
      timeEpoch: 1_793_610_000_000,
    },
    body: null,
    isBase64Encoded: false,
  });

  it('says whether it can work', async () => {
    const world = await deploy({ sandbox: { accounts: 8, drift: 0.5 } });
    const context = { ...CONTEXT, ...lambdaContext(world.clock) };
    const api = makeApi(world.compose('api'));
    expect(await api(request('/api/health'), context)).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
    expect(await api(request('/api/nothing'), context)).toMatchObject({ statusCode: 404 });
    world.env['ROLLCALL_TABLE'] = 'not-there';
    const broken = await makeApi(world.compose('api'))(request('/api/health'), context);
    expect(broken).toMatchObject({ statusCode: 503, body: '{"status":"unavailable"}' });
  });
});

/** What Hono's type asks of Lambda's context beside what is used. */
const CONTEXT = {
  callbackWaitsForEmptyEventLoop: true,
  ...{ functionName: 'api', functionVersion: '1', invokedFunctionArn: '', memoryLimitInMB: '512' },
  ...{ logGroupName: '', logStreamName: '' },
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};
