import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import { cbor } from '@smithy/core/cbor';
import { describe, expect, test } from 'vitest';
import {
  as,
  authorization,
  automation,
  clients,
  control,
  HOUR_MS,
  json,
  member,
  query,
  START,
  sandboxForTest,
} from './support.ts';

// Behaviour that clients in other languages rely on: boto3, the AWS CLI, the SDKs for Go and Java.

describe('a listing with an empty page', () => {
  test('continues with a new token each time, from the same position', async () => {
    const running = await sandboxForTest({ faults: [{ kind: 'empty-page', from: 2, count: 3 }] });
    const { organizations } = clients(running);
    const tokens: (string | undefined)[] = [];
    let accounts = 0;
    let NextToken: string | undefined;
    do {
      const page = await organizations.send(new ListAccountsCommand({ NextToken }));
      accounts += page.Accounts?.length ?? 0;
      NextToken = page.NextToken;
      tokens.push(NextToken);
    } while (NextToken !== undefined);
    // 20 accounts, three empty pages, 5 accounts. Some clients end a listing that repeats a token.
    expect(accounts).toBe(25);
    expect(tokens).toHaveLength(5);
    expect(new Set(tokens).size).toBe(5);
  });
});

describe('the error codes of STS', () => {
  const identity = { Action: 'GetCallerIdentity', Version: '2011-06-15' };

  test('for an unknown key: InvalidClientTokenId, 403; UnrecognizedClientException in the other services', async () => {
    const running = await sandboxForTest();
    const answer = await query(running, identity, { authorization: authorization('000000000000', 'sts') });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('<Code>InvalidClientTokenId</Code>');
    const other = await json(running, 'organizations', 'ListAccounts', {}, { as: as('000000000000') });
    expect(other).toMatchObject({ status: 400, error: 'UnrecognizedClientException' });
  });

  test('for an expired session: ExpiredToken, 403; ExpiredTokenException in the other services', async () => {
    const running = await sandboxForTest();
    const { accountId } = member(running);
    const issued = running.sandbox.handle({
      ...{ service: 'sts', operation: 'AssumeRole', callerAccountId: running.info.managementAccountId, requestId: '-' },
      input: { RoleArn: `arn:aws:iam::${accountId}:role/RollcallMember`, RoleSessionName: 'test' },
    });
    if (issued.kind !== 'ok') expect.fail('no session');
    const { AccessKeyId, SessionToken } = Object(issued.output['Credentials']);
    running.clock.advance(HOUR_MS);
    const token = { 'x-amz-security-token': String(SessionToken) };
    const answer = await query(running, identity, { authorization: authorization(AccessKeyId, 'sts'), ...token });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('<Code>ExpiredToken</Code>');
    const caller = { accessKeyId: AccessKeyId, secretAccessKey: 'any', sessionToken: SessionToken };
    const other = await json(running, 'compute-optimizer', 'GetEnrollmentStatus', {}, { as: caller });
    expect(other).toMatchObject({ status: 400, error: 'ExpiredTokenException' });
  });

  test('for errors of the model: the names of its awsQueryError trait', async () => {
    const running = await sandboxForTest({
      faults: [{ service: 'sts', kind: 'denied', code: 'PackedPolicyTooLargeException', count: 1 }],
    });
    const answer = await query(running, identity);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('<Code>PackedPolicyTooLarge</Code>');
  });
});

describe('a client token', () => {
  test('is in use until the response to its first call', async () => {
    const clock = { now: () => START };
    const running = await sandboxForTest({ clock });
    const { accountId } = member(running);
    const input = { status: 'Inactive', clientToken: 'one' };
    const call = (service: 'aco-automation') =>
      running.sandbox.handle({
        ...{ service, operation: 'UpdateEnrollmentConfiguration', callerAccountId: accountId, input, requestId: '-' },
      });
    await control(running, 'faults', { faults: [{ kind: 'slow', delayMs: 400, count: 1 }] });
    const first = call('aco-automation');
    expect(first).toMatchObject({ kind: 'ok', delayMs: 400 });
    const busy = { kind: 'error', error: { code: 'IdempotencyTokenInUseException', httpStatus: 409 } };
    running.clock.advance(399);
    expect(call('aco-automation')).toMatchObject(busy);
    running.clock.advance(1);
    expect(call('aco-automation')).toEqual({ ...first, delayMs: 0 });
  });
});

describe('requests of other clients', () => {
  const post = (endpoint: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(endpoint, { method: 'POST', headers: { 'x-amz-date': '20261102T090000Z', ...headers }, body });

  test('may have content types in any case, with parameters', async () => {
    const running = await sandboxForTest();
    const id = running.info.managementAccountId;
    const signed = { authorization: authorization(id, 'compute-optimizer') };
    const target = { 'x-amz-target': 'ComputeOptimizerService.GetEnrollmentStatus' };
    const typed = { ...signed, ...target, 'content-type': 'Application/X-Amz-Json-1.0; Charset=UTF-8' };
    expect((await post(running.endpoint, typed, '{}')).status).toBe(200);
    const path = `${running.endpoint}/service/ComputeOptimizerService/operation/GetEnrollmentStatus`;
    const cborTyped = { ...signed, 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'Application/CBOR' };
    expect((await post(path, cborTyped, Uint8Array.from(cbor.serialize({})))).status).toBe(200);
    const form = { authorization: authorization(id, 'sts'), 'content-type': 'Application/X-WWW-Form-URLEncoded' };
    const body = 'Action=GetCallerIdentity&Version=2011-06-15';
    expect((await post(running.endpoint, form, body)).status).toBe(200);
  });

  test.each(['/prefix', '/a/b/service/Other/operation/Nothing', ''])(
    'RPC v2 CBOR is routed by the last segments of the path, behind the prefix "%s"',
    async (prefix) => {
      const running = await sandboxForTest();
      const headers = {
        authorization: authorization(running.info.managementAccountId, 'compute-optimizer'),
        ...{ 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
      };
      const path = `${prefix}/service/ComputeOptimizerService/operation/GetEnrollmentStatus`;
      expect((await post(running.endpoint + path, headers, Uint8Array.from(cbor.serialize({})))).status).toBe(200);
    },
  );

  test('need a signature and a date', async () => {
    const running = await sandboxForTest();
    const signed = authorization(running.info.managementAccountId, 'compute-optimizer');
    const unsigned = signed.replace(/Signature=.*$/, 'Signature=');
    const refused = await json(
      running,
      'compute-optimizer',
      'GetEnrollmentStatus',
      {},
      { headers: { authorization: unsigned } },
    );
    expect(refused).toMatchObject({ status: 400, error: 'IncompleteSignature' });
    const headers = {
      ...{ authorization: signed, 'content-type': 'application/x-amz-json-1.0' },
      'x-amz-target': 'ComputeOptimizerService.GetEnrollmentStatus',
    };
    const undated = await fetch(running.endpoint, { method: 'POST', headers, body: '{}' });
    expect(undated.status).toBe(400);
    expect(await undated.text()).toContain("'X-Amz-Date' or a 'Date' header");
    const dated = await fetch(running.endpoint, {
      ...{ method: 'POST', body: '{}' },
      headers: { ...headers, 'x-amz-date': '20261102T090000Z' },
    });
    expect(dated.status).toBe(200);
    expect((await automation(running, 'GetEnrollmentConfiguration')).status).toBe(200);
  });
});
