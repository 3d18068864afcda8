import { GetEnrollmentStatusCommand, UpdateEnrollmentStatusCommand } from '@aws-sdk/client-compute-optimizer';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import {
  as,
  authorization,
  type Credentials,
  clients,
  HOUR_MS,
  json,
  member,
  query,
  SIGNED_AT,
  START,
  sandboxForTest,
  truth,
} from './support.ts';

const roleOf = (accountId: string, name = 'RollcallMember') => `arn:aws:iam::${accountId}:role/${name}`;

async function assume(
  running: RunningSandbox,
  accountId: string,
  extra: { caller?: Credentials; ExternalId?: string; DurationSeconds?: number; roleName?: string } = {},
): Promise<Credentials> {
  const { caller, roleName, ...rest } = extra;
  const { Credentials: issued } = await clients(running, caller).sts.send(
    new AssumeRoleCommand({ RoleArn: roleOf(accountId, roleName), RoleSessionName: 'rollcall-test', ...rest }),
  );
  expect(issued?.Expiration).toEqual(new Date(START + (rest.DurationSeconds ?? 3600) * 1000));
  return {
    accessKeyId: issued?.AccessKeyId ?? '',
    secretAccessKey: issued?.SecretAccessKey ?? '',
    sessionToken: issued?.SessionToken ?? '',
  };
}

describe('AssumeRole', () => {
  test('issues keys that work in the member', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const { computeOptimizer, sts } = clients(running, await assume(running, accountId));
    await computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    expect(truth(running, accountId).computeOptimizer.status).toBe('Inactive');
    const identity = await sts.send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: accountId,
      Arn: `arn:aws:sts::${accountId}:assumed-role/RollcallMember/rollcall-test`,
    });
  });

  test('of the reader role issues keys that cannot change anything', async () => {
    const running = await sandboxForTest();
    const { accountId, computeOptimizer: before } = member(running);
    const { computeOptimizer } = clients(
      running,
      await assume(running, accountId, { roleName: 'RollcallMemberReader' }),
    );
    const { status } = await computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    expect(status).toBe(before.status);
    const change = computeOptimizer.send(new UpdateEnrollmentStatusCommand({ status: 'Inactive' }));
    await expect(change).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(truth(running, accountId).computeOptimizer).toEqual(before);
  });

  test('is allowed for the delegated administrator, but not for another member', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const other = member(running, (account) => account.accountId !== accountId).accountId;
    await assume(running, accountId, { caller: as(running.info.delegatedAdministratorId) });
    await expect(assume(running, accountId, { caller: as(other) })).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('is denied if the role is broken or missing, or the account is closed or not in the organization', async () => {
    const running = await sandboxForTest({ scenario: 'broken-roles' });
    const broken = member(running, ({ roleAssumable }) => !roleAssumable).accountId;
    const closed = running.sandbox.accounts().find(({ state }) => state === 'SUSPENDED')?.accountId ?? '';
    const denied = { name: 'AccessDenied', $metadata: expect.objectContaining({ httpStatusCode: 403 }) };
    for (const accountId of [broken, closed, '000000000000', running.info.managementAccountId])
      await expect(assume(running, accountId)).rejects.toMatchObject(denied);
    const sound = member(running, ({ roleAssumable }) => roleAssumable).accountId;
    await expect(assume(running, sound, { roleName: 'Other' })).rejects.toMatchObject(denied);
    await assume(running, sound);
  });

  test('needs the external id if one is set', async () => {
    const running = await sandboxForTest({ externalId: 'opensesame' });
    const { accountId } = member(running);
    await assume(running, accountId, { ExternalId: 'opensesame' });
    for (const wrong of [{}, { ExternalId: 'guess' }])
      await expect(assume(running, accountId, wrong)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('sessions last at most an hour, chained or not, and at least 15 minutes', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    await assume(running, accountId, { DurationSeconds: 900 });
    const chained = await assume(running, running.info.delegatedAdministratorId);
    await assume(running, accountId, { caller: chained });
    for (const DurationSeconds of [899, 3601, 43_201])
      for (const caller of [as(running.info.managementAccountId), chained])
        await expect(assume(running, accountId, { caller, DurationSeconds })).rejects.toMatchObject({
          name: 'ValidationError',
        });
  });

  test('keys expire with their session, for every service', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const credentials = await assume(running, accountId);
    const { computeOptimizer, sts } = clients(running, credentials);
    running.clock.advance(HOUR_MS - 1);
    await computeOptimizer.send(new GetEnrollmentStatusCommand({}));
    running.clock.advance(1);
    await expect(computeOptimizer.send(new GetEnrollmentStatusCommand({}))).rejects.toMatchObject({
      name: 'ExpiredTokenException',
    });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
    const raw = await json(running, 'aco-automation', 'GetEnrollmentConfiguration', {}, { as: credentials });
    expect(raw).toMatchObject({ status: 400, error: 'ExpiredTokenException' });
  });

  test('rejects an ARN that is not a role', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const parameters = {
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleSessionName: 'ok',
      RoleArn: roleOf(accountId),
    };
    const without = (name: string) => Object.fromEntries(Object.entries(parameters).filter(([key]) => key !== name));
    const wrong: Record<string, string>[] = [
      { ...parameters, RoleArn: `arn:aws:iam::${accountId}:user/someone-else` },
      { ...parameters, RoleArn: `arn:aws-cn:iam::${accountId}:role/RollcallMember` },
      { ...parameters, RoleArn: 'short' },
      { ...parameters, RoleSessionName: 'has space' },
      { ...parameters, RoleSessionName: 'x' },
      { ...parameters, DurationSeconds: 'long' },
      { ...parameters, DurationSeconds: '1e3' },
      { ...parameters, 'PolicyArns.member.1.arn': 'short' },
      { ...parameters, 'Tags.member.1.Value': 'a tag without a key' },
      { ...parameters, TokenCode: '12345' },
      without('RoleArn'),
      without('RoleSessionName'),
    ];
    for (const broken of wrong) {
      const answer = await query(running, broken);
      expect(answer.text, JSON.stringify(broken)).toContain('<Code>ValidationError</Code>');
      expect(answer.status).toBe(400);
    }
    expect((await query(running, { ...parameters, 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'b' })).status).toBe(
      200,
    );
  });
});

