import { expect, test } from 'vitest';
import { doctorText } from '../../../services/cli/ui/doctor-text.ts';
import type { Style } from '../../../services/cli/ui/output.ts';
import type { CheckId } from '../../../shared/app/doctor/check-ids.ts';
import { type CheckResult, fail, pass, skipped } from '../../../shared/domain/check-result.ts';

const plain: Style = (_format, text) => text;
const found = (check: CheckId, result: CheckResult) => ({ check, durationMs: 0, ...result });
const textOf = (...findings: readonly ReturnType<typeof found>[]) =>
  doctorText(findings, { style: plain, width: 80, next: 'rollcall policy init' });

test('checks of AWS come before those of this machine, then the totals and what to do next', () => {
  const lines = textOf(
    found('policy', skipped('missing', 'there is no rollcall.yaml yet')),
    found('region', pass('us-east-1')),
    found('credentials', pass('arn:aws:iam::801877072919:user/ops in account 801877072919')),
    found('serviceLinkedRoles', pass('no enrollment is Failed')),
  );
  expect(lines).toEqual([
    'AWS (us-east-1)',
    '  ✓ Credentials           user/ops in account 801877072919',
    '  ✓ Service-linked roles  no enrollment is Failed',
    'This machine',
    '  - Policy                skipped: there is no rollcall.yaml yet',
    '2 passed, 0 warnings, 0 failed, 1 skipped.',
    'Next: rollcall policy init',
  ]);
});

const missing = skipped('missing', 'there is no store yet');

test('checks of what is not in use are left out, and a sound store has one line', () => {
  const unused = skipped('notUsed', '--store aws is not in use');
  const aws = [found('table', unused), found('clock', unused), found('queue', unused), found('bus', unused)];
  const none = textOf(
    found(
      'trustedAccess',
      fail('missing', 'off for Compute Optimizer. In the management account 801877072919:', ['aws']),
    ),
    found('automation', skipped('notReached', 'not checked: trustedAccess did not pass')),
    found('dataDirectory', pass('.rollcall will be created by the first scan')),
    ...[found('database', missing), found('writeAheadLog', missing), found('disk', pass('2.0 GiB free at /')), ...aws],
    found('storeOrganization', skipped('notReached', 'not checked: database did not pass')),
  );
  expect(none).toEqual([
    'AWS',
    '  ✗ Trusted access  off for Compute Optimizer',
    '    Fix, in the management account:',
    'aws',
    '  - Automation      skipped: needs Trusted access',
    'This machine',
    '  ✓ Store           .rollcall will be created by the first scan',
    '1 passed, 0 warnings, 1 failed, 1 skipped.',
  ]);
  const damaged = textOf(
    found('dataDirectory', pass('.rollcall can be written')),
    found('database', fail('wrong', 'the database is damaged', ['rollcall restore BACKUP'])),
  );
  expect(damaged.slice(0, 3)).toEqual([
    'This machine',
    '  ✓ Data directory  .rollcall can be written',
    '  ✗ Database        the database is damaged',
  ]);
});

test('times are to the minute', () => {
  const message = 'the newest is of 2026-12-01T03:39:41.123Z. It signed 9 entries.';
  const lines = textOf(found('checkpoints', fail('wrong', message)));
  expect(lines).toContain('  ✗ Checkpoints  the newest is of 2026-12-01 03:39 UTC. It signed 9 entries.');
});

test('a message wraps under its own start; a fix is complete, on one line, at the left edge', () => {
  const command =
    'aws cloudformation create-stack-instances --stack-set-name rollcall-member-role --regions us-east-1 --deployment-targets OrganizationalUnitIds=r-7f3a';
  const message =
    'RollcallMember cannot be assumed in 3 of 5 sampled accounts: 112352966843, 146812679013, 172850385215. In the management account:';
  const lines = textOf(
    found('serviceLinkedRoles', pass('no enrollment is Failed')),
    found('memberRole', fail('denied', message, [command])),
  );
  expect(lines).toEqual([
    'AWS',
    '  ✓ Service-linked roles  no enrollment is Failed',
    '  ✗ Member role           RollcallMember cannot be assumed in 3 of 5 sampled',
    '                          accounts: 112352966843, 146812679013, 172850385215',
    '    Fix, in the management account:',
    command,
    '1 passed, 0 warnings, 1 failed, 0 skipped.',
  ]);
});
