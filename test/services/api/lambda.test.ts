import { describe, expect, test } from 'vitest';
import { makeHandler } from '../../../services/api/handler.ts';
import { readOperators } from '../../../shared/config/operators.ts';
import { urlContext as context, urlEvent as event } from '../../support/url-events.ts';
import { deploy } from '../handlers/support.ts';

const ACCOUNT = '111122223333';
const OPERATOR = `arn:aws:sts::${ACCOUNT}:assumed-role/FinOps/anna`;
const READER = `arn:aws:sts::${ACCOUNT}:assumed-role/Auditor/ben`;
const isOperator = () => readOperators({ ROLLCALL_OPERATORS: `arn:aws:iam::${ACCOUNT}:role/teams/FinOps` });

/** Every path to a field of an event. */
function pathsOf(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[name], ...pathsOf(inner).map((path) => [name, ...path])]);
}

/** A copy in which the field has another value; `undefined`: it is missing. */
function withValue(value: unknown, [name, ...rest]: readonly string[], replacement: unknown): unknown {
  if (name === undefined) return replacement;
  const copy: Record<string, unknown> = { ...Object(value) };
  copy[name] = withValue(copy[name], rest, replacement);
  if (copy[name] === undefined) delete copy[name];
  return copy;
}

describe('behind Lambda', () => {
  test('the signer is the actor, only configured operators may operate, and unsigned requests are refused', async () => {
    const world = await deploy({ sandbox: { accounts: 5 } });
    const handle = makeHandler(world.compose('api'), isOperator);
    const send = async (...args: Parameters<typeof event>) => {
      const { statusCode, body, headers } = await handle(event(...args), context);
      return { status: statusCode, json: JSON.parse(body), headers };
    };
    expect((await send('GET', '/api/whoami', READER)).json).toMatchObject({ actor: READER, role: 'read' });
    expect((await send('GET', '/api/whoami', OPERATOR)).json).toMatchObject({ actor: OPERATOR, role: 'operate' });
    expect((await send('GET', '/api/whoami', null)).json).toMatchObject({ status: 401, code: 'NotSigned' });
    // Identity headers of the client are ignored.
    expect(
      (await send('GET', '/api/whoami', null, undefined, { authorization: `Bearer ${'x'.repeat(40)}` })).status,
    ).toBe(401);
    expect((await send('POST', '/api/halt', READER, {})).json).toMatchObject({ status: 403, code: 'ReadOnly' });
    expect((await send('POST', '/api/halt', OPERATOR, {}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await send('GET', '/api/status', READER)).json).toMatchObject({ halted: null });
    expect((await send('POST', '/api/halt', OPERATOR, { reason: 'incident 7' })).json).toMatchObject({
      halted: true,
      by: OPERATOR,
    });
    const status = await send('GET', '/api/status', READER);
    expect(status.json).toMatchObject({ halted: { by: OPERATOR, reason: 'incident 7' } });
    expect(status.headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
    });
    expect((await send('GET', '/api/audit?type=EnforcementHalted', READER)).json).toMatchObject({
      entries: [{ actor: OPERATOR }],
    });
    expect((await send('GET', '/api/policy', READER)).json).toMatchObject({ inForce: false });
    expect((await send('GET', '/api/accounts', READER)).json).toMatchObject({ accounts: [], total: 0 });
    expect((await send('GET', '/accounts', READER)).status).toBe(404);
    expect((await send('GET', '/metrics', READER)).json).toMatchObject({ status: 404, code: 'MetricsInCloudWatch' });
  });

  test('an event stream sends what is available and ends, so that the reader reconnects', async () => {
    const world = await deploy({ sandbox: { accounts: 5 } });
    const handle = makeHandler(world.compose('api'), isOperator);
    const events = async (from: Record<string, string>) => {
      const { body, headers } = await handle(event('GET', '/api/events', READER, undefined, from), context);
      expect(headers).toMatchObject({ 'content-type': 'text/event-stream' });
      return Buffer.from(body, 'base64').toString();
    };
    const first = await events({});
    expect(first).toMatch(/^retry: 10000\n/);
    const [, id = ''] = /^id: (.+)$/m.exec(first) ?? [];
    await handle(event('POST', '/api/halt', OPERATOR, {}), context);
    const body = await events({ 'last-event-id': id });
    expect(body).toContain('"type":"EnforcementHalted"');
  });

  test('an event that is not an HTTP request is answered 400 with the fault, for any field', async () => {
    const world = await deploy({ sandbox: { accounts: 5 } });
    const handle = makeHandler(world.compose('api'), isOperator);
    const send = async (given: unknown) => {
      const { statusCode, body } = await handle(given, context);
      return { status: statusCode, body };
    };
    // A cheap endpoint, because most of these events are answered.
    const good = event('GET', '/api/whoami', READER);
    const wrong: readonly unknown[] = [null, 7, true, 'x y', [], [7], {}, { length: { toString: 1 } }, '\r\n'];
    let refused = 0;
    for (const path of pathsOf(good)) {
      for (const value of [undefined, ...wrong]) {
        const { status, body } = await send(withValue(good, path, value));
        const name = `${path.join('.')} ${JSON.stringify(value)}`;
        // Without an unused or optional field the request is answered normally, never with a failure.
        expect([name, status >= 200 && status < 500]).toEqual([name, true]);
        if (status === 200) continue;
        const { code } = JSON.parse(body);
        expect([name, code]).toEqual([name, expect.stringMatching(/^[A-Z]/)]);
        if (code === 'BadEvent') refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(30);
    for (const method of ['TRACE', 'connect', 'G E T', '']) {
      expect([method, (await send(event(method, '/api/status', READER))).status]).toEqual([method, 400]);
    }
    expect((await send(event('GET', '/api/status', READER, { a: 'body' }))).status).toBe(200);
    for (const value of [...wrong, undefined, { key1: 'value1' }]) expect((await send(value)).status).toBe(400);
    const { body } = await send({ ...good, rawPath: undefined, requestContext: { http: { method: 7 } } });
    expect(JSON.parse(body).detail).toMatch(
      /rawPath: expected string, received undefined; requestContext\.http\.method: expected string, received number\.$/,
    );
  });

  test.each([
    ['a session of the role', OPERATOR, true],
    ['the role itself', `arn:aws:iam::${ACCOUNT}:role/FinOps`, true],
    ['a role of that name elsewhere', 'arn:aws:sts::999999999999:assumed-role/FinOps/anna', false],
    ['a role whose name begins so', `arn:aws:sts::${ACCOUNT}:assumed-role/FinOps2/anna`, false],
    ['a user of that name', `arn:aws:iam::${ACCOUNT}:user/FinOps`, false],
    ['a role whose session is called so', `arn:aws:sts::${ACCOUNT}:assumed-role/Auditor/FinOps`, false],
    ['no ARN', 'FinOps', false],
  ])('who operates: %s', (_what, arn, expected) => {
    expect(isOperator()(arn)).toBe(expected);
  });

  test('without configured names there are no operators, and an invalid name is refused', () => {
    expect(readOperators({})(OPERATOR)).toBe(false);
    expect(() => readOperators({ ROLLCALL_OPERATORS: 'FinOps' })).toThrow('ROLLCALL_OPERATORS has "FinOps"');
    expect(() => readOperators({ ROLLCALL_OPERATORS: '*' })).toThrow('expected the ARN');
  });
});
