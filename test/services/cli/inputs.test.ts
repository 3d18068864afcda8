import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { applyShape, errorShape, planShape } from './shapes.ts';
import {
  as,
  ENROLL,
  type Ended,
  expectNoStack,
  expectRefusal,
  json,
  place,
  refused,
  rollcall,
  type World,
  world,
} from './support.ts';

describe('invalid policies', () => {
  test.each<[string, string | Uint8Array, string[]]>([
    ['malformed', 'version: 1\ndefaults: { computeOptimizer: Active\n', ['p.yaml:3:1: error', 'p.yaml has']],
    ['with an unknown key', `${ENROLL}colour: blue\n`, ['p.yaml:5:1: error', 'colour']],
    [
      'contradictory',
      'version: 1\ndefaults: { computeOptimizer: Inactive, automation: Active }\n',
      ['p.yaml:2:53: error', 'contradiction'],
    ],
    ['empty', '', ['p.yaml:1:1: error', 'empty']],
    ['binary', new Uint8Array([0xff, 0xfe, 0, 1, 2]), ['p.yaml:1:1: error']],
    ['too large', `# ${'x'.repeat(4 * 1024 * 1024)}\n${ENROLL}`, ['bytes; at most 4194304 are read']],
  ])('%s', async (_name, text, words) => {
    const cwd = place();
    writeFileSync(join(cwd, 'p.yaml'), text);
    const message = await refused(['plan', '--policy', join(cwd, 'p.yaml'), '--data-dir', join(cwd, 'data')]);
    for (const word of words) expect(message).toContain(word);
    expect(readdirSync(cwd)).toEqual(['p.yaml']);
  });

  test('missing, a directory, below a file', async () => {
    const cwd = place({ 'p.yaml': ENROLL });
    mkdirSync(join(cwd, 'd.yaml'));
    const validate = (name: string): Promise<string> => refused(['policy', 'validate', join(cwd, name)]);
    expect(await validate('q.yaml')).toContain(
      'q.yaml cannot be read (ENOENT): there is no such file; `rollcall policy init`',
    );
    expect(await validate('d.yaml')).toContain('d.yaml is a directory');
    expect(await validate('p.yaml/x')).toContain('(ENOTDIR): part of its path is a file');
  });

  test('a device is refused, whether its content ends or not', async () => {
    expect(await refused(['policy', 'validate', '/dev/zero'])).toContain(
      '/dev/zero is a device, expected a regular file',
    );
    expect(
      await refused(['apply', '--yes', '--plan', '/dev/zero', '--policy', join(place({ 'p.yaml': ENROLL }), 'p.yaml')]),
    ).toContain('/dev/zero is a device, expected a regular file');
  });

  test('apply reports the findings, as text and as JSON, and changes nothing', async () => {
    const cwd = place({ 'p.yaml': 'version: 1\ndefaults: { computeOptimizer: On }\n' });
    const [text, document] = await Promise.all([
      rollcall(['apply', '--yes', '--policy', 'p.yaml'], { cwd }),
      rollcall(['apply', '--yes', '--policy', 'p.yaml', '--json'], { cwd }),
    ]);
    expectRefusal(
      text,
      cwd,
      ['p.yaml'],
      'p.yaml:2:31: error: defaults.computeOptimizer',
      'p.yaml has 1 error; nothing was done',
    );
    const { error } = errorShape.parse(json(document));
    expect(document.code).toBe(1);
    expect(error).toMatchObject({ code: 'PolicyInvalid', findings: [{ line: 2, column: 31, severity: 'error' }] });
  });

  test('a policy that manages no account', async () => {
    const { env } = await world();
    const cwd = place({
      'p.yaml': 'version: 1\nrules:\n  - { id: a, match: { ou: /Nowhere }, computeOptimizer: Active }\n',
    });
    for (const args of [['plan'], ['apply', '--yes']]) {
      const result = await rollcall([...args, '--policy', 'p.yaml'], { cwd, env });
      expectRefusal(result, cwd, ['p.yaml'], 'this policy matches no account');
    }
  });

  test('suspicious rules cause warnings', async () => {
    const { env } = await world();
    const rules = 'rules:\n  - { id: a, match: { ou: /Nowhere }, computeOptimizer: Active }\n';
    const cwd = place({ 'p.yaml': `${ENROLL}${rules}` });
    const [text, document] = await Promise.all([
      rollcall(['plan', '--policy', 'p.yaml'], { cwd, env }),
      rollcall(['plan', '--policy', 'p.yaml', '--json'], { cwd, env }),
    ]);
    expect(text.stderr).toContain('p.yaml:6:21: warning: rules[0].match: the rule a matches nothing');
    expect(planShape.parse(json(document)).warnings).toMatchObject([{ path: 'rules[0].match', severity: 'warning' }]);
  });
});

