import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toCloudError } from '../../../../shared/adapters/aws/cloud/cloud-errors.ts';
import { meaningOf } from '../../../../shared/adapters/aws/vendor-error-codes.ts';
import type { CloudErrorKind } from '../../../../shared/ports/cloud.ts';
import { failureOf } from '../../../contract/cloud-world.ts';
import { ACCOUNT, cloudOn, json, OWN_KEY, OWN_SECRET, wireCloud, wireServer } from './support.ts';

const MEMBER = '222233334444';

describe('error codes', () => {
  const cases: readonly (readonly [service: string, code: string, kind: CloudErrorKind])[] = [
    ['compute-optimizer', 'ThrottlingException', 'Throttled'],
    ['organizations', 'TooManyRequestsException', 'Throttled'],
    ['sts', 'Throttling', 'Throttled'],
    ['organizations', 'ServiceException', 'Transient'],
    ['organizations', 'ConcurrentModificationException', 'Transient'],
    ['sts', 'RequestExpired', 'Transient'],
    ['organizations', 'AWSOrganizationsNotInUseException', 'Prerequisite'],
    ['organizations', 'ParentNotFoundException', 'Conflict'],
    ['compute-optimizer', 'MissingAuthenticationToken', 'Unauthenticated'],
    ['sts', 'InvalidClientTokenId', 'Unauthenticated'],
    ['sts', 'ExpiredToken', 'Unauthenticated'],
    ['organizations', 'SomethingNewException', 'Invalid'],
    // One service documents this code, another does not.
    ['compute-optimizer', 'ServiceException', 'Invalid'],
    ['organizations', 'constructor', 'Invalid'],
    ['nowhere', '__proto__', 'Invalid'],
  ];
  it.each(cases)('%s %s: %s', (service, code, kind) => {
    expect(meaningOf(service, code)).toEqual({ kind, ambiguous: false });
  });

  it('ignores the HTTP status and the text', async () => {
    const answers = [
      [400, 'ThrottlingException', 'Throttled'],
      [429, 'ThrottlingException', 'Throttled'],
      [500, 'ServiceUnavailableException', 'Transient'],
      [503, 'AccessDeniedException', 'Denied'],
      [429, 'NeverHeardOfException', 'Invalid'],
    ] as const;
    let answered = 0;
    const { cloud } = await wireCloud((_, response) => {
      const [status, code] = answers[answered] ?? answers[0];
      answered += 1;
      json(response, status, { __type: code, message: 'Rate exceeded: throttled, access denied' });
    });
    for (const [, code, kind] of answers) {
      expect((await failureOf(cloud.read('computeOptimizer', ACCOUNT))).details).toMatchObject({ kind, code });
    }
  });
});

describe('AWS is unreachable', () => {
  it.each([
    ['http://127.0.0.1:1', 'ECONNREFUSED', 'ECONNREFUSED at 127.0.0.1 port 1)'],
    [
      'http://no-such-host.invalid',
      /^(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError)$/,
      /failed \(\w+( at no-such-host\.invalid)?\)/,
    ],
  ])('%s: Transient, %s', async (endpoint, code, where) => {
    const { cloud } = cloudOn(endpoint);
    const { details: facts, retryable, message } = await failureOf(cloud.identify());
    expect(facts).toMatchObject({ kind: 'Transient', operation: 'GetCallerIdentity', requestId: null });
    expect(facts.code).toMatch(code);
    expect(retryable).toBe(true);
    expect(message).toContain('network');
    expect(message).toEqual(typeof where === 'string' ? expect.stringContaining(where) : expect.stringMatching(where));
  });

  it('a broken connection is Transient', async () => {
    const { cloud } = await wireCloud((_, response) => response.socket?.destroy());
    const { details: facts } = await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    expect(facts).toMatchObject({ kind: 'Transient', code: 'ECONNRESET', accountId: ACCOUNT });
  });

  const impatient = { timeouts: { connectMs: 1000, requestMs: 100 } };

  it('a missing answer times out', async () => {
    const { cloud } = await wireCloud(() => undefined, impatient);
    const { details: facts } = await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    expect(facts.kind).toBe('Transient');
    expect(facts.code).toMatch(/^(ETIMEDOUT|TimeoutError)$/);
  });

  it('an answer that stops in the middle times out', async () => {
    const { cloud } = await wireCloud((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 100 });
      response.write('{"status":');
    }, impatient);
    const error = await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    expect(error.kind).toBe('Transient');
    // The SDK's error refers to the request, whose headers contain secrets.
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(OWN_KEY);
  });

  it.each([
    ['a page of a proxy', 502, '<html>Bad gateway</html>'],
    ['a page in the place of an answer', 200, '<html>Sign in to the Wi-Fi</html>'],
    ['an answer cut short', 200, '{"status":"Act'],
    ['an error without a code', 500, '{}'],
  ])('%s is not a valid answer: Transient', async (_, status, body) => {
    const { cloud } = await wireCloud((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end(body);
    });
    const { details: facts, message } = await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    expect(facts).toMatchObject({ kind: 'Transient', code: 'UnreadableAnswer' });
    expect(message).toContain('AWS_ENDPOINT_URL');
  });
});

