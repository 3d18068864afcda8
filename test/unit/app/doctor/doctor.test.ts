import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../shared/app/doctor/check-ids.ts';
import { deployMemberRole, grant, renewMemberRole, trustCaller } from '../../../../shared/app/doctor/commands.ts';
import { resultOfError } from '../../../../shared/app/doctor/errors.ts';
import { type Check, examine } from '../../../../shared/app/doctor/run-checks.ts';
import { type CheckResult, fail, pass, quoted, skipped, tally, warn } from '../../../../shared/domain/check-result.ts';
import { CloudError, type CloudErrorKind } from '../../../../shared/ports/cloud.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const check = (id: CheckId, run: () => Promise<CheckResult>, ...needs: readonly CheckId[]): Check => ({
  id,
  needs,
  run,
});
const never = () => new Promise<CheckResult>(() => undefined);

function cloudError(kind: CloudErrorKind, requestId: string | null = null, code = 'Code'): CloudError {
  const facts = { kind, code, service: 'sts', operation: 'Op', accountId: null, requestId, ambiguous: false };
  return new CloudError('words', facts);
}

describe('examining', () => {
  it('runs checks in parallel with a timeout, and skips a check that needs one that timed out', async () => {
    const clock = manualClock();
    const examined = examine(
      [
        check('region', never),
        check('disk', never),
        check('credentials', async () => pass('never asked'), 'region'),
        { ...check('memberRole', never), moreMs: 4_000 },
        check('table', async () => pass('there')),
      ],
      { clock, timeoutMs: 1_000 },
    );
    await clock.advance(1_000);
    await clock.advance(4_000);
    const findings = await examined;
    expect(findings.map(({ check: id, status, reason, durationMs }) => [id, status, reason, durationMs])).toEqual([
      ['region', 'fail', 'timeout', 1_000],
      ['disk', 'fail', 'timeout', 1_000],
      ['credentials', 'skipped', 'notReached', 0],
      ['memberRole', 'fail', 'timeout', 5_000],
      ['table', 'pass', null, 0],
    ]);
    expect(findings[3]?.fix).toEqual(['rollcall doctor --timeout 20s']);
    expect(clock.sleeping).toBe(0);
  });

  it('turns an error of a check into its finding, without affecting other checks', async () => {
    const findings = await examine(
      [
        check('region', () => Promise.reject(new Error('a defect'))),
        check('queue', () => Promise.reject('no error at all')),
        check('bus', () => Promise.reject(cloudError('Denied'))),
        check('disk', async () => warn('wrong', 'little')),
        check('table', async () => pass('reached'), 'disk'),
      ],
      { clock: manualClock(), timeoutMs: 1_000 },
    );
    expect(findings.map(({ status, reason, message }) => [status, reason, message])).toEqual([
      ['fail', 'wrong', 'a defect'],
      ['fail', 'wrong', 'no error at all'],
      ['fail', 'denied', 'words'],
      ['warn', 'wrong', 'little'],
      ['pass', null, 'reached'],
    ]);
    expect(tally(findings)).toEqual({ pass: 1, warn: 1, fail: 3, skipped: 0 });
  });

  it('skips a check that needs a skipped one', async () => {
    const findings = await examine(
      [
        check('organization', async () => skipped('notUsed', 'not here')),
        check('trustedAccess', () => Promise.reject(new Error('must not run')), 'organization'),
        check('automation', () => Promise.reject(new Error('must not run')), 'trustedAccess'),
        check('bus', async () => fail('missing', 'gone', ['make it'])),
      ],
      { clock: manualClock(), timeoutMs: 1_000 },
    );
    expect(findings.map(({ reason }) => reason)).toEqual(['notUsed', 'notReached', 'notReached', 'missing']);
  });
});

describe('the result of a cloud error', () => {
  it.each([
    [cloudError('Transient'), 'unreachable'],
    [cloudError('Denied', 'request'), 'denied'],
    [cloudError('Unauthenticated'), 'unauthenticated'],
    [cloudError('Prerequisite'), 'missing'],
    [cloudError('Invalid', null, 'RegionMissing'), 'missing'],
    [cloudError('Invalid', null, 'RegionMalformed'), 'wrong'],
    [cloudError('Conflict'), 'wrong'],
    [cloudError('CoolingDown'), 'wrong'],
  ] as const)('%o is %s', (error, reason) => {
    expect(resultOfError(error)).toEqual({ status: 'fail', reason, message: 'words', fix: [] });
  });

  it('a temporary error suggests running doctor again', () => {
    for (const error of [cloudError('Transient', 'request'), cloudError('Throttled', 'request')])
      expect(resultOfError(error)).toMatchObject({ reason: 'unavailable', fix: ['rollcall doctor'] });
  });
});