const EXPIRED_TOKEN =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>ExpiredToken</Code>' +
  '<Message>The security token included in the request is expired</Message></Error><RequestId>r-1</RequestId></ErrorResponse>';

/** Gives the same answer to every request. */
async function server(status: number, body: string): Promise<string> {
  const listening = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  onTestFinished(() => {
    listening.close();
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('not on a TCP port');
  return `http://127.0.0.1:${address.port}`;
}

describe('AWS is unreachable or refuses', () => {
  const plans = async (
    { env }: World,
    changed: Readonly<Record<string, string | undefined>>,
    args: readonly string[] = ['apply', '--yes'],
  ): Promise<readonly [Ended, string]> => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const merged = Object.entries({ ...env, ...changed }).filter(
      (each): each is [string, string] => each[1] !== undefined,
    );
    return [await rollcall(args, { cwd, env: Object.fromEntries(merged) }), cwd];
  };
  const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

  test('credentials missing, unknown, of a member; Region missing, wrong, of another partition', async () => {
    const there = await world();
    const { info, sandbox } = there.running;
    const member = sandbox.accounts().find(({ accountId, management, state }) => {
      return !management && state === 'ACTIVE' && accountId !== info.delegatedAdministratorId;
    });
    const cases: [Record<string, string | undefined>, string[]][] = [
      [none, ['no usable AWS credentials', 'aws sso login', 'AWS_PROFILE']],
      [as('111111111111'), ['InvalidClientTokenId', 'Sign in', 'AWS_REGION']],
      [as(member?.accountId ?? ''), ['neither the management account', 'register-delegated-administrator']],
      [{ AWS_REGION: undefined }, ['no AWS Region is set', 'export AWS_REGION']],
      [{ AWS_REGION: 'mars-west-1' }, ['SignatureDoesNotMatch', 'check the Region (AWS_REGION)']],
      [{ AWS_REGION: 'cn-north-1' }, ['SignatureDoesNotMatch', 'one partition only']],
    ];
    const results = await Promise.all(cases.map(([env]) => plans(there, env)));
    for (const [at, [result, cwd]] of results.entries())
      expectRefusal(result, cwd, ['rollcall.yaml'], ...(cases[at]?.[1] ?? []));
  });

  test('credentials expired, or without permission', async () => {
    const sts = await server(403, EXPIRED_TOKEN);
    const denied = await world({ faults: [{ operation: 'DescribeOrganization', kind: 'denied' }] });
    const [first, second] = await Promise.all([plans(denied, { AWS_ENDPOINT_URL: sts }), plans(denied, {})]);
    expectRefusal(...first, ['rollcall.yaml'], 'ExpiredToken', 'Sign in');
    expectRefusal(...second, ['rollcall.yaml'], 'AccessDenied', 'organizations:DescribeOrganization');
  });

  test('an endpoint without a server, or with one that is not AWS, is reported within seconds', async () => {
    const there = await world();
    const page = await server(200, '<html>Welcome</html>');
    const [nobody, none, other] = await Promise.all([
      plans(there, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }),
      plans(there, { AWS_ENDPOINT_URL: 'localhost' }, ['plan']),
      plans(there, { AWS_ENDPOINT_URL: page }, ['plan']),
    ]);
    expectRefusal(...nobody, ['rollcall.yaml'], 'ECONNREFUSED', 'AWS_ENDPOINT_URL');
    expectRefusal(
      ...none,
      ['rollcall.yaml'],
      'Set AWS_ENDPOINT_URL to a URL such as http://127.0.0.1:4570, or unset it.',
    );
    expect(none[0].stderr).not.toContain('no AWS service');
    expectRefusal(...other, ['rollcall.yaml'], 'AWS_ENDPOINT_URL');
    expect(Math.max(nobody[0].ms, other[0].ms)).toBeLessThan(25_000);
  });

  test('if some roles cannot be assumed, the other accounts proceed, exit 3', async () => {
    const { env, running } = await world({ accounts: 16, drift: 0.6, brokenRoles: 0.4 });
    const broken = running.sandbox
      .accounts()
      .filter(({ roleAssumable, state }) => !roleAssumable && state === 'ACTIVE');
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await rollcall(['apply', '--yes', '--json', '--wait', '1s'], { cwd, env });
    const document = applyShape.parse(json(result));
    expect(result.code).toBe(3);
    expect(document.changes.succeeded).toBeGreaterThan(0);
    const open = document.open.map(({ accountId }) => accountId);
    expect(open.length).toBeGreaterThan(0);
    expect(broken.map(({ accountId }) => accountId)).toEqual(expect.arrayContaining(open));
    expect(document.open[0]?.message).toContain('member role');
  });

  test('accounts missing from an incomplete listing never count as compliant; the others proceed, exit 3', async () => {
    const { env } = await world({
      accounts: 103,
      drift: 0.1,
      faults: [{ operation: 'GetEnrollmentStatusesForOrganization', kind: 'torn-page' }],
    });
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const result = await rollcall(['apply', '--yes', '--json', '--wait', '1s'], { cwd, env });
    const document = applyShape.parse(json(result));
    expect(result.code).toBe(3);
    expect(document.broken[0]).toContain('ended early after 100 accounts');
    expect(document.coverage.unknown).toBeGreaterThan(0);
    expect(document.changes.succeeded).toBeGreaterThan(0);
    expect(document.summary.computeOptimizer['Unknown']).toBe(document.coverage.unknown);
    const status = await rollcall(['status'], { cwd });
    expect(status.code).toBe(3);
  });
});