describe('configuration errors', () => {
  it('reports missing credentials', async () => {
    const wire = await wireServer((_, response) => json(response, 200, {}));
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    const { cloud } = cloudOn(wire.endpoint, {}, none);
    const { details: facts, message } = await failureOf(cloud.list('computeOptimizer', null));
    expect(facts).toMatchObject({ kind: 'Unauthenticated', code: 'CredentialsProviderError', accountId: null });
    expect(message).toContain('aws sso login');
    expect(wire.requests).toHaveLength(0);
  });

  it.each(['', 'not a region'])('Region %j', async (AWS_REGION) => {
    const wire = await wireServer((_, response) => json(response, 200, {}));
    const { cloud } = cloudOn(wire.endpoint, {}, { AWS_REGION });
    const { details: facts, message } = await failureOf(cloud.identify());
    expect(facts).toMatchObject({ kind: 'Invalid', code: 'RegionMissing' });
    expect(message).toContain('AWS_REGION');
    expect(wire.requests).toHaveLength(0);
  });

  it.each(['eu-wset', 'Eu-West-1', 'eu-west', 'eu-west-1a', 'nonsense', 'us-east-1.evil.example'])(
    'rejects the invalid Region %j',
    async (AWS_REGION) => {
      const wire = await wireServer((_, response) => json(response, 200, {}));
      const { cloud } = cloudOn(wire.endpoint, {}, { AWS_REGION });
      const { details: facts, message } = await failureOf(cloud.identify());
      expect(facts).toMatchObject({ kind: 'Invalid', code: expect.stringMatching(/^Region(Malformed|Missing)$/) });
      expect(message).toContain('such as eu-west-1');
      expect(wire.requests).toHaveLength(0);
    },
  );

  it.each(['us-gov-west-1', 'cn-northwest-1', 'eusc-de-east-1', 'us-isob-east-1', 'ap-southeast-7'])(
    'accepts the Region %j',
    async (AWS_REGION) => {
      const wire = await wireServer((_, response) => json(response, 200, {}));
      const { cloud } = cloudOn(wire.endpoint, {}, { AWS_REGION });
      await failureOf(cloud.identify());
      expect(wire.requests).toHaveLength(1);
    },
  );

  it('a bare 404, such as from a proxy, is not an answer of AWS', async () => {
    const wire = await wireServer((_, response) => {
      response.writeHead(404);
      response.end();
    });
    const { cloud } = cloudOn(wire.endpoint);
    const { details: facts, message } = await failureOf(cloud.identify());
    expect(facts).toMatchObject({ kind: 'Transient', code: 'UnreadableAnswer' });
    expect(message).toContain('The answer does not come from an AWS service');
    expect(message).not.toContain('Unknown');
  });

  it('reports credentials that AWS rejects', async () => {
    const wire = await wireServer((_, response) => {
      response.writeHead(403, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-9' });
      response.end(
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error><RequestId>r-9</RequestId></ErrorResponse>',
      );
    });
    const { cloud } = cloudOn(wire.endpoint);
    const { details: facts } = await failureOf(cloud.identify());
    expect(facts).toMatchObject({ kind: 'Unauthenticated', code: 'InvalidClientTokenId', requestId: 'r-9' });
  });

  it('after an answer about a wrong clock, the SDK uses the time of the answer and the next attempt succeeds', async () => {
    const ahead = new Date(Date.now() + 3_600_000).toUTCString();
    const { cloud, requests } = await wireCloud((_, response) => {
      response.setHeader('date', ahead);
      json(response, 403, { __type: 'InvalidSignatureException', message: 'Signature expired' });
    });
    expect((await failureOf(cloud.read('computeOptimizer', ACCOUNT))).kind).toBe('Transient');
    await failureOf(cloud.read('computeOptimizer', ACCOUNT));
    const [first, second] = requests
      .filter(({ operation }) => operation === 'GetEnrollmentStatus')
      .map(({ headers }) => String(headers['x-amz-date']).slice(0, 11));
    expect(first).not.toBe(second);
  });

  it('reports that STS is disabled in the Region of the member', async () => {
    const wire = await wireServer(({ operation }, response) => {
      response.writeHead(operation === 'AssumeRole' ? 403 : 200, { 'content-type': 'text/xml' });
      response.end(
        operation === 'AssumeRole'
          ? '<ErrorResponse><Error><Code>RegionDisabledException</Code><Message>STS is not activated</Message></Error><RequestId>r</RequestId></ErrorResponse>'
          : `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${ACCOUNT}</Account><Arn>arn:aws:iam::${ACCOUNT}:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
    });
    const { cloud } = cloudOn(wire.endpoint);
    const { details: facts, message } = await failureOf(cloud.read('computeOptimizer', MEMBER));
    expect(facts).toMatchObject({ kind: 'Denied', code: 'RegionDisabledException', accountId: MEMBER });
    expect(message).toContain('enable the Region');
  });

  it.each([
    ['a request that was given up', Object.assign(new Error('Request aborted'), { name: 'AbortError' })],
    ['no port left', Object.assign(new Error('connect'), { code: 'EADDRNOTAVAIL', syscall: 'connect' })],
    ['a socket gone before', Object.assign(new Error('closed'), { code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION' })],
  ])('%s is a network error, so no account is given up', (_, cause) => {
    const context = {
      service: 'compute-optimizer',
      operation: 'GetEnrollmentStatus',
      accountId: ACCOUNT,
      member: true,
    };
    expect(toCloudError(cause, context)).toMatchObject({ retryable: true, details: { kind: 'Transient' } });
  });

  it('an internal error is Invalid and keeps its cause', () => {
    const mistake = new TypeError('x is not a function');
    const context = { service: 'sts', operation: 'GetCallerIdentity', accountId: null, member: false };
    const error = toCloudError(mistake, context);
    expect(error.details).toMatchObject({ kind: 'Invalid', code: 'TypeError' });
    expect(error.cause).toBe(mistake);
    expect(toCloudError(error, context)).toBe(error);
  });
});

describe('messages', () => {
  it('name the failed operation, the account, the code, the request and the remedy', async () => {
    const { cloud } = await wireCloud((_, response) =>
      json(response, 400, { __type: 'AccessDeniedException', message: 'User is not\n authorized' }),
    );
    const { message } = await failureOf(cloud.read('computeOptimizer', MEMBER));
    expect(message).toBe(
      'GetEnrollmentStatus for account 222233334444 failed (AccessDeniedException, request request-1): User is not authorized. ' +
        'Check that the member role allows compute-optimizer:GetEnrollmentStatus and that no service control policy forbids it.',
    );
  });

  it('contain no secrets of the caller or the member; neither does the rest of the error', async () => {
    for (const code of [
      'SignatureDoesNotMatch',
      'AccessDeniedException',
      'NeverHeardOfException',
      'ThrottlingException',
    ]) {
      let signature = '';
      const { cloud } = await wireCloud(({ headers }, response) => {
        const { authorization = '', 'x-amz-security-token': token = '' } = headers;
        signature = authorization.split('Signature=')[1] ?? '';
        const key = /Credential=([^/]+)/.exec(authorization)?.[1];
        const words = `For key ${key} x-amz-security-token:${token} authorization:${authorization}`;
        json(response, 403, { __type: code, message: words });
      });
      for (const account of [ACCOUNT, MEMBER]) {
        const error = await failureOf(cloud.read('computeOptimizer', account));
        const shown = inspect(error, { depth: 10, showHidden: true });
        expect(signature).toMatch(/^[0-9a-f]{64}$/);
        // If AWS rejects the credentials themselves, its message may quote the signed request.
        expect(error.message.includes('For key')).toBe(code !== 'SignatureDoesNotMatch');
        for (const secret of [
          OWN_KEY,
          OWN_SECRET,
          `ASIA${MEMBER}`,
          `secret-of-${MEMBER}`,
          `token-of-${MEMBER}`,
          signature,
        ]) {
          expect(shown).not.toContain(secret);
        }
      }
    }
  });
});