describe('the identity of the caller', () => {
  test('a 12-digit key is that account; any other key is the management account', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const account = async (key: string) =>
      (await clients(running, as(key)).sts.send(new GetCallerIdentityCommand({}))).Account;
    expect(await account(accountId)).toBe(accountId);
    expect(await account('AKIAIOSFODNN7EXAMPLE')).toBe(running.info.managementAccountId);
    expect(await account('test')).toBe(running.info.managementAccountId);
  });

  test('accounts outside the organization, keys not issued here, and keys with another token are unknown', async () => {
    const running = await sandboxForTest();
    const credentials = await assume(running, member(running).accountId);
    const { sessionToken: _, ...tokenless } = credentials;
    const wrong = [
      as('000000000000'),
      as('ASIASANDBOX00000AAAA'),
      tokenless,
      { ...credentials, sessionToken: 'guess' },
    ];
    for (const caller of wrong) {
      const answer = await json(running, 'compute-optimizer', 'GetEnrollmentStatus', {}, { as: caller });
      expect(answer.error).toBe('UnrecognizedClientException');
    }
  });

  test('keys survive a reset of the organization', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const { sts } = clients(running, await assume(running, accountId));
    running.sandbox.reset();
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe(accountId);
  });
});

describe('awsQuery', () => {
  test('answers in XML with the request id', async () => {
    const running = await sandboxForTest();
    const { text, status, headers } = await query(running, { Action: 'GetCallerIdentity', Version: '2011-06-15' });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/xml');
    const requestId = headers.get('x-amzn-requestid');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(text).toContain(`<RequestId>${requestId}</RequestId>`);
    expect(text).toContain(`<Account>${running.info.managementAccountId}</Account>`);
  });

  test('a GET with the parameters in its query also works', async () => {
    const running = await sandboxForTest();
    const response = await fetch(`${running.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15`, {
      headers: { 'x-amz-date': SIGNED_AT, authorization: authorization(running.info.delegatedAdministratorId, 'sts') },
    });
    expect(await response.text()).toContain(`<Account>${running.info.delegatedAdministratorId}</Account>`);
  });

  test.each([
    { Action: 'GetSessionToken', Version: '2011-06-15' },
    { Action: 'GetCallerIdentity', Version: '2010-01-01' },
    { Action: 'GetCallerIdentity' },
    { Action: '<script>', Version: '2011-06-15' },
  ])('refuses %j', async (parameters) => {
    const running = await sandboxForTest();
    const { status, text } = await query(running, parameters);
    expect(status).toBe(400);
    expect(text).toContain('<Code>InvalidAction</Code>');
    expect(text).not.toContain('<script>');
  });
});
