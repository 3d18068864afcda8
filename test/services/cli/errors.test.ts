import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorShape } from './shapes.ts';
import { as, ENROLL, expectNoStack, json, place, rollcall, world } from './support.ts';

/** What a person reads on stderr, without the line that names the exit code. */
async function said(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const result = await rollcall(args, { cwd, env });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expectNoStack(result);
  return result.stderr.replace('rollcall: exit code 1 (error)\n', '');
}

describe('errors name what happened, the facts, and the fix', () => {
  test('a misspelled key of the policy', async () => {
    const cwd = place({ 'rollcall.yaml': 'version: 1\ndefaults:\n  computeOptimiser: Active\n' });
    expect(await said(['policy', 'validate'], cwd)).toBe(
      [
        'rollcall.yaml:3:3: error: unknown key computeOptimiser',
        '  3 |   computeOptimiser: Active',
        '    |   ^^^^^^^^^^^^^^^^ did you mean computeOptimizer?',
        '  expected one of: computeOptimizer, automation, costOptimizationHub, organizationRules, mode',
        'error: rollcall.yaml has 1 error; nothing was done',
        '',
      ].join('\n'),
    );
  });

  test('other errors of the policy', async () => {
    const cwd = place({
      'p.yaml': 'version: 1\ndefaults: { automation: "Activ" }\nrules:\n  - id: x\n    match: { ou: 3 }\n',
    });
    const text = await said(['policy', 'validate', 'p.yaml'], cwd);
    expect(text).toContain(
      [
        'p.yaml:2:25: error: defaults.automation: wrong value',
        '  2 | defaults: { automation: "Activ" }',
        '    |                         ^^^^^^ did you mean Active?',
        '  expected Active | Inactive | unmanaged',
      ].join('\n'),
    );
    expect(text).toContain('error: p.yaml has 3 errors; nothing was done');
  });

  test('an account that is not known', async () => {
    const { env, running } = await world();
    const cwd = place({ 'rollcall.yaml': ENROLL });
    await rollcall(['apply', '--yes', '--wait', '1s'], { cwd, env });
    const text = await said(['account', '123456789012'], cwd);
    expect(text).toMatch(
      new RegExp(
        `^error: account 123456789012 is not known in ${running.info.organizationId}\n {2}Check the number. New since the last scan \\(\\d+s ago\\)\\? Run: rollcall scan\n$`,
      ),
    );
  });

  test('an expired single sign-on session', async () => {
    const cwd = place({
      'rollcall.yaml': ENROLL,
      config: `[profile ops]
region = eu-west-1
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = Ops
`,
    });
    const cache = join(cwd, '.aws', 'sso', 'cache');
    mkdirSync(cache, { recursive: true });
    const name = createHash('sha1').update('https://example.awsapps.com/start').digest('hex');
    const token = { accessToken: 'secret-token', expiresAt: '2020-01-01T00:00:00Z', region: 'eu-west-1' };
    writeFileSync(join(cache, `${name}.json`), JSON.stringify(token));
    const env = { AWS_PROFILE: 'ops', AWS_CONFIG_FILE: join(cwd, 'config') };
    expect(await said(['plan'], cwd, env)).toBe(
      'error: the AWS session of profile ops has expired\n  Fix: aws sso login --profile ops\n',
    );
  });

  test('a profile that does not exist, with a Region and without', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL, config: '[profile ops]\nregion = eu-west-1\n' });
    const named = { AWS_PROFILE: 'nosuch', AWS_CONFIG_FILE: join(cwd, 'config'), AWS_EC2_METADATA_DISABLED: 'true' };
    for (const env of [named, { ...named, AWS_REGION: 'eu-west-1' }]) {
      expect(await said(['plan'], cwd, env)).toBe(
        `error: the AWS profile nosuch does not exist in ${join(cwd, 'config')}\n` +
          '  Correct AWS_PROFILE. To list the profiles: aws configure list-profiles\n',
      );
      const { stdout } = await rollcall(['doctor'], { cwd, env });
      expect(stdout).toMatch(/✗ (Credentials|Region) +the AWS profile nosuch \(AWS_PROFILE\) does not exist/);
      expect(stdout).not.toContain('sso login');
    }
  });

  test('no Region', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    expect(await said(['plan'], cwd, as('111122223333'))).toBe(
      'error: no AWS Region is set\n  Fix: export AWS_REGION=us-east-1, or set region in your AWS profile\n',
    );
  });

  test('credentials of another organization', async () => {
    const [mine, other] = await Promise.all([world(), world({ seed: 4 })]);
    const cwd = place({ 'rollcall.yaml': ENROLL });
    await rollcall(['apply', '--yes', '--wait', '1s'], { cwd, env: mine.env });
    const ids = [mine, other].map(({ running }) => running.info.organizationId);
    expect(await said(['plan'], cwd, other.env)).toBe(
      'error: this store belongs to another organization; nothing was written\n' +
        `  The store .rollcall is for ${ids[0]}, the credentials are for ${ids[1]}.\n` +
        `  Fix: use credentials of ${ids[0]}, or another store with --data-dir\n`,
    );
  });

  test('no store', async () => {
    expect(await said(['status'], place())).toBe(
      'error: there is no store in .rollcall\n' +
        '  Fix: rollcall scan creates it; or name another folder with --data-dir\n',
    );
  });

  test('no connection, directly and through a proxy', async () => {
    const cwd = place({ 'rollcall.yaml': ENROLL });
    const env = { AWS_REGION: 'us-east-1', ...as('111122223333'), AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    expect(await said(['plan'], cwd, env)).toBe(
      'error: no connection to 127.0.0.1:1\n' +
        '  The host refused the connection (ECONNREFUSED).\n' +
        '  Fix: check the network, AWS_REGION and AWS_ENDPOINT_URL; set HTTPS_PROXY if you need a proxy\n',
    );
    const proxied = { ...env, AWS_ENDPOINT_URL: '', HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' };
    expect(await said(['plan'], cwd, proxied)).toBe(
      'error: no connection to sts.us-east-1.amazonaws.com\n' +
        '  The proxy http://***@127.0.0.1:1 (HTTPS_PROXY) refused the connection (ECONNREFUSED).\n' +
        '  Fix: correct HTTPS_PROXY; if AWS needs no proxy, set NO_PROXY=.amazonaws.com\n',
    );
  });

  test('an unknown option', async () => {
    expect(await said(['plan', '--polcy', 'x'], place())).toBe(
      'error: unknown option --polcy\n  Did you mean --policy? All options: rollcall plan --help\n',
    );
  });

  test('in json, the message has everything', async () => {
    const result = await rollcall(['status', '-o', 'json'], { cwd: place() });
    expect(errorShape.parse(json(result)).error).toMatchObject({
      code: 'NotFound',
      message: 'there is no store in .rollcall. Fix: rollcall scan creates it; or name another folder with --data-dir',
    });
  });
});
