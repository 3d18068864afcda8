import { expect, test } from 'vitest';
import { reportOf } from '../../../../services/cli/errors.ts';
import { OutdatedPolicyError } from '../../../../shared/app/coordination/outdated-policy-error.ts';

test('the error about a replaced policy is not reported as a bug in Rollcall', () => {
  const { code, message } = reportOf(new OutdatedPolicyError('a'.repeat(64), 'b'.repeat(64)));
  expect(code).toBe('PolicyReplaced');
  expect(message).toBe(
    'Policy bbbbbbbbbbbb is in force on this store, but this process works under policy aaaaaaaaaaaa. ' +
      'All work so far is recorded. Start it again with the policy that is in force.',
  );
});