describe('commands', () => {
  const facts = {
    ...{ region: 'eu-west-1', rootId: 'r-ab12', externalId: "it's" },
    callerArn: 'arn:aws-cn:sts::111122223333:assumed-role/rollcall-worker/session',
  };

  it('grant permissions to the calling role or user, and to no permission set of IAM Identity Center', () => {
    const actions = ['organizations:DescribeOrganization'];
    expect(grant('arn:aws:sts::111122223333:assumed-role/ci/run', actions)).toEqual([
      'aws iam put-role-policy --role-name ci --policy-name RollcallDoctor --policy-document ' +
        '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["organizations:DescribeOrganization"],"Resource":"*"}]}\'',
    ]);
    expect(grant('arn:aws:iam::111122223333:user/people/ann', actions)[0]).toContain(
      'put-user-policy --user-name ann ',
    );
    expect(grant('arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/ann', actions)).toEqual([]);
    expect(grant('arn:aws:iam::111122223333:root', actions)).toEqual([]);
  });

  it('add the caller’s role, not its session, to the trusted roles, in valid shell syntax', () => {
    const command = trustCaller(facts) ?? expect.fail('no command');
    // A real shell parses the command; `aws` is replaced by a function.
    const asked =
      'aws() { case "$2" in describe-stack-set) echo arn:aws-cn:iam::111122223333:role/worker;; *) printf "%s\\n" "$@";; esac; }';
    const words = execFileSync('bash', ['-c', `${asked}; ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
    expect(words.slice(0, -1)).toContain('--use-previous-template');
    const parameters: unknown = JSON.parse(words.at(-1) ?? '');
    const arns = 'arn:aws-cn:iam::111122223333:role/worker,arn:aws-cn:iam::111122223333:role/rollcall-worker';
    expect(parameters).toEqual(
      expect.arrayContaining([
        { ParameterKey: 'WorkerRoleArn', ParameterValue: arns },
        { ParameterKey: 'ExternalId', ParameterValue: "it's" },
        { ParameterKey: 'OrganizationId', UsePreviousValue: true },
      ]),
    );
    expect(trustCaller({ ...facts, externalId: null })).toContain(
      '{"ParameterKey":"ExternalId","UsePreviousValue":true}',
    );
    expect(trustCaller({ ...facts, callerArn: 'arn:aws:iam::111122223333:user/ann' })).toBeNull();
  });

  it('name every parameter of the member role’s template', () => {
    const template = readFileSync(new URL('../../../../infra/member-role.yml', import.meta.url), 'utf8');
    const section = /^Parameters:\n([\s\S]*?)^\S/m.exec(template)?.[1] ?? '';
    const names = [...section.matchAll(/^ {2}(\w+):$/gm)].map((match) => match[1]);
    const [, json = ''] = /--parameters '(.*)'$/.exec(renewMemberRole('infra/member-role.yml')) ?? [];
    const named: { ParameterKey: string }[] = JSON.parse(json);
    expect(named.map(({ ParameterKey }) => ParameterKey).sort()).toEqual(names.toSorted());
  });

  it('name the template where it is on this machine, in valid shell syntax', () => {
    expect(renewMemberRole('/opt/my tools/infra/member-role.yml')).toContain(
      "--template-body 'file:///opt/my tools/infra/member-role.yml' --parameters",
    );
  });

  it('let the shell read the organization root if it is unknown', () => {
    expect(deployMemberRole(['111111111111'], facts)).toContain(
      `--deployment-targets '{"OrganizationalUnitIds":["r-ab12"],"Accounts":["111111111111"],"AccountFilterType":"INTERSECTION"}'`,
    );
    expect(deployMemberRole(['111111111111'], { ...facts, rootId: null })).toContain(
      `'{"OrganizationalUnitIds":["'"$(aws organizations list-roots --query 'Roots[0].Id' --output text)"'"],"Accounts":["111111111111"],`,
    );
  });

  it('quote shell metacharacters', () => {
    expect(quoted('/var/lib/rollcall')).toBe('/var/lib/rollcall');
    expect(quoted('my data; rm -rf')).toBe(`'my data; rm -rf'`);
    expect(quoted("it's")).toBe(String.raw`'it'\''s'`);
    expect(quoted('')).toBe("''");
  });
});