describe('disks', () => {
  test('a data directory that is a file, is below one, or cannot be created', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL, file: '' });
    const results = await Promise.all(
      ['file', 'file/below', '/proc/rollcall'].map((dir) =>
        rollcall(['apply', '--yes', '--data-dir', dir], { cwd, env }),
      ),
    );
    const words = ['a file, expected a directory', 'part of the path is a file', 'no directory can be made there'];
    for (const [at, result] of results.entries())
      expectRefusal(result, cwd, ['file', 'rollcall.yaml'], words[at] ?? '');
  });

  test('a path that is too long, or a symbolic link loop', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    symlinkSync('loop', join(cwd, 'loop'));
    const long = join(cwd, 'a'.repeat(300));
    expect(await refused(['status', '--data-dir', long])).toContain('the name is too long');
    expect(await refused(['status', '--data-dir', join(cwd, 'loop')])).toContain('lead in a circle');
    expect(await refused(['policy', 'validate', long])).toContain('(ENAMETOOLONG): the name is too long');
    expect(await refused(['policy', 'validate', join(cwd, 'loop')])).toContain('(ELOOP): its symbolic links');
  });

  test('a full disk when a plan is saved, and a policy that already exists', async () => {
    const { env } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const [full, nowhere, present] = await Promise.all([
      rollcall(['plan', '--out', '/dev/full'], { cwd, env }),
      rollcall(['plan', '--out', 'no/plan.json'], { cwd, env }),
      rollcall(['policy', 'init'], { cwd, env }),
    ]);
    expectRefusal(full, cwd, ['rollcall.yaml'], '/dev/full cannot be written (ENOSPC): the disk is full');
    expectRefusal(
      nowhere,
      cwd,
      ['rollcall.yaml'],
      'no/plan.json cannot be written (ENOENT): there is no such directory',
    );
    expectRefusal(present, cwd, ['rollcall.yaml'], 'rollcall.yaml already exists', '--force');
  });

  test('a damaged store, or one of another program, stays unchanged', async () => {
    const cwd = place();
    mkdirSync(join(cwd, '.rollcall'));
    writeFileSync(join(cwd, '.rollcall/rollcall.db'), 'this is no database, but somebody may need it'.repeat(100));
    const line = await refused(['status', '--data-dir', join(cwd, '.rollcall')]);
    expect(line).toContain('rollcall.db');
    expect(line).toContain('restore');
    expectNoStack({ code: 1, stdout: line, stderr: '', ms: 0 });
  });
});
